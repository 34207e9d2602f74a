"""Storing a raw mail once, whatever way it comes."""

from __future__ import annotations

import pytest
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from depesche.mailroom.inbox.intake import fingerprint, store
from depesche.mailroom.inbox.models import ReceivedMessage

MAIL = b"From: alice@example.org\r\nMessage-ID: <1@example.org>\r\nSubject: Hello\r\n\r\nText\r\n"


@pytest.mark.parametrize(
    "other",
    [
        MAIL.replace(b"\r\n", b"\n"),
        b"From alice@example.org Mon Nov 23 10:00:00 2026\n" + MAIL.replace(b"\r\n", b"\n"),
        b"Return-Path: <alice@example.org>\r\nDelivered-To: tracker@example.org\r\n" + MAIL,
        b"Received: from a\r\n\tby b; Mon, 23 Nov 2026\r\nX-Spam-Score: 0\r\n" + MAIL,
        MAIL + b"\r\n",
    ],
)
def test_one_mail_by_two_ways_is_one(other: bytes) -> None:
    assert fingerprint(other) == fingerprint(MAIL)


@pytest.mark.parametrize(
    "other",
    [
        MAIL.replace(b"Text", b"Other"),
        MAIL.replace(b"<1@", b"<2@"),
        b"From: alice@example.org\r\nSubject: Hello\r\n\r\nText\r\n",
    ],
)
def test_another_mail_is_another(other: bytes) -> None:
    assert fingerprint(other) != fingerprint(MAIL)


def test_without_message_id_all_but_the_trace_counts() -> None:
    bare = b"From: a@example.org\nSubject: x\n\nText\n"
    assert fingerprint(b"Received: by here\n\tand there\n" + bare) == fingerprint(bare)
    assert fingerprint(bare.replace(b"x", b"y")) != fingerprint(bare)


@given(st.binary(max_size=2000))
def test_any_octets_have_a_fingerprint(raw: bytes) -> None:
    assert len(fingerprint(raw)) == 64


@pytest.mark.contract
@pytest.mark.django_db
def test_stored_once() -> None:
    first = store(MAIL, source="imap", source_ref="1/1", now=timezone.now())
    again = store(
        b"Received: x\r\n" + MAIL,
        source="pipe",
        envelope_sender="",
        envelope_recipient="t@x",
        now=timezone.now(),
    )
    assert (first.new, again.new) == (True, False)
    assert first.id == again.id
    assert bytes(ReceivedMessage.objects.get().raw) == MAIL


@pytest.mark.contract
@pytest.mark.django_db
def test_the_envelope_cannot_carry_control_characters() -> None:
    stored = store(
        MAIL,
        source="pipe",
        envelope_sender="<a@example.org>\r\nX: y",
        envelope_recipient="t\x00@example.org",
        now=timezone.now(),
    )
    row = ReceivedMessage.objects.get(pk=stored.id)
    assert row.envelope_recipient == "t@example.org"
    assert "\n" not in (row.envelope_sender or "")


@pytest.mark.django_db
@pytest.mark.parametrize(("given_", "kept"), [(None, None), ("", ""), ("<>", "")])
def test_an_unknown_sender_is_not_the_null_sender(given_: str | None, kept: str | None) -> None:
    stored = store(MAIL, source="pipe", envelope_sender=given_, now=timezone.now())
    assert ReceivedMessage.objects.get(pk=stored.id).envelope_sender == kept
