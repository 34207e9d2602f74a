"""One row for each change. Written in the transaction of the change itself; no row ever holds a secret."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _


class Area(models.TextChoices):
    """What was changed."""

    OUTGOING = "outgoing", _("Outgoing")
    INCOMING = "incoming", _("Incoming")
    OAUTH = "oauth", _("Login by OAuth 2.0")
    KEYSTORE = "keystore", _("Keystore")
    SIGNING = "signing", _("DKIM key")
    SENDERS = "senders", _("Sender")
    ALARMS = "alarms", _("Alarms")


class Act(models.TextChoices):
    """What was done with it."""

    FOUND = "found", _("found as it was")  # the state before the first change on record
    CHANGED = "changed", _("changed")
    RESTORED = "restored", _("restored")
    ADDED = "added", _("added")
    REMOVED = "removed", _("removed")
    ACTIVATED = "activated", _("activated")
    RETIRED = "retired", _("retired")
    REVOKED = "revoked", _("revoked")
    LEARNT = "learnt", _("learnt")


class SettingsChange(models.Model):
    """A change. `changes` are {key, old, new}; of secrets only whether one was set. `values` is the whole as
    it was after it, where it can be restored. `worked_at`: when it was first seen to work."""

    at = models.DateTimeField()
    by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    by_name = models.CharField(max_length=200, blank=True)  # stays when the person goes; empty: no person
    area = models.CharField(max_length=20, choices=Area.choices)
    place = models.PositiveSmallIntegerField(default=0)
    act = models.CharField(max_length=20, choices=Act.choices)
    subject = models.CharField(max_length=300, blank=True)
    changes = models.JSONField(default=list)
    values = models.JSONField(null=True)
    revision = models.PositiveIntegerField(default=0)  # of the settings after it
    worked_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [models.Index(fields=["area", "place", "id"], name="depesche_settings_change")]
