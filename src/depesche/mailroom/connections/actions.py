"""The only writers of the settings and the keystore.

Each change of settings or keystore raises the revision that workers poll, in the same transaction, and wakes
a paused connection: what stopped it may just have been set right.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.contrib.auth.models import AbstractBaseUser, AnonymousUser
from django.core.exceptions import NON_FIELD_ERRORS, ValidationError
from django.db import transaction
from django.db.models import F, Max
from django.forms import BaseForm
from django.utils import timezone
from django.utils.translation import gettext as _

from depesche.mailroom.connections import access, alarms, certificates, health_actions, queries, secrets
from depesche.mailroom.connections.certificates import Certificate, Kind
from depesche.mailroom.connections.choices import Auth
from depesche.mailroom.connections.failover import FailoverForm, failover_values
from depesche.mailroom.connections.forms import (
    IncomingForm,
    OutgoingForm,
    incoming_values,
    outgoing_values,
)
from depesche.mailroom.connections.history.models import Act, Area
from depesche.mailroom.connections.history.recording import (
    Snapshot,
    note_worked,
    record,
    record_settings,
    secret_change,
)
from depesche.mailroom.connections.models import (
    ConnectionHealth,
    IncomingMailbox,
    KeystoreEntry,
    OutgoingConnection,
)
from depesche.mailroom.connections.presented import actions as presented
from depesche.mailroom.connections.queries import IncomingSettings, KeystoreRow, OutgoingSettings
from depesche.mailroom.connections.secrets import Secret
from depesche.mailroom.connections.validation import on_off

Person = AbstractBaseUser | AnonymousUser | None
_SWITCHES = ("items_by_mail", "allow_clear_password")


@dataclass
class InvalidSettings(ValueError):
    """Nothing was saved. `errors` holds the sentences by key ("" for the whole), in the language in force."""

    errors: dict[str, list[str]]

    def __str__(self) -> str:
        return " ".join(
            f"{key}: {sentence}" if key else sentence
            for key, sentences in self.errors.items()
            for sentence in sentences
        )


# --- Settings -----------------------------------------------------------------------------------------------


def save_outgoing(
    values: Mapping[str, Any],
    *,
    by: Person = None,
    password: str | Secret | None = None,
    clear_password: bool = False,
    place: int = 0,
) -> OutgoingSettings:
    """Save some or all settings by the keys of `connection set`; the others stay. Raises InvalidSettings.

    No password keeps the stored one; `clear_password` deletes it.
    """
    form = outgoing_form(values, password=password, clear_password=clear_password, place=place)
    return save_outgoing_form(form, by=by)


def outgoing_form(
    values: Mapping[str, Any],
    *,
    password: str | Secret | None = None,
    clear_password: bool = False,
    for_test: bool = False,
    place: int = 0,
) -> OutgoingForm:
    """The form filled with the saved settings and, above them, these values. Raises InvalidSettings for a key
    that does not exist."""
    settings = queries.stored_outgoing(place)
    kind, saved = (FailoverForm, failover_values) if place else (OutgoingForm, outgoing_values)
    return kind(
        _merged(saved(settings), values, password),
        settings=settings,
        mailbox=queries.incoming(),
        clears_password=clear_password,
        for_test=for_test,
    )


def save_outgoing_form(form: OutgoingForm, *, by: Person = None, restored: bool = False) -> OutgoingSettings:
    """Save what stands in the form. Raises InvalidSettings. `restored`: it comes from the history."""
    refuse_invalid(form)
    wanted, typed = form.as_settings(), form.cleaned_data["password"]
    _refuse_other_mailbox_password(wanted, typed)
    with transaction.atomic():
        row, made = OutgoingConnection.objects.get_or_create(place=wanted.place)
        before = _outgoing_snapshot(row, new=made)
        if (row.host, row.username, row.system_address) != (
            wanted.host,
            wanted.username,
            wanted.system_address,
        ):
            row.tagged_sender_accepted_at = None  # another server or login: the proof no longer holds
        row.host = wanted.host
        row.port = wanted.port_typed
        row.encryption = wanted.encryption
        row.auth = wanted.auth
        row.username = wanted.username
        row.allow_clear_password = wanted.allow_clear_password
        row.system_address = wanted.system_address
        row.system_name = wanted.system_name
        row.sender = wanted.sender
        row.charset = wanted.charset
        row.max_connections = wanted.max_connections
        row.messages_per_connection = wanted.volume.messages_per_connection
        row.messages_per_minute = wanted.volume.messages_per_minute
        row.chunking_window = wanted.volume.window
        row.items_by_mail = wanted.items_by_mail
        if form.clears_password:
            _forget_password(row)
        if typed and wanted.auth == Auth.SAME_AS_MAILBOX:
            row.mailbox_password_host = wanted.host
        elif typed:
            _store_password(row, typed, wanted.host)
        _save(row, by)
        health_actions.wake(wanted.place)
        record_settings(
            Area.OUTGOING,
            before,
            _outgoing_snapshot(row),
            place=wanted.place,
            typed=bool(typed),
            by=by,
            restored=restored,
        )
    return queries.outgoing_of(row)


def save_incoming(
    values: Mapping[str, Any],
    *,
    by: Person = None,
    password: str | Secret | None = None,
    clear_password: bool = False,
    place: int = 0,
) -> IncomingSettings:
    """Save some or all settings of the mailbox by their keys; the others stay. Raises InvalidSettings."""
    form = incoming_form(values, password=password, clear_password=clear_password, place=place)
    return save_incoming_form(form, by=by)


def incoming_form(
    values: Mapping[str, Any],
    *,
    password: str | Secret | None = None,
    clear_password: bool = False,
    for_test: bool = False,
    place: int = 0,
) -> IncomingForm:
    """The form filled with the saved settings and, above them, these values."""
    settings = queries.incoming(place)
    data = _merged(incoming_values(settings), values, password)
    return IncomingForm(data, settings=settings, clears_password=clear_password, for_test=for_test)


def save_incoming_form(form: IncomingForm, *, by: Person = None, restored: bool = False) -> IncomingSettings:
    """Save what stands in the form. Raises InvalidSettings. `restored`: it comes from the history."""
    refuse_invalid(form)
    wanted, typed = form.as_settings(), form.cleaned_data["password"]
    with transaction.atomic():
        row, made = IncomingMailbox.objects.get_or_create(place=wanted.place)
        before = _incoming_snapshot(row, new=made)
        _refuse_twice(wanted)
        if (row.protocol, row.host, row.username) != (wanted.protocol, wanted.host, wanted.username):
            row.tagged_address_seen_at = None  # another server: the proof no longer holds
            row.last_error = ""
        row.protocol = wanted.protocol
        row.host = wanted.host
        row.port = wanted.port_typed
        row.encryption = wanted.encryption
        row.auth = wanted.auth
        row.username = wanted.username
        row.allow_clear_password = wanted.allow_clear_password
        row.plus_addressing = wanted.plus_addressing
        row.trusted_authserv_id = wanted.trusted_authserv_id
        row.name, row.address, row.workspace = wanted.name, wanted.address, wanted.workspace
        row.folder, row.when_taken, row.move_to = wanted.folder, wanted.when_taken, wanted.move_to
        if form.clears_password:
            _forget_password(row)
        if typed:
            _store_password(row, typed, wanted.host)
        _save(row, by)
        if wanted.place == 0:
            # A way out may log in with this mailbox's user name and password, or to it first.
            _changed(OutgoingConnection)
            _wake_all()
        record_settings(
            Area.INCOMING,
            before,
            _incoming_snapshot(row),
            place=wanted.place,
            typed=bool(typed),
            by=by,
            restored=restored,
        )
    return queries.incoming_of(row)


def remove_incoming(place: int, *, by: Person = None) -> bool:
    """Give up a mailbox other than that of the system address; False when there is none at this place.

    What came in by it stays. Nothing happens at its server.
    """
    if place == 0:
        raise InvalidSettings({"": [_("The first mailbox can be switched off, but not removed.")]})
    with transaction.atomic():
        row = IncomingMailbox.objects.filter(place=place).first()
        if row is None:
            return False
        record(Area.INCOMING, Act.REMOVED, by=by, subject=row.name, place=place)
        first, _made = IncomingMailbox.objects.get_or_create(place=0)
        row.delete()
        # The revision of all never goes down: what is removed is a change.
        IncomingMailbox.objects.filter(pk=first.pk).update(revision=F("revision") + row.revision + 1)
    return True


def next_place() -> int:
    """A place for one more mailbox."""
    return (IncomingMailbox.objects.aggregate(last=Max("place"))["last"] or 0) + 1


def _refuse_twice(wanted: IncomingSettings) -> None:
    """Two names alike could not be told apart; two readers of one folder would take each other's mails."""
    for other in queries.mailboxes():
        if other.place == wanted.place:
            continue
        if other.title.casefold() == wanted.title.casefold():
            raise InvalidSettings({"name": [_("Another mailbox has this name.")]})
        both = (other, wanted)
        if (
            all(one.is_mailbox and one.username for one in both)
            and len({_identity(one) for one in both}) == 1
        ):
            raise InvalidSettings(
                {"host": [_("The mailbox “%(name)s” reads this folder already.") % {"name": other.title}]}
            )


def _identity(one: IncomingSettings) -> tuple[str, str, str]:
    return one.host.casefold(), one.username.casefold(), one.folder.casefold()


def clear_outgoing_password(*, by: Person = None, place: int = 0) -> None:
    """Delete the stored SMTP password; nothing else changes."""
    _clear(OutgoingConnection, by, place)


def clear_incoming_password(*, by: Person = None, place: int = 0) -> None:
    """Delete the stored mailbox password; nothing else changes."""
    _clear(IncomingMailbox, by, place)


def login_changed() -> None:
    """What connections and mailboxes log in by was changed elsewhere (oauth.actions)."""
    _every_revision()


def note_tagged_address_seen(now: datetime) -> None:
    """A mail to tracker+tag@… has arrived: from now on reply addresses may carry their token so."""
    seen = IncomingMailbox.objects.filter(place=0, tagged_address_seen_at=None)
    if seen.update(tagged_address_seen_at=now):
        _changed(IncomingMailbox, 0)


def note_tagged_sender(accepted: bool, now: datetime, *, place: int = 0) -> None:
    """A test has seen whether the server takes tracker+tag@… as a sender: whether each mail may have a
    reverse-path of its own."""
    rows = OutgoingConnection.objects.filter(place=place, tagged_sender_accepted_at__isnull=accepted)
    if rows.update(tagged_sender_accepted_at=now if accepted else None):
        _changed(OutgoingConnection, place)


def note_polled(now: datetime, *, error: str = "", place: int = 0) -> None:
    """The mailbox was looked at; `error` is one sentence when that failed."""
    if not error:
        revision = IncomingMailbox.objects.filter(place=place).values_list("revision", flat=True).first()
        note_worked(Area.INCOMING, place, revision=revision or 0, now=now)
    IncomingMailbox.objects.filter(place=place).update(last_polled_at=now, last_error=error)


def _merged(
    saved: dict[str, Any], values: Mapping[str, Any], password: str | Secret | None
) -> dict[str, Any]:
    unknown = {key: [_("There is no such setting.")] for key in values if key not in saved}
    data = saved | dict(values)
    for key in _SWITCHES:
        if key in values and isinstance(values[key], str):
            try:
                data[key] = on_off(values[key])
            except ValidationError as error:
                unknown[key] = error.messages
    if unknown:
        raise InvalidSettings(unknown)
    if password is not None:
        data["password"] = password.reveal() if isinstance(password, Secret) else password
    return data


def refuse_invalid(form: BaseForm) -> None:
    """Raises InvalidSettings with the form's errors where it has any."""
    if not form.is_valid():
        raise InvalidSettings(
            {
                "" if key == NON_FIELD_ERRORS else key: [str(error) for error in errors]
                for key, errors in form.errors.items()
            }
        )


def _refuse_other_mailbox_password(wanted: OutgoingSettings, typed: Secret) -> None:
    """With "same as the mailbox" a typed password only confirms the mailbox's; another one is a mistake."""
    if wanted.auth == Auth.SAME_AS_MAILBOX and typed:
        stored = access.stored_password(IncomingMailbox)
        if stored is not None and stored != typed:
            raise InvalidSettings(
                {"password": [_("This is not the password that is stored for the mailbox.")]}
            )


def _save(row: OutgoingConnection | IncomingMailbox, by: Person) -> None:
    row.updated_by = person(by)
    row.save()
    _changed(type(row), row.place)
    row.refresh_from_db()


def _store_password(row: OutgoingConnection | IncomingMailbox, typed: Secret, host: str) -> None:
    row.password_encrypted = secrets.encrypt(typed)
    row.password_set_at = timezone.now()
    row.password_host = host


def _forget_password(row: OutgoingConnection | IncomingMailbox) -> None:
    row.password_encrypted = None
    row.password_host = ""
    row.password_set_at = None


def _clear(kind: type[OutgoingConnection] | type[IncomingMailbox], by: Person, place: int) -> None:
    with transaction.atomic():
        had = kind.objects.filter(place=place, password_encrypted__isnull=False).update(
            password_encrypted=None, password_host="", password_set_at=None, updated_by=person(by)
        )
        if had:
            area = Area.OUTGOING if kind is OutgoingConnection else Area.INCOMING
            changes = secret_change("password", had=True, has=False, typed=False)
            record(area, Act.CHANGED, by=by, changes=changes, place=place)
        _changed(kind, place)


def _outgoing_snapshot(row: OutgoingConnection, *, new: bool = False) -> Snapshot:
    settings = queries.outgoing_of(row)
    accepted = ConnectionHealth.objects.filter(connection=row).values_list("last_accepted_at", flat=True)
    return Snapshot(
        outgoing_values(settings),
        settings.has_password,
        settings.revision,
        None if new else settings.updated_at,
        accepted.first(),
    )


def _incoming_snapshot(row: IncomingMailbox, *, new: bool = False) -> Snapshot:
    settings = queries.incoming_of(row)
    return Snapshot(
        incoming_values(settings),
        settings.has_password,
        settings.revision,
        None if new else settings.updated_at,
        settings.last_polled_at if not settings.last_error else None,
    )


def _changed(kind: type[OutgoingConnection] | type[IncomingMailbox], place: int | None = None) -> None:
    """Raise the revision of this place, or of every one."""
    rows = kind.objects.all() if place is None else kind.objects.filter(place=place)
    rows.update(revision=F("revision") + 1)
    alarms.forget()


def _wake_all() -> None:
    for place in OutgoingConnection.objects.values_list("place", flat=True):
        health_actions.wake(place)


def settings_changed(place: int = 0) -> None:
    """Something that workers use with the way out has changed, such as the keys that sign: they look anew."""
    _changed(OutgoingConnection, place)


def person(by: Person) -> Any:
    """Who did it, as a row may name them; None for a command or the system."""
    return by if by is not None and by.is_authenticated else None


# --- Keystore -----------------------------------------------------------------------------------------------


def import_certificates(
    octets: bytes, *, host: str = "", port: int | None = None, by: Person = None
) -> list[KeystoreRow]:
    """Trust every certificate of a file, for every server, or for this host and port alone. Effective at
    once.

    What is there already is not added again, but stands in the answer. Raises
    certificates.BadCertificateFile.
    """
    found = certificates.read(octets)
    rows = []
    with transaction.atomic():
        for certificate in found:
            entry, made = KeystoreEntry.objects.get_or_create(
                sha256=certificate.sha256,
                host=host,
                port=port or 0,
                defaults={
                    "kind": certificate.kind_for(bool(host)),
                    "pem": certificate.pem,
                    "subject": certificate.subject,
                    "issuer": certificate.issuer,
                    "names": "\n".join(certificate.names),
                    "not_before": certificate.not_before,
                    "not_after": certificate.not_after,
                    "added_by": person(by),
                },
            )
            if made:
                record(Area.KEYSTORE, Act.ADDED, by=by, subject=_certificate(entry))
            rows.append(queries.keystore_row(entry))
        _every_revision()
    return rows


def trust_certificate(
    certificate: Certificate, *, host: str, port: int, kind: Kind, by: Person = None
) -> KeystoreRow:
    """Trust what a server showed, for this host and port alone, at once: "pin" for exactly this certificate,
    "ca" for whatever it issues. It takes the place of the pins that were there: they would refuse it."""
    with transaction.atomic():
        others = KeystoreEntry.objects.filter(kind="pin", host=host, port=port)
        for old in others.exclude(sha256=certificate.sha256):
            record(Area.KEYSTORE, Act.REMOVED, by=by, subject=_certificate(old))
            old.delete()
        entry, made = KeystoreEntry.objects.update_or_create(
            sha256=certificate.sha256,
            host=host,
            port=port,
            defaults={
                "kind": kind,
                "pem": certificate.pem,
                "subject": certificate.subject,
                "issuer": certificate.issuer,
                "names": "\n".join(certificate.names),
                "not_before": certificate.not_before,
                "not_after": certificate.not_after,
                "added_by": person(by),
            },
        )
        if made:
            record(Area.KEYSTORE, Act.ADDED, by=by, subject=_certificate(entry))
        presented.decided(host, port, certificate.sha256, now=timezone.now())
        _every_revision()
    return queries.keystore_row(entry)


def remove_certificate(entry_id: int, *, by: Person = None) -> bool:
    """No longer trust an entry, at once; False when there is none with this id."""
    with transaction.atomic():
        entry = KeystoreEntry.objects.filter(pk=entry_id).first()
        if entry is None:
            return False
        record(Area.KEYSTORE, Act.REMOVED, by=by, subject=_certificate(entry))
        entry.delete()
        _every_revision()
    return True


def _certificate(entry: KeystoreEntry) -> str:
    """As the history names it."""
    where = f", {entry.host}:{entry.port}" if entry.host else ""
    return f"{entry.subject}{where}, SHA-256 {entry.sha256[:16]}…"


def _every_revision() -> None:
    """For what holds for every way in and out."""
    for kind in (OutgoingConnection, IncomingMailbox):
        _changed(kind)
    _wake_all()
