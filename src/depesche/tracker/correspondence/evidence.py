"""What a received mail brings along for its author: gathered here, judged in authorship.py."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from depesche.mailformat.addresses import Address
from depesche.mailformat.authentication_results import Verdicts, authentication_results
from depesche.mailroom.connections import queries as connections
from depesche.mailroom.inbox.handlers import IncomingMail
from depesche.tracker.accounts import queries as accounts
from depesche.tracker.accounts.models import Person
from depesche.tracker.correspondence import envelope
from depesche.tracker.correspondence.authorship import Check, Evidence, Token, Writer
from depesche.tracker.correspondence.rules import Rules
from depesche.tracker.threads import queries as threads
from depesche.tracker.threads.addresses import Thread
from depesche.tracker.threads.validity import Validity, validity

_TOKENS: Final = {
    Validity.GOOD: Token.GOOD,
    Validity.EXPIRED: Token.EXPIRED,
    Validity.REVOKED: Token.REVOKED,
}


@dataclass(frozen=True)
class Sender:
    """Who wrote a mail, as far as its From says so. `person` is whom that address belongs to, a guest too."""

    address: Address
    person: Person | None
    several: bool = False
    check: Check = Check.UNSAID
    check_by: str = ""
    check_said: str = ""
    names: tuple[str, ...] = field(default=())  # all of From, for people

    @property
    def writer(self) -> Writer:
        if self.several:
            return Writer.SEVERAL
        if self.person is None:
            return Writer.STRANGER
        return Writer.GUEST if self.person.is_guest else Writer.PERSON


def sender_of(mail: IncomingMail) -> Sender | None:
    """None where the mail names nobody."""
    authors = mail.reading.mail.from_
    if not authors:
        return None
    names = tuple(str(author) for author in authors[:3])
    address = envelope.writer(mail)
    if address is None:
        return Sender(authors[0], None, several=True, names=names)
    verdicts = _verdicts(mail)
    return Sender(
        address,
        accounts.person_by_address(address.addr_spec),
        check=check_of(verdicts, address.domain),
        check_by=verdicts.authserv_id[:255],
        check_said=", ".join(f"{one.method}={one.result}" for one in verdicts.all[:8])[:400],
        names=names,
    )


def _verdicts(mail: IncomingMail) -> Verdicts:
    """What the server said that the mailbox names as trusted; nobody else's word is read."""
    if not mail.reading.mail.has_header("authentication-results"):
        return Verdicts("", ())
    trusted = connections.incoming(mail.mailbox).trusted_authserv_id
    return authentication_results(mail.reading.mail, trusted)


def check_of(verdicts: Verdicts, domain: str) -> Check:
    """What the trusted server found out about the domain of From. Only an explicit “fail” of DMARC, the
    method that is about From, is one."""
    if verdicts.authenticates(domain):
        return Check.PASSED
    return Check.FAILED if verdicts.dmarc == "fail" else Check.UNSAID


def token_of(
    named: Sequence[Thread], sender: Sender, item_id: int, rules: Rules, mail: IncomingMail
) -> Token:
    """The best of the tokens in a mail, for its writer and this item."""
    found = {Token.NONE}
    for thread in named:
        if thread.item_id != item_id or thread.person_id is None:
            continue
        if sender.person is None or thread.person_id != sender.person.pk:
            found.add(Token.ANOTHERS)
            continue
        worth = validity(
            thread,
            revoked_until=threads.revoked_until(item_id, thread.person_id),
            lifetime=rules.lifetime,
            now=mail.received_at,
        )
        found.add(_TOKENS[worth])
    return next(token for token in Token if token in found)


def evidence(sender: Sender, token: Token) -> Evidence:
    return Evidence(token, sender.writer, sender.check)
