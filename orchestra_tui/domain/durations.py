"""Times in words for a person."""


def seconds_text(seconds: float) -> str:
    """A wait as one number with the unit that fits it: `0.5 s`, `90 s`, `30 min`, `5 h`.

    A wait of 0.05 to 10 s has one decimal; `0 s` is less than that.
    """
    if seconds < 9.95:
        return f"{round(seconds, 1):g} s"
    if seconds < 120:
        return f"{seconds:.0f} s"
    if seconds < 7200:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.0f} h"
