"""The product's settings without the tasks of the other rooms: what is measured is the outbox."""

import os
from pathlib import Path

from depesche.server import keyfile

_key = Path(os.environ["DEPESCHE_HOME"]) / "secret.key"
if not _key.exists():
    keyfile.create(_key)
from depesche.server.settings import *  # noqa: E402, F403  read after the key was made

DEPESCHE_WORKER_TASKS: list[str] = []
DEPESCHE_RIGHTS_CHECK = ""
LOGGING = {}
