"""What is said about logins by OAuth 2.0 that do not work: title, sentence, remedy (see causes.py).

%(detail)s are the provider's own words, without secrets.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.utils.translation import gettext_lazy as _

from depesche.mailroom.connections.oauth.problems import Problem
from depesche.smtpclient.errors import Cause as Failure

if TYPE_CHECKING:
    from django_stubs_ext import StrPromise

Texts = tuple["StrPromise | str", "StrPromise | str", "StrPromise | str"]

_CONNECT = _("Choose “Save and connect” under “Outgoing”, and sign in with the tracker’s own account.")
_NEW_SECRET = _(
    "Make a new client secret at the provider, and enter its value and the day on which it expires."
)

TEXTS: dict[str, Texts] = {
    Failure.TOKEN_REFUSED.value: (
        _("The mail server refuses the access token"),
        _("The provider handed out a token for %(username)s, but %(host)s did not accept it. %(detail)s"),
        _(
            "Check that the user name is the mailbox that consented, that the mailbox exists, and "
            "that this kind of "
            "access is switched on for it. With client credentials the app needs rights on this very mailbox."
        ),
    ),
    Failure.TOKEN_UNAVAILABLE.value: (
        _("There is no access token"),
        _("The login is by OAuth 2.0, and no token could be had. %(detail)s"),
        _CONNECT,
    ),
    Failure.TOKEN_UNAVAILABLE_NOW.value: (
        _("No access token could be had just now"),
        _("The provider’s authorisation server did not answer as it should. %(detail)s"),
        _("Nothing to do: it is tried again. Mails wait and lose nothing."),
    ),
    Problem.NOT_SET_UP.value: (
        _("OAuth 2.0 is not set up yet"),
        _("Provider or client ID are missing, or the address of this tracker (DEPESCHE_BASE_URL)."),
        _("Register an app with the provider, and enter its client ID under “Outgoing”."),
    ),
    Problem.NOT_CONNECTED.value: (
        _("Nobody has consented yet"),
        _("The app is set up, but there is no consent by which the provider would hand out tokens."),
        _CONNECT,
    ),
    Problem.OTHER_HOST.value: (
        _("The consent is for another mail server"),
        _(
            "Tokens go only to the provider’s servers and to those that were set when you "
            "connected. %(detail)s"
        ),
        _("Check the server’s name. If it is right, connect again."),
    ),
    Problem.SCOPE_MISSING.value: (
        _("The consent does not cover this"),
        _(
            "The permission %(detail)s was not granted: perhaps the mailbox was set up later than "
            "the consent."
        ),
        _("Connect again, and leave all boxes ticked on the provider’s page."),
    ),
    Problem.CONSENT_REVOKED.value: (
        _("The consent holds no more"),
        _("It was withdrawn, or the account’s password was changed. The provider says: %(detail)s"),
        _CONNECT,
    ),
    Problem.CONSENT_EXPIRED.value: (
        _("The consent has expired"),
        _(
            "The provider lets it end after a time: by its policy, for want of use, or, at "
            "Google, after 7 days while "
            "the app is in testing. It says: %(detail)s"
        ),
        _("Connect again. At Google, set the app’s publishing status to “In production” first."),
    ),
    Problem.CONSENT_MISSING.value: (
        _("The provider misses the consent"),
        _(
            "Neither the account nor an administrator has agreed to what the app asks for. It "
            "says: %(detail)s"
        ),
        _("Connect again. For client credentials an administrator of the organisation has to grant consent."),
    ),
    Problem.ADMIN_CONSENT.value: (
        _("An administrator of the organisation has to agree"),
        _("The organisation does not let its accounts consent by themselves. The provider says: %(detail)s"),
        _("Have an administrator of Microsoft 365 or Google Workspace permit the app, then connect again."),
    ),
    Problem.DECLINED.value: (
        _("The consent was not given"),
        _("Somebody chose “Cancel” on the provider’s page, or left out a permission."),
        _("Connect again, and agree."),
    ),
    Problem.SECRET_EXPIRED.value: (
        _("The client secret has expired"),
        _("The provider hands out no more tokens for it. It says: %(detail)s"),
        _NEW_SECRET,
    ),
    Problem.SECRET_WRONG.value: (
        _("The client secret is wrong"),
        _("The provider does not know it. It says: %(detail)s"),
        _("Enter the secret’s value, not its ID. It is shown only once: if it is lost, make a new one."),
    ),
    Problem.SECRET_MISSING.value: (
        _("The provider wants a client secret"),
        _("This app may not ask without one. It says: %(detail)s"),
        _NEW_SECRET,
    ),
    Problem.SECRET_UNWANTED.value: (
        _("The app is registered without a client secret"),
        _("The provider takes none from a public client. It says: %(detail)s"),
        _("Clear the client secret, or register the address of this tracker as one of type “Web”."),
    ),
    Problem.CLIENT_UNKNOWN.value: (
        _("The provider does not know this app"),
        _("The client ID does not exist there, or was switched off. It says: %(detail)s"),
        _("Check client ID and directory (tenant): they have to belong together."),
    ),
    Problem.TENANT_UNKNOWN.value: (
        _("The directory (tenant) is not the right one"),
        _("The provider does not know it, or the app is for one organisation only. It says: %(detail)s"),
        _("Enter the directory (tenant) ID that stands beside the client ID."),
    ),
    Problem.REDIRECT_MISMATCH.value: (
        _("The provider does not know the way back"),
        _("The address to which it should send the browser back is not registered. It says: %(detail)s"),
        _("Register the redirect address that is shown under “Outgoing”, letter by letter."),
    ),
    Problem.SECOND_FACTOR.value: (
        _("The account has to sign in again"),
        _("The provider wants a second factor, which only a person can give. It says: %(detail)s"),
        _CONNECT,
    ),
    Problem.BLOCKED_BY_POLICY.value: (
        _("A policy of the organisation forbids it"),
        _(
            "Conditional access, or a rule who may use the app, blocks the login. The provider "
            "says: %(detail)s"
        ),
        _(
            "Have an administrator of the organisation except the tracker’s account, or the "
            "address of this machine."
        ),
    ),
    Problem.ACCOUNT_DISABLED.value: (
        _("The account cannot be used"),
        _("It is blocked, unknown there, or its password has expired. The provider says: %(detail)s"),
        _("Have the account set right at the provider, then connect again."),
    ),
    Problem.FLOW_NOT_PERMITTED.value: (
        _("The app may not log in this way"),
        _("The provider does not permit this flow for it. It says: %(detail)s"),
        _("Register the app as one of type “Web”, or choose the other way under “Outgoing”."),
    ),
    Problem.SCOPE_INVALID.value: (
        _("The provider does not know the permission"),
        _(
            "Often the organisation has no mailboxes there, or the app lacks the permission. It "
            "says: %(detail)s"
        ),
        _("Give the app the permissions for SMTP, IMAP or POP; for Google, switch on the Gmail API."),
    ),
    Problem.CODE_SPENT.value: (
        _("The sign-in took too long, or was used twice"),
        _("The provider’s code holds for some minutes and for one use. It says: %(detail)s"),
        _("Connect again."),
    ),
    Problem.STATE_LOST.value: (
        _("This sign-in was not begun here"),
        _(
            "The answer does not belong to an attempt of this browser within the last 15 minutes. "
            "Nothing was taken "
            "from it."
        ),
        _("Open the tracker by the address that its mails name, and connect again."),
    ),
    Problem.NO_REFRESH_TOKEN.value: (
        _("The provider gave a token for an hour only"),
        _("Without a refresh token the login would end then. Nothing was stored."),
        _("Remove the app from the account’s connected apps, and connect again."),
    ),
    Problem.PROVIDER_TROUBLE.value: (
        _("The provider has trouble just now"),
        _("Its authorisation server did not work as usual. It says: %(detail)s"),
        _("Nothing to do: it is tried again. Mails wait and lose nothing."),
    ),
    Problem.UNREACHABLE.value: (
        _("The provider’s authorisation server cannot be reached"),
        _("No answer came over https. %(detail)s"),
        _("Let this machine out to the provider by https (port 443), or name a proxy in HTTPS_PROXY."),
    ),
    Problem.UNUSABLE_ANSWER.value: (
        _("The answer makes no sense"),
        _("Something answered in place of the provider, perhaps a proxy. %(detail)s"),
        _("Test again. If it stays so, look at what stands between this machine and the provider."),
    ),
    Problem.REFUSED.value: (
        _("The provider refuses"),
        _("It says: %(detail)s"),
        _("Check the registration of the app, and connect again."),
    ),
}
