"""Which servers of the outside world this machine has, and in words why not.

A test says what it needs with a fixture (`mail_host`, `browser`) or with `@pytest.mark.needs("postfix")`.
Where it is missing, the test is skipped with the reason; in CI (`CI=true`) that is a failure.
"""

from __future__ import annotations

import ctypes.util
import os
import shutil
from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest

DAEMONS = os.pathsep.join(["/usr/sbin", "/usr/local/sbin", os.environ.get("PATH", "")])
INSTALL = "run `make test` as root on a machine with apt, or install it"


def find(program: str) -> str | None:
    """Where a program is, daemons included."""
    return shutil.which(program, path=DAEMONS)


def _postfix() -> str | None:
    if find("postfix") is None:
        return f"Postfix is not installed: {INSTALL}"
    return None if os.geteuid() == 0 else "Postfix can only be started by root"


def _smtp_sink() -> str | None:
    return None if find("smtp-sink") else f"smtp-sink (of Postfix) is not installed: {INSTALL}"


def _dovecot() -> str | None:
    if find("dovecot") is None:
        return f"Dovecot is not installed: {INSTALL}"
    for protocol in ("imap", "pop3"):
        if (
            not Path(f"/usr/lib/dovecot/{protocol}-login").exists()
            and not Path(f"/usr/libexec/dovecot/{protocol}-login").exists()
        ):
            return f"Dovecot's {protocol} server is not installed: {INSTALL}"
    return None if os.geteuid() == 0 else "Dovecot can only be started by root here"


def _sieve() -> str | None:
    here = Path("/usr/lib/dovecot/lmtp").exists() and any(
        Path("/usr/lib/dovecot").rglob("lib90_sieve_plugin.so")
    )
    return _dovecot() if here else f"Dovecot's LMTP server and Sieve are not installed: {INSTALL}"


def _chromium() -> str | None:
    if find("chromium") is None:
        return f"Chromium is not installed: {INSTALL}"
    return (
        None
        if ctypes.util.find_library("atomic")
        else f"libatomic, for the browser's driver, is missing: {INSTALL}"
    )


def _program(file: str, name: str) -> str | None:
    return None if find(file) else f"{name} is not installed: {INSTALL}"


SERVERS: dict[str, Callable[[], str | None]] = {
    "postfix": _postfix,
    "smtp-sink": _smtp_sink,
    "dovecot": _dovecot,
    "chromium": _chromium,
    "mutt": lambda: _program("mutt", "Mutt"),
    "sieve": _sieve,
    "nmh": lambda: _program("/usr/bin/mh/repl", "nmh"),
    "s-nail": lambda: _program("s-nail", "S-nail"),
}


@cache
def missing(name: str) -> str | None:
    """Why there is no such server here; None when there is."""
    return SERVERS[name]()


def require(*names: str) -> None:
    """Skip the running test, with the reason, unless all these are here."""
    for name in names:
        reason = missing(name)
        if reason is not None:
            pytest.skip(reason)
