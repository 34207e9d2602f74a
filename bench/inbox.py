"""How many mails a second `depesche inbox receive` takes, and what bounds it.

    python -m bench.inbox [--rounds 5] [--mails 1000]

The mails are answers as people write them (text and HTML, the notice quoted below, about 9 KB), written by
three people to 20 items, with one in twenty a vacation note and one in twenty a delivery report. One process
takes them all as files; each is stored durably (synchronous=FULL), then read, cut, and becomes a comment.
"per mail, one process each" is what a mail server's pipe costs. The stages are measured in one process, one
after the other, over the same mails.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from email.message import EmailMessage
from pathlib import Path
from typing import Any

from bench.full_path import HERE
from bench.rows import Rounds, Row, save

_AT_LEAST, _AIM = 50.0, 100.0
_NOTICES = 20
_PIPED = 10
_WORDS = (
    "The pump runs again since this morning. I changed the seal and the bearing on the drive side; the old "
    "one had play. Vibration is down to 2.1 mm/s, temperature 54 °C after two hours. I would watch it for a "
    "week before we close this. Grüße"
)
_REPORTED = (
    "Since the last maintenance the coolant pump vibrates at 4.6 mm/s, above the limit of 4.5. It is worst "
    "on the drive side and grows with the temperature. Please look at it before Friday."
)


def installation(home: Path) -> None:
    """People, items, and a way in, on SQLite."""
    os.environ["DEPESCHE_HOME"] = str(home)
    os.environ["DJANGO_SETTINGS_MODULE"] = "bench.settings"
    import django

    django.setup()
    from django.core.management import call_command

    call_command("migrate", verbosity=0)
    from depesche.mailroom.connections import actions as connections
    from depesche.mailroom.connections.secrets import check_key
    from depesche.tracker.accounts import actions as accounts
    from depesche.tracker.items import actions

    check_key()
    connections.save_outgoing({"host": "localhost", "port": "9", "system_address": "tracker@example.org"})
    connections.save_incoming({"protocol": "pipe", "plus_addressing": "on"})
    people = [
        accounts.create_person(f"{name}@example.org", name.title(), password="correct horse battery")
        for name in ("jana", "tomasz", "emre")
    ]
    workspace = actions.create_workspace("Plant", key="NW", members=people)
    for number in range(_NOTICES):
        actions.create_item(
            workspace,
            author=people[0],
            title=f"Coolant pump {number} vibrates",
            description=_REPORTED,
            responsible=people[1],
            watchers=people[1:],
            via="web",
        )


def notices() -> list[EmailMessage]:
    """What the tracker wrote to the people: planned, as the worker does it."""
    import threading
    from email import message_from_bytes, policy
    from typing import cast

    from django.utils import timezone

    from depesche.mailroom.outbox import queries as outbox
    from depesche.tracker.notifications.planner import PlanNotices

    task = PlanNotices()
    while task.run(timezone.now(), threading.Event()):
        pass
    rows = outbox.recipients(limit=10_000)
    found = [(row, outbox.raw_mail(row.id)) for row in rows]
    return [
        cast(EmailMessage, message_from_bytes(raw, policy=policy.default))
        for _row, raw in found
        if raw is not None
    ]


def answer(told: EmailMessage, number: int) -> bytes:
    """As a mail program answers; one in twenty by a vacation program, one in twenty a report."""
    if number % 20 == 7:
        return _report(told, number)
    body = told.get_body(("plain",))
    quoted = "".join(f"> {line}\n" for line in (str(body.get_content()) if body else "").splitlines())
    text = f"{number}. {_WORDS}\n\nOn Mon, 23 Nov 2026 at 15:00, Plant Tracker wrote:\n{quoted}"
    html = told.get_body(("html",))
    mail = EmailMessage()
    mail["From"] = str(told["To"])
    mail["To"] = str(told["Reply-To"])
    mail["Subject"] = f"Re: {told['Subject']}"
    mail["Message-ID"] = f"<{number}.bench@client.example.org>"
    mail["In-Reply-To"] = str(told["Message-ID"])
    mail["References"] = f"{told['References']} {told['Message-ID']}"
    mail["Date"] = "Mon, 23 Nov 2026 16:00:00 +0100"
    if number % 20 == 3:
        mail["Auto-Submitted"] = "auto-replied"
    mail.set_content(text)
    mail.add_alternative(
        f"<p>{number}. {_WORDS}</p><div class=gmail_quote>On Mon, 23 Nov 2026 Plant Tracker wrote:"
        f"<blockquote>{html.get_content() if html else ''}</blockquote></div>",
        subtype="html",
    )
    return mail.as_bytes()


def _report(told: EmailMessage, number: int) -> bytes:
    return (
        "From: MAILER-DAEMON@mx.example.net\r\nTo: tracker@example.org\r\n"
        f"Message-ID: <{number}.dsn@mx.example.net>\r\nSubject: Undelivered Mail Returned to Sender\r\n"
        'Content-Type: multipart/report; report-type=delivery-status; boundary="b"\r\n\r\n'
        "--b\r\n\r\nI am sorry.\r\n--b\r\nContent-Type: message/delivery-status\r\n\r\n"
        f"Reporting-MTA: dns; mx.example.net\r\n\r\nFinal-Recipient: rfc822; x{number}@example.net\r\n"
        "Action: delayed\r\nStatus: 4.4.1\r\n"
        f"--b\r\nContent-Type: text/rfc822-headers\r\n\r\nMessage-ID: {told['Message-ID']}\r\n--b--\r\n"
    ).encode()


def receive(home: Path, words: Sequence[str], stdin: bytes | None = None) -> tuple[float, float, str]:
    """Seconds by the clock and of processor time, and what the command printed."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    began = time.perf_counter()
    done = subprocess.run(
        [Path(sys.executable).parent / "depesche", "inbox", "receive", "--json", *words],
        env=os.environ | {"DEPESCHE_HOME": str(home), "DJANGO_SETTINGS_MODULE": "depesche.server.settings"},
        cwd=HERE,
        input=stdin,
        capture_output=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr.decode()[-2000:]
    seconds = time.perf_counter() - began
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    used = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return seconds, used, done.stdout.decode()


def timed(do: Callable[[bytes], Any], mails: Sequence[bytes]) -> float:
    """Milliseconds for one."""
    began = time.perf_counter()
    for raw in mails:
        do(raw)
    return (time.perf_counter() - began) / len(mails) * 1000


def stages(mails: Sequence[bytes]) -> list[Row]:
    from django.utils import timezone

    from depesche.mailroom.inbox import intake, processing, reader

    ids: list[int] = []

    def store(raw: bytes) -> None:
        ids.append(intake.store(raw, source="file", now=timezone.now()).id)

    parts = {
        "fingerprint": timed(intake.fingerprint, mails),
        "read": timed(reader.read, mails),
        "store (one commit)": timed(store, mails),
    }
    began = time.perf_counter()
    for one in ids:
        processing.process(one)
    parts["process (read again, claim, effect: two commits)"] = (
        (time.perf_counter() - began) / len(ids) * 1000
    )
    return [Row(f"stage: {name}", ms, unit="ms", higher=False) for name, ms in parts.items()]


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--mails", type=int, default=1000)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="depesche-bench-") as folder:
        home = Path(folder) / "home"
        home.mkdir()
        installation(home)
        told = [one for one in notices() if one["Reply-To"]]
        rate, cost = Rounds(), Rounds()
        number = 0
        for _round in range(options.rounds):
            files = []
            for _ in range(options.mails):
                number += 1
                files.append(Path(folder) / f"{number}.eml")
                files[-1].write_bytes(answer(told[number % len(told)], number))
            size = sum(one.stat().st_size for one in files) / len(files)
            seconds, used, printed = receive(home, [str(one) for one in files])
            outcomes = [json.loads(line)["outcome"] for line in printed.splitlines()]
            assert outcomes.count("comment") >= 0.85 * len(files), printed[:2000]
            rate.add(len(files) / seconds)
            cost.add(used / len(files) * 1000)
        alone = Rounds()
        for _ in range(_PIPED):
            number += 1
            seconds, _used, _printed = receive(home, ["-"], answer(told[number % len(told)], number))
            alone.add(1 / seconds)
        mails = [answer(told[(number + n) % len(told)], number + n + 1) for n in range(300)]
        rows = [
            Row(
                "inbox receive, one process, mails/s",
                rate.median,
                _AT_LEAST,
                _AIM,
                detail=f"{options.mails} mails of {size / 1000:.1f} KB a round; {rate.spread()}",
            ),
            Row("processor time for a mail", cost.median, unit="ms", higher=False, detail=cost.spread(".1f")),
            Row(
                "per mail, one process each, mails/s",
                alone.median,
                detail=f"what a pipe costs: mostly the start of Python; {alone.spread('.2f')}",
            ),
            *stages(mails),
        ]
    print(save("inbox", "Mails that come in", __doc__.split("\n\n", 2)[2].replace("\n", " "), rows))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
