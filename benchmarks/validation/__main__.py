"""The validator's benchmark.

    # once: choose files and commit pairs out of folders and git repositories you have
    python -m benchmarks.validation --corpus DIR --collect SOURCE...
    # then
    python -m benchmarks.validation --corpus DIR [--held-out] [--language L...] [--json]

A SOURCE is a folder of source files (an unpacked package, an installed library), or a folder that
holds git repositories, bare or not: their newest files and their commits are used. Good sources are
what package managers bring: unpacked PyPI sdists, npm packages (`npm pack`), Debian source and
-dev packages (`apt-get download`, `dpkg-deb -x`), and clones of public repositories.
"""

import argparse
import json
import sys
from pathlib import Path

from benchmarks.validation.corpus import collect, load
from benchmarks.validation.measure import Case, measure
from benchmarks.validation.table import language_table, main_table, rows, time_line
from orchestra_tui.engine.validation import Report


def main() -> int:
    """Collect or measure; 1 if a "must" is missed."""
    options = _options()
    if options.collect:
        counts = collect(
            options.collect,
            options.corpus,
            seed=options.seed,
            files=options.files,
            pairs=options.pairs,
        )
        for bucket, count in sorted(counts.items()):
            sys.stdout.write(f"{bucket} {count}\n")
        return 0
    samples = [
        sample
        for sample in load(options.corpus)
        if sample.is_held_out == options.held_out
        and (not options.language or sample.bucket in options.language)
    ]
    shower = _Shower(options.show, options.kind) if options.show else None
    result = measure(samples, seed=options.seed, limit=options.limit, see=shower)
    if options.json:
        sys.stdout.write(
            json.dumps(
                [vars(row) | {"targets": list(map(str, row.targets))} for row in rows(result)]
            )
            + "\n"
        )
    else:
        tables = (main_table(result), language_table(result), time_line(result.times))
        sys.stdout.write("\n\n".join(tables) + "\n")
    return int(any(any(row.misses) for row in rows(result)))


class _Shower:
    """Prints wrong answers while they are found."""

    def __init__(self, limit: int, kind: str) -> None:
        self._left = limit
        self._kind = kind

    def __call__(self, case: Case, report: Report) -> None:
        """Print a miss of the wanted kind: a false alarm, or damage that was not found hard."""
        is_wrong = report.state.value != "fine" if case.is_good else not report.is_hard
        if not is_wrong or self._left <= 0 or (self._kind and self._kind not in case.kind):
            return
        self._left -= 1
        head = f"== {case.kind} | {case.path} | {'old' if case.old is not None else 'new'}"
        sys.stdout.write(f"{head} | {report.summary}\n")
        for item in report.diagnostics[:3] if case.is_good else ():
            lines = case.new.split("\n")
            at = item.line or len(lines)
            near = "\n".join(f"    {line[:120]}" for line in lines[max(0, at - 3) : at + 1])
            sys.stdout.write(f"  {item.kind}: {item.message[:150]}\n{near}\n")
        if not case.is_good:
            known = set((case.old or "").split("\n"))
            lines = [line for line in case.new.split("\n") if line not in known]
            shown = lines[:4] if case.old is not None else case.new.split("\n")[-5:]
            sys.stdout.write("\n".join(f"    {line[:120]}" for line in shown) + "\n")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.validation",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--corpus", type=Path, required=True, help="where the samples are kept")
    parser.add_argument("--collect", type=Path, nargs="+", metavar="SOURCE", help="choose samples")
    parser.add_argument("--files", type=int, default=60, help="files per language to collect")
    parser.add_argument(
        "--pairs", type=int, default=60, help="commit pairs per language to collect"
    )
    parser.add_argument("--limit", type=int, default=40, help="samples per language to damage")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--held-out", action="store_true", help="the part no rule was written for")
    parser.add_argument("--language", nargs="+", help="only these languages")
    parser.add_argument("--show", type=int, default=0, metavar="N", help="print N wrong answers")
    parser.add_argument("--kind", default="", help="with --show: only kinds with this in the name")
    parser.add_argument("--json", action="store_true", help="the main table as JSON")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
