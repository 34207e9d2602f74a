"""What the name service last said of a domain."""

from __future__ import annotations

from typing import ClassVar

from django.db import models


class DomainLook(models.Model):
    """One domain that mails come from. `records` as lookup.DomainRecords; `next_at`: when to ask again."""

    domain = models.CharField(max_length=253, unique=True)
    looked_at = models.DateTimeField(null=True)
    next_at = models.DateTimeField()
    records = models.JSONField(default=dict)

    objects: ClassVar[models.Manager[DomainLook]] = models.Manager()
