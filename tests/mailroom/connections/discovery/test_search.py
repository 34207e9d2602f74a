"""Discovery with a name server, a web server and mail servers that answer (or do not)."""

from __future__ import annotations

import socket
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest

from depesche.mailroom.connections.discovery import candidates, search
from depesche.mailroom.connections.discovery.candidates import Candidate, Source
from depesche.mailroom.connections.discovery.probing import probe
from depesche.mailroom.connections.discovery.search import Discovery, discover
from depesche.smtpclient.config import Trust
from depesche.smtpclient.errors import Cause
from depesche.smtpclient.testing.server import HANG, Behaviour, FakeServer, in_thread
from tests.support.certificates import Authority
from tests.support.name_server import NameServer, name_server
from tests.support.ports import free_port

ADDRESS = "tracker@example.org"


@pytest.fixture
def trust(authority: Authority) -> Trust:
    return Trust(ca_pems=(authority.pem.read_bytes(),))


@pytest.fixture
def context(authority: Authority) -> ssl.SSLContext:
    return serving(authority, "localhost")


def serving(authority: Authority, name: str) -> ssl.SSLContext:
    files = authority.issue(name, file=f"discovery-{name}")
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    made.load_cert_chain(files.chain, files.key)
    return made


@contextmanager
def smtp(context: ssl.SSLContext, *, implicit: bool = True, **behaviour: Any) -> Iterator[FakeServer]:
    does = Behaviour(**({"mechanisms": ("PLAIN", "XOAUTH2"), "starttls": not implicit} | behaviour))
    with in_thread(FakeServer(does, context=context, implicit_tls=implicit)) as server:
        yield server


@contextmanager
def talking(context: ssl.SSLContext, lines: dict[str, str], greeting: str) -> Iterator[int]:
    """A server with TLS from the first byte that answers each command by its first words; its port."""
    listener = socket.create_server(("127.0.0.1", 0))
    over = threading.Event()

    def serve() -> None:
        while not over.is_set():
            try:
                plain, _who = listener.accept()
            except OSError:
                return
            threading.Thread(target=talk, args=(plain,), daemon=True).start()

    def talk(plain: socket.socket) -> None:
        try:
            plain.settimeout(10)
            with context.wrap_socket(plain, server_side=True) as line, line.makefile("rwb") as file:
                file.write(greeting.encode() + b"\r\n")
                file.flush()
                for said in file:
                    words = said.decode().strip()
                    answer = next((a for key, a in lines.items() if key in words), "")
                    file.write(answer.replace("\n", "\r\n").encode() + b"\r\n")
                    file.flush()
        except (OSError, ssl.SSLError):
            plain.close()

    threading.Thread(target=serve, daemon=True).start()
    try:
        yield listener.getsockname()[1]
    finally:
        over.set()
        listener.close()


IMAP = {"CAPABILITY": "* CAPABILITY IMAP4rev1 AUTH=PLAIN AUTH=XOAUTH2\na OK done", "LOGOUT": "* BYE"}
POP3 = {"CAPA": "+OK\nUSER\nSASL PLAIN\n.", "QUIT": "+OK"}


def records(*lines: tuple[str, str]) -> dict[tuple[str, str], list[str]]:
    found: dict[tuple[str, str], list[str]] = {("example.org", "A"): ["192.0.2.1"]}
    for name, line in lines:
        kind = "MX" if name == "example.org" else "SRV"
        found.setdefault((name, kind), []).append(line)
    return found


@pytest.fixture
def asked(settings: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """No web server and no guess leads out of this machine."""
    monkeypatch.setattr(search._Search, "_documents", lambda self: [])
    monkeypatch.setattr(candidates, "guesses", lambda address, exchangers: [])

    def use(server: NameServer) -> None:
        settings.DEPESCHE_NAME_SERVERS = [server.address]

    return use


def run(trust: Trust, **more: Any) -> Discovery:
    return discover(ADDRESS, trust_for=lambda host, port: trust, stop=threading.Event(), **more)


def test_records_lead_to_servers_that_are_tried(asked: Any, trust: Trust, context: ssl.SSLContext) -> None:
    heard: list[Discovery] = []
    with ExitStack() as stack:
        server = stack.enter_context(smtp(context))
        imap = stack.enter_context(talking(context, IMAP, "* OK ready"))
        pop3 = stack.enter_context(talking(context, POP3, "+OK ready"))
        names = stack.enter_context(
            name_server(
                records(
                    ("_submissions._tcp.example.org", f"0 1 {free_port()} localhost."),
                    ("_submissions._tcp.example.org", f"10 1 {server.port} localhost."),
                    ("_imaps._tcp.example.org", f"0 1 {imap} localhost."),
                    ("_pop3s._tcp.example.org", f"0 1 {pop3} localhost."),
                )
            )
        )
        asked(names)
        found = run(trust, progress=heard.append)
    best = found.best("smtp")
    assert best is not None
    assert best.finding is not None
    assert (best.candidate.port, best.candidate.source) == (server.port, Source.SRV)
    assert best.candidate.detail == "_submissions._tcp.example.org"
    assert best.finding.methods == ("PLAIN", "XOAUTH2")
    assert found.rows[0].finding is not None
    assert found.rows[0].finding.cause is Cause.REFUSED
    assert found.mailbox is not None
    assert found.mailbox.candidate.port == imap
    assert found.done
    assert not heard[0].done
    assert len(heard) >= 4
    assert {kind for _name, kind in names.asked} == {"SRV", "MX"}
    assert not server.messages
    assert server.violations == []


def test_a_hosted_domain_is_known_by_its_exchanger(asked: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    tried: list[Candidate] = []

    def note(candidate: Candidate, trust: Trust, *, seconds: float) -> Any:
        tried.append(candidate)
        return search.Finding(methods=("PLAIN",))

    monkeypatch.setattr(search, "probe", note)
    with name_server(records(("example.org", "10 mx00.ionos.de."))) as names:
        asked(names)
        found = run(Trust())
    best = found.best("smtp")
    assert best is not None
    assert (best.candidate.host, best.candidate.source, best.candidate.detail) == (
        "smtp.ionos.de",
        Source.EXCHANGER,
        "IONOS",
    )


def test_without_a_name_service_it_says_so_fast(asked: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(search, "LOOK_UP_SECONDS", 1.0)
    with name_server() as names:
        names.silent = True
        asked(names)
        began = time.monotonic()
        found = run(Trust())
    assert found.done
    assert " " in found.no_names, "a sentence that the command can show"
    assert found.rows == ()
    assert time.monotonic() - began < 6


def test_a_domain_that_says_nothing_falls_back_on_what_is_usual(
    asked: Any, monkeypatch: pytest.MonkeyPatch, trust: Trust, context: ssl.SSLContext
) -> None:
    with smtp(context, implicit=False) as server, name_server(records()) as names:
        guess = Candidate("smtp", "localhost", server.port, "tls", Source.GUESS, username=ADDRESS)
        monkeypatch.setattr(candidates, "guesses", lambda address, exchangers: [guess])
        asked(names)
        found = run(trust)
    best = found.best("smtp")
    assert best is not None
    assert best.candidate == guess


def test_it_can_be_stopped(asked: Any, trust: Trust, context: ssl.SSLContext) -> None:
    stop = threading.Event()
    with smtp(context, faults={"greeting": HANG}) as server:
        line = f"0 1 {server.port} localhost."
        with name_server(records(("_submissions._tcp.example.org", line))) as names:
            asked(names)

            def progress(state: Discovery) -> None:
                if state.rows:
                    stop.set()

            began = time.monotonic()
            found = discover(ADDRESS, trust_for=lambda host, port: trust, stop=stop, progress=progress)
    assert found.done
    assert found.best("smtp") is None
    assert time.monotonic() - began < 4


class _Web(BaseHTTPRequestHandler):
    document = b""
    location = ""

    def do_GET(self) -> None:
        self.send_response(302 if self.location else 200)
        if self.location:
            self.send_header("Location", self.location)
        self.send_header("Content-Length", str(len(self.document)))
        self.end_headers()
        self.wfile.write(self.document)

    def log_message(self, *_: object) -> None:
        """Nobody reads it."""


@contextmanager
def web(context: ssl.SSLContext, document: bytes, location: str = "") -> Iterator[int]:
    handler = type("Web", (_Web,), {"document": document, "location": location})
    server = HTTPServer(("127.0.0.1", 0), handler)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        server.server_close()


def described(port: int) -> bytes:
    return (
        b'<clientConfig version="1.1"><emailProvider id="x"><outgoingServer type="smtp">'
        b"<hostname>localhost</hostname><port>%d</port><socketType>SSL</socketType>"
        b"<username>%%EMAILLOCALPART%%</username></outgoingServer></emailProvider></clientConfig>" % port
    )


@pytest.mark.parametrize("leads_away", [False, True])
def test_what_the_domain_publishes(
    asked: Any, monkeypatch: pytest.MonkeyPatch, trust: Trust, context: ssl.SSLContext, leads_away: bool
) -> None:
    with ExitStack() as stack:
        server = stack.enter_context(smtp(context))
        port = stack.enter_context(web(context, described(server.port)))
        if leads_away:  # another host's document is not taken
            port = stack.enter_context(web(context, b"", f"https://127.0.0.1:{port}/mail/config-v1.1.xml"))
        url = f"https://localhost:{port}/mail/config-v1.1.xml"
        monkeypatch.setattr(search._Search, "_documents", lambda self: [url])
        asked(stack.enter_context(name_server(records())))
        found = run(trust)
    best = found.best("smtp")
    if leads_away:
        assert best is None
        return
    assert best is not None
    assert best.candidate.source is Source.AUTOCONFIG
    assert best.candidate.username == "tracker"
    assert best.candidate.detail == url


def test_a_certificate_that_does_not_verify_is_not_taken(
    authority: Authority, trust: Trust, context: ssl.SSLContext
) -> None:
    with smtp(context) as server:
        here = Candidate("smtp", "localhost", server.port, "ssl", Source.GUESS)
        assert probe(here, trust).works
        assert probe(here, Trust()).cause is Cause.CERT_UNKNOWN_CA
    with smtp(serving(authority, "other.example.org")) as server:
        here = Candidate("smtp", "localhost", server.port, "ssl", Source.GUESS)
        assert probe(here, trust).cause is Cause.CERT_OTHER_HOST


@pytest.mark.parametrize(
    ("behaviour", "encryption", "cause"),
    [
        ({"starttls": False}, "tls", Cause.STARTTLS_NOT_OFFERED),
        ({"mechanisms": ()}, "tls", Cause.AUTH_NOT_OFFERED),
        ({"after_starttls": b"250 injected\r\n"}, "tls", Cause.INJECTED_BEFORE_TLS),
        ({"banner": "554 go away"}, "tls", Cause.GREETING_REFUSED),
        ({"banner": "SSH-2.0-OpenSSH_9.6"}, "tls", Cause.NOT_SMTP),
        ({"faults": {"greeting": HANG}}, "tls", Cause.TIMEOUT),
        ({"starttls": True}, "ssl", Cause.PLAIN_ON_TLS_PORT),
    ],
)
def test_why_a_candidate_does_not_do(
    trust: Trust, context: ssl.SSLContext, behaviour: dict[str, Any], encryption: str, cause: Cause
) -> None:
    with smtp(context, implicit=False, **behaviour) as server:
        here = Candidate("smtp", "localhost", server.port, encryption, Source.GUESS)
        assert probe(here, trust, seconds=1.0).cause is cause


@pytest.mark.needs("dovecot", "postfix")
def test_real_servers_are_found_out(mail_host: Any, trust: Trust) -> None:
    dovecot, postfix = mail_host.dovecot, mail_host.postfix
    for protocol, port, encryption in (
        ("imap", dovecot.port_imaps, "ssl"),
        ("imap", dovecot.port_imap, "tls"),
        ("pop3", dovecot.port_pop3s, "ssl"),
        ("pop3", dovecot.port_pop3, "tls"),
        ("smtp", postfix.port_login, "tls"),
        ("smtp", postfix.port_login_tls, "ssl"),
    ):
        finding = probe(Candidate(protocol, "localhost", port, encryption, Source.GUESS), trust)
        assert finding.works, (protocol, port, encryption, finding)
        assert "PLAIN" in finding.methods or "LOGIN" in finding.methods
