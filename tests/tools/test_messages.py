from __future__ import annotations

import io
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog
from babel.messages.pofile import read_po

from tools import messages


@pytest.fixture
def tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A small product with one app and a package outside of any."""
    sources = tmp_path / "src" / "depesche"
    app = sources / "mailroom" / "connections"
    (app / "templates" / "connections").mkdir(parents=True)
    (sources / "mailformat").mkdir()
    (sources / "server").mkdir()
    (app / "apps.py").write_text("")
    (app / "views.py").write_text(
        "from django.utils.translation import gettext as _, ngettext, pgettext_lazy\n"
        "_('Save')\n"
        "ngettext('%(count)s mail', '%(count)s mails', 2)\n"
        "pgettext_lazy('noun', 'Mail')\n"
    )
    (sources / "mailformat" / "addresses.py").write_text("EMPTY = gettext_noop('Enter an address.')\n")
    (app / "templates" / "connections" / "page.html").write_text(
        "{% load i18n %}\n<ul>\n"
        """      <li title='{% translate "It's shown" %}'>\n"""
        "  {% blocktranslate trimmed with name=person.name %}\n     Hello {{ name }},\n     100 % sure\n"
        "  {% endblocktranslate %}\n"
        "{% blocktranslate count counter=n %}one item{% plural %}{{ counter }} items{% endblocktranslate %}\n"
        "{{ _('In an expression') }}{% if a < b %}(({% endif %}\n"
    )
    monkeypatch.setattr(messages, "ROOT", tmp_path)
    monkeypatch.setattr(messages, "SOURCES", sources)
    monkeypatch.setattr(messages, "HOMELESS", {"mailformat": app})
    return sources


def test_messages_are_found_in_code_and_templates(tree: Path) -> None:
    found, problems = messages.collect()
    assert problems == []
    assert [app.name for app in found] == ["depesche/mailroom/connections"]
    keys = {key for catalogue in found.values() for key in messages.entries(catalogue)}
    assert keys == {
        ("", "Save"),
        ("", "%(count)s mail"),
        ("noun", "Mail"),
        ("", "Enter an address."),
        ("", "It's shown"),
        ("", "Hello %(name)s, 100 %% sure"),
        ("", "one item"),
        ("", "In an expression"),
    }


def test_a_message_outside_of_every_app_is_a_problem(tree: Path) -> None:
    (tree / "server" / "cli.py").write_text("_('Lost')\n")
    _found, problems = messages.collect()
    assert problems == [
        "depesche/server/cli.py: has messages, but lies in no Django app, so that no catalogue serves it"
    ]


def test_update_keeps_translations_and_check_names_what_is_missing(tree: Path) -> None:
    assert any("missing: 'Save'" in problem for problem in messages.check())
    assert messages.update() == []
    po = tree / "mailroom" / "connections" / "locale" / "de" / "LC_MESSAGES" / "django.po"
    assert "not translated: 'Save'" in "\n".join(messages.check())

    translated = po.read_text().replace('msgid "Save"\nmsgstr ""', 'msgid "Save"\nmsgstr "Speichern"')
    po.write_text(translated)
    assert "'Save'" not in "\n".join(messages.check())

    views = tree / "mailroom" / "connections" / "views.py"
    views.write_text(views.read_text() + "_('Remove')\n")
    messages.update()
    assert 'msgstr "Speichern"' in po.read_text()
    assert "Date" not in po.read_text()
    views.write_text("_('Remove')\n")
    assert "no longer used: 'Save'" in "\n".join(messages.check())
    messages.update()
    assert "Speichern" not in po.read_text()


def test_compiled_catalogues_are_what_python_reads(tree: Path) -> None:
    import gettext

    messages.update()
    po = tree / "mailroom" / "connections" / "locale" / "de" / "LC_MESSAGES" / "django.po"
    po.write_text(po.read_text().replace('msgid "Save"\nmsgstr ""', 'msgid "Save"\nmsgstr "Speichern"'))
    messages.compile_all()
    with po.with_suffix(".mo").open("rb") as file:
        assert gettext.GNUTranslations(file).gettext("Save") == "Speichern"


@pytest.mark.parametrize(
    ("entry", "words"),
    [
        ('msgid "Save"\nmsgstr "Speichern"', None),
        ('msgid "Save"\nmsgstr ""', "not translated"),
        ('#, fuzzy\nmsgid "Save"\nmsgstr "Speichern"', "fuzzy"),
        ('msgid "to %(name)s"\nmsgstr "an %(nam)s"', "placeholders"),
        ('msgid "to %(name)s"\nmsgstr "an"', "placeholders"),
        ('msgid "to {name}"\nmsgstr "an {name}"', None),
        ('msgid "to {name}"\nmsgstr "an {Name}"', "placeholders"),
        ('msgid "100 %% of {n:d}"\nmsgstr "100 %% von {n:d}"', None),
        ('msgid "line\\n"\nmsgstr "Zeile"', "line break"),
        ('msgid "one"\nmsgid_plural "%(n)s"\nmsgstr[0] "eine"\nmsgstr[1] "%(n)s"', None),
        ('msgid "%(n)s a"\nmsgid_plural "%(n)s b"\nmsgstr[0] "a"\nmsgstr[1] "%(n)s b"', "placeholders"),
    ],
)
def test_a_translation_is_judged(entry: str, words: str | None) -> None:
    catalogue: Catalog = read_po(io.BytesIO(entry.encode()), locale="de")
    (message,) = messages.entries(catalogue).values()
    wrong = messages.fault(message)
    assert wrong is None if words is None else words in (wrong or "")
