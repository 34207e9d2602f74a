"""PLAIN (RFC 4616)."""

from __future__ import annotations

from typing import ClassVar

from depesche.smtpclient.auth.mechanism import AuthenticationFailed
from depesche.smtpclient.config import Password


class Plain:
    name: ClassVar[str] = "PLAIN"
    hides_password: ClassVar[bool] = False

    def __init__(self, credentials: Password) -> None:
        self._credentials = credentials
        self._said = False

    def initial(self) -> bytes:
        self._said = True
        who, word = self._credentials.username, self._credentials.password
        return f"\0{who}\0{word}".encode()

    def step(self, challenge: bytes) -> bytes:
        if self._said:
            raise AuthenticationFailed("the server asked again after PLAIN had said everything")
        return self.initial()

    def finish(self) -> None:
        """PLAIN proves nothing about the server: that is what TLS is for."""
