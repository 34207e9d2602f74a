"""Connecting a mail server in a real browser, against a real Postfix and Dovecot with a private authority:
one mistake after the other, each set right where the test names it (M9, M10, M16)."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from playwright.sync_api import expect

from depesche.mailroom.connections import queries
from tests.support.mail_host import MailHost

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = pytest.mark.journey

WORDS = {
    "en": {
        "test": "Test",
        "apply": "Apply and repeat",
        "stopped": "Stopped at {step}",
        "look": "Look at the certificate",
        "question": "Is this your mail server?",
        "trust": "Trust and repeat the test",
        "dismiss": "Do not trust it",
        "usable": "The mailbox can be used",
        "accepted": "The server accepted the test mail",
        "greeting": "Greeting",
        "encryption": "Encryption",
        "login": "Login",
        "save": "Save",
        "saved": "Saved.",
        "differs": "the fingerprint that you were given is another one",
    },
    "de": {
        "test": "Testen",
        "apply": "Anwenden und wiederholen",
        "stopped": "Abgebrochen bei {step}",
        "look": "Das Zertifikat ansehen",
        "question": "Ist das Ihr Mailserver?",
        "trust": "Vertrauen und den Test wiederholen",
        "dismiss": "Nicht vertrauen",
        "usable": "Das Postfach kann benutzt werden",
        "accepted": "Der Server hat die Testmail angenommen",
        "greeting": "Begrüßung",
        "encryption": "Verschlüsselung",
        "login": "Anmeldung",
        "save": "Speichern",
        "saved": "Gespeichert.",
        "differs": "der Ihnen genannt wurde, ist ein anderer",
    },
}


@pytest.fixture(params=["en", "de"])
def words(request: pytest.FixtureRequest) -> dict[str, str]:
    return {**WORDS[request.param], "language": request.param}


@pytest.fixture
def signed_in(
    transactional_db: Any,
    live_server: Any,
    client: Any,
    administrator: Any,
    page: Page,
    words: dict[str, str],
) -> Page:
    administrator.language = words["language"]
    administrator.email = "alice@example.org"
    administrator.save()
    client.force_login(administrator)
    page.context.add_cookies(
        [{"name": "sessionid", "value": client.cookies["sessionid"].value, "url": live_server.url}]
    )
    return page


class Steps:
    """What a person does on the page, and what they see."""

    def __init__(self, page: Page, words: dict[str, str]) -> None:
        self.page, self.words = page, words
        self._pictures = 0

    def test(self) -> None:
        """Press the button; what an earlier test said is gone then."""
        said = self.page.locator("#test-run > *").element_handles()
        self.page.locator("#test").get_by_role("button", name=self.words["test"], exact=True).click()
        self.page.wait_for_function("said => said.every((part) => !part.isConnected)", arg=said)

    def stopped_at(self, step: str) -> None:
        self.page.get_by_role("heading", name=self.words["stopped"].format(step=self.words[step])).wait_for()

    def click(self, name: str) -> None:
        self.page.get_by_role("button", name=self.words[name]).click()

    def look_and_trust(self) -> None:
        self.click("look")
        self.page.get_by_role("heading", name=self.words["question"]).wait_for()

    def picture(self, name: str) -> None:
        """For a person to look at, where one asks for it."""
        folder = os.environ.get("DEPESCHE_PICTURES")
        if folder:
            self._pictures += 1
            file = f"{self.words['language']}-{self._pictures:02}-{name}.png"
            self.page.set_viewport_size({"width": 1280, "height": 2600})
            self.page.locator("#test").screenshot(path=Path(folder, file))
            self.page.set_viewport_size({"width": 1280, "height": 900})


def test_from_a_wrong_port_to_all_steps_green(
    signed_in: Page, live_server: Any, mail_host: MailHost, words: dict[str, str]
) -> None:
    page, steps = signed_in, Steps(signed_in, words)
    problems: list[str] = []
    page.on("pageerror", lambda error: problems.append(str(error)))
    postfix, dovecot = mail_host.postfix, mail_host.dovecot

    # The mailbox first, so that arrival can be watched.
    page.goto(f"{live_server.url}/mail/mailbox/")
    page.check("input[name=protocol][value=imap]")
    page.fill("#host", "localhost")
    page.check("input[name=encryption][value=tls]")
    page.fill("#port", str(dovecot.port_imaps))  # which begins with TLS
    page.fill("#username", "tracker")
    page.fill("#password", mail_host.password("tracker"))
    steps.test()
    page.get_by_role("button", name=words["apply"]).wait_for()
    steps.picture("mailbox-tls")
    steps.click("apply")
    page.get_by_role("button", name=words["look"]).wait_for()
    steps.look_and_trust()
    steps.click("trust")
    page.get_by_role("heading", name=words["usable"]).wait_for()
    steps.picture("mailbox-usable")
    page.get_by_role("button", name=words["save"]).last.click()
    page.get_by_text(words["saved"]).wait_for()

    # A port that begins with TLS, taken for one with STARTTLS.
    page.goto(f"{live_server.url}/mail/connection/")
    page.fill("#system_address", "tracker@example.org")
    page.fill("#host", "localhost")
    page.check("input[name=encryption][value=tls]")
    page.fill("#port", str(postfix.port_login_tls))
    page.select_option("#auth", "password")
    page.fill("#username", "tracker")
    page.fill("#password", "not the right one")
    page.fill("#to", "alice@example.org")
    steps.test()
    steps.stopped_at("greeting")
    steps.picture("wrong-port")
    steps.click("apply")
    steps.stopped_at("encryption")
    assert page.locator("input[name=encryption][value=ssl]").is_checked()
    assert page.locator("#port").input_value() == str(postfix.port_login_tls)
    steps.picture("unknown-authority")

    # The certificate: looked at and put away, and what was typed is still there.
    steps.look_and_trust()
    steps.click("dismiss")
    page.locator("#c1").wait_for(state="detached")
    assert page.locator("#password").input_value() == "not the right one"
    steps.test()
    steps.stopped_at("encryption")

    # Looked at, compared with another fingerprint, then with none, and trusted.
    steps.look_and_trust()
    steps.picture("certificate")
    page.fill("#fingerprint", "0" * 64)
    steps.click("trust")
    page.get_by_text(words["differs"]).wait_for()
    assert len(queries.keystore()) == 1
    steps.picture("another-fingerprint")
    steps.test()
    steps.stopped_at("encryption")
    steps.look_and_trust()
    shown = "".join(page.locator(".print").inner_text().split())
    page.fill("#fingerprint", ":".join(shown[at : at + 2] for at in range(0, 64, 2)))
    steps.click("trust")

    # The password, still the wrong one that was typed.
    steps.stopped_at("login")
    steps.picture("wrong-password")
    assert page.locator("#password").input_value() == "not the right one"
    page.fill("#password", mail_host.password("tracker"))
    steps.test()
    page.get_by_role("heading", name=words["accepted"]).wait_for()
    page.locator("#report").wait_for()
    steps.picture("all-green")
    expect(page.locator(".wire > li")).to_have_count(11)
    expect(page.locator('.wire > li:not([data-state="ok"])')).to_have_count(0)
    report = page.locator("#report button[data-copy]").get_attribute("data-copy") or ""
    assert "(arrival): ok" in report
    for secret in (mail_host.password("tracker"), "not the right one"):
        assert secret not in report
        assert secret not in page.content()
    mail_host.maildir("alice").wait_for_subject("Test")
    assert len(mail_host.maildir("alice").mails()) == 1

    page.get_by_role("button", name=words["save"]).last.click()
    page.get_by_text(words["saved"]).wait_for()
    settings = queries.outgoing()
    assert (settings.host, settings.port, settings.encryption) == ("localhost", postfix.port_login_tls, "ssl")
    assert {(row.host, row.port) for row in queries.keystore()} == {
        ("localhost", postfix.port_login_tls),
        ("localhost", dovecot.port_imaps),
    }
    assert problems == []
