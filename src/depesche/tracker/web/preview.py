"""Before a comment is written: who will be told. The same rules as afterwards (notifications.recipients)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from django.utils.formats import localize
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from depesche.tracker.accounts.models import Person
from depesche.tracker.items import queries
from depesche.tracker.items.models import Item, Watcher
from depesche.tracker.notifications.recipients import EventFacts, PersonFacts, Why, recipients_for

_NAMED: Final = 6  # names in the sentence; the rest is a number


def will_be_told(item: Item, actor: Person) -> str:
    """One or two sentences for the person who is about to write."""
    roles = queries.roles(item)
    people = {role.person.pk: role.person for role in roles}
    readers = queries.who_may_read(item, people)
    event = EventFacts(
        actor=actor.pk,
        author=item.author_id,
        responsible=item.responsible_id,
        manager=item.manager_id,
        watchers=[role.person.pk for role in roles if role.kind == Watcher.Kind.INFORMED],
        consulted=[role.person.pk for role in roles if role.kind == Watcher.Kind.CONSULTED],
        muted=frozenset(role.person.pk for role in roles if role.kind == Watcher.Kind.MUTED),
    )
    facts = [
        PersonFacts(person.pk, person.is_active, person.pk in readers, person.only_account_mails)
        for person in people.values()
    ]
    told, not_told = recipients_for(event, facts)
    return sentence(
        [people[who.person_id].name for who in told],
        [people[who.person_id].name for who in not_told if who.why is not Why.ACTOR],
    )


def sentence(told: Sequence[str], not_told: Sequence[str]) -> str:
    """The same from names."""
    if told:
        text = _("Will be told: %(names)s.") % {"names": _names(told)}
    else:
        text = _("Nobody else will be told.")
    if not_told:
        text += " " + _("Not told: %(names)s.") % {"names": _names(not_told)}
    return text


def _names(names: Sequence[str]) -> str:
    shown, rest = names[:_NAMED], len(names) - _NAMED
    text = ", ".join(shown)
    if rest > 0:
        text += " " + ngettext("and %(n)s other", "and %(n)s others", rest) % {"n": localize(rest)}
    return text
