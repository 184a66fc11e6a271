"""The keys that work on every screen. Keys of one screen or widget stand in its own BINDINGS.

The rule a reader must not break: every binding has an `id` (the user's keymap names it) and a
`tooltip` (help and palette explain it); `system` marks the frame's own keys.
"""

from textual.binding import Binding

from orchestra_tui.widgets.tabs import TABS

SCREENS = Binding.Group("screens", compact=True)
"""The tabs share one hint."""

FRAME_BINDINGS: list[Binding] = [
    Binding(
        "ctrl+p",
        "command_palette",
        "palette",
        tooltip="everything by name",
        id="app.palette",
        priority=True,
        system=True,
    ),
    Binding("f1", "explain", "help", tooltip="explain this screen", id="app.help", system=True),
    Binding(
        "question_mark",
        "explain",
        "help",
        show=False,
        tooltip="explain this screen",
        id="app.help.letter",
        system=True,
    ),
    *(
        Binding(
            tab.key,
            f"go('{tab.name}')",
            tab.title,
            group=SCREENS,
            # Text fields have their own f6 and f7.
            priority=True,
            tooltip=tab.purpose,
            id=f"app.go.{tab.name}",
            system=True,
        )
        for tab in TABS
    ),
    Binding(
        "escape",
        "back",
        "back",
        show=False,
        tooltip="back to the screen before",
        id="app.back",
        system=True,
    ),
    Binding(
        "ctrl+q",
        "leave",
        "quit",
        tooltip="leave; what runs can be resumed",
        id="app.quit",
        priority=True,
        system=True,
    ),
]
