"""Small things about a request."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.http import HttpRequest
from django.utils.http import url_has_allowed_host_and_scheme

if TYPE_CHECKING:
    from depesche.tracker.accounts.models import Person


def person_of(request: HttpRequest) -> Person:
    """Who signed in. Only behind `signed_in` or `administrators_only`."""
    assert request.user.is_authenticated
    return request.user


def client_ip(request: HttpRequest) -> str:
    """The address of the other side, as the web server saw it; "" when it has none.

    X-Forwarded-For is the web server's business: it knows which proxies it trusts, a page does not.
    """
    return str(request.META.get("REMOTE_ADDR") or "")


def safe_next(request: HttpRequest, fallback: str) -> str:
    """The page to go to after a form: `next` when it is on this host, else `fallback`."""
    target = request.POST.get("next") or request.GET.get("next") or ""
    if target and url_has_allowed_host_and_scheme(
        target, allowed_hosts={request.get_host()}, require_https=request.is_secure()
    ):
        return target
    return fallback
