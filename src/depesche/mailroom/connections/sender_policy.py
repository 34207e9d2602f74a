"""Which From a mail gets (M3, M4, M13). Pure: everything that it depends on is an argument.

System mails come from the system address under the server's name. Mails that a person caused come from that
person, or from the system address under both names. A workspace may have an address and a name of its own,
which then stand where the system's would. Where the server is known to refuse a domain as From, the system
address takes its place, and the person's address stands as Reply-To.

The reverse-path, where bounces go, is the system address, so that a refused mail never bothers a person who
only wrote a comment. The one exception is a workspace's address in a domain that has nothing to do with the
system's: receivers compare both domains (SPF under DMARC, RFC 7489 §3.1.2), so the address itself is used.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Literal, Protocol

from depesche.mailformat.addresses import Address, AddressError, same_mailbox

SenderKind = Literal["system", "user", "given"]


class SenderSettings(Protocol):
    """What of the connection's settings the decision needs; OutgoingSettings has it."""

    @property
    def system_address(self) -> str: ...
    @property
    def system_name(self) -> str: ...
    @property
    def sender(self) -> str: ...


class NoSystemAddress(ValueError):
    """There is no usable system address, so that no mail can go out yet."""


@dataclass(frozen=True)
class Identity:
    """An address and a name of its own for some mails, in place of the system's; either may be empty."""

    address: str = ""
    name: str = ""


@dataclass(frozen=True)
class FromDecision:
    """The From of a mail, and the reverse-path of its envelope (an addr-spec).

    `domain`, in lower case: the domain of a From that is not the system address, and that a server may
    therefore refuse; "" for the system address. `reply_to`: the address that gave way to the system's, which
    an answer shall reach all the same where the mail names no address for answers itself.
    """

    author: Address
    reverse_path: str
    domain: str = ""
    reply_to: Address | None = None


@dataclass(frozen=True)
class Refused:
    """What a server said against a From. `address` and `domain` (lower case) are what it refused, `cause` is
    the value of a Refusal, `reply` the server's words.
    """

    address: str
    domain: str
    cause: str
    stage: str
    reply: str


def from_for(
    settings: SenderSettings,
    *,
    sender: SenderKind | str,
    author_name: str = "",
    author_address: str = "",
    own: Identity | None = None,
    refused: Collection[str] = (),
    plain: bool = False,
) -> FromDecision:
    """The From for one mail. Raises NoSystemAddress while none is configured.

    `sender` says who caused the mail: "system" the system itself, "user" a person, "given" a program that
    named its own From (Django's mail API). `own`: the identity of the workspace that the mail is about.
    `refused`: domains (lower case) that the server is known not to take as From; `plain`: it takes none but
    the system address. An author who cannot be written falls back to the system address: a mail with a
    plainer From is better than none.

    >>> from types import SimpleNamespace
    >>> ours = SimpleNamespace(system_address="t@example.org", system_name="Your Server", sender="system")
    >>> str(from_for(ours, sender="system").author)
    'Your Server <t@example.org>'
    >>> str(from_for(ours, sender="user", author_name="Jana Voss", author_address="jana@example.org").author)
    'Jana Voss via Your Server <t@example.org>'
    >>> ours.sender = "user"
    >>> jana = {"author_name": "Jana Voss", "author_address": "jana@b.example"}
    >>> made = from_for(ours, sender="user", **jana, plain=True)
    >>> str(made.author), str(made.reply_to)
    ('Jana Voss via Your Server <t@example.org>', 'Jana Voss <jana@b.example>')
    """
    try:
        system = Address(settings.system_name, settings.system_address)
    except AddressError as error:
        raise NoSystemAddress(str(error)) from None

    def taken(address: Address) -> bool:
        return same_mailbox(address, system) or not (plain or address.domain.lower() in refused)

    house = system
    if own is not None:
        named = _address(own.name or system.display_name, own.address) if own.address else None
        if named is not None and taken(named):
            house = named
        elif own.name:
            # The address gave way: the name says so. Without an address of its own there is nothing to say.
            house = Address(via(own.name, system) if named is not None else own.name, system.addr_spec)
    author, reply_to = house, None
    if sender in ("given", "user"):
        wanted = None
        if sender == "given" or settings.sender == "user":
            wanted = _address(author_name, author_address)
        if wanted is not None and taken(wanted):
            author = wanted
        elif wanted is not None or sender == "user":
            author = Address(via(author_name, house), house.addr_spec)
            reply_to = wanted
    return FromDecision(
        author=author,
        reverse_path=house.addr_spec if not related(house.domain, system.domain) else system.addr_spec,
        domain="" if same_mailbox(author, system) else author.domain.lower(),
        reply_to=reply_to,
    )


def related(one: str, other: str) -> bool:
    """Whether two domains are one, or one lies in the other, so that a receiver counts them as aligned."""
    one, other = one.lower(), other.lower()
    return one == other or one.endswith(f".{other}") or other.endswith(f".{one}")


def via(author_name: str, system: Address) -> str:
    """`Jana Voss via Your Server`; the server's name alone for an author without a name."""
    # Address cleans names: what is left of the name is decided after cleaning.
    name = Address(author_name, system.addr_spec).display_name
    if not name or not system.display_name:
        return name or system.display_name
    return f"{name} via {system.display_name}"


def _address(name: str, addr_spec: str) -> Address | None:
    try:
        return Address(name, addr_spec)
    except AddressError:
        return None


def may_be_refused(settings: SenderSettings, username: str) -> str:
    """Why a server may refuse our From (M13): "system" or "user" address differs from the login; "" if
    nothing does.

    Many servers accept only the sender that belongs to the login. A user name that looks like an address and
    is not the system address is therefore worth a warning even in system mode.
    """
    login = _address("", username.strip())
    if login is None:
        return "user" if username.strip() and settings.sender == "user" else ""
    if settings.sender == "user":
        return "user"
    system = _address("", settings.system_address)
    return "system" if system is not None and system.key != login.key else ""
