"""Run a command and leave nothing behind: `python -m tools.reaper COMMAND …` exits as the command does.

Whatever the command's processes start and orphan is handed to this process (Linux's child subreaper),
collected while the command runs, and killed when it has ended. SIGTERM is passed on to the command, SIGUSR1
as SIGINT; Ctrl-C reaches it by itself.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

PR_SET_CHILD_SUBREAPER = 36
PATIENCE = 10.0  # seconds for what was left to die of SIGKILL


def children() -> list[int]:
    """The processes whose parent is this one."""
    found = []
    for entry in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError, ValueError, IndexError):
            parent = entry.read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()[1]
            if int(parent) == os.getpid():
                found.append(int(entry.parent.name))
    return found


def collect(main: int) -> int:
    """Take the exit status of every process that ends, until the main one has; its exit status."""
    while True:
        try:
            pid, status = os.wait()
        except InterruptedError:
            continue
        if pid == main:
            code = os.waitstatus_to_exitcode(status)
            return code if code >= 0 else 128 - code


def kill_the_rest() -> None:
    """End what is left, and what becomes an orphan by that."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline and (left := children()):
        for pid in left:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        with contextlib.suppress(ChildProcessError):
            os.wait()


def main(command: list[str]) -> int:
    """Run the command."""
    with contextlib.suppress(OSError, AttributeError):  # another system than Linux: orphans stay orphans
        ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    process = subprocess.Popen(command)
    signal.signal(signal.SIGINT, lambda _received, _frame: None)
    signal.signal(signal.SIGTERM, lambda _received, _frame: os.kill(process.pid, signal.SIGTERM))
    signal.signal(signal.SIGUSR1, lambda _received, _frame: os.kill(process.pid, signal.SIGINT))
    try:
        return collect(process.pid)
    finally:
        process.returncode = 0  # its status was taken above
        kill_the_rest()


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
