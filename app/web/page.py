"""The page around the terminal. All that it names comes from this server, nothing from elsewhere."""

from typing import Final

# The script of textual-serve marks the body with -first-byte and -closed, and runs in `.textual-terminal`. The words in
# its font make browsers load that before the terminal measures it.
PAGE: Final = """<!DOCTYPE html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <title>lmdeck</title>
    <link rel="icon" href="data:,">
    <link rel="stylesheet" href="/static/css/xterm.css">
    <script src="/static/js/textual.js"></script>
    <script src="/keys.js"></script>
    <style>
      @font-face {
        font-family: "Roboto Mono";
        font-weight: 100 700;
        font-display: block;
        src: url("/static/fonts/RobotoMono-VariableFont_wght.ttf");
      }
      @font-face {
        font-family: "Roboto Mono";
        font-style: italic;
        font-weight: 100 700;
        font-display: block;
        src: url("/static/fonts/RobotoMono-Italic-VariableFont_wght.ttf");
      }
      body { background: #101418; color: #d8dee4; font: 16px "Roboto Mono", monospace; overflow: hidden; }
      .words { position: absolute; inset: 0; z-index: 10; padding: 2em; background: #101418; }
      a { color: inherit; }
      body.-first-byte .start, .end, body.-closed .start { display: none; }
      body.-closed .end { display: block; }
    </style>
  </head>
  <body>
    <div class="words start">lmdeck <i>starts</i> …</div>
    <div class="words end">The deck has ended. <a href="/">Start another</a></div>
    <div class="textual-terminal" data-session-websocket-url="{socket}" data-font-size="15"></div>
  </body>
</html>
"""

# The script of textual-serve makes the terminal on load, and waits for a click before it takes keys.
KEYS: Final = """addEventListener("load", () => document.querySelector(".xterm-helper-textarea").focus());
"""


def page(host: str) -> str:
    """The page for a browser that calls the server by this name (and port), which must be one that was checked."""
    return PAGE.replace("{socket}", f"ws://{host}/ws")
