"""The only writers of people and of the addresses that are theirs.

What a person types wrongly comes back as Django's ValidationError, keyed by field, in the language in force:
a form shows it at its field, a command prints it.
"""

from __future__ import annotations

from datetime import datetime
from typing import Final

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.db.models import F
from django.utils import timezone
from django.utils.translation import gettext as _

from depesche.mailformat.addresses import Address, AddressError
from depesche.mailformat.characters import clean_name
from depesche.mailroom.outbox import actions as outbox_actions
from depesche.mailroom.outbox import queries as outbox
from depesche.mailroom.outbox.states import State
from depesche.tracker.accounts import mails, queries
from depesche.tracker.accounts.models import Person, VerifiedAddress

MAX_NAME: Final = 120
_LANGUAGES: Final = frozenset(Person.Language.values)


def create_person(
    email: str,
    name: str,
    *,
    language: str = "en",
    is_admin: bool = False,
    password: str | None = None,
    now: datetime | None = None,
) -> Person:
    """A new person, whose address counts as verified for answers by mail. A guest of this address becomes
    that person, and what they wrote stays theirs.

    Without a password they get the welcome mail, whose link lets them set one. Raises ValidationError.
    """
    now = now or timezone.now()
    address = _address(email)
    fields = {"name": _name(name), "language": _language(language), "is_admin": is_admin, "created_at": now}
    person = _guest_with(address) or Person(email=address.addr_spec)
    was_guest = person.is_guest
    person.is_guest = False
    for field, value in fields.items():
        setattr(person, field, value)
    if password is None:
        person.set_unusable_password()
    else:
        _check_password(password, person)
        person.set_password(password)
    try:
        with transaction.atomic():
            if not was_guest:
                if VerifiedAddress.objects.filter(address=address.key).exists():
                    raise ValidationError({"email": _taken(address)})
                person.save(force_insert=True)
                VerifiedAddress.objects.create(person=person, address=address.key, verified_at=now)
            else:
                person.save()
            if password is None:
                mails.welcome(person)
    except IntegrityError:
        raise ValidationError({"email": _taken(address)}) from None
    return person


def guest(address: Address, *, language: str, now: datetime) -> Person:
    """Who writes from this address: the person or guest that it belongs to, else a new guest, who has no
    sign-in and is a member of nothing. Raises ValidationError for an address that is too long."""
    address = Address(address.display_name, _address(address.addr_spec).addr_spec)
    known = queries.person_by_address(address.addr_spec)
    if known is not None:
        return known
    name = " ".join(clean_name(address.display_name).split())[:MAX_NAME] or address.addr_spec[:MAX_NAME]
    person = Person(
        email=address.addr_spec, name=name, language=_language(language), is_guest=True, created_at=now
    )
    person.set_unusable_password()
    try:
        with transaction.atomic():
            person.save(force_insert=True)
            VerifiedAddress.objects.create(person=person, address=address.key, verified_at=now)
    except IntegrityError:  # two mails of theirs at the same moment
        return VerifiedAddress.objects.select_related("person").get(address=address.key).person
    return person


def _guest_with(address: Address) -> Person | None:
    return Person.objects.filter(
        is_guest=True, email__iexact=address.addr_spec, verified_addresses__address=address.key
    ).first()


def change_person(
    person: Person,
    *,
    name: str | None = None,
    language: str | None = None,
    is_admin: bool | None = None,
    only_account_mails: bool | None = None,
) -> Person:
    """Change what is given; None leaves it as it is. Raises ValidationError."""
    if name is not None:
        person.name = _name(name)
    if language is not None:
        person.language = _language(language)
    if is_admin is not None:
        if is_admin and person.is_guest:
            raise ValidationError(_("A guest has no sign-in. Add a person with this address first."))
        person.is_admin = is_admin
    if only_account_mails is not None:
        person.only_account_mails = only_account_mails
    person.save(update_fields=["name", "language", "is_admin", "only_account_mails"])
    return person


def set_language(person: Person, language: str) -> None:
    """The language of the pages and of all mails to this person (M18)."""
    change_person(person, language=language)


def change_email(person: Person, email: str, *, now: datetime | None = None) -> Person:
    """Another address to sign in with and to write to; it replaces the old one among the verified ones.

    The caller answers for it that the address is the person's: an administrator, or a link that was mailed
    there. The old address hears of it. Raises ValidationError.
    """
    address, old = _address(email), person.email
    try:
        with transaction.atomic():
            VerifiedAddress.objects.filter(person=person, address=Address("", old).key).delete()
            VerifiedAddress.objects.create(
                person=person, address=address.key, verified_at=now or timezone.now()
            )
            person.email = address.addr_spec
            person.save(update_fields=["email"])
            if Address("", old).key != address.key:
                mails.address_changed(person, old)
    except IntegrityError:
        person.email = old
        raise ValidationError({"email": _taken(address)}) from None
    return person


def add_verified_address(person: Person, email: str, *, now: datetime | None = None) -> None:
    """A further address that the person writes from. The caller answers for it, as in `change_email`. A guest
    of this address writes in the person's name from now on; what the guest wrote stays the guest's."""
    address = _address(email)
    try:
        with transaction.atomic():
            VerifiedAddress.objects.filter(address=address.key, person__is_guest=True).exclude(
                person=person
            ).delete()
            VerifiedAddress.objects.create(
                person=person, address=address.key, verified_at=now or timezone.now()
            )
    except IntegrityError:
        if not VerifiedAddress.objects.filter(person=person, address=address.key).exists():
            raise ValidationError({"email": _taken(address)}) from None


def remove_verified_address(person: Person, email: str) -> None:
    """An address that is no longer the person's; the one they sign in with stays."""
    address = _address(email)
    if address.key == Address("", person.email).key:
        raise ValidationError({"email": _("This is the address that the person signs in with.")})
    VerifiedAddress.objects.filter(person=person, address=address.key).delete()


def set_password(person: Person, password: str, *, notify: bool = True) -> None:
    """A new password, chosen by the person. Ends their other sessions and every link to set one.

    `notify`: they hear of it by mail. Raises ValidationError with all that is wrong with the password.
    """
    _check_password(password, person)
    person.set_password(password)
    with transaction.atomic():
        person.save(update_fields=["password"])
        if notify and person.is_active:
            mails.password_changed(person)


def change_password(person: Person, *, old: str, new: str) -> None:
    """The same from the page of a signed-in person, who has to know the present one."""
    if not person.check_password(old):
        raise ValidationError({"old": _("This is not your present password.")})
    set_password(person, new)


def deactivate(person: Person) -> None:
    """No sign-in, no mail, no answer by mail; sessions and links end at once, mails that still wait are
    withdrawn. What they wrote stays."""
    with transaction.atomic():
        Person.objects.filter(pk=person.pk).update(is_active=False, session_epoch=F("session_epoch") + 1)
        outbox_actions.cancel(_waiting_mails(person))
    person.refresh_from_db(fields=["is_active", "session_epoch"])


def activate(person: Person) -> None:
    """The way back. Old sessions and links stay dead."""
    Person.objects.filter(pk=person.pk).update(is_active=True)
    person.refresh_from_db(fields=["is_active"])


def _waiting_mails(person: Person) -> list[int]:
    return [
        row.id
        for state in (State.QUEUED, State.DEFERRED, State.HELD, State.UNCERTAIN)
        for row in outbox.recipients(state, person.email, limit=1000)
        if row.recipient.casefold() == person.email.casefold()
    ]


def _address(email: str) -> Address:
    try:
        address = Address("", email.strip())
    except AddressError as error:
        raise ValidationError({"email": _(str(error))}) from None
    if len(address.addr_spec) > 254:  # RFC 5321 §4.5.3.1.3 less the angle brackets
        raise ValidationError({"email": _("This address is too long.")})
    return address


def _name(name: str) -> str:
    name = " ".join(clean_name(name).split())
    if not name:
        raise ValidationError({"name": _("Enter a name.")})
    if len(name) > MAX_NAME:
        raise ValidationError({"name": _("A name has at most %(number)d characters.") % {"number": MAX_NAME}})
    return name


def _language(language: str) -> str:
    if language not in _LANGUAGES:
        raise ValidationError({"language": _("Depesche speaks English (en) and German (de).")})
    return language


def _check_password(password: str, person: Person) -> None:
    try:
        validate_password(password, person)
    except ValidationError as error:
        raise ValidationError({"password": error.messages}) from None


def _taken(address: Address) -> str:
    return _("The address %(address)s already belongs to somebody.") % {"address": address.addr_spec}
