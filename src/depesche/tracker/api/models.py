"""Tokens with which programs act for a person. Only their digests are stored."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils import timezone


class ApiToken(models.Model):
    """Whoever shows the token acts as this person, with their rights at that moment."""

    person = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="api_tokens")
    name = models.CharField(max_length=80, blank=True)  # what it is for
    digest = models.CharField(max_length=64, unique=True)  # SHA-256: the token has 256 bits of its own
    created_at = models.DateTimeField(default=timezone.now)
    used_at = models.DateTimeField(null=True)  # to the minute or so
