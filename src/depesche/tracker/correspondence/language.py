"""Which of our languages a stranger reads: guessed from what they wrote. Pure."""

from __future__ import annotations

import re
from typing import Final

_WORD: Final = re.compile(r"[a-zäöüß]+")
_GERMAN_WORDS: Final = """
aber als am an auf aus bei bin bitte da dann das dass dem den der die danke ein eine einen einer es
für habe "     "haben hallo hat herr frau ich ihnen ihr im in ist kann können liebe mein mit nach
nicht noch nur oder schon sehr "     "sich sie sind über um und uns vielen von vom vor war was wenn
werden wie wir wird zu zum zur grüße grüßen
"""
_ENGLISH_WORDS: Final = """
a about and any are as at be been best but by can could dear do for from had has have hello hi how i
if in is it "     "kind me my no not of on or our please regards should so thank thanks that the
there they this to was we were what "     "when which will with would you your
"""
_GERMAN: Final = frozenset(_GERMAN_WORDS.split())
_ENGLISH: Final = frozenset(_ENGLISH_WORDS.split())


def guess(text: str) -> str:
    """`de` or `en`; `en` in doubt."""
    words = _WORD.findall(text[:5000].lower())
    german = sum(word in _GERMAN for word in words) + 2 * sum(
        any(c in "äöüß" for c in word) for word in words
    )
    english = sum(word in _ENGLISH for word in words)
    return "de" if german > english else "en"
