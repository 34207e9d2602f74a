"""Mail in a real browser: from an item to a guest and back, and held mails decided with one click."""

from __future__ import annotations

from base64 import b64decode
from email import message_from_bytes
from email.policy import SMTP
from typing import TYPE_CHECKING, Any

import pytest

from depesche.mailformat.parse import parse
from depesche.mailroom.connections.models import IncomingMailbox, OutgoingConnection
from depesche.mailroom.inbox.models import Outcome, ReceivedMessage
from depesche.tracker.correspondence import rules
from depesche.tracker.items import actions
from depesche.tracker.items.models import Comment, Item
from tests.support.waiting import wait_until
from tests.tracker.correspondence.support import SYSTEM, mails, raw_of, reply_address, take, written
from tests.tracker.support import make_person, make_workspace
from tests.tracker.web.visit import Visit

if TYPE_CHECKING:
    from playwright.sync_api import Browser

pytestmark = [pytest.mark.journey, pytest.mark.django_db(transaction=True)]
PNG = b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg=="
)
MAX = "Max Muster <max@elsewhere.example>"


@pytest.fixture
def item(live_server: Any) -> Item:
    OutgoingConnection.objects.create(
        host="smtp.example.org", system_address=SYSTEM, system_name="Your Server", items_by_mail=True
    )
    IncomingMailbox.objects.create(protocol="pipe", plus_addressing="on")
    jana, tomasz = make_person("jana", is_admin=True), make_person("tomasz")
    workspace = make_workspace("NW", jana, tomasz)
    return actions.create_item(workspace, author=tomasz, title="Coolant pump P-7")


def test_a_mail_to_a_guest_and_the_answer(browser: Browser, live_server: Any, item: Item) -> None:
    visit = Visit(browser, str(live_server.url))
    visit.sign_in()
    page = visit.page
    page.goto(f"{visit.address}/items/NW-1/")
    page.get_by_role("link", name="Write a mail").click()
    page.get_by_label("To", exact=True).fill(MAX)
    page.get_by_label("Text").fill("Could you **look** at it?")
    page.get_by_role("button", name="Preview").click()
    page.locator("#preview", has_text="What goes out").wait_for()
    assert "Jana via Your Server" in page.locator("#preview").inner_text()
    assert mails() == []
    page.get_by_role("button", name="Send the mail on its way").click()
    page.wait_for_url("**/items/NW-1/#comment-*")
    mailed = page.locator(".mailed")
    assert "Mailed to Max Muster <max@elsewhere.example>" in mailed.inner_text()
    assert "queued" in mailed.inner_text()

    ours = parse(raw_of(mails("max@elsewhere.example")[0]))
    take(
        written(
            "I have looked, the bearing is worn.",
            sender=MAX,
            to=ours.reply_to[0].addr_spec,
            In_Reply_To=str(ours.message_id),
        )
    )
    answer = page.locator("article.comment", has_text="the bearing is worn")
    answer.wait_for()  # the thread renews itself
    assert "guest" in answer.inner_text()
    assert "author certain" in answer.inner_text()
    answer.get_by_text("author certain").click()
    answer.get_by_text("signed for this person, good").wait_for()
    answer.get_by_role("link", name="Answer Max Muster by mail").click()
    assert page.get_by_label("To", exact=True).input_value() == "max@elsewhere.example"
    assert page.get_by_label("Quote the last mail of this thread").is_checked()
    page.get_by_label("Text").fill("Thank you.")
    page.get_by_role("button", name="Send the mail on its way").click()
    page.wait_for_url("**/items/NW-1/#comment-*")
    again = parse(raw_of(mails("max@elsewhere.example")[1]))
    assert "> I have looked, the bearing is worn." in (again.text or "")
    assert visit.faults == []


def test_held_mails_are_decided_with_one_click_each(browser: Browser, live_server: Any, item: Item) -> None:
    rules.save(None, {"strangers": "hold"})
    to = reply_address(item, item.author)
    take(written("From my other address.", sender="T <t@private.example>", to=to, subject="Re: one"))
    take(written("As a guest.", sender="G <g@private.example>", to=to, subject="Re: two"))
    take(written("Buy now.", sender="Spam <spam@elsewhere.example>", subject="Offer"))
    take(written("Nothing.", sender="N <n@elsewhere.example>", subject="Nothing"))
    visit = Visit(browser, str(live_server.url), viewport={"width": 320, "height": 700})
    visit.sign_in()
    page = visit.page
    page.goto(f"{visit.address}/mail/inbox/")
    assert page.evaluate("document.documentElement.scrollWidth") <= 320

    def decide(subject: str, choice: str) -> None:
        held = page.locator(".todo > li", has_text=subject)
        held.get_by_role("button", name=choice).focus()
        page.keyboard.press("Enter")
        held.wait_for(state="detached")

    decide("Re: one", "Add to NW-1 as a comment of Tomasz")
    decide("Re: two", "comment of the guest g@private.example")
    decide("Offer", "Block spam@elsewhere.example")
    decide("Nothing", "Discard")
    assert page.locator("#h-decide").count() == 0
    comments = list(Comment.objects.order_by("id").values_list("author__email", "text"))
    assert comments == [
        ("tomasz@example.org", "*Written from T <t@private.example>:*\n\nFrom my other address."),
        ("g@private.example", "As a guest."),
    ]
    assert not ReceivedMessage.objects.filter(outcome=Outcome.HELD).exists()
    assert take(written("Buy more.", sender="spam@elsewhere.example", subject="Offer")).outcome == "ignored"
    assert visit.faults == []


def test_the_html_of_a_mail_runs_nothing_and_asks_for_nothing(
    browser: Browser, live_server: Any, item: Item
) -> None:
    html = (
        "<p>Hello <b>there</b></p><script>parent.document.title='taken'</script>"
        "<img src='https://elsewhere.example/pixel.gif' onerror=\"parent.document.title='taken'\">"
        "<img id='own' src='cid:dot@mail'>"
    )
    mail = message_from_bytes(
        written("Hello", sender="Eve <eve@elsewhere.example>", subject="Question", html=html), policy=SMTP
    )
    mail.get_payload()[1].add_related(PNG, "image", "png", cid="<dot@mail>")
    take(mail.as_bytes())
    visit = Visit(browser, str(live_server.url))
    visit.sign_in()
    page = visit.page
    asked: list[str] = []  # what gets past the policy, as far as the net
    page.route("https://elsewhere.example/**", lambda route: asked.append(route.request.url))
    page.goto(f"{visit.address}/mail/inbox/{ReceivedMessage.objects.get().pk}?view=html")
    page.frame_locator("iframe").get_by_text("there").wait_for()
    picture = page.frame_locator("iframe").locator("#own")
    wait_until(lambda: picture.evaluate("part => part.naturalWidth") == 1, "the mail's own picture")
    assert "taken" not in page.title()
    assert asked == []
