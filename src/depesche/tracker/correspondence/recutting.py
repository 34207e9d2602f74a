"""“Cut wrongly”: the words of a mail that were cut come back into the comment, and go again."""

from __future__ import annotations

from datetime import datetime

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from depesche.mailformat.reply_text import whole_text
from depesche.mailroom.inbox import queries as inbox
from depesche.mailroom.inbox import reader
from depesche.tracker.accounts.models import Person
from depesche.tracker.items import actions
from depesche.tracker.items.models import Comment, CommentVersion


def restore(comment: Comment, *, by: Person, now: datetime) -> None:
    """Show the whole mail, in its own order where it is still kept. Raises ValidationError."""
    if not comment.cut.strip():
        raise ValidationError(_("Nothing was cut from this comment."))
    whole = _whole(comment) or f"{comment.text}\n\n{comment.cut}".strip()
    room = actions.MAX_TEXT
    text, rest = (whole, "") if len(whole) <= room else (whole[:room], whole[room:])
    actions.recut_comment(comment, text=text, cut=rest, by=by, now=now)


def cut_again(comment: Comment, *, by: Person, now: datetime) -> None:
    """The way back: as it stood when it was cut. Raises ValidationError."""
    before = last_cut(comment)
    if before is None:
        raise ValidationError(_("Nothing was cut from this comment."))
    actions.recut_comment(comment, text=before.text, cut=before.cut, by=by, now=now)


def last_cut(comment: Comment) -> CommentVersion | None:
    """The latest version of which something was cut."""
    return CommentVersion.objects.filter(comment=comment).exclude(cut="").order_by("-id").first()


def _whole(comment: Comment) -> str:
    raw = inbox.raw_mail(comment.received) if comment.received is not None else None
    if raw is None:
        return ""
    try:
        return whole_text(reader.read(raw).mail)
    except reader.Unreadable:
        return ""
