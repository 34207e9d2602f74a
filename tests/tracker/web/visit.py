"""A page of a real browser that notes everything that went wrong in it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.tracker.support import PASSWORD

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page


class Visit:
    """One page of a browser that notes everything that went wrong in it."""

    def __init__(self, browser: Browser, address: str, **context: Any) -> None:
        self.address = address
        self.page: Page = browser.new_context(**context).new_page()
        self.faults: list[str] = []
        self.page.on("pageerror", lambda error: self.faults.append(str(error)))
        self.page.on("console", self._note)
        self.page.on("request", self._ask)

    def _note(self, message: Any) -> None:
        if message.type in {"error", "warning"} and "404 (Not Found)" not in message.text:
            self.faults.append(message.text)

    def _ask(self, request: Any) -> None:
        if not request.url.startswith(self.address):
            self.faults.append(f"asked for {request.url}")

    def sign_in(self) -> None:
        self.page.goto(f"{self.address}/sign-in/")
        self.page.fill("#id_email", "jana@example.org")
        self.page.fill("#id_password", PASSWORD)
        self.page.keyboard.press("Enter")
        self.page.wait_for_url(f"{self.address}/items/")
