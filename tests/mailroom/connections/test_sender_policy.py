from __future__ import annotations

from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from depesche.mailroom.connections import sender_policy
from depesche.mailroom.connections.sender_policy import Identity, from_for, may_be_refused


@dataclass(frozen=True)
class Ours:
    system_address: str = "tracker@example.org"
    system_name: str = "Your Server"
    sender: str = "system"


SYSTEM, USER = Ours(), Ours(sender="user")
JANA = {"author_name": "Jana Voss", "author_address": "jana@example.org"}


@pytest.mark.parametrize(
    ("settings", "sender", "author", "shown"),
    [
        (SYSTEM, "system", {}, "Your Server <tracker@example.org>"),
        (USER, "system", JANA, "Your Server <tracker@example.org>"),
        (SYSTEM, "user", JANA, "Jana Voss via Your Server <tracker@example.org>"),
        (USER, "user", JANA, "Jana Voss <jana@example.org>"),
        (USER, "user", {"author_name": "Jana Voss"}, "Jana Voss via Your Server <tracker@example.org>"),
        (SYSTEM, "user", {}, "Your Server <tracker@example.org>"),
        (SYSTEM, "given", {"author_address": "shop@example.org"}, "shop@example.org"),
        (
            SYSTEM,
            "given",
            {"author_name": "Shop", "author_address": "x"},
            "Your Server <tracker@example.org>",
        ),
        (USER, "given", {}, "Your Server <tracker@example.org>"),
        (SYSTEM, "user", {"author_name": "A\r\nBcc: b@c.d"}, None),
    ],
)
def test_who_a_mail_is_from(settings: Ours, sender: str, author: dict[str, str], shown: str | None) -> None:
    decision = from_for(settings, sender=sender, **author)
    assert decision.reverse_path == "tracker@example.org"
    if shown is None:
        assert "\n" not in str(decision.author)
        assert "\r" not in str(decision.author)
    else:
        assert str(decision.author) == shown


VIA = "Jana Voss via Your Server <tracker@example.org>"
HELP = Identity("help@example.org", "Help Desk")
ELSEWHERE = Identity("help@customer.example", "Help Desk")


@pytest.mark.parametrize(
    ("settings", "sender", "own", "refused", "shown", "reverse_path", "reply_to"),
    [
        # the server refuses the person's domain
        (USER, "user", None, {"example.org"}, VIA, "t", "jana"),
        (
            USER,
            "given",
            None,
            {"example.org"},
            "Jana Voss via Your Server <tracker@example.org>",
            "t",
            "jana",
        ),
        (USER, "user", None, {"other.example"}, "Jana Voss <jana@example.org>", "t", ""),
        (SYSTEM, "user", None, {"example.org"}, VIA, "t", ""),
        (SYSTEM, "system", None, {"example.org"}, "Your Server <tracker@example.org>", "t", ""),
        # a workspace of its own
        (SYSTEM, "system", HELP, (), "Help Desk <help@example.org>", "t", ""),
        (SYSTEM, "user", HELP, (), "Jana Voss via Help Desk <help@example.org>", "t", ""),
        (USER, "user", HELP, (), "Jana Voss <jana@example.org>", "t", ""),
        (SYSTEM, "system", ELSEWHERE, (), "Help Desk <help@customer.example>", "help@customer.example", ""),
        (SYSTEM, "system", Identity("", "Help Desk"), (), "Help Desk <tracker@example.org>", "t", ""),
        (SYSTEM, "system", Identity("nonsense", "Help Desk"), (), "Help Desk <tracker@example.org>", "t", ""),
        (SYSTEM, "system", Identity("help@example.org"), (), "Your Server <help@example.org>", "t", ""),
        # … that the server refuses
        (
            SYSTEM,
            "system",
            ELSEWHERE,
            {"customer.example"},
            "Help Desk via Your Server <tracker@example.org>",
            "t",
            "",
        ),
        (
            USER,
            "user",
            ELSEWHERE,
            {"customer.example", "example.org"},
            "Jana Voss via Help Desk via Your Server <tracker@example.org>",
            "t",
            "jana",
        ),
    ],
)
def test_who_a_mail_is_from_where_a_server_refuses(
    settings: Ours,
    sender: str,
    own: Identity | None,
    refused: set[str],
    shown: str,
    reverse_path: str,
    reply_to: str,
) -> None:
    made = from_for(settings, sender=sender, **JANA, own=own, refused=refused)
    assert str(made.author) == shown
    assert made.reverse_path == ("tracker@example.org" if reverse_path == "t" else reverse_path)
    assert str(made.reply_to or "") == ("Jana Voss <jana@example.org>" if reply_to else "")
    assert made.domain == ("" if "tracker@" in shown else made.author.domain)


@given(
    st.sampled_from(["system", "user", "given"]),
    st.sampled_from([SYSTEM, USER]),
    st.sampled_from([None, HELP, ELSEWHERE]),
)
def test_plain_is_always_the_system_address(sender: str, settings: Ours, own: Identity | None) -> None:
    made = from_for(settings, sender=sender, **JANA, own=own, plain=True)
    assert made.author.addr_spec == made.reverse_path == "tracker@example.org"
    assert made.domain == ""


def test_without_a_system_address_nothing_goes_out() -> None:
    with pytest.raises(sender_policy.NoSystemAddress):
        from_for(Ours(system_address=""), sender="system")


@given(st.text(), st.text(), st.sampled_from(["system", "user", "given"]), st.sampled_from([SYSTEM, USER]))
def test_no_author_breaks_a_header(name: str, address: str, sender: str, settings: Ours) -> None:
    decision = from_for(settings, sender=sender, author_name=name, author_address=address)
    assert decision.reverse_path == "tracker@example.org"
    assert not set("\r\n\0") & set(str(decision.author))


@pytest.mark.parametrize(
    ("settings", "login", "warns"),
    [
        (SYSTEM, "", ""),
        (SYSTEM, "tracker", ""),
        (SYSTEM, "tracker@example.org", ""),
        (SYSTEM, "Tracker@Example.org", ""),
        (SYSTEM, "jana@example.org", "system"),
        (USER, "", ""),
        (USER, "tracker", "user"),
        (USER, "tracker@example.org", "user"),
    ],
)
def test_when_a_server_may_refuse_the_from(settings: Ours, login: str, warns: str) -> None:
    assert may_be_refused(settings, login) == warns
