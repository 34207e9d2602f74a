"""Forged, forwarded, run out, revoked: what becomes of a mail whose author is not established, and of
strangers and guests."""

from __future__ import annotations

from datetime import timedelta
from itertools import combinations
from typing import Any

import pytest
from django.utils import timezone

from depesche.mailformat.parse import parse
from depesche.mailroom.inbox import processing
from depesche.mailroom.inbox.models import Outcome, ReceivedMessage
from depesche.tracker.accounts.models import Person
from depesche.tracker.correspondence import blocking, rules
from depesche.tracker.correspondence.models import MailedIn
from depesche.tracker.items import actions as items
from depesche.tracker.items.models import Comment, Item, ItemEvent
from depesche.tracker.threads import actions as thread_actions
from depesche.tracker.threads import addresses as threads
from tests.tracker.correspondence.support import (
    SYSTEM,
    mails,
    plan_all,
    raw_of,
    reply_address,
    take,
    written,
)

pytestmark = pytest.mark.django_db(transaction=True)

PASS = "mx.example.org; dmarc=pass header.from=example.org; spf=pass smtp.mailfrom=example.org"
FAIL = "mx.example.org; dmarc=fail header.from=example.org"
FORGED_PASS = "elsewhere.example; dmarc=pass header.from=example.org"


def held_row() -> ReceivedMessage:
    return ReceivedMessage.objects.filter(outcome=Outcome.HELD).latest("pk")


def offered() -> list[str]:
    row = held_row()
    return [choice.key for choice in processing.choices(row.handler, row.proposal)]


# --- forged ----------------------------------------------------------------------------------------------

_FORGED: dict[str, dict[str, str]] = {
    "subject": {"subject": "Re: [NW-1] New: Coolant pump P-7"},
    "reply-to": {"Reply_To": "tomasz@example.org"},
    "sender field": {"Sender": "tomasz@example.org"},
    "root": {"References": "ROOT"},
    "made up token": {"In_Reply_To": f"<{'a' * 31}.e1@example.org>"},
    "result of another server": {"Authentication_Results": FORGED_PASS},
    "fail": {"Authentication_Results": FAIL},
}


@pytest.mark.parametrize(
    "pieces", [*combinations(_FORGED, 1), *combinations(_FORGED, 2), tuple(_FORGED)], ids=str
)
def test_a_forged_from_changes_nothing(
    item: Item, people: dict[str, Person], pieces: tuple[str, ...]
) -> None:
    headers: dict[str, Any] = {"subject": "Re: nothing"}
    for piece in pieces:
        headers |= _FORGED[piece]
    if headers.get("References") == "ROOT":
        headers["References"] = threads.root_id(item.pk)
    before = (item.state, item.updated_at, ItemEvent.objects.filter(item=item).count())
    handled = take(written("state: closed\n\nClose it.", **headers))
    item.refresh_from_db()
    assert handled.outcome in (Outcome.HELD, Outcome.ITEM)
    assert Comment.objects.count() == 0
    assert before == (item.state, item.updated_at, ItemEvent.objects.filter(item=item).count())


def test_a_from_that_fails_the_check_makes_no_item_either(item: Item) -> None:
    handled = take(written("New.", subject="Door", Authentication_Results=FAIL))
    assert handled.outcome == Outcome.HELD
    assert "mx.example.org says" in handled.reason
    assert offered() == [f"item:{Person.objects.get(email='tomasz@example.org').pk}", "block"]


def test_a_token_does_not_help_a_from_that_fails_the_check(item: Item, people: dict[str, Person]) -> None:
    mail = written(to=reply_address(item, people["tomasz"]), Authentication_Results=FAIL)
    assert take(mail).outcome == Outcome.HELD


# --- what a workspace demands ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("proof", "token", "result", "how"),
    [
        ("strict", True, PASS, "token_check"),
        ("strict", True, "", None),
        ("strict", False, PASS, None),
        ("token", True, "", "token"),
        ("token", False, PASS, None),
        ("check", False, PASS, "check"),
        ("check", False, FORGED_PASS, None),
        ("check", False, "", None),
        ("address", False, "", "address"),
        ("address", False, FAIL, None),
    ],
)
def test_each_demand(
    item: Item, people: dict[str, Person], proof: str, token: bool, result: str, how: str | None
) -> None:
    rules.save(item.workspace, {"proof": proof})
    headers = {"Authentication_Results": result} if result else {}
    to = reply_address(item, people["tomasz"]) if token else SYSTEM
    handled = take(written(to=to, **headers))
    if how is None:
        assert handled.outcome == Outcome.HELD
        assert Comment.objects.count() == 0
        return
    assert handled.outcome == Outcome.COMMENT
    assert Comment.objects.get().how_known == how
    known = MailedIn.objects.get(comment=handled.comment)
    assert known.from_address == "Tomasz <tomasz@example.org>"
    assert known.token == ("good" if token else "none")
    assert known.check_result == ("passed" if result == PASS else "unsaid")


# --- run out and revoked ---------------------------------------------------------------------------------


def test_a_reply_address_that_has_run_out_is_held_with_the_reason(
    item: Item, people: dict[str, Person]
) -> None:
    old = timezone.now() - timedelta(days=31)
    address = threads.addresses().reply_address(item.pk, people["tomasz"].pk, now=old)
    assert address is not None
    rules.save(item.workspace, {"reply_days": 30})
    handled = take(written(to=address.addr_spec))
    assert handled.outcome == Outcome.HELD
    assert handled.reason == (
        "From the address of Tomasz, but the reply address has run out: it was good for 30 days."
    )
    rules.save(item.workspace, {"reply_days": 0})
    assert take(written("again", to=address.addr_spec)).outcome == Outcome.COMMENT


@pytest.mark.parametrize("scope", ["item", "person", "both", "all"])
def test_a_revoked_reply_address_is_held_with_the_reason(
    item: Item, people: dict[str, Person], scope: str
) -> None:
    tomasz = people["tomasz"]
    before = reply_address(item, tomasz)
    now = timezone.now()
    thread_actions.revoke(
        item=item if scope in ("item", "both") else None,
        person=tomasz if scope in ("person", "both") else None,
        by="Jana",
        now=now,
    )
    handled = take(written(to=before))
    assert (handled.outcome, handled.reason) == (
        Outcome.HELD,
        "From the address of Tomasz, but the reply address has been revoked.",
    )
    fresh = threads.addresses().reply_address(item.pk, tomasz.pk, now=now + timedelta(seconds=2))
    assert fresh is not None
    assert take(written("again", to=fresh.addr_spec)).outcome == Outcome.COMMENT


def test_an_answer_to_somebody_elses_mail_in_the_thread_belongs_to_the_item(
    item: Item, people: dict[str, Person]
) -> None:
    """Jana writes to the tracker and to Tomasz; he answers her mail, which is none of ours."""
    take(written("New.", subject="Door", sender="jana@example.org", Message_ID="<jana1@client.example>"))
    made = Item.objects.get(number=2)
    answer = written("I saw it.", subject="Re: Door", In_Reply_To="<jana1@client.example>")
    handled = take(answer)
    assert (handled.outcome, handled.item) == (Outcome.HELD, made.key)
    rules.save(made.workspace, {"proof": "address"})
    handled = take(written("I saw it too.", subject="Re: Door", References="<jana1@client.example>"))
    assert (handled.outcome, handled.item) == (Outcome.COMMENT, made.key)


# --- decisions -------------------------------------------------------------------------------------------


def test_one_click_for_each_outcome(item: Item, people: dict[str, Person]) -> None:
    tomasz = people["tomasz"]
    mail = written("My words.", sender="T <t@private.example>", to=reply_address(item, tomasz))
    take(mail)
    assert offered() == [
        f"comment:{tomasz.pk}",
        f"address:{tomasz.pk}",
        "guest",
        f"item:{tomasz.pk}",
        "item:guest",
        "block",
    ]
    handled = processing.accept_held(held_row().pk, by="Jana", choice="guest")
    comment = Comment.objects.get()
    assert handled.outcome == Outcome.COMMENT
    assert (comment.author.email, comment.author.is_guest) == ("t@private.example", True)
    assert (comment.text, comment.how_known) == ("My words.", "accepted")
    assert MailedIn.objects.get(comment=comment).accepted_by == "Jana"


def test_an_address_can_be_taken_as_theirs_from_now_on(item: Item, people: dict[str, Person]) -> None:
    tomasz = people["tomasz"]
    mail = {"sender": "T <t@private.example>", "to": reply_address(item, tomasz)}
    take(written("One.", **mail))
    processing.accept_held(held_row().pk, by="Jana", choice=f"address:{tomasz.pk}")
    assert Comment.objects.get().text == "One."
    handled = take(written("Two.", **mail))
    assert handled.outcome == Outcome.COMMENT
    assert Comment.objects.get(pk=handled.comment).author == tomasz


def test_nobody_takes_over_the_address_of_another_person(item: Item, people: dict[str, Person]) -> None:
    take(written("One.", sender="eve@example.org", to=reply_address(item, people["tomasz"])))
    assert not [key for key in offered() if key.startswith("address")]


def test_a_held_answer_becomes_an_item_of_its_own(item: Item, people: dict[str, Person]) -> None:
    tomasz = people["tomasz"]
    take(written("Mine.", subject="Door", sender="t@private.example", to=reply_address(item, tomasz)))
    handled = processing.accept_held(held_row().pk, by="Jana", choice=f"item:{tomasz.pk}")
    assert (handled.outcome, handled.item) == (Outcome.ITEM, "NW-2")
    made = Item.objects.get(number=2)
    assert (made.author, made.title, made.how_known) == (tomasz, "Door", "accepted")
    assert made.description == "*Written from t@private.example:*\n\nMine."


def test_a_blocked_sender_is_heard_no_more_until_unblocked(item: Item, people: dict[str, Person]) -> None:
    mail = {"sender": "t@private.example", "to": reply_address(item, people["tomasz"])}
    take(written("One.", **mail))
    handled = processing.accept_held(held_row().pk, by="Jana", choice="block")
    assert handled.outcome == Outcome.IGNORED
    assert take(written("Two.", **mail)).outcome == Outcome.IGNORED
    assert mails("t@private.example") == []
    assert blocking.unblock("t@private.example")
    assert take(written("Three.", **mail)).outcome == Outcome.HELD


@pytest.mark.parametrize("choice", ["comment:999", "comment:x", "odd", "item:1:2", "guest:1", "comment:"])
def test_a_choice_that_was_not_offered_does_nothing(
    item: Item, people: dict[str, Person], choice: str
) -> None:
    take(written("x", sender="t@private.example", to=reply_address(item, people["tomasz"])))
    handled = processing.accept_held(held_row().pk, by="Jana", choice=choice)
    assert handled.outcome == Outcome.REJECTED
    assert Comment.objects.count() == 0
    assert Item.objects.count() == 1


# --- strangers and guests --------------------------------------------------------------------------------

MAX = "Max Muster <max@elsewhere.example>"


def test_a_stranger_is_held_where_the_workspace_wants_it(item: Item) -> None:
    rules.save(None, {"strangers": "hold"})
    handled = take(written("Help!", sender=MAX, subject="Question"))
    assert (handled.outcome, handled.reason) == (
        Outcome.HELD,
        "A new mail from max@elsewhere.example, whom nobody here knows.",
    )
    assert offered() == ["item:guest", "block"]
    assert mails() == []
    assert processing.accept_held(held_row().pk, by="Jana").outcome == Outcome.ITEM


def test_a_stranger_becomes_a_guest_who_can_answer_and_hears_nothing_else(
    item: Item, people: dict[str, Person]
) -> None:
    rules.save(item.workspace, {"strangers": "guest"})
    handled = take(written("Bitte um Hilfe, danke.", sender=MAX, subject="Frage"))
    assert (handled.outcome, handled.item) == (Outcome.ITEM, "NW-2")
    made = Item.objects.get(number=2)
    assert (made.author.name, made.author.language, made.how_known) == ("Max Muster", "de", "address")
    (arrived,) = mails("max@elsewhere.example")
    assert arrived.subject == "[NW-2] Angekommen: Frage"
    items.add_comment(made, author=people["jana"], text="Internal: charge him twice.")
    items.change_item(made, actor=people["jana"], state="in_progress")
    plan_all()
    assert mails("max@elsewhere.example") == [arrived]
    ours = parse(raw_of(arrived))
    assert "Internal" not in (ours.text or "")
    answer = written(
        "Noch etwas.", sender=MAX, to=ours.reply_to[0].addr_spec, In_Reply_To=str(ours.message_id)
    )
    handled = take(answer)
    assert (handled.outcome, handled.item) == (Outcome.COMMENT, "NW-2")
    comment = Comment.objects.get(pk=handled.comment)
    assert (comment.author, comment.how_known) == (made.author, "token")


def test_a_guest_is_no_member(item: Item, people: dict[str, Person]) -> None:
    """A guest of one item has no place in another, whatever they name."""
    rules.save(item.workspace, {"strangers": "guest", "proof": "address"})
    take(written("Help", sender=MAX, subject="Question"))
    handled = take(written("Now this one.", sender=MAX, subject="Re: [NW-1] New: Coolant pump P-7"))
    assert (handled.outcome, handled.item) == (Outcome.ITEM, "NW-3")
    root = threads.root_id(item.pk)
    handled = take(written("And so.", sender=MAX, References=root))
    assert handled.outcome == Outcome.REJECTED
    assert Comment.objects.filter(item=item).count() == 0


def test_with_items_by_mail_off_nobody_becomes_a_guest(item: Item) -> None:
    from depesche.mailroom.connections.models import OutgoingConnection

    rules.save(item.workspace, {"strangers": "guest"})
    OutgoingConnection.objects.update(items_by_mail=False)
    assert take(written("Help", sender=MAX, subject="Question")).outcome == Outcome.REJECTED
    assert not Person.objects.filter(is_guest=True).exists()


# --- commands --------------------------------------------------------------------------------------------


def test_commands_are_off_by_default(item: Item, people: dict[str, Person]) -> None:
    take(written("state: closed\n\nDone.", to=reply_address(item, people["tomasz"])))
    item.refresh_from_db()
    assert item.state == "open"
    assert Comment.objects.get().text == "state: closed\n\nDone."


def test_commands_change_the_item_with_the_comment(item: Item, people: dict[str, Person]) -> None:
    rules.save(item.workspace, {"commands": True})
    text = "Zustand: geschlossen\nresponsible: jana@example.org\nprio: hoch\n\nDone."
    handled = take(written(text, to=reply_address(item, people["tomasz"])))
    assert handled.outcome == Outcome.COMMENT
    item.refresh_from_db()
    assert (item.state, item.responsible, item.priority) == ("closed", people["jana"], 3)
    assert Comment.objects.get().text == "Done."
    assert len(ItemEvent.objects.get(comment=handled.comment).changes) == 3


def test_commands_alone_make_no_empty_comment(item: Item, people: dict[str, Person]) -> None:
    rules.save(item.workspace, {"commands": True})
    handled = take(written("state: done\n", to=reply_address(item, people["tomasz"])))
    assert (handled.outcome, handled.comment) == (Outcome.COMMENT, None)
    item.refresh_from_db()
    assert item.state == "done"
    assert Comment.objects.count() == 0


def test_what_could_not_be_done_is_said_on_the_page_and_by_mail(
    item: Item, people: dict[str, Person]
) -> None:
    rules.save(item.workspace, {"commands": True})
    text = "responsible: eve@example.org\nstate: odd\n\nPlease."
    take(written(text, to=reply_address(item, people["tomasz"])))
    item.refresh_from_db()
    assert (item.responsible, item.state) == (people["tomasz"], "open")
    assert "Not done: “responsible: eve@example.org”" in Comment.objects.get().text
    (answer,) = [row for row in mails("tomasz@example.org") if row.category == "answer"]
    said = " ".join((parse(raw_of(answer)).text or "").split())
    assert "No member of the workspace has this address" in said
    assert "state: odd" in said


@pytest.mark.parametrize("proof", ["token", "address"])
def test_only_established_authors_give_orders(item: Item, proof: str) -> None:
    rules.save(item.workspace, {"commands": True, "proof": proof})
    take(written("state: closed\n\nClose it."))
    item.refresh_from_db()
    assert item.state == "open"


# --- encrypted -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("answers", [True, False])
def test_an_encrypted_mail_is_held_and_kept_as_a_file(
    item: Item, people: dict[str, Person], answers: bool
) -> None:
    to = reply_address(item, people["tomasz"]) if answers else SYSTEM
    raw = (
        f"From: tomasz@example.org\r\nTo: {to}\r\nSubject: Secret\r\nMessage-ID: <c@client.example>\r\n"
        'MIME-Version: 1.0\r\nContent-Type: multipart/encrypted; boundary="b"; '
        'protocol="application/pgp-encrypted"\r\n\r\n--b\r\nContent-Type: application/pgp-encrypted\r\n\r\n'
        "Version: 1\r\n--b\r\nContent-Type: application/octet-stream\r\n\r\n"
        "-----BEGIN PGP MESSAGE-----\r\nxyz\r\n-----END PGP MESSAGE-----\r\n--b--\r\n"
    ).encode()
    handled = take(raw)
    assert (handled.outcome, handled.reason) == (
        Outcome.HELD,
        "It is encrypted, and nobody here has the key.",
    )
    accepted = processing.accept_held(held_row().pk, by="Jana")
    assert accepted.outcome == (Outcome.COMMENT if answers else Outcome.ITEM)
    files = (Comment.objects.get() if answers else Item.objects.get(number=2)).attachments.all()
    assert [(file.filename, bytes(file.data)) for file in files] == [("encrypted.eml", raw)]


def test_a_held_mail_can_be_processed_again_after_the_rules_changed(item: Item) -> None:
    assert take(written()).outcome == Outcome.HELD
    row = held_row()
    assert row.proposal["excerpt"] == "I will do it tomorrow."
    assert processing.replay(row.pk, by="Jana").outcome == Outcome.HELD
    rules.save(item.workspace, {"proof": "address"})
    assert processing.replay(row.pk, by="Jana").outcome == Outcome.COMMENT
    with pytest.raises(processing.NotReplayable):
        processing.replay(row.pk, by="Jana")
    assert Comment.objects.count() == 1


def test_an_encrypted_mail_of_a_guest_can_be_decided(item: Item) -> None:
    rules.save(item.workspace, {"strangers": "guest"})
    raw = written("-----BEGIN PGP MESSAGE-----\nxyz\n-----END PGP MESSAGE-----\n", sender=MAX, subject="Hi")
    assert take(raw).outcome == Outcome.HELD
    assert offered() == ["item:guest", "block"]
    assert processing.accept_held(held_row().pk, by="Jana").outcome == Outcome.ITEM


def test_the_quote_of_a_personal_mail_is_recognised_without_marks(
    item: Item, people: dict[str, Person]
) -> None:
    from depesche.mailformat.addresses import Address
    from depesche.tracker.correspondence import writing

    wanted = writing.Mail(
        to=[Address("Max", "max@elsewhere.example")],
        subject="[NW-1] Question",
        text="Could you please have a look at the coolant pump of hall seven this week?",
    )
    writing.write(item, people["jana"], wanted, now=timezone.now())
    ours = parse(raw_of(mails("max@elsewhere.example")[-1]))
    to, message_id = ours.reply_to[0].addr_spec, str(ours.message_id)
    answer = written(f"Yes, on Friday.\n\n{ours.text}", sender=MAX, to=to, In_Reply_To=message_id)
    assert take(answer).text == "Yes, on Friday."
