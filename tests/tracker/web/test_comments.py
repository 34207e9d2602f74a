from __future__ import annotations

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from depesche.tracker.items import actions
from depesche.tracker.items.attachments import NewAttachment
from depesche.tracker.items.models import Attachment
from tests.tracker.support import make_person
from tests.tracker.web.conftest import House, signed_in

COMMENT = "/items/NW-1/comment/"
HTMX = {"HX-Request": "true"}
ATTACKS = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "</textarea><svg onload=alert(1)>",
    "{{ 7 }}{% csrf_token %}",
    "[x](javascript:alert(1))",
    "&lt;b&gt;",
]


def page(client: Client) -> str:
    response = client.get("/items/NW-1/")
    assert response.status_code == 200
    return response.content.decode()


def test_comment_without_script(house: House, emre: Client) -> None:
    response = emre.post(COMMENT, {"text": "The **coupling** is worn."})
    comment = house.item.comments.get()
    assert response.headers["Location"] == f"/items/NW-1/#comment-{comment.pk}"
    assert "The <strong>coupling</strong> is worn." in page(emre)


def test_comment_with_htmx_gives_the_new_body(house: House, emre: Client) -> None:
    response = emre.post(COMMENT, {"text": "Hello"}, headers=HTMX)
    text = response.content.decode()
    assert response.status_code == 200
    assert text.lstrip().startswith('<div id="item">')
    assert "<p>Hello</p>" in text
    assert "Hello</textarea>" not in text


def test_comment_and_state_in_one_breath(house: House, emre: Client) -> None:
    emre.post(COMMENT, {"text": "Done it", "state": "done"})
    assert house.item.events.count() == 2
    emre.post(COMMENT, {"text": "", "state": "closed"})
    house.item.refresh_from_db()
    assert house.item.state == "closed"
    assert house.item.comments.count() == 1
    assert "Done → Closed" in page(emre)


def test_empty_comment_is_refused_at_its_field(house: House, emre: Client) -> None:
    response = emre.post(COMMENT, {"text": " \n "})
    assert response.status_code == 422
    assert "field-error" in response.content.decode()
    fragment = emre.post(COMMENT, {"text": ""}, headers=HTMX)
    assert fragment.status_code == 200
    assert "field-error" in fragment.content.decode()
    assert not house.item.comments.exists()


def test_what_was_typed_stays_after_a_refusal(house: House, emre: Client) -> None:
    big = SimpleUploadedFile("big.bin", b"x" * (20 * 1024 * 1024 + 1))
    text = emre.post(COMMENT, {"text": "kept", "attachments": [big]}).content.decode()
    assert "big.bin is larger than 20 MB" in text
    assert "kept</textarea>" in text


def test_files_come_back_as_downloads_only(house: House, emre: Client) -> None:
    name = 'a"b<c>.html'
    emre.post(
        COMMENT, {"text": "x", "attachments": [SimpleUploadedFile(name, b"<script>1</script>", "text/html")]}
    )
    file = Attachment.objects.get()
    response = emre.get(reverse("web:file", args=[file.pk, file.filename]))
    assert response.content == b"<script>1</script>"
    assert response.headers["Content-Type"] == "application/octet-stream"
    assert response.headers["Content-Disposition"].startswith("attachment")
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert response.headers["Content-Security-Policy"].startswith("default-src 'none'; sandbox")


@pytest.mark.parametrize(
    "filename", ["ü €.txt", "a\r\nSet-Cookie: x=1.txt", '"; x="', "." * 50, "a" * 400 + ".pdf"]
)
def test_no_filename_breaks_out_of_a_header(house: House, emre: Client, filename: str) -> None:
    actions.add_comment(
        house.item, author=house.emre, text="", attachments=[NewAttachment(filename, "text/plain", b"x")]
    )
    file = Attachment.objects.get()
    response = emre.get(reverse("web:file", args=[file.pk, file.filename]))
    assert response.status_code == 200
    disposition = response.headers["Content-Disposition"]
    assert disposition.startswith("attachment")
    assert "\r" not in disposition
    assert "\n" not in disposition
    assert "Set-Cookie" not in response.headers
    assert page(emre)


@pytest.mark.parametrize("attack", ATTACKS)
def test_what_people_write_stays_text(house: House, attack: str) -> None:
    evil = make_person("evil")
    evil.name = attack
    evil.save(update_fields=["name"])
    actions.add_members(house.workspace, [evil])
    item = actions.create_item(
        house.workspace,
        author=evil,
        title=attack,
        description=attack,
        responsible=evil,
        watchers=[house.jana],
        attachments=[NewAttachment(attack, "text/html", b"x")],
    )
    actions.add_comment(item, author=evil, text=attack, cut=attack, via="mail")
    actions.change_item(item, actor=evil, title=attack + "2", manager=evil)
    jana = signed_in(house.jana)
    for url in (
        f"/items/{item.key}/",
        f"/items/{item.key}/edit/",
        "/items/",
        "/items/new/",
        "/people/",
        f"/people/{evil.pk}/",
        "/workspaces/NW/",
    ):
        text = jana.get(url).content.decode()
        for forbidden in ("<script>alert", "<img src=x", "<svg onload", 'href="javascript:'):
            assert forbidden not in text, url
    own = signed_in(evil)
    for url in ("/me/", "/work/"):
        assert "<script>alert" not in own.get(url).content.decode()


def test_what_came_by_mail_is_marked_and_its_quote_folded(house: House, emre: Client) -> None:
    actions.add_comment(house.item, author=house.sofia, text="New words", cut="> old\n> words", via="mail")
    text = page(emre)
    assert "by e-mail" in text
    assert "Quoted part, 2 lines" in text


def test_thread_is_asked_for_again_only_when_something_changed(house: House, emre: Client) -> None:
    stamp = emre.get("/items/NW-1/").context["stamp"]
    assert emre.get("/items/NW-1/thread/", {"stamp": stamp}).status_code == 204
    actions.add_comment(house.item, author=house.sofia, text="Answer")
    response = emre.get("/items/NW-1/thread/", {"stamp": stamp})
    assert response.status_code == 200
    assert "Answer" in response.content.decode()
    assert "<html" not in response.content.decode()


def test_a_long_thread_shows_its_end_first(house: House, emre: Client) -> None:
    for number in range(53):
        actions.add_comment(house.item, author=house.emre, text=f"Comment {number:03}")
    text = page(emre)
    assert "Comment 052" in text
    assert "Comment 000" not in text
    assert "Show 3 earlier entries" in text
    assert "Comment 000" in emre.get("/items/NW-1/", {"all": "1"}).content.decode()


def test_an_item_costs_the_same_for_many_comments(
    house: House, emre: Client, django_assert_max_num_queries: object
) -> None:
    for number in range(40):
        actions.add_comment(house.item, author=house.emre, text=f"Comment {number}")
    with django_assert_max_num_queries(30):  # type: ignore[operator]  # a fixture without a type of its own
        page(emre)
