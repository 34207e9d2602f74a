"""Reading in bounds: hostile mails cost their own reading, never the process that asks or the next mail."""

from __future__ import annotations

import contextlib
import os
import pickle
import signal
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from depesche.mailformat.parse import parse
from depesche.mailformat.reading import read as read_here
from depesche.mailroom.inbox import headlines, reader
from depesche.mailroom.inbox.reader import Readers, Trouble, Unreadable, is_harmless
from depesche.mailroom.inbox.reader_child import flattened, put_together

MAIL = b"From: a@example.org\r\nSubject: Hello\r\nMessage-ID: <1@example.org>\r\n\r\nText\r\n"
WITH_PARTS = (
    b"From: a@example.org\r\nDate: Mon, 23 Nov 2026 10:00:00 +0100\r\n"
    b'Content-Type: multipart/mixed; boundary="b"\r\n\r\n'
    b"--b\r\nContent-Type: text/html\r\n\r\n<p>Hello</p>\r\n"
    b"--b\r\nContent-Type: image/png; name=x.png\r\n"
    b"Content-Transfer-Encoding: base64\r\n\r\niVBORw0KGgo=\r\n--b--\r\n"
)
COMMAND = [sys.executable, "-P", "-m", "depesche.mailroom.inbox.reader_child"]


@pytest.fixture
def readers() -> Iterator[Readers]:
    made = Readers([*COMMAND, str(reader.SECONDS), str(reader.OCTETS)])
    yield made
    made.close()


def nested(levels: int) -> bytes:
    head = b"".join(
        b'Content-Type: multipart/mixed; boundary="b%d"\r\n\r\n--b%d\r\n' % (level, level)
        for level in range(levels)
    )
    return b"From: a@example.org\r\n" + head + b"\r\nText\r\n"


@pytest.mark.parametrize("raw", [MAIL, WITH_PARTS, b"", b"\0\xff" * 50, nested(30)])
def test_the_other_process_reads_as_this_one(readers: Readers, raw: bytes) -> None:
    assert readers.read(raw) == read_here(raw)


@settings(max_examples=50)
@given(st.recursive(st.just(b"x"), lambda inner: st.lists(inner, max_size=4).map(b"\r\n--b\r\n".join)))
def test_a_tree_is_put_together_as_it_was(body: bytes) -> None:
    root = parse(b"Content-Type: multipart/mixed; boundary=b\r\n\r\n" + body).root
    assert put_together(pickle.loads(pickle.dumps(flattened(root)))) == root


@pytest.mark.parametrize(
    "raw",
    [
        nested(1000),
        b'From: a@b.example\r\nContent-Type: multipart/mixed; boundary="b"\r\n\r\n'
        + b"--b\r\n\r\nx\r\n" * 10_000,
        b"From: a@b.example\r\nContent-Type: text/html\r\n\r\n" + b"<div>" * 100_000,
        b"From: a@b.example\r\n\r\n" + b"On aaaa " * 100_000,
        b"From: a@b.example\r\nSubject: " + b"=?utf-8?q?" * 20_000 + b"\r\n\r\nx",
        b"From: a@b.example\r\nContent-Type: text/plain; charset=" + b"\0" * 50_000 + b"\r\n\r\n\0\0\0",
    ],
    ids=["levels", "parts", "div", "attribution", "words", "charset"],
)
def test_hostile_mails_are_read_or_refused_and_the_next_goes_on(readers: Readers, raw: bytes) -> None:
    with contextlib.suppress(Unreadable):  # bounded either way
        readers.read(raw)
    assert readers.read(MAIL).text == "Text"


def stand_in(tmp_path: Path, deed: str) -> Readers:
    """A reader that does something bad with each mail, within the same bounds as the real one."""
    code = tmp_path / "reader.py"
    code.write_text(
        "import os, sys\n"
        "from depesche.mailroom.inbox import reader_child\n"
        "def read(raw):\n"
        f"    {deed}\n"
        "reader_child.read = read\n"
        "reader_child.main(sys.stdin.buffer, sys.stdout.buffer, float(sys.argv[1]), int(sys.argv[2]))\n"
    )
    return Readers([sys.executable, str(code), "0.2", str(200 * 1024 * 1024)])


@pytest.mark.parametrize(
    ("deed", "trouble"),
    [
        ("while True: pass", Trouble.TIME),
        ("sum(range(10**12))", Trouble.TIME),  # one call that never comes back to Python
        ("return bytearray(10**10)", Trouble.MEMORY),
        ("os.abort()", Trouble.BROKEN),
        ("sys.exit(0)", Trouble.BROKEN),
        ("raise ValueError('x')", Trouble.BROKEN),
        ("os.kill(os.getpid(), 9)", Trouble.BROKEN),
    ],
)
def test_what_goes_beyond_its_bounds_is_ended(tmp_path: Path, deed: str, trouble: Trouble) -> None:
    readers = stand_in(tmp_path, deed)
    with pytest.raises(Unreadable) as caught:
        readers.read(MAIL)
    assert caught.value.trouble is trouble
    readers.close()


def test_one_that_waits_for_ever_is_ended_by_the_clock(tmp_path: Path) -> None:
    code = tmp_path / "hangs.py"
    code.write_text("import sys, time\nsys.stdin.buffer.read(9)\ntime.sleep(600)\n")
    hanging = reader.Reader([sys.executable, str(code)])
    with pytest.raises(Unreadable) as caught:
        hanging.read(MAIL, patience=0.2)
    assert caught.value.trouble is Trouble.TIME
    assert not hanging.alive


def test_an_answer_that_would_act_is_not_taken(tmp_path: Path) -> None:
    """The reader may have been taken over by what it read."""
    mark = tmp_path / "acted"
    code = tmp_path / "evil.py"
    code.write_text(
        "import os, pickle, sys\n"
        "class Evil:\n"
        f"    def __reduce__(self): return os.mkdir, ({str(mark)!r},)\n"
        "sys.stdin.buffer.read(9)\n"
        "sys.stdout.buffer.write(b'+' + pickle.dumps(Evil()))\n"
    )
    with pytest.raises(Unreadable):
        Readers([sys.executable, str(code)]).read(MAIL)
    assert not mark.exists()


def test_a_reader_that_somebody_killed_is_replaced(readers: Readers) -> None:
    readers.read(MAIL)
    (idle,) = readers._idle
    os.kill(idle._process.pid, signal.SIGKILL)
    idle._process.wait()
    assert readers.read(MAIL).text == "Text"


def test_readers_are_kept_for_the_next_mail_and_replaced_in_time(
    readers: Readers, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reader, "_SERVED", 3)
    seen = set()
    for _ in range(6):
        readers.read(MAIL)
        seen |= {idle._process.pid for idle in readers._idle}
    assert len(seen) == 2


def test_several_threads_read_at_a_time(readers: Readers) -> None:
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda number: readers.read(MAIL + b"%d\r\n" % number).text, range(40)))
    assert found == [f"Text\n{number}" for number in range(40)]


def test_no_secret_reaches_the_reader(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DEPESCHE_DATABASE_URL", "postgres://user:canary@db/x")
    readers = stand_in(tmp_path, "assert 'canary' not in str(os.environ); os.abort()")
    with pytest.raises(Unreadable):
        readers.read(MAIL)


@pytest.mark.parametrize(
    ("raw", "harmless"),
    [
        (MAIL, True),
        (MAIL + b"x" * 200_000, False),
        (MAIL + b"<" * 4_000, False),
        (MAIL + b"\n--b" * 300, False),
        (MAIL + b"x" * 30_000, False),
    ],
)
def test_what_is_read_here(raw: bytes, harmless: bool) -> None:
    assert is_harmless(raw) is harmless


def test_small_mails_need_no_other_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Readers, "read", lambda *_: pytest.fail("a process for a small mail"))
    assert reader.read(MAIL).text == "Text"
    assert threading.active_count() >= 1


def test_headlines_come_from_a_few_lines_alone() -> None:
    raw = (
        b"X: y\r\nFrom: Jane <jane@example.org>\r\nSubject: =?utf-8?q?gr=C3=BC=C3=9Fe?=\r\n"
        b"Message-ID: <1@x>\r\n\r\nSubject: no"
    )
    seen = headlines.of(raw)
    assert (seen.author, seen.subject, seen.message_id) == ("jane@example.org", "grüße", "<1@x>")
    assert headlines.of(b"\0" * 1000) == headlines.Headlines()
    assert headlines.of(b"Subject: " + b"x" * 10**6).subject == ""


@given(st.binary(max_size=500))
def test_any_octets_have_headlines(raw: bytes) -> None:
    headlines.of(b"From: " + raw)
