"""What is said about each alarm: what is the case, why, and what to do. One table for every place that shows
alarms, and for docs/admin/alarms.*.md.

Texts may name the facts of their alarm, as %(host)s. A date becomes a day in the reader's language. Where a
count decides between "day" and "days", `ngettext_lazy(…, …, "days")` takes it from the fact of that name.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from django.utils import formats, timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext_lazy

if TYPE_CHECKING:
    from django_stubs_ext import StrPromise


@dataclass(frozen=True)
class Entry:
    """The three texts of an alarm: what is the case (short, no full stop), why, what to do."""

    title: StrPromise | str
    why: StrPromise | str
    remedy: StrPromise | str


@dataclass(frozen=True)
class Words:
    """The same, filled in, in the language in force."""

    title: str
    why: str
    remedy: str


ENTRIES: dict[str, Entry] = {
    # --- The way out ----------------------------------------------------------------------------------------
    "no-server": Entry(
        _("No mail server is set up"),
        _("The tracker works; mails wait in the outbox until there is one."),
        _("Set up the server and the system address under “Outgoing”."),
    ),
    "paused": Entry(
        _("Mail does not flow"),
        _("%(detail)s"),
        _("%(remedy)s"),
    ),
    "failover-in-use": Entry(
        _("%(host)s does not work: mails go out through %(failover)s"),
        _("%(detail)s"),
        _("%(remedy)s"),
    ),
    "failover-paused": Entry(
        _("The failover %(host)s does not work"),
        _("%(detail)s"),
        _("%(remedy)s"),
    ),
    "from-refused": Entry(
        _("The mail server refuses From addresses of %(domain)s"),
        _(
            "%(host)s did not take %(address)s as From (“%(reply)s”). No mail was lost: such mails go "
            "out From the system address, under the person’s name, and answers still reach the person or "
            "the item."
        ),
        _(
            "Nothing has to be done. To get rid of it, permit the login to send as these addresses, or "
            "choose “System” as sender address; then revoke the rule under “Outgoing”."
        ),
    ),
    # --- The login by OAuth 2.0 -----------------------------------------------------------------------------
    "oauth-token": Entry(
        _("The login at %(provider)s by OAuth 2.0 does not work"),
        _("%(detail)s"),
        _("%(remedy)s"),
    ),
    "client-secret-ends": Entry(
        _("The client secret for %(provider)s expires on %(day)s"),
        _("After that day no more tokens can be had, and no mail goes out."),
        _("Make a new client secret at the provider, and enter it under “Outgoing” before that."),
    ),
    "client-secret-ended": Entry(
        _("The client secret for %(provider)s expired on %(day)s"),
        _("By the date that was entered, no more tokens can be had."),
        _("Make a new client secret at the provider, and enter it under “Outgoing” with its new date."),
    ),
    # --- The outbox -----------------------------------------------------------------------------------------
    "no-worker": Entry(
        _("No worker is running"),
        _("Nobody submits mails, reads the mailbox or sends reminders. All of it waits."),
        _("Start “depesche serve”, or “depesche worker” beside it."),
    ),
    "mails-late": Entry(
        _("Mails are late"),
        ngettext_lazy(
            "A mail has been due for %(minutes)d minute, although the connection works.",
            "A mail has been due for %(minutes)d minutes, although the connection works.",
            "minutes",
        ),
        _("Look at the outbox. Perhaps the workers are too few, or the limit on connections is too low."),
    ),
    "queue-grows": Entry(
        _("More mails come than go out"),
        _("In a quarter of an hour the queue grew from %(before)s to %(count)s mails."),
        _("Raise the limit on the number of connections if the server permits more, or start more workers."),
    ),
    "mails-held": Entry(
        ngettext_lazy("%(count)d mail waits for a decision", "%(count)d mails wait for a decision", "count"),
        _("Nobody knows whether the server has them, and their kind is not sent twice without being asked."),
        _("Decide in the outbox, one by one: submit again, or leave it."),
    ),
    "mails-fail": Entry(
        ngettext_lazy("%(count)d mail failed within a day", "%(count)d mails failed within a day", "count"),
        _("The server refused them for good, or took none of them until their time was over."),
        _("The outbox shows the server’s words for each."),
    ),
    # --- The way in -----------------------------------------------------------------------------------------
    "no-mailbox": Entry(
        _("Items by e-mail are on, but nothing can arrive"),
        _("Neither mailbox nor pipe is set up."),
        _("Set one up under “Incoming”, or switch items by e-mail off."),
    ),
    "mailbox-fails": Entry(
        _("The mailbox cannot be read"),
        _("%(host)s: %(detail)s"),
        _("Test the mailbox under “Incoming”: it shows the step that fails. Mails wait there meanwhile."),
    ),
    "mailbox-unread": Entry(
        _("Nobody looks into the mailbox"),
        ngettext_lazy(
            "The last look into %(host)s was %(minutes)d minute ago.",
            "The last look into %(host)s was %(minutes)d minutes ago.",
            "minutes",
        ),
        _("Check that a worker runs, and its log. Started anew it looks at once."),
    ),
    "inbox-silent": Entry(
        _("The mailbox is silent for longer than usual"),
        ngettext_lazy(
            "No mail has come for %(hours)d hour; here up to %(usual)s hours are usual.",
            "No mail has come for %(hours)d hours; here up to %(usual)s hours are usual.",
            "hours",
        ),
        _("Write a mail to the system address and see whether it arrives. During holidays all may be well."),
    ),
    "inbox-stuck": Entry(
        _("Mails that came in are not processed"),
        ngettext_lazy(
            "The oldest has waited for %(minutes)d minute.",
            "The oldest has waited for %(minutes)d minutes.",
            "minutes",
        ),
        _("Check that a worker runs, and its log."),
    ),
    "inbox-held": Entry(
        ngettext_lazy(
            "%(count)d mail that came in waits for a decision",
            "%(count)d mails that came in wait for a decision",
            "count",
        ),
        _("It is not certain who wrote them, or where they belong."),
        _("Take or discard them in the inbox."),
    ),
    # --- Signing --------------------------------------------------------------------------------------------
    "server-certificate-ends": Entry(
        ngettext_lazy(
            "The certificate of %(host)s expires within %(days)d day",
            "The certificate of %(host)s expires in %(days)d days",
            "days",
        ),
        _("%(subject)s at port %(port)s is valid until %(day)s. After that no mail goes over this line."),
        _("Remind whoever runs the server to renew it."),
    ),
    "server-certificate-ended": Entry(
        _("The certificate of %(host)s has expired"),
        _("%(subject)s at port %(port)s was valid until %(day)s. No mail goes over this line since then."),
        _("Whoever runs the server has to renew it."),
    ),
    "keystore-entry-ends": Entry(
        ngettext_lazy(
            "A trusted certificate expires within %(days)d day",
            "A trusted certificate expires in %(days)d days",
            "days",
        ),
        _("%(subject)s (%(names)s) is valid until %(day)s."),
        _("Get its successor from whoever runs the server, and import it into the keystore before that."),
    ),
    "keystore-entry-ended": Entry(
        _("A trusted certificate has expired"),
        _("%(subject)s (%(names)s) was valid until %(day)s. It vouches for nothing any more."),
        _("Import its successor into the keystore, or remove it where no server needs it."),
    ),
    "certificate-changed": Entry(
        _("The server %(host)s shows another certificate"),
        _("At port %(port)s, before: %(old)s. Now: %(new)s. The new one verifies, and mail flows."),
        _(
            "If you expected that, say in the keystore that you have seen it. If not, ask whoever runs the "
            "server."
        ),
    ),
    "certificate-unverified": Entry(
        _("The server %(host)s shows another certificate, which does not verify"),
        _("%(detail)s At port %(port)s, before: %(old)s. Now: %(new)s. No mail goes over this line."),
        _("Look at both in the keystore. Trust the new one only if whoever runs the server confirms it."),
    ),
    "dkim-record-gone": Entry(
        _("Mails are signed with a key that nobody can look up"),
        _("The name service has no right record %(selector)s._domainkey.%(domain)s any more."),
        _("Put the record back, or retire the key under “Domain”. Receivers may refuse mails until then."),
    ),
    "dkim-record-missing": Entry(
        _("A DKIM key waits for its record"),
        _("The name service does not have %(selector)s._domainkey.%(domain)s yet."),
        _("Add the record that “Domain” shows, or remove the key."),
    ),
    # --- This machine ---------------------------------------------------------------------------------------
    "disk-full": Entry(
        _("The disk runs full"),
        _("Only %(megabytes)s MB are free where %(place)s lies."),
        _("Make room there. What cannot be saved is not lost as long as its sender still has it."),
    ),
    # --- The watch itself -----------------------------------------------------------------------------------
    "source-failed": Entry(
        _("Something could not be looked at"),
        _("The watch over “%(source)s” failed; the log says why."),
        _("Look into the log of the web process or the worker, and report it if it stays so."),
    ),
}

_UNKNOWN = Entry(
    _("Something is wrong with the mail"), _("It is called %(code)s."), _("Look at the mail status.")
)


def words(code: str, facts: Mapping[str, object]) -> Words:
    """What to say about an alarm. A fact that is missing stays empty."""
    entry = ENTRIES.get(code, _UNKNOWN)
    values: dict[str, object] = defaultdict(str, code=code)
    values.update((name, _shown(value)) for name, value in facts.items() if value is not None)
    return Words(_filled(entry.title, values), _filled(entry.why, values), _filled(entry.remedy, values))


def _filled(text: StrPromise | str, values: Mapping[str, object]) -> str:
    return " ".join(str(text % values).split())


def _shown(value: object) -> object:
    if isinstance(value, datetime):
        return formats.date_format(timezone.localtime(value), "DATE_FORMAT")
    return value
