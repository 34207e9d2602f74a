"""What we sent ourselves, so that it is recognised in an answer however a mail program quotes it."""

from __future__ import annotations

from typing import Final

from depesche.mailformat.parse import ParsedMail, parse
from depesche.mailroom.outbox import queries as outbox
from depesche.tracker.threads import addresses as threads

_MOST: Final = 3  # mails that are looked at: an answer quotes the last ones


def sent_texts(mail: ParsedMail) -> list[str]:
    """The texts of our mails that this one answers."""
    ids = dict.fromkeys((*mail.in_reply_to[:_MOST], *reversed(mail.references)))
    ours = [one for one in list(ids)[:50] if threads.find([], [one]) is not None]
    texts = []
    for message_id in ours[:_MOST]:
        for row in outbox.recipients(text=message_id, limit=1):
            raw = outbox.raw_mail(row.id)
            text = parse(raw).text if raw is not None else None
            if text:
                texts.append(text)
    return texts
