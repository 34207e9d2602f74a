"""Settings of the test-suite: the product's own, with a throw-away home and a fast password hasher.

`DEPESCHE_DATABASE_URL` chooses the database; without it SQLite is used, in a file (not in memory), so that
tests with several threads or processes see one database. Every process that loads these settings (each xdist
worker as well) has a home of its own, removed when it ends.
"""

import atexit
import os
import shutil
import tempfile
from pathlib import Path

from depesche.server import keyfile

TEST_HOME = Path(tempfile.mkdtemp(prefix="depesche-test-"))
os.environ["DEPESCHE_HOME"] = str(TEST_HOME)
os.environ.pop("DEPESCHE_SECRET_KEY_FILE", None)
os.environ["DEPESCHE_BASE_URL"] = "https://tracker.example.org"
_owner = os.getpid()


def _remove_home() -> None:
    if os.getpid() == _owner:  # not in a forked child
        shutil.rmtree(TEST_HOME, ignore_errors=True)


atexit.register(_remove_home)

keyfile.create(TEST_HOME / "secret.key")
from depesche.server.settings import *  # noqa: E402, F403  read after the environment was set; these are the product's

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]

for _alias, _database in DATABASES.items():  # noqa: F405  from the product's settings
    if _database["ENGINE"].endswith("sqlite3"):
        _database.setdefault("TEST", {})["NAME"] = str(TEST_HOME / f"test-{_alias}.sqlite3")
