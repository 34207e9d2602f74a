"""All languages of the made mails."""

from __future__ import annotations

from tests.mailformat.siblings.language import ADDRESS, NAME, Language
from tests.mailformat.siblings.languages_east import EASTERN
from tests.mailformat.siblings.languages_west import WESTERN

__all__ = ["ADDRESS", "LANGUAGES", "NAME", "Language"]

LANGUAGES = (*WESTERN, *EASTERN)
