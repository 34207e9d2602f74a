"""The icons, drawn into the page: no file to load, no sprite to keep in step; a fragment has them too.

All stand on a grid of 20 by 20. `--surface` shows through where a filled sign is cut out.
"""

from __future__ import annotations

from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe

SHAPES: dict[str, str] = {
    "ok": '<circle cx="10" cy="10" r="8.2" fill="currentColor" stroke="none"/>'
    '<path d="m6.3 10.3 2.6 2.6 4.9-5.4" stroke="var(--surface)" stroke-width="1.9"/>',
    "fail": '<path d="M6.6 1.8h6.8l4.8 4.8v6.8l-4.8 4.8H6.6l-4.8-4.8V6.6z" fill="currentColor"'
    ' stroke="none"/>'
    '<path d="m7.2 7.2 5.6 5.6m0-5.6-5.6 5.6" stroke="var(--surface)" stroke-width="1.9"/>',
    "warn": '<path d="M10 1.9 18.6 17a.8.8 0 0 1-.7 1.2H2.1a.8.8 0 0 1-.7-1.2z"'
    ' fill="currentColor" stroke="none"/>'
    '<path d="M10 7.6v4.2m0 2.9v.1" stroke="var(--surface)" stroke-width="2"/>',
    "wait": '<circle cx="10" cy="10" r="7.4"/><path d="M10 5.8V10l2.8 1.8"/>',
    "unsure": '<path d="m10 1.2 8.8 8.8-8.8 8.8L1.2 10z" fill="currentColor" stroke="none"/>'
    '<path d="M8 8.1a2 2 0 1 1 2.9 1.8c-.6.3-.9.7-.9 1.4v.1m0 2.5v.1" stroke="var(--surface)"'
    ' stroke-width="1.7"/>',
    "skip": '<circle cx="10" cy="10" r="7.4" stroke-dasharray="2.6 2.4"/><path d="M7.2 10h5.6"/>',
    "run": '<circle cx="10" cy="10" r="7.4" opacity=".28"/>'
    '<path d="M10 2.6a7.4 7.4 0 0 1 7.4 7.4" stroke-width="2.2"/>',
    "half": '<circle cx="10" cy="10" r="7.4"/>'
    '<path d="M10 5.2a4.8 4.8 0 0 1 0 9.6z" fill="currentColor" stroke="none"/>',
    "open": '<circle cx="10" cy="10" r="7.4"/>',
    "mail": '<rect x="2.2" y="4.2" width="15.6" height="11.6" rx="1.6"/><path d="m2.8 5.4 7.2 5.4 7.2-5.4"/>',
    "reply": '<path d="M8 4.5 3 9.3l5 4.8M3.4 9.3h7.4c3.4 0 6 2.1 6.2 6.2"/>',
    "lock": '<rect x="4" y="8.8" width="12" height="8.2" rx="1.6"/>'
    '<path d="M6.8 8.6V6.4a3.2 3.2 0 0 1 6.4 0v2.2"/>',
    "swap": '<path d="M3 7h12.2M12 3.6 15.4 7 12 10.4M17 13H4.8M8 9.8 4.6 13 8 16.4"/>',
    "clip": '<path d="m15.8 9.4-6 6a3.6 3.6 0 0 1-5.1-5.1l6.3-6.3a2.4 2.4 0 0 1 3.4 3.4l-6.2 6.2'
    'a1.2 1.2 0 0 1-1.7-1.7l5.5-5.5"/>',
    "plus": '<path d="M10 4v12M4 10h12"/>',
    "search": '<circle cx="8.8" cy="8.8" r="5.6"/><path d="m13 13 4 4"/>',
    "down": '<path d="m5.5 8 4.5 4.5L14.5 8"/>',
    "info": '<circle cx="10" cy="10" r="7.4"/><path d="M10 9.4v4.2m0-6.9v.1"/>',
    "person": '<circle cx="10" cy="6.8" r="3.2"/><path d="M3.8 17c.5-3.6 3-5.4 6.2-5.4s5.7 1.8 6.2 5.4"/>',
    "unread": '<circle cx="10" cy="10" r="4" fill="currentColor" stroke="none"/>',
}


def icon(name: str, label: str = "") -> SafeString:
    """The sign `name` as inline SVG: decoration without `label`, a picture with that name with it.

    Raises KeyError for a name that is not drawn.
    """
    shape = mark_safe(SHAPES[name])  # noqa: S308  a constant of this file
    spin = " spin" if name == "run" else ""
    if label:
        return format_html(
            '<svg class="i{}" viewBox="0 0 20 20" role="img" aria-label="{}">{}</svg>', spin, label, shape
        )
    return format_html('<svg class="i{}" viewBox="0 0 20 20" aria-hidden="true">{}</svg>', spin, shape)
