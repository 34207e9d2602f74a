"""What `depesche check` looks at: each finding says what is the case and, where it is a fault, what to do."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from django.conf import settings
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

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
    where = {"address": settings.DEPESCHE_BASE_URL}
    if environment.base_url_given:
        yield Finding(Level.OK, _("Links in mails lead to %(address)s.") % where)
    else:
        yield Finding(
            Level.WARNING,
            _("Links in mails lead to %(address)s, which other machines cannot reach.") % where,
            _("Set DEPESCHE_BASE_URL to the address that people open in their browser."),
        )
    if environment.key_file.stat().st_mode & 0o077:
        yield Finding(
            Level.ERROR,
            _("Others on this machine can read the secret key %(file)s.") % {"file": environment.key_file},
            _("Run: %(command)s") % {"command": f"chmod 600 {environment.key_file}"},
        )


def _outgoing(now: datetime) -> Iterator[Finding]:
    connection = connections.outgoing()
    health = connections.health()
    if health.flow is Flow.UNCONFIGURED:
        yield Finding(
            Level.ERROR,
            _("No system address is configured: mails wait in the outbox.")
            if connection.host
            else _("No SMTP server is configured: mails wait in the outbox."),
            _("Open Administration, E-mail, Outgoing; or: %(command)s")
            % {"command": "depesche connection set host=… system_address=…"},
        )
    elif connections.place_in_use():
        failover = connections.outgoing(1)
        yield Finding(
            Level.WARNING,
            _("Mail goes out through the failover %(server)s: %(why)s")
            % {"server": f"{failover.host}:{failover.port}", "why": reason_of_pause(health)},
            _try_it(),
        )
    elif health.flow is Flow.PAUSED:
        yield Finding(
            Level.ERROR,
            _("Mail does not flow: %(why)s") % {"why": reason_of_pause(health)},
            _try_it(),
        )
    else:
        yield Finding(
            Level.OK,
            ngettext(
                "Mail goes out through %(server)s (%(encryption)s), at most %(count)d connection.",
                "Mail goes out through %(server)s (%(encryption)s), at most %(count)d connections.",
                connection.max_connections,
            )
            % {
                "server": f"{connection.host}:{connection.port}",
                "encryption": connection.encryption,
                "count": connection.max_connections,
            },
        )
    if connection.encryption == "none" and connection.auth != "none" and connection.allow_clear_password:
        yield Finding(
            Level.WARNING,
            _("The SMTP password may travel in clear."),
            _("Choose the encryption TLS or SSL if the server knows it."),
        )


def _outbox(now: datetime) -> Iterator[Finding]:
    stats = outbox.stats(now)
    if stats.workers:
        yield Finding(
            Level.OK,
            ngettext("%(count)d worker at work.", "%(count)d workers at work.", stats.workers)
            % {"count": stats.workers},
        )
    for state in ("failed", "expired", "held"):
        if count := stats.states.get(state, 0):
            command = f"depesche outbox list --state {state}"
            yield Finding(Level.WARNING, _left(state, count), _("See: %(command)s") % {"command": command})


def _left(state: str, count: int) -> str:
    if state == "failed":
        said = ngettext(
            "%(count)d mail was refused for good.", "%(count)d mails were refused for good.", count
        )
    elif state == "expired":
        said = ngettext("%(count)d mail was given up.", "%(count)d mails were given up.", count)
    else:
        said = ngettext("%(count)d mail waits for you.", "%(count)d mails wait for you.", count)
    return said % {"count": count}


def _try_it() -> str:
    return _("Run: %(command)s") % {"command": "depesche connection test --to " + _("YOUR-ADDRESS")}


def _mailbox(mailbox: IncomingSettings) -> Iterator[Finding]:
    if not mailbox.configured:
        return
    named = f" {mailbox.title}" if mailbox.place else ""
    if mailbox.last_error:
        yield Finding(
            Level.ERROR,
            _("The mailbox%(name)s cannot be read: %(why)s") % {"name": named, "why": mailbox.last_error},
            _("Run: %(command)s")
            % {"command": f"depesche mailbox test{f' --name {mailbox.title}' if mailbox.place else ''}"},
        )
    elif mailbox.protocol == MailboxProtocol.PIPE:
        yield Finding(
            Level.OK,
            _("Mails%(name)s come in through a pipe (%(command)s).")
            % {"name": named, "command": "'depesche inbox receive -'"},
        )
    else:
        where = f"{mailbox.host}:{mailbox.port} ({mailbox.protocol})"
        yield Finding(
            Level.OK, _("Mails%(name)s come in from %(server)s.") % {"name": named, "server": where}
        )


def _incoming(now: datetime) -> Iterator[Finding]:
    if not any(one.configured for one in connections.mailboxes()):
        if connections.outgoing().items_by_mail:
            yield Finding(
                Level.ERROR,
                _("Items by mail are on, but no mailbox is configured: nothing can arrive."),
                _("Run: %(command)s")
                % {"command": "depesche mailbox set protocol=imap host=… username=… --password-stdin"},
            )
        else:
            yield Finding(Level.OK, _("No mailbox is configured: answers by mail are not promised."))
        return
    for one in connections.mailboxes():
        yield from _mailbox(one)
    if connections.outgoing().items_by_mail and not items.default_workspace():
        yield Finding(
            Level.ERROR,
            _("Items by mail are on, but no workspace takes them."),
            _("Open Administration, Workspaces, and choose one."),
        )


def _alarms(now: datetime) -> Iterator[Finding]:
    """What the watch knows beside the above."""
    for alarm in alarms.current(now):
        if alarm.code not in _SAID_ABOVE:
            words = alarm.words
            level = Level.ERROR if alarm.level is alarms.Level.CRITICAL else Level.WARNING
            yield Finding(level, f"{words.title}. {words.why}", words.remedy)
