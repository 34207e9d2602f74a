"""The keys that mails are signed with. The private part stands here encrypted only (secrets.py)."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _


class Algorithm(models.TextChoices):
    """RSA is what every receiver verifies; Ed25519 is short and quick, and some know it (RFC 8463)."""

    RSA = "rsa", "RSA-2048"
    ED25519 = "ed25519", "Ed25519"


class KeyState(models.TextChoices):
    """WAITING: its record is not in DNS yet. RETIRED: signs no more, its private part is erased; the record
    stays in DNS for a while, since mails that it signed may still be under way."""

    WAITING = "waiting", _("waiting for its record")
    ACTIVE = "active", _("signs")
    RETIRED = "retired", _("retired")


class DkimKey(models.Model):
    """One key of one domain, under its selector."""

    domain = models.CharField(max_length=253)
    selector = models.CharField(max_length=63)
    algorithm = models.CharField(max_length=10, choices=Algorithm.choices)
    state = models.CharField(max_length=10, choices=KeyState.choices, default=KeyState.WAITING)
    private_encrypted = models.BinaryField(null=True, editable=False)
    record = models.TextField()  # the text of the TXT record: the public part
    created_at = models.DateTimeField()
    checked_at = models.DateTimeField(null=True)  # when DNS was asked last
    seen_at = models.DateTimeField(null=True)  # when the right record was seen last
    activated_at = models.DateTimeField(null=True)
    retired_at = models.DateTimeField(null=True)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )

    class Meta:
        constraints = [models.UniqueConstraint(fields=["domain", "selector"], name="depesche_dkim_selector")]
