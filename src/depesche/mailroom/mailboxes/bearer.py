"""Logging in to a mailbox by an OAuth 2.0 access token, the same for IMAP and POP3: XOAUTH2 or OAUTHBEARER.

What is said stands in smtpclient.auth. A token that is refused is told in a challenge (RFC 7628 §3.2.3) that
wants an answer before the refusal itself comes.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Iterator

from depesche.mailroom.mailboxes.errors import MailboxError, MailboxStage, explained
from depesche.smtpclient.auth import selection
from depesche.smtpclient.auth.mechanism import AuthenticationFailed
from depesche.smtpclient.config import OAuthToken, TokenSource, TokenUnavailable
from depesche.smtpclient.errors import Cause

_LONGEST_DETAIL = 500


def log_in(
    source: TokenSource,
    offered: Callable[[], Iterable[str]],
    sasl: Callable[[str, Callable[[bytes], bytes]], object],
) -> None:
    """Log in with the token of this source: `offered` asks the server for its mechanisms, `sasl` goes through
    one of them. Raises MailboxError."""
    token = _obtained(source)
    exchange = _Exchange(offered(), token)
    with _told(source, token, exchange), explained(MailboxStage.LOGIN, hide=token.token):
        sasl(exchange.name, exchange.respond)


def _obtained(source: TokenSource) -> OAuthToken:
    """A token that is valid now. Raises MailboxError (LOGIN) with the TokenUnavailable as its cause."""
    try:
        return source.obtain()
    except TokenUnavailable as error:
        cause = Cause.TOKEN_UNAVAILABLE_NOW if error.transient else Cause.TOKEN_UNAVAILABLE
        raise MailboxError(MailboxStage.LOGIN, cause, detail=error.detail) from error


class _Exchange:
    """One attempt with the best mechanism that the server offers. Raises MailboxError where it offers none.

    `detail` holds what a refused token was told.
    """

    def __init__(self, offered: Iterable[str], token: OAuthToken) -> None:
        names = list(offered)
        # Whether the line is encrypted was looked at before: a token is as good as a password.
        choice = selection.choose(names, token, encrypted=True, allow_clear=True)
        if isinstance(choice, Cause):
            raise MailboxError(MailboxStage.LOGIN, choice, detail=" ".join(names))
        self._mechanism = choice[0]()
        self.name = self._mechanism.name
        self.detail = ""
        self._first = True

    def respond(self, challenge: bytes) -> bytes:
        """The response to a challenge; the first one is empty and asks for the token."""
        if self._first:
            self._first = False
            return self._mechanism.initial() or b""
        self.detail = challenge.decode("utf-8", "replace")
        try:
            return self._mechanism.step(challenge)
        except AuthenticationFailed:
            return b"*"


@contextlib.contextmanager
def _told(source: TokenSource, token: OAuthToken, exchange: _Exchange) -> Iterator[None]:
    """A refused login is a refused token, and the source is told so."""
    try:
        yield
    except MailboxError as error:
        if error.cause is not Cause.AUTH_REFUSED:
            raise
        source.refused(token)
        words = exchange.detail.replace(token.token, "…")
        detail = "".join(character for character in words if character.isprintable())[:_LONGEST_DETAIL]
        raise MailboxError(error.stage, Cause.TOKEN_REFUSED, reply=error.reply, detail=detail) from None
