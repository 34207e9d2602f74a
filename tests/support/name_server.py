"""A name server of our own, so that tests ask nobody outside: answers by UDP what it was told."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import dns.flags
import dns.message
import dns.rcode
import dns.rdatatype
import dns.rrset

Zone = Mapping[tuple[str, str], list[str]]  # (name, kind) -> the data as in a zone file


class NameServer:
    """`zone` may be changed while it runs. `silent`: it never answers; `failing`: SERVFAIL to everything."""

    def __init__(self, zone: Zone) -> None:
        self.zone = dict(zone)
        self.silent = False
        self.failing = False
        self.asked: list[tuple[str, str]] = []
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 0))
        self.address = f"127.0.0.1:{self._socket.getsockname()[1]}"
        self._thread = threading.Thread(target=self._serve, daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as bell:
            bell.sendto(b"", self._socket.getsockname())
        self._thread.join(10)
        self._socket.close()

    def _serve(self) -> None:
        while True:
            octets, sender = self._socket.recvfrom(4096)
            if not octets:
                return
            if not self.silent:
                self._socket.sendto(self._answer(dns.message.from_wire(octets)).to_wire(), sender)

    def _answer(self, question: dns.message.Message) -> dns.message.Message:
        answer = dns.message.make_response(question)
        answer.flags |= dns.flags.RA
        one = question.question[0]
        name, kind = str(one.name).rstrip(".").lower(), dns.rdatatype.to_text(one.rdtype)
        self.asked.append((name, kind))
        if self.failing:
            answer.set_rcode(dns.rcode.SERVFAIL)
        elif (name, kind) in self.zone:
            answer.answer.append(dns.rrset.from_text(one.name, 60, "IN", kind, *self.zone[name, kind]))
        elif not any(each == name or each.endswith("." + name) for each, _kind in self.zone):
            answer.set_rcode(dns.rcode.NXDOMAIN)
        return answer


@contextmanager
def name_server(zone: Zone | None = None) -> Iterator[NameServer]:
    """A name server while the block runs; name it in settings.DEPESCHE_NAME_SERVERS."""
    server = NameServer(zone or {})
    server.start()
    try:
        yield server
    finally:
        server.stop()
