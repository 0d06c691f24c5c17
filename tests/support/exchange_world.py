"""A server whose log is known: requests, slots, queues and clocks, and which line belongs to which."""

import json
import random
from dataclasses import dataclass, field, replace

from lmdeck.model.log import LogEntry, PredictionInput, PredictionOutput, PredictionStats, RuntimeLine, ServerLine

COMMON_PROMPTS = ("Hello", "yes", "say yes", "go on")
STAMP = "[2026-04-17 18:32:17]"


def chatml(*turns: tuple[str, str]) -> str:
    return "".join(f"<|im_start|>{role}\n{text}<|im_end|>\n" for role, text in turns) + "<|im_start|>assistant\n"


def request_line(at: float, body: dict[str, object], path: str = "/v1/chat/completions") -> ServerLine:
    shown = json.dumps(body, indent=2, ensure_ascii=False)
    return ServerLine(at, f"{STAMP}[DEBUG] Received request: POST to {path} with body {shown}", "debug")


def generated_line(at: float, instance: str, text: str, prompt: int, predicted: int, number: int = 0) -> ServerLine:
    answer = {
        "id": f"chatcmpl-{number}",
        "object": "chat.completion",
        "model": instance,
        "choices": [{"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": prompt, "completion_tokens": predicted, "total_tokens": prompt + predicted},
    }
    return ServerLine(at, f"{STAMP}[INFO][{instance}] Generated prediction: {json.dumps(answer, indent=2)}")


def times(what: str, ms: float, tokens: int) -> str:
    return f"{what} time = {ms:9.2f} ms / {tokens:5} tokens ({ms / tokens:.2f} ms per token, 41.30 tokens per second)"


def stats(ttft: float, speed: float, prompt: int, predicted: int, reason: str = "eosFound") -> PredictionStats:
    total = ttft + (predicted - 1) / speed
    return PredictionStats(reason, speed, ttft, total, prompt, predicted)


@dataclass(eq=False)
class Job:
    """One request of the world; `at` is when it came."""

    number: int
    at: float
    instance: str
    prompt: str
    answer: str
    ttft: float
    speed: float
    tokens: int
    streams: bool = True
    temperature: float = 0.0
    asked: bool = True
    start: float = 0.0
    end: float = 0.0
    slot: int = 0
    request: ServerLine | None = None
    input: PredictionInput | None = None
    output: PredictionOutput | None = None
    sent: ServerLine | None = None
    runtime: list[RuntimeLine] = field(default_factory=list)


class World:
    """Runs jobs through the slots of their instances and writes the logs, of whose bodies a share of `cuts` breaks off;
    `seed` decides everything."""

    def __init__(
        self, seed: int, *, slots: int = 3, with_stats: bool = True, with_slots: bool = True, cuts: float = 0.0
    ) -> None:
        self.random = random.Random(seed)
        self.slots, self.with_stats, self.with_slots, self.cuts = slots, with_stats, with_slots, cuts
        self.jobs: list[Job] = []

    def populate(
        self,
        count: int,
        *,
        pause: float,
        instances: int = 2,
        few_words: float = 0.3,
        server: bool = True,
        together: float = 0.3,
    ) -> None:
        """Add jobs; a share of `few_words` of them have words that others have too, and the same answers, and one of
        `together` comes in the same moment as the one before."""
        dice, at = self.random, 1000.0
        for number in range(count):
            at = round(at + (0.0 if dice.random() < together else dice.expovariate(1 / pause)), 3)
            is_common = dice.random() < few_words
            own = f"Question {number}: why?" * dice.randint(1, 60)
            job = Job(
                number,
                at,
                f"model-{dice.randint(1, instances)}",
                prompt=dice.choice(COMMON_PROMPTS) if is_common else own,
                answer=dice.choice(["Ok", "No."]) if is_common else f"Because of {number}.",
                ttft=dice.uniform(0.02, 2.0),
                speed=dice.uniform(20, 120),
                tokens=dice.randint(1, 400),
                streams=dice.random() < 0.5,
                temperature=dice.choice([0.0, 0.7]),
                asked=server and dice.random() < 0.85,
            )
            self.jobs.append(job)
        self._run()

    def _run(self) -> None:
        for name in {job.instance for job in self.jobs}:
            free = [0.0] * self.slots
            for job in (job for job in self.jobs if job.instance == name):
                job.slot = min(range(self.slots), key=free.__getitem__)
                job.start = max(job.at, free[job.slot]) + self.random.uniform(0, 0.02)
                job.end = free[job.slot] = (
                    job.start + job.ttft + (job.tokens - 1) / job.speed + self.random.uniform(0, 0.05)
                )

    def entries(self) -> list[LogEntry]:
        """The merged log: every source in its own order, the sources up to some hundredths of a second apart."""
        sources: dict[str, list[LogEntry]] = {"model": [], "server": [], "runtime": []}
        for job in self.jobs:
            self._write(job)
            for line in (job.request, job.sent):
                if line is not None:
                    sources["server"].append(line)
            assert job.input is not None
            assert job.output is not None
            sources["model"] += [job.input, job.output]
            sources["runtime"] += job.runtime
        merged: list[tuple[float, int, LogEntry]] = []
        for lag, lines in zip((0.0, self.random.uniform(-0.03, 0.03), 0.01), sources.values(), strict=True):
            lines.sort(key=lambda line: line.at)
            merged += [(line.at + lag, len(merged) + number, line) for number, line in enumerate(lines)]
        merged.sort(key=lambda each: each[:2])
        return [line for _, _, line in merged]

    def _write(self, job: Job) -> None:
        dice = self.random
        formatted = chatml(("system", "Be brief."), ("user", job.prompt))
        tokens = len(formatted) // 4
        if job.asked:
            body = {
                "model": job.instance,
                "messages": [{"role": "system", "content": "Be brief."}, {"role": "user", "content": job.prompt}],
                "temperature": job.temperature,
                "stream": job.streams,
            }
            job.request = request_line(job.at, body)
            if dice.random() < self.cuts:
                text = job.request.text
                job.request = replace(job.request, text=text[: dice.randint(110, len(text))] + "… <more characters>")
        job.input = PredictionInput(round(job.at + dice.choice([0.0, 0.001, 0.004]), 3), job.instance, formatted)
        known = stats(job.ttft, job.speed, tokens, job.tokens) if self.with_stats else None
        job.output = PredictionOutput(round(job.end, 3), job.instance, job.answer, known)
        if job.asked and not job.streams:
            job.sent = generated_line(
                round(job.end + 0.004, 3), job.instance, job.answer, tokens, job.tokens, job.number
            )
        if self.with_slots:
            head = f"id {job.slot:2} | task {job.number} |"
            generation = (job.tokens - 1) / job.speed * 1000
            lines = [
                (job.start, f"slot launch_slot_: {head} processing task"),
                (job.end - 0.002, f"slot print_timing: {head} {times('prompt eval', job.ttft * 1000, tokens)}"),
                (job.end - 0.002, f"slot print_timing: {head}        {times('eval', generation, job.tokens)}"),
                (job.end - 0.001, f"slot      release: {head} stop processing: n_tokens = 9"),
            ]
            job.runtime = [RuntimeLine(at, text, instance_id=job.instance) for at, text in lines]
