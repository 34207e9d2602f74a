"""What kinds of mail there are, and the policy that hangs on the kind: urgency, patience, what to do in
doubt.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum


class Category(StrEnum):
    """Why a mail exists. ACCOUNT: somebody waits for it in front of the sign-in page. MAIL: Django's mail
    API.
    """

    NOTICE = "notice"
    REMINDER = "reminder"
    ACCOUNT = "account"
    ANSWER = "answer"
    MAIL = "mail"


class SenderKind(StrEnum):
    """Who caused a mail; connections.sender_policy makes its From of it (M3, M4)."""

    SYSTEM = "system"
    USER = "user"
    GIVEN = "given"


@dataclass(frozen=True)
class CategoryPolicy:
    """`priority`: higher goes first. `lifetime`: how long deferrals go on, counted from the first one.

    `hold_uncertain`: a mail cut between its content and the reply waits for a person instead of going again
    (settings.DEPESCHE_HOLD_UNCERTAIN adds categories). `sensitive`: the content is erased once accepted.
    """

    priority: int
    lifetime: timedelta = timedelta(days=3)
    hold_uncertain: bool = False
    sensitive: bool = False


POLICIES: dict[Category, CategoryPolicy] = {
    Category.ACCOUNT: CategoryPolicy(priority=2, lifetime=timedelta(days=1), sensitive=True),
    Category.NOTICE: CategoryPolicy(priority=1),
    Category.ANSWER: CategoryPolicy(priority=1),
    Category.MAIL: CategoryPolicy(priority=1),
    Category.REMINDER: CategoryPolicy(priority=0),
}
PRIORITIES: tuple[int, ...] = tuple(sorted({policy.priority for policy in POLICIES.values()}, reverse=True))
URGENT: frozenset[str] = frozenset(
    category.value for category, policy in POLICIES.items() if policy.priority == PRIORITIES[0]
)
"""Categories that pass all others that wait."""
