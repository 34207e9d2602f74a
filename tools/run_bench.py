"""The benchmarks beside other programs: `make bench`, with `ARGS` for `python -m bench`."""

from __future__ import annotations

import os
import sys

from tools import system_packages

if __name__ == "__main__":
    system_packages.ensure(("Postfix",))  # smtp-sink and smtp-source come with it
    sys.stdout.flush()
    os.execv(sys.executable, [sys.executable, "-m", "bench", *sys.argv[1:]])
