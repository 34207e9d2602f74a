"""Where this installation keeps its things, read from the environment once."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit


class BadEnvironment(Exception):
    """A value in the environment that cannot be used; the text is one sentence for the administrator."""


@dataclass(frozen=True)
class Environment:
    """The values that differ between installations.

    `home` holds the SQLite database and, unless `key_file` says otherwise, the secret key.
    """

    home: Path
    database_url: str
    key_file: Path
    base_url: str
    base_url_given: bool
    name_servers: tuple[str, ...] = ()
    oauth_addresses: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def read(cls) -> Environment:
        home = Path(os.environ.get("DEPESCHE_HOME", "var")).absolute()
        return cls(
            home=home,
            database_url=os.environ.get("DEPESCHE_DATABASE_URL", ""),
            key_file=Path(os.environ.get("DEPESCHE_SECRET_KEY_FILE", home / "secret.key")).absolute(),
            base_url=os.environ.get("DEPESCHE_BASE_URL", "http://127.0.0.1:8000").rstrip("/"),
            base_url_given="DEPESCHE_BASE_URL" in os.environ,
            name_servers=tuple(os.environ.get("DEPESCHE_NAME_SERVERS", "").split()),
            oauth_addresses=_pairs(os.environ.get("DEPESCHE_OAUTH_ADDRESSES", "")),
        )

    @property
    def sqlite_path(self) -> Path:
        return self.home / "depesche.sqlite3"

    @property
    def uses_sqlite(self) -> bool:
        return not self.database_url or self.database_url.startswith("sqlite:")


def _pairs(text: str) -> dict[str, str]:
    """`microsoft=https://login.example.us google=…`"""
    pairs = (word.partition("=") for word in text.split())
    return {name: address for name, equals, address in pairs if equals and address}


def database_settings(environment: Environment) -> dict[str, Any]:
    """Django's DATABASES["default"] for the environment.

    SQLite: WAL so that readers never wait for the writer; IMMEDIATE because a transaction that upgrades
    from reading to writing fails at once with "database is locked", whatever the timeout.
    """
    url = environment.database_url
    if environment.uses_sqlite:
        path = url.removeprefix("sqlite://").removeprefix("/") if url else ""
        return {
            "ENGINE": "depesche.server.sqlite3",
            "NAME": f"/{path}" if path else str(environment.sqlite_path),
            "OPTIONS": {
                "timeout": 20,
                "transaction_mode": "IMMEDIATE",
                "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON;",
            },
        }
    parts = urlsplit(url)
    if parts.scheme not in {"postgres", "postgresql"}:
        raise BadEnvironment(
            f"DEPESCHE_DATABASE_URL begins with {parts.scheme!r}; Depesche knows sqlite and postgres."
        )
    query = dict(parse_qsl(parts.query))
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": unquote(parts.path.lstrip("/")) or "depesche",
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": query.pop("host", "") or unquote(parts.hostname or ""),
        "PORT": str(parts.port or ""),
        "OPTIONS": query,
        "CONN_MAX_AGE": 60,
        "CONN_HEALTH_CHECKS": True,
    }
