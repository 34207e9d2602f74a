"""Every cause that the test of a connection can name stands in docs/admin, in both languages."""

from __future__ import annotations

import importlib
from collections import defaultdict
from pathlib import Path

import pytest
from django.utils import translation

from tests.mailroom.connections import provoking

FOLDER = Path(__file__).parents[3] / "docs" / "admin"
LANGUAGES = ("en", "de")

_HEADS = {
    "en": """# Causes and remedies

Made of the table in `src/depesche/mailroom/connections/diagnosis/causes.py`, from which the test of the
connection, the mail status and `depesche connection test` speak; a test compares the two.
To write it anew: `python -m tests.mailroom.connections.test_docs_causes`.

The word in the first column is the `code` that `depesche connection test --json` prints. Where the fifth
column has a setting, the page offers it as a button and the command as `try:`, with the value that fits. The
last column names the test in which a server (or the network, or the settings) shows this cause; `test_causes`
stands for `tests/mailroom/connections/test_causes.py::test_a_server_shows_it`.

| code | what is the case | why | what to do | setting | shown by |
|---|---|---|---|---|---|
""",
    "de": """# Ursachen und Abhilfen

Erzeugt aus der Tabelle in `src/depesche/mailroom/connections/diagnosis/causes.py`, aus der auch der Test der
Verbindung, der Mail-Zustand und `depesche connection test` sprechen; ein Test vergleicht beide.
Neu schreiben: `python -m tests.mailroom.connections.test_docs_causes`.

Das Wort in der ersten Spalte ist der `code`, den `depesche connection test --json` ausgibt. Steht in der
fünften Spalte eine Einstellung, so bietet die Seite sie als Schaltfläche an und der Befehl als `try:`, mit
dem Wert, der passt. Die letzte Spalte nennt den Test, in dem ein Server (oder das Netz, oder die
Einstellungen) diese Ursache zeigt; `test_causes` steht für
`tests/mailroom/connections/test_causes.py::test_a_server_shows_it`.

| Code | Was ist der Fall | Warum | Was ist zu tun | Einstellung | Gezeigt von |
|---|---|---|---|---|---|
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
_USUAL = "tests/mailroom/connections/test_causes.py::test_a_server_shows_it"
_ENCRYPTION = {"en": "*encryption*", "de": "*Verschlüsselung*"}


def provoked() -> dict[str, str]:
    """Code of a cause -> the test that provokes it."""
    for module in provoking.MODULES:
        importlib.import_module(module)
    return dict(provoking.PROVOKED)


def test_each_cause_is_shown_by_a_test_that_exists() -> None:
    """A cause that no server was seen to show is a guess. See provoking.py."""
    from depesche.mailroom.connections.diagnosis.causes import ENTRIES

    known = provoked()
    missing = set(ENTRIES) - set(known)
    assert not missing, "write a scene (scenes.py), or mark its test with @provokes (provoking.py)"
    for code, test in known.items():
        file, _, name = test.partition("::")
        text = (FOLDER.parents[1] / file).read_text(encoding="utf-8")
        assert f"def {name.partition('[')[0]}(" in text, code


def page(language: str) -> str:
    """The whole page in that language, as it is to be."""
    from depesche.mailroom.connections.diagnosis import remedies
    from depesche.mailroom.connections.diagnosis.causes import ENTRIES, explain

    rows = []
    shown = provoked()
    with translation.override(language):
        for code in ENTRIES:
            facts: dict[str, object] = defaultdict(str, _PLACES[language], encryption=_ENCRYPTION[language])
            cause = explain(code, facts)
            change = f"`{remedies.SHOWN[code]}`" if code in remedies.SHOWN else ""
            shown_by = f"`{shown.get(code, '').replace(_USUAL, 'test_causes')}`"
            cells = (f"`{cause.code}`", f"**{cause.title}**", cause.sentence, cause.remedy, change, shown_by)
            rows.append(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |\n")
    return _HEADS[language] + "".join(rows)


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_page_shows_the_table(language: str) -> None:
    written = (FOLDER / f"causes.{language}.md").read_text(encoding="utf-8")
    assert written == page(language), "run: python -m tests.mailroom.connections.test_docs_causes"


def test_both_pages_say_the_same_in_different_words() -> None:
    """A cause without German words would stand in English on the German page."""
    from depesche.mailroom.connections.diagnosis.causes import ENTRIES

    english, german = (
        [line for line in page(language).splitlines() if line.startswith("| `")] for language in LANGUAGES
    )
    rows = list(zip(english, german, strict=True))
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
