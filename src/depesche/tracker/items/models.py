"""Workspaces, items, comments, and the change rows from which mail is written. Knows no mail."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

if TYPE_CHECKING:
    from depesche.tracker.accounts.models import Person

PERSON = settings.AUTH_USER_MODEL


class Workspace(models.Model):
    key = models.CharField(_("key"), max_length=10, unique=True)  # upper case, the prefix of item keys
    name = models.CharField(_("name"), max_length=120, unique=True)
    is_default = models.BooleanField(_("takes new items by mail"), default=False)
    next_number = models.PositiveIntegerField(default=1)
    members: models.ManyToManyField[Person, Membership] = models.ManyToManyField(
        PERSON, through="Membership", related_name="workspaces"
    )

    def __str__(self) -> str:
        return self.name


class Membership(models.Model):
    """Who is not a member of a workspace sees nothing of it, in pages or mail."""

    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, related_name="memberships")
    person = models.ForeignKey(PERSON, on_delete=models.CASCADE, related_name="memberships")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["workspace", "person"], name="depesche_membership_once")
        ]


class Item(models.Model):
    class State(models.TextChoices):
        OPEN = "open", _("Open")
        IN_PROGRESS = "in_progress", _("In progress")
        DONE = "done", _("Done")
        CLOSED = "closed", _("Closed")

    class Priority(models.IntegerChoices):
        LOW = 1, _("Low")
        NORMAL = 2, _("Normal")
        HIGH = 3, _("High")
        URGENT = 4, _("Urgent")

    workspace = models.ForeignKey(Workspace, on_delete=models.PROTECT, related_name="items")
    number = models.PositiveIntegerField()
    title = models.CharField(_("title"), max_length=250)
    description = models.TextField(_("description"), blank=True)  # Markdown
    state = models.CharField(_("state"), max_length=20, choices=State.choices, default=State.OPEN)
    priority = models.PositiveSmallIntegerField(
        _("priority"), choices=Priority.choices, default=Priority.NORMAL
    )
    author = models.ForeignKey(PERSON, on_delete=models.PROTECT, related_name="authored_items")
    responsible = models.ForeignKey(
        PERSON, null=True, blank=True, on_delete=models.SET_NULL, related_name="responsible_items"
    )
    manager = models.ForeignKey(
        PERSON, null=True, blank=True, on_delete=models.SET_NULL, related_name="managed_items"
    )
    due = models.DateField(_("due"), null=True, blank=True)
    how_known = models.CharField(max_length=40, blank=True)  # HowKnown; empty: signed in
    created_at = models.DateTimeField(default=timezone.now)
    updated_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["workspace", "number"], name="depesche_item_number")]
        indexes = [models.Index(fields=["workspace", "state", "-updated_at"], name="depesche_item_list")]

    def __str__(self) -> str:
        return f"{self.key} {self.title}"

    @property
    def key(self) -> str:
        """The name people use: NW-482."""
        return f"{self.workspace.key}-{self.number}"


class Watcher(models.Model):
    class Kind(models.TextChoices):
        INFORMED = "informed", _("informed")
        CONSULTED = "consulted", _("consulted")
        MUTED = "muted", _("no mail about it")  # wants none, whatever their role on the item

    item = models.ForeignKey(Item, on_delete=models.CASCADE, related_name="watchers")
    person = models.ForeignKey(PERSON, on_delete=models.CASCADE, related_name="watching")
    kind = models.CharField(max_length=10, choices=Kind.choices, default=Kind.INFORMED)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["item", "person"], name="depesche_watcher_once")]


class Via(models.TextChoices):
    """By which way a change came in."""

    WEB = "web", _("in the browser")
    MAIL = "mail", _("by e-mail")
    COMMAND = "command", _("by command")
    API = "api", _("by API")


class HowKnown(models.TextChoices):
    """How the author of something that came by mail was established."""

    TOKEN_CHECKED = "token_check", _("signed reply address, own address, checked by the mail server")
    TOKEN = "token", _("signed reply address and verified sender")
    CHECKED = "check", _("own address, checked by the mail server")
    ADDRESS = "address", _("sender’s address alone, not verified")
    ACCEPTED = "accepted", _("accepted by a person")


class Comment(models.Model):
    item = models.ForeignKey(Item, on_delete=models.CASCADE, related_name="comments")
    author = models.ForeignKey(PERSON, on_delete=models.PROTECT, related_name="comments")
    text = models.TextField(_("comment"))  # Markdown
    cut = models.TextField(blank=True)  # what was cut from a mail: quote and signature
    via = models.CharField(max_length=10, choices=Via.choices, default=Via.WEB)
    received = models.BigIntegerField(null=True, unique=True)  # the received mail it came from: once
    how_known = models.CharField(max_length=40, blank=True)  # HowKnown; empty: signed in
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        indexes = [models.Index(fields=["item", "created_at"], name="depesche_comment_thread")]


class CommentVersion(models.Model):
    """How a comment stood before its cut was undone or done again."""

    comment = models.ForeignKey(Comment, on_delete=models.CASCADE, related_name="versions")
    text = models.TextField()
    cut = models.TextField(blank=True)
    until = models.DateTimeField()
    by = models.ForeignKey(PERSON, on_delete=models.PROTECT, related_name="+")  # who changed it then


class Attachment(models.Model):
    """A file of an item or of one of its comments. In the database, so that every machine has it."""

    item = models.ForeignKey(Item, on_delete=models.CASCADE, related_name="attachments")
    comment = models.ForeignKey(Comment, null=True, on_delete=models.CASCADE, related_name="attachments")
    filename = models.CharField(max_length=250)
    content_type = models.CharField(max_length=120)
    size = models.PositiveIntegerField()
    data = models.BinaryField()
    content_id = models.CharField(max_length=250, blank=True)
    created_at = models.DateTimeField(default=timezone.now)


class ItemEvent(models.Model):
    """One change, written in the transaction that made it: the history, and the source of all notices."""

    class Kind(models.TextChoices):
        CREATED = "created"
        CHANGED = "changed"
        COMMENTED = "commented"

    item = models.ForeignKey(Item, on_delete=models.CASCADE, related_name="events")
    kind = models.CharField(max_length=10, choices=Kind.choices)
    actor = models.ForeignKey(PERSON, on_delete=models.PROTECT, related_name="+")
    comment = models.OneToOneField(Comment, null=True, on_delete=models.CASCADE, related_name="event")
    changes = models.JSONField(default=list)  # [{"field": "state", "old": "open", "new": "closed"}]
    via = models.CharField(max_length=10, choices=Via.choices, default=Via.WEB)
    at = models.DateTimeField(default=timezone.now)
    received = models.BigIntegerField(null=True, unique=True)  # an item that came by mail: once
    due_at = models.DateTimeField(default=timezone.now)  # its notices are not planned before
    planning_at = models.DateTimeField(
        null=True
    )  # since then its notices are being planned: never changed again
    planned_at = models.DateTimeField(null=True)  # when all its notices were planned

    class Meta:
        indexes = [
            models.Index(
                fields=["due_at", "id"], name="depesche_event_open", condition=models.Q(planned_at=None)
            ),
            models.Index(fields=["item", "at"], name="depesche_event_history"),
        ]
