"""A mail from an item to anybody, and the way back."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.utils import timezone

from depesche.mailformat.addresses import Address
from depesche.mailformat.parse import ParsedMail, parse
from depesche.mailroom.connections.models import IncomingMailbox
from depesche.mailroom.inbox.models import Outcome
from depesche.mailroom.outbox import queries as outbox
from depesche.tracker.accounts import actions as accounts
from depesche.tracker.accounts.models import Person
from depesche.tracker.correspondence import recutting, templates, writing
from depesche.tracker.correspondence.models import MailedTo
from depesche.tracker.correspondence.personal_letter import Mail, filled
from depesche.tracker.items import actions as items
from depesche.tracker.items.attachments import NewAttachment
from depesche.tracker.items.models import Attachment, Comment, CommentVersion, Item
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
MAX = Address("Max Muster", "max@elsewhere.example")
ANN = Address("Ann", "ann@elsewhere.example")
SECRET = "charge them twice"


def mail(**fields: Any) -> Mail:
    given: dict[str, Any] = {"to": [MAX], "subject": "[NW-1] A question", "text": "Could you **look**?"}
    return Mail(**{**given, **fields})


def write(item: Item, author: Person, **fields: Any) -> Comment:
    return writing.write(item, author, mail(**fields), now=timezone.now())


def arrived(to: Address) -> ParsedMail:
    return parse(raw_of(mails(to.addr_spec)[-1]))


def test_it_goes_out_with_a_reply_address_for_each_and_stays_as_a_comment(
    item: Item, people: dict[str, Person]
) -> None:
    comment = write(item, people["jana"], cc=[ANN])
    assert (comment.text, comment.author) == ("Could you **look**?", people["jana"])
    to_max, to_ann = arrived(MAX), arrived(ANN)
    assert to_max.subject == "[NW-1] A question"
    assert [str(one) for one in to_max.to] == ["Max Muster <max@elsewhere.example>"]
    assert [str(one) for one in to_max.cc] == ["Ann <ann@elsewhere.example>"]
    assert to_max.reply_to != to_ann.reply_to
    assert to_max.message_id != to_ann.message_id
    assert to_max.header("auto-submitted") == ""
    assert "Could you **look**?" in (to_max.text or "")
    assert "<strong>look</strong>" in (to_max.html or "")
    rows = MailedTo.objects.filter(comment=comment)
    assert [(row.address, row.is_copy) for row in rows] == [(str(MAX), False), (str(ANN), True)]
    guest = Person.objects.get(email="max@elsewhere.example")
    assert (guest.is_guest, guest.name) == (True, "Max Muster")
    plan_all()
    assert [row.subject for row in mails("tomasz@example.org")][-1] == (
        "[NW-1] Comment added: Coolant pump P-7"
    )
    assert len(mails("max@elsewhere.example")) == 1


def test_the_answer_comes_back_as_a_comment_of_the_guest(item: Item, people: dict[str, Person]) -> None:
    write(item, people["jana"])
    ours = arrived(MAX)
    quoted = "\n".join(f"> {line}" for line in (ours.text or "").splitlines())
    handled = take(
        written(
            f"I have looked.\n\nOn Friday, Jana wrote:\n{quoted}\n",
            sender=str(MAX),
            to=ours.reply_to[0].addr_spec,
            subject="Re: " + ours.subject,
            In_Reply_To=str(ours.message_id),
        )
    )
    assert (handled.outcome, handled.item, handled.text) == (Outcome.COMMENT, "NW-1", "I have looked.")
    comment = Comment.objects.get(pk=handled.comment)
    assert (comment.author.email, comment.how_known) == ("max@elsewhere.example", "token")
    plan_all()
    assert mails("jana@example.org")[-1].subject == "[NW-1] Comment added: Coolant pump P-7"
    notice = outbox.recipient(mails("jana@example.org")[-1].id)
    assert notice is not None
    # Never From the guest's own address, whatever the setting: only their own servers may use it.
    assert (notice.author_name, notice.author_address) == ("Max Muster", "")
    write(item, people["tomasz"], quote=True, text="Thank you.")
    again = arrived(MAX)
    assert "> I have looked." in (again.text or "")
    assert len(again.in_reply_to) == 1
    assert again.in_reply_to[0].endswith("@client.example>")


def test_a_guest_gets_nothing_of_what_colleagues_write(item: Item, people: dict[str, Person]) -> None:
    jana, tomasz = people["jana"], people["tomasz"]
    write(item, jana)
    items.add_comment(
        item, author=tomasz, text=SECRET, attachments=[NewAttachment("margin.txt", "text/plain", b"50 %")]
    )
    items.change_item(item, actor=tomasz, state="in_progress")
    plan_all()
    assert len(mails("max@elsewhere.example")) == 1
    write(item, jana, quote=True, text="Any news?")
    again = arrived(MAX)
    assert SECRET not in raw_of(mails("max@elsewhere.example")[-1]).decode()
    assert "> Could you **look**?" in (again.text or "")
    assert again.attachments == ()


def test_what_one_guest_wrote_is_not_shown_to_another(item: Item, people: dict[str, Person]) -> None:
    write(item, people["jana"], text="For Max alone.")
    write(item, people["jana"], to=[MAX, ANN], quote=True, text="For both.")
    assert "For Max alone" not in (arrived(ANN).text or "")
    assert "For Max alone" not in (arrived(MAX).text or "")
    write(item, people["jana"], quote=True, text="For Max again.")
    assert "> For both." in (arrived(MAX).text or "")


def test_files_that_were_chosen_go_along_and_no_others(item: Item, people: dict[str, Person]) -> None:
    jana = people["jana"]
    for name in ("plan.txt", "inside.txt"):
        items.add_comment(
            item, author=jana, text="", attachments=[NewAttachment(name, "text/plain", name.encode())]
        )
    plan = Attachment.objects.get(filename="plan.txt")
    comment = write(
        item, jana, attachments=[plan.pk], files=[NewAttachment("new.bin", "application/octet-stream", b"\0")]
    )
    assert [file.filename for file in arrived(MAX).attachments] == ["plan.txt", "new.bin"]
    assert [file.filename for file in comment.attachments.all()] == ["new.bin"]


def test_a_file_of_another_item_cannot_be_chosen(item: Item, people: dict[str, Person]) -> None:
    jana = people["jana"]
    other = items.create_item(
        item.workspace,
        author=jana,
        title="Other",
        attachments=[NewAttachment("secret.txt", "text/plain", b"x")],
    )
    with pytest.raises(ValidationError):
        write(item, jana, attachments=[Attachment.objects.get(item=other).pk])
    assert mails("max@elsewhere.example") == []
    assert Comment.objects.count() == 0
    assert not Person.objects.filter(is_guest=True).exists()


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"to": []}, "to"),
        ({"to": [Address("", SYSTEM)]}, "to"),
        ({"cc": [Address("", "tracker+abc@example.org")]}, "cc"),
        ({"text": "  "}, "text"),
        ({"subject": " "}, "subject"),
        ({"to": [Address("", f"a{n}@elsewhere.example") for n in range(51)]}, "to"),
    ],
)
def test_what_cannot_go_out_is_refused(
    item: Item, people: dict[str, Person], fields: dict[str, Any], field: str
) -> None:
    with pytest.raises(ValidationError) as caught:
        write(item, people["jana"], **fields)
    assert field in caught.value.message_dict
    assert Comment.objects.count() == 0


def test_only_members_write_from_an_item_and_never_to_the_deactivated(
    item: Item, people: dict[str, Person]
) -> None:
    with pytest.raises(ValidationError):
        write(item, people["eve"])
    accounts.deactivate(people["eve"])
    with pytest.raises(ValidationError):
        write(item, people["jana"], to=[Address("Eve", "eve@example.org")])


def test_a_person_who_is_no_member_can_answer_what_was_written_to_them(
    item: Item, people: dict[str, Person]
) -> None:
    eve = people["eve"]
    write(item, people["jana"], to=[Address("Eve", "eve@example.org")])
    address = arrived(Address("", "eve@example.org")).reply_to[0].addr_spec
    handled = take(written("Yes.", sender="eve@example.org", to=address))
    assert handled.outcome == Outcome.COMMENT
    assert Comment.objects.get(pk=handled.comment).author == eve


@pytest.mark.parametrize(("language", "word"), [("en", "State:"), ("de", "Zustand:")])
def test_details_in_the_language_of_the_mail(
    item: Item, people: dict[str, Person], language: str, word: str
) -> None:
    write(item, people["jana"], details=True, language=language)
    ours = arrived(MAX)
    assert word in (ours.text or "")
    assert Person.objects.get(email="max@elsewhere.example").language == language


def test_the_preview_is_what_goes_out(item: Item, people: dict[str, Person]) -> None:
    wanted = mail(details=True)
    shown = writing.preview(item, people["jana"], wanted)
    assert Comment.objects.count() == 0
    assert not Person.objects.filter(is_guest=True).exists()
    writing.write(item, people["jana"], wanted, now=timezone.now())
    assert (arrived(MAX).text or "").strip() == shown.text.strip()
    assert arrived(MAX).subject == shown.subject


def test_without_a_way_in_no_answer_is_promised(item: Item, people: dict[str, Person]) -> None:
    IncomingMailbox.objects.all().delete()
    write(item, people["jana"])
    assert arrived(MAX).reply_to == ()


def test_a_subject_breaks_out_of_nothing(item: Item, people: dict[str, Person]) -> None:
    write(item, people["jana"], subject="a\r\nBcc: eve@example.org\r\n\r\nx")
    assert arrived(MAX).header("bcc") == ""
    assert arrived(MAX).subject == "a Bcc: eve@example.org x"


def test_templates_are_filled(item: Item, people: dict[str, Person]) -> None:
    made = templates.save(
        None, name="Question", language="de", subject="", text="Zu {item} ({state}): {odd}\n\n{name}"
    )
    assert filled(made, item, people["jana"]) == (
        "[NW-1] Coolant pump P-7",
        "Zu NW-1 (Offen): {odd}\n\nJana",
    )
    with pytest.raises(ValidationError):
        templates.save(None, name="Question", language="de", subject="", text="x")


# --- what was cut ----------------------------------------------------------------------------------------


def test_a_wrong_cut_is_undone_and_done_again(item: Item, people: dict[str, Person]) -> None:
    text = "On Monday, Jana wrote:\n> old words\n\nMy answer.\n"
    handled = take(written(text, to=reply_address(item, people["tomasz"])))
    comment = Comment.objects.get(pk=handled.comment)
    cut = comment.cut
    assert "old words" in cut
    shown = comment.text
    recutting.restore(comment, by=people["jana"], now=timezone.now())
    comment.refresh_from_db()
    assert comment.text.index("old words") < comment.text.index("My answer.")
    assert comment.cut == ""
    (version,) = CommentVersion.objects.filter(comment=comment)
    assert (version.text, version.cut, version.by) == (shown, cut, people["jana"])
    recutting.cut_again(comment, by=people["tomasz"], now=timezone.now())
    comment.refresh_from_db()
    assert (comment.text, comment.cut) == (shown, cut)
    assert CommentVersion.objects.filter(comment=comment).count() == 2
    with pytest.raises(ValidationError):
        recutting.restore(comment, by=people["eve"], now=timezone.now())


def test_pictures_of_a_mail_are_shown_in_their_place(item: Item, people: dict[str, Person]) -> None:
    raw = written("See [cid:shot@1] here.", to=reply_address(item, people["tomasz"]))
    head, _, body = raw.partition(b"\r\n\r\n")
    fields = [line for line in head.split(b"\r\n") if not line.lower().startswith((b"content-", b"mime-"))]
    mime = (
        b'MIME-Version: 1.0\r\nContent-Type: multipart/related; boundary="b"\r\n\r\n'
        b"--b\r\nContent-Type: text/plain\r\n\r\n" + body + b"\r\n--b\r\n"
        b"Content-Type: image/png\r\nContent-ID: <shot@1>\r\n"
        b'Content-Disposition: inline; filename="shot.png"\r\n\r\npng\r\n--b--\r\n'
    )
    handled = take(b"\r\n".join([*fields, mime]))
    assert handled.text == "See ![shot.png](cid:shot@1) here."
