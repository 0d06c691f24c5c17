"""The GPU pane alone."""

from dataclasses import replace

import pytest

from lmdeck.model.machine import Gpu, GpuSample, Holder, HostSample
from lmdeck.model.problem import Problem
from lmdeck.widgets.gpu_pane import Gauges, GpuPane

G = 2**30
CARD = Gpu(0, "NVIDIA GeForce RTX 4090", 21 * G, 24 * G, 19 * G, 87.0, 61.0, 312.0, 450.0)
HOST = HostSample(23.0, 41 * G, 96 * G, 0, 0, 12.0, 9 * G)
NONE = GpuSample((), Problem("no NVIDIA GPU", "driver library not found"))


@pytest.fixture
def pane():
    return GpuPane(id="gpu")


def gauges(pane):
    return pane.query_one(Gauges)


async def test_gpu_and_host_as_designed(host, pane, lines):
    async with host(pane).run_test(size=(43, 6)) as pilot:
        assert lines(gauges(pane))[0] == " reading the sensors …"
        pane.update_gpus(GpuSample((CARD,)))
        pane.update_host(HOST)
        await pilot.pause()
        assert lines(gauges(pane)) == [
            " 0 RTX 4090   87 %  61 °C  312/450 W",
            " ███████████████████▓▓░░░  21.0/24.0 GiB",
            " LM Studio 19.0 · other 2.0            ▇",
            " RAM █▓▓▓▓▓░░░░░░░  41/96 GiB  CPU  23 %",
        ]


async def test_other_holders_are_named_where_there_is_room(host, pane, lines):
    held = replace(CARD, holders=(Holder(7, "Xorg\x1b", int(0.4 * G)), Holder(8, "firefox", int(0.3 * G))))
    async with host(pane).run_test(size=(80, 6)) as pilot:
        pane.update_gpus(GpuSample((held,)))
        pane.update_host(HOST)
        await pilot.pause()
        assert lines(gauges(pane))[2].startswith(" LM Studio 19.0 · other 2.0: Xorg␛ 0.4, firefox 0.3   ")
        await pilot.resize_terminal(43, 6)
        await pilot.pause()
        assert lines(gauges(pane))[2].startswith(" LM Studio 19.0 · other 2.0   ")


async def test_an_unchanged_sample_paints_nothing(host, pane, painted):
    async with host(pane).run_test(size=(43, 8)) as pilot:
        pane.update_gpus(GpuSample((CARD,)))
        pane.update_host(HOST)
        await pilot.pause()
        ys, frame = painted(gauges(pane)), painted(pane)
        pane.update_gpus(GpuSample((replace(CARD),)))
        pane.update_host(replace(HOST))
        await pilot.pause()
        assert ys == frame == []
        pane.update_gpus(GpuSample((replace(CARD, temperature=62.0),)))
        await pilot.pause()
        assert ys == [0]


async def test_without_nvidia_ram_takes_the_place(host, pane, lines):
    async with host(pane).run_test(size=(60, 8)) as pilot:
        pane.update_gpus(NONE)
        pane.update_host(HOST)
        await pilot.pause()
        shown = lines(gauges(pane))
        assert shown[0] == " no NVIDIA GPU: driver library not found"
        assert shown[1].startswith(" RAM  CPU  23 %")
        assert shown[3].startswith(" LM Studio 9.0 · other 32.0")


async def test_more_gpus_than_fit_are_compact_and_scroll(host, pane, lines):
    async with host(pane).run_test(size=(60, 5)) as pilot:
        pane.update_gpus(GpuSample(tuple(replace(CARD, index=index) for index in range(8))))
        pane.update_host(HOST)
        pane.focus_content()
        await pilot.pause()
        assert pane.border_title == "GPU 8"
        assert [line[:10] for line in lines(gauges(pane))] == [" 0 RTX 409", " 1 RTX 409", " 2 RTX 409"]
        await pilot.press("end")
        await pilot.pause()
        assert lines(gauges(pane))[-1].startswith(" RAM")


async def test_one_gpu_in_trouble_beside_a_good_one(host, pane, lines):
    lost = Gpu(1, "NVIDIA GeForce RTX 3060", problem=Problem("GPU lost", "it has fallen off the bus"))
    async with host(pane).run_test(size=(60, 12)) as pilot:
        pane.update_gpus(GpuSample((CARD, lost)))
        await pilot.pause()
        assert " ✗ GPU lost: it has fallen off the bus" in lines(gauges(pane))


async def test_simulated_is_said_in_the_title(host, pane):
    async with host(pane).run_test(size=(43, 6)) as pilot:
        pane.update_gpus(GpuSample((replace(CARD, simulated=True),)))
        await pilot.pause()
        assert pane.border_title == "GPU simulated"


async def test_resize_changes_the_form(host, pane, lines):
    async with host(pane).run_test(size=(43, 5)) as pilot:
        for _ in range(300):
            pane.update_gpus(GpuSample((CARD,)))
        pane.update_host(HOST)
        await pilot.resize_terminal(80, 24)
        await pilot.pause()
        assert any(line.count("█") > 60 for line in lines(gauges(pane))[3:])
        await pilot.resize_terminal(43, 5)
        await pilot.pause()
        assert [line[:10] for line in lines(gauges(pane))] == [" 0 RTX 409", " RAM █▓▓▓▓", ""]


@pytest.mark.parametrize("size", [(20, 3), (20, 40), (300, 100)])
@pytest.mark.parametrize("count", [0, 1, 3])
async def test_any_size(host, pane, size, count):
    async with host(pane).run_test(size=size) as pilot:
        pane.update_gpus(GpuSample(tuple(replace(CARD, index=index) for index in range(count)), NONE.problem))
        pane.update_host(HOST)
        await pilot.resize_terminal(20, 3)
        await pilot.pause()
        assert gauges(pane).line_count()


async def test_gauges_of_another_machine_say_so(host):
    pane = GpuPane(id="gpu")
    async with host(pane).run_test(size=(60, 12)) as pilot:
        pane.say_foreign(True)
        await pilot.pause()
        assert "of this machine, not the server's" in str(pane.border_subtitle)
        pane.update_gpus(GpuSample((Gpu(0, "A"),), origin="gpu-box"))
        await pilot.pause()
        assert "GPU: gpu-box; RAM and CPU: this machine" in str(pane.border_subtitle)
        pane.say_foreign(False)
        await pilot.pause()
        assert str(pane.border_subtitle).strip() == "GPU: gpu-box"
        pane.update_gpus(GpuSample((Gpu(0, "A"),)))
        await pilot.pause()
        assert not pane.border_subtitle
