"""What is asked of an authorisation server, and what its answer says (RFC 6749, RFC 7636). Pure: no clock, no
chance, no network.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from depesche.mailroom.connections.oauth.problems import TRANSIENT, Problem, problem_of
from depesche.mailroom.connections.oauth.providers import Provider
from depesche.mailroom.connections.secrets import Secret

_USUAL_LIFE = 3600
_LONGEST_LIFE = 7 * 24 * 3600
_LONGEST_TOKEN = 16_000
_LONGEST_WORDS = 400
_TOKEN = re.compile(r"[\x21-\x7e]+")
_FOOTER = re.compile(r"(?:Trace ID|Correlation ID|Timestamp):.*", re.DOTALL)


@dataclass(frozen=True)
class Client:
    """Our registration with the provider."""

    provider: Provider
    tenant: str
    client_id: str
    secret: Secret | None = None
    base: str = ""  # in place of the provider's own address

    @property
    def token_url(self) -> str:
        return self.provider.token_url(self.tenant, self.base)

    def fields(self) -> dict[str, str]:
        """How we say who we are (RFC 6749 §2.3.1)."""
        found = {"client_id": self.client_id}
        if self.secret:
            found["client_secret"] = self.secret.reveal()
        return found


@dataclass(frozen=True)
class Tokens:
    """What was handed out. `lives` in seconds; `refresh` None where the old one goes on; `account`: whose."""

    access: Secret
    lives: int
    refresh: Secret | None = None
    scope: str = ""
    account: str = ""


@dataclass(frozen=True)
class Refused:
    """What the server said in their place. `words` are its own, without secrets."""

    problem: Problem
    words: str = field(default="")

    @property
    def transient(self) -> bool:
        return self.problem in TRANSIENT


# --- Asking -------------------------------------------------------------------------------------------------


def challenge(verifier: str) -> str:
    """The code challenge for a verifier, method S256 (RFC 7636 §4.2)."""
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).decode().rstrip("=")


def scopes(provider: Provider, purposes: Iterable[str]) -> str:
    """What is asked for, each once, for these purposes (smtp, imap, pop3)."""
    wanted = [provider.scopes[purpose] for purpose in purposes]
    return " ".join(dict.fromkeys((*wanted, *provider.always)))


def consent_url(
    client: Client,
    *,
    redirect_uri: str,
    state: str,
    verifier: str,
    purposes: Iterable[str],
    account: str = "",
) -> str:
    """Where the browser goes, so that a person consents."""
    provider = client.provider
    query = {
        "client_id": client.client_id,
        "response_type": "code",
        "redirect_uri": redirect_uri,
        "scope": scopes(provider, purposes),
        "state": state,
        "code_challenge": challenge(verifier),
        "code_challenge_method": "S256",
        **provider.extra,
    }
    if account:
        query["login_hint"] = account
    return provider.authorize_url(client.tenant, client.base) + "?" + urlencode(query)


def redeeming(client: Client, *, code: Secret, verifier: str, redirect_uri: str) -> dict[str, str]:
    """The form that redeems an authorisation code."""
    return {
        **client.fields(),
        "grant_type": "authorization_code",
        "code": code.reveal(),
        "redirect_uri": redirect_uri,
        "code_verifier": verifier,
    }


def refreshing(client: Client, refresh: Secret) -> dict[str, str]:
    """The form that makes a new access token of a refresh token. Scope is left out: what was granted
    stays."""
    return {**client.fields(), "grant_type": "refresh_token", "refresh_token": refresh.reveal()}


def as_app(client: Client) -> dict[str, str]:
    """The form for client credentials: the app logs in as itself."""
    return {**client.fields(), "grant_type": "client_credentials", "scope": client.provider.app_scope}


# --- Understanding ------------------------------------------------------------------------------------------


def answer(
    status: int, body: bytes, *, with_code: bool = False, hide: Iterable[str] = ()
) -> Tokens | Refused:
    """What the token endpoint said. `hide` are secrets that it might repeat."""
    values = _object(body)
    if status == 200 and values is not None and "access_token" in values:
        return _tokens(values)
    if values is not None and isinstance(values.get("error"), str):
        description = str(values.get("error_description") or "")
        numbers = values.get("error_codes")
        problem = problem_of(
            str(values["error"]),
            description,
            numbers=[one for one in numbers if isinstance(one, int)] if isinstance(numbers, list) else (),
            status=status,
            with_code=with_code,
        )
        return Refused(problem, words(str(values["error"]), description, hide))
    if status == 429 or status >= 500:
        return Refused(Problem.PROVIDER_TROUBLE, f"HTTP {status}")
    return Refused(Problem.UNUSABLE_ANSWER, f"HTTP {status}")


def words(error: str, description: str = "", hide: Iterable[str] = ()) -> str:
    """An authorisation server's words as they may be shown: one line, bounded, without secrets."""
    text = f"{error}: {_FOOTER.sub('', description)}" if description else error
    for secret in hide:
        if len(secret) >= 4:
            text = text.replace(secret, "…")
    text = "".join(character if character.isprintable() else " " for character in text)
    return " ".join(text.split())[:_LONGEST_WORDS]


def _tokens(values: Mapping[str, Any]) -> Tokens | Refused:
    access = values["access_token"]
    if not _is_token(access) or str(values.get("token_type", "Bearer")).lower() != "bearer":
        return Refused(Problem.UNUSABLE_ANSWER, "access_token")
    refresh = values.get("refresh_token")
    if refresh is not None and not _is_token(refresh):
        return Refused(Problem.UNUSABLE_ANSWER, "refresh_token")
    return Tokens(
        access=Secret(access),
        lives=_life(values.get("expires_in")),
        refresh=Secret(refresh) if refresh else None,
        scope=str(values.get("scope") or "")[:2000],
        account=_account(values.get("id_token")),
    )


def _is_token(value: object) -> bool:
    return isinstance(value, str) and len(value) <= _LONGEST_TOKEN and bool(_TOKEN.fullmatch(value))


def _life(value: object) -> int:
    """Seconds; Microsoft's older endpoints write them as text."""
    try:
        seconds = int(str(value))
    except ValueError:
        return _USUAL_LIFE
    return min(max(seconds, 1), _LONGEST_LIFE)


def _account(token: object) -> str:
    """Whose mailbox it is, by the ID token. It came from the provider itself over TLS, which vouches for it
    (OpenID Connect Core §3.1.3.7, 6); it is shown, and decides nothing.
    """
    if not isinstance(token, str) or token.count(".") != 2 or len(token) > _LONGEST_TOKEN:
        return ""
    part = token.split(".")[1]
    try:
        claims = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    except (binascii.Error, ValueError):
        return ""
    if not isinstance(claims, dict):
        return ""
    for name in ("email", "preferred_username", "upn"):
        value = claims.get(name)
        if isinstance(value, str) and "@" in value and value.isprintable() and len(value) <= 254:
            return value
    return ""


def _object(body: bytes) -> dict[str, Any] | None:
    try:
        values = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return values if isinstance(values, dict) else None
