"""What an action refused, put at the fields of a form."""

from __future__ import annotations

from django import forms
from django.core.exceptions import NON_FIELD_ERRORS, ValidationError


def add_refusal(form: forms.Form, refusal: ValidationError) -> None:
    """Show the refusal of an action at its fields; what the form has no field for stands above it."""
    if not hasattr(refusal, "error_dict"):
        form.add_error(None, refusal)
        return
    for name, messages in refusal.message_dict.items():
        for message in messages:
            form.add_error(name if name in form.fields and name != NON_FIELD_ERRORS else None, message)
