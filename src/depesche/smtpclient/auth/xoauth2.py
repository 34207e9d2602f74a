"""OAuth 2.0 access tokens: XOAUTH2 (Google's and Microsoft's) and OAUTHBEARER (RFC 7628).

A refused token is told in a challenge (JSON) that wants an answer; only then comes the refusal itself.
"""

from __future__ import annotations

from typing import ClassVar

from depesche.smtpclient.auth.mechanism import AuthenticationFailed
from depesche.smtpclient.config import OAuthToken


class XOAuth2:
    name: ClassVar[str] = "XOAUTH2"
    hides_password: ClassVar[bool] = False

    def __init__(self, credentials: OAuthToken) -> None:
        self._credentials = credentials
        self._steps = 0

    def initial(self) -> bytes:
        self._steps = 1
        return f"user={self._credentials.username}\x01auth=Bearer {self._credentials.token}\x01\x01".encode()

    def step(self, challenge: bytes) -> bytes:
        self._steps += 1
        if self._steps == 1:
            return self.initial()
        if self._steps > 2:
            raise AuthenticationFailed("the server asked again after it had refused the token")
        return b""

    def finish(self) -> None:
        """A token proves nothing about the server."""


class OAuthBearer:
    name: ClassVar[str] = "OAUTHBEARER"
    hides_password: ClassVar[bool] = False

    def __init__(self, credentials: OAuthToken) -> None:
        self._credentials = credentials
        self._steps = 0

    def initial(self) -> bytes:
        self._steps = 1
        name = self._credentials.username.replace("=", "=3D").replace(",", "=2C")
        return f"n,a={name},\x01auth=Bearer {self._credentials.token}\x01\x01".encode()

    def step(self, challenge: bytes) -> bytes:
        self._steps += 1
        if self._steps == 1:
            return self.initial()
        if self._steps > 2:
            raise AuthenticationFailed("the server asked again after it had refused the token")
        return b"\x01"

    def finish(self) -> None:
        """A token proves nothing about the server."""
