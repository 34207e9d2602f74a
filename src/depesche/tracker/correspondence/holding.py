"""Mails that a person has to decide on: why they are held, what they may become, and doing it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from depesche.mailroom.inbox.handlers import Choice, Handled, IncomingMail, Sentence
from depesche.mailroom.inbox.models import Outcome
from depesche.tracker.accounts import actions as account_actions
from depesche.tracker.accounts import queries as accounts
from depesche.tracker.accounts.models import Person
from depesche.tracker.correspondence import blocking, effects, language, participation
from depesche.tracker.correspondence import evidence as weighing
from depesche.tracker.correspondence.authorship import Check, Lack, Token
from depesche.tracker.correspondence.effects import Author
from depesche.tracker.correspondence.evidence import Sender
from depesche.tracker.correspondence.rules import Rules, rules_for
from depesche.tracker.items import queries
from depesche.tracker.items.models import HowKnown, Item, Workspace
from depesche.tracker.threads import addresses as threads
from depesche.tracker.threads.addresses import Thread

_GONE = gettext_noop("The item or the proposed author is not there any more.")
_WHY = {
    Lack.ANOTHERS: gettext_noop("From the address of %(name)s, but in answer to a mail to somebody else."),
    Lack.EXPIRED: gettext_noop(
        "From the address of %(name)s, but the reply address has run out: it was good for %(days)s days."
    ),
    Lack.REVOKED: gettext_noop("From the address of %(name)s, but the reply address has been revoked."),
    Lack.CHECK_FAILED: gettext_noop(
        "It names the address of %(name)s, but %(server)s says that it does not come from there (%(said)s)."
    ),
    Lack.UNCHECKED: gettext_noop(
        "From the address of %(name)s, but your mail server has not confirmed the sender."
    ),
    Lack.NO_TOKEN: gettext_noop(
        "It answers a mail that belongs to %(item)s; the address alone says who wrote it."
    ),
}
_BY_SUBJECT = gettext_noop(
    "Its subject names %(item)s, but it answers no mail of ours; the address alone says who wrote it."
)
_CHECK_FAILED = gettext_noop(
    "It names the address %(address)s, but %(server)s says that it does not come from there (%(said)s)."
)
_FOR_ANOTHER = gettext_noop("In answer to a mail to %(name)s, but from another address: %(address)s.")
_OF_A_STRANGER = gettext_noop(
    "It answers a mail that belongs to %(item)s, but nobody here has the address %(address)s."
)
_NO_RIGHT = gettext_noop("It answers a mail about an item that its writer may not read.")


def hold_answer(
    mail: IncomingMail,
    item: Item,
    named: Sequence[Thread],
    sender: Sender,
    token: Token,
    lack: Lack,
    *,
    by_subject: bool,
    rules: Rules,
) -> Handled:
    """An answer whose author is not established: forwarded, another address, run out, or forged."""
    opened_for = [
        person
        for thread in named
        if thread.item_id == item.pk and thread.person_id is not None
        if (person := accounts.person(thread.person_id)) is not None
    ]
    candidates = [*([sender.person] if sender.person is not None else []), *opened_for]
    authors = [person for person in dict.fromkeys(candidates) if participation.may_answer(person, item)]
    if not authors and (sender.person is not None or opened_for):
        return Handled(Outcome.REJECTED, Sentence(_NO_RIGHT))
    address = sender.address.addr_spec
    known = sender.person if sender.person in authors else None
    if known is None and authors:
        reason = Sentence(_FOR_ANOTHER, name=authors[0].name, address=address)
    elif known is None:
        reason = Sentence(_OF_A_STRANGER, item=item.key, address=address)
    elif by_subject and lack is Lack.NO_TOKEN:
        reason = Sentence(_BY_SUBJECT, item=item.key)
    else:
        reason = Sentence(
            _WHY[lack],
            name=known.name,
            item=item.key,
            days=rules.reply_days,
            server=sender.check_by,
            said=sender.check_said,
        )
    held = effects.proposal(item, authors) | {
        "address": "" if sender.several else address,
        "doubtful": lack is Lack.CHECK_FAILED,
    }
    return Handled(Outcome.HELD, reason, item=item.key, text=mail.reading.text, proposal=held)


def hold_new(mail: IncomingMail, workspace: Workspace, sender: Sender) -> Handled:
    """A mail that belongs to no item, and whose author is not known well enough to make one."""
    person = sender.person
    if sender.check is Check.FAILED:
        reason = Sentence(
            _CHECK_FAILED,
            address=sender.address.addr_spec,
            server=sender.check_by,
            said=sender.check_said,
        )
    elif person is None or person.is_guest:
        reason = Sentence(
            gettext_noop("A new mail from %(address)s, whom nobody here knows."),
            address=sender.address.addr_spec,
        )
    else:
        reason = Sentence(
            gettext_noop("A new mail from the address of %(name)s, which alone says who wrote it."),
            name=person.name,
        )
    held = {
        "action": "item",
        "workspace": workspace.pk,
        "authors": [person.pk] if person is not None else [],
        "address": sender.address.addr_spec,
        "doubtful": sender.check is Check.FAILED,
    }
    return Handled(Outcome.HELD, reason, text=mail.reading.text, proposal=held)


# --- what it may become
# ---------------------------------------------------------------------------------------


def choices(proposal: Mapping[str, Any]) -> list[Choice]:
    """One click each, the likeliest first, in the language in force. By the rights and rows of today."""
    found: list[Choice] = []
    item = queries.item(int(proposal.get("item") or 0))
    people = _authors(proposal)
    address = str(proposal.get("address") or "")
    if item is not None:
        for person in people:
            if participation.may_answer(person, item):
                label = _("Add to %(item)s as a comment of %(name)s")
                found.append(Choice(f"comment:{person.pk}", label % {"item": item.key, "name": person.name}))
        if people and address and _may_be_guest(address) and not people[0].is_guest:
            label = _("The same, and take mails from %(address)s as those of %(name)s from now on")
            found.append(
                Choice(f"address:{people[0].pk}", label % {"address": address, "name": people[0].name})
            )
        if address and _may_be_guest(address):
            label = _("Add to %(item)s as a comment of the guest %(address)s")
            found.append(Choice("guest", label % {"item": item.key, "address": address}))
    workspace = _workspace(proposal, item)
    if workspace is not None:
        members = [person for person in people if queries.is_member(person, workspace)]
        for person in members:
            label = _("Make a new item of %(name)s in %(workspace)s")
            values = {"name": person.name, "workspace": workspace.name}
            found.append(Choice(f"item:{person.pk}", label % values))
        if address and _may_be_guest(address):
            label = _("Make a new item of the guest %(address)s in %(workspace)s")
            found.append(Choice("item:guest", label % {"address": address, "workspace": workspace.name}))
    found = [replace(one, doubtful=bool(proposal.get("doubtful"))) for one in found]
    if address:
        found.append(Choice("block", _("Block %(address)s") % {"address": address}, dangerous=True))
    return found


def accept(mail: IncomingMail, proposal: Mapping[str, Any], *, choice: str, by: str) -> Handled:
    """Do what was chosen; without a choice the likeliest."""
    offered = [one.key for one in choices(proposal) if not one.dangerous]
    choice = choice or next(iter(offered), "")
    sender = weighing.sender_of(mail)
    if sender is None or not choice or (choice not in offered and choice != "block"):
        return Handled(Outcome.REJECTED, Sentence(_GONE))
    if choice == "block":
        blocking.block(sender.address, by=by, now=timezone.now())
        reason = gettext_noop("The sender %(address)s was blocked by %(person)s.")
        return Handled(Outcome.IGNORED, Sentence(reason, address=sender.address.addr_spec, person=by))
    try:
        person = _chosen(mail, choice, sender)
    except ValidationError as refusal:
        return Handled(Outcome.REJECTED, " ".join(refusal.messages))
    item = queries.item(int(proposal.get("item") or 0))
    if choice.startswith("address"):
        account_actions.add_verified_address(person, sender.address.addr_spec, now=timezone.now())
    author = Author(person, HowKnown.ACCEPTED, sender, Token.NONE, accepted_by=by or "–")
    own = threads.addresses()
    if choice.startswith("item"):
        workspace = _workspace(proposal, item)
        assert workspace is not None  # it would not have been offered
        return effects.new_item(mail, workspace, author, rules=rules_for(workspace), own=own)
    assert item is not None
    whole = bool(proposal.get("whole"))
    return effects.comment(mail, item, author, rules=rules_for(item.workspace), own=own, whole=whole)


def _chosen(mail: IncomingMail, choice: str, sender: Sender) -> Person:
    """In whose name."""
    number = choice.rpartition(":")[2]
    if number.isdigit():
        found = accounts.person(int(number))
        assert found is not None  # it would not have been offered
        return found
    parsed = mail.reading.mail
    spoken = language.guess(f"{parsed.subject}\n{mail.reading.text}")
    return account_actions.guest(sender.address, language=spoken, now=mail.received_at)


def _authors(proposal: Mapping[str, Any]) -> list[Person]:
    ids = [*proposal.get("authors", []), *([proposal["author"]] if proposal.get("author") else [])]
    people = [accounts.person(int(pk)) for pk in dict.fromkeys(ids)]
    return [person for person in people if person is not None and person.is_active]


def _may_be_guest(address: str) -> bool:
    """Whether the address is a guest's, or could be: nobody who signs in here has it."""
    owner = accounts.person_by_address(address)
    return owner is None or (owner.is_guest and owner.is_active)


def _workspace(proposal: Mapping[str, Any], item: Item | None) -> Workspace | None:
    if item is not None:
        return item.workspace
    return Workspace.objects.filter(pk=int(proposal.get("workspace") or 0)).first()
