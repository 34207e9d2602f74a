"""An answer as a mail program writes it: quote below or above, In-Reply-To, To = Reply-To. Pure."""

from __future__ import annotations

from datetime import datetime
from email.message import EmailMessage
from email.policy import SMTP

from depesche.mailformat.addresses import Address
from depesche.mailformat.parse import ParsedMail

_ATTRIBUTION = {"en": "On {date}, {name} wrote:", "de": "Am {date} schrieb {name}:"}


def answer_address(mail: ParsedMail) -> Address | None:
    """Whom a mail program answers: Reply-To, else From."""
    return next(iter(mail.reply_to or mail.from_), None)


def build_answer(
    mail: ParsedMail,
    *,
    author: str,
    text: str,
    quote: bool,
    language: str,
    date: datetime,
    message_id: str,
) -> bytes | None:
    """The raw answer, or None when the mail names nobody to answer. `author` is an address."""
    to = answer_address(mail)
    if to is None:
        return None
    answer = EmailMessage(policy=SMTP)
    answer["From"] = author
    answer["To"] = to.addr_spec
    answer["Subject"] = mail.subject if mail.subject.lower().startswith("re:") else f"Re: {mail.subject}"
    answer["Date"] = date
    answer["Message-ID"] = message_id
    if mail.message_id:
        answer["In-Reply-To"] = mail.message_id
        answer["References"] = " ".join([*mail.references, mail.message_id])
    answer.set_content("\n".join(_lines(mail, text, quote=quote, language=language)) + "\n")
    return answer.as_bytes()


def build_new(*, author: str, to: str, subject: str, text: str, date: datetime, message_id: str) -> bytes:
    """A new mail, as somebody writes it to the system address."""
    mail = EmailMessage(policy=SMTP)
    mail["From"] = author
    mail["To"] = to
    mail["Subject"] = " ".join(subject.split())
    mail["Date"] = date
    mail["Message-ID"] = message_id
    mail.set_content(text.rstrip() + "\n")
    return mail.as_bytes()


def _lines(mail: ParsedMail, text: str, *, quote: bool, language: str) -> list[str]:
    lines = text.rstrip().splitlines()
    if not quote:
        return lines
    who = next(iter(mail.from_), None)
    name = (who.display_name or who.addr_spec) if who else ""
    moment = mail.date
    written = (
        moment.strftime("%d.%m.%Y %H:%M" if language == "de" else "%d %B %Y at %H:%M") if moment else "?"
    )
    attribution = _ATTRIBUTION.get(language, _ATTRIBUTION["en"]).format(date=written, name=name)
    return [*lines, "", attribution, *(f"> {line}".rstrip() for line in (mail.text or "").splitlines())]
