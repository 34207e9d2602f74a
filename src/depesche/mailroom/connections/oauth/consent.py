"""The way of a person through the provider's pages, and back (RFC 6749 §4.1, RFC 7636).

State and verifier belong to the browser session that began: the session keeps a hash of the state, and the
verifier encrypted. Both are used once, within a quarter of an hour, and for the registration they were made
for.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets as chance
from collections.abc import MutableMapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings as django_settings
from django.urls import reverse

from depesche.mailroom.connections import queries, secrets
from depesche.mailroom.connections.actions import Person
from depesche.mailroom.connections.oauth import actions, protocol, tokens
from depesche.mailroom.connections.oauth.models import OAuthLogin
from depesche.mailroom.connections.oauth.problems import Problem, problem_of
from depesche.mailroom.connections.oauth.protocol import Client, Refused
from depesche.mailroom.connections.oauth.queries import OAuthSettings
from depesche.mailroom.connections.secrets import Secret
from depesche.smtpclient.config import TokenUnavailable

_KEY = "depesche_oauth"
_PATIENCE = timedelta(minutes=15)

Session = MutableMapping[str, Any]


@dataclass(frozen=True)
class Begun:
    """Where the browser goes now."""

    url: str
    provider: str


def redirect_uri() -> str:
    """The address to which the provider sends the browser back; it is registered there, letter by letter. ""
    without DEPESCHE_BASE_URL."""
    base = str(getattr(django_settings, "DEPESCHE_BASE_URL", "") or "").rstrip("/")
    return base + reverse("connections:oauth-return") if base else ""


def begin(session: Session, place: int, *, now: datetime) -> Begun | Refused:
    """Make state and verifier for this session. An earlier attempt of the session is forgotten."""
    row = OAuthLogin.objects.filter(place=place).first()
    if row is None or not redirect_uri():
        return Refused(Problem.NOT_SET_UP)
    try:
        client = tokens.client_of(row)
    except TokenUnavailable:
        return Refused(Problem.NOT_SET_UP)
    state, verifier = chance.token_urlsafe(32), chance.token_urlsafe(48)
    session[_KEY] = {
        "state": _hash(state),
        "verifier": secrets.encrypt(Secret(verifier)).decode("ascii"),
        "place": place,
        "client": _of(client),
        "at": now.timestamp(),
    }
    url = protocol.consent_url(
        client,
        redirect_uri=redirect_uri(),
        state=state,
        verifier=verifier,
        purposes=actions.purposes(),
        account=queries.outgoing(place).username,
    )
    return Begun(url, client.provider.name)


def finish(
    session: Session, answer: MutableMapping[str, str], *, by: Person, now: datetime
) -> OAuthSettings | Refused:
    """The browser is back with `state` and either `code` or `error`: redeem it, and connect."""
    begun = session.pop(_KEY, None)
    if not isinstance(begun, dict) or not _is_ours(begun, answer.get("state", ""), now):
        return Refused(Problem.STATE_LOST)
    row = OAuthLogin.objects.filter(place=begun["place"]).first()
    if row is None:
        return Refused(Problem.STATE_LOST)
    client = tokens.client_of(row)
    if begun["client"] != _of(client):
        return Refused(Problem.STATE_LOST)
    if error := answer.get("error", ""):
        description = answer.get("error_description", "") or answer.get("error_subtype", "")
        return Refused(problem_of(error, description), protocol.words(error, description))
    code = Secret(answer.get("code", ""))
    if not code:
        return Refused(Problem.UNUSABLE_ANSWER)
    verifier = secrets.decrypt(begun["verifier"].encode("ascii")).reveal()
    form = protocol.redeeming(client, code=code, verifier=verifier, redirect_uri=redirect_uri())
    found = tokens.ask(client, form, with_code=True)
    if isinstance(found, Refused):
        return found
    if not found.refresh:
        return Refused(Problem.NO_REFRESH_TOKEN)
    return actions.connect(row.place, found, by=by, now=now)


def _is_ours(begun: dict[str, Any], state: str, now: datetime) -> bool:
    age = now.timestamp() - float(begun["at"])
    return hmac.compare_digest(begun["state"], _hash(state)) and 0 <= age <= _PATIENCE.total_seconds()


def _of(client: Client) -> str:
    return _hash("\0".join((client.provider.key, client.tenant, client.client_id, client.base)))


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
