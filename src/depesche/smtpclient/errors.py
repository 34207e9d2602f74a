"""Failures of the connection: where it stopped (`Stage`), why (`Cause`), in words that may be shown.

Refused senders, recipients and contents are no exceptions: they are results (`transaction.Result`).
A `SubmissionError` means that the session itself could not be opened or was lost. What it says in public
(`str`, `detail`, `reply`) never holds a secret; what Python knows beyond that is chained as ``__cause__``.
"""

from __future__ import annotations

import enum
import re

from depesche.smtpclient.reply import Persistence, Reply


class Stage(enum.Enum):
    """The step of a session. In the order in which they come."""

    RESOLVE = "resolve"
    CONNECT = "connect"
    GREETING = "greeting"
    EHLO = "ehlo"
    STARTTLS = "starttls"
    TLS = "tls"
    AUTH = "auth"
    MAIL = "mail"
    RCPT = "rcpt"
    DATA = "data"
    CONTENT = "content"
    QUIT = "quit"


class Cause(enum.Enum):
    """Why a session could not be opened or was lost. Machine-readable: remedies and translations hang on
    it."""

    NAME_NOT_FOUND = "name-not-found"
    NAME_LOOKUP_FAILED = "name-lookup-failed"
    NO_ROUTE = "no-route"
    REFUSED = "refused"
    TIMEOUT = "timeout"
    NETWORK = "network"
    TLS_ON_PLAIN_PORT = "tls-on-plain-port"
    PLAIN_ON_TLS_PORT = "plain-on-tls-port"
    NOT_SMTP = "not-smtp"
    STARTTLS_NOT_OFFERED = "starttls-not-offered"
    STARTTLS_REFUSED = "starttls-refused"
    INJECTED_BEFORE_TLS = "injected-before-tls"
    CERT_EXPIRED = "cert-expired"
    CERT_NOT_YET_VALID = "cert-not-yet-valid"
    CERT_OTHER_HOST = "cert-other-host"
    CERT_SELF_SIGNED = "cert-self-signed"
    CERT_UNKNOWN_CA = "cert-unknown-ca"
    CERT_WEAK = "cert-weak"
    CERT_CHANGED = "cert-changed"
    CERT_INVALID = "cert-invalid"
    TLS_TOO_OLD = "tls-too-old"
    TLS_HANDSHAKE = "tls-handshake"
    CLIENT_CERTIFICATE_WANTED = "client-certificate-wanted"
    EHLO_REFUSED = "ehlo-refused"
    AUTH_NOT_OFFERED = "auth-not-offered"
    AUTH_NO_COMMON_MECHANISM = "auth-no-common-mechanism"
    AUTH_REFUSED = "auth-refused"
    AUTH_TEMPORARY = "auth-temporary"
    AUTH_SERVER_UNPROVEN = "auth-server-unproven"
    TOKEN_REFUSED = "token-refused"  # noqa: S105  a cause, not a password
    TOKEN_UNAVAILABLE = "token-unavailable"  # noqa: S105  a cause, not a password
    TOKEN_UNAVAILABLE_NOW = "token-unavailable-now"  # noqa: S105  a cause, not a password
    CLEAR_PASSWORD_FORBIDDEN = "clear-password-forbidden"  # noqa: S105  a cause, not a password
    POP_LOGIN_NEEDED = "pop-login-needed"
    GREETING_REFUSED = "greeting-refused"
    TOO_MANY_CONNECTIONS = "too-many-connections"
    SERVICE_CLOSING = "service-closing"
    CONNECTION_LOST = "connection-lost"
    PROTOCOL_ERROR = "protocol-error"
    CHUNKING_FAILED = "chunking-failed"
    ABORTED = "aborted"


SENTENCES: dict[Cause, str] = {
    Cause.NAME_NOT_FOUND: "the server's name is not known",
    Cause.NAME_LOOKUP_FAILED: "the name service gave no answer",
    Cause.NO_ROUTE: "no route leads to the server",
    Cause.REFUSED: "nothing listens at this host and port",
    Cause.TIMEOUT: "the server did not answer in time",
    Cause.NETWORK: "the network failed",
    Cause.TLS_ON_PLAIN_PORT: "this port speaks TLS at once: encryption must be SSL",
    Cause.PLAIN_ON_TLS_PORT: "this port does not speak TLS at once: encryption must be TLS or none",
    Cause.NOT_SMTP: "what answers there is not an SMTP server",
    Cause.STARTTLS_NOT_OFFERED: "the server does not offer STARTTLS, and encryption is required",
    Cause.STARTTLS_REFUSED: "the server refused to start TLS",
    Cause.INJECTED_BEFORE_TLS: "something was put into the connection before TLS began; it was not used",
    Cause.CERT_EXPIRED: "the server's certificate has expired",
    Cause.CERT_NOT_YET_VALID: "the server's certificate is not valid yet",
    Cause.CERT_OTHER_HOST: "the server's certificate was issued for another host",
    Cause.CERT_SELF_SIGNED: "the server's certificate is self-signed and not trusted",
    Cause.CERT_UNKNOWN_CA: "the server's certificate was issued by an authority that is not trusted",
    Cause.CERT_WEAK: "the server's certificate uses a key or signature that is too weak",
    Cause.CERT_CHANGED: "the server shows another certificate than the one trusted for this host and port",
    Cause.CERT_INVALID: "the server's certificate could not be verified",
    Cause.TLS_TOO_OLD: "server and client have no TLS version in common (1.2 at least)",
    Cause.TLS_HANDSHAKE: "the TLS handshake failed",
    Cause.CLIENT_CERTIFICATE_WANTED: "the server wants a certificate from us",
    Cause.EHLO_REFUSED: "the server refused our greeting",
    Cause.AUTH_NOT_OFFERED: "the server offers no login here",
    Cause.AUTH_NO_COMMON_MECHANISM: "the server offers no login method that we can use",
    Cause.AUTH_REFUSED: "the server refused user name or password",
    Cause.AUTH_TEMPORARY: "the server could not check the login just now",
    Cause.AUTH_SERVER_UNPROVEN: "the server could not prove that it knows the password",
    Cause.TOKEN_REFUSED: "the server refused the access token",
    Cause.TOKEN_UNAVAILABLE: "there is no access token to log in with",
    Cause.TOKEN_UNAVAILABLE_NOW: "no access token could be had just now",
    Cause.CLEAR_PASSWORD_FORBIDDEN: "the password would travel in clear, and that is not permitted",
    Cause.POP_LOGIN_NEEDED: "the server wants a login to the mailbox first",
    Cause.GREETING_REFUSED: "the server refused the connection",
    Cause.TOO_MANY_CONNECTIONS: "the server permits no more connections at a time",
    Cause.SERVICE_CLOSING: "the server closed its service",
    Cause.CONNECTION_LOST: "the connection was lost",
    Cause.PROTOCOL_ERROR: "the server broke the rules of SMTP",
    Cause.CHUNKING_FAILED: "the server announced CHUNKING and does not know it; it is not used any more",
    Cause.ABORTED: "the session was ended from our side",
}

_MAY_HEAL_BY_ITSELF = frozenset(
    {
        Cause.NAME_LOOKUP_FAILED,
        Cause.NO_ROUTE,
        Cause.REFUSED,
        Cause.TIMEOUT,
        Cause.NETWORK,
        Cause.AUTH_TEMPORARY,
        Cause.TOKEN_UNAVAILABLE_NOW,
        Cause.TOO_MANY_CONNECTIONS,
        Cause.SERVICE_CLOSING,
        Cause.CONNECTION_LOST,
        Cause.CHUNKING_FAILED,
        Cause.ABORTED,
    }
)


class SubmissionError(Exception):
    """The session could not be opened, or was lost.

    `stage` and `cause` say where and why; `reply` holds the server's words where it said something;
    `detail` adds what a person may read (tried addresses, names in a certificate). No secret is in any of
    them.
    """

    def __init__(self, stage: Stage, cause: Cause, *, reply: Reply | None = None, detail: str = "") -> None:
        super().__init__(stage, cause, reply, detail)
        self.stage = stage
        self.cause = cause
        self.reply = reply
        self.detail = detail

    @property
    def transient(self) -> bool:
        """Whether it may pass without anybody changing a setting."""
        if self.cause in _MAY_HEAL_BY_ITSELF:
            return True
        if self.reply is not None and (persistence := self.reply.persistence):
            return persistence is Persistence.TRANSIENT
        return False

    def __str__(self) -> str:
        text = f"{self.stage.value}: {SENTENCES[self.cause]}"
        if self.reply is not None:
            text += f" ({self.reply})"
        if self.detail:
            text += f" [{self.detail}]"
        return text

    def again(self) -> SubmissionError:
        """A copy to raise for another message: one exception object must not collect many tracebacks."""
        copy = SubmissionError(self.stage, self.cause, reply=self.reply, detail=self.detail)
        copy.__cause__ = self.__cause__
        return copy


# Of connections, or of what they bring in a while. Too many hops, attachments or errors are no matter of how
# many connections there are: taken for that, one mail would come again and again until all of them rest.
_TOO_MANY = re.compile(
    r"too many(?=\W*\Z|\s*[.,;:!(]|\s+(?:from|at|right)\b|"
    r"\s+(?:(?!errors|commands|recipients|rcpts?|failed|bad|invalid|unknown)[\w-]+\s+){0,4}"
    r"(?:connect\w*|sessions?|clients?|requests|transactions|"
    r"(?:messages|e?-?mails|deliveries)\b(?!.{0,40}(?:mailbox|inbox|recipient|user)))\b)|"
    r"connection (?:rate|count|limit)|concurren|simultaneous|"
    r"max(?:imum)?\s.{0,80}connections|connections?\s.{0,80}(?:exceed|limit)",
    re.IGNORECASE,
)
_LIMIT = re.compile(r"too many|\bmax|limit|exceed|reach|enough|\bper\b", re.IGNORECASE)
_OF_ONE_CONNECTION = re.compile(
    r"\b(?:e?-?mails?|messages?|transactions?|deliveries|recipients?)\b.{0,40}"
    r"\b(?:per|this|(?:in|on|over|for|during|within)\s+(?:this|the|one|an?|each|your))\s+(?:\w+\s+){0,2}"
    r"(?:connection|session)\b(?! *(?:rate|count))",
    re.IGNORECASE,
)
_POP_FIRST = re.compile(
    r"pop\W?before|before\W?smtp|pop3?\b.{0,40}\b(?:first|login|log in|auth)|"
    r"(?:check|fetch|retrieve|get)\b.{0,30}\b(?:e?-?mails?|messages|mailbox)\b.{0,20}\b(?:first|before)",
    re.IGNORECASE,
)


def asks_for_fewer_connections(reply: Reply) -> bool:
    """Whether the server means the number of our connections: 421, 4.3.2 and 4.7.x beside words that say
    so."""
    refused = reply.persistence is Persistence.TRANSIENT or reply.code == 554
    return refused and bool(_TOO_MANY.search(reply.gist)) and not asks_for_another_connection(reply)


def asks_for_another_connection(reply: Reply) -> bool:
    """Whether the server takes no more messages over this connection: the next one goes over a new one."""
    text = reply.gist
    return (
        reply.persistence is Persistence.TRANSIENT
        and bool(_OF_ONE_CONNECTION.search(text))
        and bool(_LIMIT.search(text))
    )


def asks_for_mailbox_login(reply: Reply) -> bool:
    """Whether the server's words ask for a login to the mailbox before submission (POP-before-SMTP)."""
    return reply.persistence is not None and bool(_POP_FIRST.search(reply.gist))


def cause_of_closing(reply: Reply) -> Cause:
    """What a 421, or a refusal in place of the greeting, means."""
    if asks_for_fewer_connections(reply):
        return Cause.TOO_MANY_CONNECTIONS
    if asks_for_mailbox_login(reply):
        return Cause.POP_LOGIN_NEEDED
    if reply.code == 421:
        return Cause.SERVICE_CLOSING
    return Cause.GREETING_REFUSED
