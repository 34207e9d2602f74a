"""The outbox: content stored once, state per recipient. Private to this package.

Others use actions.py (write) and queries.py (read).
"""

from __future__ import annotations

from django.db import models

from depesche.mailroom.outbox.states import State


class OutboxMessage(models.Model):
    """What all recipients of a mail share. Never changed after it was enqueued, but for its erasure.

    `content` lacks From (made at submission by the sender policy then in force) and the recipient's own
    header lines (OutboxRecipient.header). It is the last column, so that the others are read without it.
    """

    created_at = models.DateTimeField()
    category = models.CharField(max_length=20)  # categories.Category
    sender = models.CharField(max_length=10)  # categories.SenderKind
    author_name = models.CharField(max_length=200, blank=True)
    author_address = models.CharField(max_length=254, blank=True)
    subject = models.CharField(max_length=400, blank=True)  # for lists; empty where sensitive
    item = models.CharField(max_length=40, blank=True)  # key of the item it is about, NW-482
    charset = models.CharField(max_length=20)
    fell_back = models.BooleanField(default=False)  # UTF-8 because the chosen charset could not carry it
    sensitive = models.BooleanField(default=False)  # content is erased once accepted
    erased = models.BooleanField(default=False)
    expires_at = models.DateTimeField(null=True)  # after that the mail is pointless (an account mail's link)
    size = models.PositiveIntegerField()  # octets of content
    content = models.BinaryField()

    class Meta:
        indexes = [
            models.Index(
                fields=["expires_at"],
                name="depesche_outbox_expiring",
                condition=models.Q(expires_at__isnull=False),
            ),
        ]


class OutboxRecipient(models.Model):
    """One forward-path of one message: it carries the state, and the server's last words about it."""

    message = models.ForeignKey(OutboxMessage, on_delete=models.CASCADE, related_name="recipients")
    address = models.CharField(max_length=254)
    internet_message_id = models.CharField(max_length=255)  # Message-ID, with its angle brackets
    header = models.BinaryField(default=b"")  # To, Message-ID, Reply-To, List-Unsubscribe …
    person = models.CharField(max_length=40, blank=True)  # whom the rights check asks about
    state = models.CharField(max_length=12, choices=State.choices, default=State.QUEUED)
    priority = models.SmallIntegerField(default=0)  # higher goes first
    attempts = models.PositiveIntegerField(
        default=0
    )  # each claim counts; one that never reached MAIL is given back
    patience_from = models.PositiveIntegerField(default=0)  # attempts before a person said "try again"
    deferred_since = models.DateTimeField(null=True)  # the first deferral: the queue lifetime runs from here
    next_attempt_at = models.DateTimeField()
    lease_owner = models.CharField(max_length=40, blank=True)
    lease_until = models.DateTimeField(null=True)
    stage = models.CharField(max_length=20, blank=True)
    reply_code = models.PositiveSmallIntegerField(null=True)
    reply = models.TextField(blank=True)  # the server's words, or ours where no server spoke
    updated_at = models.DateTimeField()
    accepted_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [
            models.Index(
                fields=["priority", "next_attempt_at", "id"],
                name="depesche_outbox_due",
                condition=models.Q(state__in=[State.QUEUED, State.DEFERRED]),
            ),
            models.Index(
                fields=["lease_until"],
                name="depesche_outbox_leased",
                condition=models.Q(state=State.IN_FLIGHT),
            ),
            models.Index(fields=["state", "id"], name="depesche_outbox_state"),
            models.Index(fields=["internet_message_id"], name="depesche_outbox_message_id"),
        ]


class OutboxAttempt(models.Model):
    """One try that did not end in acceptance (an acceptance stands on the recipient itself)."""

    recipient = models.ForeignKey(OutboxRecipient, on_delete=models.CASCADE, related_name="tries")
    number = models.PositiveIntegerField()
    started_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField()
    outcome = models.CharField(max_length=20)  # deferred, failed, uncertain, abandoned …
    stage = models.CharField(max_length=20, blank=True)
    reply_code = models.PositiveSmallIntegerField(null=True)
    reply = models.TextField(blank=True)


class AddressRecord(models.Model):
    """What is known of an address that failed: whether it is still tried, and why not."""

    address = models.CharField(max_length=254, unique=True)  # in lower case
    domain = models.CharField(max_length=253)
    failures = models.JSONField(default=list)  # [when, suppression.Kind, recipient id], oldest first
    failed_at = models.DateTimeField()  # last
    status = models.CharField(max_length=12, blank=True)  # of the last failure
    words = models.TextField(blank=True)  # the server's or the report's
    died_at = models.DateTimeField(null=True)  # the first failure that says that it does not exist
    suppressed_at = models.DateTimeField(null=True)  # NULL: it is tried
    reason = models.CharField(max_length=10, blank=True)  # suppression.Reason
    lifted_at = models.DateTimeField(null=True)
    lifted_by = models.CharField(max_length=200, blank=True)  # a person, or "delivered"

    class Meta:
        indexes = [
            models.Index(
                fields=["address"],
                name="depesche_address_suppressed",
                condition=models.Q(suppressed_at__isnull=False),
            ),
            models.Index(fields=["domain", "died_at"], name="depesche_address_dying"),
        ]


class AddressWatch(models.Model):
    """One row: how far the refusals that servers gave at once were looked through."""

    last_attempt = models.BigIntegerField(default=0)


class SlotLease(models.Model):
    """The right to hold one SMTP connection, over all processes and machines (M17)."""

    place = models.PositiveSmallIntegerField(default=0)  # 0 the connection, 1 its failover: each has its cap
    owner = models.CharField(max_length=40)
    number = models.PositiveSmallIntegerField()
    lease_until = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["place", "number"], name="depesche_slot_once")]


class WorkerPresence(models.Model):
    """A worker that is alive: how many slots it could use now, so that all get a fair share, and how fast it
    is.
    """

    owner = models.CharField(max_length=40, unique=True)
    place = models.PositiveSmallIntegerField(default=0)  # a worker has an owner for each connection
    seen_until = models.DateTimeField()
    wanted = models.PositiveSmallIntegerField(default=0)
    rate = models.FloatField(default=0.0)  # recipients accepted per second, lately


class MailboxLogin(models.Model):
    """When a machine last logged in to the mailbox, for servers that want that before they relay (M11)."""

    machine = models.CharField(max_length=40, unique=True)
    logged_in_at = models.DateTimeField(null=True)
    lease_until = models.DateTimeField(null=True)  # somebody on this machine is logging in


class LoginTurn(models.Model):
    """Who logs in to the SMTP server just now, and when a login last worked (login_turn.py)."""

    place = models.PositiveSmallIntegerField(unique=True, default=0)
    owner = models.CharField(max_length=40, blank=True)
    until = models.DateTimeField(null=True)
    revision = models.PositiveIntegerField(default=0)  # of the settings with which it worked
    worked_at = models.DateTimeField(null=True)
