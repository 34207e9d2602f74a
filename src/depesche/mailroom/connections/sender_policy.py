"""Which From a mail gets (M3, M4, M13). Pure: everything that it depends on is an argument.

System mails come from the system address under the server's name. Mails that a person caused come from that
person, or from the system address under both names. The reverse-path, where bounces go, is the system address
in every case, so that a refused mail never bothers a person who only wrote a comment.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Protocol

from depesche.mailformat.addresses import Address, AddressError

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
class FromDecision:
    """The From of a mail, and the reverse-path of its envelope (an addr-spec)."""

    author: Address
    reverse_path: str


def from_for(
    settings: SenderSettings, *, sender: SenderKind | str, author_name: str = "", author_address: str = ""
) -> FromDecision:
    """The From for one mail. Raises NoSystemAddress while none is configured.

    `sender` says who caused the mail: "system" the system itself, "user" a person, "given" a program that
    named its own From (Django's mail API). An author who cannot be written falls back to the system address:
    a mail with a plainer From is better than none.

    >>> from types import SimpleNamespace
    >>> ours = SimpleNamespace(system_address="t@example.org", system_name="Your Server", sender="system")
    >>> str(from_for(ours, sender="system").author)
    'Your Server <t@example.org>'
    >>> str(from_for(ours, sender="user", author_name="Jana Voss", author_address="jana@example.org").author)
    'Jana Voss via Your Server <t@example.org>'
    """
    try:
        system = Address(settings.system_name, settings.system_address)
    except AddressError as error:
        raise NoSystemAddress(str(error)) from None
    author = system
    if sender == "given":
        author = _address(author_name, author_address) or system
    elif sender == "user":
        own = _address(author_name, author_address) if settings.sender == "user" else None
        author = own or Address(via(author_name, system), system.addr_spec)
    return FromDecision(author=author, reverse_path=system.addr_spec)


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
