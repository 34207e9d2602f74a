"""What only the tracker's pages need: {% load tracker %}."""

from __future__ import annotations

from django import template
from django.utils.safestring import SafeString

from depesche.tracker.items.markdown import to_html

register = template.Library()


@register.filter
def markdown(text: str) -> SafeString:
    """Markdown as safe HTML."""
    return to_html(text)


@register.filter
def line_count(text: str) -> int:
    return len(text.strip().splitlines())
