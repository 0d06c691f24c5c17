"""llama.cpp's own words about its slots: which task ran where, and how long it took.

```
slot launch_slot_: id  3 | task 17 | processing task
slot print_timing: id  3 | task 17 | prompt eval time =  57.61 ms /  13 tokens (…, 225.64 tokens per second)
slot print_timing: id  3 | task 17 |        eval time =  34.94 ms /   3 tokens (…, 57.24 tokens per second)
slot      release: id  3 | task 17 | stop processing: n_tokens = 15, truncated = 0
```
Builds before 2026 print the times on lines of their own, without slot and task, after `… | task 17 |`.
"""

from __future__ import annotations

import re
from collections import OrderedDict
from dataclasses import dataclass, field

from lmdeck.model.log import PredictionStats, RuntimeLine

KEPT_LINES = 50
"""Runtime lines of one exchange that are kept: the last ones."""

_HEAD = 1_000
_MOST_TASKS = 64
_SLOT = re.compile(r"\bslot +(?P<act>\w+): id +(?P<slot>\d{1,6}) \| task +(?P<task>-?\d{1,9}) \|")
_TIME = re.compile(
    r"(?P<what>prompt eval|(?<![a-z] )eval) time = +(?P<ms>\d{1,12}(?:\.\d{1,6})?) ms / +(?P<n>\d{1,9}) (?:tokens|runs)"
)
_SLACK_S = 2.0


@dataclass(slots=True)
class Task:
    """One task of one slot. Times are seconds, `launched_at` and `at` (its last line) Unix time."""

    slot: int
    number: int
    at: float
    launched_at: float | None = None
    prompt_s: float | None = None
    prompt_tokens: int | None = None
    predicted_tokens: int | None = None
    lines: list[RuntimeLine] = field(default_factory=list)

    def answers(self, stats: PredictionStats, at: float) -> bool:
        """Whether an answer's statistics are this task's: as many tokens, the same time to the first one, the same
        moment. A prompt in the cache is evaluated in part."""
        if self.predicted_tokens is None or stats.predicted_tokens is None or abs(self.at - at) > _SLACK_S:
            return False
        if abs(self.predicted_tokens - stats.predicted_tokens) > 1:
            return False
        if self.prompt_tokens and stats.prompt_tokens is not None and self.prompt_tokens > stats.prompt_tokens + 1:
            return False
        if self.prompt_s is None or stats.ttft_s is None:
            return self.prompt_tokens is not None and self.prompt_tokens == stats.prompt_tokens
        return abs(self.prompt_s - stats.ttft_s) <= max(0.02, 0.1 * stats.ttft_s)


class Tasks:
    """The last tasks of one instance that no answer has claimed yet. `parallel` is how many were seen to run at once:
    so many never wait for each other."""

    def __init__(self) -> None:
        self._tasks: OrderedDict[int, Task] = OrderedDict()
        self._speaks: Task | None = None
        self._busy: set[int] = set()
        self.parallel = 1

    def feed(self, line: RuntimeLine) -> Task | None:
        """The task that a line is about, if it names one or goes on with its times."""
        text = line.text[:_HEAD]
        if (found := _SLOT.search(text)) is not None:
            self._speaks = task = self._task(found["act"], int(found["slot"]), int(found["task"]), line.at)
        elif " time =" in text:
            task = self._speaks
        else:
            self._speaks = task = None
        if task is None:
            return None
        task.at = line.at
        task.lines.append(line)
        del task.lines[:-KEPT_LINES]
        if found is not None:
            self._occupy(found["act"], task, line.at)
        for time in _TIME.finditer(text):
            if time["what"] == "eval":
                task.predicted_tokens = int(time["n"])
                self._busy.discard(task.slot)
            else:
                task.prompt_s, task.prompt_tokens = float(time["ms"]) / 1000, int(time["n"])
        return task

    def claim(self, stats: PredictionStats, at: float) -> Task | None:
        """Take the one task that an answer at `at` is of; None where none or several could be."""
        found = [task for task in self._tasks.values() if task.answers(stats, at)]
        if len(found) != 1:
            return None
        return self._tasks.pop(found[0].number)

    def _occupy(self, act: str, task: Task, at: float) -> None:
        if act.startswith("launch"):
            task.launched_at = at
            self._busy.add(task.slot)
            self.parallel = max(self.parallel, len(self._busy))
        elif act == "release":
            self._busy.discard(task.slot)

    def _task(self, act: str, slot: int, number: int, at: float) -> Task | None:
        if number < 0:
            if act == "load_model":  # loaded anew, maybe with other settings
                self._busy.clear()
                self.parallel = 1
            return None
        task = self._tasks.get(number)
        if task is None or task.slot != slot:
            task = self._tasks[number] = Task(slot, number, at)
            if len(self._tasks) > _MOST_TASKS:
                self._tasks.popitem(last=False)
        return task
