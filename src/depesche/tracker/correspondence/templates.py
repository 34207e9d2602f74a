"""Templates for mails from an item: reading and writing them."""

from __future__ import annotations

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from depesche.mailformat.characters import one_line, well_formed
from depesche.tracker.correspondence.models import MailTemplate


def everything() -> list[MailTemplate]:
    return list(MailTemplate.objects.order_by("name", "language"))


def find(template_id: int | None) -> MailTemplate | None:
    return MailTemplate.objects.filter(pk=template_id).first() if template_id else None


def save(template: MailTemplate | None, *, name: str, language: str, subject: str, text: str) -> MailTemplate:
    """A new template, or another content for one that is there. Raises ValidationError."""
    row = template or MailTemplate()
    row.name = " ".join(one_line(name).split())[:80]
    row.language = language
    row.subject = " ".join(one_line(subject).split())[:200]
    row.text = well_formed(text).replace("\x00", "").replace("\r\n", "\n").strip()
    try:
        with transaction.atomic():
            row.save()
    except IntegrityError:
        raise ValidationError({"name": _("There is a template of this name in this language.")}) from None
    return row


def delete(template_id: int) -> None:
    MailTemplate.objects.filter(pk=template_id).delete()
