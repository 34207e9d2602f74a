"""What all SASL mechanisms have in common (RFC 4422). Octets in, octets out; no I/O, no base64."""

from __future__ import annotations

from typing import ClassVar, Protocol


class AuthenticationFailed(Exception):
    """The exchange must be given up: the server broke the mechanism's rules, or could not prove itself.

    Its text may be shown; it holds nothing of the exchange.
    """

    def __init__(self, why: str, *, unproven: bool = False) -> None:
        super().__init__(why)
        self.unproven = unproven


class Mechanism(Protocol):
    """One attempt to log in. `initial` is the initial response (None where the server speaks first)."""

    name: ClassVar[str]
    hides_password: ClassVar[bool]  # whether somebody who listens in learns no password

    def initial(self) -> bytes | None: ...

    def step(self, challenge: bytes) -> bytes:
        """The response to a challenge. Raises AuthenticationFailed."""
        ...

    def finish(self) -> None:
        """The server said 235. Raises AuthenticationFailed where it did not prove itself."""
        ...
