"""What a comment's page says of e-mail: to whom it was mailed, how its author is known, which of its files
are pictures in its text."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from django.urls import reverse
from django.utils.translation import gettext as _

from depesche.mailroom.outbox import queries as outbox
from depesche.tracker.correspondence.models import MailedIn, MailedTo
from depesche.tracker.items.models import Attachment, CommentVersion, HowKnown

PICTURES: Final = frozenset({"image/png", "image/jpeg", "image/gif", "image/webp"})


@dataclass(frozen=True)
class Copy:
    """One recipient of a mail from an item. `state` "" where the outbox no longer keeps it."""

    address: str
    is_copy: bool
    state: str
    words: str
    recipient: int | None


@dataclass(frozen=True)
class Known:
    """How an author was established: in a few words, and all that is known of it."""

    tone: str  # ok, wait, idle
    words: str
    details: Sequence[tuple[str, str]]
    received: int | None = None  # the mail itself, for administrators


def mailed_to(comment_ids: Iterable[int]) -> dict[int, list[Copy]]:
    """To whom comments were mailed, with what became of each mail; two queries."""
    rows = list(MailedTo.objects.filter(comment_id__in=list(comment_ids)).order_by("id"))
    mails = outbox.by_ids(row.recipient for row in rows if row.recipient is not None)
    found: dict[int, list[Copy]] = {}
    for row in rows:
        mail = mails.get(row.recipient) if row.recipient is not None else None
        state, words = (str(mail.state), mail.reply) if mail is not None else ("", "")
        copy = Copy(row.address, row.is_copy, state, words, mail.id if mail is not None else None)
        found.setdefault(row.comment_id, []).append(copy)
    return found


def known_comments(how: Mapping[int, str]) -> dict[int, Known]:
    """How the authors of mailed comments are known; `how` has their HowKnown by id. One query."""
    rows = {row.comment_id: row for row in MailedIn.objects.filter(comment_id__in=list(how))}
    return {pk: known(value, rows.get(pk)) for pk, value in how.items() if value}


def known_item(item_id: int, how: str) -> Known | None:
    return known(how, MailedIn.objects.filter(item_id=item_id).first()) if how else None


def known(how: str, row: MailedIn | None) -> Known:
    tone, words = {
        HowKnown.TOKEN_CHECKED.value: ("ok", _("author certain")),
        HowKnown.TOKEN.value: ("ok", _("author certain")),
        HowKnown.CHECKED.value: ("ok", _("author checked")),
        HowKnown.ADDRESS.value: ("wait", _("sender not verified")),
    }.get(how, ("idle", _("accepted by a person")))
    details = [(_("Known by"), str(HowKnown(how).label) if how in HowKnown.values else how)]
    if row is not None:
        details.append((_("Written from"), row.from_address))
        details.append((_("Reply address"), _token_in_words()[row.token]))
        checked = _("not checked")
        if row.check_by:
            checked = f"{row.check_by}: {row.check_said}"
        details.append((_("Check of the sender"), checked))
        if row.accepted_by:
            details.append((_("Accepted by"), row.accepted_by))
    return Known(tone, words, details, row.received if row is not None else None)


def _token_in_words() -> dict[str, str]:
    return {
        "good": _("signed for this person, good"),
        "expired": _("signed for this person, but run out"),
        "revoked": _("signed for this person, but revoked"),
        "anothers": _("signed for somebody else"),
        "none": _("none"),
    }


def pictures_of(files: Iterable[Attachment]) -> dict[str, str]:
    """The paths of the pictures that a text may show in its place, by their Content-ID."""
    return {
        file.content_id: reverse("web:file", args=[file.pk, file.filename])
        for file in files
        if file.content_id and file.content_type in PICTURES
    }


def recut(comment_ids: Iterable[int]) -> set[int]:
    """The comments whose cut was undone or done again at some time."""
    rows = CommentVersion.objects.filter(comment_id__in=list(comment_ids)).exclude(cut="")
    return set(rows.values_list("comment_id", flat=True))
