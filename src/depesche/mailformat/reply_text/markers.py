"""Where an older mail begins: attribution lines, forwarded headers, separators. Each test is linear in its
lines.

An attribution is found from its *end* ("… wrote:"), since that is where languages and programs agree; from
there one looks back over at most five lines for its beginning. So a text in front of it is never swallowed,
however its lines were wrapped.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from depesche.mailformat.reply_text.separators import FORWARD_SEPARATORS, SEPARATORS
from depesche.mailformat.reply_text.words import HEADER_LABELS, ON, QUOTING, WROTE, word_set

_LONGEST_LINE = 500
_LONGEST_WINDOW = 700
_WINDOW_LINES = 6


def _alternatives(words: Sequence[str]) -> str:
    return "|".join(re.escape(word) for word in sorted(set(words), key=len, reverse=True))


_VERBS = _alternatives(WROTE)
_LOWER_VERBS = tuple(sorted({word.lower() for word in WROTE}))
_ENDS_WITH_VERB = re.compile(
    rf"(?:^|[\s>)\]\"'”»,:.\d]|(?<=[^\x00-\u02ff]))(?:{_VERBS})\s?[:：]?\s?$", re.IGNORECASE
)
_HAS_VERB = re.compile(rf"(?:^|[\s>)\]\"'”»])(?:{_VERBS})(?=[\s:：,]|$)", re.IGNORECASE)
_VERB_AND_DATE = re.compile(
    rf"(?:^|[\s>)\]\"'”»])(?:{_VERBS}) "
    rf"(?:am|on|op|den|le|el|il|em|at|dnia|dne|kl)\b[^:]{{0,30}}\d[^:]{{0,30}}:$",
    re.IGNORECASE,
)
_FIRST_PERSON = re.compile(
    r"\b(?:i (?:wrote|said)|(?:schrieb|schreibt) (?:ich|mir)|ich schrieb|j'ai écrit|escribí|"
    r"skrev (?:jag|jeg))\b",
    re.I,
)
_DATE = re.compile(
    r"\b\d{1,2}[:.h]\d{2}\b|\b(?:19|20)\d\d\b|\b\d{1,2}[./-]\d{1,2}[./-]\d{2,4}\b|\d\s?(?:月|年|월|년)|"
    r"\b\d{1,2}\. ?\w{3,12}\b"
)
_EMAIL = re.compile(r"[^\s<>@,;:()\[\]\"]{1,100}@[^\s<>@,;:()\[\]\"]{1,200}")
_TIME = re.compile(r"(?<![\d.:])\d{1,2}[:.h]\d{2}(?!\d|\.\d)")
_STARTS_WITH_DATE = re.compile(
    r"(?:\d{4}[-/.]\d{1,2}[-/.]\d{1,2}|\d{1,2}[-/.]\d{1,2}[-/.]\d{2,4}|\d{4} ?年|\d{4}년|"
    r"\d{1,2}\.? \w{3,12}\.?,? \d{4}|"
    r"\w{2,14}\.?,? (?:den )?\d{1,2}(?!\d|:|h|\.\d)|\w{2,14}\.?, \w{3,12}\.? \d{1,2}(?!\d|:))"
)
_STARTS_WITH_TIME = re.compile(r"[^\d\s]{1,12} \d{1,2}[:.]\d{2}(?![./]\d)")
_GMAIL_OLD = re.compile(r"\d{4}-\d\d-\d\d \d\d?:\d\d(?::\d\d)? (?:GMT|UTC|[+-]\d{2})\S{0,6} \S.{0,150}")
_ENDS_WITH_ADDRESS = re.compile(r"[>)\]]\s?[:：]?$|\S@\S{1,200}[:：]$")
_ENDS_WITH_SENDER = re.compile(r"<[^<>\s]{3,200}>\s?[:：]$")
_QUOTING = re.compile(rf"(?:{_alternatives(QUOTING)})\b", re.IGNORECASE)
_EDGE_RULE = re.compile(r"[-_=*~#>+\s—–]+")


#: Dashes, lines and bullets that programs draw with.
_DASHES = "-‐‑‒–—―−─━═╌╍┄┅┈┉⎯⸺⸻﹘﹣－"
_DRAWN = f"{_DASHES}_=*~# \t|"


def _bare(line: str) -> str:
    """The line without emphasis, rules at its sides and superfluous space."""
    return " ".join(
        line.replace("*", " ").replace("\u200e", "").replace("\u200f", "").replace("\xa0", " ").split()
    )


def _lower(text: str) -> str:
    """In lower case; the Turkish capital with a dot becomes one letter, not two."""
    return text.lower().replace("i\u0307", "i")


def _without_rules(line: str) -> str:
    return line.strip(_DRAWN)


def _ends_with_verb(text: str) -> bool:
    tail = text[-60:]
    return tail.rstrip(" :：").lower().endswith(_LOWER_VERBS) and _ENDS_WITH_VERB.search(tail) is not None


def _is_attribution(window: str) -> bool:
    text = _without_rules(_bare(window)).strip()
    if not 6 <= len(text) <= _LONGEST_WINDOW:
        return False
    has_date = _DATE.search(text) is not None
    has_address = "@" in text and _EMAIL.search(text) is not None
    if not (has_date or has_address):
        return False
    if _FIRST_PERSON.search(text):
        return False
    colon = text.endswith((":", "："))
    if _ends_with_verb(text):
        return colon or has_address or (has_date and _starts_attribution(text))
    # "Jane Doe <jane@example.org> schrieb am Di., 16. Aug. 2016 um 12:52 Uhr:"
    verb_inside = colon and has_date and len(text) <= 300 and _HAS_VERB.search(text) is not None
    if verb_inside and (has_address or _TIME.search(text) is not None or _VERB_AND_DATE.search(text[-150:])):
        return True
    if colon and has_address and _QUOTING.match(text):
        return True
    if _GMAIL_OLD.fullmatch(text):
        return True
    # In a language that is not in the tables: date, time and sender, and nothing after the address.
    if colon and has_date and has_address and len(text) <= 200 and _ENDS_WITH_SENDER.search(text):
        return _TIME.search(text) is not None
    if has_date and has_address and _STARTS_WITH_DATE.match(text) and _ENDS_WITH_ADDRESS.search(text):
        return colon or (text[:1].isdigit() and len(text) <= 200)
    return False


def _starts_attribution(text: str) -> bool:
    """Whether a text begins as attributions do: with a date, or with a word such as "On" and then a
    number.
    """
    words = text.split(maxsplit=1)
    if not words:
        return False
    if _STARTS_WITH_DATE.match(text):
        return True
    return words[0].lower().strip(",") in ON and any(character.isdigit() for character in text[:30])


@dataclass(frozen=True, slots=True)
class Marker:
    """Lines `start` to `end` (exclusive) introduce an older mail."""

    start: int
    end: int
    kind: str  # "attribution", "header", "separator", "forward", "reply-above"
    weak: bool = False  # an attribution only if a quote follows


def attribution_ending_at(lines: Sequence[str], end: int, floor: int) -> Marker | None:
    """The attribution whose last line is `end`; it begins after `floor` at the earliest."""
    last = lines[end].strip()
    if not last or len(last) > _LONGEST_LINE:
        return None
    closing = _without_rules(last).strip()
    if not closing:
        return None
    if not closing.endswith((":", "：", ">", ")", "]", *_LOWER_VERBS)) and not (
        closing[-45:].lower().endswith(_LOWER_VERBS)
        or (closing[0].isdigit() and _GMAIL_OLD.fullmatch(closing) is not None)
    ):
        return None
    ends = closing.endswith((":", "：")) or _ends_with_verb(closing)
    window = ""
    best: Marker | None = None
    blanks = 0
    for start in range(end, max(floor, end - _WINDOW_LINES - 2), -1):
        line = lines[start].strip()
        if len(line) > _LONGEST_LINE:
            break
        if not line:
            # Wrapped around blank lines: only where an address was torn out of it ("Jane", "", "<",
            # "mailto:…").
            if not window.startswith(("<", "mailto:", "(", ">")) or blanks >= 2:
                break
            blanks += 1
            continue
        if best is not None and not _continues(
            window, line, first_of_paragraph=start == floor + 1 or not lines[start - 1].strip()
        ):
            break
        window = f"{line} {window}".strip()
        if len(window) > _LONGEST_WINDOW:
            break
        # Without a colon only a line that begins with a date can be one.
        if (ends or line[:1].isdigit()) and _is_attribution(window):
            best = Marker(start, end + 1, "attribution")
    if best is not None or not closing.endswith((":", "：")):
        return best
    if len(closing) <= 150 and _ends_with_verb(closing) and not _FIRST_PERSON.search(closing):
        # "The customer writes:" is a person's way to introduce a quotation, "Jane Doe wrote:" a program's.
        told = closing.split(maxsplit=1)[0].lower() in _ARTICLES
        return None if told else Marker(end, end + 1, "attribution", weak=True)
    return _foreign_attribution(lines, end, floor)


_ARTICLES = word_set(
    "the a an our my your this that he she they it we der die das ein eine einer unser unsere mein "
    "meine dein er sie es wir man le la les un une notre mon ma il elle el los una nuestro mi lo gli "
    "de het een onze den det en ett"
)
_BRACKETED = re.compile(r"<[^<>\s@]{1,100}@[^<>\s@]{1,200}>|\([^()\s@]{1,100}@[^()\s@]{1,200}\)")
_ENDS_IN_BRACKETS = re.compile(r"[>)]\s?[:：]$")


def _foreign_attribution(lines: Sequence[str], end: int, floor: int) -> Marker | None:
    """In a language that nobody taught us: an address in brackets, and a date or nothing more behind it.

    Only above marked lines, since people write such lines as well.
    """
    window = ""
    for start in range(end, max(floor, end - 3), -1):
        line = lines[start].strip()
        if not line or len(line) > 200:
            break
        window = f"{line} {window}".strip()
        if _BRACKETED.search(window) and (
            _ENDS_IN_BRACKETS.search(window)
            or (_DATE.search(window) is not None and _TIME.search(window) is not None)
        ):
            return None if _FIRST_PERSON.search(window) else Marker(start, end + 1, "attribution", weak=True)
    return None


_ENDS_A_SENTENCE = re.compile(r"(?:[^\W\d_]{4,}[.]|[!?:…])[)\"'”»]?$")


def _continues(window: str, previous: str, *, first_of_paragraph: bool) -> bool:
    """Whether the found attribution began one line higher: programs wrap it anywhere."""
    torn = window[:1] in "<>" or window.startswith("mailto:")
    if torn and (previous.strip() in ("<", "(", "[") or previous.startswith("<")):
        return True
    text = _without_rules(_bare(previous))
    if not text or len(text) > 160 or _ENDS_A_SENTENCE.search(text):
        return False
    here = _without_rules(_bare(window))
    if _starts_attribution(here) and not _STARTS_WITH_TIME.match(here):
        return False
    if _starts_attribution(text) or (_DATE.search(text) is not None and _TIME.search(text) is not None):
        return True
    begins_inside = not here[:1].isupper()
    return begins_inside and first_of_paragraph and _EMAIL.match(here) is None


def header_label(line: str) -> tuple[str, str] | None:
    """(role, value) when the line is a header line as programs print it: "Von: …", "*From:* …"."""
    text = line.strip().lstrip("*_ \u200e\u200f|")
    colon = text.find(":", 0, 40)
    if not text.isascii():
        wide = text.find("：", 0, 40)
        if wide >= 0 and (colon < 0 or wide < colon):
            colon = wide
    if colon < 1:
        return None
    label = _lower(text[:colon].strip(" *_\xa0\t"))
    role = HEADER_LABELS.get(label)
    if role is None:
        return None
    return role, text[colon + 1 :].strip(" *_\xa0\t")


_VALUE_SIGN = re.compile(
    r"@|\d{1,2}[:.h]\d{2}|\b(?:19|20)\d\d\b|\d{1,2}[./-]\d{1,2}[./-]\d{2,4}|\[mailto|<mailto"
)


def header_block_at(lines: Sequence[str], start: int, *, separated: bool) -> Marker | None:
    """The block of header lines that begins at `start`. With `separated`, two of them are enough."""
    first = header_label(lines[start])
    if first is None or first[0] in ("cc", "other"):
        return None
    roles: list[str] = []
    signs = 0
    certain = False
    position = start
    last = start
    gap = 0
    while position < len(lines) and position - start < 60:
        line = lines[position]
        found = header_label(line)
        if found is not None:
            role, value = found
            if role in roles and role not in ("other", "cc"):
                break
            roles.append(role)
            signs += _VALUE_SIGN.search(value[:300]) is not None
            certain |= (
                role == "subject" or "@" in value or (role == "date" and _TIME.search(value) is not None)
            )
            last = position
            gap = 0
        elif not line.strip():
            gap += 10
            if gap > 10 or (len(set(roles)) >= 3 and _label_after(lines, position) is None):
                break
        else:
            # Long lists of recipients and subjects are wrapped.
            gap += 1
            if gap > 4 or len(line) > 400:
                break
            if gap == 1 and position > last + 1:
                break
        position += 1
    distinct = set(roles) - {"other", "cc"}
    if not certain and not separated:
        return None  # "From: Berlin, To: Paris, Date: 3 March": a journey
    if (len(distinct) >= 3 and (signs or separated or "from" in distinct)) or (
        len(distinct) >= 2
        and "from" in distinct
        and (separated or (signs and distinct & {"date", "subject"}))
    ):
        pass
    else:
        return None
    end = last + 1
    # What follows without a blank line belongs to the last header line: a wrapped subject.
    while end < len(lines) and lines[end].strip() and end - last <= 2 and lines[end][:1] in " \t":
        end += 1
    return Marker(start, end, "header")


def _label_after(lines: Sequence[str], position: int) -> tuple[str, str] | None:
    return header_label(lines[position + 1]) if position + 1 < len(lines) else None


_ONE_LINE_LABEL = re.compile(r"(?:^|\s)\*?([^\W\d_][\w' -]{0,14}?)\*?\s?:\*?(?=\s|\S)")


def is_one_line_header(line: str) -> bool:
    """ "From: a@b Sent: Monday … To: c@d Subject: e", all on one line."""
    text = line.strip()[:1_000]
    first = header_label(text)
    if first is None or first[0] != "from" or not _VALUE_SIGN.search(text):
        return False
    roles = {
        HEADER_LABELS.get(label.split()[-1].lower(), "")
        for label in _ONE_LINE_LABEL.findall(text)
        if label.split()
    }
    return len(roles & {"date", "to", "subject"}) >= 2


_TRAILING_PART = re.compile(r"\s(?:from|von|by)\s.{1,100}$", re.IGNORECASE)
_ABOVE = re.compile(
    r"(?:above|oberhalb|über|ueber|au-dessus|por encima|encima|acima|sopra|boven|ovenfor|ovanför|"
    r"yläpuolel|powyżej|nad|"
    r"выше|вище|üstüne|πάνω)\b.{0,30}\b(?:line|zeile|linie|ligne|línea|linea|linha|riga|regel|lijn|"
    r"linje|rad|viiva|"
    r"lini[ai]|řádek|čiar\w*|строк\w*|лини\w*|рядк\w*|çizgi\w*|γραμμή)",
    re.IGNORECASE,
)


_ASKS_FOR_REPLY = re.compile(
    r"(?:please |bitte )?(?:(?:type|write|enter|add|put) your (?:reply|response|answer)|reply|respond|answer|"
    r"(?:antworten|schreiben|geben)\b.{0,30}|ihre antwort)\b.{0,20}\b(?:line|zeile|linie)\b.{0,30}$",
    re.IGNORECASE,
)


def separator_kind(line: str) -> str | None:
    """What a line that stands between two texts says: "separator", "forward", "reply-above", or None."""
    text = line.strip()
    if not 6 <= len(text) <= 300:
        return None
    if len(text) <= 200 and _ABOVE.search(text):
        decorated = text[0] in _DRAWN or text[0] in "<[>" or text[-1] in _DRAWN or text[-1] in ">]"
        return "reply-above" if decorated or _ASKS_FOR_REPLY.match(text) else None
    lower = text.lower()
    if lower.startswith("original message processed by"):
        return "separator"
    words = _lower(_without_rules(_bare(text)).strip(" :.[]"))
    decorated = (
        (text[0] in _DRAWN and (text[1] in _DRAWN or text[0] in "*—–"))
        or text[0] == "["
        or (text[-1] in _DRAWN and text[-2] in _DRAWN)
    )
    plain = words.removeprefix("begin ").strip()
    if words in SEPARATORS:
        return "separator" if decorated or text.endswith(":") else None
    if words in FORWARD_SEPARATORS or plain in FORWARD_SEPARATORS:
        return "forward" if decorated or text.endswith((":", "：")) else None
    if decorated and len(words) <= 150:
        shorter = _TRAILING_PART.sub("", words)
        if shorter in FORWARD_SEPARATORS or words.startswith(("forwarded by", "weitergeleitet von")):
            return "forward"
        # Zoho: "---- On Mon, 10 Dec 2024 … Jane wrote ----"; Notes: "-----Jane Doe/Example wrote: -----"
        attributed = sum(map(text.count, _DASHES)) >= 4 and (
            _is_attribution(words) or _ends_with_verb(words.rstrip(": ") + ":")
        )
        if shorter in SEPARATORS or attributed:
            return "separator"
    return None


def is_ruled_title(line: str) -> bool:
    """Words between two rows of dashes, in whatever language."""
    text = line.strip()
    return 12 <= len(text) <= 120 and not text[:4].strip(_DASHES) and not text[-4:].strip(_DASHES)


def groupwise_at(lines: Sequence[str], index: int) -> Marker | None:
    """GroupWise: ">>> Jane Doe <jane@example.org> 01.03.2026 17:05 >>>", the older mail below it unmarked.

    `lines` as shown; the German version ends "… in Nachricht" and a Message-ID on the next line.
    """
    text = lines[index].strip()
    if not text.startswith(">>> ") or len(text) > _LONGEST_LINE or _DATE.search(text) is None:
        return None
    if text.endswith(">>>"):
        return Marker(index, index + 1, "separator")
    for end in range(index, min(index + 3, len(lines))):
        if lines[end].strip().endswith(":") and _HAS_VERB.search(text):
            return Marker(index, end + 1, "separator")
    return None


_RULE_CHARACTERS = frozenset(f"{_DRAWN}+ᐧ•.·\u200b") - {"|"}


def is_rule(line: str) -> bool:
    """A line drawn with at least two characters: "____", "-- ", "* * *"."""
    text = line.strip()
    return (
        2 <= len(text) <= 400
        and all(character in _RULE_CHARACTERS for character in text)
        and text.strip(". ") != ""
    )
