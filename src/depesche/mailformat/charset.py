"""The charsets that mails can be written in (M14), and the reading of whatever charset others write.

Writing: `choose` answers which charset a mail really gets. The wanted one is taken only when every text comes
back unchanged, from Python's codec and from the one that mail programs use for that label; encoding without
an error is no proof. ISO-2022-JP takes ESC and then cannot be decoded, Shift_JIS writes the yen sign as a
backslash, EUC-KR writes rare syllables as a sequence that mail programs show as single letters, and
ISO-8859-1 is read as windows-1252.

Reading: labels in mails lie. `decode_octets` follows what mail programs and browsers do (WHATWG Encoding):
the label names the family, the largest codec of that family reads it, and nothing ever raises.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

from depesche.mailformat.characters import well_formed


@dataclass(frozen=True, slots=True)
class Charset:
    """One charset on offer. `key` is what settings store; `label` names languages, in English, to be
    translated."""

    key: str
    mime_name: str
    codec: str
    label: str
    stateful: bool = False  # escape sequences: 7 bits on the wire, and ASCII does not simply pass through


def gettext_noop(text: str) -> str:
    """Marks a text for the message catalogue; mailformat itself does not translate."""
    return text


CHARSETS: tuple[Charset, ...] = (
    Charset("utf-8", "UTF-8", "utf-8", gettext_noop("Unicode, all languages")),
    Charset("iso-8859-1", "ISO-8859-1", "latin-1", gettext_noop("Western European")),
    Charset("iso-8859-15", "ISO-8859-15", "iso8859-15", gettext_noop("Western European with euro sign")),
    Charset("windows-1252", "windows-1252", "cp1252", gettext_noop("Western European, Windows")),
    Charset("iso-8859-2", "ISO-8859-2", "iso8859-2", gettext_noop("Central European")),
    Charset("windows-1250", "windows-1250", "cp1250", gettext_noop("Central European, Windows")),
    Charset("iso-8859-3", "ISO-8859-3", "iso8859-3", gettext_noop("South European")),
    Charset("iso-8859-4", "ISO-8859-4", "iso8859-4", gettext_noop("North European")),
    Charset("iso-8859-10", "ISO-8859-10", "iso8859-10", gettext_noop("Nordic")),
    Charset("iso-8859-13", "ISO-8859-13", "iso8859-13", gettext_noop("Baltic")),
    Charset("windows-1257", "windows-1257", "cp1257", gettext_noop("Baltic, Windows")),
    Charset("iso-8859-14", "ISO-8859-14", "iso8859-14", gettext_noop("Celtic")),
    Charset("iso-8859-16", "ISO-8859-16", "iso8859-16", gettext_noop("Romanian")),
    Charset("iso-8859-5", "ISO-8859-5", "iso8859-5", gettext_noop("Cyrillic")),
    Charset("windows-1251", "windows-1251", "cp1251", gettext_noop("Cyrillic, Windows")),
    Charset("koi8-r", "KOI8-R", "koi8-r", gettext_noop("Russian")),
    Charset("koi8-u", "KOI8-U", "koi8-u", gettext_noop("Ukrainian")),
    Charset("iso-8859-7", "ISO-8859-7", "iso8859-7", gettext_noop("Greek")),
    Charset("windows-1253", "windows-1253", "cp1253", gettext_noop("Greek, Windows")),
    Charset("iso-8859-9", "ISO-8859-9", "iso8859-9", gettext_noop("Turkish")),
    Charset("windows-1254", "windows-1254", "cp1254", gettext_noop("Turkish, Windows")),
    Charset("windows-1255", "windows-1255", "cp1255", gettext_noop("Hebrew, Windows")),
    Charset("windows-1256", "windows-1256", "cp1256", gettext_noop("Arabic, Windows")),
    Charset("windows-1258", "windows-1258", "cp1258", gettext_noop("Vietnamese, Windows")),
    Charset("tis-620", "TIS-620", "tis-620", gettext_noop("Thai")),
    Charset("iso-2022-jp", "ISO-2022-JP", "iso2022_jp", gettext_noop("Japanese, e-mail"), stateful=True),
    Charset("shift_jis", "Shift_JIS", "shift_jis", gettext_noop("Japanese, Windows and Macintosh")),
    Charset("euc-jp", "EUC-JP", "euc_jp", gettext_noop("Japanese, Unix")),
    Charset("gb18030", "GB18030", "gb18030", gettext_noop("Chinese, simplified")),
    Charset("gbk", "GBK", "gbk", gettext_noop("Chinese, simplified, Windows")),
    Charset("gb2312", "GB2312", "gb2312", gettext_noop("Chinese, simplified, older")),
    Charset("big5", "Big5", "big5", gettext_noop("Chinese, traditional")),
    Charset("euc-kr", "EUC-KR", "euc_kr", gettext_noop("Korean")),
)
UTF_8 = CHARSETS[0]
_BY_KEY = {charset.key: charset for charset in CHARSETS}

# Python's ISO-8859 codecs carry the C1 controls; mail programs make something else of them, or nothing.
_C1 = re.compile("[\x80-\x9f]")
# What a reader of escape sequences takes for one, even where Python's codec lets it pass.
_SHIFTS = re.compile("[\x0e\x0f\x1b]")


def offered(name: str) -> Charset | None:
    """The offered charset of that name, without regard to case; None for any other."""
    return _BY_KEY.get(name) or _BY_KEY.get(name.strip().lower())


def carries(charset: Charset, text: str) -> bool:
    """Whether the text arrives unchanged in that charset (UTF-8: whether it is well-formed)."""
    if charset is UTF_8:
        return well_formed(text) is text
    if text.isascii() and not charset.stateful:
        return True
    if _C1.search(text) or (charset.stateful and _SHIFTS.search(text)):
        return False
    reader = _MEANT.get(charset.key, charset.codec)
    try:
        octets = text.encode(charset.codec)
        if octets.decode(charset.codec) != text or octets.decode(reader) != text:
            return False
    except UnicodeError:
        return False
    # Octets that happen to be UTF-8 too (盲枚 in GBK) are taken for it by readers that have seen
    # too many wrong labels, ours among them.
    return charset.stateful or not _is_utf_8(octets)


def _is_utf_8(octets: bytes) -> bool:
    try:
        octets.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def choose(charset: str, texts: Iterable[str]) -> str:
    """The key of the charset for a mail with these texts: the wanted one if it carries them all, else
    `utf-8`.

    A name that is not on offer counts as one that carries nothing: the mail goes out all the same.
    """
    wanted = offered(charset)
    if wanted is None or wanted is UTF_8 or not all(carries(wanted, text) for text in texts):
        return UTF_8.key
    return wanted.key


# What others mean by their labels. Left: lower case, as written in mails; right: the Python codec that reads
# it.
_MEANT: dict[str, str] = {
    **dict.fromkeys(("iso-8859-1", "iso8859-1", "iso_8859-1", "latin1", "latin-1", "l1", "cp819"), "cp1252"),
    **dict.fromkeys(("us-ascii", "ascii", "ansi_x3.4-1968", "646", "utf8", "utf8mb4", "utf-8mb4"), "utf-8"),
    **dict.fromkeys(("unicode", "unicode-1-1-utf-8", "x-unicode20utf8", "binary"), "utf-8"),
    **dict.fromkeys(("default", "unknown", "x-unknown", "unknown-8bit", "x-user-defined", "none"), "utf-8"),
    **dict.fromkeys(("iso-8859-9", "iso8859-9", "iso_8859-9", "latin5"), "cp1254"),
    **dict.fromkeys(("gb2312", "gb_2312-80", "gbk", "cp936", "x-gbk", "euc-cn"), "gb18030"),
    **dict.fromkeys(("gb-2312", "gb2312-80", "gb18030", "gb_2312", "csgb2312", "chinese"), "gb18030"),
    **dict.fromkeys(("euc-kr", "euc_kr", "euckr", "ks_c_5601-1987", "ks_c_5601", "ksc5601"), "cp949"),
    **dict.fromkeys(("ks_c_5601-1989", "ks-c5601", "windows-949", "x-windows-949", "korean", "uhc"), "cp949"),
    **dict.fromkeys(("shift_jis", "shift-jis", "sjis", "x-sjis", "ms_kanji", "windows-31j"), "cp932"),
    **dict.fromkeys(("iso-2022-jp", "iso2022-jp", "iso-2022-jp-1", "csiso2022jp"), "iso2022_jp_ext"),
    **dict.fromkeys(("iso-2022-jp-ms", "cp50220", "cp50221", "x-iso-2022-jp"), "iso2022_jp_ext"),
    **dict.fromkeys(("euc-jp-2004",), "euc_jis_2004"),
    **dict.fromkeys(("euc-jp", "x-euc-jp", "x-euc", "eucjp"), "euc_jp"),
    **dict.fromkeys(("big5", "big5-eten", "cn-big5", "x-x-big5", "big5-hkscs", "csbig5"), "big5hkscs"),
    **dict.fromkeys(("tis-620", "tis620", "windows-874", "iso-8859-11", "iso8859-11"), "cp874"),
    **dict.fromkeys(("iso-8859-8-i", "iso-8859-8-e", "iso-8859-8", "logical"), "iso8859-8"),
    **dict.fromkeys(("iso-8859-6-i", "iso-8859-6-e", "iso-8859-6", "arabic"), "iso8859-6"),
    **dict.fromkeys(("koi8-ru", "koi8-u"), "koi8-u"),
    **dict.fromkeys(("koi8-r", "koi8", "koi", "koi8_r"), "koi8-r"),
    **dict.fromkeys(("macintosh", "x-mac-roman", "mac", "x-macroman"), "mac-roman"),
    **dict.fromkeys(("x-mac-cyrillic", "x-mac-ukrainian"), "mac-cyrillic"),
    **dict.fromkeys(("utf-7", "unicode-1-1-utf-7", "x-unicode-2-0-utf-7"), "utf-7"),
    **dict.fromkeys(("utf-16", "ucs-2", "iso-10646-ucs-2"), "utf-16"),
}
# Python's codec table also holds things that are no charsets, among them decompressors and quadratic ones.
_NO_CHARSETS = frozenset(
    {
        "idna",
        "punycode",
        "unicode-escape",
        "unicode_escape",
        "raw-unicode-escape",
        "raw_unicode_escape",
        "undefined",
    }
    | {"mbcs", "oem", "unicode_internal", "utf-8-sig", "utf_8_sig"}
)
_LABEL = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.:+\-]{0,39}")


@lru_cache(maxsize=256)
def codec_of(label: str) -> str | None:
    """The Python codec that reads what mails mean by this label; None for a label that says nothing."""
    match = _LABEL.search(label)
    if match is None:
        return None
    name = match.group().lower()
    if name in _MEANT:
        return _MEANT[name]
    windows = re.fullmatch(r"(?:x-)?(?:cp|windows|win|ms)[-_]?(?:cp)?[-_]?(\d{3,4})", name)
    for candidate in (name, f"cp{windows.group(1)}" if windows else name):
        try:
            info = codecs.lookup(candidate)
        except (LookupError, ValueError):
            continue
        # `_is_text_encoding` is how CPython itself keeps bytes-to-bytes codecs (zlib, bz2, base64) out of
        # str.
        if getattr(info, "_is_text_encoding", False) and info.name not in _NO_CHARSETS:
            return info.name
    return None


def decode_octets(octets: bytes, label: str | None = None) -> str:
    """Octets of a mail as text, for any label and any octets: never raises, never a lone surrogate.

    A label that is missing, unknown or wrong gives way to UTF-8 and then to windows-1252; what no charset
    explains becomes U+FFFD.
    """
    codec = codec_of(label) if label else None
    for candidate in (codec, "utf-8"):
        if candidate is not None:
            try:
                return well_formed(octets.decode(candidate))
            except (UnicodeError, ValueError):
                continue
    # Mostly right beats wholly wrong: one bad octet does not make a multi-byte text windows-1252.
    if codec is not None and codec not in ("utf-8", "utf-7", "utf-16"):
        return well_formed(octets.decode(codec, "replace"))
    as_utf_8 = octets.decode("utf-8", "replace")
    if codec == "utf-8" and as_utf_8.count("\ufffd") * 10 < len(as_utf_8):
        return as_utf_8
    return octets.decode("cp1252", "replace")
