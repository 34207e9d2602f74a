"""What one transaction will say on a server with these capabilities: decided before a word is said.

Here it is found out that a message is too large, or that an address needs SMTPUTF8 and cannot have it. Those
recipients are refused by ourselves, and the server is not asked.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from depesche.smtpclient.config import to_ascii_domain
from depesche.smtpclient.errors import Stage
from depesche.smtpclient.transaction import Envelope, LocalRefusal, Outcome, RecipientResult
from depesche.smtpclient.wire import commands
from depesche.smtpclient.wire.content import SharedContent, content_of, dot_stuffed, normalised
from depesche.smtpclient.wire.extensions import Capabilities

ToSevenBit = Callable[[bytes], bytes]


@dataclass(slots=True)
class Plan:
    """Commands and content of one transaction. `positions` tells which recipient of the envelope each RCPT
    is."""

    mail: bytes
    rcpts: Sequence[bytes]
    content: bytes  # normalised, dots not stuffed yet
    positions: Sequence[int]
    refused: Sequence[tuple[int, RecipientResult]] = ()
    stuffed: bytes | None = None  # the content with its dots stuffed, where that was for nothing

    def body(self) -> bytes:
        """What goes between DATA and the final dot."""
        return self.stuffed if self.stuffed is not None else dot_stuffed(self.content)


_ONE = range(1)


def plan(
    envelope: Envelope,
    own: bytes,
    able: Capabilities,
    to_seven_bit: ToSevenBit,
    shared: SharedContent | None = None,
) -> Plan:
    """Never raises for anything in envelope or content (`own`, then `shared`): what cannot be done is in
    `refused`."""
    content, is_ascii, stuffed = content_of(own, shared)
    parameters = ""
    if not is_ascii:
        if able.eight_bit:
            parameters = " BODY=8BITMIME"
        else:
            try:
                content, stuffed = normalised(to_seven_bit(content)), None
            except Exception as error:
                # Whatever is wrong with this content, it concerns this message, not the session.
                return _all_refused(envelope, LocalRefusal.NEEDS_EIGHT_BIT, type(error).__name__)
            if not content.isascii():
                why = "the server takes 7-bit content only, and this message cannot be converted"
                return _all_refused(envelope, LocalRefusal.NEEDS_EIGHT_BIT, why)
    if able.announces_size:
        if able.size is not None and len(content) > able.size:
            why = f"the message has {len(content)} bytes, the server takes at most {able.size}"
            return _all_refused(envelope, LocalRefusal.TOO_LARGE, why)
        parameters = f" SIZE={len(content)}{parameters}"
    for option in envelope.options:
        if able.dsn or option.partition("=")[0].upper() not in {"RET", "ENVID"}:
            parameters += f" {option}"
    if not envelope.smtputf8:
        rcpts = [commands.rcpt(recipient) for recipient in envelope.recipients]
        positions = _ONE if len(rcpts) == 1 else range(len(rcpts))
        return Plan(commands.mail(envelope.reverse_path, parameters), rcpts, content, positions, (), stuffed)
    made = _international(envelope, content, able, parameters)
    made.stuffed = stuffed
    return made


def _international(envelope: Envelope, content: bytes, able: Capabilities, parameters: str) -> Plan:
    """Addresses beyond ASCII. A domain is written as in DNS, which every server understands; only a local
    part needs SMTPUTF8."""
    why = "the address needs SMTPUTF8, which the server does not offer"
    reverse_path = _ascii_domain(envelope.reverse_path)
    if reverse_path is None or not (reverse_path.isascii() or able.smtputf8):
        return _all_refused(envelope, LocalRefusal.NEEDS_SMTPUTF8, f"{envelope.reverse_path}: {why}")
    rcpts, positions, refused = [], [], []
    international = not reverse_path.isascii()
    for position, address in enumerate(envelope.recipients):
        written = _ascii_domain(address)
        if written is None or not (written.isascii() or able.smtputf8):
            refused.append((position, _refused(address, LocalRefusal.NEEDS_SMTPUTF8, f"{address}: {why}")))
        else:
            international = international or not written.isascii()
            rcpts.append(commands.rcpt(written))
            positions.append(position)
    if international:
        parameters += " SMTPUTF8"
    return Plan(commands.mail(reverse_path, parameters), rcpts, content, positions, refused)


def _ascii_domain(address: str) -> str | None:
    """The address with its domain in ASCII; None where no such domain can be."""
    local, at, domain = address.rpartition("@")
    try:
        return local + at + to_ascii_domain(domain)
    except ValueError:
        return None


def _refused(address: str, local: LocalRefusal, detail: str) -> RecipientResult:
    return RecipientResult(address, Outcome.REFUSED, None, Stage.MAIL, detail, local)


def _all_refused(envelope: Envelope, local: LocalRefusal, detail: str) -> Plan:
    refused = [(i, _refused(address, local, detail)) for i, address in enumerate(envelope.recipients)]
    return Plan(b"", (), b"", (), refused)
