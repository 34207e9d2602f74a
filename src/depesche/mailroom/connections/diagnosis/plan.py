"""What is to be tested: everything that the test needs, read from the database before it begins.

The test itself runs in a thread of its own and touches no database.
"""

from __future__ import annotations

import secrets as chance
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

from django.utils import translation
from django.utils.translation import gettext as _

from depesche.mailformat import compose
from depesche.mailformat.addresses import Address, AddressError, with_tag
from depesche.mailroom.connections import access, actions, queries
from depesche.mailroom.connections.choices import Auth, MailboxProtocol, PlusAddressing
from depesche.mailroom.connections.diagnosis.steps import Step, flows, forms_of
from depesche.mailroom.connections.forms import outgoing_values
from depesche.mailroom.connections.history.models import Area
from depesche.mailroom.connections.history.recording import note_worked
from depesche.mailroom.connections.oauth import tokens
from depesche.mailroom.connections.queries import IncomingSettings, OutgoingSettings
from depesche.mailroom.connections.secrets import Secret
from depesche.mailroom.connections.signing.keys import signer_for
from depesche.mailroom.connections.signing.signer import Signer
from depesche.mailroom.mailboxes import MailboxConfig
from depesche.smtpclient.config import ConnectionConfig, Encryption, Timeouts, TokenSource

STEP_SECONDS = 30.0


@dataclass(frozen=True)
class MailboxPlan:
    """The mailbox that the test logs in to or looks into; `problem` says why that is not possible."""

    config: MailboxConfig | None = None
    problem: str = ""


@dataclass(frozen=True)
class Plan:
    """One test of the way out. `login_problem`: why there are no credentials although there should be."""

    settings: OutgoingSettings
    config: ConnectionConfig
    to: str
    user_address: str
    message_id: str
    language: str
    login_problem: str = ""
    mailbox_first: MailboxPlan | None = None
    arrival: MailboxPlan | None = None
    no_arrival: str = ""  # why arrival is not watched
    tagged_address: str = ""  # gets a copy, to find out whether tagged addresses arrive
    incoming_revision: int = 0
    incoming: IncomingSettings | None = None
    user_name: str = ""
    signer: Signer | None = None
    seconds: float = STEP_SECONDS
    secrets: tuple[str, ...] = field(default=(), repr=False)

    @property
    def facts(self) -> dict[str, object]:
        """What the sentences of causes may name."""
        return {
            "host": self.settings.host,
            "port": self.config.port,
            "encryption": self.settings.encryption,
            "username": getattr(self.config.credentials, "username", "") or self.settings.username,
            "seconds": f"{self.seconds:g}",
        }


def plan_test(
    settings: OutgoingSettings,
    *,
    to: str,
    user_address: str = "",
    user_name: str = "",
    password: str | Secret | None = None,
    incoming: IncomingSettings | None = None,
    seconds: float = STEP_SECONDS,
) -> Plan:
    """Get a test ready. Raises access.NotConfigured without a server or a system address.

    `user_address` is that of the person who tests, From which a second mail is offered. A login that cannot
    be made does not stop the test: it shows as the step that fails.
    """
    settings = queries.completed(settings)
    if not settings.system_address:
        raise access.NotConfigured(_("Enter the system address: the test mail comes from it."))
    incoming = incoming or queries.incoming()
    timeouts, login_problem = Timeouts.each(seconds), ""
    try:
        config = access.smtp_config(settings, password=password, mailbox=incoming, timeouts=timeouts)
    except access.NotConfigured as error:
        if not settings.host:
            raise
        login_problem = str(error)
        config = ConnectionConfig(
            host=settings.host,
            port=settings.port,
            encryption=Encryption(settings.encryption),
            trust=access.trust_of(settings),
            timeouts=timeouts,
        )
    if isinstance(config.credentials, TokenSource):
        tokens.try_again_now(0)
    mailbox = _mailbox(incoming, seconds)
    words = [getattr(config.credentials, "password", "")]
    if mailbox.config is not None:
        words.append(mailbox.config.password)
    system = Address("", settings.system_address)
    return Plan(
        settings=settings,
        config=config,
        to=to,
        user_address=user_address,
        message_id=compose.message_id(f"test.{chance.token_hex(12)}", system.domain),
        language=translation.get_language() or "en",
        login_problem=login_problem,
        mailbox_first=mailbox if settings.auth == Auth.MAILBOX_FIRST else None,
        arrival=mailbox if incoming.is_mailbox else None,
        no_arrival=_why_no_arrival(incoming),
        tagged_address=_tagged(system, incoming),
        incoming_revision=incoming.revision,
        incoming=incoming,
        user_name=user_name,
        signer=signer_for(settings.system_address),
        seconds=seconds,
        secrets=tuple(word for word in words if forms_of(word)),
    )


def _mailbox(incoming: IncomingSettings, seconds: float) -> MailboxPlan:
    try:
        return MailboxPlan(access.mailbox_config(incoming, timeout=seconds))
    except access.NotConfigured as error:
        return MailboxPlan(problem=str(error))


def _tagged(system: Address, incoming: IncomingSettings) -> str:
    """An address nobody can guess, so that a mail to it proves something; "" where no proof is wanted."""
    unproved = incoming.plus_addressing == PlusAddressing.AUTO and incoming.tagged_address_seen_at is None
    if not incoming.is_mailbox or not unproved:
        return ""
    try:
        return with_tag(system, f"test-{chance.token_hex(8)}").addr_spec
    except AddressError:  # no room left before the @
        return ""


def learn(plan: Plan, steps: Iterable[Step], *, now: datetime) -> None:
    """Keep what a test has found out: whether reply addresses may carry a tag, and that the saved settings
    work, if it was those that passed."""
    listed = list(steps)
    saved = queries.outgoing(plan.settings.place)
    if flows(listed) and outgoing_values(saved) == outgoing_values(plan.settings):
        note_worked(Area.OUTGOING, saved.place, revision=saved.revision, now=now, proved=True)
    if any(step.proves_tags for step in listed) and queries.incoming().revision == plan.incoming_revision:
        actions.note_tagged_address_seen(now)
    takes = next((step.takes_tags for step in listed if step.takes_tags is not None), None)
    if takes is not None and _same_sender(plan.settings, queries.outgoing(plan.settings.place)):
        actions.note_tagged_sender(takes, now, place=plan.settings.place)


def _same_sender(tested: OutgoingSettings, saved: OutgoingSettings) -> bool:
    """Whether what was tested is what mails go out by."""
    return all(
        getattr(tested, name) == getattr(saved, name)
        for name in ("host", "port", "auth", "username", "system_address")
    )


def tagged_sender(system: str) -> str:
    """A sender such as reports come back to, if they can be told apart; "" where there is no room."""
    try:
        return with_tag(Address("", system), f"b-{chance.token_hex(12)}").addr_spec
    except AddressError:
        return ""


def _why_no_arrival(incoming: IncomingSettings) -> str:
    if incoming.protocol == MailboxProtocol.PIPE:
        return _("Mails come in by a pipe, which the test cannot look into.")
    return "" if incoming.is_mailbox else _("No mailbox is set up under “Incoming”.")
