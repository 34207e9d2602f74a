"""Delivery reports written for people: who could not be reached, and in which words.

Servers that write no fields of RFC 3464 differ in everything but this: the report comes from a mail system,
it says early on that something was not delivered, it names each recipient at the head of a few lines, and
then the returned mail begins. So: is it one, where does it end, which lines name a recipient, what stands
below each.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from depesche.mailformat.delivery_report import (
    Action,
    RecipientReport,
    address_in,
    class_of_words,
    returned_headers,
)
from depesche.mailformat.header_text import clean
from depesche.mailformat.html_text import html_to_markdown
from depesche.mailformat.parse import ParsedMail
from depesche.mailformat.report_phrases import (
    DELAY,
    FAILURE,
    FAILURE_SUBJECT,
    NAMES_RECIPIENT,
    NOT_A_RECIPIENT,
    RETURNED_FOLLOWS,
)

_LONGEST_TEXT = 200_000
_MOST_LINES = 2_000
_ADDRESS = r"[^\s<>\"'(),:;\[\]\\@]{1,200}@[A-Za-z0-9\[][A-Za-z0-9.\-_:\]]{0,250}"
_SYSTEM_SENDER = re.compile(
    r"(?:mailer[-_]?daemon|mail[-_]?daemon|post[-_]?master|mail\.?delivery|mdaemon|daemon|bounces?|"
    r"mailsystem|mail-system|"
    r"e500_smtp|system|autoresponse|delivery|noreply|no-reply|mmdf|uucp|smtp|mailadmin|admin|root|"
    r"administrator)",
    re.IGNORECASE,
)
_HEADER_LIKE = re.compile(
    r"[ \t>]{0,8}(?:Received|Return-Path|X-Received|DKIM-Signature|X-Google-Smtp-Source|Message-ID):", re.I
)
_LONE = re.compile(
    rf"\s{{0,20}}[*\-•|]{{0,3}}\s{{0,20}}(?:to:?\s)?[\[<\"'(]{{0,2}}(?:smtp:|"
    rf"mailto:)?({_ADDRESS})[\]>\"')]{{0,2}}"
    rf"\s{{0,5}}(?:<mailto:[^<>]{{1,300}}>)?\s{{0,5}}(?:<br "
    rf"?/?>)?\s{{0,5}}(?:\([^()]{{0,200}}\))?\s{{0,5}}[:.;,]?\s{{0,5}}(?:<br ?/?>)?\s*$",
    re.IGNORECASE,
)
_AT_HEAD = re.compile(
    rf"\s{{0,20}}[*\-•]?\s{{0,5}}[\[<\"']{{0,2}}(?:smtp:)?({_ADDRESS})[\]>\"']{{0,2}}\s{{0,3}}"
    rf"(?::|\.\.\.|,? on (?:mon|tue|wed|thu|fri|sat|sun)\w{{0,6}},| - |\s(?=(?:error|invalid|unknown|"
    rf"failed|address)\b)|;)(.*)$",
    re.IGNORECASE,
)
_IN_BRACKETS = re.compile(rf"[<\"'\[]({_ADDRESS})[>\"'\]]")
_ANY = re.compile(rf"(?<![\w.+-])({_ADDRESS})")
_TRANSCRIPT = re.compile(
    rf"\s{{0,8}}(?:<<< )?[45]\d\d[ -](?:[45]\.\d{{1,3}}\.\d{{1,3}} )?<?({_ADDRESS})>?(?:\.\.\.|[:,]| )", re.I
)
_COMMAND = re.compile(rf"(?:RCPT TO|RCPT)\s?:\s?<?({_ADDRESS})>?", re.IGNORECASE)
_OWN = re.compile(
    rf"(?:MAIL FROM|From|Sender|Reply-To|Absender|by|host|de|sent by)\s?:?\s?<?({_ADDRESS})>?", re.IGNORECASE
)
_DDA = re.compile(r"(?:DDA|dda):SMTP=([^;\s]{1,300});")


@dataclass(slots=True)
class _Entry:
    recipient: str
    lines: list[str] = field(default_factory=list)


def worded_reports(mail: ParsedMail, message_id: str | None) -> list[RecipientReport]:
    """The reports that the words of this mail make; empty when it is not a report of a mail system."""
    failed_header = [
        address_in(part) for value in mail.header_all("x-failed-recipients") for part in value.split(",")
    ]
    announced = [address for address in failed_header if address]
    text = _text(mail)
    region = _region(text)
    if not announced and not _is_report(mail, region):
        return []
    own = _own_addresses(mail)
    entries = _entries(region, own)
    if announced:
        entries = _merge(announced, entries, region)
    elif not entries:
        entries = _by_detectors(mail) or _by_returned_mail(mail, own)
    if not entries:
        return [_report(None, region, region, mail, message_id)]
    return [_report(entry.recipient, entry.lines, region, mail, message_id) for entry in entries[:1_000]]


def _text(mail: ParsedMail) -> str:
    parts: list[str] = []
    for segment in mail.body[:6]:
        if segment.text is not None and segment.text.strip():
            parts.append(segment.text)
        elif segment.html is not None:
            parts.append(html_to_markdown(segment.html[:_LONGEST_TEXT]))
        if parts and len(parts[0]) > 40:
            break
    return "\n".join(parts)[:_LONGEST_TEXT]


def _region(text: str) -> list[str]:
    """The lines of the report itself, up to where the returned mail begins."""
    lines: list[str] = []
    for line in text.split("\n")[:_MOST_LINES]:
        bare = line.rstrip("\r")[:1_000]
        if lines and RETURNED_FOLLOWS.search(bare):
            break
        if _HEADER_LIKE.match(bare) and any(text.strip() for text in lines):
            break
        lines.append(bare)
    return lines


def _is_report(mail: ParsedMail, region: Sequence[str]) -> bool:
    """Whether a mail system says that a mail was not delivered. A person who quotes such a report is none."""
    sender = mail.from_[0].addr_spec if mail.from_ else mail.header("from").strip("<> ")
    subject = mail.subject
    head = "\n".join(line for line in region[:60])[:6_000]
    failure = FAILURE.search(head) is not None
    about = FAILURE_SUBJECT.search(subject) is not None
    if mail.is_report and mail.report_type == "delivery-status":
        return True
    if not (failure or about):
        return False
    local = sender.rpartition("@")[0] or sender
    name = mail.from_[0].display_name if mail.from_ else ""
    certain = re.match(r"(?:mailer[-_]?daemon|mail-?daemon)", local, re.IGNORECASE) is not None or not sender
    if certain:
        return True
    if mail.in_reply_to and not about and mail.return_path != "":
        return False
    null_path = mail.return_path == ""
    machine = _SYSTEM_SENDER.match(local) is not None or _SYSTEM_SENDER.match(name) is not None
    automatic = mail.header("auto-submitted").lower() not in ("", "no")
    if machine or null_path:
        return (
            (failure and about)
            or (failure and (machine and null_path))
            or (failure and machine and not automatic)
        )
    return failure and about and not mail.in_reply_to


def _own_addresses(mail: ParsedMail) -> frozenset[str]:
    """Addresses that are named in a report without being its recipient: those of the original sender."""
    own = {address.addr_spec.lower() for address in (*mail.to, *mail.from_, *mail.reply_to)}
    own.update(value.lower() for value in mail.delivered_to)
    returned = returned_headers(mail)
    if returned is not None:
        for name in ("from", "reply-to", "return-path", "sender"):
            address = address_in(returned.header(name))
            if address:
                own.add(address.lower())
    return frozenset(own)


def _entries(region: Sequence[str], own: frozenset[str]) -> list[_Entry]:
    """Each recipient with the lines below it, by the most telling form of naming that the report uses."""
    for finder in (_lone, _named, _transcript, _commands, _any_failing):
        found = _collect(region, finder, own)
        if found:
            return found
    return []


def _collect(region: Sequence[str], finder: object, own: frozenset[str]) -> list[_Entry]:
    assert callable(finder)
    entries: list[_Entry] = []
    seen: dict[str, _Entry] = {}
    current: _Entry | None = None
    previous = ""
    for line in region:
        address = finder(line, previous)
        if line.strip():
            previous = line
        if address is not None and address.lower() not in own:
            entry = seen.get(address.lower())
            if entry is None:
                entry = _Entry(address)
                entries.append(entry)
                seen[address.lower()] = entry
            current = entry
        if current is not None:
            current.lines.append(line)
    return entries


def _lone(line: str, previous: str) -> str | None:
    """A line that is nothing but an address, or begins with one and goes on with what is wrong."""
    if "@" not in line or NOT_A_RECIPIENT.search(line) or NOT_A_RECIPIENT.search(previous[-80:]):
        return None
    dda = _DDA.search(line)
    if dda:
        return address_in(dda.group(1))
    match = _LONE.match(line) or _AT_HEAD.match(line)
    return address_in(match.group(1)) if match else None


def _named(line: str, previous: str) -> str | None:
    """ "Unable to deliver message to <jane@example.org>", "Unknown user: jane@example.org"."""
    if "@" not in line:
        return None
    match = NAMES_RECIPIENT.search(line)
    if match is None:
        return None
    found = _ANY.search(line, match.end())
    if found is None or found.start() - match.end() > 30:
        return None
    return address_in(found.group(1))


def _transcript(line: str, previous: str) -> str | None:
    match = _TRANSCRIPT.match(line)
    return address_in(match.group(1)) if match else None


def _commands(line: str, previous: str) -> str | None:
    match = _COMMAND.search(line)
    return address_in(match.group(1)) if match else None


def _any_failing(line: str, previous: str) -> str | None:
    if "@" not in line or NOT_A_RECIPIENT.search(line) or _OWN.search(line):
        return None
    match = _ANY.search(line)
    return address_in(match.group(1)) if match else None


def _merge(announced: Sequence[str], entries: Sequence[_Entry], region: Sequence[str]) -> list[_Entry]:
    """X-Failed-Recipients says who; the words below each name say why."""
    lines_of = {entry.recipient.lower(): entry.lines for entry in entries}
    unique = {address.lower(): address for address in announced}
    return [
        _Entry(address, list(lines_of.get(key, region if len(unique) == 1 else [])))
        for key, address in unique.items()
    ]


def _by_detectors(mail: ParsedMail) -> list[_Entry]:
    """The detectors of flufl.bounce, for formats that nothing else reads."""
    from email import message_from_bytes, policy

    from flufl.bounce import all_failures

    source = mail.root.source
    if len(source) > 300_000:
        return []
    try:
        temporary, permanent = all_failures(message_from_bytes(source, policy=policy.compat32))
    except Exception:
        return []
    found = [*permanent, *temporary]
    names = [
        address_in(value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value))
        for value in found
    ]
    return [_Entry(name) for name in sorted({name for name in names if name})]


def _by_returned_mail(mail: ParsedMail, own: frozenset[str]) -> list[_Entry]:
    """The one addressee of the returned mail, when the report names nobody."""
    returned = returned_headers(mail)
    values: list[str] = []
    if returned is not None:
        values = [*returned.header_all("x-failed-recipients"), *returned.header_all("to")]
    else:
        text = _text(mail)
        match = re.search(r"^[ \t>]{0,8}To:[ \t]{0,5}([^\n]{3,300})$", text, re.IGNORECASE | re.MULTILINE)
        if match:
            values = [match.group(1)]
    found: dict[str, str] = {}
    for value in values[:5]:
        for match in _ANY.finditer(value[:2_000]):
            address = address_in(match.group(1))
            if address and address.lower() not in own:
                found.setdefault(address.lower(), address)
    return [_Entry(address) for address in found.values()] if len(found) == 1 else []


def _report(
    recipient: str | None,
    lines: Sequence[str],
    region: Sequence[str],
    mail: ParsedMail,
    message_id: str | None,
) -> RecipientReport:
    words = clean(" ".join(line.strip() for line in lines if line.strip()))[:2_000]
    everything = clean(" ".join(line.strip() for line in region if line.strip()))[:6_000]
    delayed = DELAY.search(mail.subject) is not None or DELAY.search(everything[:1_500]) is not None
    action = Action.DELAYED if delayed else Action.FAILED
    status = class_of_words(words, action)
    if status.endswith(".0.0"):
        wider = class_of_words(everything, action)
        status = wider if wider[0] != status[0] or status in ("5.0.0", "4.0.0") else status
    return RecipientReport(
        recipient, action, status, words or everything[:500], original_message_id=message_id
    )
