"""Who holds a lease, and whether another one on this machine is still alive.

An owner's name says machine (as far as process ids mean the same: boot and pid namespace), process, its start
and a random rest. So a worker that starts after a crash can tell that the one before is dead, and takes back
its rows and slots at once; for owners elsewhere, and where the system has no /proc, the leases decide.
"""

from __future__ import annotations

import hashlib
import os
import secrets
from collections.abc import Iterable
from pathlib import Path

_PROC = Path("/proc")


def machine() -> str:
    """This machine, as far as process ids mean the same; "" where the system does not say."""
    try:
        boot = (_PROC / "sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
        return hashlib.sha256(f"{boot} {os.readlink(_PROC / 'self/ns/pid')}".encode()).hexdigest()[:10]
    except OSError:
        return ""


def _started(process: int) -> str:
    """When the process started, in clock ticks since the boot; "" where there is none (a zombie is none)."""
    try:
        fields = (_PROC / str(process) / "stat").read_text(encoding="ascii", errors="replace")
    except OSError:
        return ""
    words = fields.rpartition(")")[2].split()
    return "" if words[0] in "ZX" else words[19]


def new_owner() -> str:
    """A name for one holder of leases in this process, at most 40 characters, never used before."""
    process = os.getpid()
    return f"{machine()}.{process}.{_started(process)}.{secrets.token_hex(3)}"[:40]


def dead_among(owners: Iterable[str]) -> list[str]:
    """Those whose process certainly lives no more. Nobody on another machine is ever among them."""
    here = machine()
    return [owner for owner in set(owners) if here and _is_dead(owner, here)]


def _is_dead(owner: str, here: str) -> bool:
    parts = owner.split(".")
    if len(parts) != 4 or parts[0] != here or not parts[1].isdigit() or not parts[2]:
        return False
    return _started(int(parts[1])) != parts[2]
