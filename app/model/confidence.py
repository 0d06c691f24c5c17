"""Where a forecast's figure comes from, in the words that are shown."""

FROM_FILE = "from the file"
FROM_TABLE = "from a table"
LMSTUDIOS = "LM Studio's figure"
ROUGH = "rough"
UNKNOWN = "unknown"
