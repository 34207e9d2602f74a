"""Making, knowing and revoking API tokens."""

from __future__ import annotations

import hashlib
import secrets
from datetime import datetime, timedelta
from typing import Final

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from depesche.mailformat.characters import one_line
from depesche.tracker.accounts.models import Person
from depesche.tracker.api.models import ApiToken

PREFIX: Final = "depesche_"
"""By which scanners of other people's files recognise one."""

_USED_EVERY: Final = timedelta(minutes=1)  # a request does not write but so often


def create(person: Person, *, name: str = "") -> str:
    """A new token of this person: the only time that it is seen. Raises ValidationError for somebody who
    cannot sign in."""
    if not person.is_active or person.is_guest:
        raise ValidationError(_("%(name)s cannot sign in.") % {"name": person.name})
    token = PREFIX + secrets.token_urlsafe(32)
    ApiToken.objects.create(person=person, name=one_line(name)[:80], digest=_digest(token))
    return token


def person_of(token: str, *, now: datetime) -> Person | None:
    """Who acts with this token; None for an unknown one, and for somebody deactivated."""
    row = ApiToken.objects.select_related("person").filter(digest=_digest(token)).first()
    if row is None or not row.person.is_active or row.person.is_guest:
        return None
    if row.used_at is None or now - row.used_at > _USED_EVERY:
        ApiToken.objects.filter(pk=row.pk).update(used_at=now)
    return row.person


def revoke(token_id: int) -> bool:
    """Whether there was such a token; from now on nobody is let in by it."""
    return ApiToken.objects.filter(pk=token_id).delete()[0] > 0


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "replace")).hexdigest()
