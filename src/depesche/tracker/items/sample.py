"""A small plant with its people, items and comments, for the demo and for trying things out.

Everything goes through the actions, so that its notices are written as for anything else.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from django.db import transaction
from django.utils import timezone

from depesche.tracker.accounts import actions as accounts
from depesche.tracker.accounts.models import Person
from depesche.tracker.items import actions
from depesche.tracker.items.models import Item, Via, Workspace

ADMINISTRATOR: Final = "jana.voss@example.org"
EXAMPLE: Final = "NW-482"

_PEOPLE: Final = (
    ("jana", ADMINISTRATOR, "Jana Voss", "de"),
    ("sofia", "sofia.lindqvist@example.org", "Sofia Lindqvist", "en"),
    ("tomasz", "tomasz.wojcik@example.org", "Tomasz Wójcik", "en"),
    ("mei", "mei.tanaka@example.org", "Mei Tanaka", "en"),
    ("emre", "emre.aydin@example.org", "Emre Aydın", "de"),
    ("lena", "lena.ott@example.org", "Lena Ott", "de"),
)


@dataclass(frozen=True)
class _Comment:
    author: str
    hours_ago: float
    text: str
    state: str = ""


@dataclass(frozen=True)
class _Item:
    number: int
    title: str
    text: str
    author: str
    responsible: str
    days_ago: float
    manager: str = ""
    watchers: tuple[str, ...] = ()
    consulted: tuple[str, ...] = ()
    due_in: int | None = None
    priority: int = Item.Priority.NORMAL
    state: str = Item.State.OPEN
    comments: tuple[_Comment, ...] = ()


_PLANT: Final = (
    _Item(
        471, "Replace the safety light curtain at press 4",
        "The left post was hit by a fork-lift. It still works, but the housing is cracked.\n\n"
        "- order number: **LC-400-60**\n- two technicians, half a day",
        author="tomasz", responsible="emre", manager="mei", days_ago=9, due_in=-2, priority=4,
        state="in_progress",
        comments=(_Comment("emre", 150, "Ordered. Delivery is promised for Thursday."),),
    ),
    _Item(
        474, "Spare parts list for the new filling line",
        "We need the list before the line goes into operation, with delivery times.",
        author="mei", responsible="sofia", days_ago=8, due_in=2, watchers=("tomasz",),
        comments=(
            _Comment("sofia", 100, "First draft is done, the valves are still missing."),
            _Comment("mei", 52, "Please put the delivery times in a column of their own."),
        ),
    ),
    _Item(
        476, "Wrong labels on pallet 118",
        "Forty boxes carry the label of last week’s batch. The pallet is blocked.",
        author="sofia", responsible="tomasz", manager="mei", days_ago=7, state="open", priority=3,
        comments=(
            _Comment("tomasz", 120, "New labels are printed and stuck on, the pallet is free.", "closed"),
        ),
    ),
    _Item(
        479, "Compressed air: 12 % loss over night",
        "The meter shows 12 % loss between midnight and four. Last year it was 6 %.",
        author="emre", responsible="tomasz", days_ago=5, due_in=6, watchers=("jana",),
    ),
    _Item(
        482, "Coolant pump P-7 vibrates above 4.5 mm/s",
        "Since the bearing change on Friday the vibration sensor at the drive end reads 4.6 to 5.1 mm/s "
        "(limit: 4.5). The pump runs, but we should not wait for the next service window.",
        author="emre", responsible="jana", manager="mei", consulted=("tomasz",), watchers=("lena",),
        days_ago=3,
        due_in=1, priority=3, state="open",
        comments=(
            _Comment(
                "emre", 27,
                "Checked alignment with the laser: 0.08 mm off in the vertical. That alone does not "
                "explain 5 mm/s. I suspect the coupling.",
            ),
            _Comment("jana", 8, "I take it. Who has a coupling insert in stock?", "in_progress"),
            _Comment(
                "sofia", 3,
                "The coupling insert is worn on one side. We have one in stock: I can change it tomorrow "
                "before "
                "the early shift, about 40 minutes standstill.\n\n@Tomasz, is line 2 all right with that?",
            ),
        ),
    ),
    _Item(
        483, "Training: lockout and tagout for the night shift",
        "Six people have no valid certificate any more.",
        author="mei", responsible="jana", days_ago=2, due_in=10, consulted=("emre",),
    ),
    _Item(
        484, "Door 3 of the cold store does not close by itself",
        "It stays open by a hand’s breadth when it was opened fully.",
        author="tomasz", responsible="emre", days_ago=1, watchers=("sofia", "mei"), due_in=3,
        comments=(_Comment("emre", 5, "The closer has lost its oil. I look for a replacement."),),
    ),
)  # fmt: skip

_OFFICE: Final = (
    _Item(
        31, "Einladungen für den Tag der offenen Tür",
        "Text und Verteiler bitte bis Ende der Woche. Wer übernimmt die Druckerei?",
        author="lena", responsible="jana", days_ago=6, due_in=3, watchers=("emre",),
        comments=(_Comment("jana", 70, "Der Text steht, **Korrektur** läuft. Die Druckerei übernehme ich."),),
    ),
    _Item(
        32, "Rechnung 2026-1187 reklamieren",
        "Es wurden zwei Lieferungen berechnet, angekommen ist eine.",
        author="jana", responsible="lena", days_ago=5, due_in=-1, priority=3,
    ),
    _Item(
        33, "Übersetzung der Wartungsanleitung",
        "Die Anleitung der neuen Linie gibt es nur auf Englisch. Wir brauchen sie auf Deutsch und Polnisch.",
        author="emre", responsible="lena", manager="jana", days_ago=4, due_in=14, consulted=("tomasz",),
        comments=(_Comment("tomasz", 40, "I can read the Polish version when it is there."),),
    ),
    _Item(
        34, "Schlüssel für das neue Lager",
        "Acht Schlüssel, Ausgabe gegen Unterschrift.",
        author="lena", responsible="emre", days_ago=3,
        comments=(_Comment("emre", 30, "Alle ausgegeben, die Liste liegt am Empfang.", "done"),),
    ),
    _Item(
        35, "Kaffeemaschine im zweiten Stock tropft",
        "Seit gestern steht ein Eimer darunter.",
        author="jana", responsible="lena", days_ago=1, watchers=("emre",), priority=1,
    ),
)  # fmt: skip


def create(*, password: str | None = None, now: datetime | None = None) -> dict[str, Person]:
    """Six people, two workspaces, twelve items; the people by their first names. For an empty database.

    Without a password nobody can sign in until one is set (no welcome mails are written for sample people).
    """
    now = now or timezone.now()
    with transaction.atomic():
        people = {
            name: accounts.create_person(
                email,
                full_name,
                language=language,
                is_admin=email == ADMINISTRATOR,
                password=password or _UNUSABLE,
            )
            for name, email, full_name, language in _PEOPLE
        }
        if password is None:
            for person in people.values():
                person.set_unusable_password()
                person.save(update_fields=["password"])
        accounts.change_person(people["lena"], only_account_mails=True)
        office = [people[name] for name in ("jana", "emre", "lena", "tomasz")]
        plant = actions.create_workspace(
            "Nordlicht plant", key="NW", members=people.values(), is_default=True
        )
        desk = actions.create_workspace("Nordlicht Büro", key="NB", members=office)
        for workspace, items in ((plant, _PLANT), (desk, _OFFICE)):
            for item in items:
                _create(workspace, item, people, now)
    return people


_UNUSABLE: Final = "nobody knows this one: it is replaced at once"


def _create(workspace: Workspace, wanted: _Item, people: dict[str, Person], now: datetime) -> None:
    Workspace.objects.filter(pk=workspace.pk).update(next_number=wanted.number)
    due = timezone.localdate(now) + timedelta(days=wanted.due_in) if wanted.due_in is not None else None
    item = actions.create_item(
        workspace,
        author=people[wanted.author],
        title=wanted.title,
        description=wanted.text,
        state=wanted.state,
        priority=wanted.priority,
        responsible=people[wanted.responsible],
        manager=people.get(wanted.manager),
        watchers=[people[name] for name in wanted.watchers],
        consulted=[people[name] for name in wanted.consulted],
        due=due,
        via=Via.WEB,
        now=now - timedelta(days=wanted.days_ago),
    )
    for comment in wanted.comments:
        actions.add_comment(
            item,
            author=people[comment.author],
            text=comment.text,
            fields={"state": comment.state} if comment.state else None,
            via=Via.WEB,
            now=now - timedelta(hours=comment.hours_ago),
        )
