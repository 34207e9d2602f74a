"""From the stored keys to a signer for the worker; private parts are decrypted here and nowhere else."""

from __future__ import annotations

import logging

from depesche.mailformat.dkim import load_key
from depesche.mailroom.connections import secrets
from depesche.mailroom.connections.signing.models import DkimKey, KeyState
from depesche.mailroom.connections.signing.signer import Key, Signer

log = logging.getLogger(__name__)


def signer_for(system_address: str) -> Signer | None:
    """A signer with every key that signs now; None while there is none, so that signing costs nothing."""
    keys = []
    for row in DkimKey.objects.filter(state=KeyState.ACTIVE).order_by("-algorithm", "pk"):
        try:
            keys.append(_key(row))
        except (ValueError, secrets.SecretsError):
            log.error("The DKIM key %s of %s cannot be used.", row.selector, row.domain)
    return Signer(keys, home=system_address.rpartition("@")[2]) if keys else None


def _key(row: DkimKey) -> Key:
    if row.private_encrypted is None:
        raise ValueError("its private part is erased")
    pem = secrets.decrypt(row.private_encrypted).reveal().encode("ascii")
    return Key(row.domain, row.selector, load_key(pem))
