"""GPUs from exporters' pages, shaped as dcgm-exporter 3 and 4 and nvidia_gpu_exporter 1 write them."""

from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread

import httpx
import pytest
from authority import authority_file, server_context

from lmdeck.model.machine import Gpu
from lmdeck.telemetry.prometheus import EVERY_S, MAX_BODY, RETRY_S, PrometheusGpus, gpus

MIB, GIB = 2**20, 2**30
URL = "http://gpu-box:9400/metrics"


def dcgm(gpu: str, values: dict[str, float], more: str = "") -> str:
    labels = f'gpu="{gpu}",UUID="GPU-f809e614-{gpu}",device="nvidia{gpu}",modelName="NVIDIA H100 80GB HBM3"{more}'
    return "".join(
        f"# TYPE DCGM_FI_{name} gauge\nDCGM_FI_{name}{{{labels}}} {value}\n" for name, value in values.items()
    )


BUSY = {
    "DEV_SM_CLOCK": 1410, "DEV_MEM_CLOCK": 1215, "DEV_GPU_TEMP": 61, "DEV_POWER_USAGE": 305.5, "DEV_GPU_UTIL": 87,
    "DEV_FB_FREE": 40_000, "DEV_FB_USED": 41_000, "DEV_FB_RESERVED": 559,
}  # fmt: skip
SMI = """\
# HELP nvidia_smi_gpu_info A metric with a constant '1' value labeled by gpu uuid, name, index.
# TYPE nvidia_smi_gpu_info gauge
nvidia_smi_gpu_info{driver_version="471.11",name="NVIDIA GeForce RTX 2080 SUPER",uuid="df6e7a7c",index="1"} 1
nvidia_smi_name{uuid="df6e7a7c"} 2080
nvidia_smi_memory_used_bytes{uuid="df6e7a7c"} 7.06740224e+08
nvidia_smi_memory_free_bytes{uuid="df6e7a7c"} 7.883194368e+09
nvidia_smi_memory_total_bytes{uuid="df6e7a7c"} 8.589934592e+09
nvidia_smi_utilization_gpu_ratio{uuid="df6e7a7c"} 0.42
nvidia_smi_temperature_gpu{uuid="df6e7a7c"} 34
nvidia_smi_power_draw_watts{uuid="df6e7a7c"} 28.07
nvidia_smi_power_limit_watts{uuid="df6e7a7c"} 300
nvidia_smi_enforced_power_limit_watts{uuid="df6e7a7c"} 250
nvidia_smi_fan_speed_ratio{uuid="df6e7a7c"} 0.38
nvidia_smi_clocks_current_sm_clock_hz{uuid="df6e7a7c"} 1.41e+09
nvidia_smi_clocks_current_memory_clock_hz{uuid="df6e7a7c"} 7.75e+09
nvidia_smi_last_collect_success 1
"""


def test_dcgm() -> None:
    text = dcgm("1", BUSY) + dcgm("0", {**BUSY, "DEV_FB_TOTAL": 81_920, "DEV_POWER_MGMT_LIMIT": 700})
    first, second = gpus(text)
    assert second == Gpu(
        1, "NVIDIA H100 80GB HBM3", vram_used=41_000 * MIB, vram_total=81_559 * MIB, utilisation=87, temperature=61,
        power=305.5, clock_sm=1410, clock_memory=1215,
    )  # fmt: skip
    assert (first.index, first.vram_total, first.power_limit) == (0, 81_920 * MIB, 700)


@pytest.mark.parametrize("blank", [2147483632, 2147483635, 140737488355328.0, 9223372036854775794, float("nan"), -1])
def test_dcgm_blanks_are_no_values(blank: float) -> None:
    (gpu,) = gpus(dcgm("0", {**BUSY, "DEV_FB_USED": blank, "DEV_GPU_TEMP": blank}))
    assert (gpu.vram_used, gpu.vram_total, gpu.temperature, gpu.utilisation) == (None, None, None, 87)


def test_the_parts_of_a_divided_gpu_and_of_several_machines_are_told_apart() -> None:
    part = {"DEV_FB_FREE": 9_000, "DEV_FB_USED": 728, "PROF_GR_ENGINE_ACTIVE": 0.25}
    text = "".join(dcgm("0", part, f',GPU_I_PROFILE="1g.10gb",GPU_I_ID="{at}",Hostname="a"') for at in (7, 8))
    found = gpus(text + dcgm("0", BUSY, ',Hostname="b"'))
    assert [(gpu.index, gpu.name.split()[-1], gpu.utilisation) for gpu in found] == [
        (0, "1g.10gb", 25), (1, "1g.10gb", 25), (2, "HBM3", 87),
    ]  # fmt: skip


def test_the_pods_that_share_a_gpu_do_not_multiply_it() -> None:
    text = dcgm("0", BUSY, ',pod="one"') + dcgm("0", BUSY, ',pod="two"')
    assert len(gpus(text)) == 1


def test_nvidia_gpu_exporter() -> None:
    assert gpus(SMI) == (
        Gpu(
            1, "NVIDIA GeForce RTX 2080 SUPER", vram_used=706_740_224, vram_total=8 * GIB, utilisation=42,
            temperature=34, power=28.07, power_limit=250, fan=38, clock_sm=1410, clock_memory=7750,
        ),
    )  # fmt: skip


class Exporter:
    """Answers with `page`; counts the questions. The clock moves by hand."""

    def __init__(self, page: str | int | Exception) -> None:
        self.page, self.asked, self.now = page, 0, 0.0

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.asked += 1
        if isinstance(self.page, Exception):
            raise self.page
        return httpx.Response(self.page) if isinstance(self.page, int) else httpx.Response(200, text=self.page)

    def source(self) -> PrometheusGpus:
        return PrometheusGpus(URL, transport=httpx.MockTransport(self), clock=lambda: self.now)


def test_a_reading_stands_for_some_seconds_and_names_its_machine() -> None:
    exporter = Exporter(SMI)
    source = exporter.source()
    first = source.sample()
    exporter.now = EVERY_S - 0.1
    assert source.sample() is first
    assert (first.origin, first.problem, exporter.asked) == ("gpu-box", None, 1)
    exporter.now, exporter.page = EVERY_S, SMI.replace("0.42", "0.5")
    assert source.sample().gpus[0].utilisation == 50
    source.close()
    exporter.now *= 2
    assert source.sample().gpus[0].utilisation == 50


@pytest.mark.parametrize(
    ("page", "words"),
    [
        (503, "HTTP 503"),
        (301, "HTTP 301"),
        (httpx.ConnectError("[Errno 111] Connection refused"), "Connection refused"),
        (httpx.ReadTimeout("timed out"), "no answer in time"),
        ("<html>hello</html>", "neither DCGM_FI_DEV_… nor nvidia_smi_…"),
        ("nvidia_smi_last_collect_success 0\n", "cannot read its GPUs"),
        ("#" * (MAX_BODY + 1), "larger than 8 MiB"),
    ],
)
def test_failures_are_words_and_it_is_tried_again_later(page: str | int | Exception, words: str) -> None:
    exporter = Exporter(page)
    source = exporter.source()
    problem = source.sample().problem
    assert problem is not None
    assert problem.title == "GPUs of gpu-box"
    assert words in problem.detail
    exporter.page, exporter.now = SMI, RETRY_S - 0.1
    assert source.sample().problem == problem
    exporter.now = RETRY_S
    assert source.sample().problem is None


@pytest.mark.parametrize(("url", "path"), [("http://box:9400", "/metrics"), ("http://box/gpu/page", "/gpu/page")])
def test_an_address_without_a_path_means_the_usual_one(url: str, path: str) -> None:
    paths = []

    def answer(request: httpx.Request) -> httpx.Response:
        paths.append(request.url.path)
        return httpx.Response(200, text=SMI)

    PrometheusGpus(url, transport=httpx.MockTransport(answer)).sample()
    assert paths == [path]


@pytest.fixture
def tls_port() -> Iterator[int]:
    """A server with a certificate of the tests' own authority that answers with a page."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("content-length", str(len(SMI)))
            self.end_headers()
            self.wfile.write(SMI.encode())

        def log_message(self, *words: object) -> None:
            """Say nothing."""

    context = server_context()
    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        server.socket = context.wrap_socket(server.socket, server_side=True)
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield server.server_port
        finally:
            server.shutdown()
            thread.join()


def test_a_private_authority(tls_port: int, tmp_path: Path) -> None:
    url = f"https://127.0.0.1:{tls_port}/metrics"
    source = PrometheusGpus(url, ca_file=authority_file(tmp_path))
    assert len(source.sample().gpus) == 1
    source.close()
    for ca_file in (None, str(tmp_path / "missing.pem")):
        source = PrometheusGpus(url, ca_file=ca_file)
        problem = source.sample().problem
        source.close()
        assert problem is not None
        assert "CERTIFICATE_VERIFY_FAILED" in problem.detail or "No such file" in problem.detail


def test_a_page_that_drips_is_given_up() -> None:
    exporter = Exporter(SMI)

    class Drip(httpx.SyncByteStream):
        def __iter__(self):  # type: ignore[no-untyped-def]
            while True:
                exporter.now += 1
                yield b"# \n"

    transport = httpx.MockTransport(lambda request: httpx.Response(200, stream=Drip()))
    problem = PrometheusGpus(URL, transport=transport, clock=lambda: exporter.now).sample().problem
    assert problem is not None
    assert "no whole page within 5 s" in problem.detail
