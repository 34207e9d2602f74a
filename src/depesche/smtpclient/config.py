"""How to reach and how to treat one SMTP server: values, checked when they are made, never changed after.

`ConnectionConfig` is frozen and hashable, so that a pool can tell at a glance whether anything changed.
"""

from __future__ import annotations

import contextlib
import enum
import ipaddress
import re
import socket
from collections.abc import Callable
from dataclasses import dataclass, field

from depesche.mailformat.addresses import canonical_domain


class Encryption(enum.Enum):
    """What becomes of the connection when TLS is missing (M9). None of them accepts an unverified
    certificate.

    NONE: never TLS. TLS_IF_AVAILABLE: STARTTLS when offered, else plain; a failed handshake ends the session.
    TLS: STARTTLS or nothing, on port 465 as SSL (RFC 8314). SSL: TLS from the first byte.
    """

    NONE = "none"
    TLS_IF_AVAILABLE = "tls-if-available"
    TLS = "tls"
    SSL = "ssl"


@dataclass(frozen=True)
class Password:
    """User name and password."""

    username: str
    password: str = field(repr=False)

    def __post_init__(self) -> None:
        _refuse_nul(self.username, self.password)


@dataclass(frozen=True)
class OAuthToken:
    """User name and OAuth 2.0 access token (XOAUTH2, OAUTHBEARER)."""

    username: str
    token: str = field(repr=False)

    def __post_init__(self) -> None:
        _refuse_nul(self.username, self.token)
        if re.search(r"[^\x21-\x7e]", self.token):
            raise ValueError("an access token has printable ASCII characters only")
        if re.search(r"[\x00-\x1f\x7f]", self.username):
            raise ValueError("a user name has no control characters")


class TokenUnavailable(Exception):
    """No access token can be had. `code` says why to programs, `detail` to people; no secret is in either.

    `transient`: it may pass by itself, such as an authorisation server that does not answer.
    """

    def __init__(self, code: str, detail: str = "", *, transient: bool = False) -> None:
        super().__init__(code, detail)
        self.code = code
        self.detail = detail
        self.transient = transient


def _nobody(token: OAuthToken) -> None:
    pass


@dataclass(frozen=True)
class TokenSource:
    """Access tokens that are asked for at each login, since they live for an hour or so.

    `obtain` returns one that is valid now; it may block, is called in a thread of its own, and raises
    TokenUnavailable. `refused` is told when a server did not accept it. `name` says whose tokens these are:
    two sources with one name (and user name) are the same, so that a new token changes no configuration.
    """

    username: str
    name: str
    obtain: Callable[[], OAuthToken] = field(repr=False, compare=False)
    refused: Callable[[OAuthToken], None] = field(default=_nobody, repr=False, compare=False)


Credentials = Password | OAuthToken | TokenSource


def _refuse_nul(*values: str) -> None:
    if any("\0" in value for value in values):
        raise ValueError("user name and password must not hold NUL")


@dataclass(frozen=True)
class Timeouts:
    """Seconds to wait at each step. Defaults are those of RFC 5321 §4.5.3.2.

    `data_block` bounds each block of content that the server must take, `data_end` the wait for its reply
    after the content, `transaction` all of it from MAIL to that reply.
    """

    connect: float = 60.0
    greeting: float = 300.0
    command: float = 300.0
    tls: float = 60.0
    auth: float = 120.0
    mail: float = 300.0
    rcpt: float = 300.0
    data_init: float = 120.0
    data_block: float = 180.0
    data_end: float = 600.0
    transaction: float = 1800.0
    quit: float = 5.0

    def __post_init__(self) -> None:
        if any(not value > 0 for value in vars(self).values()):
            raise ValueError("a timeout is a positive number of seconds")

    @classmethod
    def diagnosis(cls) -> Timeouts:
        """30 seconds a step: a person is waiting in front of it."""
        return cls.each(30.0)

    @classmethod
    def each(cls, seconds: float) -> Timeouts:
        """The same patience for each step; a whole transaction gets four times as long."""
        return cls(
            connect=seconds,
            greeting=seconds,
            command=seconds,
            tls=seconds,
            auth=seconds,
            mail=seconds,
            rcpt=seconds,
            data_init=seconds,
            data_block=seconds,
            data_end=seconds,
            transaction=4 * seconds,
            quit=min(seconds, 5.0),
        )


@dataclass(frozen=True)
class Trust:
    """Whom to believe, in addition to the system's roots.

    `ca_pems`: certificates of authorities. `leaf_pems`: a server's own certificate, trusted with the names
    and dates that stand in it. `pins`: SHA-256 (hex) of exact certificates for this one host and port; they
    replace chain and name, never the dates.
    """

    ca_pems: tuple[bytes | str, ...] = ()
    leaf_pems: tuple[bytes | str, ...] = ()
    pins: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "ca_pems", tuple(self.ca_pems))
        object.__setattr__(self, "leaf_pems", tuple(self.leaf_pems))
        pins = tuple(re.sub(r"[:\s]", "", pin).lower() for pin in self.pins)
        if not all(re.fullmatch(r"[0-9a-f]{64}", pin) for pin in pins):
            raise ValueError("a pin is a SHA-256 fingerprint: 64 hexadecimal digits")
        object.__setattr__(self, "pins", pins)


@dataclass(frozen=True)
class Limits:
    """How a session is used and when it is retired. Seconds and counts."""

    messages_per_connection: int = 1000
    max_idle: float = 30.0
    max_age: float = 900.0
    refusals_in_a_row: int = 8  # Postfix slows down from the 10th error on, and ends it at the 20th
    spoilt: int = 6  # transactions that only RSET could end; Exim hangs up after the tenth such RSET
    pipelining: bool = True
    chunking: bool = True
    window: int = 4  # transactions that may be under way at once with CHUNKING
    messages_per_second: float | None = None  # of one pool; less than 1 is possible

    def __post_init__(self) -> None:
        if min(self.messages_per_connection, self.refusals_in_a_row, self.spoilt, self.window) < 1:
            raise ValueError("limits are at least 1")
        if not (self.max_idle > 0 and self.max_age > 0):
            raise ValueError("max_idle and max_age are positive numbers of seconds")
        if self.messages_per_second is not None and not self.messages_per_second > 0:
            raise ValueError("messages_per_second is a positive number")


@dataclass(frozen=True)
class ConnectionConfig:
    """One SMTP server and how to speak to it. Raises ValueError for what cannot be right."""

    host: str
    port: int
    encryption: Encryption = Encryption.TLS
    credentials: Credentials | None = None
    allow_clear_password: bool = False
    trust: Trust = Trust()
    timeouts: Timeouts = Timeouts()
    local_hostname: str = ""  # what EHLO says; empty: this machine's name, or its address as a literal
    limits: Limits = Limits()

    def __post_init__(self) -> None:
        object.__setattr__(self, "host", checked_host(self.host))
        if not 1 <= self.port <= 65535:
            raise ValueError("a port is a number from 1 to 65535")
        if self.local_hostname and not _is_ehlo_name(self.local_hostname):
            raise ValueError("the local host name must be a domain name or an address literal")

    @property
    def implicit_tls(self) -> bool:
        """TLS from the first byte: SSL always, TLS on port 465 (M9, RFC 8314)."""
        return self.encryption is Encryption.SSL or (self.encryption is Encryption.TLS and self.port == 465)


_LABEL = r"[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?"
_DOMAIN = re.compile(rf"(?=.{{1,254}}\Z){_LABEL}(?:\.{_LABEL})*\.?\Z")
_LITERAL = re.compile(r"\[(?:IPv6:)?[0-9A-Fa-f:.]{2,45}\]\Z")


def is_domain(name: str) -> bool:
    """Whether this is an ASCII domain name that can stand in a command."""
    return bool(_DOMAIN.match(name))


def _is_ehlo_name(name: str) -> bool:
    return is_domain(name) or bool(_LITERAL.match(name))


def is_address(host: str) -> bool:
    """Whether the host is written as an IP address."""
    try:
        ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return False
    return True


def to_ascii_domain(domain: str) -> str:
    """The domain as it stands in DNS (A-labels). Raises ValueError where there is none."""
    return domain if domain.isascii() else canonical_domain(domain)


def checked_host(host: str) -> str:
    """A host name or address as typed by a person, in the form that is looked up. Raises ValueError."""
    host = host.strip()
    if host.startswith("[") and host.endswith("]"):
        host = host[1:-1].removeprefix("IPv6:")
    if is_address(host):
        return host
    with contextlib.suppress(ValueError):
        host = to_ascii_domain(host.rstrip("."))
    if not is_domain(host):
        raise ValueError("the server must be a host name or an address")
    return host


def ehlo_name(local_hostname: str, own_address: str) -> str:
    """What EHLO says: the configured name; else this machine's full name; else its address as a literal.

    Never a DNS look-up: `socket.getfqdn` may hang. A name without a dot means nothing to the server, and
    strict ones refuse it; an address literal is always right (RFC 5321 §4.1.4).
    """
    if local_hostname:
        return local_hostname
    name = socket.gethostname()
    if "." in name and is_domain(name) and not name.lower().endswith((".localdomain", ".local")):
        return name.rstrip(".")
    try:
        address = ipaddress.ip_address(own_address.partition("%")[0])
    except ValueError:
        return "[127.0.0.1]"
    if isinstance(address, ipaddress.IPv6Address):
        return f"[{address.ipv4_mapped}]" if address.ipv4_mapped else f"[IPv6:{address}]"
    return f"[{address}]"
