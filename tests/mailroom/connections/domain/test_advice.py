"""What receivers make of a mail, as a table; and the records that would help."""

from __future__ import annotations

import pytest

from depesche.mailroom.connections.domain.advice import (
    Advice,
    Key,
    Level,
    Verdict,
    advice_for,
    opinion_of,
)
from depesche.mailroom.connections.domain.lookup import DomainRecords
from depesche.mailroom.connections.domain.policies import aligned, dmarc, same_key, spf, zone_text
from depesche.mailroom.connections.domain.texts import FINDINGS, VERDICTS
from depesche.mailroom.connections.name_service import Answer

SPF = "v=spf1 mx include:_spf.provider.example ~all"
REJECT = "v=DMARC1; p=reject"
BLIND = Answer(asked=False)
RSA = Key("example.org", "s1", "v=DKIM1; k=rsa; p=AAAA", signs=True, published=True)


def records(domain: str = "example.org", **found: object) -> DomainRecords:
    answers = {
        name: Answer(tuple(value) if isinstance(value, list | tuple) else (str(value),))
        for name, value in found.items()
        if name != "dmarc_at"
    }
    at = str(found.get("dmarc_at", domain if "dmarc" in found else ""))
    return DomainRecords(domain, dmarc_at=at, **answers)  # type: ignore[arg-type]  # by name


def advice(
    own: DomainRecords, *keys: Key, server: str = "smtp.example.org", wants_mail: bool = True
) -> Advice:
    return advice_for(own, keys, server=server, wants_mail=wants_mail)


def codes(made: Advice) -> dict[str, Level]:
    return {one.code: one.level for one in made.findings}


@pytest.mark.parametrize(
    ("author", "own", "keys", "verdict"),
    [
        # From the system address: SPF of its domain agrees with it.
        (records(dmarc="v=DMARC1; p=reject", spf=SPF), None, (), Verdict.TRUSTED),
        (records(dmarc="v=DMARC1; p=reject"), None, (), Verdict.REFUSED),
        (records(dmarc="v=DMARC1; p=quarantine"), None, (), Verdict.SPAM),
        (records(dmarc="v=DMARC1; p=none"), None, (), Verdict.UNPROVED),
        (records(), None, (), Verdict.UNPROVED),
        (records(dmarc="v=DMARC1; p=reject"), None, (RSA,), Verdict.TRUSTED),
        (records(dmarc="v=DMARC1; p=reject", spf=[SPF, SPF]), None, (), Verdict.REFUSED),
        # From a person elsewhere: neither our SPF nor our key speaks for that domain.
        (
            records("big.example", dmarc="v=DMARC1; p=reject", spf=SPF),
            records(spf=SPF),
            (RSA,),
            Verdict.REFUSED,
        ),
        (records("big.example", dmarc="v=DMARC1; p=quarantine"), records(spf=SPF), (RSA,), Verdict.SPAM),
        (records("big.example", dmarc="v=DMARC1; p=none"), records(spf=SPF), (RSA,), Verdict.UNPROVED),
        # A key of our own for that domain.
        (
            records("big.example", dmarc="v=DMARC1; p=reject"),
            records(spf=SPF),
            (Key("big.example", "s", "", signs=True, published=True),),
            Verdict.TRUSTED,
        ),
        (
            records("big.example", dmarc="v=DMARC1; p=reject"),
            records(spf=SPF),
            (Key("big.example", "s", "", signs=False, published=True),),
            Verdict.REFUSED,
        ),
        (
            records("big.example", dmarc="v=DMARC1; p=reject"),
            records(spf=SPF),
            (Key("big.example", "s", "", signs=True, published=False),),
            Verdict.REFUSED,
        ),
        # One family: relaxed alignment, and strict.
        (
            records("people.example.org", dmarc="v=DMARC1; p=reject", dmarc_at="example.org"),
            records("example.org", spf=SPF),
            (),
            Verdict.TRUSTED,
        ),
        (
            records(
                "people.example.org", dmarc="v=DMARC1; p=reject; aspf=s; adkim=s", dmarc_at="example.org"
            ),
            records("example.org", spf=SPF),
            (RSA,),
            Verdict.REFUSED,
        ),
        (
            records("people.example.org", dmarc="v=DMARC1; p=none; sp=reject", dmarc_at="example.org"),
            records("elsewhere.example", spf=SPF),
            (),
            Verdict.REFUSED,
        ),
        (
            DomainRecords("x.example", *[Answer(asked=False)] * 2, "", Answer(asked=False)),
            None,
            (),
            Verdict.UNKNOWN,
        ),
    ],
)
def test_the_verdict(
    author: DomainRecords, own: DomainRecords | None, keys: tuple[Key, ...], verdict: Verdict
) -> None:
    assert opinion_of(author, own or author, keys).verdict is verdict


@pytest.mark.parametrize(
    ("found", "code"),
    [
        ([], "spf-missing"),
        ([SPF], "spf-fine"),
        ([SPF, "v=spf1 -all"], "spf-several"),
        (["v=spf1 +all"], "spf-everybody"),
        (["v=spf1 all"], "spf-everybody"),
        (["v=spf1 mx ?all"], "spf-neutral"),
        (["v=spf1 mx"], "spf-neutral"),
        (["v=spf1 -all"], "spf-nobody"),
        (["v=spf1 redirect=_spf.example.net"], "spf-fine"),
        (["v=spf1 " + " ".join(f"include:{n}.example" for n in range(11)) + " -all"], "spf-too-many"),
    ],
)
def test_spf(found: list[str], code: str) -> None:
    assert code in codes(advice(records(spf=found)))


@pytest.mark.parametrize(
    ("found", "code"),
    [
        ([], "dmarc-missing"),
        (["v=DMARC1; p=none"], "dmarc-none"),
        (["v=DMARC1;p=QUARANTINE"], "dmarc-quarantine"),
        (["v=DMARC1; p=reject; pct=50"], "dmarc-reject"),
        (["v=DMARC1"], "dmarc-broken"),
        (["v=DMARC1; p=none", "v=DMARC1; p=reject"], "dmarc-several"),
    ],
)
def test_dmarc(found: list[str], code: str) -> None:
    assert code in codes(advice(records(dmarc=found)))


@pytest.mark.parametrize(
    ("found", "wants_mail", "code", "level"),
    [
        ({"exchangers": ["mx.example.org"]}, True, "mx-fine", Level.OK),
        ({"exchangers": [""]}, True, "mx-none-wanted", Level.FAULT),
        ({"exchangers": [""]}, False, "mx-none-wanted", Level.HINT),
        ({"addresses": ["192.0.2.1"]}, True, "mx-address", Level.HINT),
        ({}, True, "mx-missing", Level.FAULT),
        ({}, False, "mx-missing", Level.HINT),
    ],
)
def test_mx(found: dict[str, list[str]], wants_mail: bool, code: str, level: Level) -> None:
    assert codes(advice(records(**found), wants_mail=wants_mail))[code] is level


def test_dkim() -> None:
    waiting = Key("example.org", "s2", "v=DKIM1; p=BBBB", signs=False, published=False)
    assert codes(advice(records()))["dkim-off"] is Level.HINT
    assert "dkim-waiting" in codes(advice(records(), waiting))
    assert codes(advice(records(), RSA)).get("dkim-fine") is Level.OK
    gone = Key("example.org", "s1", "", signs=True, published=False)
    assert codes(advice(records(), gone))["dkim-gone"] is Level.FAULT


def test_the_records_to_add_are_ready_to_copy() -> None:
    long = Key("example.org", "s2", "v=DKIM1; k=rsa; p=" + "A" * 400, signs=False, published=False)
    found = {one.purpose: one for one in advice(records(), long).records}
    assert found["spf"].zone == 'example.org. IN TXT "v=spf1 mx a:smtp.example.org ~all"'
    assert found["dmarc"].name == "_dmarc.example.org"
    assert found["dmarc"].value.startswith("v=DMARC1; p=none; rua=mailto:")
    assert found["dkim"].name == "s2._domainkey.example.org"
    assert found["dkim"].zone.count('"') == 4, "strings of at most 255 octets"
    assert found["mx"].zone == "example.org. IN MX 10 smtp.example.org."


def test_nothing_is_proposed_that_is_there_or_could_not_be_asked() -> None:
    whole = records(spf=SPF, dmarc="v=DMARC1; p=none", exchangers="mx.example.org")
    assert advice(whole, RSA).records == ()
    unknown = Answer(asked=False)
    blind = DomainRecords("example.org", unknown, unknown, "", unknown, unknown)
    made = advice(blind)
    assert made.records == ()
    assert made.opinion.verdict is Verdict.UNKNOWN
    assert {one.level for one in made.findings} == {Level.UNKNOWN, Level.HINT}


def test_several_spf_records_are_joined_to_one() -> None:
    (record,) = [
        one
        for one in advice(records(spf=["v=spf1 mx -all", "v=spf1 include:a.example mx ?all"])).records
        if one.purpose == "spf"
    ]
    assert record.value == "v=spf1 mx include:a.example ~all"
    assert record.replaces


@pytest.mark.parametrize("server", ["", "localhost", "192.0.2.7", "::1"])
def test_a_server_without_a_public_name_stands_in_no_record(server: str) -> None:
    assert all("a:" not in one.value for one in advice(records(), server=server).records)


@pytest.mark.parametrize(
    ("one", "other", "strict", "family", "agree"),
    [
        ("example.org", "example.org", True, "", True),
        ("a.example.org", "example.org", False, "", True),
        ("a.example.org", "b.example.org", False, "", False),
        ("a.example.org", "b.example.org", False, "example.org", True),
        ("notexample.org", "example.org", False, "", False),
        ("example.org", "example.net", False, "example.org", False),
    ],
)
def test_alignment(one: str, other: str, strict: bool, family: str, agree: bool) -> None:
    assert aligned(one, other, strict=strict, family=family) is agree
    assert aligned(other, one, strict=strict, family=family) is agree


def test_reading_records() -> None:
    assert spf("v=spf1 a mx ptr exists:%{i}.x include:y redirect=z ip4:1.2.3.4 -all").lookups == 6
    assert dmarc(" v=DMARC1 ; p=none ; p=reject").policy == "none"
    assert dmarc("v=DMARC1; p=reject; sp=nonsense").for_subdomains == "reject"
    assert not same_key("v=DKIM1; k=ed25519; p=AAAA", "v=DKIM1; k=rsa; p=AAAA")
    assert not same_key("v=DKIM1; p=", "v=DKIM1; p="), "revoked"
    assert not same_key("p=***", "p=AAAA")
    assert zone_text('a"b\\') == '"a\\"b\\\\"'


def test_every_finding_has_its_texts() -> None:
    assert set(VERDICTS) == {one.value for one in Verdict}
    assert all(title and why for title, why in FINDINGS.values())
