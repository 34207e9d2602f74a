"""What a received mail says about its way: which threads it names, who wrote it, whether it is one of
ours."""

from __future__ import annotations

import re
from typing import Final

from depesche.mailformat.addresses import Address, AddressError, split_tag
from depesche.mailroom.inbox.handlers import IncomingMail
from depesche.tracker.correspondence import trackers
from depesche.tracker.threads import addresses as threads
from depesche.tracker.threads.addresses import Thread, ThreadAddresses

_REPLY_PREFIX: Final = re.compile(
    r"^\s*(?:(?:re|aw|antw|antwort|sv|vs|fw|fwd|wg|tr|rv|odp|wtr)\s*(?:\[\d{1,3}\]|\(\d{1,3}\))?\s*:\s*)+",
    re.IGNORECASE,
)
_KEY: Final = re.compile(r"\[([A-Z][A-Z0-9]{0,9}-[0-9]{1,9})\]")
_MOST: Final = 100  # addresses or ids that are looked at


def writer(mail: IncomingMail) -> Address | None:
    """The one From address; None where there is none or several, since then nobody's word is proven."""
    authors = mail.reading.mail.from_
    return authors[0] if len(authors) == 1 else None


def recipients(mail: IncomingMail) -> list[str]:
    """Where the mail was sent, as far as it tells: envelope first."""
    parsed = mail.reading.mail
    named = [address.addr_spec for address in (*parsed.to, *parsed.cc)]
    return [one for one in (mail.envelope_recipient, *parsed.delivered_to, *named) if one][:_MOST]


def named_threads(mail: IncomingMail) -> list[Thread]:
    """The threads that the mail names, the surest first: by address, by what it answers, by what came
    before."""
    parsed = mail.reading.mail
    ids = [*parsed.in_reply_to, *reversed(parsed.references)]
    return threads.find_all(recipients(mail), ids[:_MOST])


def arrived_tagged(mail: IncomingMail) -> bool:
    """Whether the mail came to an address with a token of ours, which proves that tagged addresses arrive."""
    return bool(threads.find_all(recipients(mail), []))


def is_our_own(mail: IncomingMail, own: ThreadAddresses) -> bool:
    """Whether the mail was written by us: from one of our addresses, or with a Message-ID that only we can
    make."""
    parsed = mail.reading.mail
    if parsed.message_id and threads.find([], [parsed.message_id]) is not None:
        return True
    if trackers.has_our_loop_mark(parsed, tuple(ours.addr_spec for ours in own.all)):
        return True
    return any(is_address(author, ours) for author in parsed.from_ for ours in own.all)


def is_addressed_to_us(mail: IncomingMail, own: ThreadAddresses) -> bool:
    """Whether an address of ours is among the recipients: what merely passed by is never answered."""
    for text in recipients(mail):
        try:
            written = Address("", text)
            if any(is_address(written, ours) for ours in own.all):
                return True
        except AddressError:
            continue
    return False


def is_address(one: Address, other: Address) -> bool:
    """Whether both mean one mailbox, with or without a tag."""
    return split_tag(one)[0].key == split_tag(other)[0].key


def is_reply(subject: str) -> bool:
    return _REPLY_PREFIX.match(subject) is not None


def title_of(subject: str) -> str:
    """A subject as the title of an item: without Re, AW, Fwd and the like."""
    return " ".join(_REPLY_PREFIX.sub("", subject).split())


def key_in_subject(subject: str) -> str:
    """The item that a subject names as our notices do, `[NW-482]`; "" for none."""
    match = _KEY.search(subject)
    return match[1] if match else ""
