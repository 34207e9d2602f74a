"""What a setting may be, and the sentence that says what to enter instead. One place for page, command and
API.

Each function takes what a person typed and returns the value to store, or raises ValidationError.
"""

from __future__ import annotations

import ipaddress
import re

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from depesche.mailformat.addresses import Address, AddressError, canonical_domain
from depesche.mailformat.characters import clean_name

MAX_CONNECTIONS = 500
_LABEL = re.compile(r"[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?")
_CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_DIGITS = re.compile(r"[0-9]{1,6}")
_AUTHSERV_ID = re.compile(r"[a-z0-9_][a-z0-9._-]{0,254}")


def is_this_machine(host: str) -> bool:
    """Whether a line to this host never leaves the machine, so that nobody can listen to it."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def host(text: str) -> str:
    """A host name (international ones as A-labels, lower case) or an IP address without brackets; "" for
    none.
    """
    text = text.strip()
    if not text:
        return ""
    if "://" in text:
        raise ValidationError(
            _("Enter the name alone, without %(scheme)s: for example smtp.example.org")
            % {"scheme": text[: text.index("://") + 3]}
        )
    if "@" in text:
        raise ValidationError(_("This is an e-mail address. Enter the server’s name: smtp.example.org"))
    address = _ip_address(text)
    if address:
        return address
    name, colon, port = text.rpartition(":")
    if colon and _DIGITS.fullmatch(port) and (":" not in name or name.endswith("]")):
        raise ValidationError(
            _("Enter the name here and the port %(port)s in its own field.") % {"port": port}
        )
    if "/" in text:
        raise ValidationError(_("Enter the name alone, without a path: for example smtp.example.org"))
    if any(character.isspace() for character in text):
        raise ValidationError(_("A server name has no spaces."))
    try:
        name = canonical_domain(text.rstrip(".")).lower()
    except AddressError:
        name = ""
    if re.fullmatch(r"[0-9.]+", name or text):  # "²" reads as 2 in a name
        raise ValidationError(_("This is no valid IP address: it has four numbers from 0 to 255."))
    if not name or len(name) > 253 or not all(_LABEL.fullmatch(label) for label in name.split(".")):
        raise ValidationError(_("This is no server name or IP address: enter it like smtp.example.org"))
    return name


def _ip_address(text: str) -> str:
    if text.startswith("[") and text.endswith("]"):
        text = text[1:-1].removeprefix("IPv6:")
    try:
        return str(ipaddress.ip_address(text))
    except ValueError:
        return ""


def whole_number(text: str, lowest: int, highest: int) -> int | None:
    """A whole number in these bounds; None for an empty field."""
    text = str(text).strip()
    if not text:
        return None
    if not _DIGITS.fullmatch(text) or not lowest <= int(text) <= highest:
        raise ValidationError(
            _("Enter a whole number from %(lowest)s to %(highest)s") % {"lowest": lowest, "highest": highest}
        )
    return int(text)


def port(text: str) -> int | None:
    """A TCP port; None while it follows the encryption."""
    return whole_number(text, 1, 65535)


def address(text: str) -> str:
    """An e-mail address without a name (an addr-spec); "" for none."""
    text = text.strip()
    if not text:
        return ""
    if "@" not in text:
        raise ValidationError(_("Enter a full address, with @: for example tracker@example.org"))
    try:
        return Address("", text).addr_spec
    except AddressError as error:
        raise ValidationError(_(str(error))) from None


def name(text: str) -> str:
    """A name that people read before an address: one line, no control characters."""
    return clean_name(text)


def authserv_id(text: str) -> str:
    """The name with which a server signs its Authentication-Results (RFC 8601 §2.5), in lower case; "-" where
    it gives none; "" for nobody."""
    text = text.strip().lower()
    if text and text != "-" and not _AUTHSERV_ID.fullmatch(text):
        raise ValidationError(_("Enter the server’s name as the line begins, for example mx.example.org"))
    return text


def login(text: str) -> str:
    """A user name, exactly as typed but for spaces around it."""
    text = text.strip()
    if _CONTROLS.search(text):
        raise ValidationError(_("A user name has no line breaks or control characters."))
    return text


def password(text: str) -> str:
    """A password, exactly as typed. Line breaks at its end come from files and pipes and are dropped."""
    text = text.rstrip("\r\n")
    if "\0" in text or "\n" in text or "\r" in text:
        raise ValidationError(_("A password has no line breaks."))
    if len(text) > 1000:
        raise ValidationError(_("A password has at most 1,000 characters."))
    return text


_ON = frozenset({"on", "true", "yes", "1"})
_OFF = frozenset({"off", "false", "no", "0", ""})


def on_off(text: str) -> bool:
    """on or off, as commands write it."""
    word = str(text).strip().lower()
    if word not in _ON | _OFF:
        raise ValidationError(_("Enter on or off."))
    return word in _ON
