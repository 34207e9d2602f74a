"""Our own words in an answer: recognised however a program wrapped, indented or unmarked them."""

from __future__ import annotations

import re
from collections.abc import Sequence

_WORD = re.compile(r"\w+", re.UNICODE)
_SHINGLE = 4
_MOST_WORDS = 200_000


class KnownText:
    """The texts that we sent, as sets of runs of four words. Asking is linear in what is asked."""

    def __init__(self, texts: Sequence[str]) -> None:
        self._runs: set[tuple[str, ...]] = set()
        self._short: set[str] = set()
        room = _MOST_WORDS
        for text in texts:
            words: list[str] = []
            for line in text.split("\n"):
                of_line = _WORD.findall(line.lower())
                if of_line and len(of_line) < _SHINGLE:
                    self._short.add(" ".join(of_line))
                words.extend(of_line)
                if len(words) > room:
                    break
            words = words[:room]
            room -= len(words)
            self._runs.update(zip(*(words[offset:] for offset in range(_SHINGLE)), strict=False))

    def __bool__(self) -> bool:
        return bool(self._runs or self._short)

    def contains(self, line: str) -> bool:
        """Whether these words stood in a mail of ours, in this order."""
        words = _WORD.findall(line.lower())
        if not words:
            return True  # rules and bullets belong to what is around them
        if len(words) < _SHINGLE:
            return " ".join(words) in self._short
        runs = list(zip(*(words[offset:] for offset in range(_SHINGLE)), strict=False))
        return sum(run in self._runs for run in runs) * 4 >= len(runs) * 3
