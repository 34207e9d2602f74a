"""Why a mailbox could not be used: where it stopped, the cause, and the server's words without secrets."""

from __future__ import annotations

import contextlib
import imaplib
import logging
import poplib
import re
import socket
import ssl
from collections.abc import Callable, Iterator
from enum import Enum

from imapclient.exceptions import IMAPClientError

from depesche.smtpclient import tls
from depesche.smtpclient.errors import SENTENCES, Cause

log = logging.getLogger(__name__)

_TEMPORARY = re.compile(
    r"\[(?:SYS/TEMP|UNAVAILABLE|IN-USE|LOGIN-DELAY|INUSE|LIMIT)\]|(?<![bcn])lock",  # not "blocked"
    re.IGNORECASE,
)
_MAX_REPLY = 500  # characters of a server's words that are kept


class MailboxStage(Enum):
    """The step that failed, in the order in which they come."""

    CONNECT = "connect"
    GREETING = "greeting"
    TLS = "tls"
    LOGIN = "login"
    FOLDER = "folder"
    FETCH = "fetch"
    MARK = "mark"


class MailboxError(Exception):
    """The mailbox could not be used. `reply` holds the server's own words, `detail` what a person may read
    beside them; a password is in neither."""

    def __init__(self, stage: MailboxStage, cause: Cause, *, reply: str = "", detail: str = "") -> None:
        super().__init__(stage, cause, reply, detail)
        self.stage = stage
        self.cause = cause
        self.reply = reply
        self.detail = detail

    def __str__(self) -> str:
        text = f"{self.stage.value}: {SENTENCES[self.cause]}"
        if self.reply:
            text += f" ({self.reply})"
        if self.detail:
            text += f" [{self.detail}]"
        return text


@contextlib.contextmanager
def explained(stage: MailboxStage | Callable[[], MailboxStage], *, hide: str = "") -> Iterator[None]:
    """Turn what the mailbox libraries raise into a MailboxError of this stage, which may be asked for when
    that is needed. `hide` is a secret that a server might echo."""
    try:
        yield
    except MailboxError:
        raise
    except tls.CertificateError as error:
        raise MailboxError(MailboxStage.TLS, error.cause, detail=error.detail) from None
    except (poplib.error_proto, imaplib.IMAP4.abort, imaplib.IMAP4.error, IMAPClientError) as error:
        raise _from_protocol(_stage(stage), error, hide) from None
    except (OSError, ssl.SSLError, EOFError, ValueError, UnicodeError) as error:
        raise _from_socket(_stage(stage), error) from None
    except (AttributeError, LookupError, TypeError) as error:
        # A server whose answers make the libraries stumble. Our own mistakes would look alike: logged.
        log.warning("The mailbox's server was not understood.", exc_info=True)
        raise MailboxError(_stage(stage), Cause.PROTOCOL_ERROR, detail=type(error).__name__) from None


def _stage(stage: MailboxStage | Callable[[], MailboxStage]) -> MailboxStage:
    return stage if isinstance(stage, MailboxStage) else stage()


def _from_protocol(stage: MailboxStage, error: Exception, hide: str) -> MailboxError:
    reply = _words(error, hide)
    if isinstance(error, imaplib.IMAP4.abort) or "socket error" in reply or reply in {"", "-ERR EOF"}:
        return MailboxError(stage, Cause.CONNECTION_LOST, reply=reply)
    if stage is MailboxStage.LOGIN:
        temporary = _TEMPORARY.search(reply)
        return MailboxError(stage, Cause.AUTH_TEMPORARY if temporary else Cause.AUTH_REFUSED, reply=reply)
    if stage in (MailboxStage.CONNECT, MailboxStage.GREETING):
        return MailboxError(stage, Cause.GREETING_REFUSED, reply=reply)
    return MailboxError(stage, Cause.PROTOCOL_ERROR, reply=reply)


def _from_socket(stage: MailboxStage, error: Exception) -> MailboxError:
    if isinstance(error, ssl.SSLError):
        cause, detail = tls.cause_of(error)
        return MailboxError(MailboxStage.TLS, cause, detail=detail)
    cause = Cause.NETWORK
    if isinstance(error, socket.gaierror):
        cause = Cause.NAME_LOOKUP_FAILED if error.errno == socket.EAI_AGAIN else Cause.NAME_NOT_FOUND
    elif isinstance(error, TimeoutError):
        cause = Cause.TIMEOUT
    elif isinstance(error, ConnectionRefusedError):
        cause = Cause.REFUSED
    elif isinstance(error, (ConnectionError, EOFError)):
        cause = Cause.CONNECTION_LOST
    elif isinstance(error, ValueError):
        cause = Cause.PROTOCOL_ERROR
    elif isinstance(error, OSError) and error.errno in {101, 113}:  # ENETUNREACH, EHOSTUNREACH
        cause = Cause.NO_ROUTE
    return MailboxError(stage, cause)


def _words(error: Exception, hide: str) -> str:
    return words(error.args[0] if error.args else "", hide)


def words(first: object, hide: str = "") -> str:
    """A server's words as one short line that may be shown, without the secret that it might echo."""
    text = first.decode("utf-8", "replace") if isinstance(first, bytes) else str(first)
    if hide:
        text = text.replace(hide, "…")
    text = re.sub(r"^b'(.*)'$", r"\1", text.strip())
    return "".join(character for character in text if character.isprintable())[:_MAX_REPLY]
