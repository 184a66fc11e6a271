"""Asks the validator about every good and every damaged text, and counts.

The rule a reader must not break: each case has a random generator of its own, seeded by what it
is, so that one more language or kind changes no other case.
"""

import random
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

from benchmarks.validation.corpus import Sample
from benchmarks.validation.damages import DAMAGES, earlier
from orchestra_tui.engine.validation import Report, ReportState, validate

INTACT, COMMIT = "intact files", "real commits"


@dataclass(frozen=True)
class Case:
    """One text to judge. `kind` is a damage, or `INTACT` or `COMMIT` for a good text."""

    kind: str
    bucket: str
    path: str
    new: str
    old: str | None

    @property
    def is_good(self) -> bool:
        """True if any finding is a false alarm."""
        return self.kind in {INTACT, COMMIT}


@dataclass
class Tally:
    """How many texts were asked about, and how many were found hard or soft."""

    asked: int = 0
    hard: int = 0
    soft: int = 0

    def add(self, report: Report) -> None:
        """Count one answer."""
        self.asked += 1
        self.hard += report.is_hard
        self.soft += report.state is ReportState.SUSPECT

    @property
    def hard_share(self) -> float:
        """Percent found hard."""
        return 100 * self.hard / self.asked if self.asked else 0.0

    @property
    def any_share(self) -> float:
        """Percent found at all."""
        return 100 * (self.hard + self.soft) / self.asked if self.asked else 0.0


Key = tuple[str, str, bool]


@dataclass
class Result:
    """Tallies by (kind, language, with old text), the milliseconds of every call, the misses."""

    tallies: dict[Key, Tally] = field(default_factory=lambda: defaultdict(Tally))
    times: list[float] = field(default_factory=list)

    def total(
        self, kinds: Iterable[str], *, has_old: bool, buckets: Callable[[str], bool] | None = None
    ) -> Tally:
        """The sum over kinds and languages."""
        sum_ = Tally()
        wanted = set(kinds)
        for (kind, bucket, is_old), tally in self.tallies.items():
            if kind in wanted and is_old == has_old and (buckets is None or buckets(bucket)):
                sum_.asked += tally.asked
                sum_.hard += tally.hard
                sum_.soft += tally.soft
        return sum_


def cases_of(sample: Sample, seed: int, *, is_wide: bool) -> Iterator[Case]:
    """Every case of a sample, without and with its old text; `is_wide`: only the good ones."""

    def chance(kind: str) -> random.Random:
        return random.Random(f"{seed}|{sample.path}|{len(sample.new)}|{kind}")

    def case(kind: str, new: str, old: str | None) -> Case:
        return Case(kind, sample.bucket, sample.path, new, old)

    old = earlier(sample, chance("earlier")) if sample.old is None else sample.old
    if sample.old is None:
        yield case(INTACT, sample.new, None)
        yield case(INTACT, sample.new, old)
    else:
        yield case(COMMIT, sample.new, sample.old)
    if is_wide:
        return
    for kind, damage in DAMAGES.items():
        damaged = damage(sample, chance(kind))
        if damaged is not None and damaged != sample.new:
            yield case(kind, damaged, None)
            yield case(kind, damaged, old)


def measure(
    samples: Iterable[Sample],
    *,
    seed: int,
    limit: int,
    see: Callable[[Case, Report], None] | None = None,
) -> Result:
    """Judge the cases; the first `limit` samples of each language and sort are damaged too."""
    result = Result()
    taken: dict[tuple[str, bool], int] = defaultdict(int)
    for sample in samples:
        place = (sample.bucket, sample.old is None)
        taken[place] += 1
        for case in cases_of(sample, seed, is_wide=taken[place] > limit):
            began = time.thread_time()
            report = validate(case.path, case.new, case.old)
            result.times.append((time.thread_time() - began) * 1000)
            result.tallies[case.kind, case.bucket, case.old is not None].add(report)
            if see is not None:
                see(case, report)
    return result
