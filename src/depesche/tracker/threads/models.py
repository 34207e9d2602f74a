"""What is kept of threads: which tokens are void, and which mails of others belong to which item."""

from __future__ import annotations

from django.conf import settings
from django.db import models

from depesche.tracker.items.models import Item


class Revocation(models.Model):
    """Every reply address made until `at` is void: of an item, of a person, of both, or (neither) of all.

    Rows are only added: they tell who revoked what, too.
    """

    item = models.ForeignKey(Item, null=True, on_delete=models.CASCADE, related_name="+")
    person = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.CASCADE, related_name="+"
    )
    at = models.DateTimeField()
    by = models.CharField(max_length=200, blank=True)

    class Meta:
        indexes = [models.Index(fields=["item", "person", "at"], name="depesche_revocation")]


class MailLink(models.Model):
    """A mail that somebody else wrote and that became part of an item: answers to it belong there too.

    It says where an answer belongs, and nothing about who wrote that.
    """

    digest = models.CharField(max_length=64, unique=True)  # SHA-256 of the Message-ID
    item = models.ForeignKey(Item, on_delete=models.CASCADE, related_name="+")
