"""What is wrong with certificates, or soon will be: a source of alarms."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

from depesche.mailroom.connections import certificates, queries
from depesche.mailroom.connections.alarms import Alarm, Fact, Level
from depesche.mailroom.connections.diagnosis.causes import explain
from depesche.mailroom.connections.hosts import same_host
from depesche.mailroom.connections.presented.queries import PresentedRow, presented, targets
from depesche.mailroom.connections.queries import KeystoreRow

THRESHOLDS = (1, 7, 30)
"""Days before its end at which a certificate is announced; each is an occurrence of its own, told anew."""

_PAGE = "connections:keystore"


def alarms(now: datetime) -> Iterator[Alarm]:
    """Certificates of servers and of the keystore that end, and servers that show another one."""
    shown = presented()
    for row in shown:
        facts: dict[str, Fact] = {"subject": row.subject, "host": row.host, "port": row.port}
        yield from _ending("server-certificate", f"{row.host}:{row.port}", row.not_after, facts, now)
        if row.news(now):
            yield _changed(row)
    known = {row.sha256 for row in shown}
    for entry in queries.keystore():
        if entry.sha256 not in known:  # else it is the same certificate, and the server's to renew
            names = f"{entry.host}:{entry.port}" if entry.host else ", ".join(entry.names)
            facts = {"subject": entry.subject, "names": names}
            worst = Level.CRITICAL if _needed(entry, shown) else Level.WARNING
            yield from _ending("keystore-entry", str(entry.id), entry.not_after, facts, now, worst=worst)


def _needed(entry: KeystoreRow, shown: Sequence[PresentedRow]) -> bool:
    """Whether a server of the settings stands on this entry. Where it does so by a certificate between the
    two, the connection itself says when it fails."""
    if entry.host:
        return any(same_host(entry.host, to.host) and entry.port == to.port for to in targets())
    return any(row.issuer == entry.subject for row in shown)


def threshold(not_after: datetime, now: datetime) -> int | None:
    """The smallest of THRESHOLDS that is reached; 0 once it has ended, None while the end is far."""
    if now > not_after:
        return 0
    days = (not_after - now).total_seconds() / 86400
    return next((most for most in THRESHOLDS if days <= most), None)


def _ending(
    code: str,
    about: str,
    not_after: datetime,
    facts: dict[str, Fact],
    now: datetime,
    *,
    worst: Level = Level.CRITICAL,
) -> Iterator[Alarm]:
    reached = threshold(not_after, now)
    if reached is None:
        return
    facts = {**facts, "day": not_after, "days": max((not_after - now).days, 0)}
    if reached == 0:
        yield Alarm(f"{code}-ended", worst, facts, since=not_after, link=_PAGE, about=about)
    else:
        level = worst if reached == 1 else Level.WARNING
        yield Alarm(f"{code}-ends", level, facts, link=_PAGE, about=f"{about}/{reached}")


def _changed(row: PresentedRow) -> Alarm:
    facts: dict[str, Fact] = {
        "host": row.host,
        "port": row.port,
        "changed": row.changed_at,
        "old": _in_words(row.old_subject, row.old_issuer, row.old_sha256),
        "new": _in_words(row.subject, row.issuer, row.sha256),
    }
    about = f"{row.host}:{row.port}/{row.sha256[:16]}"
    if row.problem:
        cause = explain(row.problem, {"host": row.host, "port": row.port})
        facts["detail"] = f"{cause.title}."
        return Alarm(
            "certificate-unverified",
            Level.CRITICAL,
            facts,
            since=row.changed_at,
            link=_PAGE,
            about=about,
        )
    return Alarm("certificate-changed", Level.WARNING, facts, since=row.changed_at, link=_PAGE, about=about)


def _in_words(subject: str, issuer: str, sha256: str) -> str:
    by = f" ← {issuer}" if issuer != subject else ""
    return f"{subject}{by}, SHA-256 {certificates.in_groups(sha256)[:23]}…"
