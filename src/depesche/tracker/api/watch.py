"""What goes on by itself around the mail: alarms, domain, failover, history of the settings. For
administrators; nothing here asks another machine.
"""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from django.core.exceptions import ValidationError
from django.http import HttpRequest
from django.utils import timezone
from ninja import Router

from depesche.mailroom.connections import actions as connection_actions
from depesche.mailroom.connections import alarms as watched
from depesche.mailroom.connections import queries as connections
from depesche.mailroom.connections.actions import InvalidSettings
from depesche.mailroom.connections.domain import looking
from depesche.mailroom.connections.domain.representation import advice_shown
from depesche.mailroom.connections.failover import PLACE
from depesche.mailroom.connections.history import queries as history
from depesche.mailroom.connections.history.models import Area
from depesche.mailroom.connections.history.representation import change_shown
from depesche.mailroom.connections.representation import failover_shown
from depesche.mailroom.connections.watching import queries as watching
from depesche.mailroom.connections.watching.representation import alarm_shown, occurrence_shown
from depesche.tracker.api import schemas
from depesche.tracker.api.access import AdministratorsBearer, caller

router = Router(tags=["mail"], auth=AdministratorsBearer())
_FAULTS = schemas.FAULTS


@router.get("/connection/failover", response={200: dict[str, Any], **_FAULTS})
def failover(request: HttpRequest) -> Any:
    """What the failover has of its own, by the keys of `connection set`, never a secret; and its health."""
    health = connections.health(PLACE)
    shown = dict(failover_shown(connections.stored_outgoing(PLACE)))
    return shown | {"flow": health.flow.value, "cause": health.cause, "reply": health.reply}


@router.patch("/connection/failover", response={200: dict[str, Any], **_FAULTS})
def change_failover(request: HttpRequest, body: schemas.ConnectionChange) -> Any:
    """Some or all of its settings; the others stay. An empty host switches it off. The password is written,
    never read."""
    try:
        settings = connection_actions.save_outgoing(
            schemas.plain(body.values),
            by=caller(request),
            password=body.password,
            clear_password=body.clear_password,
            place=PLACE,
        )
    except InvalidSettings as error:
        raise ValidationError({key: list(words) for key, words in error.errors.items()}) from None
    return dict(failover_shown(settings))


@router.get("/alarms", response={200: list[schemas.AlarmOut], **_FAULTS})
def alarms(request: HttpRequest) -> Any:
    """What is wrong now."""
    return [alarm_shown(one) for one in watched.current(timezone.now())]


@router.get("/alarms/past", response={200: list[schemas.OccurrenceOut], **_FAULTS})
def past_alarms(request: HttpRequest, limit: schemas.Limit = 50) -> Any:
    """What was wrong lately or still is, the newest first, and who was told."""
    return [occurrence_shown(one) for one in watching.occurrences(limit)]


@router.get("/domain", response={200: schemas.DomainOut, **_FAULTS})
def domain(request: HttpRequest) -> Any:
    """What the name service said of the domain of the system address when it was asked last, and what to
    add. The worker asks it, and the page; this does not."""
    known = looking.view()
    return {
        "domain": known.domain,
        "looked_at": known.looked_at,
        "advice": advice_shown(known.advice) if known.advice is not None else None,
        "people": [asdict(opinion) | {"people": count} for opinion, count in known.people],
    }


@router.get("/history", response={200: list[schemas.ChangeOut], **_FAULTS})
def changes(
    request: HttpRequest,
    area: Area | None = None,
    before: schemas.Id | None = None,
    limit: schemas.Limit = 50,
) -> Any:
    """Who changed what of the settings, the newest first; `before` continues behind the last id of the page
    before. Of secrets only that they changed."""
    rows = history.changes(area.value if area else "", before=before, limit=limit)
    return [{**change_shown(row), "changes": [asdict(one) for one in row.differences]} for row in rows]
