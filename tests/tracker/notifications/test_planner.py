"""From events to mails: each event once, each person once, on both databases."""

from __future__ import annotations

import threading
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from typing import Any

import pytest
from django.db import transaction

from depesche.mailroom.connections import queries as connections
from depesche.mailroom.connections.choices import MailboxProtocol, PlusAddressing
from depesche.mailroom.connections.queries import IncomingSettings, OutgoingSettings
from depesche.mailroom.outbox import queries as outbox
from depesche.mailroom.outbox.queries import RecipientRow
from depesche.tracker.accounts import actions as accounts
from depesche.tracker.accounts.models import Person
from depesche.tracker.items import actions as items
from depesche.tracker.items.models import Item, ItemEvent, Membership, Watcher
from depesche.tracker.notifications import planner, queries, rights
from depesche.tracker.notifications.models import Notice
from depesche.tracker.threads import addresses as threads
from tests.support.threads import at_once
from tests.tracker.support import make_person, make_workspace

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.contract]
NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
STOP = threading.Event()


@dataclass(frozen=True)
class Ref:
    recipient_id: int
    person: str
    item: str
    category: str


def plan_all(now: datetime = NOW) -> None:
    task = planner.PlanNotices()
    while task.run(now, STOP):
        pass


def mails() -> list[RecipientRow]:
    return outbox.recipients(oldest_first=True, limit=1000)


def parsed(row: RecipientRow) -> EmailMessage:
    raw = outbox.raw_mail(row.id)
    assert raw is not None
    message = message_from_bytes(raw, policy=default)
    assert isinstance(message, EmailMessage)
    assert not message.defects
    return message


def text_of(row: RecipientRow, subtype: str = "plain") -> str:
    part = parsed(row).get_body((subtype,))
    assert part is not None
    return str(part.get_content()).replace("\r\n", "\n")


@pytest.fixture
def people() -> dict[str, Person]:
    return {
        "jana": make_person("jana", language="de"),
        "tomasz": make_person("tomasz"),
        "sofia": make_person("sofia"),
        "eve": make_person("eve"),
    }


@pytest.fixture
def item(people: dict[str, Person]) -> Item:
    workspace = make_workspace("NW", people["jana"], people["tomasz"], people["sofia"])
    return items.create_item(
        workspace,
        author=people["sofia"],
        responsible=people["jana"],
        watchers=[people["tomasz"]],
        title="Coolant pump P-7 vibrates",
        description="Above **4.5 mm/s**.",
        now=NOW,
    )


def test_a_new_item_is_told_to_everybody_but_its_author(item: Item, people: dict[str, Person]) -> None:
    plan_all()
    rows = mails()
    assert [row.recipient for row in rows] == ["jana@example.org", "tomasz@example.org"]
    assert {row.item for row in rows} == {"NW-1"}
    assert {row.category for row in rows} == {"notice"}
    told = queries.who_was_told([ItemEvent.objects.get().pk])[ItemEvent.objects.get().pk]
    assert [(row.person.name, list(row.reasons), row.not_told) for row in told] == [
        ("Jana", ["responsible"], ""),
        ("Sofia", ["author"], "actor"),
        ("Tomasz", ["watcher"], ""),
    ]
    plan_all()
    assert len(mails()) == 2


def test_how_a_notice_is_built(
    item: Item, people: dict[str, Person], monkeypatch: pytest.MonkeyPatch
) -> None:
    configure(monkeypatch, answers=True, tagged=True)
    items.add_comment(item, author=people["sofia"], text="Worn on *one* side.\n\n- see <b>photo</b>", now=NOW)
    plan_all()
    row = next(row for row in mails() if row.recipient == "tomasz@example.org" and "Comment" in row.subject)
    mail = parsed(row)
    root = threads.root_id(item.pk)
    assert mail["Subject"] == "[NW-1] Comment added: Coolant pump P-7 vibrates"
    assert mail["To"] == "Tomasz <tomasz@example.org>"
    assert mail["In-Reply-To"] == root
    assert mail["References"] == root
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert mail["Precedence"] == "list"
    assert str(mail["List-Id"]).endswith("<nw.tracker.example.org>")
    assert "From" not in mail
    found = threads.find([], [str(mail["Message-ID"])])
    assert found is not None
    assert (found.item_id, found.person_id) == (item.pk, people["tomasz"].pk)
    assert str(mail["Reply-To"]).startswith("Your Server <tracker+")
    assert threads.find([str(mail["Reply-To"])], []) == found
    plain, html = text_of(row), text_of(row, "html")
    assert plain.startswith("Sofia commented on NW-1\nCoolant pump P-7 vibrates\n\n  Worn on *one* side.\n")
    assert "Or answer this mail: your answer becomes a comment." in plain
    assert "\n-- \nYou get this mail because you watch NW-1.\n" in plain
    assert "https://tracker.example.org/items/NW-1" in plain
    assert "<em>one</em>" in html
    assert "&lt;b&gt;photo&lt;/b&gt;" in html
    assert "<img" not in html


def test_each_person_in_their_language(item: Item, people: dict[str, Person]) -> None:
    plan_all()
    german, english = mails()
    assert german.subject == "[NW-1] Neu: Coolant pump P-7 vibrates"
    assert english.subject == "[NW-1] New: Coolant pump P-7 vibrates"
    assert text_of(german).startswith("Sofia hat NW-1 angelegt")
    assert '<html lang="de">' in text_of(german, "html")
    assert "Jana (Sie)" in text_of(german)


def test_no_reply_to_without_a_way_in(item: Item, monkeypatch: pytest.MonkeyPatch) -> None:
    configure(monkeypatch, answers=False, tagged=False)
    plan_all()
    for row in mails():
        assert parsed(row)["Reply-To"] is None
        assert "Or answer" not in text_of(row)
        assert "antworten" not in text_of(row).lower()


def test_a_change_shows_old_and_new_in_words(item: Item, people: dict[str, Person]) -> None:
    plan_all()
    before = len(mails())
    items.change_item(item, actor=people["tomasz"], state="closed", priority=4, now=NOW)
    plan_all()
    sofia = next(row for row in mails()[before:] if row.recipient == "sofia@example.org")
    assert sofia.subject == "[NW-1] Closed: Coolant pump P-7 vibrates"
    text = text_of(sofia)
    assert "State: Open → Closed" in text
    assert "Priority: Normal → Urgent" in text


@pytest.mark.parametrize(("charset", "arrow"), [("utf-8", "→"), ("iso-8859-1", "->"), ("gb18030", "→")])
def test_our_own_words_do_not_need_utf_8(
    item: Item, people: dict[str, Person], monkeypatch: pytest.MonkeyPatch, charset: str, arrow: str
) -> None:
    outgoing = OutgoingSettings(host="x", system_address="tracker@example.org", charset=charset)
    monkeypatch.setattr(connections, "outgoing", lambda place=0: outgoing)
    plan_all()
    items.change_item(item, actor=people["tomasz"], state="done", due=NOW.date(), description="", now=NOW)
    plan_all()
    assert len(mails()) == 4
    for row in mails():
        detail = outbox.recipient(row.id)
        assert detail is not None
        assert (detail.charset, detail.fell_back) == (charset, False)
    assert f"{arrow} Erledigt" in text_of(
        next(row for row in mails()[2:] if row.recipient == "jana@example.org")
    )


def test_who_was_responsible_hears_of_it(item: Item, people: dict[str, Person]) -> None:
    plan_all()
    before = len(mails())
    items.change_item(item, actor=people["sofia"], responsible=people["tomasz"], now=NOW)
    plan_all()
    rows = {row.recipient: row for row in mails()[before:]}
    assert set(rows) == {"jana@example.org", "tomasz@example.org"}
    assert "Jana → Tomasz" in text_of(rows["jana@example.org"])
    assert "because you are responsible for" in text_of(rows["tomasz@example.org"])


def test_who_must_not_or_will_not_gets_nothing(item: Item, people: dict[str, Person]) -> None:
    jana, tomasz, eve = people["jana"], people["tomasz"], people["eve"]
    Watcher.objects.create(item=item, person=eve)  # left the workspace after they began to watch
    accounts.change_person(tomasz, only_account_mails=True)
    items.mute(item, jana)
    plan_all()
    assert mails() == []
    reasons = dict(Notice.objects.values_list("person__name", "not_told"))
    assert reasons == {
        "Sofia": "actor",
        "Jana": "muted",
        "Tomasz": "only_account_mails",
        "Eve": "may_not_read",
    }


def test_a_repeated_change_makes_no_second_mail_at_once(item: Item, people: dict[str, Person]) -> None:
    plan_all()
    items.change_item(item, actor=people["sofia"], state="in_progress", now=NOW)
    plan_all()
    count = len(mails())
    for number in range(1, 6):
        state = "open" if number % 2 else "closed"
        items.change_item(item, actor=people["sofia"], state=state, now=NOW + timedelta(seconds=number))
        plan_all(NOW + timedelta(seconds=number))
    assert len(mails()) == count
    plan_all(NOW + timedelta(minutes=6))
    told = mails()[count:]
    assert len(told) == 2
    assert any("State: In progress → Open" in text_of(row) for row in told)


@pytest.mark.parametrize("late", [timedelta(0), timedelta(hours=2)])
def test_only_what_may_still_change_is_frozen_before_its_mails(
    item: Item, people: dict[str, Person], late: timedelta
) -> None:
    items.add_comment(item, author=people["sofia"], text="Looked at it.", via="web", now=NOW)
    items.change_item(item, actor=people["sofia"], state="in_progress", now=NOW)
    plan_all(NOW + late)
    frozen = dict(ItemEvent.objects.values_list("kind", "planning_at"))
    assert frozen[ItemEvent.Kind.CHANGED] == NOW + late
    assert frozen[ItemEvent.Kind.COMMENTED] == (NOW + late if late else None)
    assert not ItemEvent.objects.filter(planned_at=None).exists()


def test_many_watchers_in_chunks(
    item: Item, people: dict[str, Person], monkeypatch: pytest.MonkeyPatch
) -> None:
    crowd = add_crowd(item, 130)
    monkeypatch.setattr(planner, "CHUNK", 20)
    plan_all()
    rows = mails()
    assert {row.recipient for row in rows} >= {person.email for person in crowd}
    assert len(rows) == len({row.message_id for row in rows}) == 132
    assert Notice.objects.count() == 133


@pytest.mark.parametrize("silent", [0, 1, 19, 20, 21, 40, 55])
def test_many_who_are_not_told(item: Item, monkeypatch: pytest.MonkeyPatch, silent: int) -> None:
    crowd = add_crowd(item, silent)
    Person.objects.filter(pk__in=[one.pk for one in crowd]).update(is_active=False)
    monkeypatch.setattr(planner, "CHUNK", 20)
    plan_all()
    assert Notice.objects.filter(not_told="inactive").count() == silent
    assert Notice.objects.exclude(recipient=None).count() == 2
    assert ItemEvent.objects.get().planned_at == NOW


@pytest.mark.parametrize("chunks", range(3))
def test_after_a_cut_the_rest_is_planned_and_nothing_twice(
    item: Item, monkeypatch: pytest.MonkeyPatch, chunks: int
) -> None:
    add_crowd(item, 60)
    monkeypatch.setattr(planner, "CHUNK", 20)
    real, left = planner._write, [chunks]
    event_id = ItemEvent.objects.get().pk

    class Cut(BaseException):
        pass

    def write(*args: Any, **named: Any) -> bool:
        if not left[0]:
            with transaction.atomic():
                real(*args, **named)
                raise Cut  # before the commit
        left[0] -= 1
        return real(*args, **named)

    monkeypatch.setattr(planner, "_write", write)
    with pytest.raises(Cut):
        planner.plan(event_id, now=NOW)
    monkeypatch.setattr(planner, "_write", real)
    plan_all()
    rows = mails()
    assert len(rows) == 62
    assert len({row.recipient for row in rows}) == 62
    assert ItemEvent.objects.get().planned_at == NOW


def test_two_workers_at_one_event(item: Item, monkeypatch: pytest.MonkeyPatch) -> None:
    add_crowd(item, 100)
    monkeypatch.setattr(planner, "CHUNK", 5)
    at_once(lambda _name: plan_all(), 3)
    plan_all()
    assert len(mails()) == len({row.recipient for row in mails()}) == 102


def test_stop_ends_between_chunks_and_loses_nothing(item: Item, monkeypatch: pytest.MonkeyPatch) -> None:
    add_crowd(item, 40)
    monkeypatch.setattr(planner, "CHUNK", 10)
    stop = threading.Event()
    stop.set()
    assert planner.PlanNotices().run(NOW, stop) == 0
    assert not planner.plan(ItemEvent.objects.get().pk, now=NOW, stop=stop)
    plan_all()
    assert len(mails()) == 42


def test_an_event_that_cannot_be_told_does_not_stop_the_others(
    item: Item, people: dict[str, Person], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    items.add_comment(item, author=people["sofia"], text="hello", now=NOW)
    first = ItemEvent.objects.order_by("id")[0].pk
    real = planner._to_tell

    def broken(event: ItemEvent, *args: Any) -> Any:
        if event.pk == first:
            raise ZeroDivisionError
        return real(event, *args)

    monkeypatch.setattr(planner, "_to_tell", broken)
    task = planner.PlanNotices()
    while task.run(NOW, STOP):
        pass
    assert len(mails()) == 2
    assert "could not be planned" in caplog.text
    monkeypatch.setattr(planner, "_to_tell", real)
    assert task.run(NOW, STOP) == 0
    assert task.run(NOW + timedelta(seconds=11), STOP) == 1
    assert len(mails()) == 4


HOSTILE = (
    "Pump\r\nBcc: evil@example.org\r\n\r\n<script>alert(1)</script> =?utf-8?q?hi=0ABcc:_v?= {who} %(item)s"
)


def test_titles_and_names_cannot_break_out(people: dict[str, Person]) -> None:
    evil = accounts.create_person(
        "evil@example.org", 'Eve" <x@y.z>,\r\nBcc: a@b.c <img src=x>', password="a long enough pass phrase"
    )
    workspace = items.create_workspace("W\r\nBcc: x@y.z", key="EV", members=[evil, people["jana"]])
    item = items.create_item(
        workspace, author=evil, title=HOSTILE, description=HOSTILE, responsible=people["jana"], now=NOW
    )
    items.change_item(item, actor=evil, title=HOSTILE + " 2", now=NOW)
    plan_all()
    assert mails()
    for row in mails():
        mail = parsed(row)
        assert mail["Bcc"] is None
        assert [address.addr_spec for address in mail["To"].addresses] == ["jana@example.org"]
        html = text_of(row, "html")
        assert "<script" not in html
        assert "<img" not in html
        assert "Eve&quot; &lt;x@y.z&gt;," in html


def test_rights_are_looked_at_again_before_submission(item: Item, people: dict[str, Person]) -> None:
    plan_all()
    Membership.objects.filter(person=people["tomasz"]).delete()
    accounts.deactivate(people["jana"])
    refs = [Ref(row.id, row.person, row.item, row.category) for row in mails()]
    why = rights.withdrawn(refs)
    assert set(why) == {ref.recipient_id for ref in refs}
    assert rights.withdrawn([replace(ref, category="account") for ref in refs]) == {}
    assert set(rights.withdrawn([replace(refs[0], person="99999")])) == {refs[0].recipient_id}
    sofia = replace(refs[0], person=str(people["sofia"].pk))
    assert rights.withdrawn([sofia]) == {}
    assert set(rights.withdrawn([replace(sofia, item="OTHER-1")])) == {sofia.recipient_id}


def test_who_will_be_told_is_said_before(item: Item, people: dict[str, Person]) -> None:
    assert queries.will_be_told(item, people["sofia"]) == "Will be told: Jana, Tomasz."
    assert queries.will_be_told(item, people["jana"]) == "Will be told: Sofia, Tomasz."
    add_crowd(item, 3)
    assert queries.will_be_told(item, people["jana"]).startswith("Will be told: ")
    assert queries.will_be_told(item, people["jana"]).endswith("and 3 others.")
    add_crowd(item, 300)
    assert queries.will_be_told(item, people["jana"]).startswith("About 304 ")


# --- helpers ---------------------------------------------------------------------------------------------


def add_crowd(item: Item, number: int) -> list[Person]:
    start = Person.objects.count()
    crowd = Person.objects.bulk_create(
        Person(email=f"crowd{start + n}@example.org", name=f"C {start + n}", language="en" if n % 2 else "de")
        for n in range(number)
    )
    Membership.objects.bulk_create(Membership(workspace=item.workspace, person=one) for one in crowd)
    Watcher.objects.bulk_create(Watcher(item=item, person=one) for one in crowd)
    return crowd


def configure(monkeypatch: pytest.MonkeyPatch, *, answers: bool, tagged: bool) -> None:
    outgoing = OutgoingSettings(
        host="smtp.example.org", system_address="tracker@example.org", system_name="Your Server"
    )
    mailbox = IncomingSettings(
        protocol=MailboxProtocol.PIPE if answers else "",
        plus_addressing=PlusAddressing.ON if tagged else PlusAddressing.OFF,
    )
    monkeypatch.setattr(connections, "outgoing", lambda place=0: outgoing)
    monkeypatch.setattr(connections, "mailboxes", lambda: [mailbox])
