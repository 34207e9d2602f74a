"""What a workspace demands of mails that come in, and how the author of each one was established."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils import timezone

from depesche.tracker.correspondence.choices import NewItems, Proof, Strangers
from depesche.tracker.items.models import Comment, Item, Workspace

REPLY_DAYS = 365
REFUSED_TYPES = "exe scr bat cmd com pif vbs js jse wsf hta msi lnk ps1 jar"


class MailRules(models.Model):
    """The rules of one workspace; without a workspace those of all that have none of their own."""

    workspace = models.OneToOneField(
        Workspace, null=True, on_delete=models.CASCADE, related_name="mail_rules"
    )
    proof = models.CharField(max_length=10, choices=Proof.choices, default=Proof.TOKEN)
    new_items = models.CharField(max_length=10, choices=NewItems.choices, default=NewItems.ADDRESS)
    strangers = models.CharField(max_length=10, choices=Strangers.choices, default=Strangers.REFUSE)
    commands = models.BooleanField(default=False)
    reply_days = models.PositiveIntegerField(default=REPLY_DAYS)  # 0: reply addresses never run out
    max_files = models.PositiveIntegerField(default=20)
    max_megabytes = models.PositiveIntegerField(default=20)  # of one file
    refused_types = models.TextField(default=REFUSED_TYPES, blank=True)  # endings of file names


class MailedIn(models.Model):
    """How the author of a comment or item that came by mail was established."""

    comment = models.OneToOneField(Comment, null=True, on_delete=models.CASCADE, related_name="mailed_in")
    item = models.OneToOneField(Item, null=True, on_delete=models.CASCADE, related_name="mailed_in")
    received = models.BigIntegerField()
    from_address = models.CharField(max_length=400)  # as the mail gives it, with its name
    token = models.CharField(max_length=12)  # authorship.Token
    check_result = models.CharField(max_length=12)  # authorship.Check
    check_by = models.CharField(max_length=255, blank=True)  # the server that checked
    check_said = models.CharField(max_length=400, blank=True)  # its words: dmarc=pass, spf=pass …
    accepted_by = models.CharField(max_length=200, blank=True)


class BlockedSender(models.Model):
    """An address whose mails are set aside without an answer."""

    address = models.CharField(max_length=320, unique=True)  # mailformat Address.key
    at = models.DateTimeField(default=timezone.now)
    by = models.CharField(max_length=200, blank=True)


class MailedTo(models.Model):
    """Somebody to whom a mail was written from an item: by which comment, and the mail in the outbox."""

    comment = models.ForeignKey(Comment, on_delete=models.CASCADE, related_name="mailed_to")
    item = models.ForeignKey(Item, on_delete=models.CASCADE, related_name="+")
    person = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    address = models.CharField(max_length=320)
    is_copy = models.BooleanField(default=False)  # Cc
    recipient = models.BigIntegerField(null=True)  # in the outbox

    class Meta:
        constraints = [models.UniqueConstraint(fields=["comment", "person"], name="depesche_mailed_to_once")]
        indexes = [models.Index(fields=["item", "person"], name="depesche_mailed_to_thread")]


class UndeliveredTold(models.Model):
    """That this mail did not arrive has been dealt with: its writer was told, or is not to be."""

    mailed = models.OneToOneField(MailedTo, on_delete=models.CASCADE, related_name="told")
    at = models.DateTimeField()


class MailTemplate(models.Model):
    """Words to begin a mail with. `text` may name {item}, {title}, {state}, {name}."""

    name = models.CharField(max_length=80)
    language = models.CharField(max_length=5)
    subject = models.CharField(max_length=200, blank=True)
    text = models.TextField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["name", "language"], name="depesche_mail_template_once")
        ]
