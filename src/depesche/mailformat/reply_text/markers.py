"""Where an older mail begins: forwarded headers, separators. Each test is linear in its lines."""

from __future__ import annotations

import re
from collections.abc import Sequence

from depesche.mailformat.reply_text.attributions import ends_with_verb, has_verb, is_attribution
from depesche.mailformat.reply_text.forms import (
    DASHES,
    DATE,
    DRAWN,
    LONGEST_LINE,
    TIME,
    Marker,
    bare,
    lower_case,
    without_rules,
)
from depesche.mailformat.reply_text.separators import FORWARD_SEPARATORS, SEPARATORS
from depesche.mailformat.reply_text.words import HEADER_LABELS


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
    label = lower_case(text[:colon].strip(" *_\xa0\t"))
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
                role == "subject" or "@" in value or (role == "date" and TIME.search(value) is not None)
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
    r"(?:antworten|schreiben|geben)\b.{0,30}|ihre antwort)\b.{0,45}\b(?:line|zeile|linie)\b.{0,30}$",
    re.IGNORECASE,
)


#: Lotus Notes: "Jane Doe---03/03/2026 10:11:12 AM---Good morning".
_NOTES_SUMMARY = re.compile(r"\S[^-]{1,80}-{3}\d{1,4}[./-]\d{1,2}[./-]\d{2,4}[^-]{0,20}-{3}.{0,300}")


def separator_kind(line: str) -> str | None:
    """What a line that stands between two texts says: "separator", "forward", "reply-above", or None."""
    text = line.strip()
    if not 6 <= len(text) <= 300:
        return None
    if len(text) <= 200 and _ABOVE.search(text):
        decorated = text[0] in DRAWN or text[0] in "<[>" or text[-1] in DRAWN or text[-1] in ">]"
        return "reply-above" if decorated or _ASKS_FOR_REPLY.match(text) else None
    lower = text.lower()
    if lower.startswith("original message processed by") or _NOTES_SUMMARY.fullmatch(text):
        return "separator"
    words = lower_case(without_rules(bare(text)).strip(" :.[]"))
    decorated = (
        (text[0] in DRAWN and (text[1] in DRAWN or text[0] in "*—–"))
        or text[0] == "["
        or (text[-1] in DRAWN and text[-2] in DRAWN)
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
        attributed = sum(map(text.count, DASHES)) >= 4 and (
            is_attribution(words) or ends_with_verb(words.rstrip(": ") + ":")
        )
        if shorter in SEPARATORS or attributed:
            return "separator"
    return None


def is_ruled_title(line: str) -> bool:
    """Words between two rows of dashes, in whatever language."""
    text = line.strip()
    return 12 <= len(text) <= 120 and not text[:4].strip(DASHES) and not text[-4:].strip(DASHES)


def groupwise_at(lines: Sequence[str], index: int) -> Marker | None:
    """GroupWise: ">>> Jane Doe <jane@example.org> 01.03.2026 17:05 >>>", the older mail below it unmarked.

    `lines` as shown; the German version ends "… in Nachricht" and a Message-ID on the next line.
    """
    text = lines[index].strip()
    if not text.startswith(">>> ") or len(text) > LONGEST_LINE or DATE.search(text) is None:
        return None
    if text.endswith(">>>"):
        return Marker(index, index + 1, "separator")
    for end in range(index, min(index + 3, len(lines))):
        if lines[end].strip().endswith(":") and has_verb(text):
            return Marker(index, end + 1, "separator")
    return None
