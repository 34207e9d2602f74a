"""Commands speak the language of the person's locale; what programs read stays as it is."""

from __future__ import annotations

import pytest
from django.test import override_settings

from depesche.mailroom.connections.command_language import language_of


@pytest.mark.parametrize(
    ("environment", "language"),
    [
        ({}, "en"),
        ({"LANG": "de_DE.UTF-8"}, "de"),
        ({"LANG": "de_AT@euro"}, "de"),
        ({"LANG": "en_GB.UTF-8"}, "en"),
        ({"LANG": "C.UTF-8", "LANGUAGE": "de"}, "en"),
        ({"LANG": "POSIX"}, "en"),
        ({"LANG": "de_DE.UTF-8", "LC_ALL": "C"}, "en"),
        ({"LANG": "en_US.UTF-8", "LC_MESSAGES": "de_DE.UTF-8"}, "de"),
        ({"LC_MESSAGES": "de_DE", "LC_ALL": "en_US.UTF-8"}, "en"),
        ({"LANG": "fr_FR.UTF-8"}, "en"),
        ({"LANG": "fr_FR.UTF-8", "LANGUAGE": "fr:de:en"}, "de"),
        ({"LANG": "", "LC_ALL": "", "LC_MESSAGES": "de"}, "de"),
        ({"LANG": "../../etc/passwd"}, "en"),
        ({"LANG": "d" * 5000}, "en"),
    ],
)
def test_as_posix_and_gettext_have_it(environment: dict[str, str], language: str) -> None:
    assert language_of(environment) == language


def test_what_is_not_spoken_is_said_in_the_installations_language() -> None:
    with override_settings(LANGUAGE_CODE="de"):
        assert language_of({"LANG": "fr_FR.UTF-8"}) == "de"
        assert language_of({"LANG": "en_GB.UTF-8"}) == "en"
