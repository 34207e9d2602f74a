"""What a mail does to items: its words become a comment or an item, its first lines change it where that is
wanted, its files are kept.

Whoever wrote it and whether that is certain has been decided before.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import translation
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from depesche.mailformat.reply_text import ReplyText, reply_text
from depesche.mailroom.inbox.handlers import Handled, IncomingMail, Sentence
from depesche.mailroom.inbox.models import Outcome
from depesche.tracker.accounts import queries as accounts
from depesche.tracker.accounts.models import Person
from depesche.tracker.correspondence import carrying_out, envelope, known, mail_files, polite
from depesche.tracker.correspondence.authorship import Token
from depesche.tracker.correspondence.evidence import Sender
from depesche.tracker.correspondence.mail_files import LeftOut
from depesche.tracker.correspondence.models import MailedIn
from depesche.tracker.correspondence.polite import Refusal
from depesche.tracker.correspondence.rules import Rules
from depesche.tracker.items import actions
from depesche.tracker.items import attachments as files
from depesche.tracker.items.attachments import NewAttachment
from depesche.tracker.items.models import HowKnown, Item, Via, Workspace
from depesche.tracker.threads import actions as threads
from depesche.tracker.threads.addresses import ThreadAddresses

_ROOM: Final = 1000  # characters left for our own remarks below a text that fills the field
_STRONG: Final = frozenset({HowKnown.TOKEN, HowKnown.TOKEN_CHECKED, HowKnown.CHECKED})
_CID: Final = re.compile(r"(?<!\()\[(?:cid|image):\s?([^\]\s][^\]\n]{0,200})\]")


@dataclass(frozen=True)
class Author:
    """In whose name a mail has its effect, and how that is known. `accepted_by`: who decided it."""

    person: Person
    how_known: HowKnown
    sender: Sender
    token: Token
    accepted_by: str = ""

    @property
    def speaks(self) -> str:
        return self.person.language


def comment(
    mail: IncomingMail, item: Item, author: Author, *, rules: Rules, own: ThreadAddresses, whole: bool = False
) -> Handled:
    """The mail becomes a comment; held where nothing in it can be read, ignored where there is nothing."""
    parsed = mail.reading.mail
    encrypted = parsed.is_encrypted
    if encrypted and not author.accepted_by:
        reason = Sentence(gettext_noop("It is encrypted, and nobody here has the key."))
        return Handled(Outcome.HELD, reason, item=item.key, proposal=proposal(item, [author.person]))
    answer = reply_text(parsed, known_texts=known.sent_texts(parsed))
    text, cut = (f"{answer.text}\n\n{answer.cut}".strip(), "") if whole else (answer.text, answer.cut)
    found = mail_files.sort([_encrypted(mail)] if encrypted else _files(mail), rules)
    with translation.override(author.speaks):
        orders = carrying_out.plan(
            text if rules.commands and author.how_known in _STRONG else "", author.person, item
        )
        text = text if not orders.found else orders.text
        if encrypted:
            text = "*" + _("An encrypted mail; whoever has its key can read the file.") + "*"
        if not text.strip() and not found.kept and not orders.found:
            if not cut.strip():
                return Handled(
                    Outcome.IGNORED, Sentence(gettext_noop("There is nothing in it.")), item=item.key
                )
            reason = Sentence(gettext_noop("Nothing is left of it without the quoted text."))
            return Handled(
                Outcome.HELD, reason, item=item.key, proposal=proposal(item, [author.person], whole=True)
            )
        text, cut = _fitting(_with_pictures(text, found.kept), cut)
        remarks = [_written_by(author), text, *orders.remarks, _left_out(found.left_out, rules)]
        text = "\n\n".join(part for part in remarks if part)
    try:
        handled = _write(mail, item, author, text, cut, found.kept, orders.fields)
    except ValidationError as refusal:
        return Handled(Outcome.REJECTED, " ".join(refusal.messages), item=item.key, text=text)
    _answer_what_was_not_done(mail, author, found.left_out, orders.remarks, rules, own=own, item=item.key)
    return handled


def _write(
    mail: IncomingMail,
    item: Item,
    author: Author,
    text: str,
    cut: str,
    kept: Sequence[NewAttachment],
    fields: dict[str, Any],
) -> Handled:
    person = author.person
    if not text and not kept:  # commands alone
        event = actions.change_item(item, actor=person, via=Via.MAIL, **fields)
        message = gettext_noop("A change by %(name)s.") if event else gettext_noop("It changes nothing.")
        outcome = Outcome.COMMENT if event else Outcome.IGNORED
        return Handled(outcome, Sentence(message, name=person.name), item=item.key)
    made = actions.add_comment(
        item,
        author=person,
        text=text,
        cut=cut,
        attachments=kept,
        via=Via.MAIL,
        received=mail.received_id,
        how_known=author.how_known,
        fields=fields,
        by_mail=True,
    )
    MailedIn.objects.bulk_create([MailedIn(comment=made, **_how(mail, author))], ignore_conflicts=True)
    threads.link(mail.reading.mail.message_id, item)
    reason = Sentence(gettext_noop("A comment by %(name)s."), name=person.name)
    return Handled(Outcome.COMMENT, reason, item=item.key, comment=made.pk, text=text)


def new_item(
    mail: IncomingMail, workspace: Workspace, author: Author, *, rules: Rules, own: ThreadAddresses
) -> Handled:
    """The mail becomes an item; held where it is encrypted."""
    parsed = mail.reading.mail
    person = author.person
    if parsed.is_encrypted and not author.accepted_by:
        reason = Sentence(gettext_noop("It is encrypted, and nobody here has the key."))
        held = {
            "action": "item",
            "workspace": workspace.pk,
            "authors": [person.pk],
            "address": author.sender.address.addr_spec,
        }
        return Handled(Outcome.HELD, reason, proposal=held)
    answer = _letter_of(mail)
    found = mail_files.sort([_encrypted(mail)] if parsed.is_encrypted else _files(mail), rules)
    with translation.override(author.speaks):
        title = envelope.title_of(parsed.subject) or _first_line(answer.text) or _("(no subject)")
        text = _with_pictures(answer.text, found.kept)
        if parsed.is_encrypted:
            text = "*" + _("An encrypted mail; whoever has its key can read the file.") + "*"
        text, _cut = _fitting(text, "")
        remarks = [_written_by(author), text, _left_out(found.left_out, rules)]
        text = "\n\n".join(part for part in remarks if part)
    try:
        with transaction.atomic():
            item = actions.create_item(
                workspace,
                author=person,
                title=title[: actions.MAX_TITLE],
                description=text,
                attachments=found.kept,
                via=Via.MAIL,
                received=mail.received_id,
                how_known=author.how_known,
                by_mail=True,
            )
    except ValidationError as refusal:
        return Handled(Outcome.REJECTED, " ".join(refusal.messages), text=text)
    MailedIn.objects.bulk_create([MailedIn(item=item, **_how(mail, author))], ignore_conflicts=True)
    threads.link(parsed.message_id, item)
    if found.left_out:
        _answer_what_was_not_done(mail, author, found.left_out, (), rules, own=own, item=item.key)
    elif person.is_guest:
        polite.answer(
            mail, Refusal.TAKEN, own=own, speaks=author.speaks, item=item.key, thread=(item.pk, person.pk)
        )
    message = {
        HowKnown.ADDRESS: gettext_noop("A new item by %(name)s, known by the address alone."),
    }.get(author.how_known, gettext_noop("A new item by %(name)s."))
    return Handled(Outcome.ITEM, Sentence(message, name=person.name), item=item.key, text=text)


def proposal(item: Item, authors: Iterable[Person], *, whole: bool = False) -> dict[str, Any]:
    """What is kept with a held mail: the comment that it may become, the likeliest author first."""
    people = list(dict.fromkeys(authors))
    return {
        "action": "comment",
        "item": item.pk,
        "authors": [person.pk for person in people],
        "author": people[0].pk if people else None,
        "author_name": people[0].name if people else "",
        "whole": whole,
    }


def _how(mail: IncomingMail, author: Author) -> dict[str, Any]:
    return {
        "received": mail.received_id,
        "from_address": ", ".join(author.sender.names)[:400],
        "token": author.token.value,
        "check_result": author.sender.check.value,
        "check_by": author.sender.check_by,
        "check_said": author.sender.check_said,
        "accepted_by": author.accepted_by[:200],
    }


def _letter_of(mail: IncomingMail) -> ReplyText:
    """The words of a new mail. A mail that is all quote (somebody forwards it) is taken whole."""
    answer = reply_text(mail.reading.mail)
    if answer.text.strip() or not answer.cut.strip():
        return answer
    return ReplyText(answer.cut, "", answer.had_quote, answer.had_signature, answer.from_html)


def _first_line(text: str) -> str:
    return next((line.strip()[:120] for line in text.splitlines() if line.strip()), "")


def _files(mail: IncomingMail) -> list[NewAttachment]:
    return [
        NewAttachment(file.filename, file.content_type, file.data, file.content_id or "")
        for file in mail.reading.attachments
    ]


def _encrypted(mail: IncomingMail) -> NewAttachment:
    return NewAttachment("encrypted.eml", "message/rfc822", mail.raw)


def _with_pictures(text: str, kept: Sequence[NewAttachment]) -> str:
    """`[cid:…]` and `[image: …]`, which mail programs write where a picture was, as the picture itself."""
    pictures = {file.content_id: file for file in kept if file.content_id}
    by_name = {file.filename: file for file in kept if file.content_id}

    def picture(match: re.Match[str]) -> str:
        file = pictures.get(match[1]) or by_name.get(match[1].strip())
        if file is None:
            return match[0]
        name = files.safe_filename(file.filename).replace("[", "(").replace("]", ")")
        return f"![{name}](cid:{file.content_id})"

    return _CID.sub(picture, text) if pictures else text


def _fitting(text: str, cut: str) -> tuple[str, str]:
    """A text that is longer than a comment may be goes on in what was cut: nothing is lost."""
    room = actions.MAX_TEXT - _ROOM
    return (text, cut) if len(text) <= room else (text[:room] + " …", f"{text[room:]}\n\n{cut}")


def _left_out(left_out: Sequence[tuple[NewAttachment, LeftOut]], rules: Rules) -> str:
    """One sentence for each reason, in the language in force."""
    said = []
    for why in LeftOut:
        names = [files.safe_filename(file.filename) for file, one in left_out if one is why]
        if not names:
            continue
        shown = ", ".join(names[:5]) + (" …" if len(names) > 5 else "")
        said.append(
            {
                LeftOut.TYPE: _("Left out, since files of this type are not taken: %(names)s"),
                LeftOut.SIZE: _("Left out, since they are larger than %(most)d MB: %(names)s"),
                LeftOut.COUNT: _("Left out, since a mail may bring at most %(count)d files: %(names)s"),
            }[why]
            % {"names": shown, "most": rules.max_megabytes, "count": rules.max_files}
        )
    return "\n\n".join(f"*{sentence}*" for sentence in said)


def _answer_what_was_not_done(
    mail: IncomingMail,
    author: Author,
    left_out: Sequence[tuple[NewAttachment, LeftOut]],
    remarks: Sequence[str],
    rules: Rules,
    *,
    own: ThreadAddresses,
    item: str,
) -> None:
    """Tell the writer by mail what of theirs was not taken over; what was is on the page."""
    if author.accepted_by or not (left_out or remarks):
        return
    with translation.override(author.speaks):
        detail = "\n\n".join(part.replace("*", "") for part in [*remarks, _left_out(left_out, rules)] if part)
    polite.answer(mail, Refusal.PARTLY, own=own, speaks=author.speaks, item=item, detail=detail)


def _written_by(author: Author) -> str:
    """Above words that a person accepted, but that their author's own address did not write."""
    sender = author.sender
    if not author.accepted_by or not sender.names:
        return ""
    if not sender.several and accounts.owns_address(author.person.pk, sender.address.addr_spec):
        return ""
    return "*" + _("Written from %(address)s:") % {"address": ", ".join(sender.names)} + "*"
