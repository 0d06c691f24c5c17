"""The GPUs of another machine, from what its operators already run: the text endpoint of NVIDIA's dcgm-exporter or of
nvidia_gpu_exporter."""

import os
import ssl
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Final
from urllib.parse import urlsplit

import httpx

from lmdeck.model.machine import Gpu, GpuSample
from lmdeck.model.problem import Problem
from lmdeck.model.text import one_line
from lmdeck.telemetry.exposition import Sample, samples

EVERY_S = 5.0
"""Between two readings: these exporters look at the GPUs every few seconds at most, or start a process for each."""
RETRY_S = 15.0
CONNECT_S, READ_S, WHOLE_S = 2.0, 3.0, 5.0
MAX_BODY = 8 * 2**20
MOST_GPUS = 64

_CHECK = "gpu_url names the text page of dcgm-exporter (port 9400) or nvidia_gpu_exporter (port 9835), with its path."
_NO_GPUS = "it has neither DCGM_FI_DEV_… nor nvidia_smi_… of any GPU"
_FAILING = "nvidia_gpu_exporter cannot read its GPUs"

_BLANK, _BLANKS_32 = 2.0**47, range(0x7FFF_FFF0, 0x8000_0000)
"""DCGM writes "no value" as one of these numbers, or as larger ones."""
_MIB: Final = float(2**20)
_FIELDS: Final[Mapping[str, tuple[str, float]]] = {
    "DCGM_FI_DEV_FB_USED": ("used", _MIB),
    "DCGM_FI_DEV_FB_FREE": ("free", _MIB),
    "DCGM_FI_DEV_FB_RESERVED": ("reserved", _MIB),
    "DCGM_FI_DEV_FB_TOTAL": ("total", _MIB),
    "DCGM_FI_DEV_GPU_UTIL": ("utilisation", 1),
    "DCGM_FI_PROF_GR_ENGINE_ACTIVE": ("engine", 100),
    "DCGM_FI_DEV_GPU_TEMP": ("temperature", 1),
    "DCGM_FI_DEV_POWER_USAGE": ("power", 1),
    "DCGM_FI_DEV_ENFORCED_POWER_LIMIT": ("enforced", 1),
    "DCGM_FI_DEV_POWER_MGMT_LIMIT": ("limit", 1),
    "DCGM_FI_DEV_FAN_SPEED": ("fan", 1),
    "DCGM_FI_DEV_SM_CLOCK": ("clock_sm", 1),
    "DCGM_FI_DEV_MEM_CLOCK": ("clock_memory", 1),
    "nvidia_smi_index": ("index", 1),
    "nvidia_smi_memory_used_bytes": ("used", 1),
    "nvidia_smi_memory_free_bytes": ("free", 1),
    "nvidia_smi_memory_total_bytes": ("total", 1),
    "nvidia_smi_utilization_gpu_ratio": ("utilisation", 100),
    "nvidia_smi_temperature_gpu": ("temperature", 1),
    "nvidia_smi_power_draw_watts": ("power", 1),
    "nvidia_smi_enforced_power_limit_watts": ("enforced", 1),
    "nvidia_smi_power_limit_watts": ("limit", 1),
    "nvidia_smi_fan_speed_ratio": ("fan", 100),
    "nvidia_smi_clocks_current_sm_clock_hz": ("clock_sm", 1e-6),
    "nvidia_smi_clocks_current_memory_clock_hz": ("clock_memory", 1e-6),
    "nvidia_smi_pcie_throughput_rx_bytes_per_second": ("pcie_rx", 1),
    "nvidia_smi_pcie_throughput_tx_bytes_per_second": ("pcie_tx", 1),
}
_INFO, _SUCCESS = "nvidia_smi_gpu_info", "nvidia_smi_last_collect_success"


class PrometheusGpus:
    """Reads such a page (`/metrics` where the address has no path) at most every EVERY_S, after a failure every
    RETRY_S; in between the last reading stands. `ca_file` holds certificates of a private authority. `sample` never
    raises; only the thread that samples may call it."""

    def __init__(
        self,
        url: str,
        *,
        ca_file: str | None = None,
        transport: httpx.BaseTransport | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._url = url if urlsplit(url).path else f"{url}/metrics"
        self._ca_file, self._transport, self._clock = ca_file, transport, clock
        self._origin = urlsplit(url).hostname or url
        self._client: httpx.Client | None = None
        self._last = GpuSample(origin=self._origin)
        self._due = float("-inf")

    def sample(self) -> GpuSample:
        """The GPUs as last read, or why they cannot be."""
        if self._clock() >= self._due:
            self._last = self._read()
            self._due = self._clock() + (RETRY_S if self._last.problem else EVERY_S)
        return self._last

    def close(self) -> None:
        """Close the connection; the next reading opens one again."""
        client, self._client = self._client, None
        if client is not None:
            client.close()

    def _read(self) -> GpuSample:
        try:
            text = self._page()
        except _Failed as error:
            return self._without(str(error))
        found = gpus(text)
        if not found:
            failing = any(one.name == _SUCCESS and not one.value for one in samples(text))
            return self._without(_FAILING if failing else _NO_GPUS)
        return GpuSample(found, origin=self._origin)

    def _without(self, reason: str) -> GpuSample:
        return GpuSample(problem=Problem(f"GPUs of {self._origin}", reason, _CHECK), origin=self._origin)

    def _page(self) -> str:
        """The page. Raises _Failed."""
        body, deadline = bytearray(), self._clock() + WHOLE_S
        try:
            if self._client is None:
                self._client = _client(self._url, self._ca_file, self._transport)
            with self._client.stream("GET", self._url) as response:
                if response.status_code != 200:
                    raise _Failed(f"HTTP {response.status_code}")
                for piece in response.iter_bytes():
                    body += piece
                    if len(body) > MAX_BODY:
                        raise _Failed(f"its page is larger than {MAX_BODY // 2**20} MiB")
                    if self._clock() > deadline:
                        raise _Failed(f"no whole page within {WHOLE_S:g} s")
        except httpx.TimeoutException:
            raise _Failed("no answer in time") from None
        except (httpx.HTTPError, httpx.InvalidURL, ValueError, OSError) as error:
            raise _Failed(one_line(str(error), 120) or type(error).__name__) from None
        return body.decode("utf-8", "replace")


class _Failed(Exception):
    """Why there is no page, in words."""


def _client(url: str, ca_file: str | None, transport: httpx.BaseTransport | None) -> httpx.Client:
    """No redirects; proxies from the environment, but never for this machine. Raises OSError for a bad `ca_file`."""
    host = urlsplit(url).hostname or ""
    local = host in ("localhost", "::1") or host.startswith("127.")
    return httpx.Client(
        transport=transport,
        verify=_tls(url, ca_file),
        trust_env=not local,
        timeout=httpx.Timeout(READ_S, connect=CONNECT_S),
        headers={"Accept": "text/plain;version=0.0.4"},
    )


def _tls(url: str, ca_file: str | None) -> ssl.SSLContext:
    """Certificates: httpx's bundle, the system's store and the user's file; none for plain HTTP."""
    if not url.startswith("https:"):
        return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context = httpx.create_ssl_context()
    context.load_default_certs()
    if ca_file is not None:
        context.load_verify_locations(cafile=os.path.expanduser(ca_file))
    return context


@dataclass(slots=True)
class _Device:
    """What is known of one GPU, or of one part of a divided one (MIG)."""

    name: str = ""
    values: dict[str, float] = field(default_factory=dict)


def gpus(text: str) -> tuple[Gpu, ...]:
    """The GPUs on a page, MOST_GPUS at most. A GPU that is divided (MIG) counts as its parts."""
    devices: dict[tuple[str, ...], _Device] = {}
    for one in samples(text):
        known = one.name == _INFO or one.name in _FIELDS
        key = _key(one) if known else ()
        if key and (key in devices or len(devices) < MOST_GPUS):
            _take(devices.setdefault(key, _Device()), one)
    told = [device for device in devices.values() if device.values.keys() - {"index"}]
    found = [_gpu(place, device) for place, device in enumerate(told)]
    if len({gpu.index for gpu in found}) < len(found):  # several machines, or parts of one GPU
        return tuple(replace(gpu, index=place) for place, gpu in enumerate(found))
    return tuple(sorted(found, key=lambda gpu: gpu.index))


def _key(one: Sample) -> tuple[str, ...]:
    """Which device a sample is about; empty where it does not tell."""
    labels = one.labels
    if one.name.startswith("nvidia_smi_"):
        return (labels["uuid"],) if "uuid" in labels else ()
    if "gpu" not in labels:
        return ()
    return labels.get("Hostname", ""), labels["gpu"], labels.get("GPU_I_ID", "")


def _take(device: _Device, one: Sample) -> None:
    labels = one.labels
    name, part = labels.get("modelName") or labels.get("name", ""), labels.get("GPU_I_PROFILE", "")
    device.name = device.name or one_line(f"{name} {part}".strip(), 80)
    number = labels.get("gpu") or labels.get("index", "")
    if number.isascii() and number.isdigit():
        device.values.setdefault("index", int(number[:6]))
    if one.name != _INFO and 0 <= one.value < _BLANK and one.value not in _BLANKS_32:
        which, factor = _FIELDS[one.name]
        device.values[which] = one.value * factor


def _gpu(place: int, device: _Device) -> Gpu:
    values = device.values
    used, free, total = (values.get(name) for name in ("used", "free", "total"))
    if total is None and used is not None and free is not None:
        total = used + free + values.get("reserved", 0.0)
    index = int(values.get("index", place))
    return Gpu(
        index,
        device.name or f"GPU {index}",
        vram_used=_whole(used),
        vram_total=_whole(total),
        utilisation=values.get("utilisation", values.get("engine")),
        temperature=values.get("temperature"),
        power=values.get("power"),
        power_limit=values.get("enforced", values.get("limit")),
        fan=values.get("fan"),
        clock_sm=_whole(values.get("clock_sm")),
        clock_memory=_whole(values.get("clock_memory")),
        pcie_rx=_whole(values.get("pcie_rx")),
        pcie_tx=_whole(values.get("pcie_tx")),
    )


def _whole(value: float | None) -> int | None:
    return None if value is None else round(value)
