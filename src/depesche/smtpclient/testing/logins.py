"""The server's side of the SASL mechanisms."""

from __future__ import annotations

import base64
import hashlib
import hmac
import os
import re
from collections.abc import Mapping


class Cancelled(Exception):
    """The client said ``*``."""


class Logins:
    """Knows user names with their passwords or tokens; whoever uses it carries challenge and response."""

    def __init__(self, users: Mapping[str, str], *, wrong_signature: bool = False) -> None:
        self._users = users
        self._wrong_signature = wrong_signature

    async def response(self, challenge: str) -> bytes:
        """Say a challenge (base64); the client's line."""
        raise NotImplementedError

    async def log_in(self, mechanism: str, initial: str | None) -> str | None:
        """The user's name; None where name or password is wrong. Raises ValueError, Cancelled."""
        return await _LOGINS[mechanism](self, initial)

    async def ask(self, challenge: bytes) -> bytes:
        line = await self.response(base64.b64encode(challenge).decode())
        if line == b"*":
            raise Cancelled
        return base64.b64decode(line, validate=True)

    async def first(self, initial: str | None) -> bytes:
        if initial is None:
            return await self.ask(b"")
        return b"" if initial == "=" else base64.b64decode(initial, validate=True)

    def known(self, user: str, password: str) -> str | None:
        return user if self._users.get(user) == password else None

    async def plain(self, initial: str | None) -> str | None:
        _, user, password = (await self.first(initial)).decode().split("\0")
        return self.known(user, password)

    async def login(self, initial: str | None) -> str | None:
        user = await self.ask(b"Username:") if initial is None else base64.b64decode(initial)
        password = await self.ask(b"Password:")
        return self.known(user.decode(), password.decode())

    async def cram_md5(self, initial: str | None) -> str | None:
        challenge = f"<{os.urandom(8).hex()}@fake.example.org>".encode()
        user, _, digest = (await self.ask(challenge)).decode().rpartition(" ")
        expected = hmac.new(self._users.get(user, "?").encode(), challenge, "md5").hexdigest()
        return user if user in self._users and hmac.compare_digest(digest, expected) else None

    async def scram_sha_256(self, initial: str | None) -> str | None:
        return await self.scram(initial, "sha256")

    async def scram_sha_1(self, initial: str | None) -> str | None:
        return await self.scram(initial, "sha1")

    async def scram(self, initial: str | None, name: str) -> str | None:
        first = (await self.first(initial)).decode()
        bare = first.removeprefix("n,,")
        fields = dict(part.split("=", 1) for part in bare.split(","))
        user = fields["n"].replace("=2C", ",").replace("=3D", "=")
        nonce, salt = fields["r"] + os.urandom(9).hex(), os.urandom(16)
        server_first = f"r={nonce},s={base64.b64encode(salt).decode()},i=4096"
        final = (await self.ask(server_first.encode())).decode()
        without, _, proof = final.rpartition(",p=")
        salted = hashlib.pbkdf2_hmac(name, self._users.get(user, "?").encode(), salt, 4096)
        message = f"{bare},{server_first},{without}".encode()
        client_key = hmac.new(salted, b"Client Key", name).digest()
        signature = hmac.new(hashlib.new(name, client_key).digest(), message, name).digest()
        expected = bytes(a ^ b for a, b in zip(client_key, signature, strict=True))
        if user not in self._users or base64.b64decode(proof) != expected:
            return None
        server_key = hmac.new(salted, b"Server Key", name).digest()
        proven = hmac.new(server_key, message, name).digest()
        if self._wrong_signature:
            proven = bytes(len(proven))
        await self.ask(b"v=" + base64.b64encode(proven))
        return user

    async def bearer(self, initial: str | None) -> str | None:
        text = (await self.first(initial)).decode()
        user = re.search(r"(?:user|a)=([^\x01,]+)", text)
        token = re.search(r"auth=Bearer ([^\x01]+)", text)
        if user and token and self.known(user[1], token[1]):
            return user[1]
        await self.ask(b'{"status":"401","schemes":"bearer"}')
        return None


_LOGINS = {
    "PLAIN": Logins.plain,
    "LOGIN": Logins.login,
    "CRAM-MD5": Logins.cram_md5,
    "SCRAM-SHA-256": Logins.scram_sha_256,
    "SCRAM-SHA-1": Logins.scram_sha_1,
    "XOAUTH2": Logins.bearer,
    "OAUTHBEARER": Logins.bearer,
}
