"""Three themes, dark, light and high contrast, and the variables that every theme must have."""

from textual.theme import Theme

DEFAULT_THEME = "orchestra-dark"
VARIABLES = {
    "role-architect": "#b39df3",
    "role-executor": "#6cb6ff",
    "role-auditor": "#5fd0c5",
    "role-consultant": "#f0a970",
    "muted": "#8b93a5",
}
"""One colour per agent role and the muted one of spans (`$text-muted` is relative to a background
and has none inside a line); the fallback for themes that do not define them."""

DARK = Theme(
    name="orchestra-dark",
    primary="#7aa2f7",
    secondary="#8a93a8",
    accent="#d8a657",
    foreground="#d4d8e1",
    background="#14171d",
    surface="#1a1e26",
    panel="#212631",
    success="#8fc07a",
    warning="#e0af68",
    error="#ec7279",
    dark=True,
    variables=VARIABLES
    | {
        "footer-key-foreground": "#d8a657",
        "border-blurred": "#2f3644",
        "scrollbar": "#3a4354",
        "scrollbar-hover": "#4d586e",
        "scrollbar-active": "#5f6c86",
        "scrollbar-background": "#1a1e26",
        "scrollbar-background-hover": "#1a1e26",
        "scrollbar-background-active": "#1a1e26",
        "block-cursor-background": "#2a3550",
        "block-cursor-foreground": "#e6e9f0",
        "block-cursor-text-style": "none",
        "block-cursor-blurred-background": "#1f2636",
    },
)
LIGHT = Theme(
    name="orchestra-light",
    primary="#2f5fb3",
    secondary="#66708a",
    accent="#9a5b00",
    foreground="#23272f",
    background="#fbfaf7",
    surface="#f3f1ec",
    panel="#e8e5de",
    success="#2f7d32",
    warning="#9a6700",
    error="#b3261e",
    dark=False,
    variables={
        "role-architect": "#6d3fc0",
        "role-executor": "#1d5fb8",
        "role-auditor": "#0c766c",
        "role-consultant": "#a8500b",
        "muted": "#6b7280",
        "footer-key-foreground": "#9a5b00",
        "border-blurred": "#cfcabf",
        "scrollbar": "#b9b4a8",
        "scrollbar-hover": "#9d978a",
        "scrollbar-active": "#857f72",
        "scrollbar-background": "#f3f1ec",
        "scrollbar-background-hover": "#f3f1ec",
        "scrollbar-background-active": "#f3f1ec",
        "block-cursor-background": "#d5e0f2",
        "block-cursor-foreground": "#1d2129",
        "block-cursor-text-style": "none",
        "block-cursor-blurred-background": "#e6e9ee",
    },
)
HIGH_CONTRAST = Theme(
    name="orchestra-high-contrast",
    primary="#ffffff",
    secondary="#ffffff",
    accent="#ffff00",
    foreground="#ffffff",
    background="#000000",
    surface="#000000",
    panel="#1c1c1c",
    success="#00ff5f",
    warning="#ffd700",
    error="#ff6b6b",
    dark=True,
    text_alpha=1.0,
    variables={
        "role-architect": "#d7afff",
        "role-executor": "#87d7ff",
        "role-auditor": "#5fffd7",
        "role-consultant": "#ffaf5f",
        "muted": "#d0d0d0",
        "footer-key-foreground": "#ffff00",
        "border-blurred": "#8a8a8a",
        "scrollbar": "#ffffff",
        "scrollbar-background": "#1c1c1c",
        "block-cursor-background": "#00409f",
        "block-cursor-foreground": "#ffffff",
        "block-cursor-blurred-background": "#303030",
    },
)
THEMES = (DARK, LIGHT, HIGH_CONTRAST)
