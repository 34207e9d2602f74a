"""The form of a server's report."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Server:
    """`head` are the headers, `body` the text with one `{entry}` a recipient, `entry` the form of each."""

    name: str
    subject: str
    sender: str
    body: str
    entry: str
    several: bool = True
    delayed: bool = False
    says_class: bool = True
