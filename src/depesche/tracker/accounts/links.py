"""Addresses of our pages in mails: from settings.DEPESCHE_BASE_URL alone, never from a request (Host
header)."""

from __future__ import annotations

from urllib.parse import urlsplit

from django.conf import settings
from django.urls import reverse

from depesche.mailformat.addresses import AddressError, canonical_domain


def absolute(path: str) -> str:
    """The address that people outside can open, of a path that begins with `/`."""
    base: str = settings.DEPESCHE_BASE_URL
    return base.rstrip("/") + path


def page(name: str, *args: object) -> str:
    """The address of a named page of the tracker (`web:…`), whatever script prefix a request came under."""
    return absolute(reverse(f"web:{name}", args=args, urlconf=settings.ROOT_URLCONF))


def host() -> str:
    """The host of our own address as a domain, in ASCII; for Message-IDs."""
    name = urlsplit(absolute("")).hostname or "localhost"
    try:
        return canonical_domain(f"[IPv6:{name}]" if ":" in name else name)
    except AddressError:
        return "localhost"
