"""What came in: the raw mail, stored before anything else happens, and what became of it."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _


class Outcome(models.TextChoices):
    """What became of a received mail (the answer of `inbox receive`)."""

    WAITING = "", _("waiting")
    COMMENT = "comment", _("comment")
    ITEM = "item", _("item")
    REPORT = "report", _("report")
    IGNORED = "ignored", _("ignored")
    REJECTED = "rejected", _("rejected")
    HELD = "held", _("held")
    FAILED = "failed", _("failed")


class ReceivedMessage(models.Model):
    """A raw mail. `fingerprint` makes the same octets from two sources one row; `meaning` lets the same mail
    have effect once, even where a host on one of the ways has encoded it anew.
    """

    received_at = models.DateTimeField()
    source = models.CharField(max_length=20)  # imap, pop3, pipe, file, catcher, rest
    source_ref = models.CharField(max_length=255, blank=True)  # UIDVALIDITY/UID or UIDL
    mailbox = models.PositiveSmallIntegerField(default=0)  # the place of the mailbox or pipe that it came by
    fingerprint = models.CharField(max_length=64, unique=True)
    meaning = models.CharField(max_length=64, unique=True, null=True)  # noqa: DJ001 - NULL: not processed yet
    raw = models.BinaryField()
    size = models.PositiveIntegerField()
    envelope_sender = models.CharField(max_length=320, null=True)  # noqa: DJ001 - NULL: not known; "": <>
    envelope_recipient = models.CharField(max_length=320, blank=True)
    attempts = models.PositiveIntegerField(default=0)  # claims ever; a late worker sees that it lost its own
    tries = models.PositiveIntegerField(
        default=0
    )  # claims that count: without those that the database spoilt
    failures = models.PositiveSmallIntegerField(default=0)  # claims that ended in an error of ours
    lease_owner = models.CharField(max_length=40, blank=True)
    lease_until = models.DateTimeField(null=True)
    processed_at = models.DateTimeField(null=True)
    outcome = models.CharField(max_length=10, choices=Outcome.choices, blank=True, default=Outcome.WAITING)
    reason = models.TextField(blank=True)  # in English
    reason_said = models.JSONField(default=dict)  # the same as message and values, to be said in any language
    kind = models.CharField(max_length=12, blank=True)
    from_address = models.CharField(max_length=320, blank=True)
    subject = models.CharField(max_length=400, blank=True)
    message_id = models.CharField(max_length=998, blank=True)
    handler = models.CharField(max_length=200, blank=True)
    item = models.CharField(max_length=40, blank=True)  # key of the item it reached, or would reach
    comment = models.BigIntegerField(null=True)
    proposal = models.JSONField(default=dict)  # for a held mail: what the handler would need a yes for
    decided_by = models.CharField(max_length=200, blank=True)

    class Meta:
        indexes = [
            models.Index(fields=["processed_at", "id"], name="depesche_inbox_open"),
            models.Index(fields=["outcome", "id"], name="depesche_inbox_outcome"),
        ]


class MailboxCursor(models.Model):
    """How far a mailbox has been read, and which mails there are stored but not yet marked."""

    source = models.CharField(max_length=255, unique=True)  # protocol://user@host:port/folder
    uidvalidity = models.BigIntegerField(null=True)
    last_uid = models.BigIntegerField(default=0)
    since = models.DateField(null=True)
    boundary = models.BigIntegerField(default=0)
    seen = models.JSONField(default=list)  # POP3: what is stored and may still be at the server
    lease_owner = models.CharField(max_length=40, blank=True)  # one process at a time reads a mailbox
    lease_until = models.DateTimeField(null=True)
    updated_at = models.DateTimeField(auto_now=True)


class PoliteAnswer(models.Model):
    """That a sender got an answer on a day: one at most (RFC 3834)."""

    address = models.CharField(max_length=320)
    day = models.DateField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["address", "day"], name="depesche_answer_once_a_day")]
