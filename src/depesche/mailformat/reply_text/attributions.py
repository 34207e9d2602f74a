"""The line above a quote: "On …, Jane wrote:". Each test is linear in its lines.

An attribution is found from its *end* ("… wrote:"), since that is where languages and programs agree; from
there one looks back over at most five lines for its beginning. So a text in front of it is never swallowed,
however its lines were wrapped.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from depesche.mailformat.reply_text.forms import DATE, LONGEST_LINE, TIME, Marker, bare, without_rules
from depesche.mailformat.reply_text.words import ON, QUOTING, WROTE, word_set

_LONGEST_WINDOW = 500
_WINDOW_LINES = 6


def _alternatives(words: Sequence[str]) -> str:
    return "|".join(re.escape(word) for word in sorted(set(words), key=len, reverse=True))


#: Without a digit or an address there is neither date nor sender.
_DIGIT_OR_AT = re.compile(r"[\d@]")
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
_EMAIL = re.compile(r"[^\s<>@,;:()\[\]\"]{1,100}@[^\s<>@,;:()\[\]\"]{1,200}")
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


def ends_with_verb(text: str) -> bool:
    """Whether its last word, before a colon, is a verb of writing."""
    tail = text[-60:]
    return tail.rstrip(" :：").lower().endswith(_LOWER_VERBS) and _ENDS_WITH_VERB.search(tail) is not None


def has_verb(text: str) -> bool:
    """Whether a verb of writing stands in it."""
    return _HAS_VERB.search(text) is not None


def is_attribution(window: str) -> bool:
    """Whether these words, joined from one or more lines, are nothing but an attribution."""
    text = without_rules(bare(window)).strip()
    if not 6 <= len(text) <= _LONGEST_WINDOW:
        return False
    has_date = DATE.search(text) is not None
    has_address = "@" in text and _EMAIL.search(text) is not None
    if not (has_date or has_address):
        return False
    if _FIRST_PERSON.search(text):
        return False
    colon = text.endswith((":", "："))
    if ends_with_verb(text):
        return colon or has_address or (has_date and _starts_attribution(text))
    # "Jane Doe <jane@example.org> schrieb am Di., 16. Aug. 2016 um 12:52 Uhr:"
    verb_inside = colon and has_date and len(text) <= 300 and _HAS_VERB.search(text) is not None
    if verb_inside and (has_address or TIME.search(text) is not None or _VERB_AND_DATE.search(text[-150:])):
        return True
    if colon and has_address and _QUOTING.match(text):
        return True
    if _GMAIL_OLD.fullmatch(text):
        return True
    # In a language that is not in the tables: date, time and sender, and nothing after the address.
    if colon and has_date and has_address and len(text) <= 200 and _ENDS_WITH_SENDER.search(text):
        return TIME.search(text) is not None
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
    return _says_on(text) and any(character.isdigit() for character in text[:30])


def attribution_ending_at(lines: Sequence[str], end: int, floor: int) -> Marker | None:
    """The attribution whose last line is `end`; it begins after `floor` at the earliest."""
    last = lines[end].strip()
    if not last or len(last) > LONGEST_LINE:
        return None
    closing = without_rules(last).strip()
    if not closing:
        return None
    if not closing.endswith((":", "：", ">", ")", "]", *_LOWER_VERBS)) and not (
        closing[-45:].lower().endswith(_LOWER_VERBS)
        or (closing[0].isdigit() and _GMAIL_OLD.fullmatch(closing) is not None)
    ):
        return None
    ends = closing.endswith((":", "：")) or ends_with_verb(closing)
    told = any(
        _DIGIT_OR_AT.search(line) for line in lines[max(floor + 1, 0, end - _WINDOW_LINES - 1) : end + 1]
    )
    window = ""
    best: Marker | None = None
    blanks = 0
    for start in range(end, max(floor, end - _WINDOW_LINES - 2) if told else end, -1):
        line = lines[start].strip()
        if len(line) > LONGEST_LINE:
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
        if (ends or line[:1].isdigit()) and is_attribution(window):
            best = Marker(start, end + 1, "attribution")
    if best is not None:
        start = _true_start(lines, best.start, end, floor)
        return Marker(start, _true_end(lines, start, end), "attribution")
    if not closing.endswith((":", "：")):
        return None
    if len(closing) <= 150 and ends_with_verb(closing) and not _FIRST_PERSON.search(closing):
        # "The customer writes:" is a person's way to introduce a quotation, "Jane Doe wrote:" a program's.
        words = closing.rstrip(":： ").split()
        small = sum(word[0].islower() and word not in _VERB_WORDS and word not in ON for word in words)
        told = words[0].lower() in _ARTICLES or small >= 2
        return None if told else Marker(end, end + 1, "attribution", weak=True)
    if _DATE_AND_NAME.fullmatch(closing):
        return Marker(end, end + 1, "attribution", weak=True)
    return _foreign_attribution(lines, end, floor)


#: "03.03.2026, 10:11, Jane Doe:"
_DATE_AND_NAME = re.compile(
    r"(?:\d{4}-\d{2}-\d{2}|\d{1,2}[./]\d{1,2}[./]\d{2,4}),? \d{1,2}[:.]\d{2}(?::\d{2})?,? "
    r"(?:[A-ZÀ-Þ][\w'’-]{1,30} ?){1,4}:"
)
_VERB_WORDS = frozenset(word for phrase in WROTE for word in phrase.split())
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
            or (DATE.search(window) is not None and TIME.search(window) is not None)
        ):
            if _FIRST_PERSON.search(window):
                return None
            begin = _true_start(lines, start, end, floor, known=False)
            return Marker(begin, end + 1, "attribution", weak=True)
    return None


def _true_start(lines: Sequence[str], start: int, end: int, floor: int, *, known: bool = True) -> int:
    """Where an attribution that was found from line `start` on really begins.

    A program breaks the line anywhere: what was found may begin with an address, a time or a small word. Then
    the lines above it in the same paragraph belong to it if the first of them is how one begins. `known`: it
    is one in a language that we know.
    """
    if start - 1 <= floor or not lines[start - 1].strip():
        return start
    here = without_rules(bare(" ".join(lines[start : end + 1]))).strip()
    before = lines[start - 1].strip()
    goes_on = _ENDS_BEHIND_ADDRESS.search(before) is not None or (
        here[0].islower() and before[0].isupper() and _says_on(before)
    )
    if _says_on(here) and not goes_on:
        return start
    top = start
    while top - 1 > floor and top > start - 4 and lines[top - 1].strip():
        top -= 1
    whole_paragraph = top - 1 <= floor or not lines[top - 1].strip()
    for begin in range(top, start):
        above = [without_rules(bare(line)).strip() for line in lines[begin:start]]
        if any(len(text) > 100 or not text for text in above) or any(
            _ENDS_A_SENTENCE.search(text) for text in above
        ):
            continue
        together = " ".join((*above, here))
        if (
            _begins_with_date(above[0])
            or (begin == top and whole_paragraph and _begins_with_name(above, here))
        ) and (not known or is_attribution(together)):
            return begin
    return start


#: "Jane Doe <jane@example.org> hat am": a line of which the rest must follow.
_ENDS_BEHIND_ADDRESS = re.compile(r"^.{0,60}<\s?[^\s<>()@]{1,100}@[^\s<>()@]{1,200}>,?(?: \S{1,4}){0,2}$")
_DATES_FIRST = re.compile(
    r"(?:\d{4}[-/.]\d{1,2}[-/.]|\d{1,2}[-/.]\d{1,2}[-/.]\d{2}|\d{1,2}\.? \w{3,12}\.? \d{4})"
)
_NAME_AND_ADDRESS = re.compile(
    r"(?:^|\s|[\"'«])[^\s<>@]{1,40}[\"'»]? ?[<(\[]\s?[^\s<>()@]{1,100}@[^\s<>()@]{1,200}[>)\]]"
)


def _says_on(text: str) -> bool:
    """Whether the first word is "On", "Am", "Le" or their like; not the AM of a time."""
    first = text.split(maxsplit=1)[0].strip(",")
    return first.lower() in ON and first not in ("AM", "PM", "A.M.", "P.M.")


def _begins_with_date(text: str) -> bool:
    """ "Am Dienstag, dem", "út 3. 3. 2026 v 10:11", "On Tue, Mar 3"."""
    words = text.split()
    if _says_on(text):
        return any(character.isdigit() for character in text) or len(words) <= 4
    dated = any(character.isdigit() for word in words[:4] for character in word)
    return dated and len(words) <= 9 and DATE.search(text) is not None


def _begins_with_name(above: Sequence[str], here: str) -> bool:
    if _NAME_AND_ADDRESS.search(f"{' '.join(above)} {here}"[:90]):
        return True
    return (
        not here[:1].isupper()
        and not _DATES_FIRST.match(here)
        and (_EMAIL.search(above[0]) is not None or _is_proper_name(above[0].split()))
    )


def _is_proper_name(words: Sequence[str]) -> bool:
    return len(words) <= 4 and all(not word[0].islower() or len(word) <= 3 for word in words)


def _true_end(lines: Sequence[str], start: int, end: int) -> int:
    """The end of an attribution that seemed to end with verb or address: more of it may stand below."""
    closing = lines[end].rstrip(" *_")
    if closing.endswith((":", "：")) and closing.count("(") <= closing.count(")"):
        return end + 1
    for last in range(end + 1, min(end + 4, len(lines))):
        line = lines[last].strip()
        if not line or len(line) > 200:
            break
        if line.rstrip(" *_").endswith((":", "：")):
            tail = without_rules(bare(" ".join(lines[end + 1 : last + 1])))
            words = tail.strip(" :：").split()
            if (
                _EMAIL.search(tail)
                or _is_proper_name(words)
                or (len(words) <= 9 and DATE.search(tail) is not None)
                or (len(words) <= 3 and ends_with_verb(tail))
            ):
                return last + 1
            break
    return end + 1


_ENDS_A_SENTENCE = re.compile(r"(?:[^\W\d_]{4,}[.]|[!?:…])[)\"'”»]?$")


def _continues(window: str, previous: str, *, first_of_paragraph: bool) -> bool:
    """Whether the found attribution began one line higher: programs wrap it anywhere."""
    torn = window[:1] in "<>" or window.startswith("mailto:")
    if torn and (previous.strip() in ("<", "(", "[") or previous.startswith("<")):
        return True
    text = without_rules(bare(previous))
    if not text or len(text) > 160 or _ENDS_A_SENTENCE.search(text):
        return False
    here = without_rules(bare(window))
    if _starts_attribution(here) and not _STARTS_WITH_TIME.match(here):
        return False
    if _starts_attribution(text) or (DATE.search(text) is not None and TIME.search(text) is not None):
        return True
    begins_inside = not here[:1].isupper()
    return begins_inside and first_of_paragraph and _EMAIL.match(here) is None
