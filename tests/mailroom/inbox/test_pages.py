"""The page of what came in: administrators only, no mail is taken for markup, held mails to decide."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from depesche.mailroom.inbox import processing, reader, views
from depesche.mailroom.inbox.handlers import Choice, Handled, IncomingMail, Sentence
from depesche.mailroom.inbox.intake import store
from depesche.mailroom.inbox.models import Outcome, ReceivedMessage

pytestmark = pytest.mark.django_db
HERE = "tests.mailroom.inbox.test_pages"
SCRIPT = "<script>alert(1)</script>"


class Handler:
    """Does as the subject says."""

    def handle(self, mail: IncomingMail) -> Handled | None:
        subject = mail.reading.mail.subject
        if "hold" in subject:
            return Handled(Outcome.HELD, "Who is it?", item="NW-1", proposal={})
        if "reject" in subject:
            return Handled(Outcome.REJECTED, Sentence(processing.NOBODYS))
        return Handled(Outcome.COMMENT, f"By {SCRIPT}", item="NW-1", comment=1)

    def choices(self, proposal: Mapping[str, Any]) -> Sequence[Choice]:
        return [Choice("comment", "Add to NW-1 as a comment"), Choice("block", "Block them", dangerous=True)]

    def accept_held(
        self, mail: IncomingMail, proposal: Mapping[str, Any], *, choice: str = "", by: str = ""
    ) -> Handled:
        if choice == "block":
            return Handled(Outcome.IGNORED, f"Blocked by {by}.")
        return Handled(Outcome.COMMENT, "A comment by Jana.", item="NW-1", comment=1)


@pytest.fixture(autouse=True)
def _handlers(settings: Any) -> None:
    settings.DEPESCHE_INBOX_HANDLERS = [f"{HERE}.Handler"]


def client(email: str = "admin@example.org", *, administrator: bool = True, language: str = "en") -> Client:
    made = get_user_model()(email=email, is_admin=administrator, language=language)
    made.save()
    found = Client()
    found.force_login(made)
    return found


def received(subject: str, body: str = "Text", extra: str = "") -> int:
    raw = f"From: {extra or 'Eve <eve@example.org>'}\r\nSubject: {subject}\r\n\r\n{body}\r\n".encode()
    stored = store(raw, source="pipe", now=timezone.now())
    processing.process(stored.id)
    return stored.id


def page(of: Client, url: str) -> str:
    response = of.get(url)
    assert response.status_code == 200
    return response.content.decode()


def outcome(received_id: int) -> str:
    return ReceivedMessage.objects.get(pk=received_id).outcome


def test_only_administrators() -> None:
    one = received("hold")
    member = client("member@example.org", administrator=False)
    for name in ("list", "detail", "source"):
        url = reverse(f"inbox:{name}", args=[] if name == "list" else [one])
        assert Client().get(url).status_code == 302
        assert member.get(url).status_code == 403
    for name in ("accept", "discard", "replay"):
        url = reverse(f"inbox:{name}", args=[one])
        assert Client().post(url).status_code == 302
        assert member.post(url).status_code == 403
        assert client(f"{name}@example.org").get(url).status_code == 405
    assert outcome(one) == Outcome.HELD


def test_decisions_need_a_token_of_ours() -> None:
    one = received("hold")
    made = get_user_model()(email="a@example.org", is_admin=True)
    made.save()
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(made)
    assert strict.post(reverse("inbox:accept", args=[one])).status_code == 403
    assert outcome(one) == Outcome.HELD


def test_nothing_of_a_mail_is_taken_for_markup() -> None:
    file = (
        'Content-Type: multipart/mixed; boundary="b"\r\n\r\n--b\r\n\r\n<img src=x onerror=alert(1)>\r\n'
        f'--b\r\nContent-Type: text/plain; name="{SCRIPT}.txt"\r\n'
        "Content-Disposition: attachment\r\n\r\nx\r\n"
        "--b--"
    )
    raw = f'From: "{SCRIPT}" <eve@example.org>\r\nSubject: {SCRIPT}\r\n{file}\r\n'.encode()
    one = store(raw, source="pipe", envelope_recipient=f"{SCRIPT}@x", now=timezone.now()).id
    processing.process(one)
    admin = client()
    for url in (
        reverse("inbox:list"),
        reverse("inbox:detail", args=[one]),
        f"{reverse('inbox:list')}?q={SCRIPT}",
    ):
        shown = page(admin, url)
        assert "alert(1)" in shown
        assert "<script>alert" not in shown
        assert "<img src=x" not in shown


def test_the_source_is_a_file_that_no_browser_shows() -> None:
    one = received("hello", "<html>")
    response = client().get(reverse("inbox:source", args=[one]))
    assert response["Content-Type"] == "application/octet-stream"
    assert response["Content-Disposition"] == f'attachment; filename="received-{one}.eml"'
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert b"<html>" in response.content


def test_a_held_mail_is_accepted_once() -> None:
    one = received("hold it")
    admin = client()
    assert reverse("inbox:accept", args=[one]) in page(admin, reverse("inbox:detail", args=[one]))
    assert (
        "A comment by Jana." in admin.post(reverse("inbox:accept", args=[one]), follow=True).content.decode()
    )
    assert outcome(one) == Outcome.COMMENT
    again = admin.post(reverse("inbox:accept", args=[one]), follow=True).content.decode()
    assert "somebody has decided already" in again
    shown = page(admin, reverse("inbox:detail", args=[one]))
    assert reverse("inbox:accept", args=[one]) not in shown
    assert "admin@example.org" in shown


def test_a_held_mail_is_discarded() -> None:
    one = received("hold it")
    admin = client()
    admin.post(reverse("inbox:discard", args=[one]))
    assert outcome(one) == Outcome.IGNORED
    assert "Discarded by" in page(admin, reverse("inbox:detail", args=[one]))
    german = client("jana@example.org", language="de")
    assert "Verworfen von" in page(german, reverse("inbox:detail", args=[one]))


def test_a_held_mail_whose_handler_is_gone(settings: Any) -> None:
    one = received("hold it")
    settings.DEPESCHE_INBOX_HANDLERS = []
    shown = client().post(reverse("inbox:accept", args=[one]), follow=True).content.decode()
    assert "not installed any more" in shown
    assert outcome(one) == Outcome.HELD


def test_a_rejected_mail_is_processed_again() -> None:
    one = received("reject it")
    admin = client()
    assert reverse("inbox:replay", args=[one]) in page(admin, reverse("inbox:detail", args=[one]))
    admin.post(reverse("inbox:replay", args=[one]))
    assert outcome(one) == Outcome.REJECTED
    taken = received("hello")
    assert reverse("inbox:replay", args=[taken]) not in page(admin, reverse("inbox:detail", args=[taken]))
    admin.post(reverse("inbox:replay", args=[taken]))
    assert outcome(taken) == Outcome.COMMENT


def test_reasons_in_the_readers_language() -> None:
    received("reject it")
    assert "Nobody here takes mails of this kind." in page(client(), reverse("inbox:list"))
    german = client("jana@example.org", language="de")
    assert "Mails dieser Art nimmt hier niemand an." in page(german, reverse("inbox:list"))


def test_filter_search_and_older_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(views, "_PAGE", 2)
    ids = [received(f"mail {number}") for number in range(3)]
    held = received("hold this one")
    admin, url = client(), reverse("inbox:list")
    first = page(admin, url)
    assert reverse("inbox:detail", args=[held]) in first
    assert reverse("inbox:detail", args=[ids[0]]) not in first
    assert reverse("inbox:detail", args=[ids[0]]) in page(admin, f"{url}?before={ids[1]}")
    assert reverse("inbox:detail", args=[ids[2]]) not in page(admin, f"{url}?outcome=held")
    assert reverse("inbox:detail", args=[ids[0]]) in page(admin, f"{url}?q=mail+0")


@pytest.mark.parametrize(
    "query",
    ["?before=9999999999999999999999", "?before=x", "?before=²", "?outcome=nonsense", "?q=%00", "?q=%ff"],
)
def test_nonsense_in_the_address_is_no_error(query: str) -> None:
    page(client(), reverse("inbox:list") + query)


def test_what_is_not_there() -> None:
    admin = client()
    for name in ("detail", "source"):
        assert admin.get(reverse(f"inbox:{name}", args=[10**30])).status_code == 404
    assert admin.post(reverse("inbox:accept", args=[4711])).status_code == 404


def test_a_mail_that_cannot_be_read_is_shown_by_its_source(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        reader, "read", lambda _: (_ for _ in ()).throw(reader.Unreadable(reader.Trouble.TIME))
    )
    one = received("hostile", "canary-body")
    shown = page(client(), reverse("inbox:detail", args=[one]))
    assert "cannot be read within the limits" in shown
    assert "canary-body" in shown
    assert "hostile" in shown


def test_a_large_source_is_shortened(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(views, "_MAX_SHOWN", 100)
    one = received("long", "x" * 5000)
    shown = page(client(), reverse("inbox:detail", args=[one]) + "?view=source")
    assert "Shortened" in shown


def test_the_list_lets_one_decide_with_one_click() -> None:
    one, other = received("hold one"), received("hold two")
    admin = client()
    get_user_model().objects.update(name="Ada")
    shown = page(admin, reverse("inbox:list"))
    assert shown.count("Add to NW-1 as a comment") == 2
    accept = reverse("inbox:accept", args=[one])
    answer = admin.post(accept, {"choice": "comment", "back": "list"}, follow=True)
    assert answer.redirect_chain == [(reverse("inbox:list"), 302)]
    assert outcome(one) == Outcome.COMMENT
    admin.post(reverse("inbox:accept", args=[other]), {"choice": "block"})
    assert outcome(other) == Outcome.IGNORED
    assert ReceivedMessage.objects.get(pk=other).decided_by == "Ada"
    assert "To decide" not in page(admin, reverse("inbox:list"))


def test_html_is_shown_in_a_sandbox_alone() -> None:
    raw = (
        b"From: Eve <eve@example.org>\r\nSubject: html\r\nContent-Type: text/html\r\n\r\n"
        b"<p>Hello</p><script>alert(1)</script><img src='https://elsewhere.example/x.png'>"
    )
    one = store(raw, source="pipe", now=timezone.now()).id
    processing.process(one)
    admin = client()
    shown = page(admin, reverse("inbox:detail", args=[one]) + "?view=html")
    assert "sandbox></iframe>" in shown
    assert "elsewhere.example" not in shown
    response = admin.get(reverse("inbox:html", args=[one]))
    policy = response["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'")
    assert "sandbox;" in policy
    assert "script-src" not in policy
    assert "img-src data:;" in policy  # what the mail brings along is written into it, and nothing else
    assert admin.get(reverse("inbox:detail", args=[one]) + "?view=odd").status_code == 404


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("?source=file", 1),
        ("?source=pipe", 2),
        ("?source=odd", 3),
        ("?q=eve@example.org", 3),
        ("?q=hello", 1),
    ],
)
def test_the_list_by_way_and_words(query: str, found: int) -> None:
    received("hello")
    received("other")
    raw = b"From: Eve <eve@example.org>\r\nSubject: third\r\n\r\nx"
    processing.process(store(raw, source="file", now=timezone.now()).id)
    shown = page(client(), reverse("inbox:list") + query)
    assert shown.count("<tr><td") == found
