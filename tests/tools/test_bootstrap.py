from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.processes import ROOT
from tools import bootstrap


def interpreter(folder: Path, name: str, version: str) -> Path:
    """A program that answers the set-up's question as a Python of that version does."""
    path = folder / name
    path.write_text(f"#!/bin/sh\necho {path}\necho {version}\n")
    path.chmod(0o755)
    return path


@pytest.fixture
def only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that is the whole PATH, with an old Python running the set-up."""
    old = interpreter(tmp_path, "python3", "3 9")
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("PYTHON", raising=False)
    monkeypatch.setattr(sys, "executable", str(old))
    return tmp_path


def test_a_new_enough_python_is_found_by_its_name(only: Path) -> None:
    assert bootstrap.find_python() is None
    wanted = interpreter(only, "python3.12", "3 12")
    assert bootstrap.find_python() == str(wanted)
    assert bootstrap.find_python(exactly=(3, 11)) is None


def test_a_named_python_comes_first(only: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    interpreter(only, "python3.12", "3 12")
    (tmp_path / "own").mkdir()
    named = interpreter(tmp_path / "own", "python", "3 13")
    monkeypatch.setenv("PYTHON", str(named))
    assert bootstrap.find_python() == str(named)


def test_what_is_no_python_is_passed_over(only: Path) -> None:
    broken = only / "python3.12"
    broken.write_text("#!/bin/sh\necho 'command not found' >&2\nexit 127\n")
    broken.chmod(0o755)
    assert bootstrap.find_python() is None
    assert bootstrap.probe(str(only / "missing")) is None


def test_without_a_python_one_sentence_says_what_to_do(
    only: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        bootstrap.make_environment()
    assert "needs Python 3.11 or newer" in capsys.readouterr().err


def test_the_environment_is_up_to_date_and_a_command_runs_in_it() -> None:
    """The tests themselves run in what `make` has set up: a second call finds nothing to do."""
    command = [sys.executable, "tools/bootstrap.py", "dev", "python", "-c", "import sys; print(sys.prefix)"]
    if not bootstrap.STAMP.exists():
        pytest.fail("these tests run in an environment that tools/bootstrap.py did not make")
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=120)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.strip() == str(bootstrap.VENV)


def test_wrong_usage_is_told() -> None:
    done = subprocess.run(
        [sys.executable, "tools/bootstrap.py", "run"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert "bootstrap.py setup" in done.stderr
