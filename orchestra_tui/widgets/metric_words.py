"""Figures of model calls as lines: bars for the eye, then the table, then what went wrong.

The rule a reader must not break: pure; every line fits the width it was made for, and numbers
stand right in their columns.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from textual.content import Content

from orchestra_tui.domain.metrics import CallMetrics, Metrics
from orchestra_tui.domain.money import money_cell, usd_text
from orchestra_tui.domain.recovery_metrics import recovery_words
from orchestra_tui.widgets.cells import fit, fit_right
from orchestra_tui.widgets.figures import bar_text, count_text
from orchestra_tui.widgets.signs import Signs

_GAP = 2
_MOST_BAR = 24
_NOTHING = "-"


class Tile(NamedTuple):
    """A large number and what it counts."""

    value: str
    label: str


class _Column(NamedTuple):
    title: str
    width: int
    value: Callable[[CallMetrics], str]


def tiles(metrics: Metrics) -> tuple[Tile, ...]:
    """Money, tokens, success, kept answers."""
    total = metrics.total
    return (_money_tile(total), _token_tile(total), _success_tile(total), _cache_tile(total))


def metric_lines(metrics: Metrics, width: int, signs: Signs) -> Content:
    """Bars and tables of the adapters and roles, for a width in cells."""
    rows = metrics.adapters
    lines = [*_bars([row for row in rows if row.calls], width, signs), Content("")]
    lines += [_heading("By adapter and model"), *_table(rows, width), Content("")]
    lines += [_heading("By role"), *_table(metrics.roles, width)]
    if troubles := [line for row in rows for line in _troubles(row, width, signs)]:
        lines += [Content(""), _heading("What went wrong"), *troubles]
    if recovered := _recovery_lines(metrics, width):
        lines += [Content(""), _heading("Files in recovery"), *recovered]
    return Content("\n").join(lines)


def _recovery_lines(metrics: Metrics, width: int) -> list[Content]:
    rehearsed = (f"rehearsed: {line}" for line in recovery_words(metrics.rehearsed_recovery))
    return [Content(fit(line, width)) for line in (*recovery_words(metrics.recovery), *rehearsed)]


def _money_tile(total: CallMetrics) -> Tile:
    if total.is_rehearsal and not total.money.usd and total.money.is_exact:
        return Tile(_NOTHING, "no cost, simulated")
    unknown = total.money.unknown
    label = f"spent, {unknown} unknown" if unknown else "spent"
    return Tile(usd_text(total.money.usd), label)


def _token_tile(total: CallMetrics) -> Tile:
    usage = total.usage
    count = (usage.input_tokens or 0) + (usage.output_tokens or 0)
    label = "tokens, simulated" if total.is_rehearsal else "tokens"
    return Tile(
        count_text(count),
        f"{label}, {total.unknown_usage} unknown" if total.unknown_usage else label,
    )


def _success_tile(total: CallMetrics) -> Tile:
    if total.success is None:
        return Tile(_NOTHING, "no model was asked")
    return Tile(f"{total.success:.0%}", f"usable of {total.finished + total.failures}")


def _cache_tile(total: CallMetrics) -> Tile:
    saved = f"kept, {usd_text(total.saved_usd)} saved" if total.saved_usd else "kept answers"
    return Tile(str(total.cached), saved)


def _bars(rows: Sequence[CallMetrics], width: int, signs: Signs) -> list[Content]:
    """A line per adapter: its part of the money, its usual time, its success."""
    if not rows:
        return []
    name = _name_width(width)
    values = (9, 7, 5)
    room = (width - name - sum(values) - 3 * _GAP - 3) // 3
    bar = max(3, min(_MOST_BAR, room))
    most_usd = max(row.money.usd for row in rows)
    most_seconds = max(row.median_seconds or 0.0 for row in rows)
    titles = [
        ("spend", bar + values[0]),
        ("usual time", bar + values[1]),
        ("success", bar + values[2]),
    ]
    head = fit("", name) + "".join(f"{'':{_GAP}}{fit(text, cells + 1)}" for text, cells in titles)
    lines = [Content.styled(head, "$muted")]
    for row in rows:
        shares = (
            float(row.money.usd / most_usd) if most_usd else 0.0,
            (row.median_seconds or 0.0) / most_seconds if most_seconds else 0.0,
            row.success or 0.0,
        )
        texts = (_cost(row), _seconds(row.median_seconds), _percent(row))
        parts: list[Content | tuple[str, str]] = [(_name(row, name), "")]
        styles = ("$primary", "$role-auditor", "$text-success")
        for share, text, cells, style in zip(shares, texts, values, styles, strict=True):
            drawn = bar_text(round(share * 100), 100, bar, full=signs.bar_full, empty="")
            rest = signs.bar_empty * (bar - len(drawn))
            number = f" {fit_right(text, cells)}"
            parts += [(" " * _GAP, ""), (drawn, style), (rest, "$muted 50%"), (number, "")]
        lines.append(Content.assemble(*parts))
    return lines


_COLUMNS = (
    _Column("calls", 6, lambda row: str(row.calls)),
    _Column("failed", 7, lambda row: _count(row.failures)),
    _Column("refused", 8, lambda row: _count(row.refused)),
    _Column("hops", 5, lambda row: _count(sum(row.hops.values()))),
    _Column("kept", 5, lambda row: _count(row.cached)),
    _Column("in", 7, lambda row: _tokens(row.usage.input_tokens)),
    _Column("out", 7, lambda row: _tokens(row.usage.output_tokens)),
    _Column("cost", 10, lambda row: _cost(row)),
    _Column("p95", 7, lambda row: _seconds(row.p95_seconds)),
    _Column("waited", 8, lambda row: _seconds(row.waited or None)),
    _Column("cut off", 8, lambda row: _count(row.cut_off)),
    _Column("cached in", 10, lambda row: _tokens(row.usage.cached_tokens)),
    _Column("reasoning", 10, lambda row: _tokens(row.usage.reasoning_tokens)),
    _Column("unknown", 8, lambda row: _count(row.unknown_usage)),
)
"""The most telling first: where there is no room the last are left out."""


def _table(rows: Sequence[CallMetrics], width: int) -> list[Content]:
    name = _name_width(width)
    room = width - name
    columns = []
    for column in _COLUMNS:
        if column.width > room:
            break
        columns.append(column)
        room -= column.width
    head = fit("", name) + "".join(fit_right(column.title, column.width) for column in columns)
    lines = [Content.styled(head, "$muted")]
    for row in rows:
        cells = "".join(fit_right(column.value(row), column.width) for column in columns)
        lines.append(Content(_name(row, name) + cells))
    return lines


def _troubles(row: CallMetrics, width: int, signs: Signs) -> list[Content]:
    lines = []
    if row.failed:
        lines.append((signs.failed, "$text-error", f"broke off: {_kinds(row.failed)}"))
    if row.hops:
        lines.append((signs.cooling, "$text-warning", f"passed over: {_kinds(row.hops)}"))
    name = _name_width(width)
    return [
        Content.assemble(_name(row, name), " ", (sign, style), " ", fit(text, width - name - 3))
        for sign, style, text in lines
    ]


def _heading(text: str) -> Content:
    return Content.styled(text, "bold")


def _name_width(width: int) -> int:
    return max(12, min(32, width // 5))


def _name(row: CallMetrics, width: int) -> str:
    text = f"{row.name}/{row.model}" if row.model not in {"", row.name} else row.name
    return fit(text, width)


def _kinds(counts: Mapping[str, int]) -> str:
    ordered = sorted(counts.items(), key=lambda item: -item[1])
    return ", ".join(f"{count} {kind.replace('_', ' ')}" for kind, count in ordered)


def _cost(row: CallMetrics) -> str:
    if row.is_rehearsal:
        return "simulated"
    return money_cell(row.money) if row.calls else ""


def _count(count: int) -> str:
    return str(count) if count else _NOTHING


def _tokens(count: int | None) -> str:
    return count_text(count) if count is not None else _NOTHING


def _seconds(seconds: float | None) -> str:
    if seconds is None:
        return _NOTHING
    return f"{seconds:.1f} s" if seconds < 100 else f"{seconds:.0f} s"


def _percent(row: CallMetrics) -> str:
    return f"{row.success:.0%}" if row.success is not None else _NOTHING
