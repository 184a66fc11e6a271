"""Scripts and styles inside pages are judged like files of their own."""

import pytest

from orchestra_tui.engine.validation import ReportState, validate

VUE = """<template>
  <p>{{ word }}</p>
</template>

<script setup lang="ts">
const word: string = pick(["a", "b"]);
function pick(words: string[]): string {
  return words[0] ?? "";
}
</script>

<style lang="scss" scoped>
p {
  &:hover { color: red; }
}
</style>
"""
PAGE = """<!doctype html>
<html>
<body>
<script>
function greet(name) {
  return "hello " + name;
}
</script>
<script type="text/x-template"><b>{ not a script</b></script>
<script type="application/ld+json">{"a": 1}</script>
<!-- <script>if (</script> -->
</body>
</html>
"""


@pytest.mark.parametrize(
    ("path", "good", "lost", "line"),
    [
        ("a.vue", VUE, '"b"]);', 6),
        ("a.vue", VUE, '  return words[0] ?? "";\n}', 7),
        ("a.vue", VUE, "red; }\n}", 13),
        ("a.html", PAGE, "name;\n}", 5),
    ],
)
def test_a_closer_lost_in_a_script_or_style_is_found_at_its_line(
    path: str, good: str, lost: str, line: int
) -> None:
    assert validate(path, good).state is ReportState.FINE
    damaged = good.replace(lost, lost[:-1].removesuffix(")"))
    for report in (validate(path, damaged), validate(path, damaged, good)):
        assert report.is_hard
        assert line in {diagnostic.line for diagnostic in report.diagnostics}


def test_what_was_wrong_in_a_script_before_is_not_blamed() -> None:
    wrong = PAGE.replace("name;\n}", "name;\n")
    assert not validate("a.html", wrong.replace("hello", "hi"), wrong).is_hard
    moved = wrong.replace("<body>", "<body>\n<script>let a = 1;</script>")
    assert not validate("a.html", moved, wrong).is_hard


def test_the_scripts_of_a_template_are_not_judged() -> None:
    page = PAGE.replace("return", "{% if a %}return{% endif %} {{ b }} (")
    assert validate("a.html", page).state is ReportState.FINE
