"""`lmdeck doctor`: what it says of a sound server and of broken ones, its JSON and exit codes."""

import pytest


def test_a_sound_server(run, server) -> None:
    found = run("doctor")
    assert found.code == 0
    lines = found.out.splitlines()
    assert f"✓ server        {server.url} is LM Studio" in found.out
    assert "✓ log stream    the server's log comes" in lines
    assert "✓ token         from LM_API_TOKEN, accepted; 7 models are listed" in lines
    assert found.err.startswith("lmdeck doctor: ")
    assert " ok, " in found.err
    assert "\x1b" not in found.out
    assert server.token not in found.out + found.err


def test_json(run, server) -> None:
    record = run("doctor", "--json").json("doctor.json")
    states = {finding["part"]: finding["state"] for finding in record["findings"]}
    assert states["server"] == states["token"] == states["API v1"] == states["log stream"] == "ok"
    assert record["state"] == "warn"  # the models folder of an empty home


def test_exit_codes_tell_what_fails_first(run, server, monkeypatch: pytest.MonkeyPatch, tmp_path) -> None:
    found = run("doctor", "--url", "http://127.0.0.1:9")
    assert (found.code, "→ Start it (`lms server start`" in found.out) == (3, True)
    monkeypatch.delenv("LM_API_TOKEN")
    found = run("doctor")
    assert (found.code, "✗ token" in found.out) == (4, True)
    assert "1 failed (token)" in found.err
    monkeypatch.setenv("LM_API_TOKEN", server.token)
    assert run("doctor", "--lms", str(tmp_path / "absent")).code == 1


def test_settings_that_cannot_be_used_are_a_finding_too(run, monkeypatch: pytest.MonkeyPatch, tmp_path) -> None:
    path = tmp_path / "bad.toml"
    path.write_text("urll = 'x'\n")
    found = run("doctor", "--config", str(path))
    assert found.code == 2
    assert "✗ configuration " in found.out
    assert "urll" in found.out
    assert " terminal " in found.out
    path.write_text('token_command = "/absent/command"\n')
    record = run("doctor", "--config", str(path), "--json").json("doctor.json")
    assert [one["part"] for one in record["findings"] if one["state"] == "fail"] == ["configuration"]
