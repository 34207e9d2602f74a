"""What we sent ourselves, so that it is recognised in an answer however a mail program quotes it."""

from __future__ import annotations

import contextlib
from functools import lru_cache
from typing import Final

from depesche.mailformat.parse import ParsedMail, parse
from depesche.mailroom.outbox import queries as outbox
from depesche.tracker.threads import addresses as threads

_KEPT: Final = 100  # texts that are held
_MOST: Final = 3  # mails that are looked at: an answer quotes the last ones


def sent_texts(mail: ParsedMail) -> list[str]:
    """The texts of our mails that this one answers."""
    ids = dict.fromkeys((*mail.in_reply_to[:_MOST], *reversed(mail.references)))
    # The id of an item, which names nobody, is the id of no mail.
    found = ((one, threads.find([], [one])) for one in list(ids)[:50])
    ours = [one for one, thread in found if thread is not None and thread.person_id is not None]
    texts = []
    for message_id in ours[:_MOST]:
        with contextlib.suppress(LookupError):
            texts.append(_sent_text(message_id))
    return texts


@lru_cache(maxsize=_KEPT)
def _sent_text(message_id: str) -> str:
    """The text of a mail that went out: it never changes, and many answer the same one. LookupError where it
    is not there."""
    for row in outbox.recipients(text=message_id, limit=1):
        raw = outbox.raw_mail(row.id)
        text = parse(raw).text if raw is not None else None
        if text:
            return text
    raise LookupError(message_id)
