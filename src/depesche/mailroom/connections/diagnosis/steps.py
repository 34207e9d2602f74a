"""What a test of the connection reports: eleven steps, each with outcome, time, fact, cause, remedy,
transcript.

Texts are in the language of the person who asked. No secret is in any of them: the transcript is redacted by
the client that keeps it, and everything passes `scrubbed` before it leaves the diagnosis.
"""

from __future__ import annotations

import base64
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from enum import StrEnum
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

HIDDEN = "(secret)"


class StepName(StrEnum):
    """The steps as `connection test` prints them. With TLS from the first byte, tls comes before greeting."""

    RESOLVE = "resolve"
    CONNECT = "connect"
    GREETING = "greeting"
    CAPABILITIES = "capabilities"
    TLS = "tls"
    LOGIN = "login"
    MAIL_FROM_SYSTEM = "mail-from-system"
    MAIL_FROM_USER = "mail-from-user"
    RECIPIENT = "recipient"
    CONTENT = "content"
    ARRIVAL = "arrival"
    FOLDER = "folder"  # of a mailbox only, as is the next
    TAKING = "taking"


LABELS: dict[StepName, Promise | str] = {
    StepName.RESOLVE: _("Name look-up"),
    StepName.CONNECT: _("Connection"),
    StepName.GREETING: _("Greeting"),
    StepName.CAPABILITIES: _("Capabilities"),
    StepName.TLS: _("Encryption"),
    StepName.LOGIN: _("Login"),
    StepName.MAIL_FROM_SYSTEM: _("Sender: system"),
    StepName.MAIL_FROM_USER: _("Sender: user"),
    StepName.RECIPIENT: _("Recipient"),
    StepName.CONTENT: _("Content"),
    StepName.ARRIVAL: _("Arrival"),
    StepName.FOLDER: _("Inbox folder"),
    StepName.TAKING: _("Mails that were taken over"),
}

_AFTER = (
    StepName.LOGIN,
    StepName.MAIL_FROM_SYSTEM,
    StepName.MAIL_FROM_USER,
    StepName.RECIPIENT,
    StepName.CONTENT,
    StepName.ARRIVAL,
)
_FIRST = (StepName.RESOLVE, StepName.CONNECT)
_PLAIN_FIRST = (*_FIRST, StepName.GREETING, StepName.CAPABILITIES, StepName.TLS, *_AFTER)
_TLS_FIRST = (*_FIRST, StepName.TLS, StepName.GREETING, StepName.CAPABILITIES, *_AFTER)


def order(*, implicit_tls: bool) -> tuple[StepName, ...]:
    """The steps in the order in which they happen."""
    return _TLS_FIRST if implicit_tls else _PLAIN_FIRST


class Outcome(StrEnum):
    """HINT: the mail goes out, but somebody should know something."""

    OK = "ok"
    HINT = "hint"
    FAILED = "failed"
    SKIPPED = "skipped"


@dataclass(frozen=True)
class Cause:
    """Why a step ended as it did: `code` for programs, `title` and `sentence` for people, then what to do.

    `change` holds settings by their keys when the remedy is a setting.
    """

    code: str
    title: str
    sentence: str
    remedy: str
    change: Mapping[str, str] | None = None


@dataclass(frozen=True)
class Step:
    """One step. `refused`: the step itself got a no, even where the mail goes out all the same (a hint).

    `proves_tags`: a mail to tracker+tag@… has arrived. `takes_tags`: whether the server takes that as a
    sender, None where it was not asked.
    """

    name: StepName
    outcome: Outcome
    ms: int | None = None
    fact: str = ""
    cause: Cause | None = None
    transcript: tuple[str, ...] = ()
    refused: bool = False
    proves_tags: bool = False
    takes_tags: bool | None = None

    @property
    def result(self) -> str:
        """ok, failed or skipped: what the command prints."""
        if self.outcome is Outcome.HINT:
            return Outcome.FAILED if self.refused else Outcome.OK
        return self.outcome

    @property
    def label(self) -> str:
        return str(LABELS[self.name])

    def as_json(self) -> dict[str, Any]:
        """For the database and for `--json`."""
        return {
            "step": self.name.value,
            "outcome": self.result,
            "hint": self.outcome is Outcome.HINT,
            "ms": self.ms,
            "fact": self.fact,
            "cause": f"{self.cause.title}: {self.cause.sentence}" if self.cause else "",
            "remedy": self.cause.remedy if self.cause else "",
            "code": self.cause.code if self.cause else "",
            "change": dict(self.cause.change) if self.cause and self.cause.change else None,
            "transcript": list(self.transcript),
        }

    def stored(self) -> dict[str, Any]:
        """What `restored` takes back."""
        return {**asdict(self), "name": self.name.value, "outcome": self.outcome.value}

    @classmethod
    def restored(cls, values: Mapping[str, Any]) -> Step:
        cause = values.get("cause")
        return cls(
            name=StepName(values["name"]),
            outcome=Outcome(values["outcome"]),
            ms=values["ms"],
            fact=values["fact"],
            cause=Cause(**cause) if cause else None,
            transcript=tuple(values["transcript"]),
            refused=values["refused"],
            proves_tags=values["proves_tags"],
            takes_tags=values.get("takes_tags"),
        )


def skipped(name: StepName, fact: str = "") -> Step:
    """A step that was not taken; without a fact because the test stopped before it."""
    return Step(name, Outcome.SKIPPED, fact=fact)


def flows(steps: Iterable[Step]) -> bool:
    """Whether the test says that mail goes out: the content was accepted and nothing failed."""
    found = list(steps)
    accepted = any(step.name is StepName.CONTENT and step.outcome is not Outcome.SKIPPED for step in found)
    return accepted and not any(step.outcome is Outcome.FAILED for step in found)


def forms_of(secret: str) -> list[str]:
    """Everything under which a password might be read in a dialogue."""
    if not secret:
        return []
    octets = secret.encode()
    encoded = [base64.b64encode(octets), base64.b64encode(b"\0" + octets)]
    return [secret, *(one.decode().rstrip("=") for one in encoded)]


def scrubbed(step: Step, secrets: Iterable[str]) -> Step:
    """The step without these secrets, should a server have repeated one. The last line of defence, not the
    first.
    """
    words = sorted({form for secret in secrets for form in forms_of(secret)}, key=len, reverse=True)
    if not words:
        return step

    def clean(text: str) -> str:
        for word in words:
            text = text.replace(word, HIDDEN)
        return text

    cause = step.cause and replace(step.cause, sentence=clean(step.cause.sentence))
    return replace(step, fact=clean(step.fact), cause=cause, transcript=tuple(map(clean, step.transcript)))
