"""Message catalogues: English in the sources, German in `locale/de/LC_MESSAGES/django.po` of each Django app.

    messages.py update     collect the messages of the sources and merge them into the catalogues
    messages.py compile    write the .mo files that Django reads
    messages.py check      name every message that is missing, untranslated, doubtful or no longer used
    messages.py extract    print the messages of each app

A message belongs to the nearest folder above it with an `apps.py`; what lies in no app (mailformat and
smtpclient know no Django and only mark their texts) belongs to the app that shows it first. Babel does the
reading and writing, so that GNU gettext is not needed; the catalogues carry no dates and no line numbers, so
that they change only where a message changed.
"""

from __future__ import annotations

import io
import os
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

ROOT = Path(__file__).resolve().parent.parent
SOURCES = ROOT / "src" / "depesche"
LANGUAGES = ("de",)
HOMELESS = dict.fromkeys(("mailformat", "smtpclient", "mailroom"), SOURCES / "mailroom" / "connections")
TEMPLATES = {".html", ".txt"}
KEYWORDS: dict[str, tuple[int | tuple[int, str], ...] | None] = {
    "_": None,
    "gettext": None,
    "gettext_lazy": None,
    "gettext_noop": None,
    "ngettext": (1, 2),
    "ngettext_lazy": (1, 2),
    "pgettext": ((1, "c"), 2),
    "pgettext_lazy": ((1, "c"), 2),
    "npgettext": ((1, "c"), 2, 3),
    "npgettext_lazy": ((1, "c"), 2, 3),
}
VOLATILE = re.compile(
    r'^"(Project-Id-Version|POT-Creation-Date|PO-Revision-Date|Last-Translator|Generated-By|Report-Msgid-Bugs-To|'
    r"Language-Team):.*\n",
    re.MULTILINE,
)
PLACEHOLDER = re.compile(r"%\((\w+)\)[sdif]|%[sdif]|\{(\w*)[^{}]*\}")

Key = tuple[str, str]  # context, message


@dataclass(frozen=True)
class App:
    """A Django app with texts of its own."""

    folder: Path

    @property
    def name(self) -> str:
        return self.folder.relative_to(SOURCES.parent).as_posix()

    def catalogue(self, language: str) -> Path:
        return self.folder / "locale" / language / "LC_MESSAGES" / "django.po"


def text_of(path: Path) -> tuple[str, bytes]:
    """How Babel reads the file, and what it reads: Django turns a template to Python calls first."""
    if path.suffix == ".py":
        return "python", path.read_bytes()
    from django.utils.translation.template import templatize

    calls = templatize(path.read_text(encoding="utf-8"), origin=str(path))
    # What is no message has become a row of X; with its indentation it would be no Python.
    return "python", "\n".join(line.lstrip() for line in calls.splitlines()).encode("utf-8")


def sources() -> Iterator[Path]:
    """Every file that may hold a message."""
    for path in sorted(SOURCES.rglob("*")):
        relative = path.relative_to(SOURCES)
        if path.suffix == ".py" or (path.suffix in TEMPLATES and "templates" in relative.parts):
            yield path


def app_of(path: Path) -> App | None:
    """The app whose catalogue holds the messages of a file."""
    for folder in path.parents:
        if (folder / "apps.py").exists():
            return App(folder)
        if folder == SOURCES:
            break
    home = HOMELESS.get(path.relative_to(SOURCES).parts[0])
    return App(home) if home else None


def locations(place: str) -> list[tuple[str, int]]:
    """Where a message was found, as Babel wants it; the line is left out when the catalogue is written."""
    return [(place, 0)]


def collect() -> tuple[dict[App, Catalog], list[str]]:
    """The messages of the sources, a catalogue for each app; and what is wrong with the sources."""
    found: dict[App, Catalog] = {}
    problems = []
    for path in sources():
        method, octets = text_of(path)
        messages = list(
            extract(
                method,
                io.BytesIO(octets),
                keywords=KEYWORDS,
                comment_tags=["Translators:"],
                strip_comment_tags=True,
            )
        )
        if not messages:
            continue
        app = app_of(path)
        place = path.relative_to(SOURCES.parent).as_posix()
        if app is None:
            problems.append(
                f"{place}: has messages, but lies in no Django app, so that no catalogue serves it"
            )
            continue
        catalogue = found.setdefault(app, Catalog(charset="utf-8"))
        for _line, message, comments, context in messages:
            catalogue.add(message, None, locations(place), auto_comments=comments, context=context)
    return found, problems


def read(path: Path, language: str) -> Catalog:
    """A catalogue of the tree; empty when there is none yet."""
    if not path.exists():
        return Catalog(locale=language, charset="utf-8")
    with path.open("rb") as file:
        return read_po(file, locale=language)


def write(path: Path, catalogue: Catalog) -> None:
    """Write a catalogue without what changes by itself; an unchanged file is left alone."""
    buffer = io.BytesIO()
    catalogue.header_comment = f"# Depesche: messages in {catalogue.locale_identifier}."
    catalogue.fuzzy = False
    write_po(buffer, catalogue, width=110, sort_output=True, ignore_obsolete=True, include_lineno=False)
    text = VOLATILE.sub("", buffer.getvalue().decode("utf-8"))
    if not path.exists() or path.read_text(encoding="utf-8") != text:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        print(f"{path.relative_to(ROOT)}: written")


def catalogues() -> list[Path]:
    """Every catalogue in the tree."""
    return sorted(SOURCES.rglob("locale/*/LC_MESSAGES/django.po"))


def entries(catalogue: Catalog) -> dict[Key, Message]:
    """The messages of a catalogue by context and singular."""
    return {
        (message.context or "", message.id[0] if message.pluralizable else str(message.id)): message
        for message in catalogue
        if message.id
    }


def placeholders(text: str) -> list[str]:
    """The places in a text where a value goes, sorted."""
    return sorted(match.group() for match in PLACEHOLDER.finditer(text.replace("%%", "")))


def fault(message: Message) -> str | None:
    """What is wrong with a translated message, in words."""
    originals = [message.id] if isinstance(message.id, str) else list(message.id)
    given = message.string
    texts = [given] if given is None or isinstance(given, str) else list(given)
    if len(texts) != len(originals):
        return f"has {len(texts)} forms in place of {len(originals)}"
    if message.fuzzy:
        return "marked fuzzy: look at it and remove the mark"
    for original, text in zip(originals, texts, strict=True):
        if not text:
            return "not translated"
        # One form of a plural may leave the number out: "one mail", "%(count)s mails".
        if placeholders(text) not in (placeholders(original), placeholders(originals[-1])):
            return f"has the placeholders {placeholders(text)} in place of {placeholders(original)}"
        if (original[0] == "\n", original[-1] == "\n") != (text[0] == "\n", text[-1] == "\n"):
            return "begins or ends with a line break where the original does not"
    return None


def check() -> list[str]:
    """Everything in which sources and catalogues differ, a sentence each."""
    found, problems = collect()
    expected = {app.catalogue(language): (app, language) for app in found for language in LANGUAGES}
    problems += [
        f"{path.relative_to(ROOT)}: its app has no messages any more; remove it"
        for path in catalogues()
        if path not in expected
    ]
    for path, (app, language) in expected.items():
        there, wanted = entries(read(path, language)), entries(found[app])
        place = path.relative_to(ROOT)
        problems += [f"{place}: missing: {key[1]!r}" for key in wanted.keys() - there.keys()]
        problems += [f"{place}: no longer used: {key[1]!r}" for key in there.keys() - wanted.keys()]
        for key in wanted.keys() & there.keys():
            wrong = fault(there[key])
            if wrong:
                problems.append(f"{place}: {wrong}: {key[1]!r}")
    return sorted(problems)


def update() -> list[str]:
    """Merge the messages of the sources into the catalogues; translations are kept, unused entries go."""
    found, problems = collect()
    for app, messages in found.items():
        for language in LANGUAGES:
            path = app.catalogue(language)
            catalogue = read(path, language)
            catalogue.update(messages, no_fuzzy_matching=True)
            catalogue.obsolete.clear()
            write(path, catalogue)
    return problems


def compile_all() -> None:
    """Write the .mo file beside each catalogue, whole or not at all."""
    for path in catalogues():
        target, unfinished = path.with_suffix(".mo"), path.with_suffix(".mo.new")
        with unfinished.open("wb") as file:
            write_mo(file, read(path, path.parts[-3]))
        os.replace(unfinished, target)


def main(words: list[str]) -> int:
    """Run one of the commands named above."""
    problems: list[str] = []
    match words:
        case ["update"]:
            problems = update()
            compile_all()
        case ["compile"]:
            compile_all()
        case ["check"]:
            problems = check()
        case ["extract"]:
            found, problems = collect()
            for app, catalogue in found.items():
                for context, text in entries(catalogue):
                    print(f"{app.name}: {f'[{context}] ' if context else ''}{text!r}")
        case _:
            print(__doc__, file=sys.stderr)
            return 2
    for problem in problems:
        print(problem, file=sys.stderr)
    return 1 if problems else 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
