"""Who asks, and what they may: a bearer token stands for a person, and the person's rights hold."""

from __future__ import annotations

from typing import NoReturn, TypeVar

from django.http import HttpRequest
from django.utils import timezone, translation
from ninja.errors import HttpError
from ninja.security import HttpBearer

from depesche.tracker.accounts.models import Person
from depesche.tracker.api import tokens

Found = TypeVar("Found")


class Bearer(HttpBearer):
    """`Authorization: Bearer depesche_…`. Cookies count for nothing here, so no page can act by them."""

    def authenticate(self, request: HttpRequest, token: str) -> Person | None:
        person = tokens.person_of(token, now=timezone.now())
        if person is not None:
            translation.activate(person.language)  # what is refused is said in their language
        return person


class AdministratorsBearer(Bearer):
    """The same, for what only administrators may see and do: others get 403."""

    def authenticate(self, request: HttpRequest, token: str) -> Person | None:
        person = super().authenticate(request, token)
        if person is not None and not person.is_admin:
            raise HttpError(403, "This is for administrators.")
        return person


def caller(request: HttpRequest) -> Person:
    """Who asks: what `Bearer` found."""
    person = getattr(request, "auth", None)
    assert isinstance(person, Person)
    return person


def found(value: Found | None) -> Found:
    """404 for what does not exist, and for what the caller may not know of."""
    if value is None:
        not_found()
    return value


def not_found() -> NoReturn:
    raise HttpError(404, "There is no such thing.")
