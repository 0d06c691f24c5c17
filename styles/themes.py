"""lmdeck's own themes; every colour on the screen comes from here or from another Textual theme."""

from textual.theme import Theme

DARK = Theme(
    name="lmdeck-dark",
    dark=True,
    primary="#7aa2f7",
    secondary="#bb9af7",
    accent="#e0af68",
    success="#9ece6a",
    warning="#e0af68",
    error="#f7768e",
    foreground="#c8d3f5",
    background="#12141c",
    surface="#161922",
    panel="#232838",
    boost="#1f2433",
)
LIGHT = Theme(
    name="lmdeck-light",
    dark=False,
    primary="#2e5cb8",
    secondary="#7847bd",
    accent="#8f5e15",
    success="#33691e",
    warning="#8f5e15",
    error="#b3193f",
    foreground="#22252f",
    background="#f7f7f4",
    surface="#f0f0ec",
    panel="#dcdcd6",
    boost="#e6e6e0",
)
THEMES = (DARK, LIGHT)
