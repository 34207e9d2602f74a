"""Who was told about an event, and who was not and why."""

from __future__ import annotations

from django.conf import settings
from django.db import models

from depesche.tracker.items.models import ItemEvent


class Notice(models.Model):
    """One person and one event: the mail they got, or the reason why they got none."""

    event = models.ForeignKey(ItemEvent, on_delete=models.CASCADE, related_name="notices")
    person = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    reasons = models.CharField(max_length=100, blank=True)  # recipients.Reason, joined by commas
    recipient = models.BigIntegerField(null=True)  # id of the outbox recipient
    not_told = models.CharField(max_length=30, blank=True)  # recipients.NotTold

    class Meta:
        constraints = [models.UniqueConstraint(fields=["event", "person"], name="depesche_notice_once")]


class Reminder(models.Model):
    """That a person was reminded on a day: one mail with all of it."""

    person = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    day = models.DateField()
    recipient = models.BigIntegerField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["person", "day"], name="depesche_reminder_once_a_day")]
