"""The people of whatever project this is: any user model with `is_active` and `is_staff`, which need not be
columns, and perhaps an address.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import Any

from django.contrib.auth import get_user_model


def active_people(*, staff: bool = False, most: int | None = None) -> Iterator[Any]:
    """Everybody whose account is in use, by id; `most` of them. `staff`: only administrators."""
    model = get_user_model()
    wanted = ["is_active", "is_staff"] if staff else ["is_active"]
    columns = {field.attname for field in model._meta.concrete_fields}
    everybody = model._default_manager.filter(**{name: True for name in wanted if name in columns})
    found = everybody.order_by("pk").iterator()
    return islice((one for one in found if all(getattr(one, name, True) for name in wanted)), most)


def address_of(person: Any) -> str:
    """Their e-mail address; "" where they have none or the user model knows none."""
    return str(getattr(person, person.get_email_field_name(), "") or "")
