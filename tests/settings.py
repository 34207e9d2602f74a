"""Settings of the test-suite: the product's own, with a throw-away home and a fast password hasher.

`DEPESCHE_DATABASE_URL` chooses the database; without it SQLite is used, in a file (not in memory), so that tests
with several threads or processes see one database. Every process that loads these settings (each xdist worker as
well) has a home of its own, removed when it ends.
"""

import atexit
import importlib.util
import os
import shutil
import tempfile
from pathlib import Path

TEST_HOME = Path(tempfile.mkdtemp(prefix="depesche-test-"))
os.environ["DEPESCHE_HOME"] = str(TEST_HOME)
os.environ["DEPESCHE_BASE_URL"] = "https://tracker.example.org"
_owner = os.getpid()


def _remove_home() -> None:
    if os.getpid() == _owner:  # not in a forked child
        shutil.rmtree(TEST_HOME, ignore_errors=True)


atexit.register(_remove_home)

if importlib.util.find_spec("depesche.server.settings") is not None:
    from depesche.server.settings import *  # noqa: F403  the test settings are the product's settings
else:
    SECRET_KEY = "only-for-tests-" + "x" * 40
    INSTALLED_APPS = ["django.contrib.auth", "django.contrib.contenttypes"]
    USE_TZ = True
    DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
    DATABASES = {
        "default": {"ENGINE": "django.db.backends.sqlite3", "NAME": str(TEST_HOME / "depesche.sqlite3")}
    }

DEBUG = False
ALLOWED_HOSTS = ["*"]
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]

for _alias, _database in DATABASES.items():
    if _database["ENGINE"].endswith("sqlite3"):
        _database.setdefault("TEST", {})["NAME"] = str(TEST_HOME / f"test-{_alias}.sqlite3")
