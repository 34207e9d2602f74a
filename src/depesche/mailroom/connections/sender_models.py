"""Who mails are from, beyond the settings: what a server was found to refuse, and addresses of their own."""

from __future__ import annotations

from django.conf import settings
from django.db import models


class SenderRule(models.Model):
    """Learnt at run time: this server, with this login, takes no From of this domain but the system address
    (M13). It is there only once a mail with the system address in its place was accepted.
    """

    host = models.CharField(max_length=255)  # lower case
    login = models.CharField(max_length=255, blank=True)  # what a server permits hangs on who is logged in
    domain = models.CharField(max_length=255)  # lower case
    address = models.CharField(max_length=254)  # the From that was refused
    cause = models.CharField(max_length=40)  # a Refusal
    stage = models.CharField(max_length=20)
    reply = models.TextField()  # the server's words
    learnt_at = models.DateTimeField()
    seen_at = models.DateTimeField(null=True)  # an administrator has taken note: no alarm any more

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["host", "login", "domain"], name="depesche_sender_rule_once"),
        ]


class SenderIdentity(models.Model):
    """An address and a name that stand in place of the system's in mails about one scope: a workspace."""

    scope = models.CharField(max_length=40, unique=True)  # what item keys begin with: NW of NW-482
    address = models.CharField(max_length=254, blank=True)
    name = models.CharField(max_length=120, blank=True)
    updated_at = models.DateTimeField(auto_now=True)
    updated_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
