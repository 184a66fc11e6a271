"""`orchestra metrics`: what model calls used and how well they went, as a table or as JSON."""

import asyncio
from collections.abc import Sequence
from pathlib import Path

from orchestra_tui.cli.arguments import Arguments
from orchestra_tui.cli.top import DONE
from orchestra_tui.domain.errors import UsageError
from orchestra_tui.domain.ids import SessionId
from orchestra_tui.domain.metrics import CallMetrics, Metrics
from orchestra_tui.domain.money import money_text, usd_text
from orchestra_tui.domain.recovery_metrics import recovery_words
from orchestra_tui.domain.text import clean_line
from orchestra_tui.engine.store.figures import newest_sessions, stored_metrics
from orchestra_tui.engine.store.folder import find
from orchestra_tui.engine.store.index import ProjectIndex, find_session, with_folder
from orchestra_tui.engine.store.sqlite import SqliteEventStore

LIMIT = 200
_HEAD = ("", "calls", "failed", "refused", "kept", "in", "out", "cost", "median", "p95", "usable")


def print_metrics(arguments: Arguments) -> int:
    """Print the figures of one session, or with `--all` of this project's newest sessions."""
    metrics = asyncio.run(_metrics(arguments))
    if arguments.json:
        print(metrics.model_dump_json())
        return DONE
    for line in _lines(metrics):
        print(line)
    return DONE


async def _metrics(arguments: Arguments) -> Metrics:
    root = arguments.path.resolve()
    here = find(root)
    if arguments.session is not None:
        projects = with_folder(await asyncio.to_thread(ProjectIndex().projects), here)
        found = await find_session(projects, arguments.session)
        if found is None:
            raise UsageError(
                f"there is no session {arguments.session}: `orchestra sessions` lists what there is"
            )
        project, session = found
        return await _of(project.database, session)
    if here is None:
        raise UsageError(
            "there is no session in this folder: name one that `orchestra sessions` lists"
        )
    return await _of(here.database, None, limit=LIMIT if arguments.all else 1)


async def _of(database: Path, session: SessionId | None, limit: int = 1) -> Metrics:
    store = await SqliteEventStore.open_readonly(database)
    try:
        chosen = [session] if session is not None else await newest_sessions(store, limit)
        return await stored_metrics(store, chosen)
    finally:
        await store.close()


def _lines(metrics: Metrics) -> Sequence[str]:
    if not metrics.total.calls:
        return ["no model has been asked yet"]
    total = metrics.total
    lines = [f"sessions {metrics.sessions}, runs {metrics.runs}, calls {total.calls}"]
    lines.append(f"cost: {_cost(total)}{_saved(total)}")
    lines += ["", *_table("adapter", metrics.adapters), "", *_table("role", metrics.roles)]
    for row in metrics.adapters:
        for what, counts in (("broke off", row.failed), ("passed over", row.hops)):
            if counts:
                kinds = ", ".join(f"{n} {kind}" for kind, n in sorted(counts.items()))
                lines.append(clean_line(f"{_name(row)} {what}: {kinds}"))
    lines += recovery_words(metrics.recovery)
    lines += [f"rehearsed: {line}" for line in recovery_words(metrics.rehearsed_recovery)]
    return lines


def _table(title: str, rows: Sequence[CallMetrics]) -> list[str]:
    cells = [(title, *_HEAD[1:]), *(_row(row) for row in rows)]
    widths = [max(len(line[at]) for line in cells) for at in range(len(_HEAD))]
    return [
        "  ".join(
            text.ljust(width) if at == 0 else text.rjust(width)
            for at, (text, width) in enumerate(zip(line, widths, strict=True))
        )
        for line in cells
    ]


def _row(row: CallMetrics) -> tuple[str, ...]:
    return (
        clean_line(_name(row)),
        str(row.calls),
        str(row.failures),
        str(row.refused),
        str(row.cached),
        _number(row.usage.input_tokens),
        _number(row.usage.output_tokens),
        _cost(row),
        _seconds(row.median_seconds),
        _seconds(row.p95_seconds),
        "-" if row.success is None else f"{row.success:.0%}",
    )


def _name(row: CallMetrics) -> str:
    return f"{row.name}/{row.model}" if row.model not in {"", row.name} else row.name


def _cost(row: CallMetrics) -> str:
    return "simulated" if row.is_rehearsal else money_text(row.money)


def _saved(total: CallMetrics) -> str:
    if not total.cached:
        return ""
    money = f", {usd_text(total.saved_usd)}" if total.saved_usd else ""
    tokens = (total.saved.input_tokens or 0) + (total.saved.output_tokens or 0)
    return f"; {total.cached} kept answers saved {tokens} tokens{money}"


def _number(count: int | None) -> str:
    return "-" if count is None else str(count)


def _seconds(seconds: float | None) -> str:
    return "-" if seconds is None else f"{seconds:.1f} s"
