"""The tracker in a real browser: with htmx, on a phone, with the keyboard, and under the strict policy."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from playwright.sync_api import expect

from depesche.tracker.accounts.models import Person
from depesche.tracker.items import actions
from depesche.tracker.items.attachments import NewAttachment
from depesche.tracker.items.models import Item
from tests.support.waiting import wait_until
from tests.tracker.correspondence.support import plan_all
from tests.tracker.support import make_person, make_workspace
from tests.tracker.web.long_words import LONG, strain
from tests.tracker.web.visit import Visit

if TYPE_CHECKING:
    from playwright.sync_api import Browser

pytestmark = [pytest.mark.journey, pytest.mark.django_db(transaction=True)]
PAGES = [
    "/items/",
    "/items/NW-1/",
    "/items/NW-1/edit/",
    "/items/new/",
    "/work/",
    "/me/",
    "/me/password/",
    "/people/",
    "/people/new/",
    "/workspaces/",
    "/workspaces/NW/",
    "/workspaces/mail/",
    "/workspaces/NW/mail/",
    "/items/NW-1/mail/",
    "/mail-templates/",
    "/mail-templates/new/",
    "/nowhere/",
]


@pytest.fixture
def address(live_server: Any) -> str:
    jana = make_person("jana", is_admin=True)
    emre = make_person("emre")
    workspace = make_workspace("NW", jana, emre)
    item = actions.create_item(
        workspace,
        author=emre,
        title=f"Pump P-7 {LONG}",
        description=f"Since *Friday* {LONG}{LONG}\n\n```\n{'x' * 200}\n```\n\n|a|b|\n|-|-|\n|{LONG}|c|",
        responsible=jana,
        attachments=[NewAttachment(f"{LONG}.pdf", "application/pdf", b"x")],
    )
    actions.add_comment(item, author=emre, text=f"{LONG} {LONG}", cut=f"> {LONG}", via="mail")
    actions.change_item(item, actor=jana, state="in_progress")
    return str(live_server.url)


MAIL_PAGES = [
    "/mail/",
    "/mail/connection/",
    "/mail/mailbox/",
    "/mail/keystore/",
    "/mail/domain/",
    "/mail/alarms/",
    "/mail/history/",
    "/mail/outbox/",
    "/mail/inbox/",
]
CHECK, WIDTH_CHECK, FOCUS_CHECK = (
    (Path(__file__).parent / f"{name}_check.js").read_text("utf-8") for name in ("page", "width", "focus")
)
OPEN_ALL = "document.querySelectorAll('main details').forEach((part) => { part.open = true; })"


def test_from_sign_in_to_a_comment(browser: Browser, address: str) -> None:
    visit = Visit(browser, address)
    visit.sign_in()
    page = visit.page
    page.get_by_role("link", name="New item").click()
    page.get_by_label("Title").fill("Gate 3 will not close")
    page.get_by_role("button", name="Create the item").click()
    page.wait_for_url("**/items/NW-2/")
    page.evaluate("window.stayed = true")
    page.get_by_label("Your comment").fill("The **coupling** is worn.")
    page.get_by_label("Your comment").press("Control+Enter")
    page.locator("article.comment strong", has_text="coupling").wait_for()
    assert page.evaluate("window.stayed") is True  # htmx put it in, no new page
    expect(page.get_by_label("Your comment")).to_have_value("")
    page.wait_for_function("document.activeElement.id.startsWith('comment-')")
    page.get_by_role("button", name="Comment").click()
    page.locator(".field-error").wait_for()
    page.wait_for_function("document.activeElement.getAttribute('aria-invalid') === 'true'")
    assert visit.faults == []


def test_a_comment_that_does_not_arrive_stays_in_its_box(browser: Browser, address: str) -> None:
    visit = Visit(browser, address)
    visit.sign_in()
    page = visit.page
    page.goto(f"{address}/items/NW-1/")
    page.get_by_label("Your comment").fill("Do not lose this")
    page.route("**/comment/", lambda route: route.abort())
    page.get_by_role("button", name="Comment").click()
    page.get_by_text("The server was not reached.").wait_for()
    assert page.get_by_label("Your comment").input_value() == "Do not lose this"
    page.unroute("**/comment/")
    page.context.clear_cookies()
    page.get_by_role("button", name="Comment").click()
    page.get_by_text("The server refused this.").wait_for()
    assert page.get_by_label("Your comment").input_value() == "Do not lose this"


def test_an_answer_of_somebody_else_appears_by_itself(browser: Browser, address: str) -> None:
    visit, other = Visit(browser, address), Visit(browser, address)
    for one in (visit, other):
        one.sign_in()
        one.page.goto(f"{address}/items/NW-1/")
    visit.page.locator("details.more summary", has_text="Quoted part").click()
    visit.page.get_by_label("Your comment").fill("half a sentence")
    other.page.get_by_label("Your comment").fill("An answer from elsewhere")
    other.page.get_by_role("button", name="Comment").click()
    visit.page.locator("#thread", has_text="An answer from elsewhere").wait_for()
    assert visit.page.get_by_label("Your comment").input_value() == "half a sentence"
    expect(visit.page.locator("details.more[open] .cut")).to_have_count(1)
    visit.page.locator("#say", has_text="the latest by Jana").wait_for(state="attached")
    assert visit.faults == []


def test_the_filter_works_without_a_new_page(browser: Browser, address: str) -> None:
    visit = Visit(browser, address)
    visit.sign_in()
    page = visit.page
    page.evaluate("window.stayed = true")
    page.get_by_label("Find").fill("nothing has these words")
    page.locator("#list", has_text="No item fits.").wait_for()
    page.locator("#say", has_text="No item fits.").wait_for(state="attached")
    page.get_by_label("Find").fill("Pump")
    page.get_by_role("link", name="Pump P-7").wait_for()
    page.get_by_label("State", exact=True).select_option("closed")
    page.locator("#list", has_text="No item fits.").wait_for()
    assert page.evaluate("window.stayed") is True
    expect(page).to_have_url(re.compile("state=closed"))
    assert visit.faults == []


def test_everything_works_without_script(browser: Browser, address: str) -> None:
    visit = Visit(browser, address, java_script_enabled=False)
    visit.sign_in()
    page = visit.page
    page.goto(f"{address}/items/NW-1/")
    page.get_by_label("Your comment").fill("Written without script")
    page.get_by_role("button", name="Comment").click()
    page.locator("article", has_text="Written without script").wait_for()
    page.locator("summary[aria-label]").click()  # the menu under the initials
    page.get_by_role("button", name="Sign out").click()
    page.wait_for_url("**/sign-in/")


@pytest.mark.parametrize(("width", "scheme"), [(320, "light"), (360, "dark"), (768, "light"), (1280, "dark")])
def test_no_page_scrolls_sideways(browser: Browser, address: str, width: int, scheme: Any) -> None:
    visit = Visit(browser, address, viewport={"width": width, "height": 800}, color_scheme=scheme)
    visit.sign_in()
    page = visit.page
    page.get_by_role("button", name="Deutsch").click()  # the longer words
    faults = {}
    for path in PAGES + MAIL_PAGES + strain():
        page.goto(address + path)
        page.evaluate(OPEN_ALL)
        faults[path] = page.evaluate(WIDTH_CHECK)
    assert {path: found for path, found in faults.items() if found} == {}
    assert visit.faults == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_page_keeps_names_headings_and_contrast(browser: Browser, address: str, scheme: Any) -> None:
    visit = Visit(browser, address, viewport={"width": 1280, "height": 900}, color_scheme=scheme)
    faults = {}
    for path in ["/sign-in/", "/password/"]:
        visit.page.goto(address + path)
        faults[path] = visit.page.evaluate(CHECK)
    visit.sign_in()
    for path in PAGES + MAIL_PAGES + strain():
        visit.page.goto(address + path)
        visit.page.evaluate("document.querySelectorAll('details').forEach((part) => { part.open = true; })")
        faults[path] = visit.page.evaluate(CHECK)
    assert {path: found for path, found in faults.items() if found} == {}


@pytest.mark.parametrize(("width", "height"), [(1280, 900), (320, 256)])  # the second is the first at 400 %
def test_the_focus_shows_everywhere_and_nothing_sticks_over_it(
    browser: Browser, address: str, width: int, height: int
) -> None:
    visit = Visit(browser, address, viewport={"width": width, "height": height})
    visit.sign_in()
    faults = {}
    for path in PAGES + MAIL_PAGES + strain():
        visit.page.goto(address + path)
        visit.page.evaluate(OPEN_ALL)
        faults[path] = visit.page.evaluate(FOCUS_CHECK)
    assert {path: found for path, found in faults.items() if found} == {}


def test_forced_colours_still_tell_where_one_is_and_what_is_chosen(browser: Browser, address: str) -> None:
    visit = Visit(browser, address, forced_colors="active")
    visit.sign_in()
    page = visit.page
    page.goto(f"{address}/mail/connection/")

    def line(selector: str) -> str:
        return str(page.locator(selector).first.evaluate("part => getComputedStyle(part).borderBottomColor"))

    for row in (".tabs a", ".bar nav a"):
        assert line(f"{row}[aria-current]") != line(f"{row}:not([aria-current])")
    chosen = page.locator(".choice:has(:checked)").first
    assert chosen.evaluate("part => getComputedStyle(part).outlineStyle") == "solid"
    assert page.locator(".select").first.evaluate("part => getComputedStyle(part).appearance") == "auto"


def test_the_keyboard_alone_is_enough_to_sign_in_and_reach_the_content(
    browser: Browser, address: str
) -> None:
    visit = Visit(browser, address)
    visit.sign_in()
    page = visit.page
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.closest('main') !== null")
    outline = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
    assert outline == "solid"


def test_a_list_that_renews_itself_keeps_the_focus(browser: Browser, address: str) -> None:
    visit = Visit(browser, address)
    strain()
    visit.sign_in()
    page = visit.page
    page.goto(f"{address}/mail/outbox/")
    page.locator("#outbox-live a.title").first.focus()
    actions.add_comment(Item.objects.get(), author=Person.objects.get(email="emre@example.org"), text="New.")
    plan_all()  # a mail more: the list is another
    page.locator("#outbox-live a.title", has_text="NW-1").nth(1).wait_for()
    page.wait_for_function("document.activeElement.closest('#outbox-live') !== null")
    assert LONG in page.evaluate("document.activeElement.textContent")
    page.evaluate("document.activeElement.kept = true")
    for _ in range(2):
        with page.expect_response("**/mail/outbox/"):
            pass
    assert page.evaluate("document.activeElement.kept") is True  # nothing new: nothing is touched
    assert visit.faults == []


def test_what_was_saved_is_said_by_a_live_region(browser: Browser, address: str) -> None:
    visit = Visit(browser, address)
    visit.sign_in()
    page = visit.page
    page.add_init_script(
        "addEventListener('DOMContentLoaded', () => new MutationObserver((all) => { window.told = true; })"
        ".observe(document.querySelector('#messages[role=status]'), {childList: true}))"
    )
    page.goto(f"{address}/me/")
    page.locator("main form .btn-primary").first.click()
    page.locator("#messages .note").wait_for()
    wait_until(lambda: page.evaluate("window.told === true"), "the message put in again")
    assert page.locator("#messages .note").count() == 1


def test_nothing_moves_for_those_who_want_no_motion(browser: Browser, address: str) -> None:
    visit = Visit(browser, address, reduced_motion="reduce")
    visit.sign_in()
    visit.page.goto(f"{address}/items/NW-1/")
    moving = visit.page.evaluate(
        "[...document.querySelectorAll('*')].filter((part) => ['', '::before', '::after'].some((which) => {"
        " const style = getComputedStyle(part, which || undefined);"
        " return style.animationName !== 'none' || parseFloat(style.transitionDuration) > 0; })).length"
    )
    assert moving == 0


def test_errors_take_the_focus(browser: Browser, address: str) -> None:
    visit = Visit(browser, address)
    visit.sign_in()
    visit.page.goto(f"{address}/people/new/")
    visit.page.get_by_role("button", name="Add the person").click()
    visit.page.locator(".errors").wait_for()
    expect(visit.page.locator(".errors")).to_be_focused()
    assert visit.page.title().startswith("Error:")
    ids = visit.page.evaluate("[...document.querySelectorAll('[id]')].map((part) => part.id)")
    assert len(ids) == len(set(ids))
    assert visit.faults == []


def test_times_follow_the_reader_s_zone(browser: Browser, address: str) -> None:
    visit = Visit(browser, address, timezone_id="Asia/Tokyo")
    visit.sign_in()
    visit.page.goto(f"{address}/items/NW-1/")
    cookies = {cookie["name"]: cookie["value"] for cookie in visit.page.context.cookies()}
    assert cookies["depesche_zone"] == "Asia/Tokyo"


def test_two_presses_make_one_item(browser: Browser, address: str) -> None:
    visit = Visit(browser, address)
    visit.sign_in()
    page = visit.page
    page.goto(f"{address}/items/new/")
    page.get_by_label("Title").fill("Only once")
    page.evaluate("const b = document.querySelector('form[data-busy] .btn-primary'); b.click(); b.click();")
    page.wait_for_url("**/items/NW-*/")
    page.goto(f"{address}/items/")
    assert page.get_by_role("link", name="Only once").count() == 1
    assert visit.faults == []
