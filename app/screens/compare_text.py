"""What the comparison says about its columns."""

import json
from collections.abc import Sequence

from lmdeck.model.comparison import Column
from lmdeck.model.endpoints import find
from lmdeck.model.text import one_line

_SHOWN = 200


def heading(columns: Sequence[Column]) -> str:
    """How many of what: `3 models`, or `qwen/qwen3-coder-30b, 2 ways` for one model."""
    models = {column.model for column in columns}
    if len(models) > 1:
        return f"{len(columns)} answers of {len(models)} models"
    return f"{one_line(columns[0].model, 80)}, {len(columns)} ways"


def about(column: Column) -> str:
    """Everything that is sent but the prompt, a line each."""
    endpoint = find(column.endpoint)
    lines = [column.model, f"{endpoint.name}  {endpoint.path}" if endpoint else column.endpoint]
    lines += [f"{name} {json.dumps(value, ensure_ascii=False)}" for name, value in column.parameters.items()]
    if column.system_prompt:
        lines.append(f"system prompt: {column.system_prompt}")
    return "\n".join(one_line(line, _SHOWN) for line in lines)
