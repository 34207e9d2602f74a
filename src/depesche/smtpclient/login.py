"""Logging in (RFC 4954): the strongest mechanism in common, and at most one other after it.

The exchange itself; what each mechanism says stands in `auth`.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
from collections.abc import Awaitable, Callable
from typing import Protocol

from depesche.smtpclient.auth import selection
from depesche.smtpclient.auth.mechanism import AuthenticationFailed, Mechanism
from depesche.smtpclient.config import (
    ConnectionConfig,
    Encryption,
    OAuthToken,
    Password,
    TokenSource,
    TokenUnavailable,
)
from depesche.smtpclient.errors import Cause, Stage, SubmissionError, asks_for_mailbox_login, cause_of_closing
from depesche.smtpclient.reply import Reply
from depesche.smtpclient.transcript import SECRET
from depesche.smtpclient.wire import commands
from depesche.smtpclient.wire.states import Command

_MAX_CHALLENGES = 10
_MAX_COMMAND_LINE = 512


class Say(Protocol):
    """Write one command; its reply. `shown` stands in the transcript in its place."""

    def __call__(self, command: Command, octets: bytes, shown: str = "") -> Awaitable[Reply]: ...


async def obtained(source: TokenSource) -> OAuthToken:
    """A token that is valid now. Raises SubmissionError (AUTH) with the TokenUnavailable as its cause."""
    try:
        return await asyncio.to_thread(source.obtain)
    except TokenUnavailable as error:
        cause = Cause.TOKEN_UNAVAILABLE_NOW if error.transient else Cause.TOKEN_UNAVAILABLE
        raise SubmissionError(Stage.AUTH, cause, detail=error.detail) from error


async def log_in(
    say: Say,
    config: ConnectionConfig,
    offered: tuple[str, ...],
    *,
    credentials: Password | OAuthToken,
    encrypted: bool,
    in_exchange: Callable[[], bool],
) -> str:
    """The name of the mechanism that worked. `in_exchange` tells whether the server awaits a response.

    Raises SubmissionError (AUTH).
    """
    choice = selection.choose(
        offered,
        credentials,
        encrypted=encrypted,
        allow_clear=config.allow_clear_password and config.encryption is Encryption.NONE,
    )
    if isinstance(choice, Cause):
        raise SubmissionError(Stage.AUTH, choice, detail=" ".join(offered))
    for number, make in enumerate(choice):
        mechanism = make()
        try:
            reply, detail = await _attempt(say, mechanism)
        except AuthenticationFailed as failed:
            if in_exchange():
                await say(Command.AUTH_STEP, b"*\r\n")
            cause = Cause.AUTH_SERVER_UNPROVEN if failed.unproven else Cause.PROTOCOL_ERROR
            raise SubmissionError(Stage.AUTH, cause, detail=f"{mechanism.name}: {failed}") from failed
        if reply.positive:
            return mechanism.name
        if number >= 1 or not selection.may_try_another(reply.code, mechanism):
            break
    hidden = secrets_of(credentials)
    for secret in hidden:
        detail = detail.replace(secret, SECRET)
    raise _refused(reply.scrubbed(*hidden), detail, isinstance(credentials, OAuthToken))


def _refused(reply: Reply, detail: str, token: bool) -> SubmissionError:
    if reply.code == 421:
        cause = cause_of_closing(reply)
    elif asks_for_mailbox_login(reply):
        cause = Cause.POP_LOGIN_NEEDED
    else:
        refused = Cause.TOKEN_REFUSED if token else Cause.AUTH_REFUSED
        cause = Cause.AUTH_TEMPORARY if reply.code < 500 else refused
    return SubmissionError(Stage.AUTH, cause, reply=reply, detail=detail)


async def _attempt(say: Say, mechanism: Mechanism) -> tuple[Reply, str]:
    """One attempt with one mechanism: the last reply, and what a refused token was told."""
    detail = ""
    initial = mechanism.initial()
    line = commands.auth(mechanism.name, None if initial is None else _encoded(initial) or "=")
    if len(line) > _MAX_COMMAND_LINE:  # then it waits for an empty challenge (RFC 4954)
        line = commands.auth(mechanism.name, None)
    else:
        initial = None
    secret = SECRET if line.count(b" ") > 1 else ""
    reply = await say(Command.AUTH, line, f"AUTH {mechanism.name} {secret}".rstrip())
    for _ in range(_MAX_CHALLENGES):
        if reply.code >= 400 or reply.positive:
            break
        challenge = _decoded(reply, mechanism)
        if initial is not None:
            response, initial = initial, None
        else:
            # In a thread: SCRAM may have to compute for a second.
            response = await asyncio.to_thread(mechanism.step, challenge)
            if challenge.startswith(b"{"):
                detail = challenge.decode("utf-8", "replace")
        reply = await say(Command.AUTH_STEP, _encoded(response).encode() + b"\r\n", SECRET)
    else:
        raise AuthenticationFailed("the server never stopped asking")
    if reply.positive:
        mechanism.finish()
    return reply, detail


def _encoded(octets: bytes) -> str:
    return base64.b64encode(octets).decode("ascii")


def _decoded(reply: Reply, mechanism: Mechanism) -> bytes:
    """The challenge. LOGIN's is never read, and some servers send it without base64."""
    text = reply.lines[0].strip() if reply.lines else ""
    try:
        return base64.b64decode(text.encode("ascii"), validate=True)
    except (binascii.Error, ValueError) as error:
        if mechanism.name == "LOGIN":
            return b""
        raise AuthenticationFailed("the server's challenge is not base64") from error


def secrets_of(credentials: Password | OAuthToken) -> list[str]:
    """Everything under which the secret might be seen."""
    word = credentials.password if isinstance(credentials, Password) else credentials.token
    whole = f"\0{credentials.username}\0{word}"
    return [word, _encoded(word.encode()), _encoded(whole.encode())]
