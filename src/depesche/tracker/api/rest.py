"""`/api/v1/`: the REST interface, with its description at `/api/v1/openapi.json`."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from ninja import NinjaAPI
from ninja.errors import AuthenticationError, HttpError
from ninja.errors import ValidationError as BodyError

from depesche.tracker.api import items, mail, watch
from depesche.tracker.api.access import Bearer

api = NinjaAPI(
    title="Depesche",
    version="1",
    description="Items and their mail. Make a token with `depesche token create EMAIL`.",
    auth=Bearer(),
    docs_url=None,
    urls_namespace="api-1",
)
api.add_router("", items.router)
api.add_router("", mail.router)
api.add_router("", watch.router)


def _problem(request: HttpRequest, status: int, detail: str, fields: dict[str, list[str]]) -> HttpResponse:
    return api.create_response(request, {"detail": detail, "fields": fields}, status=status)


@api.exception_handler(ValidationError)
def _refused(request: HttpRequest, error: Any) -> HttpResponse:
    """What an action refuses: its sentences, by field where they belong to one."""
    fields = error.message_dict if hasattr(error, "error_dict") else {}
    return _problem(request, 422, " ".join(error.messages), fields)


@api.exception_handler(BodyError)
def _not_understood(request: HttpRequest, error: Any) -> HttpResponse:
    """A body or parameter of the wrong form: which one, and why; never what was sent, it may be a secret."""
    fields: dict[str, list[str]] = {}
    for one in error.errors:
        place = ".".join(str(part) for part in one["loc"] if part not in ("body", "query", "path"))
        fields.setdefault(place, []).append(str(one["msg"]))
    return _problem(request, 422, "The request is not of the right form.", fields)


@api.exception_handler(AuthenticationError)
def _unknown(request: HttpRequest, error: Any) -> HttpResponse:
    answer = _problem(request, 401, "A valid token is missing: Authorization: Bearer …", {})
    answer["WWW-Authenticate"] = "Bearer"
    return answer


@api.exception_handler(HttpError)
def _other(request: HttpRequest, error: Any) -> HttpResponse:
    return _problem(request, error.status_code, str(error), {})
