"""LOGIN (draft-murchison-sasl-login): never standardised, offered everywhere.

The challenges are ``Username:`` and ``Password:`` by custom only; servers translate them, or send others. So
they are not read: first comes the name, then the password.
"""

from __future__ import annotations

from typing import ClassVar

from depesche.smtpclient.auth.mechanism import AuthenticationFailed
from depesche.smtpclient.config import Password


class Login:
    name: ClassVar[str] = "LOGIN"
    hides_password: ClassVar[bool] = False

    def __init__(self, credentials: Password) -> None:
        self._answers = [credentials.username, credentials.password]

    def initial(self) -> None:
        """Some servers do not take an initial response here; a round trip is the price."""
        return

    def step(self, challenge: bytes) -> bytes:
        if not self._answers:
            raise AuthenticationFailed("the server asked for more than name and password")
        return self._answers.pop(0).encode()

    def finish(self) -> None:
        """LOGIN proves nothing about the server."""
