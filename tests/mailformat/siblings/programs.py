"""How mail programs put an answer and the mail that it answers into one plain text."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from tests.mailformat.siblings.languages import ADDRESS, LANGUAGES, NAME, Language

_RECIPIENT = "Max Beispiel <max@firma.example>"
_SUBJECT = "Re: [WEB-42] Termin"


@dataclass(frozen=True)
class Sibling:
    """A body made by rule, and what is new in it."""

    name: str
    body: str
    text: str


def attribution(template: str) -> str:
    return template.format(n=NAME, a=ADDRESS)


def quoted(text: str, prefix: str = "> ", depth: int = 1) -> str:
    """The text behind quote marks, nested `depth` deep, the innermost being the oldest."""
    lines = text.split("\n")
    for level in range(depth):
        if level:
            lines = ["Danke.", "", *lines]
        lines = [(prefix + line).rstrip() if line or prefix.strip() else prefix for line in lines]
    return "\n".join(lines)


def under_attribution(language: Language) -> Iterator[Sibling]:
    """Gmail, Thunderbird, Apple Mail, mutt and all that set a line above marked lines."""
    for number, template in enumerate(language.attributions):
        line = attribution(template)
        name = f"{language.code}-attribution-{number}"
        for gap in ("\n", "\n\n"):
            yield Sibling(
                f"{name}-top{len(gap)}",
                f"{language.answer}\n\n{line}{gap}{quoted(language.older)}\n",
                language.answer,
            )
        yield Sibling(
            f"{name}-bottom", f"{line}\n{quoted(language.older)}\n\n{language.answer}\n", language.answer
        )
        yield Sibling(
            f"{name}-tight", f"{language.answer}\n{line}\n{quoted(language.older, '>')}\n", language.answer
        )


def unmarked(language: Language) -> Iterator[Sibling]:
    """Phones and web mail that quote without any mark: the line stands alone."""
    for number, template in enumerate(language.attributions):
        if "{a}" not in template or template.startswith(("*", "Thus")):
            continue  # a name without address, date or mark is no certain sign
        line = attribution(template)
        yield Sibling(
            f"{language.code}-unmarked-{number}",
            f"{language.answer}\n\n{line}\n\n{language.older}\n",
            language.answer,
        )


def header_blocks(language: Language) -> Iterator[Sibling]:
    """Outlook, Zimbra, Lotus Notes, Samsung, web.de: labels above the older mail."""
    von, sent, to, subject = language.labels
    for number, date in enumerate(language.dates):
        values = {
            "outlook": [(von, f"{NAME} <{ADDRESS}>"), (sent, date), (to, _RECIPIENT), (subject, _SUBJECT)],
            "exchange": [
                (von, f"{NAME} [mailto:{ADDRESS}]"),
                (sent, date),
                (to, _RECIPIENT),
                (subject, _SUBJECT),
            ],
            "webde": [(sent, date), (von, f'"{NAME}" <{ADDRESS}>'), (to, _RECIPIENT), (subject, _SUBJECT)],
            "internal": [(von, f"{NAME}, Firma"), (sent, date), (to, "Max Beispiel"), (subject, _SUBJECT)],
            "zimbra": [
                (von, f'"{NAME}" <{ADDRESS}>'),
                (to, '"Max" <max@firma.example>'),
                (sent, date),
                (subject, _SUBJECT),
            ],
            "tonline": [(subject, _SUBJECT), (sent, date), (von, f'"{NAME}" <{ADDRESS}>'), (to, _RECIPIENT)],
        }
        forms = {
            "plain": "{label}: {value}",
            "star": "*{label}:* {value}",
            "bold": "**{label}:** {value}",
            "tab": "{label}:\t{value}",
            "french": "{label} : {value}",
        }
        rules = {
            "none": "",
            "line": "_" * 32 + "\n",
            "title": f"-----{language.separators[0]}-----\n",
            "spaced": f"----- {language.separators[-1]} -----\n",
            "long": f"-------- {language.separators[0]} --------\n",
        }
        for kind, fields in values.items():
            for form, template in forms.items():
                for rule, above in rules.items():
                    if form in ("star", "bold", "french") and rule in ("spaced", "long"):
                        continue
                    block = "\n".join(template.format(label=a, value=b) for a, b in fields)
                    yield Sibling(
                        f"{language.code}-header-{number}-{kind}-{form}-{rule}",
                        f"{language.answer}\n\n{above}{block}\n\n{language.older}\n",
                        language.answer,
                    )


def separated(language: Language) -> Iterator[Sibling]:
    """A title between rules, with an attribution or nothing below it."""
    rules = (
        "-----{}-----",
        "----- {} -----",
        "-------- {} --------",
        "------ {} ------",
        "------- {} -------",
        "________ {} ________",
        "---------- {} ----------",
        "‐‐‐‐‐‐‐ {} ‐‐‐‐‐‐‐",
        "——— {} ———",
        "━━━━ {} ━━━━",
        "=== {} ===",
        "**** {} ****",
        "-------------------- {} --------------------",
        "---{}---",
    )
    for title in language.separators:
        for number, rule in enumerate(rules):
            yield Sibling(
                f"{language.code}-separator-{title}-{number}",
                f"{language.answer}\n\n{rule.format(title)}\n{language.older}\n",
                language.answer,
            )


def noted(language: Language) -> Iterator[Sibling]:
    """With the note of a device between answer and quote, and after it."""
    line = attribution(language.attributions[0])
    for number, note in enumerate(language.notes):
        for place, body in {
            "above": f"{language.answer}\n\n{note}\n\n{line}\n\n{quoted(language.older)}\n",
            "alone": f"{language.answer}\n\n{note}\n",
            "delimited": f"{language.answer}\n\n-- \n{note}\n{line}\n{quoted(language.older)}\n",
            "below": f"{line}\n{quoted(language.older)}\n\n{language.answer}\n\n{note}\n",
            "starred": f"{language.answer}\n\n*{note}*\n\n{line}\n\n{quoted(language.older)}\n",
            "linked": f"{language.answer}\n\n{note}<https://aka.ms/x>\n________________________________\n"
            + "\n".join(
                f"{label}: {value}"
                for label, value in zip(
                    language.labels,
                    (f"{NAME} <{ADDRESS}>", language.dates[0], _RECIPIENT, _SUBJECT),
                    strict=True,
                )
            )
            + f"\n\n{language.older}\n",
        }.items():
            yield Sibling(f"{language.code}-note-{number}-{place}", body, language.answer)


def signed(language: Language) -> Iterator[Sibling]:
    """A closing and a name stay; a card below "-- " goes."""
    line = attribution(language.attributions[0])
    kept = f"{language.answer}\n\n{language.closing}\nMax Beispiel"
    card = "Max Beispiel\nFirma GmbH\nTel. +49 30 1234567\nmax@firma.example"
    yield Sibling(f"{language.code}-signed", f"{kept}\n\n{line}\n\n{quoted(language.older)}\n", kept)
    yield Sibling(
        f"{language.code}-card", f"{kept}\n\n-- \n{card}\n\n{line}\n\n{quoted(language.older)}\n", kept
    )
    yield Sibling(f"{language.code}-card-only", f"{language.answer}\n\n--\n{card}\n", language.answer)
    yield Sibling(
        f"{language.code}-card-below", f"{line}\n{quoted(language.older)}\n\n{kept}\n\n-- \n{card}\n", kept
    )


def between(language: Language) -> Iterator[Sibling]:
    """Answers between the quoted lines: each answer is kept with what it answers."""
    line = attribution(language.attributions[0])
    first, second = language.answer.split("\n")
    one, two = [text for text in language.older.split("\n") if text][1:3]
    yield Sibling(
        f"{language.code}-between",
        f"{line}\n> {one}\n\n{first}\n\n> {two}\n\n{second}\n",
        f"> {one}\n\n{first}\n\n> {two}\n\n{second}",
    )
    yield Sibling(
        f"{language.code}-between-tight",
        f"{line}\n> {one}\n{first}\n> {two}\n{second}\n",
        f"> {one}\n{first}\n> {two}\n{second}",
    )


MAKERS = (under_attribution, unmarked, header_blocks, separated, noted, signed, between)


def siblings() -> Iterator[Sibling]:
    for language in LANGUAGES:
        for make in MAKERS:
            yield from make(language)
