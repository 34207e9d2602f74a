"""Who may take part in an item by mail: who may read it, and those to whom somebody wrote from it."""

from __future__ import annotations

from depesche.tracker.accounts.models import Person
from depesche.tracker.correspondence.models import MailedTo
from depesche.tracker.items import queries
from depesche.tracker.items.models import Comment, Item


def may_answer(person: Person, item: Item) -> bool:
    """Whether a mail of this person may become a comment of the item, once it is certain that it is
    theirs."""
    return queries.may_read(person, item) or takes_part(person, item)


def takes_part(person: Person, item: Item) -> bool:
    """Whether the person, without being a member, has a thread of their own with the item: somebody wrote to
    them from it, or (a guest) it began with their mail."""
    if not person.is_active:
        return False
    if MailedTo.objects.filter(item=item, person=person).exists():
        return True
    if not person.is_guest:
        return False
    return item.author_id == person.pk or Comment.objects.filter(item=item, author=person).exists()
