"""What follows from a result: the policy for every failure, by scope and persistence. Pure.

Strategy. A failure concerns a recipient, a message, our sender or the connection (`scope_of`); it is
transient or permanent, or nobody knows (`persistence_of`). One table, POLICY, says what to do; `decide` adds
the times. `Streak` watches for the wrong setting that looks like many bad recipients, `probe_after` says
when a paused connection is tried.
"""

from __future__ import annotations

import enum
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta

from depesche.mailroom.connections.diagnosis.replies import Refusal, refusal_of
from depesche.mailroom.outbox.categories import POLICIES, Category
from depesche.mailroom.outbox.states import State
from depesche.mailroom.outbox.suspects import STEPS_BACK
from depesche.smtpclient.errors import Cause, Stage, SubmissionError, asks_for_fewer_connections
from depesche.smtpclient.reply import Reply
from depesche.smtpclient.transaction import LocalRefusal, Outcome, RecipientResult

Chance = Callable[[], float]  # from 0 to 1, as random.random


class Scope(enum.Enum):
    """Whom a failure concerns."""

    RECIPIENT = "recipient"
    MESSAGE = "message"
    SENDER = "sender"
    CONNECTION = "connection"


class Persistence(enum.Enum):
    """Whether trying again may help; UNCERTAIN: the server may have the mail already."""

    TRANSIENT = "transient"
    PERMANENT = "permanent"
    UNCERTAIN = "uncertain"


class Treatment(enum.Enum):
    """DEFER: again after a while. FAIL: for good. GIVE_BACK: again at once, the attempt does not count.
    PAUSE: given back, and the connection rests until it is set right or a probe gets through.
    DOUBT: again with the same Message-ID, or held for a person where the category says so.
    """

    DEFER = "defer"
    FAIL = "fail"
    GIVE_BACK = "give back"
    PAUSE = "pause"
    DOUBT = "doubt"


POLICY: dict[tuple[Scope, Persistence], Treatment] = {
    (Scope.RECIPIENT, Persistence.TRANSIENT): Treatment.DEFER,
    (Scope.RECIPIENT, Persistence.PERMANENT): Treatment.FAIL,
    (Scope.RECIPIENT, Persistence.UNCERTAIN): Treatment.DOUBT,
    (Scope.MESSAGE, Persistence.TRANSIENT): Treatment.DEFER,
    (Scope.MESSAGE, Persistence.PERMANENT): Treatment.FAIL,
    (Scope.MESSAGE, Persistence.UNCERTAIN): Treatment.DOUBT,
    (Scope.SENDER, Persistence.TRANSIENT): Treatment.DEFER,
    (
        Scope.SENDER,
        Persistence.PERMANENT,
    ): Treatment.PAUSE,  # the reverse-path is the system address: all would fail
    (Scope.SENDER, Persistence.UNCERTAIN): Treatment.DOUBT,
    (Scope.CONNECTION, Persistence.TRANSIENT): Treatment.GIVE_BACK,
    (Scope.CONNECTION, Persistence.PERMANENT): Treatment.PAUSE,
    (Scope.CONNECTION, Persistence.UNCERTAIN): Treatment.DOUBT,
}

_MINUTE = timedelta(minutes=1)
BACK_OFF: tuple[timedelta, ...] = tuple(_MINUTE * n for n in (1, 5, 15, 30, 60, 120, 240))
DOUBT_BACK_OFF: tuple[timedelta, ...] = (timedelta(seconds=10), *BACK_OFF)
PROBE_BACK_OFF: tuple[timedelta, ...] = tuple(timedelta(seconds=n) for n in (5, 10, 20, 40, 60, 120, 300))
JITTER = 0.2  # of the delay, to either side: those who were turned away together do not come back together


@dataclass(frozen=True)
class Try:
    """What `decide` must know of the recipient. `attempts`: this one included, since a person last
    intervened.

    `age`: time since the first deferral, None before it. `left`: until the mail itself expires, None: never.
    """

    attempts: int
    category: str
    age: timedelta | None = None
    left: timedelta | None = None
    hold_uncertain: bool = False


@dataclass(frozen=True)
class Disposition:
    """What becomes of a recipient. `after`: when to try again (None: not at all, or at once where QUEUED).

    `counts` False: the attempt is given back. `treatment` PAUSE: the connection must rest.
    """

    state: State
    treatment: Treatment | None = None
    after: timedelta | None = None
    counts: bool = True
    outcome: str = ""


ACCEPTED = Disposition(State.ACCEPTED)


def lifetime(category: str) -> timedelta:
    """How long deferrals of this category go on."""
    return POLICIES[Category(category)].lifetime if category in set(Category) else timedelta(days=3)


def back_off(attempts: int, steps: tuple[timedelta, ...], chance: Chance) -> timedelta:
    """The pause after so many attempts (1, 2, …): the step, give or take JITTER."""
    step = steps[min(max(attempts, 1), len(steps)) - 1]
    return step * (1 - JITTER + 2 * JITTER * chance())


def decide(
    result: RecipientResult,
    known: Try,
    chance: Chance,
    error: SubmissionError | None = None,
    *,
    suspect: bool = False,
) -> Disposition:
    """What becomes of a recipient after this result. `error`: why the session was lost, if it was.

    `suspect`: the refusal is the connection's fault, as far as is known (suspects.py): the mail steps back
    behind the others.
    """
    if result.outcome is Outcome.ACCEPTED:
        return ACCEPTED
    if suspect:
        return Disposition(State.QUEUED, Treatment.PAUSE, STEPS_BACK, counts=False)
    treatment = POLICY[scope_of(result, error), persistence_of(result, error)]
    if treatment is Treatment.FAIL:
        return Disposition(State.FAILED, treatment)
    if treatment is Treatment.DEFER:
        return _deferred(known, chance)
    if treatment is Treatment.DOUBT:
        if known.hold_uncertain:
            return Disposition(State.HELD, treatment, outcome="uncertain")
        return Disposition(State.UNCERTAIN, treatment, back_off(known.attempts, DOUBT_BACK_OFF, chance))
    return Disposition(State.QUEUED, treatment, counts=False)


def _deferred(known: Try, chance: Chance) -> Disposition:
    after = back_off(known.attempts, BACK_OFF, chance)
    patience = lifetime(known.category) - (known.age or timedelta(0))
    if known.left is not None:
        patience = min(patience, known.left)
    if patience <= timedelta(0) or (known.left is not None and known.left <= timedelta(seconds=1)):
        return Disposition(State.EXPIRED, Treatment.DEFER, outcome="deferred")
    # The last try comes just before the end, however long the step would be.
    return Disposition(State.DEFERRED, Treatment.DEFER, min(after, max(patience, timedelta(seconds=1))))


_ASKS_FOR_LOGIN = frozenset({530, 538})


def scope_of(result: RecipientResult, error: SubmissionError | None = None) -> Scope:
    """Whom a result concerns that is not an acceptance."""
    if result.outcome is Outcome.UNCERTAIN:
        return Scope.MESSAGE
    reply = result.reply
    if result.outcome is Outcome.NOT_TRIED or (reply is not None and _about_the_session(reply)):
        return Scope.CONNECTION
    if result.local is not None:
        return Scope.RECIPIENT if result.local is LocalRefusal.NEEDS_SMTPUTF8 else Scope.MESSAGE
    if result.stage is Stage.MAIL:
        return Scope.MESSAGE if reply is not None and _about_size(reply) else Scope.SENDER
    if result.stage is Stage.RCPT:
        return Scope.RECIPIENT
    if result.stage in (Stage.DATA, Stage.CONTENT):
        return Scope.MESSAGE
    return Scope.CONNECTION


def _about_the_session(reply: Reply) -> bool:
    return reply.code == 421 or reply.code in _ASKS_FOR_LOGIN or asks_for_fewer_connections(reply)


def _about_size(reply: Reply) -> bool:
    status = reply.enhanced
    return reply.code == 552 or (status is not None and status[1:] in {(3, 4), (2, 3)})


def persistence_of(result: RecipientResult, error: SubmissionError | None = None) -> Persistence:
    """Whether trying again may help."""
    if result.outcome is Outcome.UNCERTAIN:
        return Persistence.UNCERTAIN
    if result.outcome is Outcome.REFUSED and not (result.reply and asks_for_fewer_connections(result.reply)):
        return Persistence.PERMANENT
    if result.outcome is Outcome.NOT_TRIED and error is not None and concerns_set_up(error):
        return Persistence.PERMANENT
    return Persistence.TRANSIENT


OPENING = frozenset(
    {Stage.RESOLVE, Stage.CONNECT, Stage.GREETING, Stage.EHLO, Stage.STARTTLS, Stage.TLS, Stage.AUTH}
)


def concerns_set_up(error: SubmissionError) -> bool:
    """Whether no session can be opened as things stand, so that the connection had better rest.

    "Too many connections" is no such case: it asks for fewer, not for none.
    """
    return error.stage in OPENING and error.cause not in (Cause.TOO_MANY_CONNECTIONS, Cause.ABORTED)


# --- the wrong setting that looks like bad recipients -------------------------------------------------------

STREAK = 5
_ADDRESS = re.compile(r"<?[^\s<>@]{1,200}@[^\s<>@,;]{1,200}>?")
_VARIABLE = re.compile(r"\b\w*\d\w*\b")
_THE_RECIPIENTS_OWN = frozenset(
    {
        Refusal.RECIPIENT_UNKNOWN,
        Refusal.RECIPIENT_DOMAIN_UNKNOWN,
        Refusal.RECIPIENT_DISABLED,
        Refusal.MAILBOX_FULL,
        Refusal.TOO_LARGE,
    }
)
_MAILBOX_STATUS = frozenset({(1, 1), (1, 2), (1, 3), (1, 4), (1, 6), (1, 10), (3, 4)})


def blames_connection(result: RecipientResult) -> str:
    """A signature of the refusal where a wrong setting of ours may cause it; "" where it is the recipient's
    own.

    Two refusals are the same when code and words agree but for addresses, numbers and ids in them.
    """
    reply = result.reply
    if result.outcome is not Outcome.REFUSED or reply is None or result.local is not None:
        return ""
    status = reply.enhanced
    if status is not None and (status[1:] in _MAILBOX_STATUS or status.subject in (2, 6)):
        return ""
    if refusal_of(result.stage, reply) in _THE_RECIPIENTS_OWN:
        return ""
    text = _VARIABLE.sub("#", _ADDRESS.sub("<>", reply.text[:400]))
    return f"{reply.code} {status or ''} {text}".casefold()


def may_be_the_settings(result: RecipientResult, error: SubmissionError | None = None) -> bool:
    """Whether a result that is no acceptance may come of the settings with which the mail was submitted."""
    treatment = POLICY[scope_of(result, error), persistence_of(result, error)]
    return treatment in (Treatment.GIVE_BACK, Treatment.PAUSE) or bool(blames_connection(result))


@dataclass
class Streak:
    """Counts refusals that look alike, since the last acceptance. `length` of them are a fault of the
    connection.
    """

    length: int = STREAK
    _seen: dict[str, list[int]] = field(default_factory=dict)
    tripped: str = ""

    def accepted(self) -> None:
        """An acceptance proves that the setting is right."""
        self._seen.clear()
        self.tripped = ""

    def refused(self, recipient_id: int, signature: str) -> tuple[int, ...]:
        """Note a refusal; the ids to queue again when it shows that the connection is at fault, else nothing.

        Once tripped, further ones with the same signature come back at once: they were under way already.
        """
        if not signature:
            return ()
        if signature == self.tripped:
            return (recipient_id,)
        if signature not in self._seen and len(self._seen) >= 50:
            self._seen.pop(next(iter(self._seen)))
        ids = self._seen.setdefault(signature, [])
        if recipient_id not in ids:
            ids.append(recipient_id)
        if len(ids) < self.length:
            return ()
        del self._seen[signature]
        self.tripped = signature
        return tuple(ids)

    def forget(self) -> None:
        """Settings changed, or a probe is about to be made: what was refused before says nothing now."""
        self._seen.clear()
        self.tripped = ""


# --- sessions that break off, and the cap that follows the server -------------------------------------------

LOSSES = 6


@dataclass
class Losses:
    """Sessions lost in a row without an acceptance between: a server that hangs up on everything."""

    most: int = LOSSES
    count: int = 0

    def accepted(self) -> None:
        self.count = 0

    def lost(self) -> bool:
        """Note a lost session; True when the connection had better rest."""
        self.count += 1
        return self.count >= self.most


def smaller_cap(in_use: int, cap: int) -> int:
    """The cap after "too many connections": below what all workers held, at least 1."""
    return max(1, min(cap, in_use if in_use else cap) - 1)


def larger_cap(effective: int, configured: int) -> int:
    """The next step on the way back up."""
    return min(configured, effective + max(1, effective // 4))


def probe_after(probes: int, chance: Chance) -> timedelta:
    """How long a paused connection rests before probe number `probes` (1, 2, …)."""
    return back_off(probes, PROBE_BACK_OFF, chance)
