"""The only writers of the login by OAuth 2.0, beside the renewal of its tokens (tokens.py).

Each change raises the revisions of the settings and wakes a paused connection, as every other change does.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import F, QuerySet
from django.utils import timezone

from depesche.mailroom.connections import actions as settings_actions
from depesche.mailroom.connections import queries, secrets
from depesche.mailroom.connections.actions import Person
from depesche.mailroom.connections.choices import Auth, MailboxAuth
from depesche.mailroom.connections.forms import OutgoingForm
from depesche.mailroom.connections.history.models import Act, Area
from depesche.mailroom.connections.history.recording import differences, record, secret_change
from depesche.mailroom.connections.models import ConnectionHealth, IncomingMailbox, OutgoingConnection
from depesche.mailroom.connections.oauth import tokens
from depesche.mailroom.connections.oauth.forms import OAuthForm, oauth_values
from depesche.mailroom.connections.oauth.models import Flow, OAuthLogin
from depesche.mailroom.connections.oauth.protocol import Tokens
from depesche.mailroom.connections.oauth.providers import IMAP, POP3, SMTP
from depesche.mailroom.connections.oauth.queries import OAuthSettings, oauth, settings_of
from depesche.mailroom.connections.queries import OutgoingSettings
from depesche.mailroom.connections.secrets import Secret

_FORGOTTEN: Mapping[str, Any] = {
    "refresh_token_encrypted": None,
    "access_token_encrypted": None,
    "access_expires_at": None,
    "obtained_at": None,
    "connected_at": None,
    "connected_by": None,
    "account": "",
    "scope": "",
    "hosts": "",
}
_NO_PROBLEM: Mapping[str, Any] = {
    "problem": "",
    "problem_words": "",
    "problem_since": None,
    "failures": 0,
    "next_try_at": None,
    "lease_owner": "",
    "lease_until": None,
}


def oauth_form(
    values: Mapping[str, Any],
    *,
    secret: str | Secret | None = None,
    clear_secret: bool = False,
    needed: bool = False,
    username: str = "",
    place: int = 0,
) -> OAuthForm:
    """The form filled with the saved registration and, above it, these values."""
    settings = oauth(place)
    data = {key: "" if value is None else str(value) for key, value in oauth_values(settings).items()}
    data |= {key: str(value) for key, value in values.items()}
    if secret is not None:
        data["client_secret"] = secret.reveal() if isinstance(secret, Secret) else secret
    return OAuthForm(data, settings=settings, needed=needed, username=username, clears_secret=clear_secret)


def save_both(outgoing: OutgoingForm, login: OAuthForm | None, *, by: Person = None) -> OutgoingSettings:
    """Save the connection and its registration, or neither. Raises InvalidSettings."""
    if login is not None:
        settings_actions.refuse_invalid(login)
    with transaction.atomic():
        settings = settings_actions.save_outgoing_form(outgoing, by=by)
        if login is not None:
            save(login, by=by)
    return queries.outgoing(settings.place)


def save(form: OAuthForm, *, by: Person = None) -> OAuthSettings:
    """Save the registration. Another one forgets consent and tokens. Raises InvalidSettings."""
    settings_actions.refuse_invalid(form)
    values, typed = form.cleaned_data, form.cleaned_data["client_secret"]
    with transaction.atomic():
        if not values["provider"] and not OAuthLogin.objects.filter(place=form.settings.place).exists():
            return form.settings
        row, _made = OAuthLogin.objects.get_or_create(place=form.settings.place)
        before = (row.provider, row.tenant, row.client_id, row.flow)
        changes: dict[str, Any] = {
            "provider": values["provider"],
            "tenant": values["tenant"],
            "client_id": values["client_id"],
            "flow": values["flow"],
            "client_secret_expires": values["client_secret_expires"],
        }
        if form.clears_secret or (before[0], before[2]) != (values["provider"], values["client_id"]):
            changes |= {"client_secret_encrypted": None, "client_secret_set_at": None}
        if before != form.identity:
            changes |= {**_FORGOTTEN, **_NO_PROBLEM, "generation": F("generation") + 1}
        if typed:
            now = timezone.now()
            changes |= {
                **_NO_PROBLEM,
                "client_secret_encrypted": secrets.encrypt(typed),
                "client_secret_set_at": now,
                "generation": F("generation") + 1,
            }
            if values["flow"] == Flow.APP:  # then it is the secret itself that lets us in: prove it anew
                changes |= {**_FORGOTTEN, "connected_at": now, "connected_by": _person(by)}
                changes["hosts"] = _hosts()
        elif values["flow"] == Flow.APP and not row.hosts:
            changes["hosts"] = _hosts()
        was = settings_of(row)
        OAuthLogin.objects.filter(pk=row.pk).update(**changes)
        settings_actions.login_changed()
        row.refresh_from_db()
        _record(was, settings_of(row), typed=bool(typed), by=by)
    return settings_of(row)


def _record(before: OAuthSettings, after: OAuthSettings, *, typed: bool, by: Person) -> None:
    """In the history: what the registration was and is; of the secret only whether there is one."""
    plain = [
        {name: None if value is None else str(value) for name, value in oauth_values(one).items()}
        for one in (before, after)
    ]
    changes = [
        *differences(*plain),
        *secret_change("client_secret", had=before.has_secret, has=after.has_secret, typed=typed),
    ]
    if changes:
        record(Area.OAUTH, Act.CHANGED, by=by, place=after.place, changes=changes)


def connect(place: int, answer: Tokens, *, by: Person, now: datetime) -> OAuthSettings:
    """A person has consented: from now on mails go out by these tokens. They may travel to the mail servers
    that are configured at this moment, and to the provider's own."""
    with transaction.atomic():
        changes = {
            **_NO_PROBLEM,
            **tokens.stored(answer, now),
            "connected_at": now,
            "connected_by": _person(by),
            "account": answer.account,
            "scope": answer.scope,
            "hosts": _hosts(),
        }
        OAuthLogin.objects.filter(place=place).update(**changes)
        record(Area.OAUTH, Act.ADDED, by=by, place=place, subject=answer.account, now=now)
        settings_actions.login_changed()
    return oauth(place)


def disconnect(place: int = 0, *, by: Person = None) -> None:
    """Forget consent, tokens and client secret; the registration itself stays."""
    with transaction.atomic():
        OAuthLogin.objects.filter(place=place).update(
            **_FORGOTTEN,
            **_NO_PROBLEM,
            client_secret_encrypted=None,
            client_secret_set_at=None,
            client_secret_expires=None,
            generation=F("generation") + 1,
        )
        record(Area.OAUTH, Act.REMOVED, by=by, place=place)
        settings_actions.login_changed()


def probe_now(now: datetime) -> None:
    """Tokens can be had again: a connection that rests for want of one need not wait for its next probe."""
    ConnectionHealth.objects.filter(paused=True, cause__startswith="oauth-", next_probe_at__gt=now).update(
        next_probe_at=now
    )


def needed() -> bool:
    """Whether any login is by OAuth 2.0."""
    return _outgoing().exists() or _mailboxes().exists()


def purposes() -> list[str]:
    """What tokens are asked for: submission, and what the mailboxes are read by that log in by them too."""
    read_by = sorted({str(one) for one in _mailboxes().values_list("protocol", flat=True)})
    same = OutgoingConnection.objects.filter(auth=Auth.SAME_AS_MAILBOX).exists()
    return [SMTP, *read_by] if _outgoing().exists() or same or not read_by else read_by


def _outgoing() -> QuerySet[OutgoingConnection]:
    return OutgoingConnection.objects.filter(auth=Auth.OAUTH2)


def _mailboxes() -> QuerySet[IncomingMailbox]:
    return IncomingMailbox.objects.filter(auth=MailboxAuth.OAUTH2, protocol__in=[IMAP, POP3])


def _hosts() -> str:
    """The mail servers that are to get tokens as things stand, and the connection's own."""
    kinds = (OutgoingConnection.objects.filter(place=0), _outgoing(), _mailboxes())
    found = [host for kind in kinds for host in kind.values_list("host", flat=True) if host]
    return "\n".join(dict.fromkeys(found))


def _person(by: Person) -> Any:
    return by if by is not None and by.is_authenticated else None
