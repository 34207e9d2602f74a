"""A discovery under way or done, so that any web process can show how far it is."""

from __future__ import annotations

from django.conf import settings
from django.db import models


class DiscoveryRun(models.Model):
    """`state` is what a page shows: candidates, and what became of each. No secret is in it."""

    key = models.CharField(max_length=40, unique=True)  # random: the page that started it knows it
    address = models.CharField(max_length=254)
    started_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)
    state = models.JSONField(default=dict)
    cancelled = models.BooleanField(default=False)
    started_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )

    class Meta:
        app_label = "depesche_connections"
