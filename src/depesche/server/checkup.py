"""What `depesche check` looks at: each finding says what is the case and, where it is a fault, what to do."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from django.conf import settings

from depesche.mailroom.connections import alarms
from depesche.mailroom.connections import queries as connections
from depesche.mailroom.connections.choices import MailboxProtocol
from depesche.mailroom.connections.diagnosis.pauses import reason_of_pause
from depesche.mailroom.connections.queries import Flow, IncomingSettings
from depesche.mailroom.outbox import queries as outbox
from depesche.tracker.items import queries as items

# What is said about these, and the remedy, names the commands.
_SAID_ABOVE = frozenset(
    {"no-server", "paused", "failover-in-use", "no-mailbox", "mailbox-fails", "mails-held", "mails-fail"}
)


class Level(StrEnum):
    OK = "ok"
    WARNING = "warning"
    ERROR = "error"


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at. `remedy` is empty where nothing is to be done."""

    level: Level
    what: str
    remedy: str = ""


def findings(now: datetime) -> list[Finding]:
    """Everything that was looked at, in the order in which mail passes it."""
    return [
        *_addresses(),
        *_outgoing(now),
        *_outbox(now),
        *_incoming(now),
        *_alarms(now),
    ]


def _addresses() -> Iterator[Finding]:
    environment = settings.ENVIRONMENT
    if environment.base_url_given:
        yield Finding(Level.OK, f"Links in mails lead to {settings.DEPESCHE_BASE_URL}.")
    else:
        yield Finding(
            Level.WARNING,
            f"Links in mails lead to {settings.DEPESCHE_BASE_URL}, which other machines cannot reach.",
            "Set DEPESCHE_BASE_URL to the address that people open in their browser.",
        )
    if environment.key_file.stat().st_mode & 0o077:
        yield Finding(
            Level.ERROR,
            f"Others on this machine can read the secret key {environment.key_file}.",
            f"Run: chmod 600 {environment.key_file}",
        )


def _outgoing(now: datetime) -> Iterator[Finding]:
    connection = connections.outgoing()
    health = connections.health()
    if health.flow is Flow.UNCONFIGURED:
        missing = "system address" if connection.host else "SMTP server"
        yield Finding(
            Level.ERROR,
            f"No {missing} is configured: mails wait in the outbox.",
            "Open Administration, E-mail, Outgoing; or: depesche connection set host=… system_address=…",
        )
    elif connections.place_in_use():
        failover = connections.outgoing(1)
        yield Finding(
            Level.WARNING,
            f"Mail goes out through the failover {failover.host}:{failover.port}: {reason_of_pause(health)}",
            "Run: depesche connection test --to YOUR-ADDRESS",
        )
    elif health.flow is Flow.PAUSED:
        yield Finding(
            Level.ERROR,
            f"Mail does not flow: {reason_of_pause(health)}",
            "Run: depesche connection test --to YOUR-ADDRESS",
        )
    else:
        yield Finding(
            Level.OK,
            f"Mail goes out through {connection.host}:{connection.port} ({connection.encryption}), "
            f"at most {connection.max_connections} connections.",
        )
    if connection.encryption == "none" and connection.auth != "none" and connection.allow_clear_password:
        yield Finding(
            Level.WARNING,
            "The SMTP password may travel in clear.",
            "Choose the encryption TLS or SSL if the server knows it.",
        )


def _outbox(now: datetime) -> Iterator[Finding]:
    stats = outbox.stats(now)
    if stats.workers:
        yield Finding(Level.OK, f"{stats.workers} worker(s) at work.")
    for state, what in (("failed", "refused for good"), ("expired", "given up"), ("held", "held for you")):
        if count := stats.states.get(state, 0):
            yield Finding(
                Level.WARNING, f"{count} mails were {what}.", f"See: depesche outbox list --state {state}"
            )


def _mailbox(mailbox: IncomingSettings) -> Iterator[Finding]:
    if not mailbox.configured:
        return
    named = f" {mailbox.title}" if mailbox.place else ""
    if mailbox.last_error:
        yield Finding(
            Level.ERROR,
            f"The mailbox{named} cannot be read: {mailbox.last_error}",
            f"Run: depesche mailbox test{f' --name {mailbox.title}' if mailbox.place else ''}",
        )
    elif mailbox.protocol == MailboxProtocol.PIPE:
        yield Finding(Level.OK, f"Mails{named} come in through a pipe ('depesche inbox receive -').")
    else:
        where = f"{mailbox.host}:{mailbox.port} ({mailbox.protocol})"
        yield Finding(Level.OK, f"Mails{named} come in from {where}.")


def _incoming(now: datetime) -> Iterator[Finding]:
    if not any(one.configured for one in connections.mailboxes()):
        if connections.outgoing().items_by_mail:
            yield Finding(
                Level.ERROR,
                "Items by mail are on, but no mailbox is configured: nothing can arrive.",
                "Run: depesche mailbox set protocol=imap host=… username=… --password-stdin",
            )
        else:
            yield Finding(Level.OK, "No mailbox is configured: answers by mail are not promised.")
        return
    for one in connections.mailboxes():
        yield from _mailbox(one)
    if connections.outgoing().items_by_mail and not items.default_workspace():
        yield Finding(
            Level.ERROR,
            "Items by mail are on, but no workspace takes them.",
            "Open Administration, Workspaces, and choose one.",
        )


def _alarms(now: datetime) -> Iterator[Finding]:
    """What the watch knows beside the above."""
    for alarm in alarms.current(now):
        if alarm.code not in _SAID_ABOVE:
            words = alarm.words
            level = Level.ERROR if alarm.level is alarms.Level.CRITICAL else Level.WARNING
            yield Finding(level, f"{words.title}. {words.why}", words.remedy)
