"""Who may open what: one table over every address, for all four kinds of visitors."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from django.test import Client
from django.urls import reverse

from depesche.tracker.correspondence import templates
from depesche.tracker.items import actions
from depesche.tracker.items.attachments import NewAttachment
from depesche.tracker.items.models import Attachment, ItemEvent
from depesche.tracker.threads.addresses import mute_token
from depesche.tracker.web.urls import urlpatterns
from tests.tracker.web.conftest import House, signed_in

IN, AWAY, LOGIN, FORBIDDEN, NONE, METHOD = "200", "redirect", "sign-in", "403", "404", "405"


@dataclass(frozen=True)
class Row:
    """What a GET gives to: nobody signed in, a member, somebody of another workspace, an administrator."""

    anonymous: str
    member: str
    other: str
    administrator: str
    post_only: bool = False


EVERYBODY = Row(IN, IN, IN, IN)
SIGNED_IN = Row(LOGIN, IN, IN, IN)
MEMBERS = Row(LOGIN, IN, NONE, IN)
ADMINISTRATORS = Row(LOGIN, FORBIDDEN, FORBIDDEN, IN)

TABLE: dict[str, Row] = {
    "home": Row(LOGIN, AWAY, AWAY, AWAY),
    "healthz": EVERYBODY,
    "readyz": EVERYBODY,
    "sign-in": Row(IN, AWAY, AWAY, AWAY),
    "sign-out": Row(AWAY, AWAY, AWAY, AWAY, post_only=True),
    "password-reset": EVERYBODY,
    "set-password": Row(NONE, NONE, NONE, NONE),
    "language": Row(AWAY, AWAY, AWAY, AWAY, post_only=True),
    "me": SIGNED_IN,
    "address-works": Row(LOGIN, AWAY, AWAY, AWAY, post_only=True),
    "change-password": SIGNED_IN,
    "my-work": SIGNED_IN,
    "items": SIGNED_IN,
    "new-item": SIGNED_IN,
    "item": MEMBERS,
    "thread": MEMBERS,
    "edit-item": MEMBERS,
    "comment": Row(LOGIN, "422", NONE, "422", post_only=True),
    "watch": Row(LOGIN, AWAY, NONE, AWAY, post_only=True),
    "mail": MEMBERS,
    "recut": Row(LOGIN, AWAY, NONE, AWAY, post_only=True),
    "revoke-item": Row(LOGIN, AWAY, NONE, AWAY, post_only=True),
    "revoke-mine": Row(LOGIN, AWAY, AWAY, AWAY, post_only=True),
    "revoke-person": Row(LOGIN, FORBIDDEN, FORBIDDEN, AWAY, post_only=True),
    "person-addresses": Row(LOGIN, FORBIDDEN, FORBIDDEN, AWAY, post_only=True),
    "revoke-all": Row(LOGIN, FORBIDDEN, FORBIDDEN, AWAY, post_only=True),
    "unblock": Row(LOGIN, FORBIDDEN, FORBIDDEN, AWAY, post_only=True),
    "mail-rules": ADMINISTRATORS,
    "workspace-mail": ADMINISTRATORS,
    "workspace-sender": Row(LOGIN, FORBIDDEN, FORBIDDEN, AWAY, post_only=True),
    "mail-templates": ADMINISTRATORS,
    "new-mail-template": ADMINISTRATORS,
    "mail-template": ADMINISTRATORS,
    "delete-mail-template": Row(LOGIN, FORBIDDEN, FORBIDDEN, AWAY, post_only=True),
    "told": MEMBERS,
    "file": MEMBERS,
    "people": ADMINISTRATORS,
    "new-person": ADMINISTRATORS,
    "person": ADMINISTRATORS,
    "deactivate-person": Row(LOGIN, FORBIDDEN, FORBIDDEN, AWAY, post_only=True),
    "activate-person": Row(LOGIN, FORBIDDEN, FORBIDDEN, AWAY, post_only=True),
    "workspaces": ADMINISTRATORS,
    "new-workspace": ADMINISTRATORS,
    "workspace": ADMINISTRATORS,
    "default-workspace": Row(LOGIN, FORBIDDEN, FORBIDDEN, AWAY, post_only=True),
    "unsubscribe": EVERYBODY,
}


def test_the_table_names_every_address() -> None:
    assert set(TABLE) == {pattern.name for pattern in urlpatterns}


def address(name: str, house: House) -> str:
    if name == "file":
        actions.add_comment(
            house.item, author=house.emre, text="", attachments=[NewAttachment("a.txt", "text/plain", b"a")]
        )
        return reverse("web:file", args=[Attachment.objects.get().pk, "a.txt"])
    if name in ("mail-template", "delete-mail-template"):
        template = templates.save(None, name="Question", language="en", subject="", text="Hello")
        return reverse(f"web:{name}", args=[template.pk])
    if name == "recut":
        comment = actions.add_comment(house.item, author=house.emre, text="words", cut="quoted")
        return reverse("web:recut", args=[house.item.key, comment.pk])
    event = ItemEvent.objects.filter(item=house.item).earliest("id")
    args: dict[str, list[object]] = {
        "set-password": ["MQ", "nonsense"],
        "told": [house.item.key, event.pk],
        "workspace": [house.workspace.key],
        "default-workspace": [house.workspace.key],
        "unsubscribe": [mute_token(house.item.pk, house.emre.pk)],
    }
    for key in ("item", "thread", "edit-item", "comment", "watch", "mail", "revoke-item"):
        args[key] = [house.item.key]
    args["workspace-mail"] = args["workspace-sender"] = [house.workspace.key]
    for key in ("revoke-person", "person-addresses", "person", "deactivate-person", "activate-person"):
        args[key] = [house.sofia.pk]
    return reverse(f"web:{name}", args=args.get(name, []))


def outcome(client: Client, url: str, *, post: bool) -> str:
    response = client.post(url) if post else client.get(url)
    if response.status_code in {301, 302}:
        to_login = response.headers["Location"].startswith(reverse("web:sign-in") + "?next=")
        return LOGIN if to_login else AWAY
    return str(response.status_code)


@pytest.mark.parametrize("name", TABLE)
def test_who_may_open_it(name: str, house: House) -> None:
    row, url = TABLE[name], address(name, house)
    visitors = {
        "anonymous": Client(),
        "member": signed_in(house.emre),
        "other": signed_in(house.karl),
        "administrator": signed_in(house.jana),
    }
    found = {who: outcome(client, url, post=row.post_only) for who, client in visitors.items()}
    assert found == {who: getattr(row, who) for who in visitors}
    if row.post_only:
        assert outcome(signed_in(house.jana), url, post=False) == METHOD


@pytest.mark.parametrize("name", ["item", "edit-item", "thread", "comment", "watch", "told", "file"])
def test_an_administrator_who_is_no_member_sees_no_item(name: str, house: House) -> None:
    actions.remove_member(house.workspace, house.jana)
    url = address(name, house)
    assert outcome(signed_in(house.jana), url, post=TABLE[name].post_only) == NONE


@pytest.mark.parametrize("name", [name for name, row in TABLE.items() if row.member in {IN, AWAY}])
def test_a_deactivated_person_is_out_at_once(name: str, house: House) -> None:
    from depesche.tracker.accounts.actions import deactivate

    url, client = address(name, house), signed_in(house.emre)
    deactivate(house.emre)
    assert outcome(client, url, post=TABLE[name].post_only) == TABLE[name].anonymous


def test_forms_without_the_csrf_token_are_refused(house: House) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(house.emre)
    refused = client.post(reverse("web:comment", args=[house.item.key]), {"text": "x"})
    assert refused.status_code == 403
    assert not house.item.comments.exists()


def test_every_page_has_the_policy_and_is_not_sniffed(house: House) -> None:
    for client in (Client(), signed_in(house.emre)):
        response = client.get(reverse("web:sign-in"), follow=True)
        assert response.headers["Content-Security-Policy"].startswith("default-src 'none'")
        assert response.headers["X-Content-Type-Options"] == "nosniff"
