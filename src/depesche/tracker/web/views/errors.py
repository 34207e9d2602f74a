"""What an action refused, put at the fields of a form; and the page for what went wrong on our side."""

from __future__ import annotations

import sys

from django import forms
from django.core.exceptions import NON_FIELD_ERRORS, ValidationError
from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string


def add_refusal(form: forms.Form, refusal: ValidationError) -> None:
    """Show the refusal of an action at its fields; what the form has no field for stands above it."""
    if not hasattr(refusal, "error_dict"):
        form.add_error(None, refusal)
        return
    for name, messages in refusal.message_dict.items():
        for message in messages:
            form.add_error(name if name in form.fields and name != NON_FIELD_ERRORS else None, message)


def server_error(request: HttpRequest) -> HttpResponse:
    """The page for what went wrong on our side; a database that is away, locked or full has one of its own.

    Django calls this while the exception is being handled. Nothing here reads the database: it may be away.
    """
    away = isinstance(sys.exc_info()[1], OperationalError | InterfaceError)
    page = render_to_string("503.html" if away else "500.html")
    response = HttpResponse(page, status=503 if away else 500)
    if away:
        response.headers["Retry-After"] = "60"
    return response
