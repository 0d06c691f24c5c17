"""Which collaborators the settings lead to."""

from dataclasses import replace

import pytest

from lmdeck.config.settings import Settings
from lmdeck.connect import open_sources
from lmdeck.telemetry.nvml import Nvml
from lmdeck.telemetry.prometheus import PrometheusGpus

SETTINGS = Settings(url="http://127.0.0.1:9", lms="nowhere")


@pytest.mark.parametrize(
    ("settings", "kind"),
    [
        (SETTINGS, Nvml),
        (replace(SETTINGS, gpu_url="http://127.0.0.1:9/metrics"), PrometheusGpus),
        (replace(SETTINGS, gpu_url="http://127.0.0.1:9/metrics", gpu=False), type(None)),
    ],
)
async def test_where_the_gpus_are_read(settings: Settings, kind: type) -> None:
    async with open_sources(settings) as sources:
        machine = sources.open_machine()
        try:
            assert type(machine.gpu) is kind
        finally:
            machine.close()


async def test_an_exporter_that_is_not_there_is_a_problem_in_words() -> None:
    async with open_sources(replace(SETTINGS, gpu_url="127.0.0.1:9")) as sources:
        machine = sources.open_machine()
        assert machine.gpu is not None
        sample = machine.gpu.sample()
        machine.close()
    assert sample.origin == "127.0.0.1"
    assert sample.problem is not None
    assert sample.problem.title == "GPUs of 127.0.0.1"
