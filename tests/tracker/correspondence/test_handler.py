"""Every answer finds its item, nothing else does."""

from __future__ import annotations

from typing import Any

import pytest
from django.utils import timezone
from pytest_django.fixtures import Settings

from depesche.mailformat.parse import parse
from depesche.mailroom.connections.models import IncomingMailbox, OutgoingConnection
from depesche.mailroom.inbox import processing
from depesche.mailroom.inbox.models import Outcome, ReceivedMessage
from depesche.mailroom.outbox import queries as outbox
from depesche.tracker.accounts import actions as accounts
from depesche.tracker.accounts.models import Person
from depesche.tracker.correspondence import language, polite
from depesche.tracker.items import actions as items
from depesche.tracker.items.models import Comment, Item, ItemEvent
from depesche.tracker.threads import addresses as threads
from tests.tracker.correspondence.support import SYSTEM, mails, plan_all, reply_address, take, written
from tests.tracker.support import make_workspace

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.contract]


@pytest.fixture(autouse=True)
def way_in(db: None) -> None:
    """Without a server whose check of senders counts."""
    OutgoingConnection.objects.create(
        host="smtp.example.org", system_address=SYSTEM, system_name="Your Server", items_by_mail=True
    )
    IncomingMailbox.objects.create(protocol="pipe", plus_addressing="on")


# --- answers ---------------------------------------------------------------------------------------------


def test_an_answer_becomes_a_comment_and_goes_on_to_the_others(item: Item, people: dict[str, Person]) -> None:
    plan_all()
    notice = mails("tomasz@example.org")[0]
    raw = outbox.raw_mail(notice.id)
    assert raw is not None
    ours = parse(raw)
    quoted = "\n".join(f"> {line}" for line in (ours.text or "").splitlines())
    answer = written(
        f"I will do it tomorrow.\n\nOn Monday, Jana wrote:\n{quoted}\n",
        to=ours.reply_to[0].addr_spec,
        In_Reply_To=str(ours.message_id),
        files=(("insert.jpg", b"\xff\xd8jpeg"),),
    )
    handled = take(answer, envelope_sender="tomasz@example.org")
    assert (handled.outcome, handled.item, handled.text) == (
        Outcome.COMMENT,
        "NW-1",
        "I will do it tomorrow.",
    )
    comment = Comment.objects.get()
    assert comment.author == people["tomasz"]
    assert comment.text == "I will do it tomorrow."
    assert "Coolant pump P-7" in comment.cut
    assert (comment.via, comment.how_known) == ("mail", "token")
    assert [file.filename for file in comment.attachments.all()] == ["insert.jpg"]
    plan_all()
    (told,) = mails("jana@example.org")
    assert told.subject == "[NW-1] Comment added: Coolant pump P-7"
    sent = outbox.raw_mail(told.id)
    assert sent is not None
    assert threads.root_id(item.pk) in parse(sent).references
    assert take(answer).comment == comment.pk
    assert Comment.objects.count() == 1


@pytest.mark.parametrize("where", ["to", "upper", "cc", "envelope", "delivered", "in-reply-to", "references"])
def test_the_thread_is_found_wherever_the_token_stands(
    item: Item, people: dict[str, Person], where: str
) -> None:
    address = reply_address(item, people["tomasz"])
    own = threads.addresses().message_id(item.pk, people["tomasz"].pk, "e7", now=timezone.now())
    made: dict[str, dict[str, Any]] = {
        "to": {"to": address},
        "upper": {"to": address.upper()},
        "cc": {"Cc": f"{address}, jana@example.org"},
        "envelope": {},
        "delivered": {"Delivered_To": address},
        "in-reply-to": {"In_Reply_To": own},
        "references": {"References": f"<other@x.example> {own} <more@x.example>"},
    }
    envelope = {"envelope_recipient": address} if where == "envelope" else {}
    handled = take(written(**made[where]), **envelope)
    assert handled.outcome == Outcome.COMMENT, handled.reason


def test_our_words_are_recognised_without_any_quote_mark(item: Item, people: dict[str, Person]) -> None:
    plan_all()
    raw = outbox.raw_mail(mails("tomasz@example.org")[0].id)
    assert raw is not None
    ours = parse(raw)
    handled = take(
        written(
            f"Yes, tomorrow.\n\n{ours.text}",
            to=reply_address(item, people["tomasz"]),
            In_Reply_To=str(ours.message_id),
        )
    )
    assert handled.outcome == Outcome.COMMENT
    assert handled.text == "Yes, tomorrow."


def test_a_further_verified_address_counts(item: Item, people: dict[str, Person]) -> None:
    accounts.add_verified_address(people["tomasz"], "tomasz@home.example")
    mail = written(sender="Tomasz@HOME.example", to=reply_address(item, people["tomasz"]))
    assert take(mail).outcome == Outcome.COMMENT


def test_a_reply_to_several_of_us_is_taken_for_its_writer(item: Item, people: dict[str, Person]) -> None:
    both = f"{reply_address(item, people['jana'])}, {reply_address(item, people['tomasz'])}"
    take(written(to=both))
    assert Comment.objects.get().author == people["tomasz"]


# --- held ------------------------------------------------------------------------------------------------


def test_a_token_with_another_address_is_held_and_can_be_accepted(
    item: Item, people: dict[str, Person]
) -> None:
    handled = take(
        written("My words.", sender="T <t@private.example>", to=reply_address(item, people["tomasz"]))
    )
    assert (handled.outcome, handled.item) == (Outcome.HELD, "NW-1")
    assert handled.proposal["author"] == people["tomasz"].pk
    assert Comment.objects.count() == 0
    row = ReceivedMessage.objects.get()
    accepted = processing.accept_held(row.pk, by="Jana")
    assert accepted.outcome == Outcome.COMMENT
    comment = Comment.objects.get()
    assert comment.author == people["tomasz"]
    assert comment.how_known == "accepted"
    assert comment.text == "*Written from T <t@private.example>:*\n\nMy words."


def test_a_forwarded_token_belongs_to_nobody_else(item: Item, people: dict[str, Person]) -> None:
    handled = take(written(sender="jana@example.org", to=reply_address(item, people["tomasz"])))
    assert handled.outcome == Outcome.HELD
    assert handled.proposal["author"] == people["jana"].pk
    stranger = take(written(sender="eve@example.org", to=reply_address(item, people["tomasz"])))
    assert stranger.outcome == Outcome.HELD
    assert stranger.proposal["author"] == people["tomasz"].pk
    assert Comment.objects.count() == 0


def test_two_authors_prove_nothing(item: Item, people: dict[str, Person]) -> None:
    mail = written(sender="tomasz@example.org, jana@example.org", to=reply_address(item, people["tomasz"]))
    assert take(mail).outcome == Outcome.HELD


def test_a_forged_token_is_none(item: Item, people: dict[str, Person]) -> None:
    address = reply_address(item, people["tomasz"])
    forged = address.replace("+", "+a")[:-15] + "a@example.org"
    handled = take(written(subject="Re: something", to=forged))
    assert handled.outcome == Outcome.ITEM
    assert Item.objects.count() == 2


def test_only_the_subject_names_the_item(item: Item) -> None:
    handled = take(written("Without a trace"))
    assert (handled.outcome, handled.item) == (Outcome.HELD, "NW-1")


def test_an_answer_without_new_words_is_held(item: Item, people: dict[str, Person]) -> None:
    mail = written("> all quoted\n> words here\n", to=reply_address(item, people["tomasz"]))
    handled = take(mail)
    assert handled.outcome == Outcome.HELD
    accepted = processing.accept_held(ReceivedMessage.objects.get().pk, by="Jana")
    assert accepted.outcome == Outcome.COMMENT
    assert "all quoted" in Comment.objects.get().text
    assert take(written("\n", to=reply_address(item, people["tomasz"]))).outcome == Outcome.IGNORED


# --- refused ---------------------------------------------------------------------------------------------


def test_who_lost_the_right_is_told_once(item: Item, people: dict[str, Person]) -> None:
    items.remove_member(item.workspace, people["tomasz"])
    for number in range(3):
        handled = take(written(f"words {number}", to=reply_address(item, people["tomasz"])))
        assert handled.outcome == Outcome.REJECTED
    assert [row.category for row in mails("tomasz@example.org")] == ["answer"]


def test_the_deactivated_are_refused_in_silence(item: Item, people: dict[str, Person]) -> None:
    accounts.deactivate(people["tomasz"])
    address = threads.addresses().reply_address(item.pk, people["tomasz"].pk, now=timezone.now())
    assert address is not None
    assert take(written(to=address.addr_spec)).outcome == Outcome.REJECTED
    assert take(written(subject="new")).outcome == Outcome.REJECTED
    assert mails() == []


@pytest.mark.parametrize(
    ("words", "spoken"),
    [
        ("Please look at this, thank you.", "Your mail was not taken over"),
        ("Bitte um Hilfe, vielen Dank.", "Ihre E-Mail wurde nicht"),
    ],
)
def test_an_unknown_sender_gets_one_polite_answer_in_their_language(words: str, spoken: str) -> None:
    raw = written(words, sender="Max <max@elsewhere.example>", subject="Question")
    assert take(raw, envelope_sender="max@elsewhere.example").outcome == Outcome.REJECTED
    take(written(words + "2", sender="Max <max@elsewhere.example>", subject="Question"))
    (answer,) = mails()
    assert (answer.recipient, answer.category) == ("max@elsewhere.example", "answer")
    sent = outbox.raw_mail(answer.id)
    assert sent is not None
    mail = parse(sent)
    assert mail.header("auto-submitted") == "auto-replied"
    assert mail.in_reply_to == (parse(raw).message_id,)
    assert spoken in (mail.text or "")


@pytest.mark.parametrize(
    ("headers", "envelope"),
    [
        ({}, {"envelope_sender": ""}),
        ({"Return_Path": "<>"}, {}),
        ({"Auto_Submitted": "auto-replied"}, {}),
        ({"Precedence": "bulk"}, {}),
        ({"List_Id": "<news.example.org>"}, {}),
        ({"sender": "no-reply@elsewhere.example"}, {}),
        ({"sender": "MAILER-DAEMON@elsewhere.example"}, {}),
        ({"sender": "x@elsewhere.example"}, {"envelope_sender": "list-bounces@elsewhere.example"}),
        ({"to": "somebody@else.example"}, {}),
        ({"sender": SYSTEM}, {}),
        ({"sender": "tracker+tag@example.org"}, {}),
    ],
)
def test_some_mails_are_never_answered(headers: dict[str, str], envelope: dict[str, str]) -> None:
    headers = {"sender": "max@elsewhere.example", "subject": "Question", **headers}
    handled = take(written("Hello, is anybody there?", **headers), **envelope)
    assert handled.outcome in (Outcome.IGNORED, Outcome.REJECTED, Outcome.REPORT)
    assert mails() == []
    assert Item.objects.count() == 0


@pytest.mark.parametrize(
    "header", [{"Auto_Submitted": "auto-replied"}, {"X_Autoreply": "yes"}, {"Precedence": "bulk"}]
)
def test_automatic_mail_never_becomes_a_comment(
    item: Item, people: dict[str, Person], header: dict[str, str]
) -> None:
    handled = take(written("I am away.", to=reply_address(item, people["tomasz"]), **header))
    assert handled.outcome == Outcome.IGNORED
    assert handled.reason
    assert Comment.objects.count() == 0


def test_our_own_mail_that_comes_back_is_ignored(item: Item) -> None:
    plan_all()
    raw = outbox.raw_mail(mails("tomasz@example.org")[0].id)
    assert raw is not None
    assert take(b"From: Jana <jana@example.org>\r\n" + raw).outcome == Outcome.IGNORED
    assert Item.objects.count() == 1


def test_a_flood_of_forged_senders_makes_no_flood_of_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(polite, "MOST_A_DAY", 3)
    for number in range(6):
        take(written("Hello?", sender=f"max{number}@elsewhere.example", subject="Question"))
    assert len(mails()) == 3


def test_two_installations_that_write_to_each_other_fall_silent(
    item: Item, people: dict[str, Person], settings: Settings
) -> None:
    """What we write reaches another Depesche, which neither takes nor answers it."""
    plan_all()
    take(written("Hello?", sender="tracker@other.example", subject="Question"))
    ours = [outbox.raw_mail(row.id) for row in mails()]
    assert len(ours) == 2
    settings.SECRET_KEY = "the key of another installation"
    OutgoingConnection.objects.update(system_address="tracker@other.example")
    for raw in ours:
        assert raw is not None
        handled = take(b"From: Your Server <tracker@example.org>\r\n" + raw, envelope_sender=SYSTEM)
        assert handled.outcome == Outcome.IGNORED
    assert len(mails()) == 2
    assert Item.objects.count() == 1


# --- new items -------------------------------------------------------------------------------------------


def test_a_new_mail_becomes_an_item_marked_unverified(item: Item, people: dict[str, Person]) -> None:
    raw = written(
        "The door is open.\n",
        subject="Fwd: AW: Door [3]",
        files=(("door.jpg", b"\xff\xd8"),),
        sender="jana@example.org",
    )
    handled = take(raw)
    assert (handled.outcome, handled.item) == (Outcome.ITEM, "NW-2")
    made = Item.objects.get(number=2)
    assert (made.title, made.author, made.how_known) == ("Door [3]", people["jana"], "address")
    assert made.description == "The door is open."
    assert [file.filename for file in made.attachments.all()] == ["door.jpg"]
    assert ItemEvent.objects.get(item=made).via == "mail"
    take(raw)
    assert Item.objects.count() == 2


def test_a_mail_without_subject_gets_a_title(item: Item) -> None:
    take(written("The lamp is broken\nin the hall.", subject=""))
    assert Item.objects.get(number=2).title == "The lamp is broken"


def test_with_items_by_mail_off_only_answers_are_taken(item: Item, people: dict[str, Person]) -> None:
    OutgoingConnection.objects.update(items_by_mail=False)
    assert take(written("New.", subject="Door")).outcome == Outcome.REJECTED
    assert [row.category for row in mails("tomasz@example.org")] == ["answer"]
    assert take(written("Answer.", to=reply_address(item, people["tomasz"]))).outcome == Outcome.COMMENT


def test_a_known_person_without_a_workspace(people: dict[str, Person]) -> None:
    assert take(written("New.", subject="Door", sender="eve@example.org")).outcome == Outcome.REJECTED
    assert len(mails("eve@example.org")) == 1


def test_the_first_workspace_of_a_person_serves_where_they_are_not_in_the_default_one(
    item: Item, people: dict[str, Person]
) -> None:
    make_workspace("OTHER", people["eve"])
    assert take(written("New.", subject="Door", sender="eve@example.org")).item == "OTHER-1"


def test_too_many_files_are_left_out_and_named(item: Item, people: dict[str, Person]) -> None:
    many = tuple((f"{n}.jpg", b"x") for n in range(25))
    take(written("See.", to=reply_address(item, people["tomasz"]), files=many))
    comment = Comment.objects.get()
    assert comment.attachments.count() == 20
    assert "a mail may bring at most 20 files: 20.jpg, 21.jpg" in comment.text
    (answer,) = [row for row in mails("tomasz@example.org") if row.category == "answer"]
    assert answer.subject == "[NW-1] Taken over in part: Re: [NW-1] New: Coolant pump P-7"


def test_a_tagged_address_that_arrives_proves_that_they_do(item: Item, people: dict[str, Person]) -> None:
    address = reply_address(item, people["tomasz"])
    IncomingMailbox.objects.update(plus_addressing="auto")
    assert not threads.addresses().tagged
    take(written(to=address))
    assert threads.addresses().tagged


@pytest.mark.parametrize(
    ("raw"),
    [
        b"",
        b"\x00\xff" * 500,
        b"From: x\n\n",
        b"Subject: =?utf-8?q?hi=0ABcc:_v?=\nFrom: jana@example.org\n\nx",
        b"\r\n\r\n",
    ],
)
def test_broken_mail_is_never_a_fault(item: Item, raw: bytes) -> None:
    assert take(raw).outcome in (Outcome.IGNORED, Outcome.ITEM, Outcome.REJECTED)


@pytest.mark.parametrize(
    ("text", "spoken"),
    [
        ("", "en"),
        ("Können Sie das bitte prüfen?", "de"),
        ("Could you please check this?", "en"),
        ("???", "en"),
    ],
)
def test_the_language_of_a_stranger(text: str, spoken: str) -> None:
    assert language.guess(text) == spoken


# --- mailboxes of workspaces ------------------------------------------------------------------------------


def test_a_mailbox_makes_items_in_its_workspace(item: Item, people: dict[str, Person]) -> None:
    """By the way it came, or by the address it was written to; only for members."""
    make_workspace("SA", people["jana"])
    IncomingMailbox.objects.create(
        place=1, protocol="imap", host="imap.example.org", username="sales@example.org", workspace="SA"
    )
    by_way = take(written("An offer, please.\n", sender="jana@example.org", subject="Offer"), mailbox=1)
    assert by_way.item.startswith("SA-")
    to = "sales@example.org"
    by_address = take(written("Another offer.\n", sender="jana@example.org", subject="More", to=to))
    assert by_address.item.startswith("SA-")
    elsewhere = take(written("A pump.\n", sender="jana@example.org", subject="Pump"))
    assert elsewhere.item.startswith("NW-")
    outsider = take(written("Me too.\n", sender="tomasz@example.org", subject="Offer", to=to))
    assert outsider.outcome == Outcome.REJECTED
    assert len(mails("tomasz@example.org")) == 1  # one polite answer


def test_what_another_mailbox_of_ours_writes_is_our_own(item: Item, people: dict[str, Person]) -> None:
    IncomingMailbox.objects.create(place=1, protocol="pipe", address="sales@example.org")
    handled = take(written("Hello.\n", sender="sales@example.org", subject="Hello"))
    assert handled.outcome == Outcome.IGNORED
