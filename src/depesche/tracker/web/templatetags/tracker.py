"""What only the tracker's pages need: {% load tracker %}."""

from __future__ import annotations

from functools import lru_cache

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString

from depesche.tracker.items.markdown import to_html

register = template.Library()


_CACHED = 4_000  # characters; longer texts are rare, and would fill the memory


@lru_cache(maxsize=1024)
def _short(text: str) -> SafeString:
    return to_html(text)


@register.filter
def markdown(text: str) -> SafeString:
    """Markdown as safe HTML. A thread is shown far more often than its texts change."""
    return _short(text) if len(text) <= _CACHED else to_html(text)


@register.filter
def line_count(text: str) -> int:
    return len(text.strip().splitlines())


@register.filter
def breakable(address: str) -> SafeString:
    """An address that may break before its @ and after its +, where people read it best."""
    local, at, domain = str(address).partition("@")
    name, plus, tag = local.partition("+")
    return format_html("{}{}<wbr>{}<wbr>{}{}", name, plus, tag, at, domain)
