"""Mails about a person's own account. They go out whatever the person chose about notices, but never to
people who are deactivated.

They take Django's mail API, so that they land in the outbox in the caller's transaction; the header
X-Depesche-Category (with_category) tells the backend to hurry, and to erase the content once it was accepted.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.utils import timezone, translation
from django.utils.html import escape
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from depesche.mailformat.addresses import Address
from depesche.mailroom.connections import queries as connections
from depesche.mailroom.outbox.categories import Category
from depesche.mailroom.outbox.django_mail import with_category
from depesche.tracker.accounts import letter, links, tokens
from depesche.tracker.accounts.letter import Letter, Link
from depesche.tracker.accounts.models import Person


def welcome(person: Person) -> None:
    """An account was made: the link to set a password."""
    with translation.override(person.language):
        server = _server()
        words = _(
            "An account for you was set up at %(server)s. Set a password to sign in; your address is your "
            "user name."
        ) % {"server": server}
        _mail(
            person,
            subject=_("Your account at %(server)s") % {"server": server},
            deed=_("Welcome, {who}."),
            title=_("Set your password"),
            words=words,
            button=Link(_("Set a password"), _link(person)),
            why=_("You get this mail because somebody set up an account for your address."),
            expires=True,
        )


def password_link(person: Person) -> None:
    """Somebody asked for a new password."""
    with translation.override(person.language):
        _mail(
            person,
            subject=_("Set a new password"),
            words=_(
                "Somebody, most likely you, asked for a new password for your account. If it was not you, "
                "there is nothing to do: your password stays as it is."
            ),
            button=Link(_("Set a new password"), _link(person)),
            why=_("You get this mail because a new password was asked for with your address."),
            expires=True,
        )


def password_changed(person: Person) -> None:
    """The password is another one now: whoever did not do it must learn of it."""
    with translation.override(person.language):
        _mail(
            person,
            subject=_("Your password was changed"),
            words=_(
                "The password of your account was changed. If it was not you, set a new password at once "
                "and tell your administrator."
            ),
            button=Link(_("It was not me"), links.page("password-reset")),
            why=_("You get this mail because it concerns the safety of your account."),
        )


def address_changed(person: Person, old_address: str) -> None:
    """Told to the old address: the account is under another one now."""
    with translation.override(person.language):
        words = _(
            "Your account is now under the address %(address)s. If that is not right, tell your "
            "administrator."
        ) % {"address": person.email}
        _mail(
            person,
            subject=_("The address of your account was changed"),
            words=words,
            why=_("You get this mail because it concerns the safety of your account."),
            address=old_address,
        )


def _mail(  # noqa: PLR0913  the parts of a letter, by keyword
    person: Person,
    *,
    subject: str,
    words: str,
    why: str,
    deed: str = "",
    title: str = "",
    button: Link | None = None,
    address: str = "",
    expires: bool = False,
) -> None:
    """`title` is as the subject where it is left empty; `expires`: it is of no use once its link has
    ended."""
    if not person.is_active:
        return
    content = Letter(
        language=person.language,
        subject=subject,
        speaker=_server(),
        deed=deed or _("For {who}"),
        who=person.name,
        title=title or subject,
        words=f"{words}\n\n{_validity()}" if expires else words,
        button=button,
        why=why,
        preheader=words,
    )
    paragraphs = "".join(
        f'<p style="margin:0 0 12px;">{escape(part)}</p>' for part in content.words.split("\n\n")
    )
    mail = EmailMultiAlternatives(
        subject=content.subject,
        body=letter.text(content),
        to=[str(Address(person.name, address or person.email))],
        headers={"Auto-Submitted": "auto-generated"},
    )
    with_category(mail, Category.ACCOUNT, _link_ends() if expires else None)
    mail.attach_alternative(letter.html(replace(content, words_html=paragraphs)), "text/html")
    mail.send()


def _server() -> str:
    return connections.outgoing().system_name or "Depesche"


def _link(person: Person) -> str:
    return links.page("set-password", *tokens.link_parts(person))


def _link_ends() -> datetime:
    return timezone.now() + timedelta(seconds=settings.PASSWORD_RESET_TIMEOUT)


def _validity() -> str:
    hours = settings.PASSWORD_RESET_TIMEOUT // 3600
    return ngettext(
        "The link works once, within %(hours)d hour.", "The link works once, within %(hours)d hours.", hours
    ) % {"hours": hours}
