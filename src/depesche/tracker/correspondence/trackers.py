"""Signs that another tracker wrote a mail, one of our own kind included. Pure.

Two trackers that know each other's addresses would talk for ever: each answer is news to the other. Most say
that a program writes (Auto-Submitted, List-Id …), which the reading knows. Some do not, or a gateway takes it
away; their own header fields stay, and so do our Message-IDs. A person's mail program never has any of these.
"""

from __future__ import annotations

import re
from typing import Final

from depesche.mailformat.parse import ParsedMail

_FIELDS: Final = re.compile(
    r"(?:x-(?:redmine|jira|atlassian|gitlab|github|gitea|forgejo|bugzilla|trac|mantis|rt|otrs|znuny|zammad|"
    r"osticket|youtrack|phabricator|zendesk|freshdesk|servicenow|launchpad|roundup|openproject|taiga|asana|"
    r"helpscout|intercom|discourse|sentry|glpi|itop|kayako|uservoice|trello|clickup|azuredevops|tfs|"
    r"debian-pr|gnu-pr|depesche)-[a-z0-9-]+|rt-ticket|rt-originator|x-herald-rules|x-depesche)"
)
_SPEAKING: Final = ("x-mailer", "x-powered-by", "managed-by", "user-agent", "x-generated-by")
_NAMES: Final = re.compile(
    r"\b(?:redmine|jira|gitlab|gitea|forgejo|bugzilla|mantisbt|request tracker|rt \d|otrs|znuny|zammad|"
    r"osticket|youtrack|phabricator|openproject|glpi|itop|depesche)\b",
    re.IGNORECASE,
)
# The Message-IDs of a tracker like ours: a token, a word, and the item's own id among those that it follows.
_OUR_KIND: Final = re.compile(r"<[a-z2-7]{20,48}\.[a-z0-9]{1,40}@[^<>@\s]{1,255}>")
_OUR_KIND_OF_ROOT: Final = re.compile(r"<[a-z2-7]{18,48}\.item@[^<>@\s]{1,255}>")
_MOST: Final = 200  # header fields and ids that are looked at


def mark_of(mail: ParsedMail) -> str:
    """The sign by which another tracker is known, in English; "" where there is none."""
    for name, _value in mail.root.headers[:_MOST]:
        if _FIELDS.fullmatch(name.lower()):
            return f"header {name}"
    for name in _SPEAKING:
        found = _NAMES.search(mail.header(name)[:300])
        if found:
            return f"{name}: {found[0]}"
    roots = (one for one in mail.references[:_MOST] if _OUR_KIND_OF_ROOT.fullmatch(one))
    if mail.message_id and _OUR_KIND.fullmatch(mail.message_id) and next(roots, None):
        return "a Message-ID such as Depesche makes"
    return ""


def has_our_loop_mark(mail: ParsedMail, addresses: tuple[str, ...]) -> bool:
    """Whether the mail carries the X-Loop field that we give to our own mails."""
    ours = {address.casefold() for address in addresses}
    return any(value.strip().casefold() in ours for value in mail.header_all("x-loop")[:10])
