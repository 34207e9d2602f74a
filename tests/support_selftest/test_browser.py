from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Page


@pytest.mark.journey
def test_chromium_shows_a_page(page: Page) -> None:
    page.set_content("<h1>Grüße</h1><script>document.title = 'ran'</script>")
    assert page.locator("h1").inner_text() == "Grüße"
    assert page.title() == "ran"
