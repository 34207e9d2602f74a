"""Every alarm stands in docs/admin, in both languages."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.utils import translation

from depesche.mailroom.connections.alarm_texts import ENTRIES, words

FOLDER = Path(__file__).parents[3] / "docs" / "admin"
LANGUAGES = ("en", "de")
_MARK = "<!-- the table: python -m tests.mailroom.connections.test_docs_alarms -->\n"
_COUNTS = ("days", "minutes", "hours", "count", "workers")
_FACTS = (
    *(
        "host",
        "failover",
        "address",
        "domain",
        "reply",
        "provider",
        "day",
        "before",
        "usual",
        "selector",
        "place",
    ),
    *("megabytes", "source", "subject", "names", "port", "changed", "old", "new"),
)
_PLACES = {
    "en": {"detail": "*The reason in words.*", "remedy": "*What to do about it.*"},
    "de": {"detail": "*Der Grund in Worten.*", "remedy": "*Was dagegen zu tun ist.*"},
}
_HEADS = {
    "en": "| code | what is the case | why | what to do |\n|---|---|---|---|\n",
    "de": "| Code | Was ist der Fall | Warum | Was ist zu tun |\n|---|---|---|---|\n",
}


def table(language: str) -> str:
    """The table in that language, as it is to be."""
    rows = []
    with translation.override(language):
        for code in ENTRIES:
            facts: dict[str, object] = {name: f"*{name}*" for name in _FACTS}
            facts |= dict.fromkeys(_COUNTS, 7)
            said = words(code, {**facts, **_PLACES[language]})
            cells = (f"`{code}`", f"**{said.title}**", said.why, said.remedy)
            rows.append(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |\n")
    return _HEADS[language] + "".join(rows)


def written(language: str) -> tuple[str, str]:
    """What stands before the table, and the table."""
    text = (FOLDER / f"alarms.{language}.md").read_text(encoding="utf-8")
    head, mark, rows = text.partition(_MARK)
    assert mark, "the mark of the table is missing"
    return head, rows


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_page_shows_the_table(language: str) -> None:
    assert written(language)[1] == table(language), (
        "run: python -m tests.mailroom.connections.test_docs_alarms"
    )


if __name__ == "__main__":
    import os

    import django

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
    django.setup()
    for each in LANGUAGES:
        (FOLDER / f"alarms.{each}.md").write_text(written(each)[0] + _MARK + table(each), encoding="utf-8")
