"""What a server can do: the reply to EHLO, read with the tolerance that real servers need."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from depesche.smtpclient.reply import Reply


@dataclass(frozen=True)
class Capabilities:
    """The announced extensions. Without EHLO (a server that knows only HELO) there are none.

    `keywords` maps each keyword (upper case) to its parameters. `size` is the largest content in octets;
    None without SIZE, or where the server names no limit.
    """

    keywords: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    name: str = ""

    def __post_init__(self) -> None:
        has = self.keywords.__contains__
        for attribute, value in {
            "pipelining": has("PIPELINING"),
            "chunking": has("CHUNKING"),
            "starttls": has("STARTTLS"),
            "eight_bit": has("8BITMIME"),
            "smtputf8": has("SMTPUTF8"),
            "dsn": has("DSN"),
            "enhanced_codes": has("ENHANCEDSTATUSCODES"),
            "announces_size": has("SIZE"),
            "size": _size(self.keywords.get("SIZE", ())),
            "auth": tuple(dict.fromkeys(word.upper() for word in self.keywords.get("AUTH", ()))),
        }.items():
            object.__setattr__(self, attribute, value)

    # Plain attributes, worked out once: the hot path reads them for each message.
    pipelining: bool = field(init=False, compare=False, default=False)
    chunking: bool = field(init=False, compare=False, default=False)
    starttls: bool = field(init=False, compare=False, default=False)
    eight_bit: bool = field(init=False, compare=False, default=False)
    smtputf8: bool = field(init=False, compare=False, default=False)
    dsn: bool = field(init=False, compare=False, default=False)
    enhanced_codes: bool = field(init=False, compare=False, default=False)
    announces_size: bool = field(init=False, compare=False, default=False)
    size: int | None = field(init=False, compare=False, default=None)
    auth: tuple[str, ...] = field(init=False, compare=False, default=())


def _size(parameters: tuple[str, ...]) -> int | None:
    """SIZE without a number, with 0 or with nonsense means: no fixed limit (RFC 1870)."""
    if parameters and parameters[0].isascii() and parameters[0].isdigit() and len(parameters[0]) <= 20:
        return int(parameters[0]) or None
    return None


def parse_ehlo(reply: Reply) -> Capabilities:
    """Capabilities out of the reply to EHLO. ``AUTH=LOGIN`` is an old form that some servers still send."""
    keywords: dict[str, tuple[str, ...]] = {}
    for line in reply.lines[1:]:
        words = line.split()
        if not words:
            continue
        keyword, parameters = words[0].upper(), tuple(words[1:])
        if keyword.startswith("AUTH="):
            keyword, parameters = "AUTH", (words[0][5:], *parameters)
        keywords[keyword] = (*keywords.get(keyword, ()), *filter(None, parameters))
    name = reply.lines[0].split() if reply.lines else []
    return Capabilities(keywords, name[0] if name else "")
