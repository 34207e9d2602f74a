"""The page of the outgoing connection as people use it, in a real browser."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from depesche.mailroom.connections import queries, senders
from depesche.mailroom.connections.sender_policy import Refused
from depesche.smtpclient.testing import Behaviour, FakeServer, in_thread
from tests.support.waiting import wait_until

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = pytest.mark.journey


@pytest.fixture
def signed_in(transactional_db: Any, live_server: Any, client: Any, administrator: Any, page: Page) -> Page:
    client.force_login(administrator)
    page.context.add_cookies(
        [{"name": "sessionid", "value": client.cookies["sessionid"].value, "url": live_server.url}]
    )
    page.goto(f"{live_server.url}/mail/connection/")
    return page


def test_wrong_port_type_test_apply_and_save(signed_in: Page) -> None:
    page = signed_in
    problems: list[str] = []
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.on("console", lambda message: problems.append(message.text) if message.type == "error" else None)
    port = page.locator("#port")

    # The port follows the encryption until it is typed.
    for encryption, expected in (("ssl", "465"), ("none", "25"), ("tls", "465"), ("tls-if-available", "25")):
        page.check(f"input[name=encryption][value={encryption}]")
        assert port.input_value() == expected
    assert page.locator(".changed").count() == 0  # back where it began
    page.get_by_role("button", name="587").click()
    assert page.locator("label[for=port] .changed").inner_text() == "changed"
    page.check("input[name=encryption][value=ssl]")
    assert port.input_value() == "587"

    behaviour = Behaviour(authors={"jana@nordlicht.example": "550 5.7.60 not allowed to send as this sender"})
    with in_thread(FakeServer(behaviour)) as server:
        page.fill("#host", "127.0.0.1")
        page.fill("#port", str(server.port))
        page.fill("#system_address", "tracker@nordlicht.example")
        page.check("input[name=sender][value=user]")
        page.get_by_text("Jana Voss <jana@nordlicht.example>").wait_for()  # the effect box follows

        # TLS from the first byte to a port that speaks plain: the remedy is one click.
        test = page.locator("#test").get_by_role("button", name="Test", exact=True)
        test.click()
        page.get_by_role("heading", name="Stopped at Encryption").wait_for()
        page.check("input[name=encryption][value=none]")
        test.click()
        page.get_by_role("heading", name="The mail went out, but not everything works").wait_for()
        page.get_by_role("button", name="Apply and repeat").click()
        page.get_by_role("heading", name="The server accepted the test mail").wait_for()
        assert page.locator("input[name=sender][value=system]").is_checked()
        assert len(server.messages) == 2  # each time the one From the system address
        assert not queries.outgoing().host

        page.fill("#maxNoOfSMTPConnections", "0")
        page.get_by_role("button", name="Save").last.click()
        page.get_by_role("heading", name="Not saved").wait_for()
        expect(page.locator(".errors")).to_be_focused()
        page.fill("#maxNoOfSMTPConnections", "4")
        page.get_by_role("button", name="Save").last.click()
        page.get_by_text("Saved.").wait_for()
    settings = queries.outgoing()
    assert (settings.host, settings.sender, settings.max_connections) == ("127.0.0.1", "system", 4)
    wait_until(lambda: page.locator("#port").input_value() == str(server.port), "the saved port")
    assert [one for one in problems if "422" not in one] == []


@pytest.mark.parametrize("width", [320, 768, 1280])
def test_nothing_runs_over_the_edge(signed_in: Page, live_server: Any, width: int) -> None:
    page = signed_in
    page.set_viewport_size({"width": width, "height": 800})
    said = "550 5.7.60 SMTP; Client does not have permissions to send as somebody-with-a-long-name"
    longest = Refused(f"a@{'a' * 60}.example", f"{'a' * 60}.example", "header-from-refused", "content", said)
    senders.learn(queries.outgoing(), longest, now=timezone.now())
    for path in ("", "connection/", "connection/failover/", "mailbox/", "keystore/", "keystore/server/"):
        page.goto(f"{live_server.url}/mail/{path}")
        if path == "connection/":
            page.fill("#system_address", "tracker@nordlicht.example")
            page.select_option("#auth", "password")
            page.fill("#username", "somebody.else@nordlicht.example")
            page.locator("#username").blur()
            page.get_by_text("is another address than the system address").wait_for()
        assert page.evaluate("document.documentElement.scrollWidth") <= width
