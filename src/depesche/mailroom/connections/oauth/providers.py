"""Who issues tokens, as a table (decision 140). Pure: no provider has code of its own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

SMTP, IMAP, POP3 = "smtp", "imap", "pop3"


@dataclass(frozen=True)
class Provider:
    """An authorisation server and the mail servers that take its tokens.

    `authorize` and `token` are paths below the two bases; they may name {tenant}. `scopes` are asked for by
    what they permit, `always` beside them. `app_scope`: for client credentials; "" where the provider has
    no such flow. `mail_hosts`: domains of the servers that the tokens are meant for. `tenant`: the one that
    stands for everybody, "" where there are no tenants.
    """

    key: str
    name: str
    authorize_base: str
    token_base: str
    authorize: str
    token: str
    scopes: Mapping[str, str]
    always: tuple[str, ...] = ()
    app_scope: str = ""
    extra: Mapping[str, str] = field(default_factory=dict)
    mail_hosts: tuple[str, ...] = ()
    tenant: str = ""
    console: str = ""  # where an app is registered, for people

    def authorize_url(self, tenant: str, base: str = "") -> str:
        """Where a person consents. `base` in place of the provider's own (a national cloud)."""
        return (base or self.authorize_base) + self.authorize.format(tenant=tenant or self.tenant)

    def token_url(self, tenant: str, base: str = "") -> str:
        """Where tokens are had."""
        return (base or self.token_base) + self.token.format(tenant=tenant or self.tenant)

    def owns(self, host: str) -> bool:
        """Whether this mail server is the provider's own."""
        host = host.rstrip(".").lower()
        return any(host == domain or host.endswith("." + domain) for domain in self.mail_hosts)


MICROSOFT: Final = Provider(
    key="microsoft",
    name="Microsoft 365",
    authorize_base="https://login.microsoftonline.com",
    token_base="https://login.microsoftonline.com",  # noqa: S106  an address
    authorize="/{tenant}/oauth2/v2.0/authorize",
    token="/{tenant}/oauth2/v2.0/token",  # noqa: S106  a path
    scopes={
        SMTP: "https://outlook.office.com/SMTP.Send",
        IMAP: "https://outlook.office.com/IMAP.AccessAsUser.All",
        POP3: "https://outlook.office.com/POP.AccessAsUser.All",
    },
    always=("offline_access", "openid", "email", "profile"),
    app_scope="https://outlook.office365.com/.default",
    extra={"prompt": "select_account", "response_mode": "query"},
    mail_hosts=("office365.com", "outlook.com", "office365.us", "partner.outlook.cn"),
    tenant="common",
    console="https://entra.microsoft.com",
)

GOOGLE: Final = Provider(
    key="google",
    name="Google",
    authorize_base="https://accounts.google.com",
    token_base="https://oauth2.googleapis.com",  # noqa: S106  an address
    authorize="/o/oauth2/v2/auth",
    token="/token",  # noqa: S106  a path
    scopes=dict.fromkeys((SMTP, IMAP, POP3), "https://mail.google.com/"),
    always=("openid", "email"),
    # A refresh token is handed out with a new consent only.
    extra={"access_type": "offline", "prompt": "consent select_account"},
    mail_hosts=("gmail.com", "googlemail.com"),
    console="https://console.cloud.google.com/apis/credentials",
)

PROVIDERS: Final[Mapping[str, Provider]] = {one.key: one for one in (MICROSOFT, GOOGLE)}
