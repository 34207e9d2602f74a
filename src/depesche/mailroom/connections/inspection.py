"""A server's certificates, looked at: each thing that verifies or does not, and what could be trusted (M10).

Blocking, bounded in time. A handshake names only the first thing that is wrong; a person who is to decide
needs all of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from django.utils import formats, timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from depesche.mailroom.connections import certificates, fetch, keystore, queries
from depesche.mailroom.connections.certificates import Certificate
from depesche.mailroom.connections.fetch import Protocol
from depesche.mailroom.connections.queries import KeystoreRow
from depesche.smtpclient.config import Trust
from depesche.smtpclient.errors import Cause


class Trait(StrEnum):
    """What is judged about a certificate."""

    AUTHORITY = "authority"
    NAME = "name"
    DATES = "dates"
    STRENGTH = "strength"


@dataclass(frozen=True)
class Check:
    """One judgement, in words. `mends`: whether trusting the certificate for its host and port makes up for
    it; dates and strength nothing makes up for."""

    trait: Trait
    ok: bool
    words: str

    @property
    def mends(self) -> bool:
        return self.trait in (Trait.AUTHORITY, Trait.NAME)


@dataclass(frozen=True)
class Sighting:
    """What a server showed. `chain` begins with its own certificate. `problem` is None where connections to
    it succeed as things are; `authorities` have really issued it, the topmost first; `replaced` is what was
    trusted for this host and port so far, where the server now shows something else."""

    host: str
    port: int
    starttls: Protocol | None
    chain: tuple[Certificate, ...]
    problem: Cause | None
    checks: tuple[Check, ...]
    authorities: tuple[Certificate, ...]
    replaced: tuple[KeystoreRow, ...]
    at: datetime

    @property
    def own(self) -> Certificate:
        return self.chain[0]

    @property
    def can_be_trusted(self) -> bool:
        """Whether a trusted certificate would make connections succeed."""
        return all(check.ok or check.mends for check in self.checks)


def look(host: str, port: int, *, starttls: Protocol | None, timeout: float = 30.0) -> Sighting:
    """Ask the server for its certificates and judge them. Raises fetch.CannotFetch."""
    trust = keystore.trust_for(host, port)
    found = fetch.fetch(host, port, starttls=starttls, trust=trust, timeout=timeout)
    vouched = fetch.vouched_for(
        host, port, starttls=starttls, trust=Trust(trust.ca_pems, trust.leaf_pems), timeout=timeout
    )
    now = timezone.now()
    return Sighting(
        host=host,
        port=port,
        starttls=starttls,
        chain=found.chain,
        problem=found.problem,
        checks=judge(found.chain, host, vouched=vouched, now=now),
        authorities=issuers(found.chain),
        replaced=_replaced(host, port, found.chain[0]),
        at=now,
    )


def judge(chain: Sequence[Certificate], host: str, *, vouched: bool, now: datetime) -> tuple[Check, ...]:
    """Everything that matters about these certificates, for this host. Pure."""
    own = chain[0]
    return (
        Check(Trait.AUTHORITY, vouched, _authority(own, vouched=vouched)),
        Check(Trait.NAME, fits := certificates.names_match(own.names, host), _name(own, host, fits=fits)),
        Check(Trait.DATES, not (late := _out_of_date(chain, now)), late or _dates(own, now)),
        Check(Trait.STRENGTH, not (weak := _weak(chain)), weak or _("Key and signature are strong enough.")),
    )


def issuers(chain: Sequence[Certificate]) -> tuple[Certificate, ...]:
    """The authorities in the chain that have issued the first certificate, directly or through each other,
    the topmost first. What a server sends beside that proves nothing."""
    found: list[Certificate] = []
    below = _parsed(chain[0])
    for one in chain[1:]:
        above = _parsed(one)
        try:
            below.verify_directly_issued_by(above)
        except (ValueError, TypeError, InvalidSignature):
            break
        if not one.is_authority:
            break
        found.append(one)
        below = above
    return tuple(reversed(found))


def _replaced(host: str, port: int, own: Certificate) -> tuple[KeystoreRow, ...]:
    rows = [row for row in queries.keystore() if row.kind == "pin" and (row.host, row.port) == (host, port)]
    return tuple(rows) if all(row.sha256 != own.sha256 for row in rows) else ()


def _authority(own: Certificate, *, vouched: bool) -> str:
    if vouched and own.is_self_signed:
        return _("The keystore vouches for it.")
    if vouched:
        return _("A known authority vouches for it: %(issuer)s.") % {"issuer": own.issuer}
    if own.is_self_signed:
        return _("Nobody vouches for it: the server signed it itself.")
    return _("No known authority vouches for it: %(issuer)s is neither public nor in the keystore.") % {
        "issuer": own.issuer
    }


def _name(own: Certificate, host: str, *, fits: bool) -> str:
    if fits:
        return _("It names the server that you entered: %(host)s.") % {"host": host}
    if not own.names:
        return _("It names no server at all, not even %(host)s.") % {"host": host}
    return _("It does not name %(host)s, but: %(names)s.") % {"host": host, "names": ", ".join(own.names[:8])}


def _out_of_date(chain: Sequence[Certificate], now: datetime) -> str:
    for one in chain:
        if now > one.not_after:
            return _("“%(subject)s” expired on %(date)s.") % {
                "subject": one.subject,
                "date": _day(one.not_after),
            }
        if now < one.not_before:
            return _("“%(subject)s” is valid from %(date)s on.") % {
                "subject": one.subject,
                "date": _day(one.not_before),
            }
    return ""


def _dates(own: Certificate, now: datetime) -> str:
    days = (own.not_after - now).days
    return ngettext(
        "Valid until %(date)s, for another day.", "Valid until %(date)s, for another %(days)d days.", days
    ) % {"date": _day(own.not_after), "days": days}


def _weak(chain: Sequence[Certificate]) -> str:
    for one in chain:
        if one.weakness:
            return _("“%(subject)s” can be forged: %(weakness)s.") % {
                "subject": one.subject,
                "weakness": one.weakness,
            }
    return ""


def _day(moment: datetime) -> str:
    # Translators: a date with its year, as a Django date format: "17 November 2026"
    return str(formats.date_format(timezone.localtime(moment), _("j F Y")))


def _parsed(certificate: Certificate) -> x509.Certificate:
    return x509.load_pem_x509_certificate(certificate.pem.encode())
