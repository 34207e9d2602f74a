from __future__ import annotations

import copy
import json
import logging
import pickle
from typing import Any

import pytest

from depesche.mailroom.connections import secrets
from depesche.mailroom.connections.models import Installation
from depesche.mailroom.connections.secrets import Secret
from tests.mailroom.connections.support import CANARY


def test_a_secret_shows_itself_to_reveal_alone(caplog: Any) -> None:
    secret = Secret(CANARY)
    with caplog.at_level(logging.DEBUG):
        logging.getLogger("test").info("%s %r %s", secret, secret, [secret])
    shown = [repr(secret), str(secret), f"{secret}", f"{secret!r:>40}", caplog.text]
    assert not any(CANARY in text for text in shown)
    for store in (pickle.dumps, copy.copy, copy.deepcopy):
        with pytest.raises(TypeError):
            store(secret)
    with pytest.raises(TypeError):
        json.dumps(secret)
    assert not hasattr(secret, "__dict__")
    assert secret.reveal() == CANARY
    assert secret == Secret(CANARY)
    assert secret != Secret("other")
    assert not Secret("")


def test_what_is_stored_can_be_read_with_the_same_key_only(db: Any, settings: Any) -> None:
    octets = secrets.encrypt(Secret(CANARY))
    assert CANARY.encode() not in octets
    assert secrets.decrypt(octets) == Secret(CANARY)
    settings.DEPESCHE_KEYS = [b"k" * 32]
    with pytest.raises(secrets.SecretsError, match="cannot be decrypted"):
        secrets.decrypt(octets)
    with pytest.raises(secrets.SecretsError, match="is not the key of this database"):
        secrets.check_key()
    with pytest.raises(secrets.SecretsError, match="is not the key of this database"):
        secrets.encrypt(Secret("x"))


def test_a_new_key_before_the_old_one_takes_over(db: Any, settings: Any) -> None:
    old = settings.DEPESCHE_KEYS[0]
    octets = secrets.encrypt(Secret(CANARY))
    settings.DEPESCHE_KEYS = [b"n" * 32, old]
    secrets.check_key()
    assert secrets.decrypt(octets) == Secret(CANARY)
    secrets.ensure_installation()
    assert Installation.objects.count() == 1
    settings.DEPESCHE_KEYS = [b"n" * 32]
    secrets.check_key()


def test_another_project_needs_no_key_of_its_own(db: Any, settings: Any) -> None:
    del settings.DEPESCHE_KEYS
    settings.SECRET_KEY = "another project's"
    assert secrets.decrypt(secrets.encrypt(Secret(CANARY))) == Secret(CANARY)


def test_without_any_key_nothing_is_stored(db: Any, settings: Any) -> None:
    settings.DEPESCHE_KEYS = []
    with pytest.raises(secrets.SecretsError, match="depesche init"):
        secrets.encrypt(Secret(CANARY))
