"""States as the interface shows them: word, colour and sign together (DESIGN: colour is never alone)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

if TYPE_CHECKING:
    from django_stubs_ext import StrPromise


@dataclass(frozen=True)
class StateWord:
    """`tone` is the value of `data-state`, which chooses the colour; `icon` a name of icons.SHAPES."""

    tone: str
    icon: str
    word: StrPromise | str


WORDS: dict[str, StateWord] = {
    # a recipient in the outbox
    "queued": StateWord("idle", "open", _("queued")),
    "in_flight": StateWord("run", "run", _("in flight")),
    "accepted": StateWord("ok", "ok", _("accepted")),
    "deferred": StateWord("wait", "wait", _("deferred")),
    "failed": StateWord("fail", "fail", _("failed")),
    "expired": StateWord("fail", "fail", _("expired")),
    "bounced": StateWord("fail", "fail", _("bounced")),
    "delivered": StateWord("ok", "ok", _("delivered")),
    "delayed": StateWord("wait", "wait", _("delayed")),
    "uncertain": StateWord("unsure", "unsure", _("uncertain")),
    "held": StateWord("wait", "warn", _("held")),
    "cancelled": StateWord("idle", "skip", _("cancelled")),
    "suppressed": StateWord("idle", "skip", _("suppressed")),
    "abandoned": StateWord("idle", "skip", _("abandoned")),
    "rewritten": StateWord("wait", "warn", _("From refused, sent again")),
    "not_told": StateWord("skip", "skip", _("not told")),
    # a step of a test
    "ok": StateWord("ok", "ok", _("ok")),
    "hint": StateWord("wait", "warn", _("hint")),
    "running": StateWord("run", "run", _("running")),
    "skipped": StateWord("skip", "skip", _("not reached")),
    # a connection
    "flowing": StateWord("ok", "ok", _("Mail flows")),
    "paused": StateWord("fail", "fail", _("Mail does not flow")),
    "unconfigured": StateWord("wait", "warn", _("Not set up")),
    # what became of a received mail
    "waiting": StateWord("idle", "open", _("waiting")),
    "comment": StateWord("ok", "ok", _("became a comment")),
    "item": StateWord("ok", "ok", _("became an item")),
    "report": StateWord("info", "info", _("delivery report")),
    "ignored": StateWord("idle", "skip", _("ignored")),
    "rejected": StateWord("fail", "fail", _("refused")),
    # an item
    "open": StateWord("idle", "open", pgettext_lazy("state of an item", "Open")),
    "in_progress": StateWord("info", "half", pgettext_lazy("state of an item", "In progress")),
    "done": StateWord("ok", "ok", pgettext_lazy("state of an item", "Done")),
    "closed": StateWord("idle", "skip", pgettext_lazy("state of an item", "Closed")),
}


def state_word(state: object) -> StateWord:
    """How a state is shown. A state that is not in the table shows as its own value, without colour."""
    value = str(getattr(state, "value", state))
    return WORDS.get(value) or StateWord("idle", "open", value.replace("_", " "))
