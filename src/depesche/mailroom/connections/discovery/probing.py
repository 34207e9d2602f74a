"""Whether a candidate is really there: connect, TLS that verifies, greeting, and a login on offer. Nothing is
logged in to, and nothing that is not encrypted is taken. Blocking; one deadline for all of it.
"""

from __future__ import annotations

import contextlib
import socket
import ssl
import time
from dataclasses import dataclass

from depesche.mailroom.connections.discovery.candidates import Candidate
from depesche.smtpclient import tls
from depesche.smtpclient.config import Trust
from depesche.smtpclient.errors import Cause

SECONDS = 5.0
_MOST_LINES = 60
_MOST_OCTETS = 32 * 1024


@dataclass(frozen=True)
class Finding:
    """What became of a candidate: `cause` None where it works; `methods` are the logins on offer."""

    cause: Cause | None = None
    detail: str = ""
    methods: tuple[str, ...] = ()

    @property
    def works(self) -> bool:
        return self.cause is None


class _Stopped(Exception):
    def __init__(self, cause: Cause, detail: str = "") -> None:
        super().__init__(cause, detail)
        self.cause, self.detail = cause, detail


class _Line:
    """A line-wise connection with a deadline."""

    def __init__(self, raw: socket.socket, deadline: float) -> None:
        self.socket = raw
        self._deadline = deadline
        self._buffer = b""
        self._read = 0

    def line(self) -> str:
        while b"\n" not in self._buffer:
            self._patience()
            octets = self.socket.recv(4096)
            self._read += len(octets)
            if not octets:
                raise _Stopped(Cause.CONNECTION_LOST)
            if self._read > _MOST_OCTETS:
                raise _Stopped(Cause.PROTOCOL_ERROR)
            self._buffer += octets
            if self._buffer[:1] in (b"\x15", b"\x16"):
                raise _Stopped(Cause.TLS_ON_PLAIN_PORT)
        found, self._buffer = self._buffer.split(b"\n", 1)
        return found.decode("utf-8", "replace").rstrip("\r")

    def say(self, text: str) -> None:
        self._patience()
        self.socket.sendall(text.encode("ascii") + b"\r\n")

    def secure(self, trust: Trust, host: str) -> None:
        if self._buffer:
            raise _Stopped(Cause.INJECTED_BEFORE_TLS)
        self._patience()
        self.socket = tls.context(trust).wrap_socket(self.socket, server_hostname=host)
        tls.verify_peer(trust, self.socket.getpeercert(binary_form=True), host)

    def _patience(self) -> None:
        left = self._deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError
        self.socket.settimeout(left)


def probe(candidate: Candidate, trust: Trust, *, seconds: float = SECONDS) -> Finding:
    """Try it. Never raises for what a server does."""
    deadline = time.monotonic() + seconds
    try:
        with contextlib.closing(_Connection(candidate, trust, deadline)) as connection:
            return Finding(methods=connection.methods())
    except _Stopped as stopped:
        return Finding(stopped.cause, stopped.detail)
    except (ssl.SSLError, tls.CertificateError) as error:
        return Finding(*tls.cause_of(error))
    except socket.gaierror:
        return Finding(Cause.NAME_NOT_FOUND)
    except TimeoutError:
        return Finding(Cause.TIMEOUT)
    except ConnectionRefusedError:
        return Finding(Cause.REFUSED)
    except (OSError, UnicodeError, ValueError) as error:
        lost = isinstance(error, ConnectionError)
        return Finding(Cause.CONNECTION_LOST if lost else Cause.NETWORK)


class _Connection:
    def __init__(self, candidate: Candidate, trust: Trust, deadline: float) -> None:
        self._protocol = candidate.protocol
        self._candidate, self._trust = candidate, trust
        raw = socket.create_connection(candidate.place, max(0.1, deadline - time.monotonic()))
        self._line = _Line(raw, deadline)

    def close(self) -> None:
        with contextlib.suppress(OSError, TimeoutError):
            self._line.say({"smtp": "QUIT", "imap": "z LOGOUT", "pop3": "QUIT"}[self._protocol])
        self._line.socket.close()

    def methods(self) -> tuple[str, ...]:
        line, candidate = self._line, self._candidate
        if candidate.encryption == "ssl":
            line.secure(self._trust, candidate.host)
        self._greeting()
        offered, starttls = self._capabilities("a")
        if candidate.encryption == "tls":
            if not starttls:
                raise _Stopped(Cause.STARTTLS_NOT_OFFERED)
            self._start_tls()
            line.secure(self._trust, candidate.host)
            offered, _starttls = self._capabilities("c")
        if not offered:
            raise _Stopped(Cause.AUTH_NOT_OFFERED)
        return offered

    def _greeting(self) -> None:
        if self._protocol == "smtp":
            self._smtp_reply()
            return
        words = {"imap": ("* OK", "* PREAUTH"), "pop3": ("+OK",)}[self._protocol]
        said = self._line.line()
        if not said.upper().startswith(words):
            raise _Stopped(_other(said), said[:200])

    def _capabilities(self, tag: str) -> tuple[tuple[str, ...], bool]:
        line = self._line
        if self._protocol == "smtp":
            line.say("EHLO [127.0.0.1]")
            words = self._smtp_reply()
            mechanisms = [one.split()[1:] for one in words if one.upper().startswith("AUTH ")]
            return _upper(mechanisms[0] if mechanisms else []), any(
                one.upper() == "STARTTLS" for one in words
            )
        if self._protocol == "imap":
            line.say(f"{tag} CAPABILITY")
            said = self._until(f"{tag} ")
            known = " ".join(one for one in said if one.upper().startswith("* CAPABILITY")).upper().split()
            login = [one.removeprefix("AUTH=") for one in known if one.startswith("AUTH=")]
            if known and "LOGINDISABLED" not in known:
                login.append("LOGIN")
            return _upper(login), "STARTTLS" in known
        line.say("CAPA")
        said = self._lines_of_capa()
        sasl = [word for one in said if one.upper().startswith("SASL ") for word in one.split()[1:]]
        plain = [one.upper() for one in said if one.upper() == "USER"]
        return _upper([*sasl, *plain]), any(one.upper() == "STLS" for one in said)

    def _start_tls(self) -> None:
        line = self._line
        if self._protocol == "smtp":
            line.say("STARTTLS")
            self._smtp_reply()
        elif self._protocol == "imap":
            line.say("b STARTTLS")
            self._until("b ")
        else:
            line.say("STLS")
            self._positive(line.line())

    def _smtp_reply(self) -> list[str]:
        found: list[str] = []
        for _number in range(_MOST_LINES):
            said = self._line.line()
            if said[:3] not in ("220", "250"):
                closed = said[:1] in ("4", "5")
                raise _Stopped(Cause.GREETING_REFUSED if closed else _other(said), said[:200])
            found.append(said[4:].strip())
            if said[3:4] != "-":
                return found
        raise _Stopped(Cause.PROTOCOL_ERROR)

    def _until(self, tag: str) -> list[str]:
        found: list[str] = []
        for _number in range(_MOST_LINES):
            said = self._line.line()
            if said.startswith(tag):
                if not said.upper().startswith(f"{tag.upper()}OK"):
                    raise _Stopped(Cause.STARTTLS_REFUSED, said[:200])
                return found
            found.append(said)
        raise _Stopped(Cause.PROTOCOL_ERROR)

    def _lines_of_capa(self) -> list[str]:
        first = self._line.line()
        if not first.startswith("+OK"):
            return ["USER"]  # RFC 2449 is not everywhere; USER and PASS are
        found: list[str] = []
        for _number in range(_MOST_LINES):
            said = self._line.line()
            if said == ".":
                return found
            found.append(said)
        raise _Stopped(Cause.PROTOCOL_ERROR)

    def _positive(self, said: str) -> None:
        if not said.startswith("+OK"):
            raise _Stopped(Cause.STARTTLS_REFUSED, said[:200])


def _upper(words: list[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(one.upper() for one in words))[:20]


def _other(said: str) -> Cause:
    return Cause.GREETING_REFUSED if said[:4] in ("-ERR", "* NO", "* BY") else Cause.NOT_SMTP
