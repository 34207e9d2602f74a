"""OAuth 2.0 access tokens: XOAUTH2 (Google's and Microsoft's) and OAUTHBEARER (RFC 7628).

A refused token is told in a challenge (JSON) that wants an answer; only then comes the refusal itself.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import ClassVar

from depesche.smtpclient.auth.mechanism import AuthenticationFailed
from depesche.smtpclient.config import OAuthToken


class _Bearer(ABC):
    """What both have in common: the token first, and one answer to the challenge that tells its refusal."""

    hides_password: ClassVar[bool] = False
    _acknowledgement: ClassVar[bytes]

    def __init__(self, credentials: OAuthToken) -> None:
        self._credentials = credentials
        self._steps = 0

    @abstractmethod
    def _response(self) -> bytes:
        """The token, as this mechanism wants it."""

    def initial(self) -> bytes:
        self._steps = 1
        return self._response()

    def step(self, challenge: bytes) -> bytes:
        self._steps += 1
        if self._steps == 1:
            return self.initial()
        if self._steps > 2:
            raise AuthenticationFailed("the server asked again after it had refused the token")
        return self._acknowledgement

    def finish(self) -> None:
        return  # a token proves nothing about the server


class XOAuth2(_Bearer):
    name: ClassVar[str] = "XOAUTH2"
    _acknowledgement = b""

    def _response(self) -> bytes:
        return f"user={self._credentials.username}\x01auth=Bearer {self._credentials.token}\x01\x01".encode()


class OAuthBearer(_Bearer):
    name: ClassVar[str] = "OAUTHBEARER"
    _acknowledgement = b"\x01"  # RFC 7628 §3.2.3

    def _response(self) -> bytes:
        name = self._credentials.username.replace("=", "=3D").replace(",", "=2C")
        return f"n,a={name},\x01auth=Bearer {self._credentials.token}\x01\x01".encode()
