"""An alarm to another program by HTTP: one POST of JSON, signed, bounded, never redirected.

`X-Depesche-Signature: t=<seconds>,v1=<hex>` is HMAC-SHA256 over `<seconds>.<body>` with the shared secret.
`X-Depesche-Id` names the telling: a receiver that gets it twice (the answer was lost) may drop the second.
The address is a secret with many receivers and stands in no error; its host does.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from django.utils.translation import gettext as _

from depesche.mailroom.connections import http, keystore
from depesche.mailroom.connections.diagnosis.causes import explain
from depesche.mailroom.connections.http import HttpFailed
from depesche.mailroom.connections.secrets import Secret

SECONDS = 20.0  # for the whole exchange
_MOST_ANSWER = 64 * 1024  # octets that are read of an answer; nothing is done with them
LONGEST = 2000


class BadAddress(ValueError):
    """The text is no address that a webhook can have; one sentence in the language in force."""


@dataclass(frozen=True)
class Target:
    """Where a webhook leads. `path` is a secret, as the whole address is."""

    secure: bool
    host: str
    port: int
    path: Secret

    @property
    def shown(self) -> str:
        """What may be shown: scheme, host and port."""
        usual = 443 if self.secure else 80
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"http{'s' * self.secure}://{host}" + (f":{self.port}" if self.port != usual else "")


def target(address: str) -> Target:
    """Read an address. Raises BadAddress; it never repeats the address."""
    address = address.strip()
    if len(address) > LONGEST or not address.isascii() or not address.isprintable() or " " in address:
        raise BadAddress(_("The address of a webhook is printable ASCII without spaces."))
    try:
        parts = urlsplit(address)
        port = parts.port
    except ValueError:
        raise BadAddress(_("This is no address of the form https://host/path.")) from None
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise BadAddress(_("This is no address of the form https://host/path."))
    if parts.username is not None or parts.password is not None:
        raise BadAddress(_("A user name or password in the address is not used; leave it out."))
    secure = parts.scheme == "https"
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return Target(secure, parts.hostname, port or (443 if secure else 80), Secret(path))


@dataclass(frozen=True)
class Answer:
    """How a POST ended. `error` is one sentence in the language in force, "" when it was taken (2xx)."""

    status: int | None
    error: str = ""

    @property
    def taken(self) -> bool:
        return not self.error


def signature(secret: Secret, body: bytes, seconds: int) -> str:
    """The value of X-Depesche-Signature."""
    mac = hmac.digest(secret.reveal().encode(), f"{seconds}.".encode() + body, hashlib.sha256)
    return f"t={seconds},v1={mac.hex()}"


def post(
    where: Target, payload: Mapping[str, object], *, identity: str, secret: Secret | None, seconds: int
) -> Answer:
    """Hand a payload over. Never raises for anything the other side does; ends within 20 seconds and the time
    of a name look-up.

    `seconds`: the time of the signature, since 1970.
    """
    body = json.dumps(payload, ensure_ascii=False, sort_keys=True).encode()
    headers = {"Content-Type": "application/json; charset=utf-8", "X-Depesche-Id": identity}
    if secret:
        headers["X-Depesche-Signature"] = signature(secret, body, seconds)
    trust = keystore.trust_for(where.host, where.port)
    url = f"{where.shown}{where.path.reveal()}"
    try:
        answer = http.post(
            url, body, headers, trust=trust, seconds=SECONDS, most=_MOST_ANSWER, in_the_clear=True
        )
    except HttpFailed as failed:
        cause = explain(failed.cause.value, {"host": where.host, "port": where.port, "detail": failed.detail})
        return Answer(None, _("%(host)s: %(why)s.") % {"host": where.host, "why": cause.title})
    return _judged(where, answer.status)


def _judged(where: Target, status: int) -> Answer:
    if 200 <= status < 300:
        return Answer(status)
    if 300 <= status < 400:
        return Answer(
            status,
            _(
                "%(host)s answered with a redirect (%(status)d), which is not followed. Enter the final "
                "address."
            )
            % {"host": where.host, "status": status},
        )
    return Answer(status, _("%(host)s answered %(status)d.") % {"host": where.host, "status": status})
