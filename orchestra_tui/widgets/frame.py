"""The line at the top of every screen: where we are, the tabs, and whether this is a rehearsal."""

import os

from textual import events, on
from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.content import Content
from textual.message import Message
from textual.reactive import reactive

from orchestra_tui.domain.calls import ProviderKind
from orchestra_tui.domain.ports import ProjectInfo
from orchestra_tui.domain.state import SessionState
from orchestra_tui.domain.text import clean_line
from orchestra_tui.widgets.plain_static import PlainStatic
from orchestra_tui.widgets.signs import signs_of
from orchestra_tui.widgets.tabs import HEADER_TABS, Tab, badges

REHEARSAL_LABEL = "REHEARSAL - no AI"
_SPACE_FOR_PLACE = 112
_SPACE_FOR_BRAND = 84
_MAX_ROOT = 28


class ScreenTab(PlainStatic):
    """One tab of the header; a badge marks that something waits there."""

    DEFAULT_CSS = """
    ScreenTab {
        width: auto;
        padding: 0 1;
        color: $text-muted;
        &:hover { color: $text; text-style: underline; }
        &.-current { color: $text; background: $surface; text-style: bold; }
        &.-waiting { color: $text-warning; }
    }
    """

    class Chosen(Message):
        """The user clicked the tab."""

        def __init__(self, name: str) -> None:
            super().__init__()
            self.name = name

    has_badge: reactive[bool] = reactive(False, init=False, layout=True)
    """Something waits for the user on this screen."""

    def __init__(self, tab: Tab, *, is_current: bool) -> None:
        super().__init__(Content(tab.title), classes="-current" if is_current else "")
        self._tab = tab
        self.tooltip = f"{tab.key.upper()}: {tab.purpose}"

    def watch_has_badge(self, has_badge: bool) -> None:
        """Sign and colour."""
        mark = f"{signs_of(self.app).needs_user}" if has_badge else ""
        self.update(Content(f"{mark}{self._tab.title}"))
        self.set_class(has_badge, "-waiting")

    def on_click(self) -> None:
        """Ask for the screen."""
        self.post_message(self.Chosen(self._tab.name))


class FrameHeader(Horizontal):
    """The top line. `show_session` and `show_project` bring it up to date."""

    DEFAULT_CSS = """
    FrameHeader {
        dock: top;
        height: 1;
        background: $panel;
        #brand { width: auto; padding: 0 1; color: $accent; text-style: bold; }
        #place { width: auto; max-width: 44; padding: 0 1 0 0; color: $text-muted; }
        #rehearsal { dock: right; width: auto; padding: 0 1; display: none; }
        #rehearsal.-on {
            display: block;
            color: $text-warning;
            background: $warning-muted;
            text-style: bold;
        }
    }
    """

    class TabChosen(Message):
        """The user clicked a tab."""

        def __init__(self, name: str) -> None:
            super().__init__()
            self.name = name

    def __init__(self, current: str) -> None:
        super().__init__()
        self._current = current
        self._session: SessionState | None = None
        self._project: ProjectInfo | None = None
        self._badges: frozenset[str] = frozenset()
        self._frame: tuple[object, ...] = ()

    def compose(self) -> ComposeResult:
        """Brand, place, tabs, label."""
        yield PlainStatic(Content("Orchestra"), id="brand")
        yield PlainStatic(id="place")
        for tab in HEADER_TABS:
            yield ScreenTab(tab, is_current=tab.name == self._current)
        yield PlainStatic(Content(REHEARSAL_LABEL), id="rehearsal")

    def show_session(self, session: SessionState | None) -> None:
        """Take the session as it is now; cheap when nothing here depends on the change."""
        self._session = session
        waiting = badges(session)
        if waiting != self._badges:
            self._badges = waiting
            for tab, widget in zip(HEADER_TABS, self.query(ScreenTab), strict=True):
                widget.has_badge = tab.name in waiting
        self._show_place()

    def show_project(self, project: ProjectInfo | None) -> None:
        """Take what is open here."""
        self._project = project
        self._show_place()

    def on_resize(self, event: events.Resize) -> None:
        """Root and branch leave first when the line gets narrow, then the name."""
        self.query_one("#place").display = event.size.width >= _SPACE_FOR_PLACE
        # The tabs and the label of a rehearsal must both be seen.
        self.query_one("#brand").display = event.size.width >= _SPACE_FOR_BRAND

    @on(ScreenTab.Chosen)
    def _choose(self, event: ScreenTab.Chosen) -> None:
        """Pass the click on in the header's own words."""
        event.stop()
        self.post_message(self.TabChosen(event.name))

    def _show_place(self) -> None:
        root, branch, is_dirty = self._place()
        is_rehearsal = is_rehearsed(self._session, self._project)
        frame = (root, branch, is_dirty, is_rehearsal)
        if frame == self._frame:
            return
        self._frame = frame
        branch_text = f"  {branch}{'*' if is_dirty else ''}" if branch else ""
        self.query_one("#place", PlainStatic).update(clean_line(f"{root}{branch_text}"))
        self.query_one("#rehearsal").set_class(is_rehearsal, "-on")

    def _place(self) -> tuple[str, str, bool]:
        project, session = self._project, self._session
        if project is not None:
            return short_path(project.root), project.branch or "", project.is_dirty
        return (short_path(session.root), "", False) if session else ("", "", False)


def is_rehearsed(session: SessionState | None, project: ProjectInfo | None) -> bool:
    """True if no AI stands behind what is shown."""
    if session is not None and session.runs:
        return session.provider is ProviderKind.REHEARSAL
    return project is not None and project.provider is ProviderKind.REHEARSAL


def short_path(path: str, limit: int = _MAX_ROOT) -> str:
    """`path` with `~` for the home folder, its beginning left out when it is too long."""
    home = os.path.expanduser("~")
    if path == home or path.startswith(home + "/"):
        path = "~" + path[len(home) :]
    return path if len(path) <= limit else "…" + path[-(limit - 1) :]
