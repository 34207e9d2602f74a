"""Reading people."""

from __future__ import annotations

from collections.abc import Iterable

from django.db.models import Q, QuerySet

from depesche.mailformat.addresses import Address, AddressError
from depesche.tracker.accounts.models import Person, VerifiedAddress


def person(person_id: int) -> Person | None:
    return Person.objects.filter(pk=person_id).first()


def find_person(email: str) -> Person | None:
    """Who signs in with this address, without regard to case; inactive people too, guests never."""
    address = _parsed(email)
    people = Person.objects.filter(is_guest=False)
    return people.filter(email__iexact=address.addr_spec).first() if address else None


def person_by_address(email: str) -> Person | None:
    """Whose verified address this is, a guest's too; inactive people too, since their mail must be
    refused, not taken for new."""
    address = _parsed(email)
    if address is None:
        return None
    row = VerifiedAddress.objects.filter(address=address.key).select_related("person").first()
    return row.person if row else None


def owns_address(person_id: int, email: str) -> bool:
    """Whether the address is among the person's verified ones."""
    address = _parsed(email)
    return (
        address is not None
        and VerifiedAddress.objects.filter(person_id=person_id, address=address.key).exists()
    )


def verified_addresses(person: Person) -> list[str]:
    return list(
        VerifiedAddress.objects.filter(person=person)
        .order_by("verified_at", "id")
        .values_list("address", flat=True)
    )


def people(text: str = "", *, inactive: bool = False, guests: bool = False) -> QuerySet[Person]:
    """People by name, those whose name or address contains `text`; with `inactive` all of them; `guests`:
    those instead."""
    rows = Person.objects.filter(is_guest=guests).order_by("name", "id")
    if not inactive:
        rows = rows.filter(is_active=True)
    text = text.strip()
    return rows.filter(Q(name__icontains=text) | Q(email__icontains=text)) if text else rows


def names(person_ids: Iterable[int]) -> dict[int, str]:
    """Names by id, in one query."""
    return dict(Person.objects.filter(pk__in=set(person_ids)).values_list("pk", "name"))


def _parsed(email: str) -> Address | None:
    try:
        return Address("", email.strip())
    except AddressError:
        return None
