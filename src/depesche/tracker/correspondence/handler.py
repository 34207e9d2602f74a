"""Mails that come in: which are answers of whom to what, which are new items, which are neither.

    our own, automatic, bulk, a report, no sender      -> ignored, never answered
    a blocked sender                                   -> ignored
    it belongs to an item, its author is established   -> a comment
    it belongs to an item, its author is not           -> held, with what it may become
    none of them, from somebody known                  -> an item, held or refused, as the workspace wants it
    none of them, from a stranger                      -> refused, held, or a guest's item, as it wants

To which item a mail belongs is said by a signed reply address, by the mails that it answers (ours, whose
Message-IDs are signed, or others that became part of an item), or by its subject. What establishes an author
stands in authorship.py.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django.core.exceptions import ValidationError
from django.utils.translation import gettext_noop

from depesche.mailformat.classify import Kind
from depesche.mailroom.connections import actions as connection_actions
from depesche.mailroom.connections import queries as connections
from depesche.mailroom.inbox.handlers import Choice, Handled, IncomingMail, Sentence
from depesche.mailroom.inbox.models import Outcome
from depesche.tracker.accounts import actions as accounts
from depesche.tracker.accounts.models import Person
from depesche.tracker.correspondence import (
    blocking,
    effects,
    envelope,
    holding,
    language,
    participation,
    polite,
    trackers,
)
from depesche.tracker.correspondence import evidence as weighing
from depesche.tracker.correspondence.authorship import Check, Lack, Token, established
from depesche.tracker.correspondence.choices import NewItems, Strangers
from depesche.tracker.correspondence.effects import Author
from depesche.tracker.correspondence.evidence import Sender
from depesche.tracker.correspondence.polite import Refusal
from depesche.tracker.correspondence.rules import rules_for
from depesche.tracker.items import queries
from depesche.tracker.items.models import HowKnown, Item, Workspace
from depesche.tracker.threads import addresses as threads
from depesche.tracker.threads import queries as thread_queries
from depesche.tracker.threads.addresses import Thread, ThreadAddresses


class CorrespondenceHandler:
    """The last handler: it takes every mail that reaches it."""

    def handle(self, mail: IncomingMail) -> Handled | None:
        own = threads.addresses()
        ignored = _to_ignore(mail, own)
        if ignored is not None:
            return ignored
        if own.tagged is False and envelope.arrived_tagged(mail):
            connection_actions.note_tagged_address_seen(mail.received_at)
        named = envelope.named_threads(mail)
        sender = weighing.sender_of(mail)
        if sender is None:
            return Handled(Outcome.IGNORED, Sentence(gettext_noop("It names no sender.")))
        if sender.person is not None and not sender.person.is_active:
            return Handled(
                Outcome.REJECTED, Sentence(gettext_noop("The account of the sender is deactivated."))
            )
        item, by_subject = _item_of(mail, named, sender)
        if item is not None:
            return _answer(mail, item, named, sender, own, by_subject=by_subject)
        if named:
            return Handled(
                Outcome.REJECTED, Sentence(gettext_noop("The item that it answers is not there any more."))
            )
        if sender.several:
            return Handled(Outcome.IGNORED, Sentence(gettext_noop("It names several senders.")))
        return _new_mail(mail, sender, own)

    def choices(self, proposal: Mapping[str, Any]) -> Sequence[Choice]:
        """What a held mail may become today."""
        return holding.choices(proposal)

    def accept_held(
        self, mail: IncomingMail, proposal: Mapping[str, Any], *, choice: str = "", by: str = ""
    ) -> Handled:
        """Do with a held mail what a person chose. Rights and state of today decide."""
        return holding.accept(mail, proposal, choice=choice, by=by)


def _to_ignore(mail: IncomingMail, own: ThreadAddresses) -> Handled | None:
    """Mails that no person wrote to us, or that nobody wants."""
    if envelope.is_our_own(mail, own):
        return Handled(Outcome.IGNORED, Sentence(gettext_noop("A mail that Depesche itself wrote.")))
    if mail.reading.kind is not Kind.PERSONAL:
        return Handled(Outcome.IGNORED, _why_not_personal(mail))
    if mail.envelope_sender == "":
        return Handled(
            Outcome.IGNORED, Sentence(gettext_noop("A mail with the null sender: written by a program."))
        )
    mark = trackers.mark_of(mail.reading.mail)
    if mark:
        return Handled(
            Outcome.IGNORED, Sentence(gettext_noop("Another tracker wrote it (%(sign)s)."), sign=mark)
        )
    blocked = blocking.blocked(mail.reading.mail.from_)
    if blocked:
        return Handled(
            Outcome.IGNORED, Sentence(gettext_noop("The sender %(address)s is blocked."), address=blocked)
        )
    return None


def _why_not_personal(mail: IncomingMail) -> Sentence:
    """What it is instead, and the sign by which that is known."""
    message = {
        Kind.AUTOMATIC: gettext_noop("An automatic mail (%(sign)s)."),
        Kind.BULK: gettext_noop("A mail to many (%(sign)s)."),
    }.get(mail.reading.kind, gettext_noop("A delivery report (%(sign)s)."))
    return Sentence(message, sign=mail.reading.reason)


# --- answers ------------------------------------------------------------------------------------------------


def _item_of(mail: IncomingMail, named: Sequence[Thread], sender: Sender) -> tuple[Item | None, bool]:
    """The item that a mail belongs to, and whether its subject alone says so.

    Tokens of the writer go before those of others, and those before the mails that it answers.
    """
    writer = sender.person.pk if sender.person is not None else None
    for thread in sorted(named, key=lambda one: (one.person_id != writer, one.person_id is None)):
        item = queries.item(thread.item_id)
        if item is not None:
            return item, False
    parsed = mail.reading.mail
    linked = thread_queries.linked_item([*parsed.in_reply_to[:10], *reversed(parsed.references[-20:])])
    item = queries.item(linked) if linked is not None else None
    if item is not None or sender.person is None:
        return item, False
    key = envelope.key_in_subject(parsed.subject)
    if not key or not envelope.is_reply(parsed.subject):
        return None, False
    item = queries.find_item(key)
    return (
        (item, True) if item is not None and participation.may_answer(sender.person, item) else (None, False)
    )


def _answer(
    mail: IncomingMail,
    item: Item,
    named: Sequence[Thread],
    sender: Sender,
    own: ThreadAddresses,
    *,
    by_subject: bool,
) -> Handled:
    rules = rules_for(item.workspace)
    token = weighing.token_of(named, sender, item.pk, rules, mail)
    found = established(weighing.evidence(sender, token), rules.proof)
    person = sender.person
    if isinstance(found, Lack) or person is None:
        lack = found if isinstance(found, Lack) else Lack.STRANGER
        return holding.hold_answer(mail, item, named, sender, token, lack, by_subject=by_subject, rules=rules)
    if not participation.may_answer(person, item):
        polite.answer(mail, Refusal.NOT_ALLOWED, own=own, speaks=person.language, item=item.key)
        reason = Sentence(gettext_noop("The sender is not a member of the workspace of the item."))
        return Handled(Outcome.REJECTED, reason, item=item.key)
    return effects.comment(mail, item, Author(person, found, sender, token), rules=rules, own=own)


# --- new mails ----------------------------------------------------------------------------------------------


def _new_mail(mail: IncomingMail, sender: Sender, own: ThreadAddresses) -> Handled:
    person = sender.person
    if person is None or person.is_guest:
        return _from_outside(mail, sender, own)
    if not connections.outgoing().items_by_mail:
        polite.answer(mail, Refusal.NO_ITEMS, own=own, speaks=person.language)
        return Handled(
            Outcome.REJECTED,
            Sentence(gettext_noop("It answers no mail of ours, and items by mail are off.")),
        )
    workspace = _workspace_for(mail, person)
    if workspace is None:
        polite.answer(mail, Refusal.NO_WORKSPACE, own=own, speaks=person.language)
        return Handled(Outcome.REJECTED, Sentence(gettext_noop("The sender is a member of no workspace.")))
    rules = rules_for(workspace)
    checked = sender.check is Check.PASSED
    if sender.check is Check.FAILED or rules.new_items is NewItems.HOLD or (
        rules.new_items is NewItems.CHECK and not checked
    ):  # fmt: skip
        return holding.hold_new(mail, workspace, sender)
    how = HowKnown.CHECKED if checked else HowKnown.ADDRESS
    return effects.new_item(mail, workspace, Author(person, how, sender, Token.NONE), rules=rules, own=own)


def _from_outside(mail: IncomingMail, sender: Sender, own: ThreadAddresses) -> Handled:
    """A new mail of a stranger or a guest: what becomes of it is the rule of the workspace that it was
    written to."""
    wanted = _workspace_key(mail)
    workspace = queries.find_workspace(wanted) if wanted else queries.default_workspace()
    rules = rules_for(workspace)
    takes_items = connections.outgoing().items_by_mail and workspace is not None
    if rules.strangers is Strangers.REFUSE or workspace is None or not takes_items:
        polite.answer(mail, Refusal.NOT_KNOWN, own=own)
        return Handled(
            Outcome.REJECTED,
            Sentence(
                gettext_noop("Nobody with the address %(address)s is known."),
                address=sender.address.addr_spec,
            ),
        )
    if rules.strangers is Strangers.HOLD or sender.check is Check.FAILED:
        return holding.hold_new(mail, workspace, sender)
    try:
        guest = guest_of(mail, sender)
    except ValidationError as refusal:
        return Handled(Outcome.REJECTED, " ".join(refusal.messages))
    how = HowKnown.CHECKED if sender.check is Check.PASSED else HowKnown.ADDRESS
    return effects.new_item(mail, workspace, Author(guest, how, sender, Token.NONE), rules=rules, own=own)


def guest_of(mail: IncomingMail, sender: Sender) -> Person:
    """The guest (or whoever else has that address) in whose name a stranger's mail is kept."""
    if sender.person is not None:
        return sender.person
    parsed = mail.reading.mail
    spoken = language.guess(f"{parsed.subject}\n{mail.reading.text}")
    return accounts.guest(sender.address, language=spoken, now=mail.received_at)


def _workspace_key(mail: IncomingMail) -> str:
    """The workspace to which the mailbox is given that the mail was written to, or came by; "" for none."""
    boxes = connections.mailboxes()
    written_to = {text.casefold() for text in envelope.recipients(mail)}
    for box in boxes:
        if box.workspace and box.own_address and box.own_address.casefold() in written_to:
            return box.workspace
    return next((box.workspace for box in boxes if box.place == mail.mailbox), "")


def _workspace_for(mail: IncomingMail, person: Person) -> Workspace | None:
    """The workspace of the mailbox that it came by or was written to; else the default one where the person
    is a member of it, else the first of theirs. Into the mailbox of a workspace only its members write."""
    wanted = _workspace_key(mail)
    if wanted:
        workspace = queries.find_workspace(wanted)
        return workspace if workspace is not None and queries.is_member(person, workspace) else None
    default = queries.default_workspace()
    if default is not None and queries.is_member(person, default):
        return default
    return queries.workspaces_of(person).order_by("id").first()
