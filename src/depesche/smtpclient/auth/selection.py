"""Which mechanisms to try, the best first; or why there is none."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from depesche.smtpclient.auth.cram_md5 import CramMd5
from depesche.smtpclient.auth.login import Login
from depesche.smtpclient.auth.mechanism import Mechanism
from depesche.smtpclient.auth.plain import Plain
from depesche.smtpclient.auth.scram import ScramSha1, ScramSha256
from depesche.smtpclient.auth.xoauth2 import OAuthBearer, XOAuth2
from depesche.smtpclient.config import OAuthToken, Password
from depesche.smtpclient.errors import Cause

Factory = Callable[[], Mechanism]


def choose(
    offered: Iterable[str], credentials: Password | OAuthToken, *, encrypted: bool, allow_clear: bool
) -> Sequence[Factory] | Cause:
    """The mechanisms that server and credentials have in common, the strongest first, or why there is none.

    Without encryption, mechanisms that show the password are left out unless they were expressly permitted
    (M9); those with a challenge keep it to themselves. A token is as good as a password to whoever reads it.
    """
    names = {name.upper() for name in offered}
    if not names:
        return Cause.AUTH_NOT_OFFERED
    common = [(kind, make) for kind, make in _made_for(credentials) if kind.name in names]
    if not common:
        return Cause.AUTH_NO_COMMON_MECHANISM
    fitting = [make for kind, make in common if encrypted or allow_clear or kind.hides_password]
    return fitting or Cause.CLEAR_PASSWORD_FORBIDDEN


def _made_for(credentials: Password | OAuthToken) -> list[tuple[type[Mechanism], Factory]]:
    if isinstance(credentials, OAuthToken):
        return [
            (XOAuth2, lambda: XOAuth2(credentials)),
            (OAuthBearer, lambda: OAuthBearer(credentials)),
        ]
    return [
        (ScramSha256, lambda: ScramSha256(credentials)),
        (ScramSha1, lambda: ScramSha1(credentials)),
        (CramMd5, lambda: CramMd5(credentials)),
        (Plain, lambda: Plain(credentials)),
        (Login, lambda: Login(credentials)),
    ]


def may_try_another(code: int, mechanism: Mechanism) -> bool:
    """Whether another mechanism is worth a second attempt after this refusal.

    504 and 534: this mechanism is not for this user. 535 after a challenge: there are servers that announce
    challenges but keep only hashes. A plain password that was refused stays refused: more attempts lock
    accounts.
    """
    return code in (500, 501, 502, 503, 504, 534) or (code == 535 and mechanism.hides_password)
