"""CRAM-MD5 (RFC 2195)."""

from __future__ import annotations

import hmac
from typing import ClassVar

from depesche.smtpclient.auth.mechanism import AuthenticationFailed
from depesche.smtpclient.config import Password


class CramMd5:
    name: ClassVar[str] = "CRAM-MD5"
    hides_password: ClassVar[bool] = True

    def __init__(self, credentials: Password) -> None:
        self._credentials = credentials
        self._said = False

    def initial(self) -> None:
        return None

    def step(self, challenge: bytes) -> bytes:
        if self._said or not challenge:
            raise AuthenticationFailed("CRAM-MD5 has exactly one challenge, and it is not empty")
        self._said = True
        digest = hmac.new(self._credentials.password.encode(), challenge, "md5").hexdigest()
        return f"{self._credentials.username} {digest}".encode()

    def finish(self) -> None:
        if not self._said:
            raise AuthenticationFailed("the server accepted CRAM-MD5 without a challenge", unproven=True)
