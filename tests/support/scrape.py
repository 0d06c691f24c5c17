"""What a Prometheus would read of an exporter's page, by the official parser."""

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.parser import text_string_to_metric_families

Series = dict[tuple[str, frozenset[tuple[str, str]]], float]


def series(page: str) -> Series:
    """Every sample by name and labels; the same series twice is an error."""
    found: Series = {}
    for family in text_string_to_metric_families(page):
        for sample in family.samples:
            key = sample.name, frozenset(sample.labels.items())
            assert key not in found, f"{key} twice"
            found[key] = sample.value
    return found


class Scrape:
    """One scrape; `scrape("up")`, `scrape("requests_total", model="qwen", outcome="done")` → the value, None without
    one. Names are without `lmstudio_`."""

    def __init__(self, page: str | CollectorRegistry) -> None:
        self.page = page if isinstance(page, str) else generate_latest(page).decode()
        self.series = series(self.page)

    def __call__(self, name: str, /, **labels: str) -> float | None:
        return self.series.get((f"lmstudio_{name}", frozenset(labels.items())))

    def names(self) -> set[str]:
        """The names of all samples."""
        return {name for name, _ in self.series}
