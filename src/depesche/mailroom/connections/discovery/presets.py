"""Mail providers as a table: hosts, ports, encryption, and what one has to know (decision 141). Pure.

A row says nothing that the code would act on by the provider's name. `{mx}` in a host stands for the mail
exchanger of the domain, where each customer has a server of their own.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from django.utils.translation import gettext_lazy as _

if TYPE_CHECKING:
    from django_stubs_ext import StrPromise


class Hint(StrEnum):
    """What one has to know of a provider, beside hosts and ports."""

    OAUTH = "oauth"
    APP_PASSWORD = "app-password"  # noqa: S105  a hint, not a password
    OWN_PASSWORD = "own-password"  # noqa: S105  a hint, not a password
    SMTP_AUTH_ON = "smtp-auth-on"
    ACCESS_ON = "access-on"
    FROM_IS_LOGIN = "from-is-login"
    VERIFIED_SENDER = "verified-sender"
    SUBMISSION_ONLY = "submission-only"
    API_KEY = "api-key"
    TOKEN_TWICE = "token-twice"  # noqa: S105  a hint, not a password
    SMTP_CREDENTIALS = "smtp-credentials"
    REGION = "region"
    BRIDGE = "bridge"
    OWN_SERVER = "own-server"
    PERMITTED_ADDRESS = "permitted-address"
    NO_POP = "no-pop"


HINTS: Final[Mapping[Hint, StrPromise | str]] = {
    Hint.OAUTH: _("It takes no passwords from programs: choose OAuth 2.0, and connect."),
    Hint.APP_PASSWORD: _(
        "The account’s own password does not work: make an app password in its security settings."
    ),
    Hint.OWN_PASSWORD: _("Mail programs have a password of their own, which is set in the customer centre."),
    Hint.SMTP_AUTH_ON: _("“Authenticated SMTP” has to be switched on for this mailbox."),
    Hint.ACCESS_ON: _("Access by POP3 and IMAP has to be permitted in the settings of the web mailbox."),
    Hint.FROM_IS_LOGIN: _(
        "From has to be the address of the login, or an alias of it: choose “System” as sender address."
    ),
    Hint.VERIFIED_SENDER: _("The system address, or its domain, has to be verified with the provider first."),
    Hint.SUBMISSION_ONLY: _("It has no mailboxes: the mailbox for answers is somewhere else."),
    Hint.API_KEY: _("The user name is the word “apikey”, the password is an API key."),
    Hint.TOKEN_TWICE: _("User name and password are both the server’s API token."),
    Hint.SMTP_CREDENTIALS: _("It has SMTP credentials of its own, which are not those of the account."),
    Hint.REGION: _("The server’s name holds the region: set yours."),
    Hint.BRIDGE: _(
        "The Bridge has to run on this machine. Use the password that it shows, and trust its "
        "certificate in the "
        "keystore."
    ),
    Hint.OWN_SERVER: _("Each customer has a server of their own: its name stands in the customer centre."),
    Hint.PERMITTED_ADDRESS: _(
        "This machine’s address has to be permitted in the administration of the provider."
    ),
    Hint.NO_POP: _("The mailbox is reached by IMAP only."),
}


@dataclass(frozen=True)
class Server:
    """Where something is spoken. `encryption` is ssl or tls."""

    host: str
    port: int
    encryption: str


@dataclass(frozen=True)
class Preset:
    """One provider. `domains` are those of its own addresses, `exchangers` the domains of the servers in
    the MX of domains that it hosts. `username`: what a user name is; "" where it cannot be known."""

    key: str
    name: str
    smtp: Server
    imap: Server | None = None
    pop3: Server | None = None
    auth: str = "password"
    username: str = "{address}"
    domains: tuple[str, ...] = ()
    exchangers: tuple[str, ...] = ()
    hints: tuple[Hint, ...] = ()
    provider: str = ""  # for OAuth 2.0: a key of oauth.providers

    def named(self, address: str) -> str:
        """The user name for an address; "" where it cannot be known."""
        return self.username.format(address=address, local=address.rpartition("@")[0])


def _ssl(host: str, port: int) -> Server:
    return Server(host, port, "ssl")


def _tls(host: str, port: int = 587) -> Server:
    return Server(host, port, "tls")


PRESETS: Final[tuple[Preset, ...]] = (
    Preset(
        "microsoft365",
        "Microsoft 365 (Exchange Online)",
        _tls("smtp.office365.com"),
        imap=_ssl("outlook.office365.com", 993),
        pop3=_ssl("outlook.office365.com", 995),
        auth="oauth2",
        provider="microsoft",
        exchangers=("mail.protection.outlook.com", "mx.microsoft"),
        hints=(Hint.OAUTH, Hint.SMTP_AUTH_ON, Hint.FROM_IS_LOGIN),
    ),
    Preset(
        "outlook",
        "Outlook.com, Hotmail",
        _tls("smtp-mail.outlook.com"),
        imap=_ssl("outlook.office365.com", 993),
        pop3=_ssl("outlook.office365.com", 995),
        auth="oauth2",
        provider="microsoft",
        domains=("outlook.com", "outlook.de", "hotmail.com", "hotmail.de", "live.com", "live.de", "msn.com"),
        hints=(Hint.OAUTH, Hint.ACCESS_ON, Hint.FROM_IS_LOGIN),
    ),
    Preset(
        "google",
        "Gmail, Google Workspace",
        _ssl("smtp.gmail.com", 465),
        imap=_ssl("imap.gmail.com", 993),
        pop3=_ssl("pop.gmail.com", 995),
        auth="oauth2",
        provider="google",
        domains=("gmail.com", "googlemail.com"),
        exchangers=("google.com", "googlemail.com"),
        hints=(Hint.OAUTH, Hint.FROM_IS_LOGIN),
    ),
    Preset(
        "google-relay",
        "Google Workspace SMTP relay",
        _tls("smtp-relay.gmail.com"),
        auth="none",
        username="",
        hints=(Hint.PERMITTED_ADDRESS, Hint.SUBMISSION_ONLY),
    ),
    Preset(
        "ionos",
        "IONOS",
        _ssl("smtp.ionos.de", 465),
        imap=_ssl("imap.ionos.de", 993),
        pop3=_ssl("pop.ionos.de", 995),
        exchangers=("ionos.de", "ionos.com", "kundenserver.de", "1and1.com"),
        hints=(Hint.FROM_IS_LOGIN,),
    ),
    Preset(
        "strato",
        "STRATO",
        _ssl("smtp.strato.de", 465),
        imap=_ssl("imap.strato.de", 993),
        pop3=_ssl("pop3.strato.de", 995),
        exchangers=("rzone.de",),
        hints=(Hint.FROM_IS_LOGIN,),
    ),
    Preset(
        "gmx",
        "GMX (de, net, at, ch)",
        _tls("mail.gmx.net"),
        imap=_ssl("imap.gmx.net", 993),
        pop3=_ssl("pop.gmx.net", 995),
        domains=("gmx.de", "gmx.net", "gmx.at", "gmx.ch", "gmx.info", "gmx.eu"),
        hints=(Hint.ACCESS_ON, Hint.FROM_IS_LOGIN),
    ),
    Preset(
        "gmx-com",
        "GMX (com)",
        _tls("mail.gmx.com"),
        imap=_ssl("imap.gmx.com", 993),
        pop3=_ssl("pop.gmx.com", 995),
        domains=("gmx.com", "gmx.us", "gmx.co.uk", "gmx.fr"),
        hints=(Hint.ACCESS_ON, Hint.FROM_IS_LOGIN),
    ),
    Preset(
        "web-de",
        "WEB.DE",
        _tls("smtp.web.de"),
        imap=_ssl("imap.web.de", 993),
        pop3=_ssl("pop3.web.de", 995),
        domains=("web.de",),
        hints=(Hint.ACCESS_ON, Hint.FROM_IS_LOGIN),
    ),
    Preset(
        "t-online",
        "T-Online",
        _ssl("securesmtp.t-online.de", 465),
        imap=_ssl("secureimap.t-online.de", 993),
        pop3=_ssl("securepop.t-online.de", 995),
        domains=("t-online.de", "magenta.de"),
        hints=(Hint.OWN_PASSWORD, Hint.FROM_IS_LOGIN),
    ),
    Preset(
        "freenet",
        "freenet",
        _tls("mx.freenet.de"),
        imap=_ssl("mx.freenet.de", 993),
        pop3=_ssl("mx.freenet.de", 995),
        domains=("freenet.de",),
        hints=(Hint.FROM_IS_LOGIN,),
    ),
    Preset(
        "mailbox-org",
        "mailbox.org",
        _ssl("smtp.mailbox.org", 465),
        imap=_ssl("imap.mailbox.org", 993),
        pop3=_ssl("pop3.mailbox.org", 995),
        domains=("mailbox.org",),
        exchangers=("mailbox.org",),
        hints=(Hint.FROM_IS_LOGIN,),
    ),
    Preset(
        "posteo",
        "Posteo",
        _ssl("posteo.de", 465),
        imap=_ssl("posteo.de", 993),
        pop3=_ssl("posteo.de", 995),
        domains=("posteo.de", "posteo.net", "posteo.eu"),
        hints=(Hint.FROM_IS_LOGIN,),
    ),
    Preset(
        "fastmail",
        "Fastmail",
        _ssl("smtp.fastmail.com", 465),
        imap=_ssl("imap.fastmail.com", 993),
        pop3=_ssl("pop.fastmail.com", 995),
        domains=("fastmail.com", "fastmail.fm"),
        exchangers=("messagingengine.com",),
        hints=(Hint.APP_PASSWORD, Hint.FROM_IS_LOGIN),
    ),
    Preset(
        "yahoo",
        "Yahoo",
        _ssl("smtp.mail.yahoo.com", 465),
        imap=_ssl("imap.mail.yahoo.com", 993),
        pop3=_ssl("pop.mail.yahoo.com", 995),
        domains=("yahoo.com", "yahoo.de", "yahoo.co.uk", "yahoo.fr", "ymail.com", "rocketmail.com"),
        exchangers=("yahoodns.net",),
        hints=(Hint.APP_PASSWORD, Hint.FROM_IS_LOGIN),
    ),
    Preset(
        "aol",
        "AOL",
        _ssl("smtp.aol.com", 465),
        imap=_ssl("imap.aol.com", 993),
        pop3=_ssl("pop.aol.com", 995),
        domains=("aol.com", "aol.de"),
        hints=(Hint.APP_PASSWORD, Hint.FROM_IS_LOGIN),
    ),
    Preset(
        "icloud",
        "iCloud",
        _tls("smtp.mail.me.com"),
        imap=_ssl("imap.mail.me.com", 993),
        domains=("icloud.com", "me.com", "mac.com"),
        exchangers=("mail.icloud.com",),
        hints=(Hint.APP_PASSWORD, Hint.NO_POP, Hint.FROM_IS_LOGIN),
    ),
    Preset(
        "zoho-eu",
        "Zoho Mail (EU)",
        _ssl("smtppro.zoho.eu", 465),
        imap=_ssl("imappro.zoho.eu", 993),
        pop3=_ssl("poppro.zoho.eu", 995),
        exchangers=("zoho.eu",),
        hints=(Hint.APP_PASSWORD, Hint.ACCESS_ON, Hint.FROM_IS_LOGIN),
    ),
    Preset(
        "zoho",
        "Zoho Mail",
        _ssl("smtppro.zoho.com", 465),
        imap=_ssl("imappro.zoho.com", 993),
        pop3=_ssl("poppro.zoho.com", 995),
        domains=("zohomail.com",),
        exchangers=("zoho.com",),
        hints=(Hint.APP_PASSWORD, Hint.ACCESS_ON, Hint.FROM_IS_LOGIN),
    ),
    Preset(
        "proton-bridge",
        "Proton Mail Bridge",
        _tls("127.0.0.1", 1025),
        imap=_tls("127.0.0.1", 1143),
        domains=("proton.me", "protonmail.com", "pm.me"),
        exchangers=("protonmail.ch",),
        hints=(Hint.BRIDGE, Hint.NO_POP, Hint.FROM_IS_LOGIN),
    ),
    Preset(
        "amazon-ses",
        "Amazon SES",
        _tls("email-smtp.eu-central-1.amazonaws.com"),
        username="",
        hints=(Hint.REGION, Hint.SMTP_CREDENTIALS, Hint.VERIFIED_SENDER, Hint.SUBMISSION_ONLY),
    ),
    Preset(
        "mailgun-eu",
        "Mailgun (EU)",
        _tls("smtp.eu.mailgun.org"),
        username="",
        hints=(Hint.SMTP_CREDENTIALS, Hint.VERIFIED_SENDER, Hint.SUBMISSION_ONLY),
    ),
    Preset(
        "mailgun",
        "Mailgun",
        _tls("smtp.mailgun.org"),
        username="",
        hints=(Hint.SMTP_CREDENTIALS, Hint.VERIFIED_SENDER, Hint.SUBMISSION_ONLY),
    ),
    Preset(
        "sendgrid",
        "SendGrid",
        _tls("smtp.sendgrid.net"),
        username="apikey",
        hints=(Hint.API_KEY, Hint.VERIFIED_SENDER, Hint.SUBMISSION_ONLY),
    ),
    Preset(
        "postmark",
        "Postmark",
        _tls("smtp.postmarkapp.com"),
        username="",
        hints=(Hint.TOKEN_TWICE, Hint.VERIFIED_SENDER, Hint.SUBMISSION_ONLY),
    ),
    Preset(
        "brevo",
        "Brevo",
        _tls("smtp-relay.brevo.com"),
        username="",
        hints=(Hint.SMTP_CREDENTIALS, Hint.VERIFIED_SENDER, Hint.SUBMISSION_ONLY),
    ),
    Preset(
        "mailjet",
        "Mailjet",
        _tls("in-v3.mailjet.com"),
        username="",
        hints=(Hint.SMTP_CREDENTIALS, Hint.VERIFIED_SENDER, Hint.SUBMISSION_ONLY),
    ),
    Preset(
        "hetzner",
        "Hetzner Webhosting",
        _ssl("mail.your-server.de", 465),
        imap=_ssl("mail.your-server.de", 993),
        pop3=_ssl("mail.your-server.de", 995),
        exchangers=("your-server.de",),
        hints=(Hint.FROM_IS_LOGIN,),
    ),
    Preset(
        "ovh",
        "OVHcloud",
        _ssl("ssl0.ovh.net", 465),
        imap=_ssl("ssl0.ovh.net", 993),
        pop3=_ssl("ssl0.ovh.net", 995),
        exchangers=("mail.ovh.net", "ovh.net"),
        hints=(Hint.FROM_IS_LOGIN,),
    ),
    Preset(
        "all-inkl",
        "ALL-INKL.COM",
        _ssl("{mx}", 465),
        imap=_ssl("{mx}", 993),
        pop3=_ssl("{mx}", 995),
        exchangers=("kasserver.com",),
        hints=(Hint.OWN_SERVER,),
    ),
    Preset(
        "netcup",
        "netcup",
        _ssl("{mx}", 465),
        imap=_ssl("{mx}", 993),
        pop3=_ssl("{mx}", 995),
        exchangers=("netcup.net",),
        hints=(Hint.OWN_SERVER,),
    ),
    Preset(
        "domainfactory",
        "DomainFactory",
        _ssl("sslout.df.eu", 465),
        imap=_ssl("sslin.df.eu", 993),
        pop3=_ssl("sslin.df.eu", 995),
        exchangers=("ispgateway.de", "df.eu"),
        hints=(Hint.FROM_IS_LOGIN,),
    ),
    Preset(
        "infomaniak",
        "Infomaniak",
        _ssl("mail.infomaniak.com", 465),
        imap=_ssl("mail.infomaniak.com", 993),
        pop3=_ssl("mail.infomaniak.com", 995),
        exchangers=("infomaniak.ch", "infomaniak.com"),
        hints=(Hint.FROM_IS_LOGIN,),
    ),
    Preset(
        "bluewin",
        "Bluewin (Swisscom)",
        _ssl("smtpauths.bluewin.ch", 465),
        imap=_ssl("imaps.bluewin.ch", 993),
        pop3=_ssl("pop3s.bluewin.ch", 995),
        domains=("bluewin.ch", "bluemail.ch"),
        hints=(Hint.FROM_IS_LOGIN,),
    ),
    Preset(
        "gandi",
        "Gandi",
        _ssl("mail.gandi.net", 465),
        imap=_ssl("mail.gandi.net", 993),
        pop3=_ssl("mail.gandi.net", 995),
        exchangers=("mail.gandi.net",),
        hints=(Hint.FROM_IS_LOGIN,),
    ),
    Preset(
        "migadu",
        "Migadu",
        _ssl("smtp.migadu.com", 465),
        imap=_ssl("imap.migadu.com", 993),
        pop3=_ssl("pop.migadu.com", 995),
        exchangers=("migadu.com",),
        hints=(Hint.FROM_IS_LOGIN,),
    ),
)

_BY_KEY = {one.key: one for one in PRESETS}
_BY_DOMAIN = {domain: one for one in PRESETS for domain in one.domains}


def preset(key: str) -> Preset | None:
    """The provider of that key."""
    return _BY_KEY.get(key)


def of_domain(domain: str) -> Preset | None:
    """The provider whose own addresses are under this domain."""
    return _BY_DOMAIN.get(domain.lower())


def of_exchangers(hosts: Iterable[str]) -> tuple[Preset, str] | None:
    """The provider that hosts a domain, by its mail exchangers, and the exchanger that tells so. The longest
    match counts."""
    found: tuple[int, Preset, str] | None = None
    for host in (one.rstrip(".").lower() for one in hosts):
        for one in PRESETS:
            for suffix in one.exchangers:
                matches = host == suffix or host.endswith("." + suffix)
                if matches and (found is None or len(suffix) > found[0]):
                    found = len(suffix), one, host
    return (found[1], found[2]) if found is not None else None
