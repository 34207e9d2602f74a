"""Learnt sender rules and the identities of workspaces: reading and writing them (M4, M13).

Each change raises the revision of the outgoing settings, so that all workers use it within a second.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import F
from django.utils.translation import gettext as _

from depesche.mailroom.connections import queries, validation
from depesche.mailroom.connections.choices import Auth
from depesche.mailroom.connections.history.models import Act, Area
from depesche.mailroom.connections.history.recording import differences, record
from depesche.mailroom.connections.models import OutgoingConnection, SenderIdentity, SenderRule
from depesche.mailroom.connections.queries import OutgoingSettings
from depesche.mailroom.connections.sender_policy import Identity, Refused

MOST_RULES = 1000  # domains for one server: more are not a rule but somebody who plays with addresses
_MOST_WORDS = 1000


@dataclass(frozen=True)
class SenderRuleRow:
    """A learnt rule, as pages and commands show it."""

    id: int
    host: str
    login: str
    domain: str
    address: str
    cause: str
    stage: str
    reply: str
    learnt_at: datetime
    seen: bool


@dataclass(frozen=True)
class SenderFacts:
    """What the sender policy must know beside the settings, for one server: domains it refuses as From, and
    the identities by scope.
    """

    refused: frozenset[str] = frozenset()
    identities: Mapping[str, Identity] | None = None


# --- reading


def login_of(settings: OutgoingSettings) -> str:
    """The user name that the server sees; "" without a login."""
    if settings.auth == Auth.SAME_AS_MAILBOX:
        return queries.incoming().username
    return settings.username if settings.auth in (Auth.PASSWORD, Auth.OAUTH2) else ""


def facts_for(settings: OutgoingSettings) -> SenderFacts:
    """What holds for the server of these settings and the login that it sees."""
    rules = SenderRule.objects.filter(host=settings.host.lower(), login=login_of(settings))
    identities = {
        row.scope: Identity(row.address, row.name)
        for row in SenderIdentity.objects.all()
        if row.address or row.name
    }
    return SenderFacts(frozenset(rules.values_list("domain", flat=True)), identities or None)


def rules(settings: OutgoingSettings | None = None, *, unseen: bool = False) -> list[SenderRuleRow]:
    """Learnt rules, the newest first: those that hold for these settings, or all; `unseen`: those that no
    administrator has taken note of.
    """
    found = SenderRule.objects.order_by("-learnt_at", "-pk")
    if settings is not None:
        found = found.filter(host=settings.host.lower(), login=login_of(settings))
    if unseen:
        found = found.filter(seen_at=None)
    return [
        SenderRuleRow(
            id=row.pk,
            host=row.host,
            login=row.login,
            domain=row.domain,
            address=row.address,
            cause=row.cause,
            stage=row.stage,
            reply=row.reply,
            learnt_at=row.learnt_at,
            seen=row.seen_at is not None,
        )
        for row in found
    ]


def identity(scope: str) -> Identity:
    """The identity of this scope; an empty one while it has none."""
    row = SenderIdentity.objects.filter(scope=scope).first()
    return Identity(row.address, row.name) if row is not None else Identity()


# --- writing


def learn(settings: OutgoingSettings, refused: Refused, *, now: datetime) -> bool:
    """The server of these settings refused this From and accepted the mail with the system address in its
    place. False where that is known already.
    """
    host, login = settings.host.lower(), login_of(settings)
    known = SenderRule.objects.filter(host=host, login=login)
    if not refused.domain or known.filter(domain=refused.domain).exists() or known.count() >= MOST_RULES:
        return False
    with transaction.atomic():
        _row, made = SenderRule.objects.get_or_create(
            host=host,
            login=login,
            domain=refused.domain[:255],
            defaults={
                "address": refused.address[:254],
                "cause": refused.cause[:40],
                "stage": refused.stage[:20],
                "reply": refused.reply[:_MOST_WORDS],
                "learnt_at": now,
            },
        )
        if made:
            record(Area.SENDERS, Act.LEARNT, subject=f"{refused.domain}, {host}", now=now)
            _changed()
    return made


def note_seen(*, now: datetime) -> int:
    """An administrator has taken note of all rules there are: they are no alarm any more."""
    return SenderRule.objects.filter(seen_at=None).update(seen_at=now)


def revoke(rule_id: int, *, by: Any = None) -> SenderRuleRow | None:
    """Try that From again from now on; the rule that was taken away, None when there is none with this id."""
    with transaction.atomic():
        found = next((row for row in rules() if row.id == rule_id), None)
        if found is None or not SenderRule.objects.filter(pk=rule_id).delete()[0]:
            return None
        record(Area.SENDERS, Act.REVOKED, by=by, subject=f"{found.domain}, {found.host}")
        _changed()
    return found


def save_identity(scope: str, *, address: str = "", name: str = "", by: Any = None) -> Identity:
    """Set the identity of a scope; both empty: it has none any more. Raises ValidationError by field."""
    errors: dict[str, list[str]] = {}
    values = {}
    for field, check, text in (("address", validation.address, address), ("name", validation.name, name)):
        try:
            values[field] = check(text.strip())
        except ValidationError as error:
            errors[field] = list(error.messages)
    if len(values.get("name", "")) > 120:
        errors["name"] = [_("A name has at most 120 characters.")]
    if errors:
        raise ValidationError(errors)
    wanted = Identity(values["address"], values["name"])
    with transaction.atomic():
        before = identity(scope)
        if before != wanted:
            changes = differences(asdict(before), asdict(wanted))
            record(Area.SENDERS, Act.CHANGED, by=by, subject=scope, changes=changes)
            if wanted == Identity():
                SenderIdentity.objects.filter(scope=scope).delete()
            else:
                person = by if by is not None and by.is_authenticated else None
                SenderIdentity.objects.update_or_create(
                    scope=scope,
                    defaults={"address": wanted.address, "name": wanted.name, "updated_by": person},
                )
            _changed()
    return wanted


def _changed() -> None:
    OutgoingConnection.objects.update(revision=F("revision") + 1)
