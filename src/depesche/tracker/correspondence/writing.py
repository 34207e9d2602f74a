"""A mail that a person writes from an item to anybody (M5): what goes out, and how it is kept.

It is a comment of its writer, so that the colleagues read it and hear of it; each recipient gets a copy
with a reply address of their own, and is from then on a guest of the item (or the person who has that
address). Comment, guests and mails are one transaction.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from depesche.mailformat import compose
from depesche.mailformat.addresses import Address
from depesche.mailformat.compose import Draft
from depesche.mailroom.connections import queries as connections
from depesche.mailroom.inbox import queries as inbox
from depesche.mailroom.outbox import actions as outbox
from depesche.mailroom.outbox.actions import Category, NewMessage, NewRecipient, SenderKind
from depesche.tracker.accounts import actions as accounts
from depesche.tracker.accounts import queries as people_queries
from depesche.tracker.accounts.models import Person
from depesche.tracker.correspondence import envelope, personal_letter, visibility
from depesche.tracker.correspondence.models import MailedTo
from depesche.tracker.correspondence.personal_letter import Earlier, Mail
from depesche.tracker.correspondence.visibility import Word
from depesche.tracker.items import actions as items
from depesche.tracker.items import attachments as files
from depesche.tracker.items import queries
from depesche.tracker.items.models import Attachment, Comment, Item
from depesche.tracker.threads import addresses as threads

MOST_RECIPIENTS: Final = 50
_MOST_QUOTED: Final = 1  # what came before it stands in the recipient's own mailbox


@dataclass(frozen=True)
class Preview:
    """What will go out. `reply_to` is "" where answers cannot reach us."""

    subject: str
    text: str
    html: str
    files: Sequence[str]
    quoted: bool


def preview(item: Item, author: Person, mail: Mail) -> Preview:
    """The words of the mail as they will go out; nothing is written. Raises ValidationError."""
    _check(item, author, mail)
    chosen = _chosen(item, mail)
    known = [people_queries.person_by_address(address.addr_spec) for address in (*mail.to, *mail.cc)]
    people = [person.pk for person in known if person is not None]
    earlier = _earlier(item, people) if mail.quote and len(people) == len(known) else None
    said = personal_letter.write(item, author, mail, earlier)
    names = [file.filename for file in chosen] + [file.filename for file in mail.files]
    return Preview(said.subject, said.text, said.html, names, quoted=earlier is not None)


def write(item: Item, author: Person, mail: Mail, *, now: datetime) -> Comment:
    """Write it: the comment, and a mail to each recipient, durably. Raises ValidationError."""
    _check(item, author, mail)
    own = threads.addresses()
    settings = connections.outgoing()
    chosen = _chosen(item, mail)
    with transaction.atomic():
        people = _recipients(mail, now)
        comment = items.add_comment(item, author=author, text=mail.text, attachments=mail.files, now=now)
        earlier = _earlier(item, [person.pk for person, *_ in people]) if mail.quote else None
        said = personal_letter.write(item, author, mail, earlier)
        root = threads.root_id(item.pk)
        answered = earlier.message_id if earlier is not None else ""
        sent = [*chosen, *Attachment.objects.filter(comment=comment).order_by("id")]
        content = compose.compose(
            Draft(
                subject=said.subject,
                text=said.text,
                html=said.html,
                date=now,
                attachments=tuple(
                    compose.Attachment(file.filename, file.content_type, bytes(file.data)) for file in sent
                ),
                in_reply_to=answered or root,
                references=(root, *((answered,) if answered else ())),
                charset=settings.charset,
            ),
            boundary=secrets.token_hex(12),
        )
        message = NewMessage(
            category=Category.MAIL,
            content=content,
            subject=said.subject,
            sender=SenderKind.USER,
            author_name=author.name,
            author_address=author.email,
            item=item.key,
        )
        copies = []
        for person, address, _is_copy in people:
            message_id = own.message_id(item.pk, person.pk, f"m{secrets.token_hex(8)}", now=now)
            header = compose.personal_headers(
                to=mail.to,
                cc=mail.cc,
                message_id=message_id,
                reply_to=own.reply_address(item.pk, person.pk, now=now),
                charset=settings.charset,
            )
            copies.append(NewRecipient(address.addr_spec, message_id, header, str(person.pk)))
        queued = outbox.enqueue(message, copies, now=now)
        MailedTo.objects.bulk_create(
            MailedTo(
                comment=comment,
                item=item,
                person=person,
                address=str(address)[:320],
                is_copy=is_copy,
                recipient=recipient,
            )
            for (person, address, is_copy), recipient in zip(people, queued, strict=True)
        )
    return comment


def _check(item: Item, author: Person, mail: Mail) -> None:
    if not queries.may_read(author, item):
        raise ValidationError(_("You are not a member of the workspace of this item."))
    if not mail.to:
        raise ValidationError({"to": _("Enter at least one address.")})
    if len(mail.to) + len(mail.cc) > MOST_RECIPIENTS:
        raise ValidationError({"to": _("At most %(number)d recipients.") % {"number": MOST_RECIPIENTS}})
    if not mail.text.strip():
        raise ValidationError({"text": _("Write something.")})
    if not mail.subject.strip():
        raise ValidationError({"subject": _("Enter a subject.")})
    system = threads.addresses().system
    for name, addresses in (("to", mail.to), ("cc", mail.cc)):
        for address in addresses:
            if system is not None and envelope.is_address(address, system):
                raise ValidationError({name: _("This is the address of the tracker itself.")})
            person = people_queries.person_by_address(address.addr_spec)
            if person is not None and not person.is_active:
                raise ValidationError({name: _("%(name)s is deactivated.") % {"name": person.name}})


def _chosen(item: Item, mail: Mail) -> list[Attachment]:
    """The files of the item that the writer chose; one of another item is none."""
    found = list(Attachment.objects.filter(item=item, pk__in=mail.attachments).order_by("id"))
    if len(found) != len(set(mail.attachments)):
        raise ValidationError({"attachments": _("One of the files is not there any more.")})
    if sum(file.size for file in found) + sum(len(file.data) for file in mail.files) > files.MAX_TOTAL:
        raise ValidationError(
            {
                "attachments": _("The files are larger than %(megabytes)d MB together.")
                % {"megabytes": files.MAX_TOTAL // 1024 // 1024}
            }
        )
    return found


def _recipients(mail: Mail, now: datetime) -> list[tuple[Person, Address, bool]]:
    """Each person once, with the address that was written and whether it is a copy."""
    found: dict[int, tuple[Person, Address, bool]] = {}
    for is_copy, addresses in ((False, mail.to), (True, mail.cc)):
        for address in addresses:
            person = accounts.guest(address, language=mail.language, now=now)
            found.setdefault(person.pk, (person, address, is_copy))
    return list(found.values())


def words_of(item: Item) -> list[Word]:
    """The comments of an item, oldest first, as visibility.py judges them."""
    mailed: dict[int, set[int]] = {}
    for comment, person in MailedTo.objects.filter(item=item).values_list("comment_id", "person_id"):
        mailed.setdefault(comment, set()).add(person)
    files_of: dict[int, set[int]] = {}
    for file, comment in Attachment.objects.filter(item=item).values_list("pk", "comment_id"):
        files_of.setdefault(comment or 0, set()).add(file)
    description = Word(None, item.author_id, frozenset(), frozenset(files_of.get(0, ())))
    rows = Comment.objects.filter(item=item).order_by("created_at", "id").values_list("pk", "author_id")
    return [
        description,
        *(Word(pk, by, frozenset(mailed.get(pk, ())), frozenset(files_of.get(pk, ()))) for pk, by in rows),
    ]


def _earlier(item: Item, people: Sequence[int]) -> Earlier | None:
    """The last word of the thread of all these people, to be quoted."""
    own = visibility.thread_of(people, words_of(item))[-_MOST_QUOTED:]
    if not own:
        return None
    if own[0].comment is None:
        received, who, at, text = None, item.author, item.created_at, item.description
    else:
        comment = Comment.objects.select_related("author").get(pk=own[0].comment)
        received, who, at, text = comment.received, comment.author, comment.created_at, comment.text
    message_id = inbox.message_id(received) if received is not None else ""
    return Earlier(who.name, at, text, message_id)
