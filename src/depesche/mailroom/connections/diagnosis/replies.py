"""What a refusal means: from the server's words to one of the causes that we can explain. Pure.

Servers say the same thing with different codes, and different things with the same code; the enhanced status
code is trusted first where it is specific, then the words of the servers that are met most often.
"""

from __future__ import annotations

import re
from enum import StrEnum

from depesche.smtpclient.errors import Stage, asks_for_fewer_connections, asks_for_mailbox_login
from depesche.smtpclient.reply import GIST, Persistence, Reply


class Refusal(StrEnum):
    """Causes that only the server's words tell apart."""

    SENDER_NOT_OWNED = "sender-not-owned"
    HEADER_FROM_REFUSED = "header-from-refused"
    SENDER_DOMAIN_UNKNOWN = "sender-domain-unknown"
    SENDER_REFUSED = "sender-refused"
    DMARC = "dmarc"
    AUTH_REQUIRED = "auth-required"
    TLS_REQUIRED = "tls-required"
    RELAY_DENIED = "relay-denied"
    RECIPIENT_UNKNOWN = "recipient-unknown"
    RECIPIENT_DOMAIN_UNKNOWN = "recipient-domain-unknown"
    RECIPIENT_DISABLED = "recipient-disabled"
    RECIPIENT_REFUSED = "recipient-refused"
    MAILBOX_FULL = "mailbox-full"
    GREYLISTED = "greylisted"
    TOO_LARGE = "too-large"
    SPAM = "spam"
    BLOCKLISTED = "blocklisted"
    RATE_LIMIT = "rate-limit"
    DAILY_QUOTA = "daily-quota"
    TOO_MANY_CONNECTIONS = "too-many-connections"
    CONTENT_REFUSED = "content-refused"
    SERVER_STORAGE = "server-storage"
    SERVER_TROUBLE = "server-trouble"
    POP_LOGIN_NEEDED = "pop-login-needed"
    APP_PASSWORD_NEEDED = "app-password-needed"  # noqa: S105  a cause, not a password
    BASIC_AUTH_DISABLED = "basic-auth-disabled"
    SMTP_AUTH_DISABLED = "smtp-auth-disabled"
    ACCOUNT_LOCKED = "account-locked"
    PASSWORD_EXPIRED = "password-expired"  # noqa: S105  a cause, not a password
    SECOND_FACTOR = "second-factor"
    WEB_LOGIN_NEEDED = "web-login-needed"
    AUTH_MECHANISM_WEAK = "auth-mechanism-weak"


def _words(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern, re.IGNORECASE)


_ANYWHERE: tuple[tuple[re.Pattern[str], Refusal], ...] = (
    (
        _words(r"greylist|graylist|grey.?listed|postgrey|try again (?:in|after) \d+ (?:s|min)"),
        Refusal.GREYLISTED,
    ),
    (
        _words(
            r"daily.{0,30}(?:limit|quota)|(?:limit|quota).{0,40}(?:per|a|each|in a|in one|"
            r"24).{0,3}(?:day|hours)|"
            r"exceeded.{0,30}daily|5\.4\.5|5\.2\.12[12]"
        ),
        Refusal.DAILY_QUOTA,
    ),
    (
        _words(
            r"spamhaus|spamcop|barracudacentral|sorbs|blacklist|blocklist|block list|black list|"
            r"\brbl\b|dnsbl|"
            r"listed (?:in|at|by|on)|poor reputation|bad reputation"
        ),
        Refusal.BLOCKLISTED,
    ),
    (
        _words(
            r"rate.?limit|too (?:fast|quickly|much mail|many (?:messages|mails|e-?mails|recipients|errors))|"
            r"throttl"
        ),
        Refusal.RATE_LIMIT,
    ),
    (
        _words(
            r"must issue a starttls|starttls (?:is )?(?:required|first|command first)|5\.7\.10|"
            r"(?:tls|encryption).{0,20}required|requires? (?:tls|encryption|a secure)"
        ),
        Refusal.TLS_REQUIRED,
    ),
)

_LOGIN: tuple[tuple[re.Pattern[str], Refusal], ...] = (
    # 5.7.9 is this one's by RFC 4954; Google says it where an app password is wanted.
    (_words(r"mechanism (?:is )?too weak"), Refusal.AUTH_MECHANISM_WEAK),
    (
        _words(r"application.specific password|app.?password|5\.7\.9\b|app-specific"),
        Refusal.APP_PASSWORD_NEEDED,
    ),
    (_words(r"basic auth\w* is disabled|basicauthblocked"), Refusal.BASIC_AUTH_DISABLED),
    (
        _words(
            r"smtpclientauthentication is disabled|smtp_auth_disabled|"
            r"5\.7\.139\b(?!.*credentials were incorrect)"
        ),
        Refusal.SMTP_AUTH_DISABLED,
    ),
    (
        _words(r"log ?in via your web browser|web login|5\.7\.14\b|webloginrequired"),
        Refusal.WEB_LOGIN_NEEDED,
    ),
    (_words(r"two.factor|2.?step|multi.?factor|\bmfa\b|\b2fa\b"), Refusal.SECOND_FACTOR),
    (_words(r"password.{0,20}(?:has )?expired|expired password"), Refusal.PASSWORD_EXPIRED),
    (
        _words(r"lock(?:ed)?\b|suspended|blocked|disabled|too many (?:failed|login|bad)|deactivated"),
        Refusal.ACCOUNT_LOCKED,
    ),
)

_SENDER: tuple[tuple[re.Pattern[str], Refusal], ...] = (
    (_words(r"dmarc"), Refusal.DMARC),
    (
        _words(
            r"not owned by|does(?: not|n.t) belong|must match|same as (?:the )?auth|"
            # … but "to send to this group" is about the recipient
            r"not (?:permitted|allowed|authori[sz]ed) to (?:send|use)\b(?! (?:e?-?mails? |messages? )?to\b)|"
            r"permissions? to send (?:as|on behalf)|sendasdenied|send as this sender|"
            r"sender (?:address |domain )?(?:verify|mismatch|spoof)|forged sender|return.path|"
            r"sender (?:address |domain |identity )?(?:\S+@\S+ )?(?:is )?"
            r"not (?:allowed|permitted|authori[sz]ed|valid|verified|registered|accepted)|"
            r"not a (?:verified )?sender|sender signature|sender identity|not one of your|"
            r"cannot send (?:as|e?mails? from)|mail from must equal|is not yours|"
            r"(?:envelope|your) sender.{0,40}(?:bad|denied|reject|not)|badmailfrom|"
            r"(?:address|identit)\w* (?:is|are|failed).{0,20}(?:not verified|check)"
        ),
        Refusal.SENDER_NOT_OWNED,
    ),
    (
        _words(
            r"domain.{0,30}(?:not found|does not (?:exist|resolve))|host not found|no (?:mx|"
            r"a) record|unresolvable"
        ),
        Refusal.SENDER_DOMAIN_UNKNOWN,
    ),
)

_RECIPIENT: tuple[tuple[re.Pattern[str], Refusal], ...] = (
    (
        _words(r"domain.{0,30}(?:not found|does not (?:exist|resolve))|host not found"),
        Refusal.RECIPIENT_DOMAIN_UNKNOWN,
    ),
    (
        _words(
            r"relay(?:ing)? (?:access )?(?:denied|not (?:permitted|allowed)|prohibited)|"
            r"unable to relay|not relay|"
            r"no relay|relaying|not permitted to relay|we do not relay|not a (?:valid )?local|"
            r"not our (?:domain|customer)|don.t relay|rcpthosts"
        ),
        Refusal.RELAY_DENIED,
    ),
    (
        _words(
            r"(?:mail)?box (?:is )?full|over ?quota|quota exceeded|exceeded.{0,20}(?:storage|quota)|"
            r"insufficient.{0,10}quota"
        ),
        Refusal.MAILBOX_FULL,
    ),
    (
        _words(
            r"(?:user|recipient|mailbox|address|account|alias)\b.{0,40}(?:unknown|not found|unavailable|"
            r"does ?n.t exist|does not exist|not exist|invalid)|no such (?:user|recipient|mailbox|"
            r"person|address)|"
            r"unknown (?:user|recipient|local|mailbox|address)|invalid (?:recipient|mailbox)|"
            r"nobody (?:here )?by that name|"
            r"recipnotfound"
        ),
        Refusal.RECIPIENT_UNKNOWN,
    ),
    (
        _words(r"(?:account|mailbox|user).{0,20}(?:disabled|inactive|suspended|expired)"),
        Refusal.RECIPIENT_DISABLED,
    ),
)

_CONTENT: tuple[tuple[re.Pattern[str], Refusal], ...] = (
    (_words(r"dmarc"), Refusal.DMARC),
    (_words(r"too (?:large|big)|size (?:limit|exceed)|exceeds.{0,30}size|message size"), Refusal.TOO_LARGE),
    (
        _words(
            r"(?:header[ .-]?from|\bfrom:|\bfrom\W{1,3}(?:header|address|field|line|domain)|"
            r"['\"<]from['\">]).{0,80}"
            r"(?:\bnot\b|mismatch|invalid|must|forged|spoof)|"
            r"header address|send as this sender|sendasdenied|permissions? to send as|"
            r"does not match.{0,30}(?:auth|login|account)"
        ),
        Refusal.HEADER_FROM_REFUSED,
    ),
    (_words(r"spam|unsolicited|bulk mail|uce\b|virus|malware|phish|content reject"), Refusal.SPAM),
)

_ENHANCED: dict[tuple[int, int], Refusal] = {
    (1, 1): Refusal.RECIPIENT_UNKNOWN,
    (1, 2): Refusal.RECIPIENT_DOMAIN_UNKNOWN,
    (1, 6): Refusal.RECIPIENT_UNKNOWN,
    (1, 7): Refusal.SENDER_REFUSED,
    (1, 8): Refusal.SENDER_DOMAIN_UNKNOWN,
    (1, 10): Refusal.RECIPIENT_UNKNOWN,
    (2, 1): Refusal.RECIPIENT_DISABLED,
    (2, 2): Refusal.MAILBOX_FULL,
    (3, 1): Refusal.SERVER_STORAGE,
    (3, 4): Refusal.TOO_LARGE,
    (7, 28): Refusal.RATE_LIMIT,
    (7, 57): Refusal.AUTH_REQUIRED,
}

# These say it all, whatever the words are. 5.7.12x and 5.7.13x (Exchange): a group that takes mail from few.
_DECIDED: dict[tuple[int, int], Refusal] = {
    (2, 252): Refusal.HEADER_FROM_REFUSED,
    (7, 23): Refusal.SENDER_REFUSED,  # RFC 7372: SPF
    (7, 24): Refusal.SENDER_REFUSED,
    (7, 26): Refusal.DMARC,
    (7, 60): Refusal.HEADER_FROM_REFUSED,
    **dict.fromkeys(((7, detail) for detail in (124, 129, 133, 134, 135, 136)), Refusal.RECIPIENT_REFUSED),
}

_BY_STAGE: dict[Stage, tuple[tuple[re.Pattern[str], Refusal], ...]] = {
    Stage.AUTH: _LOGIN,
    Stage.MAIL: _SENDER,
    Stage.RCPT: (*_RECIPIENT, *_SENDER),
    Stage.DATA: (*_CONTENT, *_RECIPIENT, *_SENDER),
    Stage.CONTENT: (*_CONTENT, *_RECIPIENT, *_SENDER),
}

_NEEDS_LOGIN = _words(
    r"auth\w* (?:is )?(?:required|needed|first)|must (?:first )?(?:authenticate|log ?in)|not authenticated|"
    r"requires? auth|please (?:log ?in|authenticate)|unauthenticated|client was not authenticated"
)
_TOO_MUCH_MAIL = _words(r"too many (?:messages|e?-?mails)\b")
_ABOUT_SENDER = _words(r"sender address rejected|sender (?:verify|rejected)|envelope sender|badmailfrom")

ABOUT_SENDER = frozenset(
    {
        Refusal.SENDER_NOT_OWNED,
        Refusal.HEADER_FROM_REFUSED,
        Refusal.SENDER_DOMAIN_UNKNOWN,
        Refusal.SENDER_REFUSED,
        Refusal.DMARC,
    }
)
"""What concerns the sender, also where the server says it to the recipient."""

SAYS_LITTLE = frozenset({Refusal.RECIPIENT_REFUSED, Refusal.CONTENT_REFUSED})
"""No more than no: said to many in a row, it is about none of them."""


def refusal_of(stage: Stage, reply: Reply) -> Refusal | None:
    """What this refusal means; None where the words say no more than no (for a login: wrong name or
    password).
    """
    said = str(reply)[:GIST]
    if asks_for_mailbox_login(reply):
        return Refusal.POP_LOGIN_NEEDED
    # Fewer connections are the answer to too many mails as well, and what is wrong are the mails.
    if asks_for_fewer_connections(reply) and not _TOO_MUCH_MAIL.search(said):
        return Refusal.TOO_MANY_CONNECTIONS
    # Postfix says at RCPT what it has against the sender, so that it can log the recipient too.
    if stage is Stage.RCPT and _ABOUT_SENDER.search(said):
        stage = Stage.MAIL
    enhanced = reply.enhanced
    if stage is not Stage.AUTH and enhanced is not None:
        decided = _DECIDED.get((enhanced.subject, enhanced.detail))
        if decided is not None:
            return decided
    needs_login = _NEEDS_LOGIN.search(said) and "dmarc" not in said.lower()
    if stage is not Stage.AUTH and (reply.code == 530 or needs_login):
        tls = _ANYWHERE[-1][0].search(said)
        return Refusal.TLS_REQUIRED if tls else Refusal.AUTH_REQUIRED
    for pattern, meaning in (*_BY_STAGE.get(stage, ()), *_ANYWHERE):
        if pattern.search(said):
            return meaning
    return _by_code(stage, reply)


def _by_code(stage: Stage, reply: Reply) -> Refusal | None:
    enhanced = reply.enhanced
    if stage not in (Stage.MAIL, Stage.RCPT, Stage.DATA, Stage.CONTENT):
        return None
    if enhanced is not None and (found := _ENHANCED.get((enhanced.subject, enhanced.detail))):
        return found
    if reply.code in (452, 552):
        if stage in (Stage.DATA, Stage.CONTENT, Stage.MAIL):
            return Refusal.TOO_LARGE if reply.code == 552 else Refusal.SERVER_STORAGE
        return Refusal.MAILBOX_FULL
    if reply.persistence is Persistence.TRANSIENT:
        return (
            Refusal.GREYLISTED if stage is Stage.RCPT and reply.code in (450, 451) else Refusal.SERVER_TROUBLE
        )
    if stage is Stage.MAIL:
        not_owned = reply.code == 553 or (
            enhanced is not None and (enhanced.subject, enhanced.detail) == (7, 1)
        )
        return Refusal.SENDER_NOT_OWNED if not_owned else Refusal.SENDER_REFUSED
    if stage is Stage.RCPT:
        if enhanced is not None and (enhanced.subject, enhanced.detail) == (7, 1):
            return Refusal.RELAY_DENIED
        return Refusal.RECIPIENT_REFUSED
    return Refusal.CONTENT_REFUSED
