"""`status`, `ps`, `ls`, `gpu`: what they print of the demo server, for people and for programs."""

import pytest
from schemas import FOLDER, schema

KEY, CODER = "ha-expert", "qwen/qwen3-coder-30b"


def test_status(run, server) -> None:
    assert run("load", KEY).code == 0
    found = run("status")
    assert found.code == 0
    assert found.err == ""
    assert f"server    {server.url}  answers in" in found.out
    assert "loaded    1: ha-expert" in found.out
    record = run("status", "--json").json("status.json")
    assert (record["loaded"], record["token"], record["lms"], record["queued"]) == ([KEY], True, "ok", 0)
    assert server.token not in found.out


def test_ps(run, server) -> None:
    assert run("ps").out == "nothing is loaded\n"
    assert run("load", CODER, "--context", "16384", "--parallel", "2", "--ttl", "600").code == 0
    lines = run("ps").out.splitlines()
    assert lines[0].split() == ["INSTANCE", "STATE", "CTX", "SLOTS", "QUEUE", "TTL", "GB", "MODEL"]
    assert lines[1].split()[:6] == [CODER, "idle", "16384", "?", "2", "0"]
    (one,) = run("ps", "--json").json("ps.json")["instances"]
    assert one["expires_at"] > 1_700_000_000
    assert one["context"]["reported"] == {"tokens": 16384, "source": "/api/v1/models"}


def test_without_lms_only_what_http_tells(run, server, monkeypatch) -> None:
    assert run("load", KEY).code == 0
    monkeypatch.setenv("LMDECK_LMS", "/absent/lms")
    (one,) = run("ps", "--json").json("ps.json")["instances"]
    assert (one["queued"], one["expires_at"]) == (None, None)
    assert "/absent/lms is no program" in run("status", "--json").json("status.json")["lms"]


def test_ls(run, server) -> None:
    assert run("load", KEY).code == 0
    models = {one["model"]: one for one in run("ls", "--json").json("ls.json")["models"]}
    assert models[KEY]["instances"] == [KEY]
    assert models[CODER]["max_context"] == 262144
    lines = run("ls").out.splitlines()
    assert len(lines) == 1 + len(models)
    assert any(line.split()[:2] == [CODER, "17.4"] for line in lines)


def test_gpu_needs_no_server(run, monkeypatch) -> None:
    monkeypatch.setenv("LMDECK_URL", "http://127.0.0.1:9")
    found = run("gpu")
    assert (found.code, found.err) == (0, "")
    assert "RAM  " in found.out
    record = run("gpu", "--json").json("gpu.json")
    assert record["host"]["ram_total"] > 0


@pytest.mark.parametrize("command", ["status", "ps", "ls", "events"])
def test_a_server_that_is_down(command, run) -> None:
    found = run(command, "--url", "http://127.0.0.1:9")
    assert (found.code, found.out) == (3, "")
    assert f"lmdeck {command}: down: " in found.err


@pytest.mark.parametrize("command", [["status"], ["ps"], ["ls"], ["load", KEY], ["unload", "--all"], ["chat", "hi"]])
def test_a_token_that_is_not_accepted(command, run, server, monkeypatch) -> None:
    monkeypatch.setenv("LM_API_TOKEN", "sk-lm-wrong")
    found = run(*command)
    assert (found.code, found.out) == (4, "")
    assert "401: token not accepted" in found.err
    assert "sk-lm-wrong" not in found.err


def test_bad_settings(run, tmp_path) -> None:
    (tmp_path / "bad.toml").write_text("themes = 'x'")
    found = run("ps", "--config", str(tmp_path / "bad.toml"))
    assert found.code == 2
    assert "did you mean 'theme'" in found.err


def test_every_schema_names_itself() -> None:
    for file in FOLDER.glob("*.json"):
        for one in schema(file.name).get("oneOf", [schema(file.name)]):
            if file.stem != "context":
                assert one["properties"]["schema"] == {"const": f"lmdeck.{file.stem}/1"}
                assert "schema" in one["required"]
