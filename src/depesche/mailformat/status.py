"""Enhanced mail system status codes (RFC 3463): `5.1.1` says more than `550`, and stands in every delivery
report."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum, unique


@unique
class Persistence(Enum):
    """What the class digit says about trying again (RFC 3463 §3.1)."""

    SUCCESS = 2
    TRANSIENT = 4
    PERMANENT = 5


@dataclass(frozen=True, slots=True, order=True)
class EnhancedStatus:
    """class.subject.detail: class 2, 4 or 5; subject and detail 0 to 999. ValueError for anything else."""

    klass: int
    subject: int
    detail: int

    def __post_init__(self) -> None:
        if self.klass not in (2, 4, 5) or not (0 <= self.subject <= 999 and 0 <= self.detail <= 999):
            raise ValueError("an enhanced status code is 2, 4 or 5, then two numbers of at most three digits")

    @property
    def persistence(self) -> Persistence:
        return Persistence(self.klass)

    @property
    def is_success(self) -> bool:
        return self.klass == 2

    @property
    def is_transient(self) -> bool:
        return self.klass == 4

    @property
    def is_permanent(self) -> bool:
        return self.klass == 5

    def __str__(self) -> str:
        return f"{self.klass}.{self.subject}.{self.detail}"


_CODE = r"([245])\.([0-9]{1,3})\.([0-9]{1,3})"
_WHOLE = re.compile(rf"\s*{_CODE}\s*(?:\(.{{0,500}}\)\s*)?", re.DOTALL)
# Neither part of a longer number nor of an address such as 5.1.2.3 or of a version such as v4.9.2.
_ALONE = re.compile(rf"(?<![0-9A-Za-z.]){_CODE}(?![0-9A-Za-z]|\.[0-9])")
# Behind a reply code of the same class, a number sign or the word status it is meant for sure.
_AFTER_REPLY_CODE = re.compile(
    rf"(?<![0-9])([245])[0-9][0-9][ \-]{{1,3}}\(?#?(?=\1){_CODE}(?![0-9A-Za-z]|\.[0-9])"
)
_MARKED = re.compile(
    rf"(?:#|\bstatus[:= ]{{1,3}}|\bdsn[:= ]{{1,3}}){_CODE}(?![0-9A-Za-z]|\.[0-9])", re.IGNORECASE
)


def parse_status(text: str) -> EnhancedStatus | None:
    """The code when the text is nothing but one (a comment in parentheses may follow), else None."""
    match = _WHOLE.fullmatch(text) if len(text) <= 600 else None
    return EnhancedStatus(*(int(part) for part in match.groups())) if match else None


def find_status(text: str) -> EnhancedStatus | None:
    """The first code in a server's words; None when there is none.

    A code that stands where servers put it (`550 5.1.1`, `#5.1.1`, `status=5.1.1`) is preferred to a bare
    `5.1.1`, since texts also carry versions and dates. Host addresses and version numbers glued to letters
    are passed over.
    """
    for pattern in (_AFTER_REPLY_CODE, _MARKED, _ALONE):
        match = pattern.search(text)
        if match:
            klass, subject, detail = match.groups()[-3:]
            return EnhancedStatus(int(klass), int(subject), int(detail))
    return None
