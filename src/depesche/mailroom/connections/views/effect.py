"""The effect box: how a comment will arrive, worked out by the same code that makes the From of mails (M3 to
M6).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest
from django.utils.translation import gettext as _

from depesche.mailformat.addresses import Address, AddressError
from depesche.mailroom.connections import queries, senders
from depesche.mailroom.connections.choices import Auth
from depesche.mailroom.connections.oauth.queries import oauth
from depesche.mailroom.connections.queries import IncomingSettings, OutgoingSettings
from depesche.mailroom.connections.sender_policy import NoSystemAddress, from_for, may_be_refused
from depesche.mailroom.connections.views.common import own_address, own_name


@dataclass(frozen=True)
class Effect:
    """What who gets a comment by this person will see. `warning`: why a server may refuse it; `refused`: the
    domain that it was found to refuse as From (M13).
    """

    person: str
    author: str
    system_mail: str
    reply_to: str
    sentence: str
    warning: str
    needs_mailbox: bool
    refused: str = ""


def effect_of(request: HttpRequest, values: Mapping[str, Any]) -> Effect:
    """The effect of what stands in the form, valid or not."""
    saved = queries.outgoing()
    settings = OutgoingSettings(
        host=str(values.get("host") or saved.host),
        auth=str(values.get("auth") or saved.auth),
        username=str(values.get("username") or ""),
        system_address=str(values.get("system_address") or "").strip(),
        system_name=str(values.get("system_name") or "").strip(),
        sender=str(values.get("sender") or "system"),
    )
    person, address = own_name(request), own_address(request)
    author = system_mail = refused = ""
    answer_to: Address | None = None
    try:
        made = from_for(
            settings,
            sender="user",
            author_name=person,
            author_address=address,
            refused=senders.facts_for(settings).refused,
        )
        author, answer_to = str(made.author), made.reply_to
        refused = answer_to.domain if answer_to is not None else ""
        system_mail = str(from_for(settings, sender="system").author)
    except NoSystemAddress:
        pass
    mailbox = queries.incoming()
    items_by_mail = values.get("items_by_mail") in (True, "on", "true")
    return Effect(
        person=person,
        author=author,
        system_mail=system_mail,
        reply_to=_reply_to(settings, mailbox.configured, answer_to),
        sentence=_sentence(settings, person, mailbox.configured),
        refused=refused,
        warning=_warning(settings, _login(values, mailbox)),
        needs_mailbox=items_by_mail and not mailbox.configured,
    )


def _reply_to(settings: OutgoingSettings, answers: bool, answer_to: Address | None) -> str:
    if not answers and answer_to is not None:
        return str(answer_to)
    if not answers:
        return _("none, since no mailbox is set up")
    try:
        system = Address("", settings.system_address)
    except AddressError:
        return ""
    if queries.plus_addressing_in_use():
        return f"{system.local}+…@{system.domain}"
    return system.addr_spec


def _sentence(settings: OutgoingSettings, person: str, answers: bool) -> str:
    if answers:
        return _(
            "An answer becomes a comment on the item. That holds for “User” too: the reply address is "
            "signed and leads "
            "to the item in both cases."
        )
    if settings.sender == "user":
        return _("An answer goes to %(person)s alone and does not become a comment.") % {"person": person}
    return _("An answer goes to the system address, where nobody fetches it.")


def _login(values: Mapping[str, Any], mailbox: IncomingSettings) -> str:
    """The user name that the SMTP server will see; "" without a login."""
    if values.get("auth") == Auth.SAME_AS_MAILBOX:
        return mailbox.username
    if values.get("auth") == Auth.OAUTH2:
        return str(values.get("username") or "") or oauth().account
    return str(values.get("username") or "") if values.get("auth") == Auth.PASSWORD else ""


def _warning(settings: OutgoingSettings, username: str) -> str:
    why = may_be_refused(settings, username)
    if why == "user":
        return _(
            "Some servers refuse a From that differs from the SMTP user name. Then they take no mail From a "
            "person: "
            "the test finds out, and “System” avoids it."
        )
    if why == "system":
        return _(
            "The SMTP user name is another address than the system address. Some servers refuse a From that "
            "differs "
            "from the user name: the test finds out."
        )
    return ""
