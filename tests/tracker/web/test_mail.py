"""Pages around mail: writing one from an item, the rules for those that come in, revoking reply addresses."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from depesche.mailroom.connections.models import IncomingMailbox, OutgoingConnection
from depesche.mailroom.outbox import queries as outbox
from depesche.tracker.accounts.models import Person
from depesche.tracker.correspondence import blocking, rules, templates
from depesche.tracker.correspondence.choices import Proof
from depesche.tracker.correspondence.models import MailedIn
from depesche.tracker.items import actions
from depesche.tracker.items.attachments import NewAttachment
from depesche.tracker.items.models import Attachment, Comment
from depesche.tracker.threads import queries as threads
from tests.tracker.web.conftest import House

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _ways(db: None) -> None:
    OutgoingConnection.objects.create(
        host="smtp.example.org", system_address="tracker@example.org", system_name="Your Server"
    )
    IncomingMailbox.objects.create(protocol="pipe", plus_addressing="on")


def page(client: Client, name: str, *args: object, query: str = "") -> str:
    response = client.get(reverse(f"web:{name}", args=args) + query)
    assert response.status_code == 200
    return response.content.decode()


FORM = {
    "to": "Max Muster <max@elsewhere.example>",
    "subject": "[NW-1] Question",
    "text": "Could you look?",
    "language": "en",
}


def test_a_mail_is_previewed_written_and_shown_in_the_thread(house: House, emre: Client) -> None:
    url = reverse("web:mail", args=[house.item.key])
    shown = emre.post(url, {**FORM, "act": "preview", "details": "on"}).content.decode()
    assert "What goes out" in shown
    assert "Emre via Your Server &lt;tracker@example.org&gt;" in shown
    assert "Coolant pump P-7" in shown
    assert outbox.recipients() == []
    answer = emre.post(url, FORM)
    comment = Comment.objects.get()
    assert answer.headers["Location"] == f"/items/{house.item.key}/#comment-{comment.pk}"
    (mail,) = outbox.recipients()
    assert (mail.recipient, mail.item, mail.category) == ("max@elsewhere.example", house.item.key, "mail")
    thread = page(emre, "item", house.item.key)
    assert "Mailed to Max Muster &lt;max@elsewhere.example&gt;" in thread
    assert 'data-state="idle"' in thread


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"to": ""}, "Enter at least one address."),
        ({"to": "nonsense"}, "Enter addresses like"),
        ({"to": "a@b@c, x@y.example"}, "Enter addresses like"),
        ({"text": ""}, "Write something."),
        ({"subject": ""}, "Enter a subject."),
        ({"to": "tracker@example.org"}, "This is the address of the tracker itself."),
    ],
)
def test_what_is_wrong_is_said_at_its_field(
    house: House, emre: Client, wrong: dict[str, str], sentence: str
) -> None:
    response = emre.post(reverse("web:mail", args=[house.item.key]), {**FORM, **wrong})
    assert response.status_code == 422
    assert sentence in response.content.decode()
    assert outbox.recipients() == []


def test_files_of_the_item_can_be_chosen(house: House, emre: Client) -> None:
    actions.add_comment(
        house.item, author=house.emre, text="", attachments=[NewAttachment("plan.txt", "text/plain", b"x")]
    )
    file = Attachment.objects.get()
    assert "plan.txt" in page(emre, "mail", house.item.key)
    emre.post(reverse("web:mail", args=[house.item.key]), {**FORM, "attachments": [str(file.pk)]})
    (mail,) = outbox.recipients()
    assert b"plan.txt" in (outbox.raw_mail(mail.id) or b"")


def test_a_template_and_a_guest_fill_the_form(house: House, emre: Client) -> None:
    made = templates.save(None, name="Question", language="de", subject="", text="Zu {item}: bitte ansehen.")
    shown = page(emre, "mail", house.item.key, query=f"?template={made.pk}")
    assert f"Zu {house.item.key}: bitte ansehen." in shown
    emre.post(reverse("web:mail", args=[house.item.key]), FORM)
    guest = Person.objects.get(is_guest=True)
    comment = actions.add_comment(house.item, author=guest, text="Answer", by_mail=True, how_known="token")
    assert f"?answer={comment.pk}" in page(emre, "item", house.item.key)
    shown = page(emre, "mail", house.item.key, query=f"?answer={comment.pk}")
    assert 'value="max@elsewhere.example"' in shown
    assert "Re: [NW-1]" in shown
    for odd in ("?answer=x", "?answer=999", "?template=x", "?template=99999999999999999999"):
        page(emre, "mail", house.item.key, query=odd)


def test_how_an_author_is_known_stands_at_the_comment(house: House, emre: Client) -> None:
    comment = actions.add_comment(house.item, author=house.sofia, text="x", via="mail", how_known="address")
    MailedIn.objects.create(
        comment=comment,
        received=1,
        from_address="Sofia <sofia@example.org>",
        token="none",
        check_result="unsaid",
    )
    shown = page(emre, "item", house.item.key)
    assert "sender not verified" in shown
    assert "Sofia &lt;sofia@example.org&gt;" in shown
    assert "not checked" in shown


def test_cut_wrongly_and_back(house: House, emre: Client) -> None:
    comment = actions.add_comment(house.item, author=house.sofia, text="new", cut="quoted words")
    url = reverse("web:recut", args=[house.item.key, comment.pk])
    assert "Cut wrongly" in page(emre, "item", house.item.key)
    emre.post(url)
    shown = page(emre, "item", house.item.key)
    assert "Cut the quoted part again" in shown
    assert "Cut wrongly" not in shown
    emre.post(url, {"act": "cut"})
    comment.refresh_from_db()
    assert (comment.text, comment.cut) == ("new", "quoted words")


def test_rules_of_all_and_of_a_workspace(house: House, jana: Client) -> None:
    form = {
        "proof": "check", "new_items": "hold", "strangers": "guest", "commands": "on", "reply_days": "30",
        "max_files": "5", "max_megabytes": "2", "refused_types": ".exe, *.js",
    }  # fmt: skip
    assert jana.post(reverse("web:mail-rules"), form).status_code == 302
    shared = rules.rules_for(house.workspace)
    assert (shared.proof, shared.reply_days, shared.own) == (Proof.CHECK, 30, False)
    assert shared.refused_types == ("exe", "js")
    url = reverse("web:workspace-mail", args=[house.workspace.key])
    jana.post(url, {**form, "own": "on", "proof": "strict"})
    assert rules.rules_for(house.workspace).proof is Proof.STRICT
    assert rules.rules_for(None).proof is Proof.CHECK
    jana.post(url, form)
    assert not rules.rules_for(house.workspace).own
    wrong = jana.post(url, {**form, "own": "on", "reply_days": "-1", "max_files": "900"})
    assert "Enter a whole number from 0 to" in wrong.content.decode()
    assert not rules.rules_for(house.workspace).own


def test_blocked_senders_are_listed_and_unblocked(house: House, jana: Client) -> None:
    from depesche.mailformat.addresses import Address

    blocking.block(Address("", "spam@elsewhere.example"), by="Jana", now=timezone.now())
    assert "spam@elsewhere.example" in page(jana, "mail-rules")
    jana.post(reverse("web:unblock"), {"address": "spam@elsewhere.example"})
    assert "Nobody is blocked" in page(jana, "mail-rules")


@pytest.mark.parametrize("way", ["mine", "item", "everybody", "person", "all"])
def test_reply_addresses_are_revoked(house: House, jana: Client, emre: Client, way: str) -> None:
    item, client = house.item.key, emre
    before = timezone.now() - timedelta(seconds=1)
    url, data = {
        "mine": (reverse("web:revoke-mine"), {}),
        "item": (reverse("web:revoke-item", args=[item]), {"act": "mine"}),
        "everybody": (reverse("web:revoke-item", args=[item]), {"act": "all"}),
        "person": (reverse("web:revoke-person", args=[house.emre.pk]), {}),
        "all": (reverse("web:revoke-all"), {}),
    }[way]
    if way in ("person", "all"):
        client = jana
    assert client.post(url, data).status_code == 302
    revoked = threads.revoked_until(house.item.pk, house.emre.pk)
    assert revoked is not None
    assert revoked > before
    of_sofia = threads.revoked_until(house.item.pk, house.sofia.pk)
    assert (of_sofia is not None) == (way in ("everybody", "all"))


def test_templates_are_kept(house: House, jana: Client) -> None:
    form = {"name": "Question", "language": "en", "subject": "", "text": "Hello {name}"}
    jana.post(reverse("web:new-mail-template"), form)
    (made,) = templates.everything()
    assert "Question" in page(jana, "mail-templates")
    assert "There is a template" in jana.post(reverse("web:new-mail-template"), form).content.decode()
    jana.post(reverse("web:mail-template", args=[made.pk]), {**form, "text": "Bye"})
    assert templates.everything()[0].text == "Bye"
    jana.post(reverse("web:delete-mail-template", args=[made.pk]))
    assert templates.everything() == []
    assert jana.get(reverse("web:mail-template", args=[999])).status_code == 404


def test_addresses_of_a_person(house: House, jana: Client) -> None:
    url = reverse("web:person-addresses", args=[house.emre.pk])
    jana.post(url, {"address": "emre@home.example"})
    assert "emre@home.example" in page(jana, "person", house.emre.pk)
    jana.post(url, {"remove": "emre@home.example"})
    assert "emre@home.example" not in page(jana, "person", house.emre.pk)
    jana.post(url, {"remove": "emre@example.org"})
    assert "emre@example.org" in page(jana, "person", house.emre.pk)


def test_guests_are_listed_apart_and_get_no_rights(house: House, jana: Client, emre: Client) -> None:
    emre.post(reverse("web:mail", args=[house.item.key]), FORM)
    guest = Person.objects.get(is_guest=True)
    assert "max@elsewhere.example" not in page(jana, "people")
    assert "max@elsewhere.example" in page(jana, "people", query="?guests=1")
    form = {"name": "Max", "email": guest.email, "language": "en", "role": "administrator"}
    shown = jana.post(reverse("web:person", args=[guest.pk]), form).content.decode()
    assert "A guest has no sign-in" in shown
    guest.refresh_from_db()
    assert not guest.is_admin


def test_a_mail_that_is_held_is_announced_at_its_item(house: House, jana: Client, emre: Client) -> None:
    from depesche.mailroom.inbox.models import ReceivedMessage

    ReceivedMessage.objects.create(
        received_at=timezone.now(), source="pipe", fingerprint="x", raw=b"", size=0,
        outcome="held", item=house.item.key, processed_at=timezone.now(),
    )  # fmt: skip
    assert "An administrator does." in page(emre, "item", house.item.key)
    assert "?outcome=held" in page(jana, "item", house.item.key)


def test_a_preview_that_cannot_be_made_says_why(house: House, emre: Client) -> None:
    url = reverse("web:mail", args=[house.item.key])
    response = emre.post(url, {**FORM, "to": "", "act": "preview"}, headers={"HX-Request": "true"})
    assert response.status_code == 200
    assert "Enter at least one address." in response.content.decode()
    assert "<html" not in response.content.decode()
