"""The contents that the worker has used last."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping, Sequence

from depesche.mailroom.outbox import queue
from depesche.smtpclient.wire.content import SharedContent

_CACHE_BYTES = 32 * 1024 * 1024


class Contents:
    """The contents used last, so that a notice to thousands is read once. Bounded in bytes."""

    def __init__(self, most: int = _CACHE_BYTES) -> None:
        self._most = most
        self._held: OrderedDict[int, SharedContent] = OrderedDict()
        self._size = 0

    def of(self, message_ids: Sequence[int]) -> Mapping[int, SharedContent]:
        """The contents of these messages; read at once where they are not held. Erased ones are missing."""
        wanted = set(message_ids)
        found = {key: self._held[key] for key in wanted if key in self._held}
        for key in found:
            self._held.move_to_end(key)
        if missing := wanted - set(found):
            for key, octets in queue.contents(missing).items():
                content = found[key] = SharedContent(octets)
                if len(octets) <= self._most // 4:
                    self._held[key] = content
                    self._size += content.size
        while self._size > self._most:
            self._size -= self._held.popitem(last=False)[1].size
        return found
