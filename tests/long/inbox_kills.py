"""1,000 answers, 50 kills of the worker while it fetches them: exactly 1,000 comments, over IMAP and POP3.

    python -m tests.long.inbox_kills [MAILS [KILLS]]

The reduced form is tests/journeys/test_inbox_crash.py, which this runs with larger numbers.
"""

from __future__ import annotations

import os
import subprocess
import sys


def main() -> int:
    mails, kills = [*sys.argv[1:3], *("1000", "50")[len(sys.argv) - 1 :]]
    print(f"{mails} answers, {kills} kills, over IMAP and over POP3 …", flush=True)
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-v", "-p", "no:xdist", "tests/journeys/test_inbox_crash.py"],
        env=os.environ | {"MAILS": mails, "KILLS": kills},
        check=False,
    )
    return done.returncode


if __name__ == "__main__":
    raise SystemExit(main())
