"""Reading SPF, DMARC and DKIM records. Pure."""

from __future__ import annotations

import base64
import binascii
import re
from dataclasses import dataclass

_QUALIFIERS = {"+": "pass", "-": "fail", "~": "softfail", "?": "neutral"}
_LOOKS_UP = re.compile(r"^[+\-~?]?(include:|a(?:[:/]|$)|mx(?:[:/]|$)|ptr(?::|$)|exists:)|^redirect=", re.I)
_MOST_LOOKUPS = 10  # RFC 7208 §4.6.4


@dataclass(frozen=True)
class Spf:
    """An SPF record. `rest`: what becomes of everybody who is not named: pass, fail, softfail, neutral.
    `lookups`: questions that this record alone costs a receiver, of ten."""

    terms: tuple[str, ...]
    rest: str
    lookups: int

    @property
    def too_many(self) -> bool:
        return self.lookups > _MOST_LOOKUPS


def spf(record: str) -> Spf:
    """Read an SPF record (RFC 7208).

    >>> spf("v=spf1 mx include:_spf.example.net -all").rest
    'fail'
    >>> spf("v=spf1 a").rest
    'neutral'
    """
    terms = tuple(record.split()[1:])
    rest = "neutral"
    for term in terms:
        if term.lower().lstrip("+-~?") == "all":
            rest = _QUALIFIERS.get(term[0], "pass")
            break
        if term.lower().startswith("redirect="):
            rest = "redirect"
    return Spf(terms, rest, sum(1 for term in terms if _LOOKS_UP.match(term)))


@dataclass(frozen=True)
class Dmarc:
    """A DMARC policy. `policy`: none, quarantine or reject, "" where the record is none. `strict_spf` and
    `strict_dkim`: the domains have to be the same, not only of one family."""

    policy: str
    for_subdomains: str
    strict_spf: bool
    strict_dkim: bool
    reports_to: str


def dmarc(record: str) -> Dmarc:
    """Read a DMARC record (RFC 7489 §6.3).

    >>> dmarc("v=DMARC1; p=Reject; sp=none; adkim=s").policy
    'reject'
    >>> dmarc("v=DMARC1; p=sometimes").policy
    ''
    """
    tags: dict[str, str] = {}
    for part in record.split(";"):
        name, equals, value = part.partition("=")
        if equals:
            tags.setdefault(name.strip().lower(), value.strip())
    policy = tags.get("p", "").lower()
    policy = policy if policy in ("none", "quarantine", "reject") else ""
    for_subdomains = tags.get("sp", "").lower()
    if for_subdomains not in ("none", "quarantine", "reject"):
        for_subdomains = policy
    return Dmarc(
        policy,
        for_subdomains,
        tags.get("aspf", "r").lower() == "s",
        tags.get("adkim", "r").lower() == "s",
        tags.get("rua", ""),
    )


def same_key(record: str, wanted: str) -> bool:
    """Whether a TXT record publishes the same public key as the wanted one; order, white space and further
    tags do not matter.

    >>> same_key("k=rsa; p=AA AA;v=DKIM1", "v=DKIM1; k=rsa; p=AAAA")
    True
    """
    one, other = _tags(record), _tags(wanted)
    if one.get("v", "DKIM1") != "DKIM1" or one.get("k", "rsa") != other.get("k", "rsa"):
        return False
    try:
        return _octets(one.get("p", "")) == _octets(other.get("p", "")) != b""
    except (binascii.Error, ValueError):
        return False


def _tags(record: str) -> dict[str, str]:
    pairs = (part.partition("=") for part in record.split(";"))
    return {name.strip(): value.strip() for name, equals, value in pairs if equals}


def _octets(text: str) -> bytes:
    return base64.b64decode("".join(text.split()), validate=True)


def aligned(one: str, other: str, *, strict: bool, family: str = "") -> bool:
    """Whether two domains agree for DMARC. `family`: the domain under which both have to lie where that is
    permitted, the one that holds the policy.

    >>> aligned("mail.example.org", "example.org", strict=False, family="example.org")
    True
    >>> aligned("mail.example.org", "example.org", strict=True)
    False
    """
    if one == other:
        return True
    if strict:
        return False
    above = family or (one if other.endswith("." + one) else other)
    return all(each == above or each.endswith("." + above) for each in (one, other))


def zone_text(record: str) -> str:
    """The text of a TXT record as a zone file has it: strings of at most 255 octets in quotation marks.

    >>> zone_text("v=spf1 -all")
    '"v=spf1 -all"'
    """
    pieces = [record[at : at + 255] for at in range(0, len(record), 255)] or [""]
    return " ".join('"' + piece.replace("\\", "\\\\").replace('"', '\\"') + '"' for piece in pieces)
