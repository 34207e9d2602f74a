"""Candidates, documents and presets: decided without any network."""

from __future__ import annotations

import pytest
from django.utils import translation
from hypothesis import given
from hypothesis import strategies as st

from depesche.mailroom.connections import validation
from depesche.mailroom.connections.discovery import autoconfig, candidates, presets
from depesche.mailroom.connections.discovery.candidates import Source
from depesche.mailroom.connections.name_service import Target
from depesche.mailroom.connections.oauth.providers import PROVIDERS

ADDRESS = "tracker@example.org"
DOCUMENT = b"""<?xml version="1.0" encoding="UTF-8"?>
<clientConfig version="1.1"><emailProvider id="example.org"><domain>example.org</domain>
<displayName>Example</displayName>
<incomingServer type="imap"><hostname>mail.%EMAILDOMAIN%</hostname><port>993</port>
<socketType>SSL</socketType><authentication>password-cleartext</authentication>
<username>%EMAILLOCALPART%</username></incomingServer>
<incomingServer type="pop3"><hostname>pop.example.org</hostname><port>110</port>
<socketType>STARTTLS</socketType><username>%EMAILADDRESS%</username></incomingServer>
<incomingServer type="exchange"><hostname>x.example.org</hostname><port>443</port>
<socketType>SSL</socketType></incomingServer>
<outgoingServer type="smtp"><hostname>smtp.example.org</hostname><port>587</port>
<socketType>STARTTLS</socketType><authentication>OAuth2</authentication>
<authentication>password-cleartext</authentication><username>%EMAILADDRESS%</username></outgoingServer>
<outgoingServer type="smtp"><hostname>old.example.org</hostname><port>25</port>
<socketType>plain</socketType></outgoingServer>
</emailProvider></clientConfig>"""


def test_a_document_is_read() -> None:
    imap, pop3, smtp, plain = autoconfig.read(DOCUMENT, ADDRESS)
    assert (imap.protocol, imap.host, imap.port, imap.encryption) == ("imap", "mail.example.org", 993, "ssl")
    assert imap.username == "tracker"
    assert (pop3.port, pop3.encryption, pop3.username) == (110, "tls", ADDRESS)
    assert (smtp.host, smtp.methods) == ("smtp.example.org", ("oauth2", "password-cleartext"))
    assert plain.encryption == "none"
    found = candidates.from_document([imap, pop3, smtp, plain], "https://x")
    assert [one.host for one in found] == ["mail.example.org", "pop.example.org", "smtp.example.org"]


BOMB = (
    b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;">]>'
    b"<clientConfig><outgoingServer type='smtp'><hostname>&b;</hostname></outgoingServer></clientConfig>"
)


@pytest.mark.parametrize(
    "octets",
    [
        b"",
        b"<html><body>404</body></html>",
        b"not xml",
        b"<clientConfig>",
        b"<clientConfig></clientConfig>",
        b"<clientConfig>" + b"<a>" * 50 + b"</a>" * 50 + b"</clientConfig>",
        b"<clientConfig>" + b"x" * 70_000 + b"</clientConfig>",
        BOMB,
        b'<!DOCTYPE x SYSTEM "file:///etc/passwd"><clientConfig/>',
        DOCUMENT.replace(b"993", b"99999999999999999999").replace(b"587", b"0").replace(b"110", b"x")
        .replace(b">25<", b">-1<"),
        DOCUMENT.replace(b"example.org<", b"exa mple.org/@<").replace(b"%EMAILDOMAIN%", b"a b"),
    ],
)  # fmt: skip
def test_a_document_that_is_not_to_be_trusted_is_refused(octets: bytes) -> None:
    with pytest.raises(autoconfig.Unreadable):
        autoconfig.read(octets, ADDRESS)


@given(st.binary(max_size=400))
def test_no_octets_break_the_reader(noise: bytes) -> None:
    for octets in (noise, DOCUMENT[:200] + noise + DOCUMENT[200:], DOCUMENT + noise):
        try:
            found = autoconfig.read(octets, ADDRESS)
        except autoconfig.Unreadable:
            continue
        assert all(0 < one.port < 65536 and not set(one.host) & set(" /@:\\") for one in found)


def test_records_come_in_their_order_and_may_say_no() -> None:
    found = {
        "_submissions._tcp": [Target("smtp.example.org", 465)],
        "_submission._tcp": [Target("smtp.example.org", 587)],
        "_imaps._tcp": [Target("a.example.org", 993), Target("b.example.org", 993, 10)],
        "_imap._tcp": [Target("", 0)],
        "_pop3s._tcp": [Target("", 0)],
        "_pop3._tcp": [Target("", 0)],
    }
    made = candidates.from_services(found, ADDRESS)
    assert [(one.protocol, one.host, one.port, one.encryption) for one in made] == [
        ("smtp", "smtp.example.org", 465, "ssl"),
        ("smtp", "smtp.example.org", 587, "tls"),
        ("imap", "a.example.org", 993, "ssl"),
        ("imap", "b.example.org", 993, "ssl"),
    ]
    assert made[0].detail == "_submissions._tcp.example.org"
    assert candidates.refused_services(found) == {"pop3"}


def test_each_place_is_tried_once_the_most_telling_source_first() -> None:
    (hosted, _exchanger) = presets.of_exchangers(["MX00.ionos.de."]) or (None, "")
    assert hosted is not None
    found = candidates.in_order(
        [
            *candidates.guesses(ADDRESS, []),
            *candidates.from_preset(hosted, ADDRESS, Source.EXCHANGER),
            *candidates.from_services({"_imaps._tcp": [Target("imap.ionos.de", 993)]}, ADDRESS),
        ]
    )
    assert found[0].source is Source.SRV
    places = [(one.protocol, *one.place) for one in found]
    assert len(places) == len(set(places))
    assert [one.source for one in found if one.host == "imap.ionos.de"] == [Source.SRV]


def test_guesses_begin_with_tls_from_the_first_byte() -> None:
    found = candidates.guesses(ADDRESS, ["mx.elsewhere.example", "in.example.org"])
    smtp = [(one.host, one.port, one.encryption) for one in found if one.protocol == "smtp"]
    assert smtp[:2] == [("smtp.example.org", 465, "ssl"), ("smtp.example.org", 587, "tls")]
    assert ("in.example.org", 465, "ssl") in smtp
    assert not [one for one in found if "elsewhere" in one.host]


@pytest.mark.parametrize(
    ("hosts", "key"),
    [
        (["example-org.mail.protection.outlook.com."], "microsoft365"),
        (["aspmx.l.google.com.", "alt1.aspmx.l.google.com."], "google"),
        (["smtpin.rzone.de."], "strato"),
        (["mx01.ionos.de."], "ionos"),
        (["w01234.kasserver.com."], "all-inkl"),
        (["in1-smtp.messagingengine.com."], "fastmail"),
        (["mx1.mail.ovh.net."], "ovh"),
        (["mxext1.mailbox.org."], "mailbox-org"),
    ],
)
def test_the_exchanger_tells_who_hosts_a_domain(hosts: list[str], key: str) -> None:
    found = presets.of_exchangers(hosts)
    assert found is not None
    assert found[0].key == key
    made = candidates.from_preset(found[0], ADDRESS, Source.EXCHANGER, found[1])
    assert all("{" not in one.host for one in made)


def test_nobody_is_taken_for_a_provider_by_likeness() -> None:
    assert presets.of_exchangers(["google.com.evil.example", "notgoogle.com", "mx.example.org"]) is None
    assert presets.of_domain("gmail.com.evil.example") is None


@pytest.mark.parametrize("one", presets.PRESETS, ids=lambda one: one.key)
def test_each_preset_is_whole(one: presets.Preset) -> None:
    for server in (one.smtp, one.imap, one.pop3):
        if server is None:
            continue
        host = server.host.replace("{mx}", "mx.example.org")
        assert validation.host(host) == host
        assert (server.encryption == "ssl") == (server.port in (465, 993, 995))
    assert (one.auth == "oauth2") == bool(one.provider)
    assert not one.provider or PROVIDERS[one.provider].owns(one.smtp.host)
    assert (presets.Hint.SUBMISSION_ONLY in one.hints) == (one.imap is None)
    assert "{" not in one.named(ADDRESS)


def test_keys_and_domains_are_each_one_providers() -> None:
    keys = [one.key for one in presets.PRESETS]
    domains = [domain for one in presets.PRESETS for domain in one.domains]
    assert len(keys) == len(set(keys)) >= 30
    assert len(domains) == len(set(domains))


@pytest.mark.parametrize("hint", presets.Hint)
def test_each_hint_speaks_both_languages(hint: presets.Hint) -> None:
    said = []
    for language in ("en", "de"):
        with translation.override(language):
            said.append(str(presets.HINTS[hint]))
    assert said[0] != said[1]
    assert any(hint in one.hints for one in presets.PRESETS)
