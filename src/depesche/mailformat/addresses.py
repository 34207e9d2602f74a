"""Mail addresses: one strict type for everything that is written, one tolerant reading of what arrives.

An `Address` that exists is safe in a header and in an SMTP command: its constructor refuses control
characters, line ends, angle brackets and what is too long. Nothing else in Depesche writes an address.

Incoming headers are read by `parse_address_list`, which takes structure first and decodes names afterwards:
an encoded word can become part of a name, never an address or a separator.
"""

from __future__ import annotations

import encodings.idna
import itertools
import re
import unicodedata
from dataclasses import dataclass, replace
from enum import Enum, unique

from depesche.mailformat.characters import clean_name, well_formed
from depesche.mailformat.encoded_words import decode_words

MAX_LOCAL = 64  # octets, RFC 5321 §4.5.3.1.1
MAX_ADDR_SPEC = 254  # octets: a path of 256 without its angle brackets
MAX_INCOMING = 200_000  # characters of an incoming address header that are looked at


def gettext_noop(text: str) -> str:
    """Marks a sentence for the message catalogue; mailformat itself does not translate."""
    return text


@unique
class AddressFault(Enum):
    """Why a text is no address; the value is the sentence for the form field, in English, to be
    translated."""

    EMPTY = gettext_noop("Enter an e-mail address.")
    NO_AT = gettext_noop("An e-mail address has an @ between name and domain, like jane@example.org.")
    SEVERAL = gettext_noop("Enter one e-mail address only.")
    CONTROL = gettext_noop("An e-mail address has no line breaks or control characters.")
    BRACKETS = gettext_noop("Write the address as jane@example.org or as Jane Doe <jane@example.org>.")
    LOCAL = gettext_noop("The part before the @ has characters that an e-mail address cannot have.")
    LOCAL_LONG = gettext_noop("The part before the @ is longer than 64 characters.")
    DOMAIN = gettext_noop("The part after the @ is no valid domain.")
    LONG = gettext_noop("The e-mail address is longer than 254 characters.")
    TAG = gettext_noop("A tag in an e-mail address has letters, digits, dots, hyphens and underscores only.")
    NAME = gettext_noop("Put a name with special characters in quotation marks.")


class AddressError(ValueError):
    """A text is no address. `str()` is one English sentence that can stand at a form field; `fault` says
    which."""

    def __init__(self, fault: AddressFault) -> None:
        super().__init__(fault.value)
        self.fault = fault


_ATEXT = r"A-Za-z0-9!#$%&'*+/=?^_`{|}~\-"
_LABEL = r"[A-Za-z0-9_](?:[A-Za-z0-9_\-]{0,61}[A-Za-z0-9_])?"
_SIMPLE = re.compile(rf"[{_ATEXT}]+(?:\.[{_ATEXT}]+)*@{_LABEL}(?:\.{_LABEL})*")
# Non-ASCII characters are judged by str.isprintable() beside it (RFC 6531 leaves them to the receiving
# server).
_DOT_ATOM = re.compile(rf"[{_ATEXT}\u00a1-\U0010ffff]+(?:\.[{_ATEXT}\u00a1-\U0010ffff]+)*")
_QUOTED = re.compile(r'"(?:[^"\\]|\\.)*"')
_DOMAIN = re.compile(rf"{_LABEL}(?:\.{_LABEL})*")
_LITERAL = re.compile(r"\[(?:\d{1,3}(?:\.\d{1,3}){3}|IPv6:[0-9A-Fa-f:.]{2,45})\]")
_DOTS = re.compile("[.\u3002\uff0e\uff61]")
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)
# RFC 5890's deviations: the old rules (which the stdlib has) turn straße.de into another domain, strasse.de.
_DEVIATIONS = re.compile("[ßς\u200c\u200d]")


def _quote(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _canonical_local(local: str) -> str:
    """The local part, without needless quotation marks; AddressError."""
    if _DOT_ATOM.fullmatch(local):
        if local.isascii():
            return local
        local = unicodedata.normalize("NFC", local)
        if local.isprintable() and _DOT_ATOM.fullmatch(local):
            return local
    elif _QUOTED.fullmatch(local):
        content = _ESCAPED.sub(r"\1", local[1:-1])
        if _DOT_ATOM.fullmatch(content):
            return _canonical_local(content)
        if content and content.isprintable() and not set("<>") & set(content):
            return _quote(unicodedata.normalize("NFC", content))
    raise AddressError(AddressFault.LOCAL)


def _a_label(label: str) -> str:
    if _DEVIATIONS.search(label):
        label = unicodedata.normalize("NFC", label).lower()
        if label.isprintable():
            return "xn--" + label.encode("punycode").decode("ascii")
        raise UnicodeError
    return encodings.idna.ToASCII(label).decode("ascii").lower()


def canonical_domain(domain: str) -> str:
    """The domain as it goes into headers and commands: A-labels for international names; AddressError.

    ASCII domains and address literals (`[192.0.2.1]`) stay as they are.
    """
    if len(domain) > MAX_ADDR_SPEC:  # before the codec, whose time grows faster than its input
        raise AddressError(AddressFault.LONG)
    if not domain.isascii():
        try:
            domain = ".".join(_a_label(label) for label in _DOTS.split(domain))
        except UnicodeError:
            raise AddressError(AddressFault.DOMAIN) from None
    if not (_DOMAIN.fullmatch(domain) or _LITERAL.fullmatch(domain)) or len(domain) > 253:
        raise AddressError(AddressFault.DOMAIN)
    return domain


def _canonical(addr_spec: str) -> str:
    """The address in the form that is written; AddressError."""
    if len(addr_spec) > 4 * MAX_ADDR_SPEC:
        raise AddressError(AddressFault.LONG)
    if not addr_spec:
        raise AddressError(AddressFault.EMPTY)
    if any(unicodedata.category(char) in ("Cc", "Zl", "Zp", "Cs") for char in addr_spec):
        raise AddressError(AddressFault.CONTROL)
    if "<" in addr_spec or ">" in addr_spec:
        raise AddressError(AddressFault.BRACKETS)
    local, at, domain = addr_spec.rpartition("@")
    if not at or not local or not domain:
        raise AddressError(AddressFault.NO_AT)
    if "@" in local and not local.startswith('"'):
        raise AddressError(AddressFault.SEVERAL)
    local, domain = _canonical_local(local), canonical_domain(domain)
    if len(local.encode()) > MAX_LOCAL:
        raise AddressError(AddressFault.LOCAL_LONG)
    if len(local.encode()) + 1 + len(domain) > MAX_ADDR_SPEC:
        raise AddressError(AddressFault.LONG)
    return f"{local}@{domain}"


@dataclass(frozen=True, slots=True)
class Address:
    """A display name (may be empty) and a mailbox, `jane@example.org`; safe in headers and SMTP commands.

    The mailbox is checked (AddressError) and brought to its canonical form: A-labels for an international
    domain, no needless quotation marks. A local part outside ASCII is allowed and needs SMTPUTF8. A name
    never refuses: control characters and bidirectional overrides are taken out, and it is cut at 256
    characters.
    """

    display_name: str
    addr_spec: str

    def __post_init__(self) -> None:
        addr_spec = self.addr_spec
        if not (len(addr_spec) <= MAX_LOCAL and _SIMPLE.fullmatch(addr_spec)):
            object.__setattr__(self, "addr_spec", _canonical(addr_spec))
        name = self.display_name
        if name:
            object.__setattr__(self, "display_name", clean_name(name))

    @property
    def local(self) -> str:
        return self.addr_spec.rpartition("@")[0]

    @property
    def domain(self) -> str:
        return self.addr_spec.rpartition("@")[2]

    @property
    def needs_smtputf8(self) -> bool:
        """Whether the mailbox itself is outside ASCII, so that only a server with SMTPUTF8 can take it."""
        return not self.addr_spec.isascii()

    @property
    def key(self) -> str:
        """Equal for the same mailbox however it is written: for look-ups and unique columns."""
        local, _, domain = self.addr_spec.rpartition("@")
        return f"{unicodedata.normalize('NFC', local.casefold())}@{domain.lower()}"

    def __str__(self) -> str:
        """For people to read: `Jane Doe <jane@example.org>`; `parse_address` takes it back."""
        if not self.display_name:
            return self.addr_spec
        name = self.display_name
        plain = not set('"\\<>@,;:()') & set(name)
        return f"{name if plain else _quote(name)} <{self.addr_spec}>"


def same_mailbox(one: Address, other: Address) -> bool:
    """Whether both mean one mailbox: the domain, and in practice the local part, without regard to case."""
    return one.key == other.key


_TAG = re.compile(r"[A-Za-z0-9_](?:[A-Za-z0-9_.\-]*[A-Za-z0-9_\-])?")


def with_tag(address: Address, tag: str) -> Address:
    """The plus address: tracker@example.org with tag t7 is tracker+t7@example.org. The display name stays.

    AddressError when the tag is none (letters, digits, `_ . -`) or the local part would pass 64 octets.
    """
    if not _TAG.fullmatch(tag) or ".." in tag:
        raise AddressError(AddressFault.TAG)
    local, domain = address.local, address.domain
    tagged = f'{local[:-1]}+{tag}"' if local.endswith('"') else f"{local}+{tag}"
    return replace(address, addr_spec=f"{tagged}@{domain}")


def split_tag(address: Address) -> tuple[Address, str | None]:
    """What `with_tag` joined: the address without its tag, and the tag; None when there is none."""
    local, domain = address.local, address.domain
    quote = '"' if local.endswith('"') else ""
    base, plus, tag = local.removesuffix('"').rpartition("+")
    if not plus or not base.removeprefix('"') or not _TAG.fullmatch(tag) or ".." in tag:
        return address, None
    try:
        return replace(address, addr_spec=f"{base}{quote}@{domain}"), tag
    except AddressError:  # x.+tag: what stands before the plus is no address of its own
        return address, None


def parse_address(text: str) -> Address:
    """One address as a person types it: `jane@example.org` or `Jane Doe <jane@example.org>`.

    Strict: AddressError says in a sentence what is wrong.
    """
    text = text.strip(" \t\r\n")
    if not text.endswith(">"):
        return Address("", text)
    name, bracket, addr_spec = text[:-1].rpartition("<")
    name = name.strip()
    if not bracket:
        raise AddressError(AddressFault.BRACKETS)
    if any(unicodedata.category(char) in ("Cc", "Zl", "Zp", "Cs") for char in name[:1000]):
        raise AddressError(AddressFault.CONTROL)
    if _QUOTED.fullmatch(name):
        name = _ESCAPED.sub(r"\1", name[1:-1])
    elif "@" in name and ("," in name or ";" in name):
        raise AddressError(AddressFault.SEVERAL)
    elif set('"<>@,;:\\()') & set(name):
        raise AddressError(AddressFault.NAME)
    return Address(name, addr_spec.strip())


# --- Reading what arrives
# -------------------------------------------------------------------------------------

# An encoded word is one unit even where a broken mailer left a comma or quotation mark in it.
_ENCODED_WORD = re.compile(r'=\?[^\s?<>"]{1,60}\?[bBqQ]\?[^\s?<>"]*\?=')
_ATOM = re.compile(r'(?:(?!=\?)[^\s"(),:;<>\[\]])+|=\?')
_ROUTE = re.compile(r"\s*@[^:]*:")


class _Mailbox:
    """What has been read of one entry of a list, up to its comma."""

    __slots__ = ("angle", "comments", "words")

    def __init__(self) -> None:
        self.words: list[str] = []
        self.comments: list[str] = []
        self.angle: str | None = None


class _Scanner:
    """One pass over an address header. An opener without its end is looked for once, and is text ever
    after."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.open_ended: set[str] = set()

    def quoted(self) -> str | None:
        """The content of the quoted string that begins here."""
        if '"' in self.open_ended:
            return None
        content: list[str] = []
        at, text = self.at + 1, self.text
        while at < len(text):
            char = text[at]
            if char == '"':
                self.at = at + 1
                return "".join(content)
            if char == "\\" and at + 1 < len(text):
                at += 1
                char = text[at]
            content.append(char)
            at += 1
        self.open_ended.add('"')
        return None

    def comment(self) -> str | None:
        """The content of the comment that begins here, inner parentheses included."""
        if "(" in self.open_ended:
            return None
        content: list[str] = []
        at, depth, text = self.at + 1, 1, self.text
        while at < len(text):
            char = text[at]
            if char == "\\" and at + 1 < len(text):
                at += 1
                char = text[at]
            elif char == "(":
                depth += 1
            elif char == ")":
                depth -= 1
                if depth == 0:
                    self.at = at + 1
                    return "".join(content)
            content.append(char)
            at += 1
        self.open_ended.add("(")
        return None

    def until(self, opener: str, closer: str) -> str | None:
        """What stands between the opener here and its closer."""
        if opener in self.open_ended:
            return None
        end = self.text.find(closer, self.at + 1)
        if end < 0:
            self.open_ended.add(opener)
            return None
        content = self.text[self.at + 1 : end]
        self.at = end + 1
        return content


def _try(name: str, addr_spec: str) -> Address | None:
    """An address from what stands in a header, mended where the meaning is plain."""
    if len(addr_spec) > 4 * MAX_ADDR_SPEC:
        return None
    addr_spec = _ROUTE.sub("", addr_spec, count=1).strip(" \t\r\n<>").removeprefix("mailto:")
    if len(addr_spec) > 1 and addr_spec[0] == addr_spec[-1] == "'":
        addr_spec = addr_spec[1:-1]
    local, at, domain = addr_spec.rpartition("@")
    domain = domain.strip().removesuffix(".")
    local = local.strip()
    if not at or not local:
        return None
    if (
        _DOTS.search(local)
        and not local.startswith('"')
        and not _DOT_ATOM.fullmatch(local)
        and "@" not in local
    ):
        local = _quote(local)  # Japanese providers gave out jane..doe@ and jane.@
    try:
        return Address(name, f"{local}@{domain}")
    except AddressError:
        return None


def _name(parts: list[str]) -> str:
    name = decode_words(" ".join(parts))
    if len(name) > 1 and name[0] == name[-1] == "'":
        name = name[1:-1]
    return name


def _finish(entry: _Mailbox, found: list[Address]) -> None:
    words, angle = entry.words, entry.angle
    if angle is not None:
        name = _name(words or entry.comments)
        pieces = [angle] if "@" not in angle.partition(",")[0].strip() else angle.split(",")
        if angle.lstrip().startswith("@"):
            pieces = [angle]
        for piece in pieces:
            address = _try(name, piece)
            if address is not None:
                found.append(address)
        return
    if not any("@" in word for word in words):
        return
    address = _try(_name(entry.comments), "".join(words)) if len(words) <= 8 else None
    if address is not None and sum(word.count("@") for word in words) == 1 and _joined(words):
        found.append(address)
        return
    for index, word in enumerate(words):
        if "@" in word.strip("@"):
            address = _try(_name([*words[:index], *words[index + 1 :]] or entry.comments), word)
            if address is not None:
                found.append(address)
                return


def _joined(words: list[str]) -> bool:
    """Whether the words are one mailbox with spaces around its @ or dots (obsolete syntax), and no name
    beside it."""
    return all(
        left[-1:] in ("@", ".") or right[:1] in ("@", ".") for left, right in itertools.pairwise(words)
    )


def parse_address_list(text: str) -> list[Address]:
    """Every mailbox of an incoming address header (`From`, `To`, `Cc`, …), in order; never raises.

    Understands quoted strings, comments, groups, obsolete routes and encoded words, and makes the best of
    broken ones: what is no address is left out. Takes time linear in the text, of which 200,000 characters
    are read.
    """
    text = well_formed(text[:MAX_INCOMING])
    scanner = _Scanner(text)
    found: list[Address] = []
    entry = _Mailbox()
    glue = False  # the next word belongs to the one before: no space between them
    while scanner.at < len(text):
        char = text[scanner.at]
        content: str | None
        if char.isspace():
            scanner.at += 1
            glue = False
            continue
        if char in ",;":
            _finish(entry, found)
            entry = _Mailbox()
            scanner.at += 1
            glue = False
            continue
        if char == ":":
            # The end of a group's name, unless it belongs to mailto:
            scanner.at += 1
            if entry.angle is None and not any("@" in word for word in entry.words):
                entry = _Mailbox()
            glue = False
            continue
        if char == "(" and (content := scanner.comment()) is not None:
            entry.comments.append(content)
            glue = False
            continue
        if char == "<" and (content := scanner.until("<", ">")) is not None:
            if entry.angle is not None:  # a comma is missing between two
                _finish(entry, found)
                entry = _Mailbox()
            entry.angle = content
            glue = False
            continue
        if char == '"':
            start = scanner.at
            content = scanner.quoted()
            if content is not None:
                follows = text[scanner.at : scanner.at + 1] == "@"
                word = text[start : scanner.at] if follows else content
            else:
                scanner.at += 1
                continue
        elif char == "[" and (content := scanner.until("[", "]")) is not None:
            word = f"[{content}]"
        elif match := _ENCODED_WORD.match(text, scanner.at) or _ATOM.match(text, scanner.at):
            word = match.group()
            scanner.at = match.end()
        else:  # a stray bracket, or an opener whose end never comes
            scanner.at += 1
            continue
        if glue and entry.words:
            entry.words[-1] += word
        else:
            entry.words.append(word)
        glue = True
    _finish(entry, found)
    return found
