"""Keys made here: stored encrypted, activated by their record, replaced without a gap."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from depesche.mailformat.addresses import AddressError
from depesche.mailroom.connections import queries
from depesche.mailroom.connections.signing import actions
from depesche.mailroom.connections.signing.keys import signer_for
from depesche.mailroom.connections.signing.models import Algorithm, DkimKey, KeyState
from tests.support.dkim_verifier import verdicts

NOW = datetime(2026, 11, 27, 12, tzinfo=UTC)
MAIL = (b"From: <t@example.org>\r\n", b"To: <a@b.example>\r\n", b"Subject: x\r\n\r\nHello\r\n")


def records() -> dict[str, str]:
    return {f"{key.selector}._domainkey.{key.domain}": key.record for key in DkimKey.objects.all()}


def states() -> dict[str, str]:
    return dict(DkimKey.objects.values_list("selector", "state"))


def test_keys_sign_once_they_are_active(db: Any, saved: Any) -> None:
    rsa, ed25519 = actions.make_keys("Example.ORG.", now=NOW)
    assert (rsa.domain, rsa.selector) == ("example.org", "depesche-20261127-rsa")
    assert (ed25519.algorithm, ed25519.state) == (Algorithm.ED25519, KeyState.WAITING)
    assert signer_for("t@example.org") is None
    before = queries.revision()
    assert actions.activate(rsa.pk, now=NOW)
    assert actions.activate(ed25519.pk, now=NOW)
    assert not actions.activate(rsa.pk, now=NOW)
    assert queries.revision() > before, "workers look anew"
    signer = signer_for("t@example.org")
    assert signer is not None
    assert verdicts(signer.joined(*MAIL, NOW), records()) == [True, True]


def test_the_private_part_is_encrypted_and_erased_at_the_end(db: Any) -> None:
    key, *_rest = actions.make_keys("example.org", now=NOW)
    assert b"PRIVATE" not in bytes(key.private_encrypted or b"")
    assert actions.retire(key.pk, now=NOW)
    assert not actions.retire(key.pk, now=NOW)
    row = DkimKey.objects.get(pk=key.pk)
    assert (row.state, row.private_encrypted) == (KeyState.RETIRED, None)
    assert signer_for("t@example.org") is None


def test_a_record_that_is_seen_activates_its_key_and_retires_the_one_before(db: Any) -> None:
    old, *_ = actions.make_keys("example.org", now=NOW, algorithms=(Algorithm.RSA,))
    other, *_ = actions.make_keys("example.org", now=NOW, algorithms=(Algorithm.ED25519,))
    actions.note_looked_up(old.pk, right=True, now=NOW)
    actions.note_looked_up(other.pk, right=True, now=NOW)
    later = NOW + timedelta(days=1)
    new, *_ = actions.make_keys("example.org", now=NOW, algorithms=(Algorithm.RSA,))
    assert new.selector == "depesche-20261127-rsa-2"
    actions.note_looked_up(new.pk, right=False, now=later)
    assert states()["depesche-20261127-rsa-2"] == KeyState.WAITING
    actions.note_looked_up(new.pk, right=True, now=later)
    assert states() == {
        "depesche-20261127-rsa": KeyState.RETIRED,
        "depesche-20261127-ed25519": KeyState.ACTIVE,
        "depesche-20261127-rsa-2": KeyState.ACTIVE,
    }


def test_a_key_that_signs_is_not_removed(db: Any) -> None:
    key, *_ = actions.make_keys("example.org", now=NOW, algorithms=(Algorithm.ED25519,))
    actions.activate(key.pk, now=NOW)
    assert not actions.remove(key.pk)
    actions.retire(key.pk, now=NOW)
    assert actions.remove(key.pk)


def test_a_key_that_cannot_be_decrypted_stops_no_mail(db: Any, settings: Any, caplog: Any) -> None:
    key, *_ = actions.make_keys("example.org", now=NOW, algorithms=(Algorithm.ED25519,))
    actions.activate(key.pk, now=NOW)
    DkimKey.objects.filter(pk=key.pk).update(private_encrypted=b"nonsense")
    assert signer_for("t@example.org") is None
    assert "cannot be used" in caplog.text


@pytest.mark.parametrize("domain", ["", "a b", "a@b", "a\r\nb.example"])
def test_what_is_no_domain_gets_no_key(db: Any, domain: str) -> None:
    with pytest.raises(AddressError):
        actions.make_keys(domain, now=NOW)


def test_the_test_mail_is_signed_as_any_other(db: Any, saved: Any) -> None:
    from depesche.mailroom.connections.diagnosis import content
    from depesche.mailroom.connections.diagnosis.plan import plan_test

    for key in actions.make_keys("nordlicht.example", now=NOW):
        actions.activate(key.pk, now=NOW)
    plan = plan_test(queries.outgoing(), to="a@b.example")
    assert verdicts(content.test_mail(plan, now=NOW), records()) == [True, True]
