"""What a notice says: an event as a Letter, in the language in force, for one set of reasons."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

from django.utils.translation import gettext as _

from depesche.tracker.accounts import links
from depesche.tracker.accounts.letter import Letter, Link, size_in_words
from depesche.tracker.items import changes as changing
from depesche.tracker.items.changes import Change
from depesche.tracker.items.markdown import as_text, to_mail_html
from depesche.tracker.items.models import Item, ItemEvent
from depesche.tracker.notifications import words
from depesche.tracker.notifications.recipients import Reason

MOST_WORDS: Final = 30_000  # octets of a text in a mail: its two parts stay below 100 KB, where programs clip


@dataclass(frozen=True)
class File:
    id: int
    filename: str
    size: int


@dataclass(frozen=True)
class EventToTell:
    """Everything that a notice needs of an event, read once for all recipients."""

    id: int
    kind: str
    actor_name: str
    comment_id: int | None
    text: str  # Markdown: the comment, or the description of a new item
    changes: Sequence[Change]
    files: Sequence[File]
    key: str
    title: str
    workspace: str
    state: str
    responsible: str
    due: date | None
    names: Mapping[int, str]  # of the people in the changes
    server: str
    answers_reach_us: bool
    plain: bool = False  # the charset of mails has neither arrow nor dash: then they are written in ASCII

    @property
    def url(self) -> str:
        page = links.page("item", self.key)
        return f"{page}#comment-{self.comment_id}" if self.comment_id is not None else page


def letter_for(event: EventToTell, reasons: Sequence[Reason], language: str) -> Letter:
    """The mail for everybody with these reasons, in this language (which the caller has put in force)."""
    text, cut = _shortened(_text_to_show(event))
    lines = _change_lines(event)
    words_html = str(to_mail_html(text)) if text else ""
    more = _("The text goes on in %(item)s.") % {"item": event.key}
    return Letter(
        language=language,
        subject=subject(event),
        speaker=", ".join(filter(None, [event.server, event.workspace])),
        deed=_deed(event),
        who=event.actor_name,
        title=event.title,
        title_url=links.page("item", event.key),
        changes=lines,
        words=as_text(f"{text}\n\n{more}" if cut else text),
        words_html=words_html + (f"<p><em>{more}</em></p>" if cut else ""),
        files=[
            Link(file.filename, links.page("file", file.id, file.filename), size_in_words(file.size))
            for file in event.files
        ],
        button=Link(_("Open %(item)s") % {"item": event.key}, event.url),
        answer=_("Or answer this mail: your answer becomes a comment.") if event.answers_reach_us else "",
        facts=_facts(event, reasons),
        why=words.because(reasons, event.key),
        stop=[
            Link(_("No more mails about this item"), f"{links.page('item', event.key)}#mails"),
            Link(_("Choose which mails you get"), links.page("me")),
        ],
        preheader=" ".join((as_text(text) or ", ".join(lines) or event.title).split())[:160],
    )


def subject(event: EventToTell) -> str:
    """`[NW-482] Comment added: Coolant pump P-7 …`: a prefix to sort by, what happened, the title."""
    return f"[{event.key}] {happened(event)}: {event.title}"


def happened(event: EventToTell) -> str:
    """What happened, in two or three words."""
    if event.kind == ItemEvent.Kind.CREATED:
        return _("New")
    by_field = {change["field"]: change for change in event.changes}
    if "state" in by_field:
        return _state_change(by_field["state"])
    if event.kind == ItemEvent.Kind.COMMENTED:
        return _("Comment added")
    if "responsible" in by_field:
        new = changing.value_in_words("responsible", by_field["responsible"]["new"], event.names)
        return _("Responsible: %(name)s") % {"name": new}
    if set(by_field) == {"due"}:
        new = changing.value_in_words("due", by_field["due"]["new"], event.names)
        return _("Due: %(date)s") % {"date": new}
    if set(by_field) == {"priority"}:
        new = changing.value_in_words("priority", by_field["priority"]["new"], event.names)
        return _("Priority: %(priority)s") % {"priority": new}
    return _("Changed")


def _state_change(change: Change) -> str:
    old, new = str(change["old"]), str(change["new"])
    if new == Item.State.CLOSED:
        return _("Closed")
    if changing.is_open(new) and not changing.is_open(old):
        return _("Reopened")
    return _("State: %(state)s") % {"state": changing.value_in_words("state", new, {})}


def _deed(event: EventToTell) -> str:
    sentence = {
        ItemEvent.Kind.CREATED: _("{who} created %(item)s"),
        ItemEvent.Kind.COMMENTED: _("{who} commented on %(item)s"),
    }.get(ItemEvent.Kind(event.kind))
    if sentence is None:
        state = next((change for change in event.changes if change["field"] == "state"), None)
        if state is not None and state["new"] == Item.State.CLOSED:
            sentence = _("{who} closed %(item)s")
        elif state is not None and changing.is_open(str(state["new"])) > changing.is_open(str(state["old"])):
            sentence = _("{who} reopened %(item)s")
        else:
            sentence = _("{who} changed %(item)s")
    return sentence % {"item": event.key}


def _change_lines(event: EventToTell) -> list[str]:
    """`State: Open → In progress`; a description is not shown twice, its new text stands below."""
    lines = []
    arrow, dash = ("->", "-") if event.plain else ("→", changing.NOTHING)
    for change in changing.readable(event.changes, event.names):
        if change.field == "description":
            removed = change.new == changing.NOTHING
            lines.append(_("Description removed") if removed else _("Description changed:"))
        else:
            old, new = (dash if word == changing.NOTHING else word for word in (change.old, change.new))
            lines.append(f"{change.label}: {old} {arrow} {new}")
    return lines


def _text_to_show(event: EventToTell) -> str:
    if event.kind == ItemEvent.Kind.CHANGED:
        new = next((change["new"] for change in event.changes if change["field"] == "description"), "")
        return str(new or "")
    return event.text


def _shortened(text: str) -> tuple[str, bool]:
    octets = text.encode("utf-8", "replace")
    if len(octets) <= MOST_WORDS:
        return text, False
    return octets[:MOST_WORDS].decode("utf-8", "ignore").rsplit(None, 1)[0] + " ...", True


def _facts(event: EventToTell, reasons: Sequence[Reason]) -> list[tuple[str, str]]:
    responsible = event.responsible
    if responsible and Reason.RESPONSIBLE in reasons:
        responsible = words.you(responsible)
    facts = [(_("State"), changing.value_in_words("state", event.state, {}))]
    if responsible:
        facts.append((_("Responsible"), responsible))
    if event.due is not None:
        facts.append((_("Due"), changing.date_in_words(event.due)))
    return facts
