"""Overlays where they work, else copies: the choice, made once for a project and told.

An agent in whose folder we write too, on its request, gets a copy: what happens to a layer behind
the back of the kernel, nobody promises.

The rule a reader must not break: the choice is made by a trial, when the first view is wanted, and
holds for as long as the project is open.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

from orchestra_tui.engine.workspace.listing import ProjectFiles
from orchestra_tui.engine.workspace.overlay import Overlays, OverlayView
from orchestra_tui.engine.workspace.overlay_probe import Found, look_for_overlay
from orchestra_tui.engine.workspace.private_tree import FolderCopy, PrivateCopies
from orchestra_tui.engine.workspace.tree import SafeTree

Probe = Callable[[Path, Mapping[str, str], Path | None], Found | str]


class PrivateViews:
    """Private views of one project; implements the adapters' port."""

    def __init__(
        self,
        tree: SafeTree,
        files: ProjectFiles,
        environ: Mapping[str, str],
        *,
        parent: Path | None = None,
        probe: Probe = look_for_overlay,
    ) -> None:
        """`parent` is where views are made; None takes the system's folder for such things."""
        self._tree = tree
        self._files = files
        self._environ = environ
        self._parent = parent
        self._probe = probe
        self._choosing = asyncio.Lock()
        self._found: Found | str | None = None

    @asynccontextmanager
    async def copied(
        self, first: str | None = None, *, is_shared: bool = False
    ) -> AsyncIterator[OverlayView | FolderCopy]:
        """A fresh view, removed at the end; a copy holds `first` whatever its size limit says."""
        found = await self._choice()
        if isinstance(found, Found) and not is_shared:
            overlays = Overlays(self._tree, self._files, found.program, parent=self._parent)
            async with overlays.opened() as view:
                yield view
        else:
            copies = PrivateCopies(self._tree, self._files, parent=self._parent)
            async with copies.copied(first) as copy:
                yield copy

    async def told(self) -> str:
        """The choice and its reason, in words."""
        return told(await self._choice())

    async def _choice(self) -> Found | str:
        async with self._choosing:
            if self._found is None:
                self._found = await asyncio.to_thread(
                    self._probe, self._tree.root, self._environ, self._parent
                )
            return self._found


def told(found: Found | str) -> str:
    """The choice and its reason, in words."""
    if isinstance(found, Found):
        return f"an overlay (bubblewrap {found.version})"
    return f"a copy: {found}"
