"""format=flowed (RFC 3676): soft line breaks joined again, so that a paragraph is one line.

Quoted lines are flowed within their depth and come out with `> ` marks; `-- ` stays what it is.
"""

from __future__ import annotations


def unflow(text: str, *, delsp: bool = False) -> str:
    """The text with its soft breaks undone. Linear."""
    out: list[str] = []
    paragraph: list[str] = []
    paragraph_depth = 0

    def flush() -> None:
        if paragraph:
            mark = ">" * paragraph_depth + (" " if paragraph_depth else "")
            out.append(mark + "".join(paragraph))
            paragraph.clear()

    for raw_line in text.split("\n"):
        line = raw_line.rstrip("\r")
        rest = line.lstrip(">")
        depth = len(line) - len(rest)
        rest = rest.removeprefix(" ")  # space-stuffing
        if paragraph and depth != paragraph_depth:
            flush()
        paragraph_depth = depth
        if rest == "-- ":
            flush()
            paragraph.append(rest)
            flush()
        elif rest.endswith(" ") and rest.strip():
            paragraph.append(rest[:-1] if delsp else rest)
        else:
            paragraph.append(rest)
            flush()
    flush()
    return "\n".join(out)
