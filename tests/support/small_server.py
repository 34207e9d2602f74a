"""A small SMTP, IMAP or POP3 server that misbehaves as wanted; what it was told is recorded.

For what a real Dovecot cannot be made to do: certificates of every kind, STARTTLS that is stripped, words in
clear behind its reply. It knows just enough to be opened, logged in to, looked through (or submitted to) and
left, and says no within a handshake as OpenSSL does, with an alert.
"""

from __future__ import annotations

import contextlib
import re
import socket
import ssl
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field


@dataclass
class SmallServer:
    """`offers_tls` announces STARTTLS or STLS; `injected` stands in clear right behind the reply to it.
    `login_reply` answers a login in place of "ok". `silent`: accepts and says nothing."""

    protocol: str
    context: ssl.SSLContext | None = None
    implicit_tls: bool = False
    offers_tls: bool = False
    injected: bytes = b""
    login_reply: str = ""
    silent: bool = False
    mails: Sequence[bytes] = ()
    port: int = 0
    content: bytes = b""  # of the mails that were submitted
    commands: list[str] = field(default_factory=list)  # "clear: …" or "tls: …"

    @property
    def in_clear(self) -> str:
        """Everything that was said to it before TLS."""
        return "\n".join(one for one in self.commands if one.startswith("clear: "))


@contextlib.contextmanager
def serving(server: SmallServer) -> Iterator[SmallServer]:
    """The server on a port of 127.0.0.1, in a thread of its own."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        server.port = listener.getsockname()[1]
        over = threading.Event()

        def accept() -> None:
            while not over.is_set():
                try:
                    connection, _peer = listener.accept()
                except OSError:
                    return
                threading.Thread(target=_serve, args=(server, connection, over), daemon=True).start()

        thread = threading.Thread(target=accept, name="fake-mailbox", daemon=True)
        thread.start()
        try:
            yield server
        finally:
            over.set()
            with contextlib.suppress(OSError):
                listener.shutdown(socket.SHUT_RDWR)
            thread.join(10)


def _serve(server: SmallServer, connection: socket.socket, over: threading.Event) -> None:
    connection.settimeout(20)
    with contextlib.suppress(OSError, ValueError), connection:
        if server.silent:
            connection.recv(1)
            over.wait(20)
            return
        if server.implicit_tls:
            assert server.context is not None
            with server.context.wrap_socket(connection, server_side=True) as secured:
                _Dialogue(server, secured, encrypted=True).run()
        else:
            dialogue = _Dialogue(server, connection, encrypted=False)
            try:
                dialogue.run()
            finally:
                dialogue.connection.close()


class _Dialogue:
    def __init__(self, server: SmallServer, connection: socket.socket, *, encrypted: bool) -> None:
        self.server, self.connection, self.encrypted = server, connection, encrypted
        self.reader = connection.makefile("rb")

    def run(self) -> None:
        answer = {"smtp": self.smtp, "imap": self.imap, "pop3": self.pop3}[self.server.protocol]
        self.greet()
        while line := self.reader.readline().decode("utf-8", "replace").rstrip("\r\n"):
            self.server.commands.append(("tls: " if self.encrypted else "clear: ") + line)
            if not answer(line):
                return

    def greet(self) -> None:
        self.say(
            {
                "smtp": "220 small.example ESMTP",
                "imap": f"* OK [CAPABILITY {self.capabilities}] ready",
                "pop3": "+OK ready",
            }[self.server.protocol]
        )

    def say(self, *lines: str) -> None:
        self.connection.sendall("".join(line + "\r\n" for line in lines).encode())

    def secure(self, reply: str) -> None:
        assert self.server.context is not None
        self.connection.sendall(reply.encode() + b"\r\n" + self.server.injected)
        self.reader.close()
        self.connection = self.server.context.wrap_socket(self.connection, server_side=True)
        self.reader, self.encrypted = self.connection.makefile("rb"), True

    @property
    def offers_tls(self) -> bool:
        return self.server.offers_tls and not self.encrypted

    @property
    def capabilities(self) -> str:
        return "IMAP4rev1 AUTH=PLAIN" + (" STARTTLS" if self.offers_tls else "")

    def smtp(self, line: str) -> bool:
        verb = line.partition(" ")[0].upper()
        if verb == "EHLO":
            tls = ["250-STARTTLS"] if self.offers_tls else []
            self.say("250-small.example", *tls, "250 AUTH PLAIN")
        elif verb == "STARTTLS":
            if self.offers_tls:
                self.secure("220 begin")
            else:
                self.say("502 no")
        elif verb == "AUTH":
            self.say(self.server.login_reply or "235 welcome")
        elif verb == "DATA":
            self.say("354 go ahead")
            while (text := self.reader.readline()) not in (b".\r\n", b""):
                self.server.content += text
            self.say("250 taken")
        elif verb == "QUIT":
            self.say("221 bye")
        else:
            self.say("250 ok")
        return verb != "QUIT"

    def imap(self, line: str) -> bool:
        tag, _, rest = line.partition(" ")
        verb, _, argument = rest.partition(" ")
        verb = verb.upper()
        if verb == "STARTTLS":
            if self.offers_tls:
                self.secure(f"{tag} OK begin")
            else:
                self.say(f"{tag} BAD no")
            return True
        mails = self.server.mails
        lines = {
            "CAPABILITY": (f"* CAPABILITY {self.capabilities}",),
            "SELECT": (
                "* FLAGS (\\Seen)",
                f"* {len(mails)} EXISTS",
                "* OK [PERMANENTFLAGS (\\Seen)] ok",
                "* OK [UIDVALIDITY 1] ok",
                f"* OK [UIDNEXT {len(mails) + 1}] ok",
            ),
            "LOGOUT": ("* BYE",),
        }.get(verb, ())
        words = argument.upper().split()
        if verb == "LOGIN" and self.server.login_reply:
            self.say(f"{tag} {self.server.login_reply}")
            return True
        if verb == "UID" and words[0] == "SEARCH":
            lines = ("* SEARCH " + " ".join(str(n + 1) for n in range(len(mails))),)
        elif verb == "UID" and words[0] == "FETCH":
            for number in map(int, re.findall(r"\d+", words[1])):
                raw = mails[number - 1]
                head = f"* {number} FETCH (UID {number} BODY[] {{{len(raw)}}}\r\n".encode()
                self.connection.sendall(head + raw + b")\r\n")
        self.say(*lines, f"{tag} OK done")
        return verb != "LOGOUT"

    def pop3(self, line: str) -> bool:
        verb, _, argument = line.partition(" ")
        verb, mails = verb.upper(), self.server.mails
        if verb == "CAPA":
            self.say("+OK", *(("STLS",) if self.offers_tls else ()), "UIDL", "USER", ".")
        elif verb == "STLS":
            if self.offers_tls:
                self.secure("+OK begin")
            else:
                self.say("-ERR no")
        elif verb == "PASS" and self.server.login_reply:
            self.say(self.server.login_reply)
        elif verb == "LIST":
            self.say("+OK", *(f"{n + 1} {len(raw)}" for n, raw in enumerate(mails)), ".")
        elif verb == "UIDL":
            self.say("+OK", *(f"{n + 1} u{n + 1}" for n in range(len(mails))), ".")
        elif verb == "RETR":
            self.connection.sendall(b"+OK\r\n" + mails[int(argument) - 1] + b"\r\n.\r\n")
        else:
            self.say("+OK")
        return verb != "QUIT"
