"""How the login by OAuth stands: frozen values without secrets."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from depesche.mailroom.connections.oauth.models import Flow, OAuthLogin
from depesche.mailroom.connections.oauth.providers import PROVIDERS, Provider


@dataclass(frozen=True)
class OAuthSettings:
    """The registration with a provider, and what became of it. `problem` is a code of problems.Problem."""

    place: int = 0
    provider: str = ""
    flow: str = Flow.CODE
    tenant: str = ""
    client_id: str = ""
    has_secret: bool = False
    secret_set_at: datetime | None = None
    secret_expires: date | None = None
    connected: bool = False
    connected_at: datetime | None = None
    account: str = ""
    scope: str = ""
    hosts: tuple[str, ...] = ()
    access_expires_at: datetime | None = None
    obtained_at: datetime | None = None
    problem: str = ""
    problem_words: str = ""
    problem_since: datetime | None = None
    next_try_at: datetime | None = None

    @property
    def configured(self) -> bool:
        """Whether a consent can be asked for."""
        return bool(self.provider and self.client_id)

    @property
    def provider_row(self) -> Provider | None:
        return PROVIDERS.get(self.provider)

    @property
    def provider_name(self) -> str:
        row = self.provider_row
        return row.name if row is not None else ""

    def secret_ends_within(self, days: int, today: date) -> bool:
        """Whether the client secret ends within so many days, or has ended."""
        return self.secret_expires is not None and self.secret_expires - today <= timedelta(days=days)


def oauth(place: int = 0) -> OAuthSettings:
    """The login of this place; its defaults while nobody has saved any."""
    row = OAuthLogin.objects.filter(place=place).first()
    return settings_of(row) if row is not None else OAuthSettings(place=place)


def settings_of(row: OAuthLogin) -> OAuthSettings:
    from depesche.mailroom.connections.oauth.tokens import is_connected

    return OAuthSettings(
        place=row.place,
        provider=row.provider,
        flow=row.flow,
        tenant=row.tenant,
        client_id=row.client_id,
        has_secret=row.client_secret_encrypted is not None,
        secret_set_at=row.client_secret_set_at,
        secret_expires=row.client_secret_expires,
        connected=is_connected(row),
        connected_at=row.connected_at,
        account=row.account,
        scope=row.scope,
        hosts=tuple(filter(None, row.hosts.split("\n"))),
        access_expires_at=row.access_expires_at,
        obtained_at=row.obtained_at,
        problem=row.problem,
        problem_words=row.problem_words,
        problem_since=row.problem_since,
        next_try_at=row.next_try_at,
    )
