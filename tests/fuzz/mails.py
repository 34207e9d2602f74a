"""Any octets are read: without an exception, in two seconds, without a control character in what is shown.

    python -m tests.fuzz.mails [--minutes 10] [--seed 1] [--keep FOLDER]

Real shapes are mutated: the mails of tests/corpus, answers and reports made by rule, with pieces of the
grammar of mail. A mail that breaks a promise is written to FOLDER with its number, so that `--seed` and the
number find it again; it belongs into tests/corpus/malformed, with the mistake put right.
"""

from __future__ import annotations

import argparse
import random
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from depesche.mailformat.reading import Reading, read
from tests.mailformat.siblings.languages import LANGUAGES
from tests.mailformat.siblings.pages import pages
from tests.mailformat.siblings.peculiar import peculiar
from tests.mailformat.siblings.reports import reports
from tests.mailformat.siblings.standard_reports import standard_reports

CORPUS = Path(__file__).resolve().parent.parent / "corpus"
SLOW = 2.0

PIECES: tuple[bytes, ...] = (
    *(b"\r\n", b"\n", b"\r", b"\n\n", b"\x00", b"\xff\xfe", b"\xed\xa0\x80", b"\x1b$B", b"\x1b(B"),
    *(b"\xef\xbb\xbf", b"--b\n", b"--b--\n", b"> ", b">>> ", b"-- \n", b"____\n", b"\t", b" " * 80),
    *(b"(" * 50, b"<" * 50, b"Content-Type: multipart/mixed; boundary=b\n"),
    *(b"Content-Type: message/rfc822\n", b"Content-Type: text/html\n"),
    *(b"Content-Type: message/delivery-status\n", b"Content-Type: multipart/report; boundary=b\n"),
    *(b"Content-Type: text/plain; charset=utf-7\n", b"Content-Type: text/plain; charset=iso-2022-jp\n"),
    *(b"Content-Type: text/plain; format=flowed; delsp=yes\n", b"Content-Type: application/ms-tnef\n"),
    *(b"Content-Transfer-Encoding: base64\n", b"Content-Transfer-Encoding: quoted-printable\n"),
    *(b"Content-Transfer-Encoding: x-uuencode\n", b"=?utf-8?q?=FF?=", b"=?utf-8?b?!!!?=", b"=?x?q?a?="),
    *(b"Content-Disposition: attachment; filename*0*=utf-8''%41; x\n", b"=20=\n", b"=?utf-8?q?", b"%FF"),
    *(b"&#0;", b"&#x110000;", b"<blockquote>", b"</blockquote>", b"<div id=divRplyFwdMsg>", b"<pre>"),
    *(b"<table><td>", b"<!--", b"<a href='", b"begin 644 x\n", b"end\n"),
    *(b"Von: a@b.example\nAn: c\nBetreff: d\n", b"Am 1.1.2024 schrieb Jana:\n"),
    *(b"On Mon, 1 Jan 2024 10:00, Jane <j@x.example> wrote:\n", b"-----Original Message-----\n"),
    *(b"Final-Recipient: x\n", b"550 5.1.1 user unknown\n", b"<jana@kunde.example>:\n"),
    *(b'{"notificationType": "Bounce"}', b"Sent from my iPhone\n"),
)


def seeds() -> list[bytes]:
    """The mails to begin with."""
    found = [path.read_bytes() for path in sorted(CORPUS.rglob("*.eml"))]
    head = "From: Max <max@firma.example>\nSubject: Re: x\nContent-Type: text/{}; charset=utf-8\n\n"
    found += [(head.format("plain") + sibling.body).encode() for sibling in peculiar()]
    for language in LANGUAGES[:4]:
        found += [(head.format("html") + sibling.body).encode() for sibling in pages(language)]
    found += [report.raw for report in list(reports())[::7]]
    found += [report.raw for report in list(standard_reports())[::5]]
    return found


def _cut(chance: random.Random, raw: bytes, others: Sequence[bytes]) -> bytes:
    start = chance.randrange(len(raw) + 1)
    return raw[:start] + raw[min(len(raw), start + chance.randrange(1, 200)) :]


def _insert(chance: random.Random, raw: bytes, others: Sequence[bytes]) -> bytes:
    at = chance.randrange(len(raw) + 1)
    return raw[:at] + chance.choice(PIECES) * chance.choice((1, 1, 1, 3, 40)) + raw[at:]


def _flip(chance: random.Random, raw: bytes, others: Sequence[bytes]) -> bytes:
    octets = bytearray(raw)
    for _ in range(chance.randrange(1, 20)):
        if octets:
            octets[chance.randrange(len(octets))] = chance.randrange(256)
    return bytes(octets)


def _splice(chance: random.Random, raw: bytes, others: Sequence[bytes]) -> bytes:
    other = chance.choice(others)
    return raw[: chance.randrange(len(raw) + 1)] + other[chance.randrange(len(other) + 1) :]


def _repeat(chance: random.Random, raw: bytes, others: Sequence[bytes]) -> bytes:
    start = chance.randrange(len(raw) + 1)
    piece = raw[start : start + chance.randrange(1, 120)]
    return raw[:start] + piece * min(2_000, 200_000 // max(1, len(piece))) + raw[start:]


def _lines(chance: random.Random, raw: bytes, others: Sequence[bytes]) -> bytes:
    lines = raw.split(b"\n")
    for _ in range(3):
        lines.insert(chance.randrange(len(lines) + 1), lines[chance.randrange(len(lines))])
    return b"\n".join(lines)


def _nest(chance: random.Random, raw: bytes, others: Sequence[bytes]) -> bytes:
    return b"Content-Type: message/rfc822\n\n" * chance.choice((1, 2, 300)) + raw


MUTATIONS: tuple[Callable[[random.Random, bytes, Sequence[bytes]], bytes], ...] = (
    *(_cut, _insert, _insert, _flip, _splice, _repeat, _lines, _nest),
)


def mutated(chance: random.Random, mails: Sequence[bytes]) -> bytes:
    """One mail, changed one to six times."""
    raw = chance.choice(mails)
    for _ in range(chance.choice((1, 1, 2, 3, 6))):
        raw = chance.choice(MUTATIONS)(chance, raw, mails)[:3_000_000]
    return raw


def broken_promise(reading: Reading) -> str:
    """Which promise a reading breaks, or nothing."""
    shown = [reading.mail.subject, *(report.recipient or "" for report in reading.reports)]
    shown += [report.diagnostic for report in reading.reports]
    shown += [file.filename or "" for file in reading.attachments]
    if any(ord(character) < 32 or ord(character) == 127 for text in shown for character in text):
        return "a control character in a field of one line"
    if "\x00" in reading.text + reading.cut:
        return "a NUL in the text"
    if any("@" not in (report.recipient or "@") for report in reading.reports):
        return "a recipient without an address"
    reading.text.encode()  # no lone surrogate: it could not be stored
    reading.cut.encode()
    return ""


def check(raw: bytes) -> str:
    """What is wrong with the reading of these octets; empty where nothing is."""
    begun = time.process_time()
    try:
        said = broken_promise(read(raw))
    except Exception as error:  # the promise: nothing may raise
        return f"{type(error).__name__}: {error}"
    seconds = time.process_time() - begun
    return said or (f"{seconds:.1f} s of processor time" if seconds > SLOW else "")


def main() -> int:
    parser = argparse.ArgumentParser(description="Read mutated mails until the time is over.")
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--keep", type=Path, default=Path("fuzz-mails"))
    options = parser.parse_args()
    mails = seeds()
    begun = time.monotonic()
    number = wrong = 0
    slowest = 0.0
    while time.monotonic() - begun < options.minutes * 60:
        number += 1
        raw = mutated(random.Random(f"{options.seed}/{number}"), mails)
        start = time.process_time()
        said = check(raw)
        slowest = max(slowest, time.process_time() - start)
        if said:
            wrong += 1
            options.keep.mkdir(parents=True, exist_ok=True)
            (options.keep / f"{options.seed}-{number}.eml").write_bytes(raw)
            print(f"{number}: {said}", flush=True)
        if number % 2_000 == 0:
            print(f"{number} mails, {wrong} wrong, slowest {slowest:.2f} s", flush=True)
    print(f"{number} mails from {len(mails)} seeds, {wrong} wrong, slowest {slowest:.2f} s")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
