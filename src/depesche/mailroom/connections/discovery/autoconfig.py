"""What a domain publishes for mail programs: autoconfig, the XML format "clientConfig 1.1".

It is read by expat itself, without entities: a document that declares any is refused, and so is one that is
too large, too deep or too long.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from xml.parsers import expat

MOST = 64 * 1024
_DEEPEST = 12
_MOST_SERVERS = 20
_LONGEST = 300
_SERVERS = {"incomingServer": "incoming", "outgoingServer": "outgoing"}
_ENCRYPTION = {"SSL": "ssl", "STARTTLS": "tls", "PLAIN": "none"}


class Unreadable(ValueError):
    """It is no autoconfig document, or one that is not to be trusted."""


@dataclass(frozen=True)
class Described:
    """One server: `protocol` smtp, imap or pop3; `encryption` ssl, tls or none."""

    protocol: str
    host: str
    port: int
    encryption: str
    username: str = ""
    methods: tuple[str, ...] = ()


@dataclass
class _Reading:
    path: list[str] = field(default_factory=list)
    values: dict[str, list[str]] = field(default_factory=dict)
    kind: str = ""
    text: str = ""
    found: list[Described] = field(default_factory=list)


def read(octets: bytes, address: str) -> list[Described]:
    """The servers in the order in which they stand there, with the user names for this address. Raises
    Unreadable."""
    if len(octets) > MOST:
        raise Unreadable("the document is too large")
    state = _Reading()
    parser = expat.ParserCreate()
    parser.StartElementHandler = lambda name, attributes: _begin(state, name, attributes)
    parser.EndElementHandler = lambda name: _end(state, name, address)
    parser.CharacterDataHandler = lambda text: _text(state, text)
    parser.StartDoctypeDeclHandler = _refuse
    parser.EntityDeclHandler = _refuse
    parser.ExternalEntityRefHandler = _refuse
    try:
        parser.Parse(octets, True)
    except expat.ExpatError as error:
        raise Unreadable(f"it is no XML: {error}") from None
    if not state.found:
        raise Unreadable("it names no server")
    return state.found


def _refuse(*_words: object) -> int:
    raise Unreadable("it declares a document type or an entity")


def _begin(state: _Reading, name: str, attributes: dict[str, str]) -> None:
    state.path.append(name)
    if len(state.path) == 1 and name != "clientConfig":
        raise Unreadable("it is no autoconfig document")
    if len(state.path) > _DEEPEST:
        raise Unreadable("it is nested too deeply")
    state.text = ""
    if name in _SERVERS:
        state.kind, state.values = attributes.get("type", "").lower(), {}


def _text(state: _Reading, text: str) -> None:
    if len(state.text) < _LONGEST:
        state.text += text[:_LONGEST]


def _end(state: _Reading, name: str, address: str) -> None:
    state.path.pop()
    if name in _SERVERS:
        made = _described(state, address)
        if made is not None and len(state.found) < _MOST_SERVERS:
            state.found.append(made)
        state.kind = ""
    elif state.kind:
        state.values.setdefault(name, []).append(state.text.strip())


def _described(state: _Reading, address: str) -> Described | None:
    if state.kind not in ("smtp", "imap", "pop3"):
        return None

    def first(name: str) -> str:
        return state.values.get(name, [""])[0]

    port, encryption = first("port"), _ENCRYPTION.get(first("socketType").upper())
    if not port.isascii() or not port.isdigit() or not 0 < int(port[:6]) < 65536 or encryption is None:
        return None
    host = _filled(first("hostname"), address).rstrip(".").lower()
    if not host or any(character.isspace() or character in "/@:%\\" for character in host):
        return None
    return Described(
        protocol=state.kind,
        host=host,
        port=int(port),
        encryption=encryption,
        username=_filled(first("username"), address)[:255],
        methods=tuple(one.lower() for one in state.values.get("authentication", ())[:10]),
    )


def _filled(text: str, address: str) -> str:
    local, _at, domain = address.rpartition("@")
    for word, value in (
        ("%EMAILADDRESS%", address),
        ("%EMAILLOCALPART%", local),
        ("%EMAILDOMAIN%", domain),
    ):
        text = text.replace(word, value)
    return text
