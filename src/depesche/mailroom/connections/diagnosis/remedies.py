"""The setting that sets a cause right, where one does: what "apply and repeat" offers. Pure.

What a click applies stands in the form and is tested, not saved. A remedy never lets a password travel
readable to another machine, and never follows a certificate that did not verify to a foreign name.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from depesche.mailroom.connections.choices import Auth, EncryptionMode
from depesche.mailroom.connections.diagnosis.replies import Refusal
from depesche.mailroom.connections.queries import OutgoingSettings
from depesche.mailroom.connections.validation import is_this_machine
from depesche.smtpclient.errors import Cause as Failure

Change = dict[str, str]

OTHER_PORTS = (587, 465, 25)
"""Where submission may be found when the chosen port does not answer, the likeliest first."""

_WITH_PORT: dict[int, Change] = {
    587: {"encryption": "tls", "port": "587"},
    465: {"encryption": "ssl", "port": "465"},
    25: {"encryption": "tls-if-available", "port": "25"},
}


@dataclass(frozen=True)
class Situation:
    """What is known beside the cause. `names` stand in the server's certificate, `answers` is another port
    at which something listens; `mailbox_login` says whether the mailbox's login may go to this server."""

    settings: OutgoingSettings = field(default_factory=OutgoingSettings)
    has_mailbox: bool = False
    mailbox_login: bool = False
    starttls_offered: bool = False
    encrypted: bool = False
    names: tuple[str, ...] = ()
    answers: int | None = None


def change_for(code: str, situation: Situation) -> Mapping[str, str] | None:
    """The settings by their keys; None where no setting of ours helps."""
    decide = _CHANGES.get(code)
    change = decide(situation) if decide is not None else None
    if not change or any(not value or value.split() != [value] for value in change.values()):
        return None
    return change


def _another_port(situation: Situation) -> Change | None:
    return _WITH_PORT.get(situation.answers or 0)


def _ssl(situation: Situation) -> Change:
    return {"encryption": "ssl", "port": str(situation.settings.port)}


def _tls(situation: Situation) -> Change:
    return {"encryption": "tls", "port": str(situation.settings.port)}


def _starttls(situation: Situation) -> Change:
    port = situation.settings.port  # TLS at port 465 would begin with TLS again (RFC 8314)
    return {"encryption": "tls", "port": "587" if port == 465 else str(port)}


def _no_starttls(situation: Situation) -> Change | None:
    settings = situation.settings
    if is_this_machine(settings.host):
        return {"encryption": "none", "port": str(settings.port)}
    return None if settings.port == 465 else {"encryption": "ssl", "port": "465"}


def _clear_password(situation: Situation) -> Change | None:
    settings = situation.settings
    if situation.starttls_offered and settings.encryption == EncryptionMode.NONE:
        return _tls(situation)
    if is_this_machine(settings.host):
        return {"encryption": "none", "port": str(settings.port), "allow_clear_password": "on"}
    return None


def _log_in(situation: Situation) -> Change | None:
    if situation.settings.auth not in (Auth.NONE, Auth.MAILBOX_FIRST):
        return None
    return {"auth": "same-as-mailbox" if situation.mailbox_login else "password"}


def _full_address(situation: Situation) -> Change | None:
    """A user name that is only the first half of an address is the most frequent mistake."""
    settings = situation.settings
    domain = settings.system_address.rpartition("@")[2]
    if settings.auth != Auth.PASSWORD or not settings.username or "@" in settings.username or not domain:
        return None
    return {"username": f"{settings.username}@{domain}"}


def _oauth(situation: Situation) -> Change | None:
    return {"auth": "oauth2"} if situation.settings.auth != Auth.OAUTH2 else None


def _mailbox_first(situation: Situation) -> Change | None:
    return {"auth": "mailbox-first"} if situation.has_mailbox else None


def _own_sender(situation: Situation) -> Change | None:
    settings = situation.settings
    if settings.auth not in (Auth.PASSWORD, Auth.OAUTH2) or "@" not in settings.username.strip("@"):
        return None
    same = settings.username.lower() == settings.system_address.lower()
    return None if same else {"system_address": settings.username}


def _fewer(situation: Situation) -> Change | None:
    cap = situation.settings.max_connections
    return {"maxNoOfSMTPConnections": str(cap // 2)} if cap > 1 else None


def _named(situation: Situation) -> Change | None:
    """A name in the certificate, under the domain that was typed: a stranger's would lead to the stranger."""
    host = situation.settings.host.rstrip(".").lower()
    domain = host.split(".", 1)[-1]
    for name in (one.rstrip(".").lower() for one in situation.names):
        if name != host and "." in domain and name.endswith("." + domain) and "*" not in name:
            return {"host": name}
    return None


_CHANGES: dict[str, Callable[[Situation], Change | None]] = {
    Failure.REFUSED.value: _another_port,
    Failure.TIMEOUT.value: _another_port,
    Failure.TLS_ON_PLAIN_PORT.value: _ssl,
    Failure.PLAIN_ON_TLS_PORT.value: _starttls,
    Failure.STARTTLS_NOT_OFFERED.value: _no_starttls,
    Failure.STARTTLS_REFUSED.value: _no_starttls,
    Failure.CERT_OTHER_HOST.value: _named,
    Failure.AUTH_NOT_OFFERED.value: lambda situation: {"auth": "none"},
    Failure.AUTH_REFUSED.value: _full_address,
    Failure.CLEAR_PASSWORD_FORBIDDEN.value: _clear_password,
    Failure.POP_LOGIN_NEEDED.value: _mailbox_first,
    Failure.TOO_MANY_CONNECTIONS.value: _fewer,
    Refusal.BASIC_AUTH_DISABLED: _oauth,
    "login-needs-tls": _tls,
    Refusal.TLS_REQUIRED: _tls,
    Refusal.AUTH_REQUIRED: _log_in,
    Refusal.RELAY_DENIED: _log_in,
    Refusal.RATE_LIMIT: _fewer,
    Refusal.SENDER_NOT_OWNED: _own_sender,
    Refusal.SENDER_REFUSED: _own_sender,
    Refusal.SENDER_DOMAIN_UNKNOWN: _own_sender,
    Refusal.HEADER_FROM_REFUSED: _own_sender,
    Refusal.DMARC: _own_sender,
}

SHOWN: dict[str, str] = {
    Failure.REFUSED.value: "encryption, port",
    Failure.TIMEOUT.value: "encryption, port",
    Failure.TLS_ON_PLAIN_PORT.value: "encryption=ssl",
    Failure.PLAIN_ON_TLS_PORT.value: "encryption=tls",
    Failure.STARTTLS_NOT_OFFERED.value: "encryption, port",
    Failure.STARTTLS_REFUSED.value: "encryption, port",
    Failure.CERT_OTHER_HOST.value: "host",
    Failure.AUTH_NOT_OFFERED.value: "auth=none",
    Failure.AUTH_REFUSED.value: "username",
    Failure.CLEAR_PASSWORD_FORBIDDEN.value: "encryption",
    Failure.POP_LOGIN_NEEDED.value: "auth=mailbox-first",
    Failure.TOO_MANY_CONNECTIONS.value: "maxNoOfSMTPConnections",
    Refusal.BASIC_AUTH_DISABLED: "auth=oauth2",
    "login-needs-tls": "encryption=tls",
    Refusal.TLS_REQUIRED: "encryption=tls",
    Refusal.AUTH_REQUIRED: "auth",
    Refusal.RELAY_DENIED: "auth",
    Refusal.RATE_LIMIT: "maxNoOfSMTPConnections",
    Refusal.SENDER_NOT_OWNED: "system_address",
    Refusal.SENDER_REFUSED: "system_address",
    Refusal.SENDER_DOMAIN_UNKNOWN: "system_address",
    Refusal.HEADER_FROM_REFUSED: "system_address, sender",
    Refusal.DMARC: "system_address, sender",
}
"""The same in general terms, for the documentation."""

if set(SHOWN) != set(_CHANGES):
    raise AssertionError("a remedy is missing in the documentation")


# --- The mailbox --------------------------------------------------------------------------------------------


def mailbox_change(code: str, protocol: str, port: int, *, username: str, domain: str) -> Change | None:
    """The same for the settings of the mailbox, by the keys of `mailbox set`."""
    encrypted, clear = (993, 143) if protocol == "imap" else (995, 110)
    if code in (Failure.TLS_ON_PLAIN_PORT.value, "mailbox-silent"):
        return {"encryption": "ssl", "port": str(port)}
    if code == Failure.PLAIN_ON_TLS_PORT.value:
        return {"encryption": "tls", "port": str(clear if port == encrypted else port)}
    if code == Failure.STARTTLS_NOT_OFFERED.value and port != encrypted:
        return {"encryption": "ssl", "port": str(encrypted)}
    if code == Failure.AUTH_REFUSED.value and username and "@" not in username and domain:
        return {"username": f"{username}@{domain}"}
    return None
