"""No input makes reading fail, lose words, or take long."""

from __future__ import annotations

import subprocess
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from depesche.mailformat.authentication_results import parse_results
from depesche.mailformat.html_text import html_lines
from depesche.mailformat.parse import parse
from depesche.mailformat.reading import read
from depesche.mailformat.reply_text import cut_text

PIECES = st.sampled_from(
    [
        *("On Mon, 1 Jan 2024 at 10:00, Jane <j@x.example> wrote:", "Am 01.01.24 um 10:00 schrieb Jane:"),
        *("> zitiert",),
        *(">> tiefer", "-- ", "--", "____", "Von: a@b.example"),
        *("An: c@d.example", "Betreff: x", "Gesendet: 1.1.2024"),
        *("-----Original Message-----", "Sent from my iPhone", "Mit freundlichen Grüßen", "Jane"),
        *("", " ", "Hallo"),
        *("wrote:", "schrieb:", "<", ">", "> wrote:", "mailto:j@x.example"),
        *("| a", "#", "Tel. +49 30 1234567"),
        *("Final-Recipient: rfc822; j@x.example", "Action: failed", "550 5.1.1 unknown", "<j@x.example>:"),
        *("begin 644 x", "end", "-----BEGIN PGP SIGNED MESSAGE-----", "-----BEGIN PGP SIGNATURE-----"),
    ]
)
HEADERS = st.sampled_from(
    [
        *(
            b"From: Mailer-Daemon@x.example",
            b"From: \xff\xfe <a@b>",
            b"Subject: =?utf-8?q?=FF?=",
            b"Subject: failure notice",
        ),
        *(
            b"Content-Type: multipart/mixed; boundary=b",
            b"Content-Type: multipart/report; boundary=b",
            b"Return-Path: <>",
        ),
        *(
            b"Content-Type: message/rfc822",
            b"Content-Type: message/delivery-status",
            b"Content-Type: text/html",
        ),
        *(
            b"Content-Type: text/plain; charset=utf-7",
            b"Content-Type: text/plain; format=flowed; delsp=yes",
            b" folded",
        ),
        *(
            b"Content-Transfer-Encoding: base64",
            b"Content-Transfer-Encoding: quoted-printable",
            b"no header",
            b":",
        ),
        *(
            b"Content-Transfer-Encoding: x-uuencode",
            b"X-Failed-Recipients: a@b.example, c",
            b"In-Reply-To: <a@b>",
            b"",
        ),
        *(
            b"--b",
            b"--b--",
            b"Authentication-Results: x; spf=pass (",
            b"Date: 99 Foo 0000 99:99",
            b"Auto-Submitted: no",
        ),
    ]
)


@given(st.binary(max_size=400))
def test_any_octets_are_read(raw: bytes) -> None:
    read(raw)


@given(st.lists(st.one_of(HEADERS, PIECES.map(str.encode), st.binary(max_size=30)), max_size=40))
def test_any_mixture_of_the_forms_of_mail_is_read(lines: list[bytes]) -> None:
    reading = read(b"\n".join(lines))
    assert "\x00" not in reading.text
    reading.as_json()


@given(st.lists(st.one_of(PIECES, st.text(max_size=20)), max_size=30))
@settings(max_examples=300)
def test_text_and_cut_together_hold_every_line(lines: list[str]) -> None:
    body = "\n".join(lines)
    if "-----BEGIN PGP SIGNED" in body:
        return  # the armour is no line of the letter
    answer = cut_text(body)
    left = sorted("".join((answer.text + "\n" + answer.cut).split()))
    assert left == sorted("".join(body.replace("\x0c", "").replace("\x00", "").split()))


@given(st.lists(st.one_of(PIECES, st.text(max_size=20)), max_size=30))
def test_cutting_what_was_cut_changes_nothing_but_layout(lines: list[str]) -> None:
    once = cut_text("\n".join(lines)).text
    assert len(cut_text(once).text) <= len(once)


@given(st.text(alphabet="<>/abdiv =\"'&;#x!-\n", max_size=300))
def test_any_html_is_read(source: str) -> None:
    html_lines(source)


@given(st.text(max_size=300))
def test_any_authentication_results_are_read(value: str) -> None:
    parse_results(value)


@given(st.binary(max_size=300))
def test_headers_never_carry_control_characters(raw: bytes) -> None:
    parsed = parse(b"Subject: " + raw + b"\n\n")
    for name in ("subject", "from", "x"):
        assert all(ord(character) >= 32 and ord(character) != 127 for character in parsed.header(name))


M = "b'Content-Type: multipart/mixed; boundary="
HOSTILE = {
    "nested div": "b'Content-Type: text/html\\n\\n' + b'<div>' * 100_000",
    "nested quotes": "b'Content-Type: text/html\\n\\n' + b'<blockquote>x' * 40_000",
    "unclosed attributes": "b'Content-Type: text/html\\n\\n' + b'<b \"' * 200_000 + b'>'",
    "unclosed heads": "b'Content-Type: text/html\\n\\n' + b'<head>' * 150_000",
    "bare brackets": "b'Content-Type: text/html\\n\\n' + b'<' * 1_000_000 + b'>'",
    "attribution bait": "b'\\n' + (b'On ' + b'a' * 200 + b'\\n') * 24_000",
    "one long line": "b'\\n' + b'On ' + b'a' * 5_000_000",
    "quote marks": "b'\\n' + b'>' * 5_000_000",
    "interleaved": "b'\\n' + b'> a\\nb\\n' * 800_000",
    "header bait": "b'\\n' + b'Von: a@b.example\\nAn: c\\n' * 200_000",
    "delimiters": "b'\\n' + b'-- \\n' * 1_200_000",
    "addresses": "b'\\n' + b'a@b.example <a@b.example>\\n' * 190_000",
    "thousand levels": f"b''.join({M}b%d\\n\\n--b%d\\n' % (n, n) for n in range(1000))",
    "ten thousand parts": "b'Content-Type: multipart/mixed; boundary=b\\n\\n' + b'--b\\n\\nx\\n' * 10_000",
    "false delimiters": "b'Content-Type: multipart/mixed; boundary=b\\n\\n--b\\n\\n' + b'--c\\n' * 1_000_000",
    "folded header": "b'X: ' + b' a\\n' * 500_000",
    "encoded words": "b'Subject: ' + b'=?a?q?' * 100_000 + b'\\n\\n'",
    "report bait": "b'From: mailer-daemon@x\\nSubject: failure\\n\\n' + b'a@b.c, d@e.f failed\\n' * 100_000",
    "status fields": "b'Content-Type: message/delivery-status\\n\\n' + b'Final-Recipient: a\\n\\n' * 60_000",
    "base64": "b'Content-Type: a/b\\nContent-Transfer-Encoding: base64\\n\\n' + b'QUFB' * 2_500_000",
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_input_ends(name: str) -> None:
    """In a process of its own, so that one that hangs fails instead of hanging; the guard is generous."""
    program = f"from depesche.mailformat.reading import read; read({HOSTILE[name]})"
    subprocess.run([sys.executable, "-c", program], check=True, timeout=60)


def test_the_work_of_cutting_grows_with_the_length() -> None:
    """Counted, not timed: the number of lines that are looked at is bounded by the number of lines."""
    import cProfile
    import pstats

    def calls(lines: int) -> int:
        profile = cProfile.Profile()
        profile.enable()
        cut_text("On Monday somebody said a thing\n> and another:\nyes\n" * lines)
        profile.disable()
        return int(pstats.Stats(profile).total_calls)  # type: ignore[attr-defined]  # missing in typeshed

    assert calls(2_000) < 2.5 * calls(1_000)
