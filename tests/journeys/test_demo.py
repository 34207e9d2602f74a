"""`make demo` as a new user tries it, in a real browser: comment, mail in the catcher, answer, comment."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from playwright.sync_api import Page, expect

from tests.support.ports import free_port
from tests.support.processes import Instance, Program

pytestmark = pytest.mark.journey
PASSWORD = "depesche-demo"


@dataclass(frozen=True)
class Demo:
    program: Program
    instance: Instance
    base: str


@pytest.fixture
def demo(instance: Instance) -> Iterator[Demo]:
    port, smtp_port = free_port(), free_port()
    program = instance.start("demo", "--port", str(port), "--smtp-port", str(smtp_port))
    program.wait_for_output("Depesche is ready", timeout=90)
    yield Demo(program, instance, f"http://127.0.0.1:{port}")
    assert program.terminate() == 0
    assert "Stopped." in program.output()
    assert "Traceback" not in program.output()


def sign_in(page: Page, demo: Demo) -> None:
    page.goto(f"{demo.base}/sign-in/")
    page.locator("input[type=email], input[name=username]").first.fill("jana.voss@example.org")
    page.locator("input[type=password]").fill(PASSWORD)
    page.locator("main button[type=submit]").click()
    page.wait_for_url(re.compile(rf"{demo.base}/(?!sign-in)"))


def test_comment_mail_answer_comment(demo: Demo, page: Page) -> None:
    errors: list[str] = []
    page.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: errors.append(str(error)))
    sign_in(page, demo)
    page.goto(f"{demo.base}/items/NW-482")
    page.locator("textarea[name=text]").fill("Die Kupplung kommt **morgen**.")
    page.locator("form:has(textarea[name=text]) button.btn-primary").click()
    expect(page.locator(".comment", has_text="Die Kupplung kommt morgen.")).to_be_visible()

    page.goto(f"{demo.base}/catcher/?q=kupplung+tomasz")
    caught = page.locator("#caught a.mail").first
    expect(caught).to_contain_text("[NW-482]")
    caught.click()
    expect(page.locator("iframe.frame")).to_be_visible()
    frame = page.frame_locator("iframe.frame")
    expect(frame.locator("body")).to_contain_text("Die Kupplung kommt morgen.")
    for view in ("text", "headers", "source"):
        page.locator(f"a[href='?view={view}']").click()
        expect(page.locator("pre.transcript")).to_contain_text(
            "Kupplung" if view != "headers" else "Reply-To"
        )
    page.locator("textarea[name=text]").fill("Line 2 can stand still until seven.")
    page.locator("form.reply button.btn-primary").click()
    expect(page.locator("#messages")).to_contain_text("NW-482")

    page.goto(f"{demo.base}/items/NW-482")
    answered = page.locator(".comment", has_text="Line 2 can stand still until seven.")
    expect(answered).to_contain_text("Tomasz Wójcik")
    assert errors == []
    shown = demo.instance.json("item", "show", "NW-482")["comments"][-1]
    assert shown["text"] == "Line 2 can stand still until seven."
    assert shown["via"] == "mail"
    assert "Kupplung" in shown["cut"]


def test_a_mail_to_the_tracker_becomes_an_item(demo: Demo, page: Page) -> None:
    sign_in(page, demo)
    page.goto(f"{demo.base}/catcher/")
    page.locator("#author").fill("emre.aydin@example.org")
    page.locator("#subject").fill("Ventil V-3 undicht")
    page.locator("#text").fill("Es tropft.")
    page.locator("form.reply button.btn-primary").click()
    expect(page.locator("#messages a, #messages p").first).to_be_visible()
    page.goto(f"{demo.base}/?q=Ventil")
    expect(page.locator("main")).to_contain_text("Ventil V-3 undicht")


def test_the_test_of_the_connection_shows_every_step(demo: Demo, page: Page) -> None:
    sign_in(page, demo)
    page.goto(f"{demo.base}/mail/connection/")
    page.locator("aside button").first.click()
    expect(page.locator("ol.wire > li")).to_have_count(11, timeout=60_000)
    expect(page.locator("ol.wire > li[data-state=fail]")).to_have_count(0)


def test_every_page_is_whole(demo: Demo, page: Page) -> None:
    """All that links lead to, as an administrator: no error in script, nothing wider than the narrowest
    screen, one main heading, no server error."""
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(f"{page.url}: {error}"))
    page.set_viewport_size({"width": 320, "height": 700})
    sign_in(page, demo)
    seen: set[str] = set()
    kinds: set[str] = set()
    todo = ["/", "/items/NW-482/", "/mail/", "/mail/inbox/", "/catcher/"]
    while todo:
        path = todo.pop(0).partition("#")[0]
        kind = re.sub(r"\d+", "0", path.partition("?")[0])  # one page of each kind is enough
        if path in seen or kind in kinds or path.startswith(("/static", "/files", "/sign-out")):
            continue
        seen.add(path)
        kinds.add(kind)
        answer = page.goto(demo.base + path)
        assert answer is not None
        assert answer.status < 400, path
        if "html" not in answer.headers.get("content-type", ""):
            continue
        if page.locator("main").count():  # else a mail's own HTML, as it stands in its frame
            assert page.locator("h1").count() == 1, path
            assert page.locator(".bar nav [aria-current]").count() <= 1, path
            wide = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
            assert page.evaluate(wide) <= 0, path
        links = "[...document.querySelectorAll('a[href^=\"/\"]')].map(a => a.getAttribute('href'))"
        todo += page.evaluate(links)
    assert errors == []
    assert len(kinds) > 25, kinds


def test_strangers_do_not_reach_the_catcher_from_elsewhere(instance: Instance, page: Page) -> None:
    """On another host than the loopback the caught mails stand behind an administrator's login."""
    port, smtp_port = free_port(), free_port()
    program = instance.start(
        "demo", "--host", "127.0.0.2", "--port", str(port), "--smtp-port", str(smtp_port)
    )
    program.wait_for_output("Depesche is ready", timeout=90)
    assert PASSWORD not in program.output()
    page.goto(f"http://127.0.0.2:{port}/catcher/")
    assert "/sign-in" in page.url
