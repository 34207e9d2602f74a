"""Answers written by real mail programs, as a person would write them, become comments."""

from __future__ import annotations

import errno
import os
import pty
import select
import subprocess
import time
from pathlib import Path

import pytest

from tests.journeys.inbox_support import comments, mailbox, new_item, outgoing, people, set_up
from tests.support.mail_host import MailHost
from tests.support.maildir import text_of
from tests.support.processes import Instance
from tests.support.waiting import wait_until

pytestmark = pytest.mark.journey
TEXT = "I will change it tomorrow – Grüße, Bob."


def by_snail(host: MailHost, folder: Path, home: Path) -> None:
    """Bob types `reply 1`, his answer, `~.`."""
    settings = [
        "v15-compat", f"mta=smtp://localhost:{host.postfix.port_plain}", "smtp-auth=none", "quote",
        "indentprefix=> ",
        "from=bob@example.org", "hostname=example.org", "ttycharset=utf-8", "sendcharsets=utf-8", "keepsave",
    ]  # fmt: skip
    words = [word for setting in settings for word in ("-S", setting)]
    done = subprocess.run(
        ["s-nail", "-#", "-n", *words, "-f", str(folder)],
        input=f"reply 1\n\n{TEXT}\n~.\nexit\n".encode(),
        env=os.environ | {"HOME": str(home), "LC_ALL": "C.UTF-8", "MAILRC": "/dev/null"},
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr.decode()


def by_mutt(host: MailHost, folder: Path, home: Path) -> None:
    """Bob presses r, writes above the quote in his editor, and sends with y."""
    editor = home / "editor"
    editor.write_text(f'#!/bin/sh\n{{ echo "{TEXT}"; echo; cat "$1"; }} > "$1.new" && mv "$1.new" "$1"\n')
    editor.chmod(0o755)
    (home / "muttrc").write_text(
        f'set editor="{editor}"\n'
        f'set smtp_url="smtp://localhost:{host.postfix.port_plain}/"\n'
        "set ssl_starttls=no ssl_force_tls=no\n"
        'set from="bob@example.org" realname="Bob" use_from=yes hostname=example.org\n'
        "set include=yes fast_reply=yes abort_unmodified=no reply_to=yes copy=no\n"
        "set charset=utf-8 send_charset=utf-8 wait_key=no confirmappend=no quit=yes move=no\n"
        f'set folder="{home}" record="" postponed="{home}/postponed" tmpdir="{home}"\n'
        'push "<reply><send-message><exit>"\n'
    )
    command = ["mutt", "-n", "-F", str(home / "muttrc"), "-f", str(folder)]
    environment = os.environ | {"HOME": str(home), "LC_ALL": "C.UTF-8", "TERM": "xterm"}
    master, slave = pty.openpty()
    process = subprocess.Popen(
        command, stdin=slave, stdout=slave, stderr=slave, env=environment, start_new_session=True
    )
    os.close(slave)
    screen = bytearray()
    deadline = time.monotonic() + 120
    try:
        while time.monotonic() < deadline:
            if select.select([master], [], [], 1)[0]:
                screen += os.read(master, 65536)
    except OSError as error:
        if error.errno != errno.EIO:  # the terminal is gone: the program ends
            raise
        process.wait(60)
    finally:
        os.close(master)
        process.kill()
        status = process.wait(60)
    assert status == 0, screen[-2000:]


def by_nmh(host: MailHost, folder: Path, home: Path) -> None:
    """Bob has the mail in his folder, and says repl: his editor writes, and quotes the plain text."""
    editor = home / "editor"
    editor.write_text(
        "#!/bin/sh\n"
        f'{{ sed "/^--------/q" "$1"; echo "{TEXT}"; echo; sed "1,/^--------/d" "$1"; '
        "/usr/bin/mh/mhstore -noverbose -type text/plain -outfile - 1 | sed 's/^/> /'; } "
        '> "$1.new" && mv "$1.new" "$1"\n'
    )
    editor.chmod(0o755)
    (home / "Mail" / "inbox").mkdir(parents=True)
    (raw,) = [one for one in host.maildir("bob").raw() if b"Since Friday." in one]
    (home / "Mail" / "inbox" / "1").write_bytes(raw.replace(b"\r\n", b"\n"))
    (home / ".mh_profile").write_text(
        f"Path: Mail\nLocal-Mailbox: Bob <bob@example.org>\nEditor: {editor}\n"
        "repl: -filter /etc/nmh/mhl.replywithoutbody -nocc all\n"
    )
    environment = os.environ | {"HOME": str(home), "LC_ALL": "C.UTF-8", "PAGER": "cat"}
    smtp = ["-mts", "smtp", "-server", "localhost", "-port", str(host.postfix.port_plain), "-notls"]
    for words in (["repl", "-whatnowproc", "true", "1"], ["send", *smtp, "draft"]):
        if words[0] == "send":
            subprocess.run([str(editor), str(home / "Mail" / "draft")], env=environment, check=True)
        done = _nmh(words, environment)
        assert done.returncode == 0, (words, done.stdout, done.stderr)


def _nmh(words: list[str], environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [f"/usr/bin/mh/{words[0]}", *words[1:]],
        env=environment,
        input="",
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.parametrize(
    "client",
    [
        pytest.param(by_nmh, id="nmh", marks=pytest.mark.needs("nmh")),
        pytest.param(by_snail, id="s-nail", marks=pytest.mark.needs("s-nail")),
        pytest.param(by_mutt, id="mutt", marks=pytest.mark.needs("mutt")),
    ],
)
def test_an_answer_of_a_real_mail_program(
    instance: Instance, mail_host: MailHost, tmp_path: Path, client: object
) -> None:
    assert callable(client)
    set_up(
        instance,
        people(),
        outgoing(mail_host.postfix.port_plain),
        mailbox(mail_host),
        new_item("Coolant pump vibrates"),
    )
    instance.start("worker")
    mail_host.maildir("bob").wait_for(lambda mail: "Since Friday." in text_of(mail), "the notice", timeout=90)

    client(mail_host, mail_host.maildir("bob").path, tmp_path)

    (comment,) = wait_until(lambda: comments(instance, "1"), "Bob's answer as a comment", timeout=90)
    assert comment["text"] == TEXT
    assert comment["author"] in {"Bob", "bob@example.org"}
    assert "Since Friday." in comment["cut"]
