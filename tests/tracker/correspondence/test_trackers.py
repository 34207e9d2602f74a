"""Another tracker is known by its marks; what people write never has them."""

from __future__ import annotations

import pytest

from depesche.mailformat.addresses import Address
from depesche.mailformat.parse import parse
from depesche.tracker.correspondence.trackers import has_our_loop_mark, mark_of
from depesche.tracker.threads import marks

TOKEN = "ab2cdefghijklmnopqrstuvw"


def mail(*fields: str) -> bytes:
    return "\r\n".join(("From: a@example.net", "Subject: Re: Pump", *fields, "", "Hello", "")).encode()


@pytest.mark.parametrize(
    "fields",
    [
        ("X-Redmine-Issue-Id: 7",),
        ("X-JIRA-FingerPrint: 1",),
        ("x-gitlab-project: pump",),
        ("X-GitHub-Reason: mention",),
        ("X-Bugzilla-Reason: CC",),
        ("X-RT-Loop-Prevention: example.net",),
        ("RT-Ticket: example.net #5",),
        ("X-OTRS-Loop: 1",),
        ("X-Zendesk-From-Account-Id: 5",),
        ("X-Mailer: Redmine",),
        ("X-Powered-By: OTRS (https://otrs.example/)",),
        ("Managed-By: RT 5.0",),
        (f"Message-ID: <{TOKEN}.e17@other.example>", f"References: <{TOKEN}.item@other.example>"),
    ],
)
def test_marks_of_trackers(fields: tuple[str, ...]) -> None:
    assert mark_of(parse(mail(*fields)))


@pytest.mark.parametrize(
    "fields",
    [
        ("X-Mailer: Apple Mail (2.3774)", "User-Agent: Mozilla Thunderbird"),
        ("X-MS-Exchange-Organization-SCL: -1", "X-Rspamd-Queue-Id: 4", "X-Spam-Status: No"),
        # A person's answer to a mail of a tracker like ours: its id is among those that it follows.
        ("Message-ID: <8f2c@mail.example.net>", f"References: <{TOKEN}.item@x> <{TOKEN}.e17@x>"),
        (f"Message-ID: <{TOKEN}.e17@mail.example.net>",),
        ("X-Mailer: MyJiraffe 2",),
        ("X-Track-Id: 5", "X-Traction: none"),
    ],
)
def test_no_marks(fields: tuple[str, ...]) -> None:
    assert mark_of(parse(mail(*fields))) == ""


def test_our_own_mails_say_so() -> None:
    ours = Address("Plant", "tracker@example.org")
    fields = dict(marks.of(ours))
    assert fields["X-Loop"] == "tracker@example.org"
    assert "NDR" not in fields["X-Auto-Response-Suppress"]
    came_back = parse(mail("X-Loop: Tracker@Example.org"))
    assert has_our_loop_mark(came_back, ("tracker@example.org",))
    assert not has_our_loop_mark(parse(mail("X-Loop: else@example.org")), ("tracker@example.org",))
