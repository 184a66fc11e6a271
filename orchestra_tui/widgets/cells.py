"""Text fitted into terminal cells, so that columns stand still."""

from datetime import datetime, timedelta

from rich.cells import cell_len, set_cell_size

from orchestra_tui.domain.text import clean_line

_ELLIPSIS = "…"


def fit(text: str, width: int) -> str:
    """`text`, cleaned, in exactly `width` cells: its end is left out when it is too long."""
    text = clean_line(text)
    if width <= 0:
        return ""
    if cell_len(text) <= width:
        return set_cell_size(text, width)
    return set_cell_size(text, width - 1) + _ELLIPSIS


def fit_right(text: str, width: int) -> str:
    """`text`, cleaned, in exactly `width` cells, at the right of its column."""
    text = clean_line(text)
    missing = width - cell_len(text)
    return " " * missing + text if missing >= 0 else fit(text, width)


def fit_path(path: str, width: int) -> str:
    """A path in exactly `width` cells: its beginning is left out, the file name stays."""
    path = clean_line(path)
    if width <= 0:
        return ""
    if cell_len(path) <= width:
        return set_cell_size(path, width)
    kept = path
    while kept and cell_len(kept) > width - 1:
        kept = kept[1:]
    return set_cell_size(_ELLIPSIS + kept, width)


def age_text(then: datetime, now: datetime) -> str:
    """How long ago `then` was, as people say it; both with a time zone."""
    passed = max(now - then, timedelta())
    minutes = int(passed.total_seconds() // 60)
    if minutes < 1:
        return "just now"
    if minutes < 60:
        return f"{minutes} min ago"
    if minutes < 24 * 60:
        return f"{minutes // 60} h ago"
    days = minutes // (24 * 60)
    if days == 1:
        return "yesterday"
    return f"{days} days ago" if days < 60 else then.strftime("%Y-%m-%d")
