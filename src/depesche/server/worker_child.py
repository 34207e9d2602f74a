"""The worker as a child of `depesche serve`: drains when it is told to, and when its parent is gone."""

from __future__ import annotations

import os
import signal
import sys
import threading

from depesche.server.cli import main


def _end_with_parent() -> None:
    os.read(sys.stdin.fileno(), 1)  # nothing is ever written: this returns when the parent is gone
    os.kill(os.getpid(), signal.SIGTERM)


if __name__ == "__main__":
    threading.Thread(target=_end_with_parent, name="end-with-parent", daemon=True).start()
    sys.exit(main(["worker"]))
