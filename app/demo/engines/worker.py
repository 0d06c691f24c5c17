"""The child process of one loaded model: llama.cpp's own server, from the xllamacpp wheel.

First line of stdin: the settings as JSON. Then stdin stays open; its end, however it comes, ends this process. Stdout:
one JSON line with the server's URL. Stderr: llama.cpp's log. llama.cpp holds Python's lock while it loads, so a parent
that dies during the load is noticed at the end of it.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import threading

import xllamacpp


def _params(settings: dict[str, object]) -> xllamacpp.CommonParams:
    params = xllamacpp.CommonParams()
    params.model.path = settings["path"]
    params.model_alias = {settings["alias"]}
    params.n_ctx = settings["n_ctx"]
    params.n_parallel = settings["n_parallel"]
    params.n_batch = settings["n_batch"]
    params.n_ubatch = settings["n_ubatch"]
    params.n_gpu_layers = settings["n_gpu_layers"]
    params.no_kv_offload = settings["no_kv_offload"]
    kinds = xllamacpp.llama_flash_attn_type
    params.flash_attn_type = (
        kinds.LLAMA_FLASH_ATTN_TYPE_ENABLED if settings["flash_attention"] else kinds.LLAMA_FLASH_ATTN_TYPE_DISABLED
    )
    if settings["embedding"]:
        params.embedding = True
        params.pooling_type = xllamacpp.llama_pooling_type.LLAMA_POOLING_TYPE_MEAN
    params.sampling.temp, params.sampling.top_p = 0.2, 0.9  # where a request says nothing: small models need it calm
    params.kv_unified = True  # as LM Studio: every slot may use the whole context
    params.fit_params = False  # what was asked for is allocated, or the load fails
    params.cpuparams.n_threads = min(8, os.cpu_count() or 1)
    params.cache_ram_mib = 256
    params.verbosity = 4
    params.ui = False
    params.endpoint_slots = params.endpoint_props = params.endpoint_metrics = True
    params.hostnames = ["127.0.0.1"]
    params.port = 0
    params.api_keys = [settings["api_key"]]
    return params


def _end_with_parent() -> None:
    while os.read(0, 4096):
        pass
    os._exit(0)  # at once: taking the server down in order would wait for its open streams


def main() -> None:
    """Load, say where, and serve until stdin ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a Ctrl+C in the terminal is the parent's to handle
    with open(0, "rb", buffering=0, closefd=False) as stdin:
        settings = json.loads(stdin.readline())
    threading.Thread(target=_end_with_parent, daemon=True).start()
    try:
        server = xllamacpp.Server(_params(settings))
    except RuntimeError as error:
        print(error, file=sys.stderr, flush=True)
        os._exit(1)
    print(json.dumps({"url": server.listening_address}), flush=True)
    threading.Event().wait()


if __name__ == "__main__":
    main()
