"""Secrets at rest: encrypted with a key that is not in the database, and unreadable by accident everywhere
else.

The key comes from `settings.DEPESCHE_KEYS` (the first encrypts, all decrypt, so that a key can be changed); a
Django project without that setting gets one derived from SECRET_KEY. Its fingerprint stands in the database:
a process with another key stops instead of asking a mail server with the wrong password, or writing what
nobody can read.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from typing import NoReturn

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from depesche.mailroom.connections.models import Installation


class SecretsError(ImproperlyConfigured):
    """The key is missing, or not the one of this database; the text is one sentence with its remedy."""


class Secret:
    """A password or token. Shows itself to `reveal()` alone: never in repr, str, format, a pickle or a
    comparison.

    >>> Secret("hunter2"), f"{Secret('hunter2')}"
    (Secret(hidden), 'Secret(hidden)')
    """

    __slots__ = ("__value",)

    def __init__(self, value: str) -> None:
        self.__value = value

    def reveal(self) -> str:
        """The secret itself, for the one call that needs it."""
        return self.__value

    def __bool__(self) -> bool:
        return bool(self.__value)

    def __repr__(self) -> str:
        return "Secret(hidden)"

    __str__ = __repr__

    def __format__(self, spec: str) -> str:
        return repr(self)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Secret):
            return NotImplemented
        return hmac.compare_digest(self.__value.encode(), other.reveal().encode())

    __hash__ = None  # type: ignore[assignment]  # a secret is no key of a mapping

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        raise TypeError("a Secret is not stored and not sent to another process")


def encrypt(secret: Secret) -> bytes:
    """The secret as it may stand in the database."""
    ensure_installation()
    return _fernet().encrypt(secret.reveal().encode())


def decrypt(octets: bytes | memoryview) -> Secret:
    """What `encrypt` wrote. Raises SecretsError when it was written with another key."""
    try:
        return Secret(_fernet().decrypt(bytes(octets)).decode())
    except InvalidToken:
        raise SecretsError(
            "A stored password cannot be decrypted: this process lacks the key that it was stored with."
        ) from None


def check_key() -> None:
    """Raises SecretsError when this process has no key, or another than the database was made with."""
    known = _fingerprints()
    stored = Installation.objects.order_by("id").values_list("key_fingerprint", flat=True).first()
    if stored is not None and stored not in known:
        raise SecretsError(
            f"The secret key of this process (fingerprint {known[0][:12]}) is not the key of this database "
            f"(fingerprint {stored[:12]}): put the right key file in its place, or name it in "
            "DEPESCHE_SECRET_KEY_FILE."
        )


def ensure_installation() -> None:
    """Write down which key this database uses; safe to repeat. Raises SecretsError when it is another one."""
    check_key()
    newest = _fingerprints()[0]
    installation, made = Installation.objects.get_or_create(pk=1, defaults={"key_fingerprint": newest})
    if (
        not made and installation.key_fingerprint != newest
    ):  # an older key of our list: from now on the newest
        Installation.objects.filter(pk=1).update(key_fingerprint=newest)
    check_key()


def _keys() -> list[bytes]:
    keys: list[bytes] | None = getattr(settings, "DEPESCHE_KEYS", None)
    if keys is None:
        keys = [hmac.digest(settings.SECRET_KEY.encode(), b"depesche:secrets-at-rest", hashlib.sha256)]
    if not keys:
        raise SecretsError(
            "There is no secret key: run 'depesche init' once, or set DEPESCHE_SECRET_KEY_FILE to the key of "
            "this installation."
        )
    if any(len(key) != 32 for key in keys):
        raise SecretsError("DEPESCHE_KEYS holds a key that is not 32 octets long.")
    return keys


def problem_of_keys() -> str:
    """What is wrong with DEPESCHE_KEYS, in a sentence; "" when nothing is."""
    try:
        _fernet()
    except (SecretsError, TypeError, ValueError) as error:
        return str(error)
    return ""


def _fernet() -> MultiFernet:
    return MultiFernet([Fernet(base64.urlsafe_b64encode(key)) for key in _keys()])


def _fingerprints() -> list[str]:
    return [hmac.digest(key, b"depesche:fingerprint", hashlib.sha256).hex() for key in _keys()]
