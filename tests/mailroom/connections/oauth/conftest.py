from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.support.authorisation_server import AuthorisationServer


@pytest.fixture
def server(request: Any, settings: Any) -> Iterator[AuthorisationServer]:
    """Microsoft's, unless the test names another."""
    provider = getattr(request, "param", "microsoft")
    with AuthorisationServer(provider) as running:
        settings.DEPESCHE_OAUTH_ADDRESSES = {provider: running.base}
        yield running
