"""The outgoing connection as other programs see it, never with a secret: `connection show` and the REST
interface say the same.
"""

from __future__ import annotations

from depesche.mailroom.connections import queries
from depesche.mailroom.connections.command_line import on_off
from depesche.mailroom.connections.failover import PLACE, failover_values
from depesche.mailroom.connections.forms import CAP
from depesche.mailroom.connections.oauth.forms import oauth_values
from depesche.mailroom.connections.oauth.queries import OAuthSettings
from depesche.mailroom.connections.queries import OutgoingSettings


def oauth_shown(login: OAuthSettings) -> dict[str, object]:
    """The login by OAuth 2.0, where one is set up. Never a secret or a token."""
    if not login.provider:
        return {}
    return {
        **oauth_values(login),
        "has_client_secret": login.has_secret,
        "connected": login.connected,
        "account": login.account,
        "token_until": login.access_expires_at,
        "problem": login.problem,
    }


def shown(settings: OutgoingSettings) -> dict[str, object]:
    """The settings by their keys. Never the password."""
    return {
        "host": settings.host,
        "port": settings.port,
        "encryption": settings.encryption,
        "auth": settings.auth,
        "username": settings.username,
        "has_password": settings.has_password,
        "system_address": settings.system_address,
        "system_name": settings.system_name,
        "sender": settings.sender,
        "charset": settings.charset,
        CAP: settings.max_connections,
        **settings.volume.values(),
        "items_by_mail": on_off(settings.items_by_mail),
        "allow_clear_password": on_off(settings.allow_clear_password),
        "configured": settings.configured,
        "in_use": queries.place_in_use() == settings.place,
    }


def failover_shown(settings: OutgoingSettings) -> dict[str, object]:
    """What the failover has of its own, and whether it can be used."""
    own = failover_values(settings)
    return {key: value for key, value in shown(settings).items() if key in own or key == "has_password"} | {
        "configured": queries.outgoing(PLACE).configured,
        "in_use": queries.place_in_use() == PLACE,
    }
