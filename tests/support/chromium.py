"""Debian's Chromium with an empty profile, driven by Playwright, with no traffic of its own."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from tests.support.availability import find

if TYPE_CHECKING:
    from playwright.sync_api import Browser

ARGUMENTS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
]


@contextmanager
def chromium() -> Iterator[Browser]:
    """A browser. While it is there, an event loop runs in this thread: no asyncio test beside it."""
    from playwright.sync_api import expect, sync_playwright  # here: slow, and most tests need no browser

    expect.set_options(timeout=20_000)  # milliseconds, as a page's own
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=find("chromium"), headless=True, args=ARGUMENTS, chromium_sandbox=False
        )
        try:
            yield browser
        finally:
            browser.close()
