"""What the frame of every page needs."""

from __future__ import annotations

from django.http import HttpRequest


def navigation(request: HttpRequest) -> dict[str, object]:
    """Which place of the main navigation the page belongs to."""
    match = request.resolver_match
    return {"place": match.namespace if match else ""}
