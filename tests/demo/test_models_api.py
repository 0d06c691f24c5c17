"""Native v1 and v0: what is on disk, what is in memory."""

import pytest

QWEN = "qwen/qwen3-coder-30b"


async def test_the_catalogue_has_the_seven_models_in_v1s_shape(api):
    listed = await api.models()
    assert len(listed) == 7
    qwen = listed[QWEN]
    assert qwen["type"] == "llm"
    assert qwen["quantization"] == {"name": "Q4_K_M", "bits_per_weight": 4}
    assert qwen["capabilities"] == {"vision": False, "trained_for_tool_use": True}
    assert qwen["selected_variant"] in qwen["variants"]
    assert listed["nvidia/nemotron-3-nano"]["capabilities"]["reasoning"] == {
        "allowed_options": ["off", "on"],
        "default": "on",
    }
    embedding = listed["text-embedding-nomic-embed-text-v1.5"]
    assert embedding["type"] == "embedding"
    assert not {"architecture", "capabilities"} & embedding.keys()


async def test_load_echo_list_unload(api):
    loaded = await api.load(QWEN, context_length=8192, flash_attention=False, echo_load_config=True)
    assert loaded["status"] == "loaded"
    assert loaded["instance_id"] == QWEN
    assert loaded["load_time_seconds"] > 0
    config = loaded["load_config"]
    assert (config["context_length"], config["flash_attention"], config["parallel"]) == (8192, False, 4)
    assert (await api.models())[QWEN]["loaded_instances"] == [{"id": QWEN, "config": config}]
    assert (await api.post("/api/v1/models/unload", json={"instance_id": QWEN})).json() == {"instance_id": QWEN}
    assert (await api.models())[QWEN]["loaded_instances"] == []


async def test_a_second_load_is_a_second_instance(api):
    for expected in ("ha-expert", "ha-expert:2", "ha-expert:3"):
        loaded = await api.load("ha-expert")
        assert loaded["instance_id"] == expected
        assert "load_config" not in loaded
    await api.post("/api/v1/models/unload", json={"instance_id": "ha-expert:2"})
    assert await api.instances() == ["ha-expert", "ha-expert:3"]
    assert (await api.load("ha-expert"))["instance_id"] == "ha-expert:2"


async def test_an_embedding_instance_shows_its_context_only(api):
    loaded = await api.load("text-embedding-nomic-embed-text-v1.5", echo_load_config=True)
    assert loaded["load_config"] == {"context_length": 2048}


async def test_ttl_is_taken_and_shown(api):
    await api.load("ha-expert", ttl=600)
    assert 598 <= (await api.models())["ha-expert"]["loaded_instances"][0]["remaining_ttl_seconds"] <= 600


@pytest.mark.parametrize(
    ("path", "body", "status", "type", "words"),
    [
        ("load", {"model": "nope"}, 404, "model_not_found", "Model nope not found in downloaded models"),
        ("load", {}, 400, "invalid_request", "'model' is required"),
        ("load", {"model": QWEN, "context_length": "8k"}, 400, "invalid_request", "'context_length' must be a number"),
        ("load", {"model": QWEN, "context_length": 0}, 400, "invalid_request", "'context_length' must be at least 1"),
        ("load", {"model": QWEN, "context_length": 999_999}, 500, "model_load_failed", "maximum of 262144."),
        ("load", {"model": QWEN, "flash_attention": 1}, 400, "invalid_request", "'flash_attention' must be a boolean"),
        ("unload", {"instance_id": "x"}, 404, "model_not_found", "Model with instance identifier 'x' is not loaded."),
    ],
)
async def test_refusals(api, path, body, status, type, words):
    response = await api.post(f"/api/v1/models/{path}", json=body)
    assert response.status_code == status
    error = response.json()["error"]
    assert error["type"] == type
    assert words in error["message"]


async def test_a_body_that_is_no_json_is_refused(api):
    for content in (b"{", b"[1]", b"\xff"):
        response = await api.post("/api/v1/models/load", content=content)
        assert (response.status_code, response.json()["error"]["type"]) == (400, "invalid_request")


async def test_v0_lists_states(api):
    await api.load("mistralai/devstral-small-2-2512", context_length=5000)
    answer = (await api.get("/api/v0/models")).json()
    assert answer["object"] == "list"
    by_id = {record["id"]: record for record in answer["data"]}
    devstral = by_id["mistralai/devstral-small-2-2512"]
    assert (devstral["type"], devstral["state"], devstral["loaded_context_length"]) == ("vlm", "loaded", 5000)
    assert devstral["capabilities"] == ["tool_use"]
    assert by_id[QWEN]["state"] == "not-loaded"
    assert "loaded_context_length" not in by_id[QWEN]
    assert (await api.get(f"/api/v0/models/{QWEN}")).json() == by_id[QWEN]
    missing = await api.get("/api/v0/models/none")
    assert (missing.status_code, missing.json()) == (404, {"error": "Model none not found in downloaded models"})


async def test_a_download_is_simulated_and_known_models_are_there(api):
    there = (await api.post("/api/v1/models/download", json={"model": QWEN})).json()
    assert there == {"status": "already_downloaded"}
    job = (await api.post("/api/v1/models/download", json={"model": "ibm/granite-4-micro"})).json()
    assert job["status"] == "downloading"
    state = (await api.get(f"/api/v1/models/download/status/{job['job_id']}")).json()
    assert 0 <= state["downloaded_bytes"] < state["total_size_bytes"]
    assert state["bytes_per_second"] > 0
    missing = await api.get("/api/v1/models/download/status/job_x")
    assert (missing.status_code, missing.json()["error"]["type"]) == (404, "job_not_found")


async def test_unknown_paths(api):
    strange = await api.get("/x")
    assert (strange.status_code, strange.json()) == (200, {"error": "Unexpected endpoint or method. (GET /x)"})
    native = await api.put("/api/v1/models")
    assert native.status_code == 404
    assert "Unexpected endpoint or method. (PUT /api/v1/models)" in native.text


async def test_who_has_no_token_gets_the_greeting_only(api):
    api.headers.pop("authorization")
    assert (await api.get("/lmstudio-greeting")).json() == {"lmstudio": True}
    for headers in (
        {},
        {"authorization": "Bearer sk-lm-wrong:token"},
        {"x-api-key": "x"},
        {"authorization": "Basic x"},
    ):
        for path in ("/api/v1/models", "/demo/ps", "/x"):
            response = await api.get(path, headers=headers)
            assert (response.status_code, response.json()["error"]["code"]) == (401, "invalid_api_key")
        assert (await api.get("/v1/messages", headers=headers)).status_code == 401


async def test_anthropics_header_opens_messages_only(api, scripted_server):
    api.headers.pop("authorization")
    key = {"x-api-key": scripted_server.token}
    assert (await api.post("/v1/messages", headers=key, json={})).status_code != 401
    assert (await api.get("/api/v1/models", headers=key)).status_code == 401
