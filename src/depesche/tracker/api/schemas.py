"""What the interface takes and gives."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any, Literal

from ninja import Schema
from pydantic import ConfigDict, Field

Text = Annotated[str, Field(max_length=200_000)]
Limit = Annotated[int, Field(ge=1, le=200)]
Offset = Annotated[int, Field(ge=0, le=1_000_000)]
Id = Annotated[int, Field(ge=1, le=2**63 - 1)]
Email = Annotated[str, Field(max_length=254)]


class Strict(Schema):
    """A body: a field that does not exist is a mistake to be told, not to be ignored."""

    model_config = ConfigDict(extra="forbid")


class Problem(Schema):
    """What was wrong. `fields`: sentences by field, where it was one."""

    detail: str
    fields: dict[str, list[str]] = {}


FAULTS = dict.fromkeys((400, 401, 403, 404, 422), Problem)
"""What every operation may answer."""


class WorkspaceOut(Schema):
    key: str
    name: str


class WorkspaceIn(Strict):
    name: str
    key: str = ""
    members: list[Email] = []


class FileOut(Schema):
    filename: str
    content_type: str
    size: int


class CommentOut(Schema):
    id: int
    author: str
    author_name: str
    text: str
    cut: str
    via: str
    how_known: str
    attachments: list[FileOut]
    at: datetime


class CommentIn(Strict):
    text: Text


class WatcherOut(Schema):
    person: str
    kind: str


class WatcherIn(Strict):
    kind: Literal["informed", "consulted", "muted"] = "informed"


class ItemRow(Schema):
    id: int
    key: str
    workspace: str
    title: str
    state: str
    priority: int
    author: str
    responsible: str | None
    manager: str | None
    due: date | None
    created_at: datetime
    updated_at: datetime


class ItemOut(ItemRow):
    description: str
    how_known: str
    watchers: list[WatcherOut]
    attachments: list[FileOut]
    comments: list[CommentOut]


class ItemIn(Strict):
    workspace: str
    title: str
    description: Text = ""
    priority: int = 2
    responsible: Email | None = None
    manager: Email | None = None
    watchers: list[Email] = []
    due: date | None = None


class ItemChange(Strict):
    """Fields that are left out stay as they are; null takes somebody or a date away."""

    title: str | None = None
    description: Text | None = None
    state: str | None = None
    priority: int | None = None
    responsible: Email | None = None
    manager: Email | None = None
    due: date | None = None


class RecipientOut(Schema):
    id: int
    message_id: str
    recipient: str
    category: str
    state: str
    attempts: int
    next_attempt_at: datetime | None
    reply: str
    item: str
    stage: str
    subject: str
    created_at: datetime
    updated_at: datetime
    accepted_at: datetime | None


class TryOut(Schema):
    number: int
    started_at: datetime | None
    ended_at: datetime
    outcome: str
    stage: str
    reply: str


class RecipientDetailOut(RecipientOut):
    sender: str
    author: str
    size: int
    charset: str
    fell_back: bool
    sensitive: bool
    erased: bool
    expires_at: datetime | None
    gives_up_at: datetime | None
    tries: list[TryOut]


class StatsOut(Schema):
    states: dict[str, int]
    remaining: int
    rate: float
    finished_at: datetime | None
    workers: int
    slots_used: int
    failover_slots_used: int
    connection_in_use: str
    oldest_due_at: datetime | None


class Changed(Schema):
    changed: int


Scalar = str | int | bool | None


def plain(values: dict[str, Scalar]) -> dict[str, str]:
    """Values as they would be typed."""
    words = {True: "on", False: "off"}
    return {
        key: words[value] if isinstance(value, bool) else "" if value is None else str(value)
        for key, value in values.items()
    }


class ConnectionChange(Strict):
    """Values by the keys of `connection set`. The password is write-only."""

    values: dict[str, Scalar] = {}
    password: str | None = None
    clear_password: bool = False


class ConnectionTest(Strict):
    """Who gets the test mail, and values to test in place of the saved ones; nothing is saved."""

    to: Email
    values: dict[str, Scalar] = {}
    password: str | None = None


class InboundOut(Schema):
    """What became of a mail, as `inbox receive --json` says it. `waiting`: stored, and processed later."""

    id: int
    outcome: str
    reason: str
    item: str | None
    comment: int | None
    text: str


class AlarmOut(Schema):
    """What is wrong now, as `alarms list` says it."""

    level: str
    code: str
    since: datetime | None
    what: str
    why: str
    remedy: str


class OccurrenceOut(Schema):
    """What was wrong, from its beginning to its end (null: it goes on), and who was told."""

    id: int
    level: str
    code: str
    what: str
    since: datetime
    over: datetime | None
    told: list[str]


class DifferenceOut(Schema):
    """One value before and after. Of a secret only what became of it: set, replaced or cleared."""

    key: str
    old: Any = None
    new: Any = None
    secret: str = ""


class ChangeOut(Schema):
    """One change of the settings. `by` is empty where no person did it."""

    id: int
    at: datetime
    by: str
    area: str
    place: int
    act: str
    subject: str
    changes: list[DifferenceOut]
    worked_at: datetime | None
    restorable: bool


class PersonsDomain(Schema):
    """What a receiver thinks of mails From a domain of `people` persons."""

    domain: str
    verdict: str
    policy: str
    spf: bool
    dkim: bool
    people: int


class DomainOut(Schema):
    """What is known of the domain of the system address; `advice` as `domain check` says it, null while
    nobody has asked the name service."""

    domain: str
    looked_at: datetime | None
    advice: dict[str, Any] | None
    people: list[PersonsDomain]
