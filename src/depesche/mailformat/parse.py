"""A raw mail as one value: who, to whom, which thread, what body, which files. `parse` never raises.

The body is kept as segments in the order of the mail, since a mail may be text, picture, text (Apple Mail)
or an HTML body with a plain footer that a list has added: reading only "the first text/plain" would lose
the letter.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from depesche.mailformat.addresses import Address, parse_address_list
from depesche.mailformat.decoding import decode_text, split_uuencode
from depesche.mailformat.flowed import unflow
from depesche.mailformat.header_text import clean, header_date, message_ids, raw_text
from depesche.mailformat.mime_tree import SIGNED_TYPES, Limits, Part, read_tree
from depesche.mailformat.tnef import tnef_files

__all__ = ["BodySegment", "Limits", "MailAttachment", "ParsedMail", "Part", "parse"]


@dataclass(frozen=True, slots=True)
class MailAttachment:
    """A file in a mail. `filename` has no path and no control character; `content_id` is without brackets."""

    filename: str
    content_type: str
    data: bytes
    content_id: str | None = None
    inline: bool = False


@dataclass(frozen=True, slots=True)
class BodySegment:
    """A stretch of the letter: as plain text, as HTML, or as both (alternatives of the same words)."""

    text: str | None
    html: str | None


@dataclass(frozen=True, slots=True)
class ParsedMail:
    """What a mail says of itself. Nothing in it is verified; every header value is one clean decoded line."""

    from_: tuple[Address, ...]
    to: tuple[Address, ...]
    cc: tuple[Address, ...]
    reply_to: tuple[Address, ...]
    subject: str
    message_id: str | None
    in_reply_to: tuple[str, ...]
    references: tuple[str, ...]
    date: datetime | None
    text: str | None
    html: str | None
    body: tuple[BodySegment, ...]
    attachments: tuple[MailAttachment, ...]
    return_path: str | None
    delivered_to: tuple[str, ...]
    defects: tuple[str, ...]
    is_report: bool
    report_type: str
    is_signed: bool
    is_encrypted: bool
    root: Part

    def header(self, name: str) -> str:
        """First value of a header field, decoded; empty when there is none."""
        return self.root.header(name)

    def header_all(self, name: str) -> tuple[str, ...]:
        """All values of a header field, in order."""
        return self.root.header_all(name)

    def has_header(self, name: str) -> bool:
        return self.root.raw_header(name) is not None


def parse(raw: bytes, *, limits: Limits = Limits()) -> ParsedMail:  # noqa: B008 - a frozen value
    """Read any octets as a mail. Linear in time and memory; what cannot be read is named in `defects`."""
    defects: list[str] = []
    root = read_tree(raw, limits, defects)
    reader = _BodyReader(limits, defects)
    reader.read(root)
    texts = [segment.text for segment in reader.segments if segment.text is not None]
    htmls = [segment.html for segment in reader.segments if segment.html is not None]
    message_id = message_ids(_unfolded(root, "message-id"), limit=1)
    report_type = root.parameters.get("report-type", "").lower()
    content_types = {part.content_type for part in root.walk()}
    return_path = root.header("return-path") if root.raw_header("return-path") is not None else None
    return ParsedMail(
        from_=_addresses(root, "from"),
        to=_addresses(root, "to"),
        cc=_addresses(root, "cc"),
        reply_to=_addresses(root, "reply-to"),
        subject=root.header("subject")[:2_000],
        message_id=message_id[0] if message_id else None,
        in_reply_to=message_ids(_unfolded(root, "in-reply-to")),
        references=message_ids(_unfolded(root, "references")),
        date=header_date(root.header("date")),
        text="\n".join(texts) if texts else None,
        html="\n".join(htmls) if htmls else None,
        body=tuple(reader.segments),
        attachments=tuple(reader.attachments),
        return_path=None if return_path is None else return_path.strip("<> "),
        delivered_to=tuple(
            value.strip("<> ")
            for name in ("delivered-to", "x-original-to", "envelope-to", "x-envelope-to", "x-delivered-to")
            for value in root.header_all(name)
        ),
        defects=tuple(dict.fromkeys(defects)),
        is_report=root.content_type == "multipart/report"
        or bool(content_types & {"message/delivery-status", "message/feedback-report"}),
        report_type=report_type,
        is_signed=_is_signed(root, content_types, texts),
        is_encrypted=_is_encrypted(root, content_types, texts),
        root=root,
    )


def _unfolded(root: Part, name: str) -> str:
    return " ".join(raw_text(value) for key, value in root.headers if key == name)


def _addresses(root: Part, name: str) -> tuple[Address, ...]:
    """The addresses of all fields of that name. Split before the words are decoded: a name may contain a
    comma.
    """
    found: list[Address] = []
    for key, value in root.headers:
        if key == name:
            found.extend(parse_address_list(raw_text(value)[:200_000]))
        if len(found) >= 2_000:
            break
    return tuple(found[:2_000])


def _is_signed(root: Part, types: set[str], texts: Iterable[str]) -> bool:
    if "multipart/signed" in types:
        return True
    if types & SIGNED_TYPES and root.parameters.get("smime-type", "").lower() == "signed-data":
        return True
    if root.content_type in SIGNED_TYPES and root.children:
        return True
    return any("-----BEGIN PGP SIGNED MESSAGE-----" in text for text in texts)


def _is_encrypted(root: Part, types: set[str], texts: Iterable[str]) -> bool:
    if root.content_type == "multipart/encrypted" or "application/pgp-encrypted" in types:
        return True
    if root.content_type in SIGNED_TYPES and not root.children:
        return root.parameters.get("smime-type", "").lower() in ("enveloped-data", "authenveloped-data", "")
    return any(text.lstrip().startswith("-----BEGIN PGP MESSAGE-----") for text in texts)


def _file_name(part: Part, disposition: dict[str, str]) -> str:
    name = disposition.get("filename") or part.parameters.get("name", "")
    if not name:
        return ""
    name = name.replace("\\", "/").rsplit("/", 1)[-1].strip(". ")
    return clean(name)[-200:]


_TNEF = frozenset({"application/ms-tnef", "application/vnd.ms-tnef"})
_TYPE = re.compile(r"[a-z]{2,20}/[a-z0-9.+-]{1,80}")
_EXTENSIONS = {
    "message/rfc822": ".eml",
    "text/calendar": ".ics",
    "text/html": ".html",
    "text/plain": ".txt",
    "image/png": ".png",
    "image/jpeg": ".jpg",
    "image/gif": ".gif",
    "application/pdf": ".pdf",
}


class _BodyReader:
    """Divides the leaves into letter and attachments."""

    def __init__(self, limits: Limits, defects: list[str]) -> None:
        self.limits = limits
        self.defects = defects
        self.segments: list[BodySegment] = []
        self.attachments: list[MailAttachment] = []
        self.room = limits.body_characters

    def read(self, root: Part) -> None:
        # An explicit stack: depth must not be Python's own recursion.
        stack: list[Part] = [root]
        while stack:
            part = stack.pop()
            kind = part.content_type
            if kind == "multipart/alternative" and part.children:
                self._alternative(part)
            elif kind.startswith("multipart/") and part.children:
                stack.extend(reversed(part.children))
            elif kind.startswith(("message/rfc822", "message/global")) and part is not root:
                self._message(part)
            elif part.children and (part is root or kind in SIGNED_TYPES):
                stack.extend(reversed(part.children))  # nothing but a wrapper
            else:
                self._leaf(part)

    def _message(self, part: Part) -> None:
        child = part.children[0] if part.children else None
        subject = child.header("subject") if child else ""
        name = (
            _file_name(part, part.disposition[1])
            or (clean(subject).replace("/", "-")[:80] or "message") + ".eml"
        )
        data = part.raw_body if child is None or child.source is part.source else child.source
        self.attachments.append(MailAttachment(name, "message/rfc822", data))

    def _alternative(self, part: Part) -> None:
        """The richest two forms of the same words; files that hang below a form are attachments."""
        text: str | None = None
        html: str | None = None
        for leaf in _leaves(part):
            value = self._letter(leaf)
            if value is None:
                self._attach(leaf)
            elif leaf.content_type == "text/html":
                html = value if not html else html + "\n" + value
            elif leaf.content_type == "text/plain" or text is None:
                text = value if not text else text + "\n" + value
        if text is not None or html is not None:
            self.segments.append(BodySegment(text, html))

    def _leaf(self, part: Part) -> None:
        value = self._letter(part)
        if value is None:
            self._attach(part)
        elif part.content_type == "text/html":
            self.segments.append(BodySegment(None, value))
        else:
            self.segments.append(BodySegment(value, None))

    def _letter(self, part: Part) -> str | None:
        """The text of a part that is to be read in the letter; None for a file."""
        kind = part.content_type
        if kind.startswith("multipart/"):
            kind = "text/plain"  # one without any part: broken, and what is there is text
        if kind not in ("text/plain", "text/html", "text/enriched", "text/x-amp-html", "text/richtext"):
            return None
        if kind == "text/x-amp-html":
            return ""
        disposition, parameters = part.disposition
        name = _file_name(part, parameters)
        if disposition.startswith("attachment") or (name and disposition != "inline" and part.depth > 0):
            return None
        if name and disposition == "inline" and kind == "text/plain" and self.segments:
            return None  # a text file that a program shows below the letter
        octets, whole = part.data()
        if kind == "text/plain":
            octets, files = split_uuencode(octets)
            self.attachments.extend(
                MailAttachment(clean(file.filename) or "file", "application/octet-stream", file.data)
                for file in files
            )
        text, honest = decode_text(octets, part.parameters.get("charset", ""))
        if not (whole and honest):
            self.defects.append("a body whose encoding or charset is not as declared")
        if len(text) > self.room:
            self.defects.append("a body longer than is read")
            text = text[: self.room]
        self.room -= len(text)
        text = text.replace("\r\n", "\n").replace("\r", "\n")
        if kind == "text/plain" and part.parameters.get("format", "").lower() == "flowed":
            text = unflow(text, delsp=part.parameters.get("delsp", "").lower() == "yes")
        return text

    def _attach(self, part: Part) -> None:
        if part.content_type.startswith("multipart/") or part.content_type == "text/x-amp-html":
            return
        disposition, parameters = part.disposition
        name = _file_name(part, parameters)
        content_id = part.header("content-id").strip("<> ") or None
        if not name:
            subtype = part.content_type.rsplit("/", 1)[-1][:20]
            name = "attachment" + _EXTENSIONS.get(
                part.content_type, f".{subtype}" if subtype.isalnum() else ""
            )
        data, whole = part.data()
        if not whole:
            self.defects.append("an attachment whose encoding is broken")
        inline = disposition == "inline" or (
            content_id is not None and not disposition.startswith("attachment")
        )
        if (part.content_type in _TNEF or name.lower() == "winmail.dat") and self._unwrap(data):
            return
        self.attachments.append(MailAttachment(name, part.content_type, data, content_id, inline))

    def _unwrap(self, data: bytes) -> bool:
        """The files in a winmail.dat, if there are any; whether they are all that it was for."""
        files, whole = tnef_files(data)
        for file in files:
            kind = file.content_type.lower()
            self.attachments.append(
                MailAttachment(
                    file.filename.replace("\\", "/").rsplit("/", 1)[-1] or "attachment",
                    kind if _TYPE.fullmatch(kind) else "application/octet-stream",
                    file.data,
                    file.content_id or None,
                )
            )
        return bool(files) and whole


def _leaves(part: Part) -> list[Part]:
    """The leaves below a multipart, without those of attached messages."""
    found: list[Part] = []
    stack = list(reversed(part.children))
    while stack:
        child = stack.pop()
        if child.children and child.content_type.startswith("multipart/"):
            stack.extend(reversed(child.children))
        else:
            found.append(child)
    return found
