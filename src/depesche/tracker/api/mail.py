"""Outbox, connection, and mail that comes in: for administrators."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import RequestDataTooBig, ValidationError
from django.http import HttpRequest
from django.utils import timezone
from ninja import Router, Status
from ninja.errors import HttpError

from depesche.mailroom.connections import access as connection_access
from depesche.mailroom.connections import actions as connection_actions
from depesche.mailroom.connections import queries as connections
from depesche.mailroom.connections import validation
from depesche.mailroom.connections.actions import InvalidSettings
from depesche.mailroom.connections.diagnosis.plan import learn, plan_test
from depesche.mailroom.connections.diagnosis.running import run
from depesche.mailroom.connections.oauth.queries import oauth
from depesche.mailroom.connections.representation import oauth_shown, shown
from depesche.mailroom.inbox import intake, processing
from depesche.mailroom.inbox.models import Outcome
from depesche.mailroom.outbox import actions as outbox_actions
from depesche.mailroom.outbox import queries as outbox
from depesche.mailroom.outbox.representation import as_json, more_of, stats_as_json, tries_of
from depesche.mailroom.outbox.states import State
from depesche.tracker.api import schemas
from depesche.tracker.api.access import AdministratorsBearer, caller, found

router = Router(tags=["mail"], auth=AdministratorsBearer())
_FAULTS = schemas.FAULTS | dict.fromkeys((409, 413, 415), schemas.Problem)
_LARGEST_ID = 2**63 - 1


# --- outbox -------------------------------------------------------------------------------------------------


@router.get("/outbox", response={200: list[schemas.RecipientOut], **_FAULTS})
def recipients(
    request: HttpRequest,
    state: State | None = None,
    search: str = "",
    before: schemas.Id | None = None,
    limit: schemas.Limit = 100,
) -> Any:
    """The newest first; `before` continues behind the last id of the page before."""
    rows = outbox.recipients(state.value if state else None, search[:200], before, limit)
    return [as_json(row) for row in rows]


@router.get("/outbox/stats", response={200: schemas.StatsOut, **_FAULTS})
def stats(request: HttpRequest) -> Any:
    return stats_as_json(outbox.stats(timezone.now()))


@router.get("/outbox/{int:recipient_id}", response={200: schemas.RecipientDetailOut, **_FAULTS})
def recipient(request: HttpRequest, recipient_id: int) -> Any:
    """One recipient with its attempts."""
    detail = found(outbox.recipient(_id(recipient_id)))
    return as_json(detail.row) | more_of(detail) | {"tries": tries_of(detail)}


@router.post("/outbox/{int:recipient_id}/retry", response={200: schemas.Changed, **_FAULTS})
def retry(request: HttpRequest, recipient_id: int) -> Any:
    """Try it again at once; 409 where its state does not permit that."""
    found(outbox.by_ids([_id(recipient_id)]).get(recipient_id))
    changed = outbox_actions.retry([recipient_id])
    if not changed:
        raise HttpError(409, "Its state does not permit another try.")
    return {"changed": changed}


# --- connection ---------------------------------------------------------------------------------------------


@router.get("/connection", response={200: dict[str, Any], **_FAULTS})
def connection(request: HttpRequest) -> Any:
    """The settings by their keys, never a secret, and whether mail flows."""
    health = connections.health()
    return _connection() | {"flow": health.flow.value, "cause": health.cause, "reply": health.reply}


@router.patch("/connection", response={200: dict[str, Any], **_FAULTS})
def change_connection(request: HttpRequest, body: schemas.ConnectionChange) -> Any:
    """Some or all settings by their keys; the others stay. The password is written, never read."""
    try:
        connection_actions.save_outgoing(
            schemas.plain(body.values),
            by=caller(request),
            password=body.password,
            clear_password=body.clear_password,
        )
    except InvalidSettings as error:
        raise ValidationError({key: list(words) for key, words in error.errors.items()}) from None
    return _connection()


@router.post("/connection/test", response={200: list[dict[str, Any]], **_FAULTS})
def test_connection(request: HttpRequest, body: schemas.ConnectionTest) -> Any:
    """Submit a test mail, and give all steps; may take a minute. Saves nothing."""
    try:
        to = validation.address(body.to)
    except ValidationError as error:
        raise ValidationError({"to": error.messages}) from None
    if not to:
        raise ValidationError({"to": ["Enter an e-mail address."]})
    try:
        form = connection_actions.outgoing_form(
            schemas.plain(body.values), password=body.password, for_test=True
        )
        if not form.is_valid():
            raise ValidationError({key: [str(word) for word in words] for key, words in form.errors.items()})
        plan = plan_test(form.as_settings(), to=to, user_address=to, password=form.cleaned_data["password"])
    except InvalidSettings as error:
        raise ValidationError({key: list(words) for key, words in error.errors.items()}) from None
    except connection_access.NotConfigured as error:
        raise HttpError(409, str(error)) from None
    steps = list(run(plan))
    learn(plan, steps, now=timezone.now())
    return [step.as_json() for step in steps]


# --- what comes in ------------------------------------------------------------------------------------------


@router.post(
    "/inbound",
    response={200: schemas.InboundOut, 202: schemas.InboundOut, **_FAULTS},
    openapi_extra={
        "requestBody": {
            "required": True,
            "content": {"message/rfc822": {"schema": {"type": "string", "format": "binary"}}},
        }
    },
)
def inbound(request: HttpRequest, recipient: str = "", sender: str | None = None) -> Any:
    """Take one raw mail (message/rfc822), as `inbox receive` does. It is stored durably before anything is
    answered: 200 with what became of it, 202 where that is decided later."""
    if request.content_type != "message/rfc822":
        raise HttpError(415, "Send the mail itself, as message/rfc822.")
    try:
        raw = request.body
    except RequestDataTooBig:
        raise HttpError(413, "The mail is larger than is taken here.") from None
    if not raw.strip():
        raise ValidationError({"body": ["There is no mail in the body."]})
    if "\0" in recipient + (sender or ""):
        raise ValidationError({"recipient": ["An address has no NUL."]})
    stored = intake.store(
        raw,
        source="rest",
        envelope_sender=sender,
        envelope_recipient=recipient,
        claim=True,
        now=timezone.now(),
    )
    handled = processing.process(stored.id, claim=stored.claim)
    outcome = str(handled.outcome) or Outcome.WAITING.value
    body = {
        "id": stored.id,
        "outcome": outcome,
        "reason": str(handled.reason),
        "item": handled.item or None,
        "comment": handled.comment,
        "text": handled.text,
    }
    return Status(202 if outcome == Outcome.WAITING.value else 200, body)


def _connection() -> dict[str, Any]:
    return dict(shown(connections.outgoing())) | dict(oauth_shown(oauth()))


def _id(number: int) -> int:
    return number if 0 < number <= _LARGEST_ID else 0
