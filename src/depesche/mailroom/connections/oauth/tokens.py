"""The access token of this moment: renewed in time, once for all processes and machines.

Strategy. The token stands encrypted in its row. Who finds that it ends soon takes the lease in the row, by
one conditional UPDATE that also names the generation it has seen; whoever loses waits for a new generation,
or goes on with the old token while that still lives. The question to the provider is asked outside any
transaction; its answer is written by another conditional UPDATE, so that a consent given or withdrawn
meanwhile wins. A new refresh token replaces the old one in the same statement: providers rotate them.

A failure stands in the row too, with the time of the next try: nobody asks before, and everybody says the
same.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings as django_settings
from django.db import DatabaseError, connection
from django.db.models import F, Q
from django.utils import timezone

from depesche.mailroom.connections import http, identity, keystore, secrets
from depesche.mailroom.connections.hosts import same_host
from depesche.mailroom.connections.oauth import protocol
from depesche.mailroom.connections.oauth.models import Flow, OAuthLogin
from depesche.mailroom.connections.oauth.problems import TRANSIENT, Problem
from depesche.mailroom.connections.oauth.protocol import Client, Refused, Tokens
from depesche.mailroom.connections.oauth.providers import PROVIDERS
from depesche.mailroom.connections.secrets import Secret, SecretsError
from depesche.smtpclient.config import OAuthToken, TokenSource, TokenUnavailable

log = logging.getLogger(__name__)

MARGIN = timedelta(minutes=5)  # what ends sooner is renewed first
AHEAD = timedelta(minutes=10)  # the worker renews so early, so that no login waits
LAST_MOMENT = timedelta(seconds=20)  # a token may still be used while another process renews it
LEASE = timedelta(seconds=40)  # longer than the question may take
WAIT = 30.0  # seconds for another process's renewal
YOUNG = timedelta(minutes=1)  # a token that is refused so soon would not be better for being renewed
_LOOK = 0.05
_STORE_TRIES = 20
_SOON = (10, 20, 40, 60)  # seconds after a failure that may pass by itself
_LATER = (60, 300, 900, 1800, 3600)  # after one that somebody has to mend


def source(place: int, *, purpose: str, host: str, username: str, consent: str = "") -> TokenSource:
    """Tokens for the login to this mail server. `purpose` is smtp, imap or pop3; an empty user name means the
    account that consented. `consent` tells one consent from the next: sessions under an old one end.
    """

    def obtain() -> OAuthToken:
        kept = connection.connection is not None
        try:
            row = _valid(place, host=host, purpose=purpose)
            who = username or row.account
            if not who:
                raise TokenUnavailable(Problem.NOT_SET_UP)
            return OAuthToken(who, _access(row).reveal())
        finally:
            if not kept:
                connection.close()  # this thread was made for us alone

    def refused(token: OAuthToken) -> None:
        kept = connection.connection is not None
        try:
            note_refused(place, Secret(token.token))
        finally:
            if not kept:
                connection.close()

    return TokenSource(username, f"oauth-{place}-{purpose}-{host}-{consent}", obtain, refused)


def renew_soon(place: int) -> bool:
    """Renew the token of this place if it ends soon, as the worker does ahead of time; whether that was done.

    Raises TokenUnavailable.
    """
    row = OAuthLogin.objects.filter(place=place).first()
    if row is None or not is_connected(row) or _lives(row, timezone.now() + AHEAD):
        return False
    before = row.generation
    return _renewed(place, AHEAD).generation != before


def try_again_now(place: int) -> None:
    """Forget when the next try would be: a person is waiting for one."""
    OAuthLogin.objects.filter(place=place).exclude(problem="").update(next_try_at=None)


def note_refused(place: int, token: Secret) -> None:
    """A mail server did not take this token: renew it before it is used again, unless it is quite new."""
    row = OAuthLogin.objects.filter(place=place).first()
    now = timezone.now()
    if row is None or row.access_token_encrypted is None or _access(row) != token:
        return
    if row.obtained_at is None or row.obtained_at < now - YOUNG:
        OAuthLogin.objects.filter(pk=row.pk, generation=row.generation).update(access_expires_at=now)


def client_of(row: OAuthLogin) -> Client:
    """Our registration, secret included. Raises TokenUnavailable (not set up)."""
    provider = PROVIDERS.get(row.provider)
    if provider is None or not row.client_id:
        raise TokenUnavailable(Problem.NOT_SET_UP)
    secret = secrets.decrypt(row.client_secret_encrypted) if row.client_secret_encrypted is not None else None
    return Client(provider, row.tenant, row.client_id, secret, base_of(provider.key))


def base_of(provider: str) -> str:
    """The address in place of the provider's own: national clouds have theirs (DEPESCHE_OAUTH_ADDRESSES)."""
    bases: Mapping[str, str] = getattr(django_settings, "DEPESCHE_OAUTH_ADDRESSES", {})
    return bases.get(provider, "").rstrip("/")


def is_connected(row: OAuthLogin) -> bool:
    """Whether there is anything that a token can be made of."""
    if row.flow == Flow.APP:
        return bool(row.provider and row.client_id and row.client_secret_encrypted is not None)
    return row.refresh_token_encrypted is not None


def ask(client: Client, form: Mapping[str, str], *, with_code: bool = False) -> Tokens | Refused:
    """One question to the provider's token endpoint. Blocks for at most 15 seconds."""
    url = client.token_url
    hidden = [
        form[name] for name in ("client_secret", "refresh_token", "code", "code_verifier") if name in form
    ]
    try:
        host, port = _host_of(url)
        answer = http.post_form(url, form, trust=keystore.trust_for(host, port))
    except http.HttpFailed as error:
        words = f"{error.cause.value} {error.detail}".strip()
        return Refused(Problem.UNREACHABLE, f"{url.split('/')[2]}: {words}")
    return protocol.answer(answer.status, answer.body, with_code=with_code, hide=hidden)


def _host_of(url: str) -> tuple[str, int]:
    from urllib.parse import urlsplit

    parts = urlsplit(url)
    return parts.hostname or "", parts.port or 443


# --- renewing -----------------------------------------------------------------------------------------------


def _valid(place: int, *, host: str, purpose: str) -> OAuthLogin:
    row = OAuthLogin.objects.filter(place=place).first()
    if row is None:
        raise TokenUnavailable(Problem.NOT_SET_UP)
    _check_use(row, host, purpose)
    return _renewed(place, MARGIN)


def _check_use(row: OAuthLogin, host: str, purpose: str) -> None:
    """A token goes to the mail servers it is meant for, and asks for nothing that was not granted."""
    provider = PROVIDERS.get(row.provider)
    if provider is None:
        raise TokenUnavailable(Problem.NOT_SET_UP)
    if not is_connected(row):
        raise TokenUnavailable(Problem.NOT_CONNECTED)
    if not provider.owns(host) and not any(same_host(host, one) for one in row.hosts.split("\n")):
        raise TokenUnavailable(Problem.OTHER_HOST, host)
    wanted = provider.scopes[purpose].lower()
    granted = row.scope.lower().split()
    if (
        row.flow == Flow.CODE
        and granted
        and not any(one == wanted or wanted.endswith("/" + one) for one in granted)
    ):
        raise TokenUnavailable(Problem.SCOPE_MISSING, provider.scopes[purpose])


def _renewed(place: int, margin: timedelta) -> OAuthLogin:
    """The row with a token that lives for longer than `margin`, or at least for the moment where that
    cannot be had. Raises TokenUnavailable."""
    owner = identity.new_owner()
    until = time.monotonic() + WAIT
    while True:
        row = OAuthLogin.objects.filter(place=place).first()
        now = timezone.now()
        if row is None or not is_connected(row):
            raise TokenUnavailable(Problem.NOT_CONNECTED)
        if _lives(row, now + margin):
            return row
        waits = bool(row.problem) and row.next_try_at is not None and row.next_try_at > now
        if not waits and _take_lease(row, owner, now):
            _renew(row, owner)
            until = min(until, time.monotonic() + 1)  # what it brought is looked at, and no more tries follow
            continue
        if _lives(row, now + LAST_MOMENT):
            return row
        if waits or time.monotonic() > until:
            raise _unavailable(row)
        time.sleep(_LOOK)


def _lives(row: OAuthLogin, until: datetime) -> bool:
    ends = row.access_expires_at
    return row.access_token_encrypted is not None and ends is not None and ends > until


def _access(row: OAuthLogin) -> Secret:
    assert row.access_token_encrypted is not None
    try:
        return secrets.decrypt(row.access_token_encrypted)
    except SecretsError as error:
        raise TokenUnavailable(Problem.NOT_CONNECTED, str(error)) from error


def _unavailable(row: OAuthLogin) -> TokenUnavailable:
    problem = Problem(row.problem) if row.problem else Problem.UNREACHABLE
    return TokenUnavailable(problem, row.problem_words, transient=problem in TRANSIENT)


def _take_lease(row: OAuthLogin, owner: str, now: datetime) -> bool:
    free = Q(lease_until=None) | Q(lease_until__lt=now)
    if identity.dead_among([row.lease_owner]):  # killed on this machine: nobody waits for its lease
        free |= Q(lease_owner=row.lease_owner)
    mine = OAuthLogin.objects.filter(
        free,
        pk=row.pk,
        generation=row.generation,
        failures=row.failures,
        access_expires_at=row.access_expires_at,
    )
    return bool(mine.update(lease_owner=owner, lease_until=now + LEASE))


def _renew(row: OAuthLogin, owner: str) -> None:
    """Under the lease: ask, and write down what came of it."""
    changes: dict[str, Any]
    try:
        client = client_of(row)
        if row.flow == Flow.APP:
            form = protocol.as_app(client)
        else:
            assert row.refresh_token_encrypted is not None
            form = protocol.refreshing(client, secrets.decrypt(row.refresh_token_encrypted))
        answer = ask(client, form)
    except BaseException:
        OAuthLogin.objects.filter(pk=row.pk, lease_owner=owner).update(lease_owner="", lease_until=None)
        raise
    now = timezone.now()
    if isinstance(answer, Tokens):
        changes = stored(answer, now)
        log.info("The access token was renewed; it lives for %d seconds.", answer.lives)
    else:
        changes = _failure(row, answer, now)
        log.warning("The access token could not be renewed: %s (%s)", answer.problem.value, answer.words)
    changes |= {"lease_owner": "", "lease_until": None}
    _write(OAuthLogin.objects.filter(pk=row.pk, lease_owner=owner, generation=row.generation), changes)


def stored(answer: Tokens, now: datetime) -> dict[str, Any]:
    """The columns for new tokens. The old refresh token stays where no new one came."""
    changes: dict[str, Any] = {
        "access_token_encrypted": secrets.encrypt(answer.access),
        "access_expires_at": now + timedelta(seconds=answer.lives),
        "obtained_at": now,
        "generation": F("generation") + 1,
        "problem": "",
        "problem_words": "",
        "problem_since": None,
        "failures": 0,
        "next_try_at": None,
    }
    if answer.refresh:
        changes["refresh_token_encrypted"] = secrets.encrypt(answer.refresh)
    if answer.scope:
        changes["scope"] = answer.scope
    if answer.account:
        changes["account"] = answer.account
    return changes


def _failure(row: OAuthLogin, answer: Refused, now: datetime) -> dict[str, Any]:
    steps = _SOON if answer.transient else _LATER
    wait = steps[min(row.failures, len(steps) - 1)]
    return {
        "problem": answer.problem.value,
        "problem_words": answer.words,
        "problem_since": row.problem_since or now,
        "failures": F("failures") + 1,
        "next_try_at": now + timedelta(seconds=wait),
    }


def _write(rows: Any, changes: dict[str, Any]) -> None:
    """A rotated refresh token exists nowhere else: a database that is away for a moment must not lose it."""
    for attempt in range(_STORE_TRIES):
        try:
            rows.update(**changes)
            return
        except DatabaseError:
            if attempt + 1 == _STORE_TRIES or connection.in_atomic_block:
                raise
            connection.close()
            time.sleep(0.5)
