"""Links to set a password. A link dies with its first use, with a day's age, with deactivation."""

from __future__ import annotations

from django.contrib.auth.tokens import PasswordResetTokenGenerator
from django.utils.http import urlsafe_base64_decode, urlsafe_base64_encode

from depesche.tracker.accounts.models import Person


class _Links(PasswordResetTokenGenerator):
    key_salt = "depesche.tracker.accounts.tokens"

    def _make_hash_value(self, user: Person, timestamp: int) -> str:
        # Django binds the link to password, last sign-in and address; this one to the deactivations as well.
        return f"{super()._make_hash_value(user, timestamp)}:{user.session_epoch}:{user.is_active}"


_links = _Links()


def link_parts(person: Person) -> tuple[str, str]:
    """(uid, token) for the address of the page where the person sets a password."""
    return urlsafe_base64_encode(str(person.pk).encode("ascii")), _links.make_token(person)


def person_of_link(uid: str, token: str) -> Person | None:
    """Who may set a password with this link; None when it is wrong, used, too old, or the person
    deactivated."""
    try:
        person_id = int(urlsafe_base64_decode(uid))
        person = Person.objects.get(pk=person_id, is_active=True, is_guest=False)
    except (ValueError, OverflowError, Person.DoesNotExist):
        return None
    return person if _links.check_token(person, token) else None
