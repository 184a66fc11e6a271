"""What an agent is shown beside its job, within a budget of bytes, and the account of it.

The rule a reader must not break: every file, listing or output that was sent, cut or left out for
its size is one `ContextItem`, and nothing is read that the view's listing does not name.

Files stand in blocks (`domain.prompt_blocks`): `=== FILE path` holds the whole file, byte for
byte, also its missing final newline; a file that had to be cut stands in `=== EXCERPT path`, so
that nobody takes a part for the whole. The file under work is always whole, whatever its size.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from orchestra_tui.domain.calls import ContextItem
from orchestra_tui.domain.prompt_blocks import block
from orchestra_tui.engine.agents.view import ProjectView

MIN_EXCERPT = 1_000


@dataclass(frozen=True)
class ContextLimits:
    """Bytes that may be sent: in all, of one file, of the listing, of an output."""

    total: int = 200_000
    file: int = 60_000
    listing: int = 30_000
    output: int = 16_000


class Context:
    """The growing context of one prompt. Add what matters most first: the budget is shared."""

    def __init__(self, view: ProjectView, listing: Sequence[str], limits: ContextLimits) -> None:
        """Use `open`, which fetches the listing."""
        self.listing = tuple(path for path in listing if path.isprintable())
        self.items: list[ContextItem] = []
        self._known = frozenset(self.listing)
        self._view = view
        self._limits = limits
        self._left = limits.total
        self._shown: set[str] = set()
        self._texts: dict[str, str | None] = {}
        self._sections: list[str] = []
        self._missing: list[str] = []

    @classmethod
    async def open(cls, view: ProjectView, limits: ContextLimits) -> "Context":
        """A context of what the project holds now.

        Names with control or invisible characters are left out: they could imitate markers.
        """
        return cls(view, await view.listing(), limits)

    def text(self) -> str:
        """Everything added, in order, then what was left out, for the prompt."""
        left_out = [item for item in self.items if not item.is_whole]
        notes = [f"- {item.what}: {item.sent} of {item.size} bytes\n" for item in left_out]
        notes += [f"- {path}: not there, not text, or not to be shown\n" for path in self._missing]
        tail = block("OMITTED", "", "".join(notes)) if notes else ""
        return "\n".join([*self._sections, *(["Not shown, or not in full:\n" + tail] * bool(tail))])

    async def read(self, path: str) -> str | None:
        """The text of a listed file, read once; None for any other."""
        if path not in self._known:
            return None
        if path not in self._texts:
            self._texts[path] = await self._view.read(path)
        return self._texts[path]

    async def add_listing(self) -> None:
        """The paths of all files, folders with many files as one line when there are too many."""
        limit = min(self._limits.listing, self._left)
        whole, shown = await asyncio.to_thread(_listing, self.listing, limit)
        self._account("tree listing", "all files that git does not ignore", whole, shown)
        cut = (
            "" if shown == whole else ", not all of them; a line such as src/ (9 files) is a folder"
        )
        self._sections.append(f"The files of the project{cut}:\n{block('LISTING', '', shown)}")

    def add_whole(self, path: str, text: str, why: str) -> None:
        """The file under work, never cut; `text` is what the job says it is."""
        self._shown.add(path)
        self._account(path, why, text, text)
        self._sections.append(f"{_heading(why)}\n{block('FILE', path, text)}")

    async def add_file(self, path: str, why: str) -> None:
        """A file as it is on disk now, whole if it fits, else its beginning, else left out."""
        if path in self._shown:
            return
        self._shown.add(path)
        text = await self.read(path)
        if text is None:
            self._missing.append(path)
            return
        self._add("FILE", path, text, why)

    async def add_outline(self, path: str, outline: Callable[[str], str], why: str) -> None:
        """What `outline` makes of a file: its definitions, not its body."""
        text = await self.read(path)
        if text is None:
            self._missing.append(path)
            return
        brief = self._fitting(outline(text))
        why = f"{why} (its outline)"
        self._account(path, why, text, brief)
        if brief:
            self._sections.append(f"{_heading(why)}\n{block('OUTLINE', path, brief)}")

    def add_text(self, kind: str, name: str, text: str, why: str) -> None:
        """A text of the job, such as a diff, under a label of its own."""
        self._add(kind, name, text, why, what=f"{kind.lower()} of {name}")

    def add_end(self, kind: str, name: str, text: str, why: str) -> None:
        """An output, of which the end matters most."""
        limit = min(self._limits.output, self._left)
        shown = _tail(text, limit)
        self._account(name, why, text, shown)
        if shown:
            cut = "" if shown == text else " (only the end of it)"
            self._sections.append(f"{_heading(why)[:-1]}{cut}:\n{block(kind, '', shown)}")

    def _add(self, kind: str, name: str, text: str, why: str, *, what: str | None = None) -> None:
        shown = self._fitting(text)
        self._account(what or name, why, text, shown)
        if shown == text:
            self._sections.append(f"{_heading(why)}\n{block(kind, name, text)}")
        elif shown:
            part = f"{shown.count(chr(10))} of {text.count(chr(10)) + 1} lines"
            kind = "EXCERPT" if kind == "FILE" else kind
            heading = f"{_heading(why)[:-1]} (the first {part}):"
            self._sections.append(f"{heading}\n{block(kind, name, shown)}")

    def _fitting(self, text: str) -> str:
        """All of it, or its first lines, or nothing when only a scrap would fit."""
        limit = min(self._limits.file, self._left)
        if _size(text) <= limit:
            return text
        head = _head(text, limit) if limit >= MIN_EXCERPT else ""
        return head if _size(head) >= MIN_EXCERPT else ""

    def _account(self, what: str, why: str, whole: str, shown: str) -> None:
        sent = _size(shown)
        self._left = max(0, self._left - sent)
        self.items.append(ContextItem(what=what, why=why, size=_size(whole), sent=sent))


def _heading(why: str) -> str:
    return f"{why[:1].upper()}{why[1:]}:"


def _size(text: str) -> int:
    return len(text.encode(errors="surrogatepass"))


def _head(text: str, limit: int) -> str:
    """The first whole lines that fit into `limit` bytes."""
    cut = text.encode(errors="surrogatepass")[:limit].rpartition(b"\n")
    return (cut[0] + cut[1]).decode(errors="surrogatepass")


def _tail(text: str, limit: int) -> str:
    """The last whole lines that fit into `limit` bytes; the end of the line if one is longer."""
    data = text.encode(errors="surrogatepass")
    if len(data) <= limit:
        return text
    end = data[len(data) - limit :]
    whole = end.partition(b"\n")[2] or end
    return whole.decode(errors="ignore")


def _listing(paths: Sequence[str], limit: int) -> tuple[str, str]:
    """The whole listing, and as much of it as fits: deep folders become one line first."""
    whole = "".join(f"{path}\n" for path in paths)
    if _size(whole) <= limit:
        return whole, whole
    deepest = max(path.count("/") for path in paths)
    shown = whole
    for depth in range(deepest, 0, -1):
        shown = _folded(paths, depth)
        if _size(shown) <= limit:
            return whole, shown
    return whole, _head(shown, limit)


def _folded(paths: Sequence[str], depth: int) -> str:
    """The listing with everything below `depth` folders counted instead of named."""
    counts: dict[str, int] = {}
    for path in paths:
        parts = path.split("/")
        name = path if len(parts) <= depth else "/".join(parts[:depth]) + "/"
        counts[name] = counts.get(name, 0) + 1
    return "".join(
        f"{name} ({count} files)\n" if name.endswith("/") else f"{name}\n"
        for name, count in counts.items()
    )
