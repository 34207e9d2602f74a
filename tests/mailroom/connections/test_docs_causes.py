"""Every cause that the test of a connection can name stands in docs/admin, in both languages."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path

import pytest
from django.utils import translation

from depesche.mailroom.connections.diagnosis.causes import ENTRIES, explain

FOLDER = Path(__file__).parents[3] / "docs" / "admin"
LANGUAGES = ("en", "de")

_HEADS = {
    "en": """# Causes and remedies

Made of the table in `src/depesche/mailroom/connections/diagnosis/causes.py`, from which the test of the
connection, the mail status and `depesche connection test` speak; a test compares the two.
To write it anew: `python -m tests.mailroom.connections.test_docs_causes`.

The word in the first column is the `code` that `depesche connection test --json` prints. Where the last
column has a setting, the page offers it as a button and the command as `try:`.

| code | what is the case | why | what to do | setting |
|---|---|---|---|---|
""",
    "de": """# Ursachen und Abhilfen

Erzeugt aus der Tabelle in `src/depesche/mailroom/connections/diagnosis/causes.py`, aus der auch der Test der
Verbindung, der Mail-Zustand und `depesche connection test` sprechen; ein Test vergleicht beide.
Neu schreiben: `python -m tests.mailroom.connections.test_docs_causes`.

Das Wort in der ersten Spalte ist der `code`, den `depesche connection test --json` ausgibt. Steht in der
letzten Spalte eine Einstellung, so bietet die Seite sie als Schaltfläche an und der Befehl als `try:`.

| Code | Was ist der Fall | Warum | Was ist zu tun | Einstellung |
|---|---|---|---|---|
""",
}
_PLACES = {
    "en": {
        "host": "*server*",
        "port": "*port*",
        "username": "*user name*",
        "address": "*address*",
        "detail": "*The words of the failure.*",
        "seconds": "30",
    },
    "de": {
        "host": "*Server*",
        "port": "*Port*",
        "username": "*Benutzername*",
        "address": "*Adresse*",
        "detail": "*Der Wortlaut des Fehlers.*",
        "seconds": "30",
    },
}
_ENCRYPTION = {"en": "*encryption*", "de": "*Verschlüsselung*"}


def page(language: str) -> str:
    """The whole page in that language, as it is to be."""
    rows = []
    with translation.override(language):
        for code in ENTRIES:
            facts: dict[str, object] = defaultdict(str, _PLACES[language], encryption=_ENCRYPTION[language])
            cause = explain(code, facts)
            change = " ".join(f"`{key}={value}`" for key, value in (cause.change or {}).items())
            cells = (f"`{cause.code}`", f"**{cause.title}**", cause.sentence, cause.remedy, change)
            rows.append(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |\n")
    return _HEADS[language] + "".join(rows)


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_page_shows_the_table(language: str) -> None:
    written = (FOLDER / f"causes.{language}.md").read_text(encoding="utf-8")
    assert written == page(language), "run: python -m tests.mailroom.connections.test_docs_causes"


def test_both_pages_say_the_same_in_different_words() -> None:
    """A cause without German words would stand in English on the German page."""
    english, german = (page(language).splitlines() for language in LANGUAGES)
    rows = [pair for pair in zip(english, german, strict=True) if pair[0].startswith("| `")]
    assert len(rows) == len(ENTRIES)
    for one, other in rows:
        assert one.split(" | ")[0] == other.split(" | ")[0]
        assert one.split(" | ")[1] != other.split(" | ")[1]


if __name__ == "__main__":
    import os

    import django

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
    django.setup()
    FOLDER.mkdir(parents=True, exist_ok=True)
    for each in LANGUAGES:
        (FOLDER / f"causes.{each}.md").write_text(page(each), encoding="utf-8")
