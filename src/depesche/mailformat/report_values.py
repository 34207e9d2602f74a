"""What a delivery report says of one recipient, and the small readings that all its forms share."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum

from depesche.mailformat.header_text import clean
from depesche.mailformat.mime_tree import Part
from depesche.mailformat.parse import ParsedMail
from depesche.mailformat.status import find_status


class Action(Enum):
    """RFC 3464 §2.3.3."""

    FAILED = "failed"
    DELAYED = "delayed"
    DELIVERED = "delivered"
    RELAYED = "relayed"
    EXPANDED = "expanded"


@dataclass(frozen=True, slots=True)
class RecipientReport:
    """What became of one recipient.

    `recipient` is the address as the report names it, None when it names none (some servers redact it).
    `status` is an enhanced status code; where the report gives none, one with the right class (`5.0.0`).
    `diagnostic` are the words of the server, one line. `original_recipient` is the address that we submitted,
    if the report says so and it differs.
    """

    recipient: str | None
    action: Action
    status: str | None
    diagnostic: str = ""
    original_recipient: str | None = None
    remote_server: str | None = None
    original_message_id: str | None = None

    @property
    def submitted_recipient(self) -> str | None:
        """The address under which this recipient was submitted, as far as the report tells."""
        return self.original_recipient or self.recipient

    @property
    def permanent(self) -> bool:
        """Whether trying again is pointless: a failure whose status is of class 5."""
        return self.action is Action.FAILED and (self.status is None or self.status.startswith("5"))


_TYPED = re.compile(
    r"^\s*(?:rfc[- ]?822|utf-8|smtp|x-[\w-]{1,30}|unknown|system)\s{0,3};\s{0,3}(.*)$",
    re.IGNORECASE | re.DOTALL,
)
_ADDRESS = re.compile(
    r"(?:[^\s<>\"'(),:;\[\]\\]|(?<=\w)'(?=\w)){1,200}@[^\s<>\"'(),:;\[\]\\@]{1,250}|\"[^\"\n"
    r"]{1,100}\"@[^\s<>\"'(),:;\\]{1,250}"
)


def address_in(value: str) -> str | None:
    """The address in a typed field value such as `rfc822; <jane@example.org>`; None when there is none."""
    match = _TYPED.match(value)
    text = (match.group(1) if match else value).strip()
    text = re.sub(r"\s{0,20}\+?xforwardto.*$", "", text[:1_000])
    angled = re.search(r"<([^<>\s]{1,500}@[^<>\s]{1,255})>", text)
    if angled:
        return _tidy_address(angled.group(1))
    found = _ADDRESS.search(text)
    if found:
        return _tidy_address(found.group(0))
    return None


def _tidy_address(text: str) -> str | None:
    address = clean(text).strip("<>.,;:'").removeprefix("mailto:")
    if not address.startswith('"') or '"@' not in address:
        address = address.strip('"')
    if address.lower().startswith(("smtp:", "rfc822:")):
        address = address.split(":", 1)[1]
    # Old routes: "@relay.example:jane@example.org".
    if address.startswith("@") and ":" in address:
        address = address.rsplit(":", 1)[1]
    local, at, domain = address.rpartition("@")
    return address if at and local and domain and len(address) <= 320 else None


_CLASS_OF_ACTION = {
    Action.FAILED: "5.0.0",
    Action.DELAYED: "4.0.0",
    Action.DELIVERED: "2.0.0",
    Action.RELAYED: "2.0.0",
    Action.EXPANDED: "2.0.0",
}
_REPLY_CODE = re.compile(r"(?<![\d.#])([45])\d\d(?![\d.])")


def class_of_words(diagnostic: str, action: Action) -> str:
    """A status whose class fits the words of the server where no enhanced code stands in them."""
    found = find_status(diagnostic)
    if found is not None:
        return str(found)
    code = _REPLY_CODE.search(diagnostic)
    if code is not None and action in (Action.FAILED, Action.DELAYED):
        return f"{code.group(1)}.0.0"
    return _CLASS_OF_ACTION[action]


def outer_parts(root: Part) -> list[Part]:
    """The parts of the mail itself, without those of messages in it; but a message in a wrapper is looked
    into.
    """
    found: list[Part] = []
    stack = [root]
    while stack and len(found) < 2_000:
        part = stack.pop()
        found.append(part)
        if part is root or not part.content_type.startswith(("message/rfc822", "message/global")):
            stack.extend(reversed(part.children))
    return found


def returned_headers(mail: ParsedMail) -> Part | None:
    """The returned message, when it came back as a part of its own."""
    for part in mail.root.walk():
        if (
            part is not mail.root
            and part.content_type in ("message/rfc822", "message/global")
            and part.children
        ):
            return part.children[0]
    return None
