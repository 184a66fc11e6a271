"""The tables: per kind with targets, and per language.

The rule a reader must not break: the targets are the project's promise; a row that misses its
"must" says so in the table itself.
"""

import statistics
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from benchmarks.validation.measure import COMMIT, INTACT, Result, Tally

MARKUP = frozenset({"html", "xml", "vue", "svelte"})
CLOSERS = ("last closer lost", "one closer lost")
ELISIONS = ("body elided", "middle elided", "head elided", "tail elided")
CUTS = ("cut at a byte", "cut at a token")
LINES = ("cut at a line", "last lines lost")
WRAPPED = ("in a fence", "chat before", "chat after")
ENDLESS = ("fence unclosed", "fence and cut")


@dataclass(frozen=True)
class Target:
    """One promised figure in percent: `must`, and where it differs the better `aim`."""

    must: float
    aim: float | None = None

    def __str__(self) -> str:
        return f"{self.must:g}" if self.aim is None else f"{self.must:g} / {self.aim:g}"


@dataclass(frozen=True)
class Row:
    """A line of the main table: three figures with their targets, and how they were counted."""

    name: str
    figures: tuple[float, float, float]
    targets: tuple[Target | None, Target | None, Target | None]
    asked: int
    is_limit: bool = False

    @property
    def misses(self) -> tuple[bool, ...]:
        """Which of the figures miss their "must"."""
        return tuple(
            target is not None and (figure > target.must if self.is_limit else figure < target.must)
            for figure, target in zip(self.figures, self.targets, strict=True)
        )


def rows(result: Result) -> Iterator[Row]:
    """The main table: new file hard (any, for stubs), old text hard, old text any."""

    def found(name: str, kinds: Sequence[str], *targets: Target | None, markup: bool | None) -> Row:
        def wanted(bucket: str) -> bool:
            return markup is None or (bucket in MARKUP) == markup

        new = result.total(kinds, has_old=False, buckets=wanted)
        old = result.total(kinds, has_old=True, buckets=wanted)
        first = new.any_share if kinds == ("body stubbed",) else new.hard_share
        figures = (first, old.hard_share, old.any_share)
        return Row(name, figures, (targets[0], targets[1], targets[2]), new.asked)

    yield found("missing closer", CLOSERS, Target(98), Target(98), Target(99), markup=False)
    yield found("missing closing tag", CLOSERS, Target(65), Target(75), Target(80), markup=True)
    yield found(
        "placeholder comments",
        ELISIONS,
        Target(90, 95),
        Target(95, 98),
        Target(95, 98),
        markup=None,
    )
    yield found(
        "stubbed bodies (new: any)",
        ("body stubbed",),
        Target(90),
        Target(85, 90),
        Target(90, 93),
        markup=None,
    )
    yield found(
        "cut at a byte or token", CUTS, Target(78, 82), Target(88, 91), Target(95, 97), markup=None
    )
    yield found("cut at a line", LINES, Target(68, 70), Target(70, 73), Target(90, 93), markup=None)
    yield found("fence or chat around", WRAPPED, Target(99), Target(99), Target(99), markup=None)
    yield found(
        "fence without its end", ENDLESS, Target(100), Target(100), Target(100), markup=None
    )
    yield from _alarms(result)


def _alarms(result: Result) -> Iterator[Row]:
    new = result.total([INTACT], has_old=False)
    old = result.total([INTACT], has_old=True)
    commits = result.total([COMMIT], has_old=True)
    yield _alarm("false alarms, intact files", new, old)
    yield _alarm("false alarms, real commits", Tally(), commits)
    name = "false alarms (any), intact new files"
    yield Row(name, (new.any_share, 0, 0), (Target(2, 1.5), None, None), new.asked, is_limit=True)


def _alarm(name: str, new: Tally, old: Tally) -> Row:
    return Row(
        name,
        (new.hard_share, old.hard_share, old.any_share),
        (Target(1.5, 0.8), Target(0.5, 0.3), Target(2, 1.5)),
        new.asked or old.asked,
        is_limit=True,
    )


def main_table(result: Result) -> str:
    """The main table as Markdown; a figure in bold misses its "must"."""
    lines = [
        "| kind | texts | new file, hard | old text, hard | old text, any | must / aim |",
        "|---|---:|---:|---:|---:|---|",
    ]
    for row in rows(result):
        cells = [
            f"**{figure:.1f}**" if is_missed else f"{figure:.1f}" if target else "-"
            for figure, is_missed, target in zip(row.figures, row.misses, row.targets, strict=True)
        ]
        wanted = " · ".join("-" if target is None else str(target) for target in row.targets)
        lines.append(f"| {row.name} | {row.asked} | {' | '.join(cells)} | {wanted} |")
    return "\n".join(lines)


def language_table(result: Result) -> str:
    """Per language, in percent: new hard / old hard / old any; false alarms likewise."""
    columns = {
        "cuts": CUTS,
        "line cuts": LINES,
        "closers": CLOSERS,
        "placeholders": ELISIONS,
        "stubs": ("body stubbed",),
        "around": (*WRAPPED, *ENDLESS),
        "alarms, files": (INTACT,),
        "alarms, commits": (COMMIT,),
    }
    lines = [f"| language | {' | '.join(columns)} |", f"|---|{'---|' * len(columns)}"]
    for bucket in sorted({bucket for _, bucket, _ in result.tallies}):
        cells = [_cell(result, kinds, bucket) for kinds in columns.values()]
        lines.append(f"| {bucket} | {' | '.join(cells)} |")
    return "\n".join(lines)


def _cell(result: Result, kinds: Sequence[str], bucket: str) -> str:
    new = result.total(kinds, has_old=False, buckets=lambda name: name == bucket)
    old = result.total(kinds, has_old=True, buckets=lambda name: name == bucket)
    if not old.asked:
        return "-"
    first = new.any_share if kinds == ("body stubbed",) else new.hard_share
    start = f"{first:.0f}/" if new.asked else ""
    if set(kinds) <= {INTACT, COMMIT}:
        start = f"{new.hard_share:.1f}+{new.any_share - new.hard_share:.1f}/" if new.asked else ""
        return f"{start}{old.hard_share:.1f}/{old.any_share:.1f} ({old.asked})"
    return f"{start}{old.hard_share:.0f}/{old.any_share:.0f}"


def time_line(times: Sequence[float]) -> str:
    """How long one question took, in milliseconds."""
    cuts = statistics.quantiles(times, n=100)
    return f"ms for one text: median {cuts[49]:.1f}, p95 {cuts[94]:.1f}, most {max(times):.0f}"
