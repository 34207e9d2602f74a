"""The example does what it says, as a program of its own, and without Django."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from depesche.smtpclient.testing import FakeServer, in_thread

ROOT = Path(__file__).parents[2]


def run(*command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *command], capture_output=True, text=True, cwd=ROOT, timeout=120, check=False
    )


def test_a_thousand_messages() -> None:
    with in_thread(FakeServer()) as server:
        done = run("examples/submit_1000.py", "127.0.0.1", str(server.port), "a@example.org", "b@example.org")
        assert (done.returncode, done.stdout, done.stderr) == (0, "1000 accepted\n", "")
        assert len(server.messages) == 1000
        assert server.high_water <= 10


def test_no_django() -> None:
    code = "import sys, depesche.smtpclient.testing; sys.exit('django' in sys.modules)"
    assert run("-c", code).returncode == 0
