"""From the arrival of an answer in a real Dovecot's mailbox to the comment, with IDLE: seconds.

    python -m tests.long.inbox_latency [MAILS]

Exits 1 where one of them took 3 seconds or longer.
"""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path

from tests.journeys.inbox_support import (
    append,
    mailbox,
    new_item,
    outgoing,
    people,
    reply_to,
    run_all,
    set_up,
)
from tests.journeys.test_inbox_crash import COMMENTS, count
from tests.support.certificates import Authority
from tests.support.dovecot import Dovecot
from tests.support.mail_host import MailHost
from tests.support.postfix import Postfix
from tests.support.processes import Instance
from tests.support.waiting import wait_until

_LONGEST = 3.0


def main() -> int:
    mails = int(sys.argv[1]) if len(sys.argv) > 1 else 10
    with tempfile.TemporaryDirectory() as folder:
        authority = Authority(Path(folder) / "ca")
        dovecot = Dovecot(authority)
        dovecot.start()
        postfix = Postfix(authority, dovecot)
        postfix.start()
        instance = Instance(Path(folder) / "home")
        try:
            seconds = measured(instance, MailHost(authority, dovecot, postfix), mails)
        finally:
            instance.stop_all()
            postfix.remove()
            dovecot.remove()
    print("from the mailbox to the comment, seconds:", " ".join(f"{one:.2f}" for one in sorted(seconds)))
    return int(max(seconds) >= _LONGEST)


def measured(instance: Instance, host: MailHost, mails: int) -> list[float]:
    set_up(instance, people(), outgoing(host.postfix.port_plain), mailbox(host), new_item("Valve leaks"))
    instance.run("worker", "--drain")
    told = host.maildir("bob").wait_for_subject("Valve leaks", timeout=90)
    run_all(instance, outgoing(9))
    instance.start("worker")
    seconds = []
    for number in range(mails + 1):
        raw = reply_to(told, f"Answer number {number}.", author="bob", number=number).as_bytes()
        before = count(instance, COMMENTS)
        began = time.monotonic()
        append(host, [raw.replace(b"\n", b"\r\n")])
        wait_until(lambda before=before: count(instance, COMMENTS) > before, "the comment", timeout=120)  # type: ignore[misc]  # a default binds the value of this round
        if number:  # before the first, the worker was starting
            seconds.append(time.monotonic() - began)
    return seconds


if __name__ == "__main__":
    raise SystemExit(main())
