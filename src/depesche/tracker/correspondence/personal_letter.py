"""The words of a mail that a person writes from an item: theirs, and at most where it stands and what it
answers.

It looks like a mail that somebody wrote, not like a notice: no frame, no button, nothing that leads to
pages for which its reader has no sign-in.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from django.template.loader import render_to_string
from django.utils import timezone, translation
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from depesche.mailformat.addresses import Address
from depesche.mailformat.characters import one_line
from depesche.tracker.accounts import letter
from depesche.tracker.accounts.models import Person
from depesche.tracker.correspondence.models import MailTemplate
from depesche.tracker.items import changes as changing
from depesche.tracker.items.attachments import NewAttachment
from depesche.tracker.items.markdown import as_text, to_mail_html
from depesche.tracker.items.models import Item

_MOST_QUOTED: Final = 10_000  # characters


@dataclass(frozen=True)
class Mail:
    """What somebody wants to write. `text` is Markdown; `files` are new ones, `attachments` those of the
    item that the writer chose; `details`: state and due date go along; `quote`: so does the last word of
    the thread."""

    to: Sequence[Address]
    subject: str
    text: str
    cc: Sequence[Address] = ()
    language: str = "en"
    details: bool = False
    quote: bool = False
    attachments: Sequence[int] = ()
    files: Sequence[NewAttachment] = ()


@dataclass(frozen=True)
class Earlier:
    """What is quoted; `message_id` of the mail it came by, "" where it was none."""

    who: str
    at: datetime
    text: str
    message_id: str


@dataclass(frozen=True)
class Said:
    """Subject, text part and HTML part."""

    subject: str
    text: str
    html: str


def write(item: Item, author: Person, mail: Mail, earlier: Earlier | None) -> Said:
    """In the language of the mail."""
    with translation.override(mail.language):
        facts = _facts(item) if mail.details else []
        quoted = earlier.text[:_MOST_QUOTED].strip() if earlier is not None else ""
        opening = _opening(earlier) if earlier is not None else ""
        parts = ["\n".join(letter.wrap(as_text(mail.text.strip())))]
        if facts:
            width = max(len(name) for name, _value in facts) + 2
            parts.append("\n".join(f"{name + ':':<{width}}{value}" for name, value in facts))
        if quoted:
            lines = [f"> {line}".rstrip() for line in letter.wrap(as_text(quoted), letter.WIDTH - 2)]
            parts.append("\n".join([opening, *lines]))
        context = {
            "language": mail.language,
            "words": to_mail_html(mail.text),
            "facts": facts,
            "opening": opening,
            "quoted": to_mail_html(quoted) if quoted else "",
        }
        html = render_to_string("depesche/mails/personal.html", context)
    return Said(" ".join(one_line(mail.subject).split())[:250], "\n\n".join(parts) + "\n", html)


def subject_for(item: Item) -> str:
    """`[NW-482] Coolant pump P-7`: what a mail from this item begins with."""
    return f"[{item.key}] {item.title}"[:250]


def filled(template: MailTemplate, item: Item, author: Person) -> tuple[str, str]:
    """Subject and text of a template, its names replaced; unknown ones stay as they are."""
    with translation.override(template.language):
        values = {
            "item": item.key,
            "title": item.title,
            "state": changing.value_in_words("state", item.state, {}),
            "name": author.name,
        }
    subject, text = template.subject or subject_for(item), template.text
    for name, value in values.items():
        subject, text = subject.replace(f"{{{name}}}", value), text.replace(f"{{{name}}}", value)
    return subject, text


def _facts(item: Item) -> list[tuple[str, str]]:
    facts = [
        (_("Item"), f"{item.key} {item.title}"),
        (_("State"), changing.value_in_words("state", item.state, {})),
    ]
    if item.due is not None:
        facts.append((_("Due"), changing.date_in_words(item.due)))
    return facts


def _opening(earlier: Earlier) -> str:
    day = date_format(timezone.localtime(earlier.at), pgettext("date format", "j F Y"))
    return _("On %(date)s, %(name)s wrote:") % {"date": day, "name": earlier.who}
