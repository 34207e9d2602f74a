"""People, their languages and the addresses that are known to be theirs."""

from __future__ import annotations

from typing import Any, ClassVar

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.db import models
from django.db.models.functions import Lower
from django.utils import timezone
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext_lazy as _


class PersonManager(BaseUserManager["Person"]):
    def get_by_natural_key(self, username: str | None) -> Person:
        return self.get(email__iexact=username)


class Person(AbstractBaseUser):
    """Somebody who signs in and gets mail. `email` is the address that notices go to."""

    class Language(models.TextChoices):
        EN = "en", "English"
        DE = "de", "Deutsch"

    email = models.CharField(_("address"), max_length=254, unique=True)  # an addr-spec, mailformat's Address
    name = models.CharField(_("name"), max_length=120)
    language = models.CharField(_("language"), max_length=5, choices=Language.choices, default=Language.EN)
    is_admin = models.BooleanField(_("administrator"), default=False)
    is_guest = models.BooleanField(default=False)  # known by mail alone: no sign-in, no workspace, no notices
    is_active = models.BooleanField(_("active"), default=True)
    session_epoch = models.PositiveIntegerField(default=0)  # one more ends every session and link at once
    only_account_mails = models.BooleanField(_("no mail to me, but for my account"), default=False)
    created_at = models.DateTimeField(default=timezone.now)

    objects: ClassVar[PersonManager] = PersonManager()

    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS = ["name"]

    class Meta:
        constraints = [models.UniqueConstraint(Lower("email"), name="depesche_person_email_once")]

    def __str__(self) -> str:
        return self.name

    def get_session_auth_hash(self) -> str:
        """Sessions end with a change of password (Django) and with `session_epoch` (deactivation)."""
        return salted_hmac(
            "depesche.session", f"{self.session_epoch}:{self.password}", algorithm="sha256"
        ).hexdigest()

    @property
    def is_staff(self) -> bool:
        return self.is_admin

    @property
    def is_superuser(self) -> bool:
        return self.is_admin

    def has_perm(self, perm: str, obj: Any = None) -> bool:
        return self.is_active and self.is_admin

    def has_module_perms(self, app_label: str) -> bool:
        return self.is_active and self.is_admin


class VerifiedAddress(models.Model):
    """An address that a person writes from. The one they sign in with is verified by the account mail."""

    person = models.ForeignKey(Person, on_delete=models.CASCADE, related_name="verified_addresses")
    address = models.CharField(max_length=254, unique=True)  # mailformat Address.key: equal however written
    verified_at = models.DateTimeField(default=timezone.now)


class ResetRequest(models.Model):
    """A request for a password mail, for the limits: 3 an hour for an account, 10 for an IP address."""

    email = models.CharField(max_length=254)  # mailformat Address.key, whether anybody has it or not
    ip = models.GenericIPAddressField(null=True)
    at = models.DateTimeField(default=timezone.now)
    answered_at = models.DateTimeField(null=True)  # when the mail was written, or found not to be due

    class Meta:
        indexes = [
            models.Index(fields=["at"], name="depesche_reset_at"),
            models.Index(fields=["id"], name="depesche_reset_open", condition=models.Q(answered_at=None)),
        ]
