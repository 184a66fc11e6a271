"""Numbers for the eye, in columns that do not dance: each function keeps to its width."""


def clock_text(seconds: float) -> str:
    """`00:21`, from an hour on `1:02:09`; 5 cells below one hour."""
    whole = max(0, int(seconds))
    minutes, second = divmod(whole, 60)
    hours, minute = divmod(minutes, 60)
    return f"{hours}:{minute:02}:{second:02}" if hours else f"{minute:02}:{second:02}"


def size_text(size: int) -> str:
    """A size in bytes with three digits or fewer before the unit, e.g. `12.4 kB`."""
    if size < 1000:
        return f"{size} B"
    value, unit = size / 1000, "kB"
    for larger in ("MB", "GB"):
        if value >= 999.5:
            value, unit = value / 1000, larger
    return f"{value:.1f} {unit}" if value < 99.95 else f"{value:.0f} {unit}"


def count_text(count: int) -> str:
    """A count in at most 5 cells, e.g. `412`, `9.8k`, `120k`, `1.2M`."""
    if count < 1000:
        return str(count)
    value, unit = (count / 1000, "k") if count < 999_500 else (count / 1_000_000, "M")
    return f"{value:.1f}{unit}" if value < 99.95 else f"{value:.0f}{unit}"


def plural(count: int, word: str, words: str = "") -> str:
    """`1 file`, `2 files`; `words` where adding an s is wrong."""
    return f"{count} {word if count == 1 else words or word + 's'}"


def bar_text(done: int, total: int, width: int, *, full: str = "█", empty: str = "░") -> str:
    """A bar of exactly `width` characters; full only when all is done."""
    filled = width * done // total if total else 0
    return full * filled + empty * (width - filled)
