"""Caught mails as files: one .eml each, with the envelope in front as a delivery agent writes it."""

from __future__ import annotations

import itertools
import os
import re
import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from depesche.mailformat.parse import ParsedMail, parse

_NAME = re.compile(r"\d{19,20}-\d{1,9}")


@dataclass(frozen=True)
class CaughtMail:
    """A caught mail as the pages show it. `name` is its place in the URL."""

    name: str
    size: int
    recipients: tuple[str, ...]
    raw: bytes
    mail: ParsedMail

    @property
    def caught_at(self) -> float:
        """Seconds since the epoch."""
        return int(self.name.partition("-")[0]) / 1e9

    @property
    def headers(self) -> str:
        return re.split(rb"\r?\n\r?\n", self.raw, maxsplit=1)[0].decode("utf-8", "replace")


class CatcherStore:
    """A folder of caught mails, newest first. Safe for one writing process and any number of readers."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.folder.mkdir(parents=True, exist_ok=True)
        self._count = itertools.count()

    def add(self, raw: bytes, *, sender: str, recipients: Sequence[str]) -> str:
        """Keep a mail; it is whole on disk when this returns."""
        name = f"{time.time_ns()}-{next(self._count)}"
        envelope = [f"Return-Path: <{sender}>", *(f"Delivered-To: {address}" for address in recipients)]
        octets = "".join(f"{line}\r\n" for line in envelope).encode("utf-8", "replace") + raw
        unfinished = self.folder / f".{name}"
        unfinished.write_bytes(octets)
        os.replace(unfinished, self.folder / f"{name}.eml")
        return name

    def names(self) -> list[str]:
        return sorted(
            (entry.name[:-4] for entry in os.scandir(self.folder) if entry.name.endswith(".eml")),
            key=_order,
            reverse=True,
        )

    def get(self, name: str) -> CaughtMail | None:
        if not _NAME.fullmatch(name):
            return None
        return _read(self.folder / f"{name}.eml")

    def clear(self) -> None:
        for name in self.names():
            (self.folder / f"{name}.eml").unlink(missing_ok=True)


def _order(name: str) -> tuple[int, int]:
    at, _, count = name.partition("-")
    return int(at), int(count or 0)


@lru_cache(maxsize=500)  # a caught mail never changes
def _read_cached(path: Path, size: int) -> CaughtMail:
    raw = path.read_bytes()
    mail = parse(raw)
    return CaughtMail(
        name=path.stem,
        size=size,
        recipients=tuple(mail.header_all("Delivered-To")),
        raw=raw,
        mail=mail,
    )


def _read(path: Path) -> CaughtMail | None:
    try:
        return _read_cached(path, path.stat().st_size)
    except FileNotFoundError:
        return None
