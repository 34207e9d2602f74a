"""Every cause that we can tell apart: what is the case, why, what to do, and the setting that sets it right.

One table for the test, the pause reason on the status page, and the documentation. `code` is a smtpclient
Cause, a Refusal (the server's words) or one of our own.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from depesche.mailroom.connections.choices import EncryptionMode
from depesche.mailroom.connections.diagnosis import causes_oauth
from depesche.mailroom.connections.diagnosis.replies import Refusal
from depesche.mailroom.connections.diagnosis.steps import Cause
from depesche.smtpclient.config import TokenUnavailable
from depesche.smtpclient.errors import Cause as Failure
from depesche.smtpclient.errors import Stage

Text = Promise | str
SILENT = "silent"
"""A time-out once the connection stood: no firewall is to blame."""


@dataclass(frozen=True)
class Entry:
    """The three texts of a cause. They may name %(host)s, %(port)s, %(username)s, %(address)s, %(names)s,
    %(encryption)s and %(seconds)s."""

    title: Text
    sentence: Text
    remedy: Text


ASK_THE_SERVER = _("Ask whoever runs the mail server.")

ENTRIES: dict[str, Entry] = {
    # --- Reaching the server --------------------------------------------------------------------------------
    Failure.NAME_NOT_FOUND.value: Entry(
        _("The server’s name does not exist"),
        _("The name service knows no address for %(host)s."),
        _("Check the spelling. A name without a dot is only known inside your own network."),
    ),
    Failure.NAME_LOOKUP_FAILED.value: Entry(
        _("The name service gave no answer"),
        _("Whether %(host)s exists could not be found out."),
        _("Check the name servers of this machine, or enter the server’s IP address."),
    ),
    Failure.NO_ROUTE.value: Entry(
        _("No way leads to the server"),
        _("The network of this machine knows no route to %(host)s."),
        _(
            "Check the network connection of this machine, and whether the address is in a network it can "
            "reach."
        ),
    ),
    Failure.REFUSED.value: Entry(
        _("Nothing listens there"),
        _("%(host)s answered that no program accepts connections at port %(port)s."),
        _(
            "Check the port: 465 is usual for SSL, 587 for TLS, 25 without encryption. Or the mail server "
            "is down."
        ),
    ),
    Failure.TIMEOUT.value: Entry(
        _("The server cannot be reached at this port"),
        _("%(host)s, port %(port)s, gave no sign within %(seconds)s seconds."),
        _(
            "Mostly a firewall swallows the connection: it must let port %(port)s out. Or the port is the "
            "wrong one."
        ),
    ),
    SILENT: Entry(
        _("The server fell silent"),
        _("The connection to %(host)s stands, but within %(seconds)s seconds nothing more came."),
        _("It is overloaded or hangs: try again. If it stays so, ask whoever runs it."),
    ),
    Failure.NETWORK.value: Entry(
        _("The network failed"),
        _("The connection to %(host)s, port %(port)s, could not be made."),
        _("Try again. If it stays so, check the network of this machine."),
    ),
    Failure.CONNECTION_LOST.value: Entry(
        _("The connection was cut"),
        _("%(host)s closed the connection in the middle of the dialogue."),
        _("Try again. If it stays so, the server or something between closes it: ask whoever runs it."),
    ),
    Failure.CHUNKING_FAILED.value: Entry(
        _("The server announces CHUNKING and does not know it"),
        _("Mails go out the usual way instead; Depesche has noticed it and does not try again."),
        _("Nothing is to be done. Whoever runs the server may want to know."),
    ),
    Failure.NOT_SMTP.value: Entry(
        _("This is no SMTP server"),
        _("What answers at %(host)s, port %(port)s, speaks another protocol."),
        _("Check the port: mailboxes have 143, 993, 110 or 995, submission has 465, 587 or 25."),
    ),
    Failure.PROTOCOL_ERROR.value: Entry(
        _("The server broke the rules of SMTP"),
        _("%(host)s said something that has no place there."),
        _(
            "The transcript shows it. Something between, such as a virus scanner or a proxy, may be the "
            "reason."
        ),
    ),
    Failure.ABORTED.value: Entry(
        _("The test was stopped"), _("It was ended from our side."), _("Test again when you like.")
    ),
    # --- Greeting -------------------------------------------------------------------------------------------
    Failure.GREETING_REFUSED.value: Entry(
        _("The server refuses this machine"),
        _(
            "It said no in place of a greeting. Often the address of this machine is blocked or not "
            "permitted."
        ),
        _("Ask whoever runs the server to permit this machine, or use the port for submission, 587 or 465."),
    ),
    Failure.SERVICE_CLOSING.value: Entry(
        _("The server is closed just now"),
        _("It asked to come back later."),
        _("Try again in some minutes. Mails wait and lose nothing."),
    ),
    Failure.TOO_MANY_CONNECTIONS.value: Entry(
        _("Too many connections"),
        _("The server permits fewer connections at a time."),
        _("Lower the limit on the number of connections. Depesche also goes down by itself and grows back."),
    ),
    Failure.EHLO_REFUSED.value: Entry(
        _("The server refuses our name"),
        _("It did not accept the name under which this machine introduced itself."),
        _("Give this machine a full name that the name service knows, or ask whoever runs the server."),
    ),
    # --- Encryption -----------------------------------------------------------------------------------------
    Failure.TLS_ON_PLAIN_PORT.value: Entry(
        _("Port %(port)s speaks TLS from the first byte"),
        _("The server waits for TLS, while “%(encryption)s” begins in the clear."),
        _("Set the encryption to SSL."),
    ),
    Failure.PLAIN_ON_TLS_PORT.value: Entry(
        _("Port %(port)s does not begin with TLS"),
        _("The server answers in the clear, while “%(encryption)s” expects TLS from the first byte."),
        _("Set the encryption to TLS, with STARTTLS on port 587."),
    ),
    Failure.STARTTLS_NOT_OFFERED.value: Entry(
        _("The server offers no encryption here"),
        _("It does not announce STARTTLS at port %(port)s, and the encryption “%(encryption)s” demands it."),
        _(
            "Try SSL with port 465. If nobody can listen on the way, for example on this machine, None will "
            "do."
        ),
    ),
    Failure.STARTTLS_REFUSED.value: Entry(
        _("The server announced encryption, and then refused it"),
        _("STARTTLS got a no. Its certificate or its set-up may be broken."),
        _("Try SSL with port 465, or ask whoever runs the server."),
    ),
    Failure.INJECTED_BEFORE_TLS.value: Entry(
        _("Somebody put something into the connection"),
        _(
            "Words arrived before the encryption began, as in an attack. Depesche broke off and said "
            "nothing more."
        ),
        _("Use SSL with port 465, and have the way to the server looked at."),
    ),
    Failure.CERT_EXPIRED.value: Entry(
        _("The certificate has expired"),
        _("%(host)s shows a certificate whose time is over. Depesche submits nothing over such a line."),
        _(
            "Whoever runs the server has to renew it. If the date is wrong here, set the clock of this "
            "machine."
        ),
    ),
    Failure.CERT_NOT_YET_VALID.value: Entry(
        _("The certificate is not valid yet"),
        _("Its time begins in the future."),
        _("Check the clock of this machine first, then that of whoever issued the certificate."),
    ),
    Failure.CERT_OTHER_HOST.value: Entry(
        _("The certificate is for another name"),
        _("You entered %(host)s, which the certificate does not name.%(names)s"),
        _(
            "Enter the name that stands in the certificate, or look at it and trust it for this host and "
            "port."
        ),
    ),
    Failure.CERT_SELF_SIGNED.value: Entry(
        _("Nobody vouches for the certificate"),
        _("%(host)s signed its certificate itself. That is usual for a company’s own server."),
        _("Look at the certificate, compare its fingerprint with whoever runs the server, and trust it."),
    ),
    Failure.CERT_UNKNOWN_CA.value: Entry(
        _("Nobody known vouches for the certificate"),
        _("It was issued by an authority that this machine does not know."),
        _(
            "Look at the certificate, compare its fingerprint with whoever runs the server, and trust it; or "
            "import the authority’s certificate from a file."
        ),
    ),
    Failure.CERT_WEAK.value: Entry(
        _("The certificate is too weak"),
        _("Its key or signature can be forged with today’s means."),
        _("Whoever runs the server has to replace it: RSA from 2048 bits or ECDSA, signed with SHA-256."),
    ),
    Failure.CERT_CHANGED.value: Entry(
        _("The server shows another certificate than the trusted one"),
        _("For %(host)s, port %(port)s, one certificate is trusted, and this is not it."),
        _(
            "Look at both. If the server’s was renewed, trust the new one in place of the old. If not, "
            "beware."
        ),
    ),
    Failure.CERT_INVALID.value: Entry(
        _("The certificate could not be verified"),
        _("Something about it is not in order."),
        _("The transcript names it. Ask whoever runs the server."),
    ),
    Failure.TLS_TOO_OLD.value: Entry(
        _("The server’s encryption is too old"),
        _("It knows no version that is still safe: TLS 1.2 at least."),
        _("The server needs an update. A server of your own on this machine can pass mails on to it."),
    ),
    Failure.TLS_HANDSHAKE.value: Entry(
        _("The encryption could not be agreed on"),
        _("The handshake was broken off."),
        _("The transcript names the reason. Ask whoever runs the server."),
    ),
    Failure.CLIENT_CERTIFICATE_WANTED.value: Entry(
        _("The server wants a certificate from us"),
        _("%(host)s lets in only programs that show a certificate of their own (mutual TLS)."),
        _("Use another port of this server, or have it accept a login by user name and password instead."),
    ),
    # --- Login ----------------------------------------------------------------------------------------------
    Failure.AUTH_NOT_OFFERED.value: Entry(
        _("The server offers no login here"),
        _("At port %(port)s, with this encryption, it announces no authentication."),
        _("Many servers offer it only encrypted or at port 587 or 465. A server of your own may need none."),
    ),
    "login-needs-tls": Entry(
        _("The server offers a login only once the line is encrypted"),
        _("It announces STARTTLS and no authentication before it."),
        _("Set the encryption to TLS."),
    ),
    Failure.AUTH_NO_COMMON_MECHANISM.value: Entry(
        _("No method of login in common"),
        _("The server offers none that works with user name and password."),
        _(
            "Microsoft 365 and Google demand OAuth 2.0. Servers set up for Windows logins only "
            "cannot be used."
        ),
    ),
    Failure.AUTH_REFUSED.value: Entry(
        _("User name or password is wrong"),
        _("The server refused the login of %(username)s."),
        _("Type the password again. Many servers want the full e-mail address as user name."),
    ),
    Failure.AUTH_TEMPORARY.value: Entry(
        _("The server cannot check the login just now"),
        _("It asked to come back later."),
        _("Try again in some minutes."),
    ),
    Failure.AUTH_SERVER_UNPROVEN.value: Entry(
        _("The server did not prove that it knows the password"),
        _("Somebody may pretend to be %(host)s."),
        _("Do not log in until you know what stands between. Ask whoever runs the server."),
    ),
    Failure.CLEAR_PASSWORD_FORBIDDEN.value: Entry(
        _("The password would travel readable"),
        _("The line is not encrypted, and the server offers no method that hides the password."),
        _(
            "Choose an encryption. Only for a server on a line that nobody can listen to, permit it "
            "expressly."
        ),
    ),
    Failure.POP_LOGIN_NEEDED.value: Entry(
        _("The server wants a login to the mailbox first"),
        _("It accepts mails only for some minutes after somebody looked into the mailbox."),
        _("Set the authentication to “Connect to the incoming mailbox first”."),
    ),
    Refusal.APP_PASSWORD_NEEDED: Entry(
        _("The provider wants an app password"),
        _("The account’s ordinary password does not work for programs."),
        _("Make an app password in the account’s security settings and enter it here."),
    ),
    Refusal.BASIC_AUTH_DISABLED: Entry(
        _("The provider has switched off logins by password"),
        _("Microsoft 365 and Google accept OAuth 2.0 only."),
        _("Set the authentication to OAuth 2.0, and connect."),
    ),
    Refusal.SMTP_AUTH_DISABLED: Entry(
        _("Submission by SMTP is switched off for this account"),
        _(
            "The provider’s administrator has to permit “Authenticated SMTP” for %(username)s, "
            "and it must not be "
            "switched off for the whole organisation. With OAuth 2.0 it is needed too."
        ),
        _("Ask the provider’s administrator. Where it cannot be permitted, use another server."),
    ),
    Refusal.ACCOUNT_LOCKED: Entry(
        _("The account is locked"),
        _(
            "The server knows %(username)s and does not let it in. Too many wrong passwords may be the "
            "reason."
        ),
        _(
            "Have it unlocked. An account of its own for the tracker keeps two programs from locking each "
            "other out."
        ),
    ),
    Refusal.PASSWORD_EXPIRED: Entry(
        _("The password has expired"),
        _("The server wants a new one for %(username)s."),
        _("Set a new password in the account and enter it here."),
    ),
    Refusal.SECOND_FACTOR: Entry(
        _("The account wants a second factor"),
        _("A program cannot give one."),
        _("Make an app password for it, or an account without a second factor for the tracker."),
    ),
    Refusal.WEB_LOGIN_NEEDED: Entry(
        _("The provider wants you to log in with a browser first"),
        _("It found the login of a new program suspicious."),
        _("Log in to the account with a browser, confirm, and test again."),
    ),
    Refusal.AUTH_MECHANISM_WEAK: Entry(
        _("The server wants a stronger method of login"),
        _("It refused the one that was used."),
        ASK_THE_SERVER,
    ),
    "password-needed": Entry(
        _("The password is missing"),
        _("%(detail)s"),
        _("Type the password and save."),
    ),
    "mailbox-login": Entry(
        _("The login to the mailbox failed"),
        _("The authentication begins with the incoming mailbox: %(detail)s"),
        _("Set the mailbox right under “Incoming” and test it there."),
    ),
    # --- Sender ---------------------------------------------------------------------------------------------
    Refusal.SENDER_NOT_OWNED: Entry(
        _("The server allows only its own sender"),
        _("It does not accept %(address)s as sender for this login."),
        _("Use the address that belongs to the login, or have the server permit this one."),
    ),
    Refusal.HEADER_FROM_REFUSED: Entry(
        _("The server refuses the From of the mail"),
        _("The login may not write mails as %(address)s."),
        _("Use the address that belongs to the login, or have the server permit this one (“Send as”)."),
    ),
    Refusal.SENDER_DOMAIN_UNKNOWN: Entry(
        _("The server does not know the sender’s domain"),
        _("The name service has no entry for the domain of %(address)s, and the server asks for one."),
        _("Use an address under a domain that exists."),
    ),
    Refusal.SENDER_REFUSED: Entry(
        _("The server refuses this sender"),
        _("It does not accept mails from %(address)s."),
        ASK_THE_SERVER,
    ),
    Refusal.DMARC: Entry(
        _("The sender’s domain forbids it (DMARC)"),
        _("The domain of %(address)s says that only its own servers may send for it."),
        _("Use the system address as sender, or submit through a server of that domain."),
    ),
    Refusal.AUTH_REQUIRED: Entry(
        _("The server wants a login"),
        _("It accepts mails only after authentication."),
        _("Set the authentication to “Own user name and password”."),
    ),
    Refusal.TLS_REQUIRED: Entry(
        _("The server wants encryption"),
        _("It accepts nothing before STARTTLS."),
        _("Set the encryption to TLS."),
    ),
    # --- Recipient ------------------------------------------------------------------------------------------
    Refusal.RELAY_DENIED: Entry(
        _("The server does not pass mails on for us"),
        _("It takes mails to %(address)s only from those who logged in or are permitted."),
        _("Use authentication, or have the server permit this machine to relay."),
    ),
    Refusal.RECIPIENT_UNKNOWN: Entry(
        _("The recipient does not exist"),
        _("The server knows no mailbox %(address)s."),
        _("Check the address of the test mail. The connection itself works."),
    ),
    Refusal.RECIPIENT_DOMAIN_UNKNOWN: Entry(
        _("The recipient’s domain does not exist"),
        _("The server finds no server for the domain of %(address)s."),
        _("Check the address of the test mail. The connection itself works."),
    ),
    Refusal.RECIPIENT_DISABLED: Entry(
        _("The recipient’s mailbox is switched off"),
        _("The server knows %(address)s and does not deliver to it."),
        _("Test with another address."),
    ),
    Refusal.RECIPIENT_REFUSED: Entry(
        _("The server refuses this recipient"), _("It does not take mails to %(address)s."), ASK_THE_SERVER
    ),
    Refusal.MAILBOX_FULL: Entry(
        _("The recipient’s mailbox is full"),
        _("%(address)s has no room left."),
        _("Its owner has to make room. The connection itself works."),
    ),
    Refusal.GREYLISTED: Entry(
        _("The server wants to see us again"),
        _("It puts off unknown senders on purpose and accepts the mail at the next try (greylisting)."),
        _("Nothing to do: the outbox tries again by itself. Test again in some minutes."),
    ),
    # --- Content --------------------------------------------------------------------------------------------
    Refusal.TOO_LARGE: Entry(
        _("The mail is too large"),
        _("The server takes smaller mails only."),
        _("Have the server’s limit raised, or send files as links."),
    ),
    Refusal.SPAM: Entry(
        _("The server takes the mail for spam"),
        _("It refused the content."),
        _("Have the server permit this sender. The domain needs SPF and DKIM that name this server."),
    ),
    Refusal.BLOCKLISTED: Entry(
        _("This machine’s address is on a block list"),
        _("The server refuses mails from it."),
        _(
            "Submit with a login at port 587 or 465, and have the address taken off the list that the "
            "server names."
        ),
    ),
    Refusal.CONTENT_REFUSED: Entry(
        _("The server refuses the content"), _("It did not say a reason that Depesche knows."), ASK_THE_SERVER
    ),
    # --- Amount ---------------------------------------------------------------------------------------------
    Refusal.RATE_LIMIT: Entry(
        _("Too many mails in a short time"),
        _("The server slows us down."),
        _("Nothing to do: mails wait and go out later. A smaller number of connections helps."),
    ),
    Refusal.DAILY_QUOTA: Entry(
        _("The quota of the day is used up"),
        _("The provider takes no more mails from this account today."),
        _("Mails wait until tomorrow. For more, the account needs a larger quota."),
    ),
    Refusal.SERVER_STORAGE: Entry(
        _("The server has no room"),
        _("It cannot store the mail just now."),
        _("Whoever runs it has to make room. Mails wait and go out later."),
    ),
    Refusal.SERVER_TROUBLE: Entry(
        _("The server has trouble just now"),
        _("It asked to come back later."),
        _("Try again in some minutes. Mails wait and lose nothing."),
    ),
    # --- Our own --------------------------------------------------------------------------------------------
    "uncertain": Entry(
        _("Nobody knows whether the server took it"),
        _("The connection was cut after the content and before the reply."),
        _("Look into the mailbox of %(address)s, then test again."),
    ),
    "needs-smtputf8": Entry(
        _("The server cannot take this address"),
        _("%(address)s has letters outside ASCII, and the server does not offer SMTPUTF8."),
        _("Test with another address."),
    ),
    "not-arrived": Entry(
        _("The test mail did not arrive in the mailbox"),
        _("The server took it for %(address)s, but within %(seconds)s seconds it was not in the mailbox."),
        _(
            "It may still come. If not, the mailbox does not belong to the system address, or a filter "
            "moved it."
        ),
    ),
    "mailbox-unreachable": Entry(
        _("The mailbox could not be looked into"),
        _("%(detail)s"),
        _("Set the mailbox right under “Incoming” and test it there."),
    ),
    "mailbox-not-addressed": Entry(
        _("The server does not deliver to the system address"),
        _("It refused %(address)s as recipient, so that answers cannot arrive there."),
        _("The system address and the mailbox under “Incoming” have to belong together."),
    ),
    "in-the-clear": Entry(
        _("Everything travels readable"),
        _("The line to the server is not encrypted."),
        _("Choose TLS if the server offers it. On one and the same machine it does not matter."),
    ),
    "password-in-the-clear": Entry(
        _("The password travelled readable"),
        _("The line is not encrypted, and it was permitted expressly."),
        _("Choose an encryption, unless nobody can listen on the way."),
    ),
    "certificate-ends": Entry(
        _("The certificate expires soon"),
        _("After that nothing is submitted until it is renewed."),
        _("Remind whoever runs the server."),
    ),
    "no-server": Entry(
        _("No SMTP server is set up"),
        _("Mails wait in the outbox and go out as soon as one is."),
        _("Set it up under “Outgoing”."),
    ),
    "refused-alike": Entry(
        _("The server refuses every mail"),
        _(
            "Several recipients in a row got the same answer. That is a matter of the connection, not of "
            "the mails."
        ),
        _("Test the connection. The mails were queued again, and none has lost an attempt."),
    ),
    "not-configured": Entry(
        _("Something is missing in the settings"),
        _("%(detail)s"),
        _("Complete them under “Outgoing”."),
    ),
    "mailbox-silent": Entry(
        _("The server takes the connection, but says nothing"),
        _("%(host)s, port %(port)s, waits for something else than we speak with %(encryption)s."),
        _("Mostly TLS begins at once at this port: choose SSL. At 993 and 995 it always does."),
    ),
    "mailbox-folder": Entry(
        _("The server does not open the folder"),
        _("Login works, but %(host)s gives no access to the folder %(folder)s."),
        _("Check the folder’s name as it stands at the server; INBOX is always there."),
    ),
    "mailbox-read-only": Entry(
        _("The folder can only be read"),
        _("%(host)s lets nothing be marked, moved or deleted in %(folder)s."),
        _(
            "It works so: what was taken over is remembered here. For anything else give the user "
            "%(username)s the right to write."
        ),
    ),
    "unknown": Entry(
        _("The connection does not work"),
        _("%(detail)s"),
        _("Test the connection: it shows the step that fails."),
    ),
}

ENTRIES |= {code: Entry(*texts) for code, texts in causes_oauth.TEXTS.items()}

_SAME: dict[str, str] = {
    Refusal.TOO_MANY_CONNECTIONS: Failure.TOO_MANY_CONNECTIONS.value,
    Refusal.POP_LOGIN_NEEDED: Failure.POP_LOGIN_NEEDED.value,
}


def code_of(cause: Failure | str, stage: Stage | str) -> str:
    """The code of a failure at this stage of a session."""
    code = cause.value if isinstance(cause, Failure) else cause
    where = stage.value if isinstance(stage, Stage) else stage
    silent = code == Failure.TIMEOUT.value and where not in ("", Stage.RESOLVE.value, Stage.CONNECT.value)
    return SILENT if silent else code


def code_of_token(error: BaseException) -> str:
    """Why there was no access token, where that is what stopped a session or a mailbox; else ""."""
    return error.__cause__.code if isinstance(error.__cause__, TokenUnavailable) else ""


def names_in_it(names: Sequence[str]) -> str:
    """The end of a sentence about a certificate: what it does name."""
    return " " + gettext("It names: %(names)s.") % {"names": ", ".join(names[:6])} if names else ""


def explain(code: str, facts: Mapping[str, object] | None = None, **more: object) -> Cause:
    """The cause in the language in force, with these facts filled in.

    `facts` are host, port, encryption, username …; what is not known stays empty.
    """
    code = _SAME.get(code, code)
    entry = ENTRIES.get(code, ENTRIES["unknown"])
    values: dict[str, object] = defaultdict(str, _nameless())
    values.update((key, value) for key, value in {**(facts or {}), **more}.items() if value not in ("", None))
    if "encryption" in values:
        values["encryption"] = _encryption_label(str(values["encryption"]))
    return Cause(
        code=code,
        title=str(entry.title) % values,
        sentence=" ".join((str(entry.sentence) % values).split()),
        remedy=str(entry.remedy) % values,
    )


def _nameless() -> dict[str, object]:
    """What stands where a sentence names something that is not known."""
    return {"address": gettext("this address"), "username": gettext("this user"), "folder": "INBOX"}


def _encryption_label(value: str) -> str:
    try:
        return str(EncryptionMode(value).label)
    except ValueError:
        return value
