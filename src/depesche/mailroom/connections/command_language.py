"""In which language a command speaks to the person at the terminal: that of their locale, where there is a
catalogue, as POSIX and GNU gettext have it. Pure.
"""

from __future__ import annotations

from collections.abc import Mapping

from django.conf import settings
from django.utils.translation import get_supported_language_variant

_WITHOUT = frozenset({"", "C", "POSIX"})  # no language at all


def language_of(environment: Mapping[str, str]) -> str:
    """The language for messages; settings.LANGUAGE_CODE where the locale names none, or one that we do not
    speak.

    LC_ALL, LC_MESSAGES and LANG are asked in that order, the first that is set counts. LANGUAGE, a list with
    colons, goes before it, unless the locale is C.
    """
    locale = next(filter(None, (environment.get(name) for name in ("LC_ALL", "LC_MESSAGES", "LANG"))), "")
    if locale.partition(".")[0] in _WITHOUT:
        return settings.LANGUAGE_CODE
    for name in (*environment.get("LANGUAGE", "").split(":"), locale):
        code = name.partition(".")[0].partition("@")[0].replace("_", "-").lower()
        if not code:
            continue
        try:
            return get_supported_language_variant(code)
        except LookupError:
            continue
    return settings.LANGUAGE_CODE
