"""The run's change to one path, separated from what the user had changed there himself.

Three versions meet: the working file before the run (base), the result of the run, and the version
in HEAD or in the index (side). The rule a reader must not break: the result of `separate` holds
nothing of the user's uncommitted work; what cannot be told apart is a `MixedError`, never a guess.
"""

from dataclasses import dataclass

from orchestra_tui.engine.git.diff import merge_bytes


@dataclass(frozen=True)
class Version:
    """A file's content as the repository stores it."""

    data: bytes
    is_executable: bool = False


class MixedError(ValueError):
    """The user's own change and the run's cannot be told apart; the text says where."""


def separate(base: Version | None, result: Version | None, side: Version | None) -> Version | None:
    """`side` with the run's change from `base` to `result` and nothing else; None is no file.

    Raises:
        MixedError: the user's uncommitted change touches the run's.
    """
    if side in (base, result):
        return result
    if result == base:
        return side
    if base is None or result is None or side is None:
        raise MixedError(_absence(base, result, side))
    data = merge_bytes(base.data, side.data, result.data)
    if data is None:
        raise MixedError("your own uncommitted changes touch the lines the run changed")
    # Two values cannot conflict three ways: whoever differs from the base decides.
    changed = base.is_executable != result.is_executable
    return Version(data, result.is_executable if changed else side.is_executable)


def _absence(base: Version | None, result: Version | None, side: Version | None) -> str:
    if side is None:
        return "its earlier content was never committed, so the commit would include it"
    if base is None:
        return "you had removed it without committing that, and the run made it again"
    if result is None:
        return "you had uncommitted changes in it, and the run removes it"
    return "your own changes and the run's cannot be told apart"
