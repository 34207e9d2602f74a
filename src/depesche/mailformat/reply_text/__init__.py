"""The new words of an answer: without quote, signature and clutter, and with everything that was cut kept
apart.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from depesche.mailformat.html_text import html_lines
from depesche.mailformat.letter_lines import Line, plain_lines
from depesche.mailformat.parse import BodySegment, MailAttachment, ParsedMail
from depesche.mailformat.reply_text.cutter import cut
from depesche.mailformat.reply_text.files import files_of_answer
from depesche.mailformat.reply_text.known import KnownText
from depesche.mailformat.reply_text.separators import FORWARD_PREFIXES

__all__ = ["ReplyText", "answer_files", "cut_text", "reply_text", "whole_text"]

#: Lines that are looked at one by one. What follows them goes with the last of them, as text or as cut.
MOST_LINES = 10_000


@dataclass(frozen=True, slots=True)
class ReplyText:
    """`text` is what the writer wrote now, `cut` what was removed, each in the order of the mail."""

    text: str
    cut: str
    had_quote: bool
    had_signature: bool
    from_html: bool


def reply_text(mail: ParsedMail, *, known_texts: Sequence[str] = ()) -> ReplyText:
    """The new text of a mail. `known_texts`: what we sent and this may quote, recognised without any mark.

    Text and cut together hold every line of the body. HTML-only mails become Markdown. Linear in the body;
    never raises.
    """
    return _reply_text(mail, known_texts, html_first=False)


def answer_files(mail: ParsedMail, answer: ReplyText) -> tuple[MailAttachment, ...]:
    """The attachments that belong to the answer: without the pictures of signature and quote."""
    pictures = any(file.content_id and file.content_type.startswith("image/") for file in mail.attachments)
    from_html = ""
    if pictures and mail.html and not answer.from_html:
        from_html = _reply_text(mail, (), html_first=True).text
    return files_of_answer(mail, answer.text, from_html)


def whole_text(mail: ParsedMail) -> str:
    """All words of a mail in their order, nothing cut: for who thinks that the cut was wrong."""
    lines, rest, _from_html = _all_lines(mail, html_first=False)
    return _tidy([*(line.shown for line in lines), *([rest] if rest else [])])


def _reply_text(mail: ParsedMail, known_texts: Sequence[str], *, html_first: bool) -> ReplyText:
    lines, rest, from_html = _all_lines(mail, html_first=html_first)
    forward = mail.subject.lower().lstrip().startswith(FORWARD_PREFIXES)
    names = _names(mail)
    return _assemble(lines, rest, forward=forward, names=names, known=known_texts, from_html=from_html)


def _all_lines(mail: ParsedMail, *, html_first: bool) -> tuple[list[Line], str, bool]:
    """The lines of the body, what is beyond the most that are looked at, and whether HTML was read."""
    lines: list[Line] = []
    unread: list[str] = []
    from_html = False
    for segment in mail.body:
        if lines:
            lines.append(Line("", ""))
        room = MOST_LINES - len(lines)
        if segment.html is not None and (html_first or _html_is_better(segment)):
            written, rest = html_lines(segment.html, most=max(room, 0))
            lines.extend(written)
            unread.append(rest)
            from_html = True
        elif room > 0:
            read, rest = plain_lines(_without_armour(segment.text or ""), most=room)
            lines.extend(read)
            unread.append(rest)
        else:
            unread.append(segment.text or "")
    return lines, "\n".join(unread).strip(), from_html


def cut_text(text: str, *, known_texts: Sequence[str] = (), names: Sequence[str] = ()) -> ReplyText:
    """The same for a bare plain-text body."""
    lines, rest = plain_lines(_without_armour(text.replace("\x00", "")), most=MOST_LINES)
    lowered = [name.lower() for name in names]
    return _assemble(lines, rest, forward=False, names=lowered, known=known_texts, from_html=False)


def _assemble(
    lines: Sequence[Line],
    rest: str,
    *,
    forward: bool,
    names: Sequence[str],
    known: Sequence[str],
    from_html: bool,
) -> ReplyText:
    decision = cut(lines, forward=forward, names=names, known=KnownText(known))
    kept: list[str] = []
    removed: list[str] = []
    for line, keep in zip(lines, decision.keep, strict=True):
        blank = not line.content and not line.depth
        if keep or blank:
            kept.append(line.shown if keep else "")
        if not keep:
            removed.append(line.shown)
    if rest:
        (removed if decision.open_end else kept).append(rest)
    return ReplyText(_tidy(kept), _tidy(removed), decision.had_quote, decision.had_signature, from_html)


def _tidy(lines: Sequence[str]) -> str:
    """Lines joined, with at most two blank lines in a row, none at the ends."""
    out: list[str] = []
    blanks = 0
    for line in lines:
        if line.strip():
            out.extend([""] * min(blanks, 2) if out else [])
            out.append(line)
            blanks = 0
        else:
            blanks += 1
    return "\n".join(out)


def _names(mail: ParsedMail) -> list[str]:
    """Words of the writer's name, by which a signature is known."""
    if not mail.from_:
        return []
    return [word for word in mail.from_[0].display_name.lower().replace(",", " ").split() if len(word) > 2]


_POOR = (
    "html",
    "browser",
    "e-mail client",
    "email client",
    "mail program",
    "e-mail-programm",
    "mailprogramm",
)


def _html_is_better(segment: BodySegment) -> bool:
    """Plain text is preferred; unless there is none, or a note that the mail must be read as HTML."""
    text = (segment.text or "").strip()
    html = segment.html or ""
    if not text:
        return bool(html.strip())
    if len(text) < 400 and len(html) > 4 * len(text):
        lower = text.lower()
        if any(word in lower for word in _POOR) and ("http" not in lower or len(text) < 200):
            return True
    head = text[:300].lower()
    return head.startswith(("<html", "<!doctype html", "<div", "<table", "<p>", "<body"))


def _without_armour(text: str) -> str:
    """A text signed with PGP in the clear, without its armour (RFC 4880 §7). Dash escapes are undone."""
    begin = text.find("-----BEGIN PGP SIGNED MESSAGE-----")
    if begin < 0:
        return text
    signature = text.find("-----BEGIN PGP SIGNATURE-----", begin)
    if signature < 0:
        return text
    tail_end = text.find("-----END PGP SIGNATURE-----", signature)
    header_end = text.find("\n\n", begin)
    if header_end < 0 or header_end > signature:
        return text
    body = text[header_end + 2 : signature]
    body = "\n".join(line[2:] if line.startswith("- ") else line for line in body.split("\n"))
    tail = text[tail_end + len("-----END PGP SIGNATURE-----") :] if tail_end >= 0 else ""
    return text[:begin] + body + tail
