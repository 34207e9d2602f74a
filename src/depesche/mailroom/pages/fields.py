"""A form field as DESIGN draws it: label, error, control, a line below, and the explanation beside it.

A form says more about a field by attributes of the Field object, all optional:

    field.help_text      the explanation; a blank line begins a new paragraph; safe strings keep their markup
    field.below          one line under the control (a default, a live figure)
    field.consequences   {value: sentence} for radio choices: what each of them does
    field.wide = True    the explanation above, the control over the whole width
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django import forms
from django.forms import BoundField
from django.utils.html import conditional_escape, escape, format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _

from depesche.mailroom.pages.icons import icon

_MANY = 24  # more boxes than that scroll
_CLASSES: tuple[tuple[type[forms.Widget], str], ...] = (
    (forms.Textarea, "input textarea"),
    (forms.Select, "select"),
    (forms.NumberInput, "input short num"),
    (forms.ClearableFileInput, "file-input"),
    (forms.FileInput, "file-input"),
    (forms.widgets.Input, "input"),
)


def render_field(bound: BoundField, *, below: str = "", why: str = "", wide: bool = False) -> SafeString:
    """The whole field. `below` and `why` add to what the form says; plain strings are escaped."""
    if bound.is_hidden:
        return bound.as_widget()
    below_text = below or getattr(bound.field, "below", "")
    why_text = why or bound.help_text
    wide = wide or getattr(bound.field, "wide", False)
    ids = describing(bound, bool(why_text))
    # CheckboxSelectMultiple is a RadioSelect to Django.
    choice = isinstance(bound.field.widget, forms.RadioSelect)
    label_id = f"{bound.id_for_label or bound.auto_id}-label"
    parts = [
        format_html('<div class="label" id="{}">{}</div>', label_id, bound.label)
        if choice
        else SafeString("")
        if isinstance(bound.field.widget, forms.CheckboxInput)
        else format_html('<label class="label" for="{}">{}</label>', bound.id_for_label, bound.label),
        errors_of(bound),
        format_html(
            '<div class="control">{}{}</div>',
            render_control(bound, described_by=ids),
            format_html('<div class="below">{}</div>', below_text) if below_text else "",
        ),
    ]
    if why_text:
        why_part = format_html('<div class="why" id="{}">{}</div>', _why_id(bound), paragraphs(why_text))
        parts.insert(1 if wide else len(parts), why_part)
    return format_html(
        '<div class="field{}{}"{}{}>{}</div>',
        " wide" if wide else "",
        " tick" if isinstance(bound.field.widget, forms.CheckboxInput) else "",
        SafeString(" data-invalid") if bound.errors else "",
        format_html(
            ' role="{}" aria-labelledby="{}"{}',
            "group" if isinstance(bound.field.widget, forms.CheckboxSelectMultiple) else "radiogroup",
            label_id,
            format_html(' aria-describedby="{}"', ids) if ids else "",
        )
        if choice
        else "",
        mark_safe("".join(parts)),  # noqa: S308  each part was escaped above
    )


def render_control(bound: BoundField, *, described_by: str | None = None) -> SafeString:
    """The control alone, with its class and its ties to error and explanation."""
    widget = bound.field.widget
    ids = describing(bound, bool(bound.help_text)) if described_by is None else described_by
    if isinstance(widget, forms.CheckboxInput):
        return format_html(
            '<label class="check">{}<b>{}</b></label>', bound.as_widget(attrs=_ties(bound, ids)), bound.label
        )
    if isinstance(widget, forms.RadioSelect):
        return _choices(bound)
    attrs = _ties(bound, ids)
    css = next((name for kind, name in _CLASSES if isinstance(widget, kind)), "input")
    attrs["class"] = f"{css} {widget.attrs.get('class', '')}".strip()
    return bound.as_widget(attrs=attrs)


def errors_of(bound: BoundField) -> SafeString:
    """The field's errors, each with its sign; empty without one."""
    if not bound.errors:
        return SafeString("")
    return format_html(
        '<div class="field-error" id="{}">{}<span>{}</span></div>',
        _error_id(bound),
        icon("fail"),
        format_html_join(mark_safe("<br>"), "{}", ((error,) for error in bound.errors)),
    )


def render_errors(form: forms.BaseForm, kept: str = "") -> SafeString:
    """The summary above a form that was not saved: how many fields, one link each. Takes the focus."""
    if not form.is_bound or not form.errors:
        return SafeString("")
    fields = [bound for bound in form if bound.errors]
    links = format_html_join(
        "",
        '<li><a href="#{}">{}: {}</a></li>',
        ((_target(bound), bound.label, " ".join(map(str, bound.errors))) for bound in fields),
    )
    whole = format_html_join("", "<li>{}</li>", ((error,) for error in form.non_field_errors()))
    if fields:
        count = len(fields)
        heading = (
            _("Not saved: one field needs a correction")
            if count == 1
            else _("Not saved: %(count)d fields need a correction") % {"count": count}
        )
    else:
        heading = _("Not saved")
    return format_html(
        '<section class="errors" tabindex="-1" data-focus aria-labelledby="errors-h">'
        '<h2 id="errors-h">{}</h2><ul>{}{}</ul>{}</section>',
        heading,
        whole,
        links,
        format_html("<p>{}</p>", kept) if kept else "",
    )


def paragraphs(text: Any) -> SafeString:
    """Text as paragraphs, parted at blank lines; markup of safe strings stays."""
    written = conditional_escape(text)
    if "<p>" in written and isinstance(text, SafeString):
        return written
    pieces = (piece.strip() for piece in str(written).split("\n\n"))
    return mark_safe("".join(f"<p>{piece}</p>" for piece in pieces if piece))  # noqa: S308  escaped above


def _choices(bound: BoundField) -> SafeString:
    consequences: Mapping[str, Any] = getattr(bound.field, "consequences", {})
    rows = []
    for widget in bound:
        value = str(widget.data["value"])
        sentence = consequences.get(value, "")
        rows.append(
            format_html(
                '<label class="choice" for="{}">{}<b>{}</b>{}</label>',
                widget.id_for_label,
                widget.tag(),  # with whatever attributes the form gave its widget
                widget.choice_label,
                format_html("<span>{}</span>", sentence) if sentence else "",
            )
        )
    layout = ""
    if isinstance(bound.field.widget, forms.CheckboxSelectMultiple):
        layout = " boxes many" if len(rows) > _MANY else " boxes"
    elif len(rows) == 2 and getattr(bound.field, "wide", False):
        layout = " two"
    return format_html(
        '<div class="choices{}">{}</div>',
        layout,
        mark_safe("".join(rows)),  # noqa: S308  each row was escaped above
    )


def _ties(bound: BoundField, ids: str) -> dict[str, Any]:
    attrs: dict[str, Any] = {}
    if ids:
        attrs["aria-describedby"] = ids
    if bound.errors:
        attrs["aria-invalid"] = "true"
    return attrs


def describing(bound: BoundField, has_why: bool) -> str:
    """The ids of what describes the control: its error, its explanation."""
    names = []
    if bound.errors:
        names.append(_error_id(bound))
    if has_why:
        names.append(_why_id(bound))
    return " ".join(names)


def _target(bound: BoundField) -> str:
    if isinstance(bound.field.widget, forms.RadioSelect):
        return f"{bound.auto_id}_0"
    return escape(bound.id_for_label)


def _error_id(bound: BoundField) -> str:
    return f"{bound.auto_id}-error"


def _why_id(bound: BoundField) -> str:
    return f"{bound.auto_id}-why"
