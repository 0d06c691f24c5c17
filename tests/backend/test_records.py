"""Recorded shapes of the model lists, with optional fields present, absent, null and wrong."""

import pytest

from lmdeck.backend import native, v0
from lmdeck.backend.errors import BadReply
from lmdeck.model.catalog import Capabilities, Instance, InstanceConfig, Model
from lmdeck.model.load import LoadResult

FULL = {
    "type": "llm",
    "publisher": "google",
    "key": "google/gemma-4-26b-a4b",
    "display_name": "Gemma 4 26B A4B",
    "architecture": "gemma4",
    "quantization": {"name": "Q4_K_M", "bits_per_weight": 4},
    "size_bytes": 17990911801,
    "params_string": "26B-A4B",
    "loaded_instances": [
        {
            "id": "google/gemma-4-26b-a4b",
            "config": {
                "context_length": 4096,
                "eval_batch_size": 512,
                "parallel": 4,
                "flash_attention": True,
                "num_experts": 8,
                "offload_kv_cache_to_gpu": True,
                "physical_batch_size": 512,
                "context_checkpoints": 32,
            },
            "remaining_ttl_seconds": 3599.5,
        },
        {"id": "google/gemma-4-26b-a4b:2", "config": {}},
    ],
    "max_context_length": 262144,
    "format": "gguf",
    "capabilities": {
        "vision": True,
        "trained_for_tool_use": True,
        "reasoning": {"allowed_options": ["off", "on"], "default": "on"},
    },
    "description": "A model.",
    "variants": ["google/gemma-4-26b-a4b@q4_k_m"],
    "selected_variant": "google/gemma-4-26b-a4b@q4_k_m",
    "field_of_the_future": {"deep": [1]},
}
EMBEDDING = {
    "type": "embedding",
    "publisher": "nomic",
    "key": "nomic-embed",
    "display_name": "Nomic",
    "quantization": {"name": None, "bits_per_weight": None},
    "size_bytes": 84106624,
    "params_string": None,
    "loaded_instances": [{"id": "nomic-embed", "config": {"context_length": 2048}}],
    "max_context_length": 2048,
    "format": None,
}


def test_a_full_v1_record():
    key = "google/gemma-4-26b-a4b"
    first = InstanceConfig(4096, 4, 512, True, 8, True)
    assert native.models({"models": [FULL]}) == (
        Model(
            key=key,
            type="llm",
            display_name="Gemma 4 26B A4B",
            publisher="google",
            architecture="gemma4",
            quantization="Q4_K_M",
            bits_per_weight=4.0,
            size_bytes=17990911801,
            params="26B-A4B",
            max_context_length=262144,
            format="gguf",
            capabilities=Capabilities(True, True, ("off", "on"), "on"),
            description="A model.",
            variants=(f"{key}@q4_k_m",),
            selected_variant=f"{key}@q4_k_m",
            instances=(Instance(key, key, first, None, 3599.5), Instance(f"{key}:2", key)),
        ),
    )


def test_an_embedding_record_with_nulls_and_absent_fields():
    (model,) = native.models({"models": [EMBEDDING]})
    assert model.is_embedding
    assert (model.architecture, model.quantization, model.format, model.params) == (None, None, None, None)
    assert model.capabilities == Capabilities()
    assert model.instances == (Instance("nomic-embed", "nomic-embed", InstanceConfig(2048)),)


@pytest.mark.parametrize("name", FULL.keys() - {"key"})
@pytest.mark.parametrize("wrong", [None, 7, -1, "x", True, [], {}, [[]], [{"id": 3}], {"reasoning": 1}])
def test_a_wrong_type_costs_one_field_and_nothing_else(name, wrong):
    good = native.models({"models": [FULL]})[0]
    odd, other = native.models({"models": [FULL | {name: wrong}, EMBEDDING]})
    assert odd.key == good.key
    assert other.key == "nomic-embed"
    for field in ("publisher", "size_bytes", "max_context_length", "instances"):
        if name != {"instances": "loaded_instances"}.get(field, field):
            assert getattr(odd, field) == getattr(good, field)


def test_records_without_identity_and_repeated_ones_are_left_out():
    found = native.models({"models": [{"key": ""}, {"key": 3}, {}, None, "x", {"key": "a"}, {"key": "a", "type": "b"}]})
    assert found == (Model("a", display_name="a"),)


@pytest.mark.parametrize("body", [None, [], {}, {"models": None}, {"models": {}}, {"data": []}, "x"])
def test_what_is_no_v1_list_is_a_bad_reply(body):
    with pytest.raises(BadReply):
        native.models(body)


def test_the_answer_to_a_load():
    full = {"instance_id": "a:2", "load_time_seconds": 9.1, "status": "loaded", "load_config": {"context_length": 8192}}
    assert native.load_result(full) == LoadResult("a:2", 9.1, "loaded", InstanceConfig(8192))
    assert native.load_result({"instance_id": "a"}) == LoadResult("a")
    with pytest.raises(BadReply):
        native.load_result({"status": "loaded"})


V0 = {
    "id": "qwen2-vl-7b-instruct",
    "object": "model",
    "type": "vlm",
    "publisher": "mlx-community",
    "arch": "qwen2_vl",
    "compatibility_type": "mlx",
    "quantization": "4bit",
    "state": "not-loaded",
    "max_context_length": 32768,
    "capabilities": ["tool_use", 3],
}


def test_v0_records():
    key = V0["id"]
    loaded = V0 | {"state": "loaded", "loaded_context_length": 4096}
    (cold,) = v0.models({"object": "list", "data": [V0]})
    (warm,) = v0.models({"data": [loaded]})
    assert (cold.architecture, cold.quantization, cold.format, cold.instances) == ("qwen2_vl", "4bit", "mlx", ())
    assert cold.capabilities == Capabilities(vision=True, tools=True)
    assert warm.instances == (Instance(key, key, InstanceConfig(4096), "loaded"),)


def test_v0_shows_a_state_it_does_not_know_and_types_like_v1():
    (model,) = v0.models({"data": [{"id": "e", "type": "embeddings", "state": "loading"}]})
    assert model.is_embedding
    assert model.instances == (Instance("e", "e", state="loading"),)


def test_v0_lists_a_further_copy_apart_and_it_joins_its_model():
    data = [{"id": "a", "state": "loaded"}, {"id": "a:2", "state": "loaded"}, {"id": "b:7", "state": "not-loaded"}]
    first, second = v0.models({"data": data})
    assert [instance.id for instance in first.instances] == ["a", "a:2"]
    assert {instance.model_key for instance in first.instances} == {"a"}
    assert second.key == "b:7"


@pytest.mark.parametrize("body", [None, {}, {"data": None}, {"models": []}])
def test_what_is_no_v0_list_is_a_bad_reply(body):
    with pytest.raises(BadReply):
        v0.models(body)


def test_v0_tells_loaded_contexts_by_instance() -> None:
    entries = [
        {"id": "qwen", "state": "loaded", "loaded_context_length": 8192},
        {"id": "qwen:2", "state": "loaded", "loaded_context_length": 4096},
        {"id": "ha", "state": "not-loaded"},
        {"id": "odd", "state": "loaded", "loaded_context_length": "many"},
    ]
    assert v0.loaded_contexts({"data": entries}) == {"qwen": 8192, "qwen:2": 4096}
