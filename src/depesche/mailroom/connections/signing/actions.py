"""The only writers of DKIM keys. What changes what is signed with raises the revision, so that workers notice
within seconds."""

from __future__ import annotations

from datetime import datetime

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from django.db import transaction

from depesche.mailformat.addresses import canonical_domain
from depesche.mailformat.dkim import SigningKey, dns_record
from depesche.mailroom.connections import actions as connections
from depesche.mailroom.connections import secrets
from depesche.mailroom.connections.history.models import Act, Area
from depesche.mailroom.connections.history.recording import record
from depesche.mailroom.connections.secrets import Secret
from depesche.mailroom.connections.signing.models import Algorithm, DkimKey, KeyState

_RSA_BITS = 2048  # longer keys do not fit one DNS answer everywhere, and receivers need not verify them


def make_keys(
    domain: str,
    *,
    now: datetime,
    algorithms: tuple[Algorithm, ...] = (Algorithm.RSA, Algorithm.ED25519),
    by: connections.Person = None,
) -> list[DkimKey]:
    """New keys for a domain, each with a selector never used before; they sign nothing until their record is
    seen in DNS, or `activate` says so. Raises AddressError for what is no domain."""
    domain = canonical_domain(domain.strip().rstrip(".")).lower()
    made = [(algorithm, _generated(algorithm)) for algorithm in algorithms]
    with transaction.atomic():
        rows = [
            DkimKey.objects.create(
                domain=domain,
                selector=_free_selector(domain, algorithm, now),
                algorithm=algorithm,
                private_encrypted=secrets.encrypt(_pem(key)),
                record=dns_record(key),
                created_at=now,
                created_by=connections.person(by),
            )
            for algorithm, key in made
        ]
        for row in rows:
            record(Area.SIGNING, Act.ADDED, by=by, subject=_name(row), now=now)
    return rows


def activate(key_id: int, *, now: datetime, by: connections.Person = None) -> bool:
    """From now on this key signs, and those of its domain and algorithm that signed before are retired. False
    when there is no such key that waits."""
    with transaction.atomic():
        row = DkimKey.objects.select_for_update().filter(pk=key_id, state=KeyState.WAITING).first()
        if row is None:
            return False
        before = DkimKey.objects.filter(
            domain=row.domain, algorithm=row.algorithm, state=KeyState.ACTIVE
        ).values_list("pk", flat=True)
        for other in list(before):
            _retire(other, now, by)
        DkimKey.objects.filter(pk=key_id).update(state=KeyState.ACTIVE, activated_at=now)
        record(Area.SIGNING, Act.ACTIVATED, by=by, subject=_name(row), now=now)
        connections.settings_changed()
    return True


def retire(key_id: int, *, now: datetime, by: connections.Person = None) -> bool:
    """This key signs no more; its private part is erased. False when there is none that signs or waits."""
    with transaction.atomic():
        retired = _retire(key_id, now, by)
        if retired:
            connections.settings_changed()
    return retired


def remove(key_id: int, *, by: connections.Person = None) -> bool:
    """Forget a key that is retired or never signed. False when there is none such."""
    with transaction.atomic():
        row = DkimKey.objects.filter(pk=key_id).exclude(state=KeyState.ACTIVE).first()
        if row is None:
            return False
        record(Area.SIGNING, Act.REMOVED, by=by, subject=_name(row))
        row.delete()
    return True


def note_looked_up(key_id: int, *, right: bool, now: datetime) -> None:
    """DNS was asked for the record of a key. A key that waited signs as soon as its record is there."""
    DkimKey.objects.filter(pk=key_id).update(checked_at=now, **({"seen_at": now} if right else {}))
    if right and DkimKey.objects.filter(pk=key_id, state=KeyState.WAITING).exists():
        activate(key_id, now=now)


def _retire(key_id: int, now: datetime, by: connections.Person) -> bool:
    row = DkimKey.objects.filter(pk=key_id).exclude(state=KeyState.RETIRED).first()
    if row is None:
        return False
    DkimKey.objects.filter(pk=key_id).update(state=KeyState.RETIRED, retired_at=now, private_encrypted=None)
    record(Area.SIGNING, Act.RETIRED, by=by, subject=_name(row), now=now)
    return True


def _name(row: DkimKey) -> str:
    return f"{row.selector}._domainkey.{row.domain}"


def _generated(algorithm: Algorithm) -> SigningKey:
    if algorithm is Algorithm.ED25519:
        return Ed25519PrivateKey.generate()
    return generate_private_key(public_exponent=65537, key_size=_RSA_BITS)


def _pem(key: SigningKey) -> Secret:
    return Secret(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode("ascii"))


def _free_selector(domain: str, algorithm: Algorithm, now: datetime) -> str:
    """`depesche-20261127-rsa`, or with a number behind it where that one was used before."""
    plain = f"depesche-{now:%Y%m%d}-{algorithm.value}"
    used = set(DkimKey.objects.filter(domain=domain).values_list("selector", flat=True))
    names = (plain, *(f"{plain}-{number}" for number in range(2, 1000)))
    return next(name for name in names if name not in used)
