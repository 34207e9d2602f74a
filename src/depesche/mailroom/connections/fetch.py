"""The certificates that a server shows, to be looked at and perhaps trusted (M10). Blocking, bounded in time.

What does not verify can be seen only in a handshake that verifies nothing. That connection is used for
nothing else: it is closed as soon as the certificates are known, and not a word is said over it.
"""

from __future__ import annotations

import contextlib
import socket
import ssl
from dataclasses import dataclass
from typing import Any, Literal

from depesche.mailroom.connections import certificates
from depesche.mailroom.connections.certificates import Certificate
from depesche.smtpclient import tls
from depesche.smtpclient.config import Trust
from depesche.smtpclient.errors import Cause

Protocol = Literal["smtp", "imap", "pop3"]
_USUAL: dict[int, Protocol] = {25: "smtp", 587: "smtp", 143: "imap", 110: "pop3"}
_MOST_LINES = 100
_LONGEST_LINE = 2000


class CannotFetch(Exception):
    """The server showed no certificate. `cause` is a smtpclient Cause, `detail` what a person may read."""

    def __init__(self, cause: Cause, detail: str = "") -> None:
        super().__init__(cause, detail)
        self.cause = cause
        self.detail = detail


@dataclass(frozen=True)
class Presented:
    """What a server showed: its own certificate first, then those it sent along. `problem`: None where all is
    trusted already."""

    chain: tuple[Certificate, ...]
    problem: Cause | None
    detail: str = ""


def usual_protocol(port: int) -> Protocol | None:
    """What is spoken in clear before TLS at this port; None where TLS comes at once."""
    return _USUAL.get(port)


def fetch(
    host: str, port: int, *, starttls: Protocol | None = None, trust: Trust, timeout: float = 30.0
) -> Presented:
    """Ask the server for its certificates. Raises CannotFetch."""
    problem, detail = _verify(host, port, starttls, trust, timeout)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    with _handshake(host, port, starttls, context, timeout) as secured:
        octets = tls.chain_of(secured)
    found = [one for one in map(certificates.from_der, octets) if one is not None]
    if not found:
        raise CannotFetch(Cause.CERT_INVALID)
    return Presented(tuple(found), problem, detail)


def _verify(
    host: str, port: int, starttls: Protocol | None, trust: Trust, timeout: float
) -> tuple[Cause | None, str]:
    try:
        with _handshake(host, port, starttls, tls.context(trust), timeout) as secured:
            tls.verify_peer(trust, secured.getpeercert(binary_form=True), host)
    except (ssl.SSLError, tls.CertificateError) as error:
        return tls.cause_of(error)
    except CannotFetch as error:
        if isinstance(error.__cause__, ssl.SSLError):
            return error.cause, error.detail
        raise
    return None, ""


_NO_CHECK_TIME = 0x200000  # X509_V_FLAG_NO_CHECK_TIME, which Python's ssl has no name for


def vouched_for(
    host: str, port: int, *, starttls: Protocol | None, trust: Trust, timeout: float = 30.0
) -> bool:
    """Whether a known authority has issued what the server shows, whatever name and dates say: to tell a
    person what is wrong. Nothing is ever said over such a connection. Raises CannotFetch."""
    context = tls.fresh_context(trust)
    context.check_hostname = False
    context.verify_flags = ssl.VerifyFlags(context.verify_flags | _NO_CHECK_TIME)
    try:
        with _handshake(host, port, starttls, context, timeout):
            return True
    except CannotFetch as error:
        if isinstance(error.__cause__, ssl.SSLCertVerificationError):
            return False
        raise


@contextlib.contextmanager
def _handshake(
    host: str, port: int, starttls: Protocol | None, context: ssl.SSLContext, timeout: float
) -> Any:
    try:
        with socket.create_connection((host, port), timeout) as plain:
            if starttls is not None:
                _start(plain, starttls)
            with context.wrap_socket(plain, server_hostname=host) as secured:
                yield secured
    except (ssl.SSLError, OSError) as error:
        raise CannotFetch(*_why(error)) from error


def _why(error: OSError) -> tuple[Cause, str]:
    if isinstance(error, ssl.SSLError):
        return tls.cause_of(error)
    if isinstance(error, socket.gaierror):
        return Cause.NAME_NOT_FOUND, ""
    if isinstance(error, TimeoutError):
        return Cause.TIMEOUT, ""
    if isinstance(error, ConnectionRefusedError):
        return Cause.REFUSED, ""
    if isinstance(error, ConnectionError):
        return Cause.CONNECTION_LOST, ""
    return Cause.NETWORK, error.strerror or ""


# --- In clear, up to the word that begins TLS ---------------------------------------------------------------


def _start(plain: socket.socket, protocol: Protocol) -> None:
    with plain.makefile("rb") as reader:
        if protocol == "smtp":
            _smtp_reply(reader, "220")
            plain.sendall(b"EHLO [127.0.0.1]\r\n")
            if not any("STARTTLS" in line.upper() for line in _smtp_reply(reader, "250")):
                raise CannotFetch(Cause.STARTTLS_NOT_OFFERED)
            plain.sendall(b"STARTTLS\r\n")
            _smtp_reply(reader, "220")
        elif protocol == "imap":
            _expect(_line(reader), "* OK", "* PREAUTH")
            plain.sendall(b"a1 STARTTLS\r\n")
            for _number in range(_MOST_LINES):
                line = _line(reader)
                if line.startswith("a1 "):
                    _expect(line, "a1 OK")
                    break
            else:
                raise CannotFetch(Cause.PROTOCOL_ERROR)
        else:
            _expect(_line(reader), "+OK")
            plain.sendall(b"STLS\r\n")
            _expect(_line(reader), "+OK")
        if tls.octets_wait(plain, reader):
            raise CannotFetch(Cause.INJECTED_BEFORE_TLS)


def _smtp_reply(reader: Any, code: str) -> list[str]:
    lines = []
    for _number in range(_MOST_LINES):
        line = _line(reader)
        lines.append(line)
        if line[3:4] != "-":
            _expect(line, code)
            return lines
    raise CannotFetch(Cause.PROTOCOL_ERROR)


def _line(reader: Any) -> str:
    octets: bytes = reader.readline(_LONGEST_LINE)
    if not octets:
        raise CannotFetch(Cause.CONNECTION_LOST)
    if octets[:1] in (b"\x15", b"\x16"):
        raise CannotFetch(Cause.TLS_ON_PLAIN_PORT)
    return octets.decode("utf-8", "replace").rstrip("\r\n")


def _expect(line: str, *beginnings: str) -> None:
    if not line.upper().startswith(tuple(one.upper() for one in beginnings)):
        words = "".join(character for character in line if character.isprintable())
        raise CannotFetch(Cause.STARTTLS_REFUSED, words[:300])
