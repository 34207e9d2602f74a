"""A mail as it is laid out: one structure, one HTML template, one text of its own (not stripped HTML).

Every mail that the tracker writes is a Letter in one language. Order (look, §6): who speaks, who did what,
the title, the words themselves, one button, whether an answer helps, where it stands, why you, how to stop
it.
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

from django.template.loader import render_to_string
from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _

WIDTH: Final = 72
_INDENT: Final = re.compile(r"[ \t]*(?:[>|] ?)*(?:[-*+] +|\d{1,3}[.)] +)?")


@dataclass(frozen=True)
class Link:
    """`note` stands behind it in small print: the size of a file, what it does."""

    label: str
    url: str
    note: str = ""


@dataclass(frozen=True)
class Row:
    """One line of a table: linked key, title, and what there is to say about it."""

    link: Link
    title: str
    note: str


@dataclass(frozen=True)
class Letter:
    """What a mail says; all texts plain, but `words_html`, which is sanitised HTML with inline styles.

    `deed` is the sentence with `{who}` where the actor's name goes.
    """

    language: str
    subject: str
    speaker: str
    deed: str
    who: str = ""
    title: str = ""
    title_url: str = ""
    words: str = ""
    words_html: str = ""
    changes: Sequence[str] = ()
    files: Sequence[Link] = ()
    table: Sequence[Row] = ()
    button: Link | None = None
    answer: str = ""
    facts: Sequence[tuple[str, str]] = ()
    why: str = ""
    stop: Sequence[Link] = ()
    preheader: str = field(default="")


def html(letter: Letter) -> str:
    """The HTML part: one table of at most 600 px, nothing loaded from anywhere."""
    opening = SafeString(
        escape(letter.deed).replace(
            "{who}",
            f'<strong class="ink" style="font-weight:600;color:#12242b;">{escape(letter.who)}</strong>',
        )
    )
    words = mark_safe(letter.words_html)  # noqa: S308  sanitised by items/markdown.py
    return render_to_string(
        "depesche/mails/letter.html", {"letter": letter, "opening": opening, "words_html": words}
    )


def text(letter: Letter) -> str:
    """The text part, wrapped at 72 columns; links bare on lines of their own."""
    blocks = [_block(part) for part in _parts(letter)]
    body = "\n\n".join(block for block in blocks if block)
    closing = [*wrap(letter.why), *_links(letter.stop)]
    return f"{body}\n\n-- \n" + "\n".join(closing) + "\n" if closing else f"{body}\n"


def _parts(letter: Letter) -> Iterator[list[str]]:
    yield [*wrap(letter.deed.replace("{who}", letter.who)), *wrap(letter.title)]
    yield [line for change in letter.changes for line in wrap(change)]
    yield [f"  {line}".rstrip() for line in wrap(letter.words, WIDTH - 2)]
    for file in letter.files:
        attached = _("Attached: %(name)s") % {"name": file.label}
        yield [f"{attached} ({file.note})" if file.note else attached, f"  {file.url}"]
    for row in letter.table:
        yield [*wrap(f"{row.link.label}  {row.title}"), *(f"  {line}" for line in wrap(row.note, WIDTH - 2)),
               f"  {row.link.url}"]  # fmt: skip
    yield [*(_links([letter.button]) if letter.button else ()), *wrap(letter.answer)]
    width = max((len(name) for name, _value in letter.facts), default=0) + 2
    yield [
        line
        for name, value in letter.facts
        for line in textwrap.wrap(
            f"{name:<{width}}{value}", WIDTH, subsequent_indent=" " * width, break_long_words=False
        )
    ]


def _block(lines: list[str]) -> str:
    return "\n".join(lines).strip("\n")


def _links(links: Sequence[Link]) -> list[str]:
    lines = []
    for link in links:
        one = f"{link.label}: {link.url}"
        lines += [one] if len(one) <= WIDTH else [f"{link.label}:", f"  {link.url}"]
    return lines


def wrap(words: str, width: int = WIDTH) -> list[str]:
    """Lines of at most `width` characters, but for words that are longer (links stay whole).

    Line ends, indentation, quote marks and list marks of the original stay.
    """
    lines: list[str] = []
    for line in words.strip("\n").splitlines():
        mark = _INDENT.match(line)
        lead = mark.group()[: width // 2] if mark else ""
        again = re.sub(r"[^>|\s]", " ", lead)
        lines += textwrap.wrap(
            line, width, subsequent_indent=again, break_long_words=False, break_on_hyphens=False
        ) or [""]
    return lines


def size_in_words(octets: int) -> str:
    """`1.1 MB`, with the decimal mark of the language in force."""
    from django.template.defaultfilters import filesizeformat

    return str(filesizeformat(octets))
