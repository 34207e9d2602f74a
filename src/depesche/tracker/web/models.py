"""What the pages keep for themselves: failed sign-ins, for the throttle."""

from __future__ import annotations

from django.db import models
from django.utils import timezone


class SignInAttempt(models.Model):
    """One try to sign in, written before the password is looked at and removed when it was right."""

    account = models.CharField(max_length=254)  # the address as typed, lower case
    ip = models.CharField(max_length=45, blank=True)
    at = models.DateTimeField(default=timezone.now)

    class Meta:
        indexes = [
            models.Index(fields=["account", "at"], name="depesche_signin_account"),
            models.Index(fields=["ip", "at"], name="depesche_signin_ip"),
        ]
