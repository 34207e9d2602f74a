"""The only writers of the watch's settings and of what it remembers beside occurrences.py."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _

from depesche.mailroom.connections import actions as connections
from depesche.mailroom.connections import alarms, identity, secrets
from depesche.mailroom.connections.actions import InvalidSettings, Person
from depesche.mailroom.connections.history.models import Act, Area
from depesche.mailroom.connections.history.recording import differences, record, secret_change
from depesche.mailroom.connections.secrets import Secret
from depesche.mailroom.connections.validation import on_off
from depesche.mailroom.connections.watching import queries, webhook
from depesche.mailroom.connections.watching.forms import AlarmForm, alarm_values
from depesche.mailroom.connections.watching.models import AlarmSettings, WaitingSample, WatchLease
from depesche.mailroom.connections.watching.queries import AlarmWays

LEASE = timedelta(seconds=60)
_SAMPLES_KEPT = timedelta(days=1)


def save_alarm_ways(
    values: Mapping[str, Any],
    *,
    by: Person = None,
    clear_webhook: bool = False,
    clear_secret: bool = False,
) -> AlarmWays:
    """Save some or all settings by the keys of `depesche alarms set`; the others stay. Raises
    InvalidSettings.

    An empty webhook or secret keeps the stored one; `clear_webhook` and `clear_secret` delete it.
    """
    known = alarm_values(queries.alarm_ways())
    unknown = {key: [_("There is no such setting.")] for key in values if key not in AlarmForm.base_fields}
    switches: dict[str, Any] = {}
    for key in ("mail", "silence"):
        if isinstance(values.get(key), str):
            try:
                switches[key] = on_off(values[key])
            except ValidationError as error:
                unknown[key] = error.messages
    if unknown:
        raise InvalidSettings(unknown)
    form = AlarmForm({**known, **values, **switches}, ways=queries.alarm_ways())
    return save_alarm_form(form, by=by, clear_webhook=clear_webhook, clear_secret=clear_secret)


def save_alarm_form(
    form: AlarmForm, *, by: Person = None, clear_webhook: bool = False, clear_secret: bool = False
) -> AlarmWays:
    """Save what stands in the form. Raises InvalidSettings."""
    connections.refuse_invalid(form)
    wanted, now = form.cleaned_data, timezone.now()
    with transaction.atomic():
        row = AlarmSettings.objects.select_for_update().order_by("pk").first() or AlarmSettings()
        before = queries.alarm_ways_of(row)
        for name in ("level", "patience", "language", "mail", "late", "failed_per_day", "silence"):
            setattr(row, name, wanted[name])
        row.mail_to = "\n".join(wanted["mail_to"])
        if clear_webhook:
            row.webhook_encrypted, row.webhook_host, row.webhook_set_at = None, "", None
        if clear_secret:
            row.secret_encrypted, row.secret_set_at = None, None
        if address := wanted["webhook"]:
            row.webhook_encrypted = secrets.encrypt(address)
            row.webhook_host = webhook.target(address.reveal()).shown
            row.webhook_set_at = now
        if secret := wanted["secret"]:
            row.secret_encrypted, row.secret_set_at = secrets.encrypt(secret), now
        row.updated_by = connections.person(by)
        row.save()
        after = queries.alarm_ways_of(row)
        changes = [
            *differences(alarm_values(before), alarm_values(after)),
            *secret_change(
                "webhook",
                had=bool(before.webhook_host),
                has=bool(after.webhook_host),
                typed=bool(wanted["webhook"]),
            ),
            *secret_change(
                "secret", had=before.has_secret, has=after.has_secret, typed=bool(wanted["secret"])
            ),
        ]
        if changes:
            record(Area.ALARMS, Act.CHANGED, by=by, changes=changes)
    alarms.forget()
    return after


def webhook_of(form: AlarmForm | None = None) -> tuple[webhook.Target, Secret | None] | None:
    """Where the webhook leads and what it is signed with: as typed in a valid form, else as stored; None
    where there is none."""
    row = AlarmSettings.objects.order_by("pk").first()
    address = form.cleaned_data["webhook"] if form is not None else None
    secret = form.cleaned_data["secret"] if form is not None else None
    if not address and row is not None and row.webhook_encrypted is not None:
        address = secrets.decrypt(row.webhook_encrypted)
    if not secret and row is not None and row.secret_encrypted is not None:
        secret = secrets.decrypt(row.secret_encrypted)
    return (webhook.target(address.reveal()), secret or None) if address else None


def take_watch(owner: str, *, now: datetime) -> bool:
    """Whether this process watches for all until LEASE is over; a dead one's watch is taken over at once."""
    row, _made = WatchLease.objects.get_or_create(pk=1)
    free = Q(owner=owner) | Q(until=None) | Q(until__lt=now)
    if row.owner and identity.dead_among([row.owner]):
        free |= Q(owner=row.owner)
    return bool(WatchLease.objects.filter(free, pk=1).update(owner=owner, until=now + LEASE))


def leave_watch(owner: str) -> None:
    """Let another one watch."""
    WatchLease.objects.filter(pk=1, owner=owner).update(owner="", until=None)


def note_waiting(count: Callable[[], int | None], *, now: datetime) -> None:
    """Write down how many mails wait, once a minute. `count` gives None where there is no outbox."""
    at = now.replace(second=0, microsecond=0)
    if WaitingSample.objects.filter(at=at).exists():
        return
    waiting = count()
    if waiting is not None:
        WaitingSample.objects.get_or_create(at=at, defaults={"waiting": waiting})
        WaitingSample.objects.filter(at__lt=now - _SAMPLES_KEPT).delete()
