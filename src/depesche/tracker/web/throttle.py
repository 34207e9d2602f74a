"""How often somebody may try to sign in.

A try is written down before the password is looked at, so that parallel tries count too; the right password
removes it. The narrow limit is per account and address, so that a stranger cannot lock a person out from
elsewhere; the wide ones stop a search through many accounts or from many addresses.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from depesche.tracker.web.models import SignInAttempt

WINDOW: Final = timedelta(minutes=15)
PER_ACCOUNT_AND_IP: Final = 8
PER_IP: Final = 60
PER_ACCOUNT: Final = 120
_KEPT: Final = timedelta(days=1)


@dataclass(frozen=True)
class Counts:
    """Tries within the window, the present one included."""

    account_and_ip: int
    ip: int
    account: int


def too_many(counts: Counts) -> bool:
    return counts.account_and_ip > PER_ACCOUNT_AND_IP or counts.ip > PER_IP or counts.account > PER_ACCOUNT


def attempt(account: str, ip: str, *, now: datetime) -> bool:
    """Write the try down; True when the password may be looked at."""
    account = _key(account)
    SignInAttempt.objects.filter(at__lt=now - _KEPT).delete()
    SignInAttempt.objects.create(account=account, ip=ip, at=now)
    recent = SignInAttempt.objects.filter(at__gt=now - WINDOW)
    return not too_many(
        Counts(
            account_and_ip=recent.filter(account=account, ip=ip).count(),
            ip=recent.filter(ip=ip).count(),
            account=recent.filter(account=account).count(),
        )
    )


def succeeded(account: str, ip: str) -> None:
    """The password was right: the tries from here are forgotten."""
    SignInAttempt.objects.filter(account=_key(account), ip=ip).delete()


def _key(account: str) -> str:
    return account.strip().lower()[:254]
