from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.processes import ROOT
from tests.support.waiting import wait_until

ORPHAN = """
import os, subprocess, sys
child = subprocess.Popen([sys.executable, "-c", "import signal; signal.pause()"], start_new_session=True)
print(child.pid, flush=True)
os._exit(7)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="orphans are collected on Linux only")
def test_orphans_are_ended_and_the_exit_status_is_kept() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tools.reaper", sys.executable, "-c", ORPHAN],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 7
    wait_until(lambda: not Path(f"/proc/{int(done.stdout)}").exists(), "the orphan's end")
