"""What arrived in a maildir, and waiting for it."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import cast

from tests.support.waiting import PATIENCE, wait_until


def parse(raw: bytes) -> EmailMessage:
    """A mail as the standard library reads it."""
    return cast(EmailMessage, message_from_bytes(raw, policy=policy.default))


def text_of(mail: EmailMessage) -> str:
    """The plain text of a mail; empty when it has none."""
    body = mail.get_body(("plain",))
    return str(body.get_content()) if body is not None else ""


class Maildir:
    """One maildir. Reads `new` and `cur`, in the order of arrival; changes nothing but by `clear`."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def raw(self) -> list[bytes]:
        """Every mail, as octets."""
        files: list[tuple[int, str, bytes]] = []
        for folder in ("new", "cur"):
            for file in (self.path / folder).glob("[!.]*"):
                try:
                    files.append((file.stat().st_mtime_ns, file.name, file.read_bytes()))
                except FileNotFoundError:
                    continue  # the server moved it from new to cur meanwhile
        return [octets for _time, _name, octets in sorted(files)]

    def mails(self) -> list[EmailMessage]:
        """Every mail, parsed."""
        return [parse(raw) for raw in self.raw()]

    def wait_for(
        self, wanted: Callable[[EmailMessage], bool], what: str, *, timeout: float = PATIENCE
    ) -> EmailMessage:
        """The first mail for which `wanted` holds; an error tells the subjects of those that are there."""

        def look() -> EmailMessage | None:
            return next((mail for mail in self.mails() if wanted(mail)), None)

        try:
            found = wait_until(look, what, timeout=timeout)
        except AssertionError as failure:
            there = [str(mail["Subject"]) for mail in self.mails()]
            raise AssertionError(f"{failure}; in {self.path}: {there}") from None
        assert found is not None
        return found

    def wait_for_subject(self, part: str, *, timeout: float = PATIENCE) -> EmailMessage:
        """The first mail with `part` in its subject."""
        return self.wait_for(
            lambda mail: part in str(mail["Subject"]), f"a mail with {part!r} in its subject", timeout=timeout
        )

    def wait_for_count(self, count: int, *, timeout: float = PATIENCE) -> list[EmailMessage]:
        """All mails, once there are at least `count`."""
        wait_until(lambda: len(self.raw()) >= count, f"{count} mails in {self.path}", timeout=timeout)
        return self.mails()

    def clear(self) -> None:
        """Remove the mailbox with everything in it; the servers make it anew."""
        shutil.rmtree(self.path, ignore_errors=True)
