"""One login by OAuth 2.0 for each place: our registration with the provider, the consent, and the tokens.

Connection and mailbox of one place share it. Secrets stand here only encrypted (secrets.py).
"""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _


class Flow(models.TextChoices):
    """How the first token is had."""

    CODE = "code", _("A person signs in and consents")
    APP = "app", _("The app signs in by itself (client credentials)")


class OAuthLogin(models.Model):
    """See above. `generation` grows with each new token, so that those who wait for one see it."""

    place = models.PositiveSmallIntegerField(unique=True, default=0)
    provider = models.CharField(max_length=20, blank=True)  # a key of providers.PROVIDERS; empty: not set up
    flow = models.CharField(max_length=10, choices=Flow.choices, default=Flow.CODE)
    tenant = models.CharField(max_length=100, blank=True)
    client_id = models.CharField(max_length=255, blank=True)
    client_secret_encrypted = models.BinaryField(null=True, editable=False)
    client_secret_set_at = models.DateTimeField(null=True)
    client_secret_expires = models.DateField(null=True)

    # --- what the provider handed out
    connected_at = models.DateTimeField(null=True)
    connected_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    account = models.CharField(max_length=254, blank=True)
    scope = models.TextField(blank=True)
    hosts = models.TextField(blank=True)  # the mail servers that the tokens may travel to, one a line
    refresh_token_encrypted = models.BinaryField(null=True, editable=False)
    access_token_encrypted = models.BinaryField(null=True, editable=False)
    access_expires_at = models.DateTimeField(null=True)
    obtained_at = models.DateTimeField(null=True)
    generation = models.PositiveIntegerField(default=0)

    # --- who renews it just now, and how the last try failed
    lease_owner = models.CharField(max_length=40, blank=True)
    lease_until = models.DateTimeField(null=True)
    problem = models.CharField(max_length=40, blank=True)
    problem_words = models.TextField(blank=True)
    problem_since = models.DateTimeField(null=True)
    failures = models.PositiveIntegerField(default=0)
    next_try_at = models.DateTimeField(null=True)

    class Meta:
        app_label = "depesche_connections"
