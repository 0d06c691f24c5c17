"""What `lms runtime survey` says of the machine."""

from __future__ import annotations

import psutil

from lmdeck.demo.engines.scripted import SCRIPTED_MEMORY, ScriptedEngine
from lmdeck.demo.fields import Json


def total_memory(engine: str) -> int:
    """Bytes a model can be loaded into: the scripted GPU's, or this machine's RAM."""
    return SCRIPTED_MEMORY if engine == ScriptedEngine.name else int(psutil.virtual_memory().total)


def survey(engine: str, version: str) -> Json:
    """The report for one engine; the scripted one pretends one NVIDIA GPU, the real one runs on the CPU."""
    ram = int(psutil.virtual_memory().total)
    scripted = engine == ScriptedEngine.name
    gpu = {
        "name": "NVIDIA GeForce RTX 4090",
        "deviceId": 0,
        "totalMemoryCapacityBytes": SCRIPTED_MEMORY,
        "dedicatedMemoryCapacityBytes": SCRIPTED_MEMORY,
        "integrationType": "Discrete",
        "detectionPlatform": "CUDA",
    }
    hardware: Json = {
        "gpuSurveyResult": {"result": {"code": "Success"}, "gpuInfo": [gpu] if scripted else []},
        "cpuSurveyResult": {"result": {"code": "Success"}, "cpuInfo": {"architecture": "x86_64"}},
    }
    vram = SCRIPTED_MEMORY if scripted else 0
    report: Json = {
        "name": engine,
        "version": version,
        "engine": "llama.cpp",
        "platform": engine.split("-")[1] if "-" in engine else "",
        "compatibility": {"status": "Compatible"},
        "hardwareSurvey": hardware,
        "memoryInfo": {"ramCapacity": ram, "vramCapacity": vram, "totalMemory": ram + vram},
    }
    return {"status": "success", "engines": [report]}
