"""The certificate that each server showed last, and the one before it."""

from __future__ import annotations

from django.db import models


class PresentedCertificate(models.Model):
    """One server. `problem` is a smtpclient Cause where what it shows does not verify: nothing is said to it
    then. `old_…` is what it showed before `changed_at`; `noticed_at`: an administrator has seen that."""

    host = models.CharField(max_length=255)
    port = models.PositiveIntegerField()
    pem = models.TextField()
    sha256 = models.CharField(max_length=64)
    subject = models.TextField()
    issuer = models.TextField()
    not_before = models.DateTimeField()
    not_after = models.DateTimeField()
    problem = models.CharField(max_length=40, blank=True)
    seen_at = models.DateTimeField()
    looked_at = models.DateTimeField(null=True)  # when it was asked last, beside the sessions
    old_sha256 = models.CharField(max_length=64, blank=True)
    old_subject = models.TextField(blank=True)
    old_issuer = models.TextField(blank=True)
    old_not_after = models.DateTimeField(null=True)
    changed_at = models.DateTimeField(null=True)
    noticed_at = models.DateTimeField(null=True)

    class Meta:
        app_label = "depesche_connections"
        constraints = [
            models.UniqueConstraint(fields=["host", "port"], name="depesche_presented_once"),
        ]
