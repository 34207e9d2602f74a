"""What the watch remembers: its settings, what was wrong from when to when, and whom it told."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _


class AlarmSettings(models.Model):
    """One row. The address of the webhook is kept like a password: with many chat programs it is one."""

    level = models.CharField(max_length=10, default="warning")  # the least that is told
    patience = models.PositiveIntegerField(default=5)  # minutes that an alarm lasts before it is told
    language = models.CharField(max_length=10, blank=True)  # empty: the server's
    webhook_encrypted = models.BinaryField(null=True, editable=False)
    webhook_host = models.CharField(max_length=300, blank=True)  # what may be shown of it
    webhook_set_at = models.DateTimeField(null=True)
    secret_encrypted = models.BinaryField(null=True, editable=False)
    secret_set_at = models.DateTimeField(null=True)
    mail = models.BooleanField(default=False)
    mail_to = models.TextField(blank=True)  # one a line; empty: every administrator
    late = models.PositiveIntegerField(default=15)  # minutes after which a mail that is due counts as late
    failed_per_day = models.PositiveIntegerField(default=20)
    silence = models.BooleanField(default=True)  # whether a silent mailbox is an alarm
    updated_at = models.DateTimeField(auto_now=True)
    updated_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )


class AlarmOccurrence(models.Model):
    """One alarm from its beginning to its end. `words` as they were said in the language of the settings."""

    key = models.CharField(max_length=200)
    code = models.CharField(max_length=60)
    level = models.CharField(max_length=10)
    first_level = models.CharField(max_length=10)
    facts = models.JSONField(default=dict)
    words = models.JSONField(default=dict)  # title, why, remedy
    link = models.CharField(max_length=100, blank=True)
    began_at = models.DateTimeField()  # since when it is so, as far as the source knows
    seen_at = models.DateTimeField()  # when the watch saw it first
    absent_since = models.DateTimeField(null=True)  # no longer named; over when it stays so
    over_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["key"], name="depesche_alarm_once", condition=models.Q(over_at__isnull=True)
            )
        ]
        indexes = [models.Index(fields=["over_at"], name="depesche_alarm_over")]


class Way(models.TextChoices):
    """How an alarm leaves the house."""

    WEBHOOK = "webhook", _("webhook")
    MAIL = "mail", _("mail")


class AlarmTelling(models.Model):
    """That an occurrence is told through a way: once when it began, once when it grew worse, once when it was
    over."""

    class Event(models.TextChoices):
        BEGAN = "alarm", _("alarm")
        WORSE = "worse", _("worse")
        OVER = "over", _("over")

    class State(models.TextChoices):
        DUE = "due", _("is tried")
        DONE = "done", _("told")
        GIVEN_UP = "given-up", _("given up")
        DROPPED = "dropped", _("no longer needed")

    occurrence = models.ForeignKey(AlarmOccurrence, on_delete=models.CASCADE, related_name="tellings")
    way = models.CharField(max_length=10, choices=Way.choices)
    event = models.CharField(max_length=10, choices=Event.choices)
    state = models.CharField(max_length=10, choices=State.choices, default=State.DUE)
    attempts = models.PositiveIntegerField(default=0)
    next_at = models.DateTimeField()
    done_at = models.DateTimeField(null=True)
    error = models.TextField(blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["occurrence", "way", "event"], name="depesche_alarm_told_once")
        ]
        indexes = [
            models.Index(fields=["next_at"], name="depesche_alarm_due", condition=models.Q(state="due"))
        ]


class WatchLease(models.Model):
    """One row: the process that watches for all."""

    owner = models.CharField(max_length=40, blank=True)
    until = models.DateTimeField(null=True)


class WaitingSample(models.Model):
    """How many mails waited at a time; a day of them is kept."""

    at = models.DateTimeField(unique=True)
    waiting = models.PositiveIntegerField()
