"""SASL mechanisms against the vectors of their RFCs, and which one is chosen."""

from __future__ import annotations

import base64

import pytest

from depesche.smtpclient import Cause, OAuthToken, Password
from depesche.smtpclient.auth.cram_md5 import CramMd5
from depesche.smtpclient.auth.login import Login
from depesche.smtpclient.auth.mechanism import AuthenticationFailed
from depesche.smtpclient.auth.plain import Plain
from depesche.smtpclient.auth.scram import ScramSha1, ScramSha256, prepared
from depesche.smtpclient.auth.selection import choose, may_try_another
from depesche.smtpclient.auth.xoauth2 import OAuthBearer, XOAuth2

PENCIL = Password("user", "pencil")

SHA1 = (  # RFC 5802 §5
    "fyko+d2lbbFgONRv9qkxdawL",
    b"n,,n=user,r=fyko+d2lbbFgONRv9qkxdawL",
    b"r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,s=QSXCR+Q6sek8bf92,i=4096",
    b"c=biws,r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,p=v0X8v3Bz2T0CJGbJQyF0X+HI4Ts=",
    b"v=rmF9pqV8S7suAoZWja4dJRkFsKQ=",
)
SHA256 = (  # RFC 7677 §3
    "rOprNGfwEbeRWgbNEkqO",
    b"n,,n=user,r=rOprNGfwEbeRWgbNEkqO",
    b"r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096",
    b"c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,"
    b"p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=",
    b"v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=",
)


@pytest.mark.parametrize(("kind", "vector"), [(ScramSha1, SHA1), (ScramSha256, SHA256)])
def test_scram_vectors(
    kind: type[ScramSha1 | ScramSha256], vector: tuple[str, bytes, bytes, bytes, bytes]
) -> None:
    nonce, initial, first, response, final = vector
    mechanism = kind(PENCIL, lambda: nonce)
    assert mechanism.initial() == initial
    assert mechanism.step(first) == response
    assert mechanism.step(final) == b""
    mechanism.finish()


def begun() -> ScramSha256:
    mechanism = ScramSha256(PENCIL, lambda: SHA256[0])
    mechanism.initial()
    return mechanism


@pytest.mark.parametrize(
    ("first", "unproven"),
    [
        (b"", False),
        (b"\xff", False),
        (b"r=other,s=QSXCR+Q6sek8bf92,i=4096", True),
        (b"r=rOprNGfwEbeRWgbNEkqO,s=QSXCR+Q6sek8bf92,i=4096", True),  # adds nothing of its own
        (b"r=rOprNGfwEbeRWgbNEkqOx,s=QSXCR+Q6sek8bf92,i=1", False),
        (b"r=rOprNGfwEbeRWgbNEkqOx,s=QSXCR+Q6sek8bf92,i=999999999", False),
        (b"r=rOprNGfwEbeRWgbNEkqOx,s=QSXCR+Q6sek8bf92,i=99999999999999999999", False),
        (b"r=rOprNGfwEbeRWgbNEkqOx,s=QSXCR=Q6se,i=4096", False),
        (b"m=ext,r=rOprNGfwEbeRWgbNEkqOx,s=QSXCR+Q6sek8bf92,i=4096", False),
    ],
)
def test_scram_refuses_a_server_that_breaks_its_rules(first: bytes, unproven: bool) -> None:
    with pytest.raises(AuthenticationFailed) as caught:
        begun().step(first)
    assert caught.value.unproven is unproven


@pytest.mark.parametrize("final", [b"v=AAAA", b"v=?", b"", b"x=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4="])
def test_scram_wants_the_servers_proof(final: bytes) -> None:
    mechanism = begun()
    mechanism.step(SHA256[2])
    with pytest.raises(AuthenticationFailed) as caught:
        mechanism.step(final)
    assert caught.value.unproven
    with pytest.raises(AuthenticationFailed):
        mechanism.finish()


def test_scram_hears_an_error() -> None:
    mechanism = begun()
    mechanism.step(SHA256[2])
    with pytest.raises(AuthenticationFailed, match="refused"):
        mechanism.step(b"e=invalid-proof")


def test_scram_without_initial_response_and_with_names_to_escape() -> None:
    mechanism = ScramSha256(Password("a=b,c", "x"), lambda: "n")
    assert mechanism.step(b"") == b"n,,n=a=3Db=2Cc,r=n"


@pytest.mark.parametrize(
    ("text", "result"),
    [
        ("I\u00adX", "IX"),
        ("user", "user"),
        ("\u00aa", "a"),
        ("\u2168", "IX"),
        ("a\u00a0b", "a b"),
        ("ä", "ä"),
    ],
)
def test_saslprep(text: str, result: str) -> None:  # RFC 4013 §3
    assert prepared(text) == result


def test_cram_md5_vector() -> None:  # RFC 2195 §2
    mechanism = CramMd5(Password("tim", "tanstaaftanstaaf"))
    challenge = base64.b64decode("PDE4OTYuNjk3MTcwOTUyQHBvc3RvZmZpY2UucmVzdG9uLm1jaS5uZXQ+")
    assert mechanism.step(challenge) == b"tim b913a602c7eda7a495b4e6e7334d3890"
    with pytest.raises(AuthenticationFailed):
        mechanism.step(challenge)
    with pytest.raises(AuthenticationFailed):
        CramMd5(PENCIL).step(b"")
    with pytest.raises(AuthenticationFailed):
        CramMd5(PENCIL).finish()


def test_plain_and_login() -> None:
    plain = Plain(Password("tüm", "pä"))
    assert plain.initial() == "\0tüm\0pä".encode()
    with pytest.raises(AuthenticationFailed):
        plain.step(b"")
    assert Plain(PENCIL).step(b"") == b"\0user\0pencil"
    login = Login(PENCIL)
    assert login.initial() is None
    assert [login.step(b"Benutzer:"), login.step(b"whatever")] == [b"user", b"pencil"]
    with pytest.raises(AuthenticationFailed):
        login.step(b"more")


def test_tokens() -> None:
    token = OAuthToken("me@example.org", "ya29.x")
    xoauth2 = XOAuth2(token)
    assert xoauth2.initial() == b"user=me@example.org\x01auth=Bearer ya29.x\x01\x01"
    assert xoauth2.step(b'{"status":"401"}') == b""
    with pytest.raises(AuthenticationFailed):
        xoauth2.step(b"")
    bearer = OAuthBearer(token)
    assert bearer.initial() == b"n,a=me@example.org,\x01auth=Bearer ya29.x\x01\x01"
    assert bearer.step(b'{"status":"invalid_token"}') == b"\x01"
    with pytest.raises(AuthenticationFailed):
        bearer.step(b"")
    assert XOAuth2(token).step(b"") == XOAuth2(token).initial()
    assert OAuthBearer(token).step(b"") == OAuthBearer(token).initial()


ALL = ("LOGIN", "PLAIN", "CRAM-MD5", "SCRAM-SHA-1", "SCRAM-SHA-256", "XOAUTH2", "OAUTHBEARER", "GSSAPI")


@pytest.mark.parametrize(
    ("offered", "encrypted", "allow_clear", "expected"),
    [
        (ALL, True, False, ["SCRAM-SHA-256", "SCRAM-SHA-1", "CRAM-MD5", "PLAIN", "LOGIN"]),
        (ALL, False, True, ["SCRAM-SHA-256", "SCRAM-SHA-1", "CRAM-MD5", "PLAIN", "LOGIN"]),
        (ALL, False, False, ["SCRAM-SHA-256", "SCRAM-SHA-1", "CRAM-MD5"]),
        (("login", "plain"), True, False, ["PLAIN", "LOGIN"]),
        (("PLAIN", "LOGIN"), False, False, Cause.CLEAR_PASSWORD_FORBIDDEN),
        (("GSSAPI", "NTLM"), True, False, Cause.AUTH_NO_COMMON_MECHANISM),
        (("XOAUTH2",), True, False, Cause.AUTH_NO_COMMON_MECHANISM),
        ((), True, False, Cause.AUTH_NOT_OFFERED),
    ],
)
def test_the_strongest_comes_first(
    offered: tuple[str, ...], encrypted: bool, allow_clear: bool, expected: list[str] | Cause
) -> None:
    choice = choose(offered, PENCIL, encrypted=encrypted, allow_clear=allow_clear)
    assert (choice if isinstance(choice, Cause) else [make().name for make in choice]) == expected


def test_a_token_never_travels_in_clear() -> None:
    token = OAuthToken("me", "t")
    assert choose(ALL, token, encrypted=False, allow_clear=False) is Cause.CLEAR_PASSWORD_FORBIDDEN
    chosen = choose(ALL, token, encrypted=True, allow_clear=False)
    assert not isinstance(chosen, Cause)
    assert [make().name for make in chosen] == ["XOAUTH2", "OAUTHBEARER"]


@pytest.mark.parametrize(
    ("code", "plain", "cram"), [(535, False, True), (504, True, True), (534, True, True), (454, False, False)]
)
def test_second_attempts(code: int, plain: bool, cram: bool) -> None:
    assert may_try_another(code, Plain(PENCIL)) is plain
    assert may_try_another(code, CramMd5(PENCIL)) is cram
