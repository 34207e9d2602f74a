"""What every page of Depesche uses: {% load depesche %}."""

from __future__ import annotations

import datetime as dt
import re
from typing import Any

from django import forms, template
from django.forms import BoundField
from django.utils import formats, timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from depesche.mailroom.pages import fields, icons, places, words

register = template.Library()


@register.simple_tag
def icon(name: str, label: str = "") -> SafeString:
    """{% icon "ok" %} for decoration, {% icon "ok" _("in order") %} where it stands for a word."""
    return icons.icon(name, str(label))


@register.simple_tag
def state_word(state: object, more: object = "") -> SafeString:
    """A state as sign, word and colour: {% state_word row.state %}, {% state_word row.state "to 14:54" %}."""
    return _state("state", state, more)


@register.simple_tag
def state_chip(state: object, more: object = "") -> SafeString:
    """The same as a chip, for the head of a page: once a page."""
    return _state("chip", state, more)


def _state(css: str, state: object, more: object) -> SafeString:
    shown = words.state_word(state)
    return format_html(
        '<span class="{}" data-state="{}">{}{}{}</span>',
        css,
        shown.tone,
        icons.icon(shown.icon),
        shown.word,
        format_html(" {}", more) if more not in (None, "") else "",
    )


@register.simple_tag
def state_node(state: object) -> SafeString:
    """The station of a state on the wire; its word stands beside it: {{ state|state_label }}."""
    return format_html('<span class="node">{}</span>', icons.icon(words.state_word(state).icon))


@register.filter
def state_label(state: object) -> str:
    """The word alone."""
    return str(words.state_word(state).word)


@register.filter
def tone(state: object) -> str:
    """The value of data-state for a state: <li data-state="{{ step.outcome|tone }}">."""
    return words.state_word(state).tone


@register.simple_tag
def avatar(person: object, label: bool = False) -> SafeString:
    """The initials in a circle; decoration, unless `label`: then a picture with the person's name."""
    name = _name_of(person)
    if label:
        return format_html(
            '<span class="avatar" role="img" aria-label="{}" title="{}">{}</span>', name, name, initials(name)
        )
    return format_html('<span class="avatar" aria-hidden="true">{}</span>', initials(name))


def _name_of(person: object) -> str:
    if isinstance(person, str):
        return person
    name = getattr(person, "name", "")
    if not name and hasattr(person, "get_full_name"):
        name = person.get_full_name()
    return str(name or person)


@register.filter
def initials(name: str) -> str:
    """First letters of the first and the last word: "Emre Aydın" → "EA"; an address gives its first."""
    parts = [word for word in name.split("@", maxsplit=1)[0].split() if word[0].isalnum()]
    if not parts:
        return "?"
    first, last = parts[0][0], parts[-1][0] if len(parts) > 1 else ""
    return (first + last).upper()[:2]


@register.simple_tag
def field(bound: BoundField, below: str = "", why: str = "", wide: bool = False) -> SafeString:
    """{% field form.host %}: label, error, control, line below and explanation (see fields.py)."""
    return fields.render_field(bound, below=below, why=why, wide=wide)


@register.simple_tag
def control(bound: BoundField, why: bool = False) -> SafeString:
    """{% control form.q %}: the control alone, where the page writes label and explanation itself; with
    `why=True` the page has an explanation, its id that of the field and "-why".
    """
    return fields.render_control(bound, described_by=fields.describing(bound, True) if why else None)


@register.simple_tag
def field_errors(bound: BoundField) -> SafeString:
    return fields.errors_of(bound)


@register.simple_tag
def form_errors(form: forms.BaseForm, kept: str = "") -> SafeString:
    """{% form_errors form _("The password was kept.") %}: the summary above a form that was not saved."""
    return fields.render_errors(form, kept)


@register.filter
def paragraphs(text: object) -> SafeString:
    return fields.paragraphs(text)


_E_MAIL = re.compile(r"\b([Ee]-[Mm]ail)\b")


@register.filter
def together(text: object) -> SafeString:
    """{{ title|together }}: "E-Mail" does not break at its own hyphen, only after it."""
    parts = enumerate(_E_MAIL.split(str(text)))
    return format_html_join(
        "",
        "{}",
        ((format_html('<span class="nowrap">{}</span>', part) if at % 2 else part,) for at, part in parts),
    )


@register.inclusion_tag("depesche/admin_tabs.html")
def admin_tabs(current: str) -> dict[str, Any]:
    """{% admin_tabs "outgoing" %}: the places of the administration in one row."""
    return {"tabs": places.tabs(current)}


@register.simple_tag
def administration_url() -> str:
    return places.first_url()


@register.simple_tag
def when(moment: dt.datetime | None) -> SafeString:
    """A moment as people say it, in the reader's zone: "today, 14:02", "3 November, 08:41"."""
    if moment is None:
        return SafeString("")
    return format_html(
        '<time datetime="{}">{}</time>', moment.isoformat(), in_words(moment, today=timezone.localdate())
    )


def in_words(moment: dt.datetime, *, today: dt.date) -> str:
    local = timezone.localtime(moment)
    clock = f"{local:%H:%M}"
    day = local.date()
    if day == today:
        return _("today, %(time)s") % {"time": clock}
    if day == today - dt.timedelta(days=1):
        return _("yesterday, %(time)s") % {"time": clock}
    if day == today + dt.timedelta(days=1):
        return _("tomorrow, %(time)s") % {"time": clock}
    return _("%(date)s, %(time)s") % {"date": day_in_words(day, today=today), "time": clock}


@register.simple_tag
def day(value: dt.date | None) -> SafeString:
    """A date as people write it: "Thu 19 November", with the year where it is another one."""
    if value is None:
        return SafeString("")
    return format_html(
        '<time datetime="{}">{}</time>', value.isoformat(), day_in_words(value, today=timezone.localdate())
    )


def day_in_words(value: dt.date, *, today: dt.date) -> str:
    # Translators: a date in this year, as a Django date format: "17 November"
    same_year = _("j F")
    # Translators: a date with its year, as a Django date format: "17 November 2026"
    other_year = _("j F Y")
    return formats.date_format(value, same_year if value.year == today.year else other_year)


@register.filter
def number(value: int) -> str:
    """1,030 in English, 1.030 in German."""
    return formats.number_format(value, use_l10n=True, force_grouping=True)


@register.filter
def filesize(octets: int) -> str:
    """218 KB, 1.1 MB; decimal, as the DESIGN writes them."""
    if octets < 1000:
        return _("%(number)s bytes") % {"number": octets}
    for unit, size in (("KB", 1000), ("MB", 1000_000)):
        if octets < size * 1000 or unit == "MB":
            digits = 0 if octets >= 10 * size or unit == "KB" else 1
            amount = formats.number_format(round(octets / size, digits), digits, force_grouping=True)
            return f"{amount}\N{NO-BREAK SPACE}{unit}"
    return str(octets)
