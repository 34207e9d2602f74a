from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.support.ports import free_port
from tests.support.processes import Instance
from tests.support.waiting import wait_until


@pytest.mark.journey
@pytest.mark.both_databases
def test_an_instance_has_a_database_of_its_own(instance: Instance) -> None:
    instance.run("init")
    instance.run("person", "add", "jana@example.org", "--name", "Jana Voß")
    assert instance.json_lines("outbox", "list") is not None
    assert instance.run("person", "add", "no address", "--name", "x", status=1).stderr.strip()


@pytest.mark.journey
def test_without_init_nothing_is_made(tmp_path: Path) -> None:
    instance = Instance(tmp_path / "home")
    done = instance.run("check", status=1)
    assert str(tmp_path / "home") in done.stderr
    assert not (tmp_path / "home").exists()


@pytest.mark.journey
def test_a_program_serves_until_it_is_stopped(instance: Instance) -> None:
    import urllib.request

    port = free_port()
    instance.environment["DEPESCHE_BASE_URL"] = f"http://127.0.0.1:{port}"
    instance.run("init")
    program = instance.start("web", "--port", str(port))

    def healthy() -> bool:
        assert program.running, program.output()
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=10) as answer:
                return bool(answer.status == 200)
        except OSError:
            return False

    wait_until(healthy, "the web pages")
    assert program.terminate() == 0, program.output()


def test_json_of_both_forms_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import subprocess

    def answer(text: str) -> None:
        done = subprocess.CompletedProcess([], 0, text, "")
        monkeypatch.setattr(Instance, "run", lambda *_args, **_options: done)

    instance = Instance(tmp_path)
    answer(json.dumps({"a": 1}))
    assert instance.json("x") == {"a": 1}
    answer('{"a": 1}\n{"a": 2}\n')
    assert instance.json("x") == [{"a": 1}, {"a": 2}]
    answer('{"a": 1}\n')
    assert instance.json_lines("x") == [{"a": 1}]
    answer("")
    assert instance.json_lines("x") == []
