"""The settings as forms: the same for the page and for the commands, so that both refuse the same with the
same words.

Field names are the keys of `depesche connection set` and `depesche mailbox set`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.functional import lazy
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from depesche.mailformat.charset import CHARSETS
from depesche.mailroom.connections import mailbox_fields, ports, validation
from depesche.mailroom.connections.access import may_share_mailbox_password
from depesche.mailroom.connections.choices import (
    Auth,
    EncryptionMode,
    MailboxAuth,
    MailboxProtocol,
    PlusAddressing,
    Sender,
)
from depesche.mailroom.connections.fields import Checked, VolumeFields, number_input, plain_input
from depesche.mailroom.connections.hosts import same_host
from depesche.mailroom.connections.mailbox_fields import MailboxFields
from depesche.mailroom.connections.queries import IncomingSettings, OutgoingSettings
from depesche.mailroom.connections.secrets import Secret

CAP = "maxNoOfSMTPConnections"
_ENCRYPTIONS = [
    EncryptionMode.SSL,
    EncryptionMode.TLS,
    EncryptionMode.TLS_IF_AVAILABLE,
    EncryptionMode.NONE,
]

CERTIFICATES = _(
    "A certificate that cannot be verified is never accepted silently in any of these.\n\nPublicly trusted "
    "certificates need nothing more. Those of a private authority, or self-signed ones, are imported into "
    "the keystore."
)
_CLEAR_PASSWORD = _(
    "Without encryption everybody on the way can read the password. Permit it only for a server on a line "
    "that nobody "
    "can listen to. It concerns the encryption “None” alone."
)
_OUTGOING_CONSEQUENCES = {
    "ssl": _("TLS from the first byte"),
    "tls": _("STARTTLS is required; TLS at once on port 465"),
    "tls-if-available": _("STARTTLS when the server offers it, otherwise in the clear"),
    "none": _("Advisable only for a server on this machine"),
}
_INCOMING_CONSEQUENCES = {
    **_OUTGOING_CONSEQUENCES,
    "tls": _("STARTTLS is required; TLS at once on ports 993 and 995"),
}
_SENDER_CONSEQUENCES = {
    "user": _("From the person who changed or commented on the item"),
    "system": _("From the system address, with the person’s name"),
}
_PROTOCOL_CONSEQUENCES = {
    "": _("Mails carry no reply address that leads here"),
    "imap": _("New mails are noticed at once; fetched ones stay, marked as read, or as you say below"),
    "pop3": _("A look every minute; fetched mails are deleted, or as you say below"),
    "pipe": _("The mail server hands each mail to “depesche inbox receive”"),
}


def _charset_choices() -> list[tuple[str, str]]:
    names = []
    for charset in CHARSETS:
        label = gettext(charset.label)
        names.append((charset.key, f"{charset.mime_name} ({label})"))
    return names


class Typed(forms.CharField):
    """A password. Never in the page again after it was typed."""

    widget = forms.PasswordInput(render_value=False)

    def clean(self, value: Any) -> Secret:
        return Secret(validation.password(super().clean(value)))


def _encryption_field() -> forms.ChoiceField:
    return forms.ChoiceField(
        label=_("Encrypted connections"),
        choices=[(c.value, c.label) for c in _ENCRYPTIONS],
        widget=forms.RadioSelect,
        help_text=CERTIFICATES,
    )


def _clear_password_field() -> forms.BooleanField:
    return forms.BooleanField(
        label=_("Permit the password in the clear"), required=False, help_text=_CLEAR_PASSWORD
    )


class OutgoingForm(VolumeFields):
    """M3 to M17. `settings` are the saved ones, `mailbox` the saved mailbox: some answers depend on them."""

    stands_alone = True  # False: the failover's, which may leave open what the connection has

    system_address = Checked(
        validation.address,
        label=_("System address"),
        max_length=254,
        widget=plain_input(),
        help_text=_(
            "Reminders, password mails and everything else that the system sends by itself always come from "
            "this "
            "address.\n\nAs long as no items are taken by e-mail it needs no inbox: an invented address "
            "will do."
        ),
    )
    system_name = Checked(
        validation.name,
        label=_("Server name"),
        max_length=120,
        help_text=_("Stands before the system address. It is the first thing people read in their inbox."),
    )
    items_by_mail = forms.BooleanField(
        label=_("Take items by e-mail"),
        required=False,
        help_text=_(
            "A mail to the system address then makes a new item. A real mailbox has to belong to that "
            "address; it is "
            "set up under “Incoming”."
        ),
    )
    sender = forms.ChoiceField(
        label=_("Sender address"),
        choices=[(c.value, c.label) for c in (Sender.USER, Sender.SYSTEM)],
        widget=forms.RadioSelect,
        help_text=_(
            "For mails that a person causes. Some servers refuse a sender that does not belong to the SMTP "
            "user "
            "name; the test finds out. Answers reach the item in both cases, as soon as a mailbox is set up."
        ),
    )
    host = Checked(
        validation.host,
        label=_("SMTP server name"),
        max_length=255,
        widget=plain_input(),
        help_text=_(
            "A name or an IP address, on this machine or anywhere that can be reached. The same details as "
            "in your "
            "mail program.\n\nBut give the tracker an account of its own, not a person’s: two programs on "
            "one account "
            "can lock each other out."
        ),
    )
    encryption = _encryption_field()
    port = Checked(validation.port, label=_("SMTP port"), widget=number_input())
    port_default = forms.CharField(required=False, widget=forms.HiddenInput)
    auth = forms.ChoiceField(
        label=_("SMTP authentication"),
        choices=[(c.value, c.label) for c in Auth],
        help_text=_(
            "The strongest method that the server offers is used. Servers in your own network sometimes "
            "need no login. "
            "Some older ones want a look into the mailbox first."
        ),
    )
    username = Checked(validation.login, label=_("SMTP user name"), max_length=255, widget=plain_input())
    password = Typed(label=_("SMTP password"), required=False, strip=False)
    allow_clear_password = _clear_password_field()
    charset = forms.ChoiceField(
        label=_("Mail encoding"),
        choices=lazy(_charset_choices, list),
        help_text=_(
            "For subject, names and text. When a mail has a character that this encoding lacks, that one "
            "mail goes out "
            "in UTF-8. No character turns into “?”."
        ),
    )
    maxNoOfSMTPConnections = Checked(
        lambda text: validation.whole_number(text, 1, validation.MAX_CONNECTIONS),
        label=_("Limit on the number of connections"),
        widget=number_input(),
        help_text=_(
            "The most SMTP connections open at one time, over all processes and machines together. A change "
            "works "
            "within 5 seconds, without a restart.\n\nmaxNoOfSMTPConnections"
        ),
    )

    def __init__(
        self,
        data: Mapping[str, Any] | None = None,
        *,
        settings: OutgoingSettings,
        mailbox: IncomingSettings,
        clears_password: bool = False,
        for_test: bool = False,
        **options: Any,
    ) -> None:
        self.settings = settings
        self.mailbox = mailbox
        self.clears_password = clears_password
        self.for_test = for_test
        options.setdefault("initial", outgoing_values(settings) | _port_shown(settings))
        super().__init__(data, auto_id="%s", use_required_attribute=False, **options)
        _explain(self.fields["encryption"], _OUTGOING_CONSEQUENCES)
        _explain(self.fields["sender"], _SENDER_CONSEQUENCES, wide=True)

    def clean_system_name(self) -> str:
        name: str = self.cleaned_data["system_name"]
        if not name and self.stands_alone:
            raise ValidationError(_("Enter the name that people read before the address."))
        return name

    def clean_maxNoOfSMTPConnections(self) -> int:
        cap = self.cleaned_data[CAP]
        if cap is None:
            raise ValidationError(
                gettext("Enter a whole number from %(lowest)s to %(highest)s")
                % {"lowest": 1, "highest": validation.MAX_CONNECTIONS}
            )
        return int(cap)

    def clean(self) -> dict[str, Any]:
        values = self.cleaned_data
        _follow_encryption(values)
        if self.for_test and "host" in values and not values["host"]:
            self.add_error("host", _("Enter the server to test."))
        if values.get("host") and values.get("system_address") == "" and self.stands_alone:
            self.add_error("system_address", _("Enter the address that system mails come from."))
        if "auth" in values:
            self._check_login(values)
        return values

    def _check_login(self, values: dict[str, Any]) -> None:
        auth, host = values["auth"], values.get("host")
        typed = bool(values.get("password"))
        if auth == Auth.PASSWORD:
            if values.get("username") == "":
                self.add_error("username", _("This authentication needs a user name."))
            in_use = self.settings.auth == Auth.PASSWORD
            if host and not typed and (problem := _missing_password(self, host, in_use=in_use)):
                self.add_error("password", problem)
        elif auth in (Auth.SAME_AS_MAILBOX, Auth.MAILBOX_FIRST):
            by_token = self.mailbox.auth == MailboxAuth.OAUTH2
            if not self.mailbox.is_mailbox or not (self.mailbox.username or by_token):
                self.add_error(
                    "auth",
                    _("This authentication needs the incoming mailbox. Set it up under “Incoming” first."),
                )
            elif (
                auth == Auth.SAME_AS_MAILBOX
                and not by_token
                and host
                and not typed
                and not self._mailbox_password_may_go(host)
            ):
                self.add_error(
                    "password",
                    gettext(
                        "The mailbox’s password was typed for %(mailbox)s. Type it once more, so that it "
                        "may go to "
                        "%(host)s too."
                    )
                    % {"mailbox": self.mailbox.host, "host": host},
                )

    def _mailbox_password_may_go(self, host: str) -> bool:
        confirmed = OutgoingSettings(host=host, mailbox_password_host=self.settings.mailbox_password_host)
        return may_share_mailbox_password(confirmed, self.mailbox)

    def as_settings(self) -> OutgoingSettings:
        """The settings as they would be saved; only after is_valid()."""
        values = self.cleaned_data
        return OutgoingSettings(
            place=self.settings.place,
            revision=self.settings.revision,
            host=values["host"],
            port=values["port"] or ports.smtp_port(values["encryption"]),
            port_typed=values["port"],
            encryption=values["encryption"],
            auth=values["auth"],
            username=values["username"],
            has_password=self.settings.has_password,
            password_host=self.settings.password_host,
            password_set_at=self.settings.password_set_at,
            mailbox_password_host=self.settings.mailbox_password_host,
            allow_clear_password=values["allow_clear_password"],
            system_address=values["system_address"],
            system_name=values["system_name"],
            sender=values["sender"],
            charset=values["charset"],
            max_connections=values[CAP],
            items_by_mail=values["items_by_mail"],
            volume=self.volume(),
        )


class IncomingForm(MailboxFields):
    """The mailbox, or the pipe, that belongs to the system address (M5 to M7)."""

    protocol = forms.ChoiceField(
        label=_("Mails come in by"),
        required=False,
        choices=[("", _("Nothing: no answers are taken")), *((c.value, c.label) for c in MailboxProtocol)],
        widget=forms.RadioSelect,
    )
    host = Checked(validation.host, label=_("Mailbox server name"), max_length=255, widget=plain_input())
    encryption = _encryption_field()
    port = Checked(validation.port, label=_("Mailbox port"), widget=number_input())
    port_default = forms.CharField(required=False, widget=forms.HiddenInput)
    auth = forms.ChoiceField(
        label=_("Mailbox authentication"),
        required=False,
        choices=[(c.value, c.label) for c in MailboxAuth],
        widget=forms.RadioSelect,
    )
    username = Checked(validation.login, label=_("Mailbox user name"), max_length=255, widget=plain_input())
    password = Typed(label=_("Mailbox password"), required=False, strip=False)
    allow_clear_password = _clear_password_field()
    plus_addressing = forms.ChoiceField(
        label=_("Reply addresses with a tag"),
        choices=[(c.value, c.label) for c in PlusAddressing],
        widget=forms.RadioSelect,
        help_text=_(
            "With a tag, as in tracker+k7q2@example.org, an answer finds its item even where a mail program "
            "drops the "
            "references. Without one the Message-ID leads there."
        ),
    )
    trusted_authserv_id = Checked(
        validation.authserv_id,
        label=_("Server whose check of senders counts"),
        max_length=255,
        widget=plain_input(),
        help_text=_(
            "The name at the beginning of the Authentication-Results line that your own mail server adds to "
            "each mail. That server must remove lines of this name from outside. Left empty, no such line is "
            "believed; a single hyphen stands for Microsoft 365, which writes no name."
        ),
    )

    def __init__(
        self,
        data: Mapping[str, Any] | None = None,
        *,
        settings: IncomingSettings,
        clears_password: bool = False,
        for_test: bool = False,
        **options: Any,
    ) -> None:
        self.settings = settings
        self.clears_password = clears_password
        self.for_test = for_test
        options.setdefault("initial", incoming_values(settings) | _port_shown(settings))
        super().__init__(data, auto_id="%s", use_required_attribute=False, **options)
        self.offer_workspaces()
        _explain(self.fields["encryption"], _INCOMING_CONSEQUENCES)
        _explain(self.fields["protocol"], _PROTOCOL_CONSEQUENCES)

    def clean(self) -> dict[str, Any]:
        values = self.cleaned_data
        _follow_encryption(values)
        protocol, host = values.get("protocol"), values.get("host")
        if self.for_test and protocol not in (MailboxProtocol.IMAP, MailboxProtocol.POP3):
            self.add_error("protocol", _("Only a mailbox can be tested: choose IMAP or POP3."))
        if protocol not in (MailboxProtocol.IMAP, MailboxProtocol.POP3):
            return values
        if host == "":
            self.add_error("host", _("Enter the server that has the mailbox."))
        self.check_taking(values)
        if values.get("auth") == MailboxAuth.OAUTH2:
            return values
        if values.get("username") == "":
            self.add_error("username", _("Enter the mailbox’s user name."))
        typed, in_use = bool(values.get("password")), self.settings.is_mailbox
        if host and not typed and (problem := _missing_password(self, host, in_use=in_use)):
            self.add_error("password", problem)
        return values

    def as_settings(self) -> IncomingSettings:
        """The settings as they would be saved; only after is_valid()."""
        values = self.cleaned_data
        return IncomingSettings(
            place=self.settings.place,
            revision=self.settings.revision,
            protocol=values["protocol"],
            host=values["host"],
            port=values["port"] or ports.mailbox_port(values["protocol"], values["encryption"]),
            port_typed=values["port"],
            encryption=values["encryption"],
            auth=values["auth"] or MailboxAuth.PASSWORD,
            username=values["username"],
            has_password=self.settings.has_password,
            password_host=self.settings.password_host,
            password_set_at=self.settings.password_set_at,
            allow_clear_password=values["allow_clear_password"],
            plus_addressing=values["plus_addressing"],
            trusted_authserv_id=values["trusted_authserv_id"],
            name=values["name"],
            address=values["address"],
            workspace=values["workspace"],
            folder=values["folder"],
            when_taken=values["when_taken"],
            move_to=values["move_to"],
        )


def _port_shown(settings: OutgoingSettings | IncomingSettings) -> dict[str, Any]:
    """A page shows the port in use; `port_default` says that it is the default and follows the encryption."""
    default = "" if settings.port_typed else settings.port or ""
    return {"port": settings.port or "", "port_default": default}


def _follow_encryption(values: dict[str, Any]) -> None:
    """The port that the page showed as the default was not typed: it goes on following the encryption."""
    if values.get("port") is not None and str(values["port"]) == values.get("port_default"):
        values["port"] = None


def _missing_password(form: OutgoingForm | IncomingForm, host: str, *, in_use: bool) -> str:
    """Why the password has to be typed for this host; "" where it need not. `in_use`: what is saved logs in
    with a password of its own."""
    saved = form.settings
    stored = saved.has_password and not form.clears_password
    if stored and not same_host(saved.password_host, host):
        return gettext("The stored password was typed for %(typed_for)s. Type the password for %(host)s.") % {
            "typed_for": saved.password_host or "…",
            "host": host,
        }
    if stored or form.clears_password:
        return ""
    if in_use and same_host(saved.host, host) and not form.for_test:
        return ""  # it was cleared: the other settings can still be changed
    return gettext("Type the password for %(host)s.") % {"host": host}


def _explain(field: forms.Field, consequences: Mapping[str, Any], *, wide: bool = False) -> None:
    """What each choice does, and whether the explanation stands above it: read by pages.fields."""
    field.consequences = consequences  # type: ignore[attr-defined]  # see depesche.mailroom.pages.fields
    field.wide = wide  # type: ignore[attr-defined]  # see depesche.mailroom.pages.fields


def outgoing_values(settings: OutgoingSettings) -> dict[str, Any]:
    """The settings by the keys of `connection set`. Never a secret."""
    return {
        "host": settings.host,
        "port": settings.port_typed or "",
        "encryption": settings.encryption,
        "auth": settings.auth,
        "username": settings.username,
        "system_address": settings.system_address,
        "system_name": settings.system_name,
        "sender": settings.sender,
        "charset": settings.charset,
        CAP: settings.max_connections,
        **settings.volume.values(),
        "items_by_mail": settings.items_by_mail,
        "allow_clear_password": settings.allow_clear_password,
    }


def incoming_values(settings: IncomingSettings) -> dict[str, Any]:
    """The settings by the keys of `mailbox set`. Never a secret."""
    return {
        "protocol": settings.protocol,
        "host": settings.host,
        "port": settings.port_typed or "",
        "encryption": settings.encryption,
        "auth": settings.auth,
        "username": settings.username,
        "plus_addressing": settings.plus_addressing,
        "trusted_authserv_id": settings.trusted_authserv_id,
        "allow_clear_password": settings.allow_clear_password,
        **mailbox_fields.of(settings),
    }


def changed_fields(count: int) -> str:
    """For the save bar."""
    if count == 0:
        return gettext("Nothing changed")
    return ngettext(
        "%(count)d field changed, not saved yet", "%(count)d fields changed, not saved yet", count
    ) % {"count": count}
