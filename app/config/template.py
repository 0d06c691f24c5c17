"""The file that `lmdeck config init` writes: every setting, commented out, with what it means."""

from typing import Final

from lmdeck.config.schema import SETTINGS

_HEAD: Final = """\
# lmdeck's settings. Take the # away from what you want to change.
# Flags beat the environment (LMDECK_URL, LM_API_TOKEN, LMDECK_LMS), the environment beats this file.
# `lmdeck config check` finds what is wrong here, `lmdeck config show` tells what holds and why.
"""
_TABLES: Final = """\
# Servers: `lmdeck --profile gpubox`. Settings of the server may stand here, from url to gpu_url; what is not said
# holds as above, but never the token.
# [servers.gpubox]
# url = "https://gpubox.example/lmstudio"
# token_env = "GPUBOX_TOKEN"

# Profiles: any of the settings above under a name, for the same server or another one.
# [profiles.watch]
# read_only = true
# theme = "lmdeck-light"

# Keys by binding, one or a list; `lmdeck config keys` lists the bindings.
# [keys]
# "loaded.unload" = "x"
# "app.help" = ["question_mark", "f1"]

# Presets for the chat: parameters as in /param, and the system prompt.
# [presets.precise]
# temperature = 0
# system_prompt = "Answer in one sentence."

# MCP servers that a chat may use. A header names the environment variable that holds its value.
# [mcp.docs]
# url = "http://127.0.0.1:3000/mcp"
# headers = { Authorization = "DOCS_HEADER" }
# allowed_tools = ["search"]
"""


def template() -> str:
    """The text of the file."""
    settings = (f"# {key.help}\n# {name} = {key.example}\n" for name, key in SETTINGS.items())
    return "\n".join((_HEAD, *settings, _TABLES))
