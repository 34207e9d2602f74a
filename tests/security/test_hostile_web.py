"""What strangers and members may try on the pages: nothing of it runs, leads away, or reaches a header."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from depesche.tracker.items.models import Attachment, Item
from tests.tracker.support import PASSWORD
from tests.tracker.web.conftest import House, house, signed_in  # noqa: F401  a fixture

HOSTILE = [
    "<script>alert(1)</script>",
    "\"'><img src=x onerror=alert(1)>",
    "[x](javascript:alert(1)) [y](vbscript:x) [z](data:text/html,x) ![i](http://evil.example/t.png)",
    "<javascript:alert(1)> <a href='javascript:x'>y</a>",
    "{{ settings.SECRET_KEY }} {% load x %}",
    "abc\u202egnp.exe",
]


class Dangers(HTMLParser):
    """Whatever in a page could run or load something that is not ours."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag == "script" and not (given.get("src") or "").startswith("/static/"):
            self.found.append("script")
        for name, value in given.items():
            text = (value or "").strip().lower()
            if name.startswith("on") or name == "style":
                self.found.append(f"{tag} {name}")
            if name in {"href", "src", "action"} and re.match(r"(javascript|vbscript|data:text)", text):
                self.found.append(f"{tag} {name}={text}")
            if name == "src" and text.startswith(("http", "//")):
                self.found.append(f"{tag} {name}={text}")


@pytest.mark.parametrize("text", HOSTILE)
def test_nothing_typed_runs_in_a_page(house: House, text: str) -> None:  # noqa: F811  the fixture
    client = signed_in(house.emre)
    house.emre.name = text[:100]
    house.emre.save()
    Item.objects.filter(pk=house.item.pk).update(title=text, description=text)
    answer = client.post(
        f"/items/{house.item.key}/comment/",
        {"text": text, "state": "", "attachments": SimpleUploadedFile("<b onclick=x>.svg", b"<svg/>")},
    )
    assert answer.status_code == 302
    for path in (f"/items/{house.item.key}/", "/items/", "/work/", "/me/"):
        dangers = Dangers()
        dangers.feed(client.get(path).content.decode())
        assert dangers.found == [], path


@pytest.mark.parametrize(
    "name", ["../../etc/passwd", "..\\..\\x.txt", "\u202egnp.exe", "a\0b.html", ".htaccess"]
)
def test_a_file_keeps_no_path_and_is_always_a_download(house: House, name: str) -> None:  # noqa: F811  the fixture
    client = signed_in(house.emre)
    upload = SimpleUploadedFile("x", b"<script>1</script>", content_type="text/html")
    upload._name = name  # type: ignore[attr-defined]  # as it comes over the wire; Django's setter would clean it
    client.post(f"/items/{house.item.key}/comment/", {"text": "f", "state": "", "attachments": upload})
    file = Attachment.objects.get()
    assert not set(file.filename) & set('/\\\0"<>\u202e\r\n')
    assert not file.filename.startswith(".")
    answer = client.get(f"/files/{file.pk}/x")
    assert answer.headers["Content-Disposition"].startswith("attachment")
    assert answer.headers["Content-Type"] == "application/octet-stream"
    assert "sandbox" in answer.headers["Content-Security-Policy"]
    assert signed_in(house.karl).get(f"/files/{file.pk}/x").status_code == 404
    assert Client().get(f"/files/{file.pk}/x").status_code == 302


def test_a_session_begins_anew_at_sign_in(house: House) -> None:  # noqa: F811  the fixture
    client = Client()
    session = client.session
    session["planted"] = "x"
    session.save()
    before = session.session_key
    client.cookies["sessionid"] = before or ""
    answer = client.post("/sign-in/", {"email": house.emre.email, "password": PASSWORD})
    assert answer.status_code == 302
    assert client.session.session_key != before


@pytest.mark.parametrize("key", ["%00", "NW-99999999999999999999", "..%2f..%2fetc", "%ED%A0%80"])
def test_odd_addresses_are_not_found(house: House, key: str) -> None:  # noqa: F811  the fixture
    client = signed_in(house.emre)
    for path in (f"/items/{key}/", f"/items/?q={key}&page={key}&state={key}&responsible={key}"):
        assert client.get(path).status_code in {200, 404}
