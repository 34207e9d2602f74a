"""Mails that come in: which are answers of whom to what, which are new items, which are neither.

    our own, automatic, bulk, a report, no sender      -> ignored, never answered
    a thread, and From is that person's own address    -> a comment
    a thread, but its author not proven                -> held, with a proposal
    no thread, items by mail on, a known From          -> an item, marked unverified
    everything else                                    -> rejected, with one polite answer a day

The author of a mailed comment is known by token *and* address: the token alone may have been forwarded, the
address alone may be forged.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import translation
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop, ngettext

from depesche.mailformat.addresses import Address
from depesche.mailformat.classify import Kind
from depesche.mailformat.reply_text import ReplyText, reply_text
from depesche.mailroom.connections import actions as connection_actions
from depesche.mailroom.connections import queries as connections
from depesche.mailroom.inbox.handlers import Handled, IncomingMail, Sentence
from depesche.mailroom.inbox.models import Outcome
from depesche.tracker.accounts import queries as accounts
from depesche.tracker.accounts.models import Person
from depesche.tracker.correspondence import envelope, known, polite
from depesche.tracker.correspondence.polite import Refusal
from depesche.tracker.items import actions, queries
from depesche.tracker.items import attachments as files
from depesche.tracker.items.attachments import NewAttachment
from depesche.tracker.items.models import HowKnown, Item, Via, Workspace
from depesche.tracker.threads import addresses as threads
from depesche.tracker.threads.addresses import Thread, ThreadAddresses

_ROOM: Final = 1000  # characters left for our own remarks below a text that fills the field


@dataclass(frozen=True)
class _Sender:
    """Who wrote a mail, as far as its From says so. `person` is who that address belongs to, if anybody."""

    address: Address
    person: Person | None


class CorrespondenceHandler:
    """The last handler: it takes every mail that reaches it."""

    def handle(self, mail: IncomingMail) -> Handled | None:
        own = threads.addresses()
        if envelope.is_our_own(mail, own):
            return Handled(Outcome.IGNORED, Sentence(gettext_noop("A mail that Depesche itself wrote.")))
        if mail.reading.kind is not Kind.PERSONAL:
            return Handled(Outcome.IGNORED, _why_not_personal(mail))
        if mail.envelope_sender == "":
            return Handled(
                Outcome.IGNORED, Sentence(gettext_noop("A mail with the null sender: written by a program."))
            )
        if own.tagged is False and envelope.arrived_tagged(mail):
            connection_actions.note_tagged_address_seen(mail.received_at)
        named = envelope.named_threads(mail)
        address = envelope.writer(mail)
        if address is None:
            return _without_author(mail, named)
        sender = _Sender(address, accounts.person_by_address(address.addr_spec))
        if sender.person is not None and not sender.person.is_active:
            return Handled(
                Outcome.REJECTED, Sentence(gettext_noop("The account of the sender is deactivated."))
            )
        if named:
            return self._answer(mail, named, sender, own)
        return self._new_mail(mail, sender, own)

    def accept_held(self, mail: IncomingMail, proposal: Mapping[str, Any]) -> Handled:
        """Take a held mail as a comment, as the proposal says. Rights and state of today decide."""
        item = queries.item(int(proposal.get("item") or 0))
        author = accounts.person(int(proposal.get("author") or 0))
        if item is None or author is None:
            return Handled(
                Outcome.REJECTED,
                Sentence(gettext_noop("The item or the proposed author is not there any more.")),
            )
        written_by = envelope.writer(mail)
        stranger = written_by is None or not accounts.owns_address(author.pk, written_by.addr_spec)
        return _comment(
            mail,
            item,
            author,
            how_known=HowKnown.ACCEPTED,
            whole=bool(proposal.get("whole")),
            remark=_written_by(mail) if stranger else "",
        )

    def _answer(
        self, mail: IncomingMail, named: Sequence[Thread], sender: _Sender, own: ThreadAddresses
    ) -> Handled:
        person = sender.person
        thread = next((one for one in named if person is not None and one.person_id == person.pk), None)
        if thread is None or person is None:
            return _held(mail, named, sender)
        item = queries.item(thread.item_id)
        if item is None:
            return Handled(
                Outcome.REJECTED, Sentence(gettext_noop("The item that it answers is not there any more."))
            )
        if not queries.may_read(person, item):
            polite.answer(mail, Refusal.NOT_ALLOWED, own=own, speaks=person.language, item=item.key)
            reason = Sentence(gettext_noop("The sender is not a member of the workspace of the item."))
            return Handled(Outcome.REJECTED, reason, item=item.key)
        return _comment(mail, item, person, how_known=HowKnown.TOKEN)

    def _new_mail(self, mail: IncomingMail, sender: _Sender, own: ThreadAddresses) -> Handled:
        person = sender.person
        if person is None:
            polite.answer(mail, Refusal.NOT_KNOWN, own=own)
            return Handled(
                Outcome.REJECTED,
                Sentence(
                    gettext_noop("Nobody with the address %(address)s is known."),
                    address=sender.address.addr_spec,
                ),
            )
        held = _held_by_subject(mail, person)
        if held is not None:
            return held
        if not connections.outgoing().items_by_mail:
            polite.answer(mail, Refusal.NO_ITEMS, own=own, speaks=person.language)
            return Handled(
                Outcome.REJECTED,
                Sentence(gettext_noop("It answers no mail of ours, and items by mail are off.")),
            )
        workspace = _workspace_for(person)
        if workspace is None:
            polite.answer(mail, Refusal.NO_WORKSPACE, own=own, speaks=person.language)
            return Handled(
                Outcome.REJECTED, Sentence(gettext_noop("The sender is a member of no workspace."))
            )
        return _item(mail, workspace, person)


# --- deciding -----------------------------------------------------------------------------------------------


def _why_not_personal(mail: IncomingMail) -> Sentence:
    """What it is instead, and the sign by which that is known."""
    message = {
        Kind.AUTOMATIC: gettext_noop("An automatic mail (%(sign)s)."),
        Kind.BULK: gettext_noop("A mail to many (%(sign)s)."),
    }.get(mail.reading.kind, gettext_noop("A delivery report (%(sign)s)."))
    return Sentence(message, sign=mail.reading.reason)


def _without_author(mail: IncomingMail, named: Sequence[Thread]) -> Handled:
    """No From, or several: nobody's word. Where it answers something, a person may still want it."""
    authors = mail.reading.mail.from_
    if not authors or not named:
        return Handled(
            Outcome.IGNORED,
            Sentence(
                gettext_noop("It names several senders.") if authors else gettext_noop("It names no sender.")
            ),
        )
    return _held(mail, named, _Sender(authors[0], None))


def _held(mail: IncomingMail, named: Sequence[Thread], sender: _Sender) -> Handled:
    """A thread, but not the address of the person whom it was opened for: forwarded, another address, or
    forged."""
    for thread in sorted(named, key=lambda one: one.person_id is None):
        item = queries.item(thread.item_id)
        if item is None:
            continue
        opened_for = accounts.person(thread.person_id) if thread.person_id is not None else None
        by_address = sender.person if sender.person and queries.may_read(sender.person, item) else None
        author = by_address or (opened_for if opened_for and queries.may_read(opened_for, item) else None)
        if author is None:
            continue
        if by_address is not None:
            reason = Sentence(
                gettext_noop("From the address of %(name)s, but in answer to a mail to somebody else."),
                name=by_address.name,
            )
        else:
            reason = Sentence(
                gettext_noop("In answer to a mail to %(name)s, but from another address: %(address)s."),
                name=author.name,
                address=sender.address.addr_spec,
            )
        return Handled(
            Outcome.HELD, reason, item=item.key, text=mail.reading.text, proposal=_proposal(item, author)
        )
    return Handled(
        Outcome.REJECTED,
        Sentence(gettext_noop("It answers a mail about an item that its writer may not read.")),
    )


def _held_by_subject(mail: IncomingMail, person: Person) -> Handled | None:
    """An answer whose mail program dropped every trace of ours but the subject: rather held than made a new
    item."""
    subject = mail.reading.mail.subject
    key = envelope.key_in_subject(subject)
    item = queries.readable_item(person, key) if key and envelope.is_reply(subject) else None
    if item is None:
        return None
    reason = Sentence(
        gettext_noop(
            "Its subject names %(item)s, but it answers no mail of ours; the address alone says who wrote it."
        ),
        item=item.key,
    )
    return Handled(
        Outcome.HELD, reason, item=item.key, text=mail.reading.text, proposal=_proposal(item, person)
    )


def _proposal(item: Item, author: Person, *, whole: bool = False) -> dict[str, Any]:
    return {
        "action": "comment",
        "item": item.pk,
        "author": author.pk,
        "author_name": author.name,
        "whole": whole,
    }


def _workspace_for(person: Person) -> Workspace | None:
    """The default workspace where the person is a member of it, else the first of theirs."""
    default = queries.default_workspace()
    if default is not None and queries.is_member(person, default):
        return default
    return queries.workspaces_of(person).order_by("id").first()


# --- doing --------------------------------------------------------------------------------------------------


def _comment(
    mail: IncomingMail, item: Item, author: Person, *, how_known: str, whole: bool = False, remark: str = ""
) -> Handled:
    parsed = mail.reading.mail
    if parsed.is_encrypted:
        reason = Sentence(gettext_noop("It is encrypted, and nobody here has the key."))
        return Handled(Outcome.HELD, reason, item=item.key, proposal=_proposal(item, author))
    answer = reply_text(parsed, known_texts=known.sent_texts(parsed))
    text, cut = (f"{answer.text}\n\n{answer.cut}".strip(), "") if whole else (answer.text, answer.cut)
    kept, left_out = _files(mail)
    if not text.strip() and not kept:
        reason = Sentence(gettext_noop("Nothing is left of it without the quoted text."))
        if not cut.strip():
            return Handled(Outcome.IGNORED, Sentence(gettext_noop("There is nothing in it.")), item=item.key)
        return Handled(Outcome.HELD, reason, item=item.key, proposal=_proposal(item, author, whole=True))
    with translation.override(author.language):
        text, cut = _fitting(text, cut)
        text = "\n\n".join(part for part in (remark, text, _left_out(left_out)) if part)
    try:
        comment = actions.add_comment(
            item,
            author=author,
            text=text,
            cut=cut,
            attachments=kept,
            via=Via.MAIL,
            received=mail.received_id,
            how_known=how_known,
        )
    except ValidationError as refusal:
        return Handled(Outcome.REJECTED, " ".join(refusal.messages), item=item.key, text=text)
    reason = Sentence(gettext_noop("A comment by %(name)s."), name=author.name)
    return Handled(Outcome.COMMENT, reason, item=item.key, comment=comment.pk, text=text)


def _item(mail: IncomingMail, workspace: Workspace, author: Person) -> Handled:
    parsed = mail.reading.mail
    answer = _letter_of(mail)
    kept, left_out = _files(mail)
    with translation.override(author.language):
        title = envelope.title_of(parsed.subject) or _first_line(answer.text) or _("(no subject)")
        text, _cut = _fitting(answer.text, "")
        text = "\n\n".join(part for part in (text, _left_out(left_out)) if part)
    try:
        with transaction.atomic():
            item = actions.create_item(
                workspace,
                author=author,
                title=title[: actions.MAX_TITLE],
                description=text,
                attachments=kept,
                via=Via.MAIL,
                received=mail.received_id,
                how_known=HowKnown.ADDRESS,
            )
    except ValidationError as refusal:
        return Handled(Outcome.REJECTED, " ".join(refusal.messages), text=text)
    reason = Sentence(gettext_noop("A new item by %(name)s, known by the address alone."), name=author.name)
    return Handled(Outcome.ITEM, reason, item=item.key, text=text)


def _letter_of(mail: IncomingMail) -> ReplyText:
    """The words of a new mail. A mail that is all quote (somebody forwards it) is taken whole."""
    answer = reply_text(mail.reading.mail)
    if answer.text.strip() or not answer.cut.strip():
        return answer
    return ReplyText(answer.cut, "", answer.had_quote, answer.had_signature, answer.from_html)


def _first_line(text: str) -> str:
    return next((line.strip()[:120] for line in text.splitlines() if line.strip()), "")


def _files(mail: IncomingMail) -> tuple[list[NewAttachment], list[NewAttachment]]:
    return files.within_limits(
        [
            NewAttachment(file.filename, file.content_type, file.data, file.content_id or "")
            for file in mail.reading.attachments
        ]
    )


def _fitting(text: str, cut: str) -> tuple[str, str]:
    """A text that is longer than a comment may be goes on in what was cut: nothing is lost."""
    room = actions.MAX_TEXT - _ROOM
    return (text, cut) if len(text) <= room else (text[:room] + " …", f"{text[room:]}\n\n{cut}")


def _left_out(left_out: Sequence[NewAttachment]) -> str:
    if not left_out:
        return ""
    names = ", ".join(files.safe_filename(file.filename) for file in left_out[:5])
    return "*" + ngettext(
        "One file was too large and was left out: %(names)s",
        "%(number)d files were too large or too many and were left out: %(names)s",
        len(left_out),
    ) % {"names": names, "number": len(left_out)} + "*"  # fmt: skip


def _written_by(mail: IncomingMail) -> str:
    """Above a comment that a person accepted, but that its author's own address did not write."""
    names = ", ".join(str(author) for author in mail.reading.mail.from_[:3])
    return "*" + _("Written from %(address)s:") % {"address": names} + "*" if names else ""
