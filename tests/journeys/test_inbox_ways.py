"""The ways in with real servers: piped by Postfix, bounced by Postfix, and what must not be answered."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import tempfile
import threading
from collections.abc import Iterator
from email.message import EmailMessage
from email.utils import make_msgid
from pathlib import Path
from typing import Any

import pytest

from tests.journeys.inbox_support import (
    Command,
    comments,
    mailbox,
    new_item,
    outgoing,
    people,
    reply_to,
    run_all,
    set_up,
    submit,
)
from tests.support.certificates import Authority
from tests.support.mail_host import MailHost
from tests.support.maildir import parse
from tests.support.postfix import MAIL_GROUP, MAIL_USER, Postfix
from tests.support.processes import DEPESCHE, Instance
from tests.support.waiting import wait_until

pytestmark = pytest.mark.journey


def received(instance: Instance) -> list[dict[str, Any]]:
    """What came in and what became of it, straight from the tables."""
    code = """
import django, json; django.setup()
from depesche.mailroom.inbox.models import ReceivedMessage
for row in ReceivedMessage.objects.order_by("id").values(
        "source", "outcome", "reason", "kind", "subject", "envelope_sender", "envelope_recipient"):
    print(json.dumps(row))
"""
    return _lines(instance, code)


def _lines(instance: Instance, code: str) -> list[dict[str, Any]]:
    environment = instance.environment | {"DJANGO_SETTINGS_MODULE": "depesche.server.settings"}
    python = Path(DEPESCHE).parent / "python"
    done = subprocess.run(
        [str(python), "-c", code], env=environment, check=True, capture_output=True, text=True, timeout=60
    )
    return [json.loads(line) for line in done.stdout.splitlines()]


# --- by a pipe ----------------------------------------------------------------------------------------------


_RELAY = """#!/bin/sh
mail=$(mktemp {folder}/mail.XXXXXX) || exit 75
cat > "$mail" && printf '%s\\n%s\\n' "$1" "$2" > "$mail.new" && mv "$mail.new" "$mail.envelope" || exit 75
until [ -e "$mail.code" ]; do sleep 0.02; done
exit $(cat "$mail.code")
"""


class Relay:
    """Runs `depesche inbox receive -` for what Postfix pipes: its user may not reach our Python, which lies
    with whoever runs the tests. Octets, envelope and exit code pass unchanged.
    """

    def __init__(self, instance: Instance) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="depesche-pipe-"))
        self.folder.chmod(0o777)
        self.script = self.folder / "receive"
        self.script.write_text(_RELAY.format(folder=self.folder))
        self.script.chmod(0o755)
        self.codes: list[int] = []
        self._instance = instance
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def _serve(self) -> None:
        while not self._stop.wait(0.02):
            for envelope in sorted(self.folder.glob("*.envelope")):
                sender, recipient = envelope.read_text().splitlines()
                mail = envelope.with_suffix("")
                done = self._instance.run(
                    "inbox", "receive", "-", "--sender", sender, "--recipient", recipient,
                    stdin=mail.read_bytes(), status=None,
                )  # fmt: skip
                self.codes.append(done.returncode)
                envelope.unlink()
                code = mail.with_suffix(mail.suffix + ".part")
                code.write_text(str(done.returncode))
                code.chmod(0o644)
                code.rename(mail.with_suffix(mail.suffix + ".code"))

    def close(self) -> None:
        self._stop.set()
        self._thread.join()
        shutil.rmtree(self.folder, ignore_errors=True)


@pytest.fixture
def relay(instance: Instance) -> Iterator[Relay]:
    made = Relay(instance)
    yield made
    made.close()


@pytest.fixture
def piping(authority: Authority, mail_host: MailHost, relay: Relay) -> Iterator[Postfix]:
    """A Postfix that hands the tracker's mail to `depesche inbox receive -`, as it is set up for real."""
    command = [str(relay.script), "${sender}", "${original_recipient}"]
    made = Postfix(authority, mail_host.dovecot, pipe_to=command)
    made.start()
    yield made
    made.remove()


def test_an_answer_that_postfix_pipes_in_becomes_a_comment(
    instance: Instance, mail_host: MailHost, piping: Postfix, relay: Relay
) -> None:
    pipe: list[Command] = [(["mailbox", "set", "protocol=pipe", "plus_addressing=on"], "")]
    set_up(instance, people(), pipe, outgoing(piping.port_plain), new_item("Valve leaks"))
    instance.start("worker")
    told = mail_host.maildir("bob").wait_for_subject("Valve leaks", timeout=90)
    answer = reply_to(told, "I will look at it.", author="bob")
    assert str(answer["To"]).startswith("tracker+")
    host = MailHost(mail_host.authority, mail_host.dovecot, piping)
    submit(host, answer)
    submit(host, answer)  # the same mail once more
    (comment,) = wait_until(lambda: comments(instance, "1"), "the comment", timeout=90)
    assert comment["text"] == "I will look at it."
    wait_until(lambda: piping.log().count("relay=tracker") >= 2, "both deliveries", timeout=90)
    assert relay.codes == [0, 0]
    (row,) = received(instance)
    assert (row["source"], row["outcome"], row["envelope_sender"]) == ("pipe", "comment", "bob@example.org")
    assert row["envelope_recipient"] == str(answer["To"])


def test_postfix_keeps_a_mail_that_could_not_be_stored(
    instance: Instance, mail_host: MailHost, piping: Postfix, relay: Relay
) -> None:
    """There is no database yet: the mail waits in Postfix's queue, nobody gets it back."""
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = "bob@example.org", "tracker@example.org", "Early"
    mail["Message-ID"] = make_msgid(domain="example.org")
    mail.set_content("Hello\n")
    submit(MailHost(mail_host.authority, mail_host.dovecot, piping), mail)
    wait_until(lambda: "status=deferred" in piping.log(), "Postfix to put it off", timeout=90)
    assert "status=bounced" not in piping.log()
    set_up(instance, people())
    subprocess.run(["postqueue", "-c", str(piping.configuration), "-f"], check=True)
    wait_until(lambda: received(instance), "the mail once there is a database", timeout=90)
    wait_until(lambda: "status=sent" in piping.log(), "Postfix to be done with it")
    (row,) = received(instance)  # by now it is processed, too
    assert row["subject"] == "Early"
    assert (relay.codes[0], relay.codes[-1]) == (75, 0)


# --- bounces ------------------------------------------------------------------------------------------------


_LIMIT = 200_000  # octets of a mailbox


@pytest.fixture
def strict(authority: Authority, mail_host: MailHost) -> Iterator[Postfix]:
    """A Postfix that takes everything and bounces it afterwards, as one that forwards to the next host."""
    folder = Path(tempfile.mkdtemp(prefix="depesche-strict-"))
    folder.chmod(0o755)
    (folder / "transports").write_text(
        "policy@example.org error:5.7.1 your mail is not welcome\n"
        "later@example.org retry:4.2.1 come back later\n"
    )
    boxes = mail_host.dovecot.mail_folder
    users = dict.fromkeys(("alice", "policy", "later"), f"{boxes}/alice/Maildir/")
    users |= {"tracker": f"{boxes}/tracker/Maildir/", "full": f"{folder}/full"}
    rows = [f"{name}@example.org {path.lstrip('/')}\n" for name, path in users.items()]
    (folder / "mailboxes").write_text("".join(rows))
    (folder / "full").write_bytes(b"x" * _LIMIT)
    shutil.chown(folder / "full", MAIL_USER, MAIL_GROUP)
    shutil.chown(folder, MAIL_USER, MAIL_GROUP)
    made = Postfix(
        authority,
        mail_host.dovecot,
        size_limit=_LIMIT,
        more={
            "transport_maps": f"texthash:{folder}/transports",
            "virtual_mailbox_maps": f"texthash:{folder}/mailboxes",
            "virtual_mailbox_limit": str(_LIMIT),
            "smtpd_reject_unlisted_recipient": "no",
            "delay_warning_time": "1s",
            "queue_run_delay": "1s",
            "minimal_backoff_time": "1s",
            "maximal_backoff_time": "2s",
        },
    )
    made.start()
    yield made
    made.remove()
    shutil.rmtree(folder, ignore_errors=True)


def test_real_bounces_reach_their_recipients(
    instance: Instance, mail_host: MailHost, strict: Postfix
) -> None:
    bad = {"nobody": "5.1.1", "full": "5.2.2", "policy": "5.7.1"}
    names = (*bad, "later")
    items = [new_item(f"For {name}", watcher=f"{name}@example.org")[0] for name in names]
    set_up(instance, people("alice", *names), outgoing(strict.port_plain), mailbox(mail_host), items)
    instance.start("worker")

    def states() -> dict[str, tuple[str, str]]:
        rows = instance.json_lines("outbox", "list")
        return {row["recipient"].partition("@")[0]: (row["state"], str(row["reply"])) for row in rows}

    def settled() -> bool:
        found = states()
        return all(found.get(name, ("",))[0] == "bounced" for name in bad) and found["later"][0] == "delayed"

    wait_until(settled, "every report applied", timeout=90)
    for name, status in bad.items():
        assert status in states()[name][1]
    assert {row["outcome"] for row in received(instance)} == {"report"}
    assert all(not comments(instance, key) for key in ("1", "2", "3", "4"))
    # The address that does not exist is not tried any more; the others are.
    assert [row["address"] for row in instance.json_lines("outbox", "addresses")] == ["nobody@example.org"]


def test_reports_come_home_by_a_reverse_path_of_their_own(
    instance: Instance, mail_host: MailHost, strict: Postfix
) -> None:
    """Once a test has seen that the server takes such senders, and that mails to them arrive."""
    set_up(
        instance,
        people("alice", "policy"),
        outgoing(strict.port_plain),
        mailbox(mail_host),
        new_item("For policy", watcher="policy@example.org"),
    )
    tested = instance.run("connection", "test", "--to", "alice@example.org", status=None)
    assert "Also with a tag" in tested.stdout, f"{tested.stdout}\n{strict.log()}"
    instance.start("worker")

    def bounced() -> bool:
        return [row["state"] for row in instance.json_lines("outbox", "list")] == ["bounced"]

    wait_until(bounced, "the report applied", timeout=90)
    assert re.search(r"from=<tracker\+b-[a-z2-7]{18,}@example\.org>", strict.log())
    assert any(
        re.fullmatch(r"tracker\+b-[a-z2-7]{18,}@example\.org", row["delivered_to"])
        for row in delivered_to(mail_host)
    )


def delivered_to(host: MailHost) -> list[dict[str, str]]:
    """Where each mail in the tracker's mailbox was delivered to."""
    return [{"delivered_to": str(mail["Delivered-To"] or "")} for mail in host.maildir("tracker").mails()]


# --- what must not be answered ------------------------------------------------------------------------------


def test_a_vacation_note_is_no_comment_and_gets_no_answer(instance: Instance, mail_host: MailHost) -> None:
    set_up(
        instance,
        people(),
        outgoing(mail_host.postfix.port_plain, "items_by_mail=on"),
        mailbox(mail_host),
        new_item("Valve leaks"),
    )
    instance.start("worker")
    told = mail_host.maildir("bob").wait_for_subject("Valve leaks", timeout=90)
    note = reply_to(told, "I am on holiday until the 30th.", author="bob")
    note["Auto-Submitted"] = "auto-replied (vacation)"
    stranger = EmailMessage()
    stranger["From"], stranger["To"] = "robot@example.net", "tracker@example.org"
    stranger["Subject"], stranger["Message-ID"] = "Out of office", make_msgid(domain="example.net")
    stranger["Auto-Submitted"] = "auto-replied"
    stranger.set_content("I am out of office.\n")
    submit(mail_host, note, sender="")
    submit(mail_host, stranger, sender="robot@example.net")
    rows = wait_until(
        lambda: (
            [row for row in received(instance) if row["outcome"]] if len(received(instance)) == 2 else None
        ),
        "both mails processed",
    )
    assert rows is not None
    wait_until(lambda: all(row["outcome"] == "ignored" for row in received(instance)), "both ignored")
    assert comments(instance, "1") == []
    assert {row["category"] for row in instance.json_lines("outbox", "list")} == {"notice"}


def test_two_trackers_that_write_to_each_other_fall_silent(
    tmp_path: Path, mail_host: MailHost, instance: Instance
) -> None:
    """A's system address is a person of B's, and B's is a person of A's: both watch an item."""
    other = Instance(tmp_path / "other")
    addresses = {"tracker@example.org": instance, "carol@example.org": other}
    try:
        for own, one in addresses.items():
            (partner,) = addresses.keys() - {own}
            set_up(
                one,
                people("alice", more=[partner]),
                outgoing(mail_host.postfix.port_plain, f"system_address={own}", "items_by_mail=on"),
                mailbox(mail_host, user=own.partition("@")[0]),
            )
        run_all(instance, new_item("Ping", watcher="carol@example.org"))

        def written() -> list[int]:
            """What both have written once neither has anything left to do."""
            for _ in range(2):
                for one in addresses.values():
                    mail_host.postfix.deliver_all()
                    one.run("mailbox", "poll")
                    one.run("worker", "--drain")
            return [len(one.json_lines("outbox", "list")) for one in addresses.values()]

        first = written()
        assert received(other)
        again = written()
        assert again == first
        assert sum(again) <= 2
        assert not comments(instance, "1")
    finally:
        other.stop_all()


_MARKS = (
    "Auto-Submitted", "List-Id", "List-Unsubscribe", "List-Unsubscribe-Post", "Precedence", "X-Loop",
    "X-Auto-Response-Suppress", "References", "In-Reply-To", "Message-ID", "Reply-To",
)  # fmt: skip


def test_trackers_fall_silent_behind_a_gateway_that_takes_every_mark_away(
    tmp_path: Path, mail_host: MailHost, instance: Instance
) -> None:
    """Items by mail are on in both, and strangers are guests: nothing tells them that a program writes."""
    other = Instance(tmp_path / "other")
    users = {"tracker": instance, "carol": other}
    try:
        for user, one in users.items():
            set_up(
                one,
                people("alice"),
                outgoing(
                    mail_host.postfix.port_plain, f"system_address={user}@example.org", "items_by_mail=on"
                ),
                mailbox(mail_host, user=user),
            )
            one.run("correspondence", "set", "strangers=guest")
        first = EmailMessage()
        first["From"], first["To"], first["Subject"] = "tracker@example.org", "carol@example.org", "Ping"
        first.set_content("Since Friday.\n")
        submit(mail_host, first)
        passed_on: set[bytes] = set()
        counts = []
        for _ in range(3):
            for user, one in users.items():
                mail_host.postfix.deliver_all()
                for raw in set(mail_host.maildir(user).raw()) - passed_on:
                    passed_on.add(raw)
                    mail = parse(raw)
                    if mail["Auto-Submitted"]:
                        for name in _MARKS:
                            del mail[name]
                        mail["Message-ID"] = make_msgid(domain="gateway.example.org")
                        submit(mail_host, mail)
                mail_host.postfix.deliver_all()
                one.run("mailbox", "poll")
                one.run("worker", "--drain")
            counts.append(sum(len(one.json_lines("outbox", "list")) for one in users.values()))
        assert counts[-1] == counts[-2]
        assert counts[-1] <= 2
    finally:
        other.stop_all()


def test_with_idle_no_look_is_waited_for(instance: Instance, mail_host: MailHost) -> None:
    """Seconds from the mailbox to the comment, where looks are a minute apart."""
    set_up(
        instance,
        people(),
        outgoing(mail_host.postfix.port_plain),
        mailbox(mail_host),
        new_item("Valve leaks"),
    )
    instance.start("worker")
    told = mail_host.maildir("bob").wait_for_subject("Valve leaks", timeout=90)
    submit(mail_host, reply_to(told, "Soon.", author="bob"))
    wait_until(lambda: comments(instance, "1"), "the comment", timeout=20)
