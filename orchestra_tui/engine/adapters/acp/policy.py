"""May an agent do what it asks for, and which of its options says so. Pure.

The rule a reader must not break: what is not understood is refused, and nothing is ever allowed
"always": an agent would write that into the user's own settings.
"""

import posixpath
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePath

from orchestra_tui.domain.settings import Permission
from orchestra_tui.engine.adapters.process.events import Event, at, items, text_at

ALLOW_IDS = ("allow_once", "proceed_once", "allow", "approved", "once")
REJECT_IDS = ("reject_once", "reject", "decline", "denied", "deny", "cancel", "abort")
"""Option ids of real agents, the better ones first: codex ends its turn after `cancel`."""
_WRITES = frozenset({"edit", "delete", "move"})
_READS = frozenset({"read", "search", "think"})
_PATH_NAMES = ("file_path", "filePath", "filepath", "path", "abs_path", "notebook_path")


@dataclass(frozen=True)
class Policy:
    """What an agent may do in one call, beyond reading its copy."""

    root: PurePath
    may_write: bool
    allow: frozenset[Permission] = frozenset()


@dataclass(frozen=True)
class Wish:
    """What an agent asks for: ACP's kind of tool, the paths it names, and if it is a program."""

    title: str
    kind: str
    paths: tuple[str, ...] = ()
    is_command: bool = False


@dataclass(frozen=True)
class Decision:
    """`option` is the id to answer with; None is the protocol's "cancelled"."""

    is_allowed: bool
    option: str | None
    why: str = ""


def wish_of(call: Event) -> Wish:
    """What a tool call is about, from whatever fields its agent fills in."""
    raw = call.get("rawInput")
    paths = [text_at(place, "path") for place in items(call.get("locations"))]
    paths += [text_at(part, "path") for part in items(call.get("content"))]
    paths += [text_at(raw, name) for name in _PATH_NAMES]
    return Wish(
        title=text_at(call, "title") or text_at(call, "kind") or "something",
        kind=text_at(call, "kind"),
        paths=tuple(dict.fromkeys(filter(None, paths))),
        is_command=bool(at(raw, "command")),
    )


def decide(wish: Wish, options: Sequence[Event], policy: Policy) -> Decision:
    """Allow or refuse one wish, in the words of the options that the agent offers."""
    why = objection(wish, policy)
    if not why:
        option = _option(options, "allow_once", ALLOW_IDS)
        if option is not None:
            return Decision(is_allowed=True, option=option)
        why = "it cannot be allowed just once"
    return Decision(is_allowed=False, option=_option(options, "reject_once", REJECT_IDS), why=why)


def objection(wish: Wish, policy: Policy) -> str:
    """Why a wish is refused; empty if it is not."""
    outside = next((path for path in wish.paths if inside(policy.root, path) is None), None)
    if outside is not None and Permission.OUTSIDE not in policy.allow:
        return f"{outside} is outside of its copy"
    if wish.is_command or wish.kind == "execute":
        return "" if Permission.SHELL in policy.allow else "it may start no program"
    if wish.kind == "fetch":
        return "" if Permission.NETWORK in policy.allow else "it may not use the network"
    if wish.kind in _WRITES:
        if not policy.may_write:
            return "this role only reads"
        return "" if wish.paths else "it does not say which file"
    return "" if wish.kind in _READS else "it does not say what it would do"


def inside(root: PurePath, path: str) -> str | None:
    """The path below `root`, with `/`, empty for the root itself; None for one that leads outside.

    No disk is looked at.
    """
    if path.startswith("~") or "\0" in path:
        return None
    base = root.as_posix()
    whole = posixpath.normpath(posixpath.join(base, PurePath(path).as_posix()))
    if whole == base:
        return ""
    return whole[len(base) + 1 :] if whole.startswith(f"{base}/") else None


def _option(options: Sequence[Event], kind: str, ids: Sequence[str]) -> str | None:
    """The best option of a kind; of those without any kind, one with a known id."""
    offered = {text_at(option, "optionId"): text_at(option, "kind") for option in options}
    fitting = [one for one, its in offered.items() if its == kind or (not its and one in ids)]
    ranks = {one: number for number, one in enumerate(ids)}
    return min(fitting, key=lambda one: ranks.get(one, 0), default=None)
