"""What the name service says, at a name server of our own."""

from __future__ import annotations

from typing import Any

import pytest

from depesche.mailroom.connections import name_service
from depesche.mailroom.connections.name_service import Answer, Target
from tests.support.name_server import name_server

SRV = "_submissions._tcp.nordlicht.example"
ZONE = {
    (SRV, "SRV"): ["20 0 465 b.nordlicht.example.", "10 1 465 a.nordlicht.example.", "10 9 465 c.example."],
    ("silent.example", "MX"): ["0 ."],
}


@pytest.fixture
def dns(settings: Any) -> Any:
    with name_server(ZONE) as server:
        settings.DEPESCHE_NAME_SERVERS = [server.address]
        yield server


def test_services_by_priority_and_then_by_weight(dns: Any) -> None:
    found = name_service.services(SRV)
    assert found.values == (
        Target("c.example", 465, 10, 9),
        Target("a.nordlicht.example", 465, 10, 1),
        Target("b.nordlicht.example", 465, 20, 0),
    )


def test_a_domain_that_takes_no_mail(dns: Any) -> None:
    assert name_service.mail_exchangers("silent.example").values == ("",)


def test_a_long_domain_has_no_services_but_is_no_fault_of_the_name_service(dns: Any) -> None:
    domain = ".".join(["x" * 60] * 4)
    assert name_service.services(f"_submissions._tcp.{domain}") == Answer()
    assert name_service.text(domain).asked


def test_where_no_name_server_answers_a_sentence_says_why(dns: Any) -> None:
    dns.failing = True
    found = name_service.services(SRV, seconds=1.0)
    assert not found.asked
    assert " " in found.trouble
