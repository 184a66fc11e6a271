"""The decision table in docs/adapters.md is the one the code decides by."""

from pathlib import Path

from orchestra_tui.engine.adapters.decisions import RULES, Rule

DOCS = Path(__file__).resolve().parents[2] / "docs" / "adapters.md"


def row(kind: str, rule: Rule) -> str:
    """A line of the table: error, what is done, when all go past the adapter, and for how long."""
    opens = {None: "never", 1: "at once"}.get(rule.opens_after, f"after {rule.opens_after}")
    rest = f"{rule.rest:g}"
    rest += f" to {rule.longest:g} s" if rule.longest != rule.rest else " s"
    rest = "-" if rule.opens_after is None else rest
    again = "yes" if rule.comes_back else "no"
    return f"| `{kind}` | {rule.move.value} | {opens} | {rest} | {again} | {rule.why} |"


def test_the_table_is_the_one_of_the_code() -> None:
    lines = DOCS.read_text(encoding="utf-8").splitlines()
    shown = [line for line in lines if line.startswith("| `") and line.count("|") == 7]
    assert shown == [row(kind, rule) for kind, rule in RULES.items()]
