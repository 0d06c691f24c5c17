"""The dashboard and the alert rules ask for metrics that there are."""

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from everything import COMPARISONS, EVERYTHING
from prometheus_client import generate_latest
from scrape import Scrape

from lmdeck.exporter.serving import MetricsServer
from lmdeck.model.exchange import ExchangeRecord
from lmdeck.state.deck import DeckState

DOCS = Path(__file__).parents[2] / "docs"
ALERTS, DASHBOARD = DOCS / "prometheus" / "alerts.yml", DOCS / "grafana" / "lmdeck.json"
promtool = pytest.mark.skipif(
    shutil.which("promtool") is None,
    reason="promtool comes with Prometheus, not from PyPI; the metrics they name are checked without it",
)


@pytest.fixture
async def page() -> str:
    """A scrape in which every metric has a value."""
    server = MetricsServer()
    server.show(lambda: EVERYTHING, lambda: {one.memory: one for one in COMPARISONS})
    server.counts.heed(DeckState(), EVERYTHING)
    await server.counts.add_exchanges([(ExchangeRecord(1.0, "", "qwen3:2", draft_tokens=2), None)])
    return generate_latest(server.registry).decode()


def asked(text: str) -> set[str]:
    return set(re.findall(r"\blmstudio_\w+", text))


def queries() -> list[str]:
    panels = json.loads(DASHBOARD.read_text("utf-8"))["panels"]
    return [target["expr"] for panel in panels for target in panel.get("targets", ())]


def test_every_metric_that_is_asked_for_exists(page: str) -> None:
    there = Scrape(page).names()
    assert len(asked(ALERTS.read_text("utf-8"))) >= 12
    assert asked(ALERTS.read_text("utf-8")) - there == set()
    assert len(queries()) >= 25
    assert asked(" ".join(queries())) - there == set()


def test_the_dashboard_is_laid_out_and_asks_the_chosen_source() -> None:
    board = json.loads(DASHBOARD.read_text("utf-8"))
    taken: set[tuple[int, int]] = set()
    for panel in board["panels"]:
        at = panel["gridPos"]
        cells = {(x, y) for x in range(at["x"], at["x"] + at["w"]) for y in range(at["y"], at["y"] + at["h"])}
        assert not cells & taken, panel["title"]
        assert max(x for x, _ in cells) < 24
        taken |= cells
    assert len({panel["id"] for panel in board["panels"]}) == len(board["panels"])
    sources = {panel["datasource"]["uid"] for panel in board["panels"] if "datasource" in panel}
    assert sources == {"${datasource}"}
    known = {variable["name"] for variable in board["templating"]["list"]}
    assert set(re.findall(r"\$(\w+)", " ".join(queries()))) - known == {"__rate_interval"}


@promtool
def test_the_metrics_are_as_prometheus_wants_them(page: str) -> None:
    done = subprocess.run(["promtool", "check", "metrics"], input=page, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stderr) == (0, "")


@promtool
def test_the_dashboard_asks_in_promql(tmp_path: Path) -> None:
    asked_for = [re.sub(r"\$\w+", "1m", query) for query in queries()]
    rules = [{"record": f"one:{at}", "expr": query} for at, query in enumerate(asked_for)]
    file = tmp_path / "rules.yml"
    file.write_text(json.dumps({"groups": [{"name": "dashboard", "rules": rules}]}))
    done = subprocess.run(["promtool", "check", "rules", str(file)], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr


@promtool
def test_the_alerts_fire_when_they_should() -> None:
    tests = Path(__file__).with_name("alerts_test.yml")
    done = subprocess.run(["promtool", "test", "rules", str(tests)], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr
