"""Reading a mail within bounds of time and memory, whatever is in it.

Most mails are small, and read here at once. The others, where a fault of ours or of a library could cost
minutes or gigabytes, are read by a process of their own, which is kept for the next mail, and killed when it
goes beyond its bounds.
"""

from __future__ import annotations

import atexit
import contextlib
import dataclasses
import os
import pickle
import signal
import subprocess
import sys
import threading
from collections.abc import Sequence
from enum import Enum
from typing import IO, Any, Final

from depesche.mailformat.reading import Reading
from depesche.mailformat.reading import read as read_here
from depesche.mailroom.inbox import reader_child

SECONDS: Final = 2.0  # of processor time for one mail
OCTETS: Final = 300 * 1024 * 1024
_PATIENCE: Final = 20.0  # seconds of the clock: a starved machine, or a reader that waits for ever
_SERVED: Final = 500  # mails after which a reader is replaced: what it leaked goes with it
_KEPT: Final = 2  # idle readers

_SMALL = 128 * 1024
_FEW_TAGS = 3_000
_FEW_BOUNDARIES = 200
_LONG_LINE = 20_000


class Trouble(Enum):
    """Why a mail could not be read."""

    TIME = "time"
    MEMORY = "memory"
    BROKEN = "broken"


class Unreadable(Exception):
    """This mail cannot be read within bounds; another attempt would end in the same way."""

    def __init__(self, trouble: Trouble) -> None:
        super().__init__(trouble)
        self.trouble = trouble


def read(raw: bytes) -> Reading:
    """What a mail says. Raises Unreadable when that would take more than its bounds."""
    if is_harmless(raw):
        return read_here(raw)
    return _readers.read(raw)


def is_harmless(raw: bytes) -> bool:
    """Whether a mail is too small to cost much. One cheap look, linear in the size."""
    return (
        len(raw) <= _SMALL
        and raw.count(b"<") <= _FEW_TAGS
        and raw.count(b"\n--") <= _FEW_BOUNDARIES
        and max(map(len, raw.split(b"\n")), default=0) <= _LONG_LINE
    )


class Reader:
    """One process that reads. Not for two threads at a time."""

    def __init__(self, command: Sequence[str]) -> None:
        environment = {key: value for key, value in os.environ.items() if not key.startswith("DEPESCHE_")}
        self.served = 0
        self._process = subprocess.Popen(
            list(command),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=environment,
        )

    def read(self, raw: bytes, *, patience: float = _PATIENCE) -> Reading:
        """Raises Unreadable, after which this reader may be dead; EOFError when somebody else killed it."""
        self.served += 1
        overdue = threading.Event()

        def give_up() -> None:
            overdue.set()
            self._process.kill()

        watchdog = threading.Timer(patience, give_up)
        watchdog.daemon = True
        watchdog.start()
        try:
            return self._ask(raw)
        except (OSError, EOFError, pickle.UnpicklingError):
            self.end()
            raise self._cause(overdue.is_set()) from None
        finally:
            watchdog.cancel()

    def _ask(self, raw: bytes) -> Reading:
        stdin, stdout = self._process.stdin, self._process.stdout
        assert stdin is not None
        assert stdout is not None
        stdin.write(len(raw).to_bytes(8, "big"))
        stdin.write(raw)
        stdin.flush()
        answer = stdout.read(1)
        if answer == reader_child.OK:
            return _read_reading(stdout)
        if not answer:
            raise EOFError
        raise Unreadable(Trouble.MEMORY if answer == reader_child.NO_MEMORY else Trouble.BROKEN)

    def _cause(self, overdue: bool) -> Exception:
        status = self._process.returncode
        if overdue or status == -signal.SIGPROF:
            return Unreadable(Trouble.TIME)
        if status == -signal.SIGKILL:  # not by us: the system was short of memory, or a person
            return EOFError("the reader was killed")
        return Unreadable(Trouble.BROKEN)

    @property
    def alive(self) -> bool:
        return self._process.poll() is None

    def end(self) -> None:
        """Kill it and wait until it is gone."""
        with contextlib.suppress(OSError):
            self._process.kill()
        self._process.wait()
        for stream in (self._process.stdin, self._process.stdout):
            if stream is not None:
                with contextlib.suppress(OSError):
                    stream.close()


class Readers:
    """The readers of this process: taken for one mail each, kept when they survive it."""

    def __init__(self, command: Sequence[str]) -> None:
        self.command = list(command)
        self._idle: list[Reader] = []
        self._lock = threading.Lock()
        self._owner = os.getpid()

    def read(self, raw: bytes) -> Reading:
        """As `Reader.read`, with a second try where the reader died through no fault of the mail."""
        for last in (False, True):
            reader = self._take()
            try:
                reading = reader.read(raw)
            except EOFError:
                reader.end()
                if last:
                    raise Unreadable(Trouble.BROKEN) from None
                continue
            except BaseException:
                reader.end()
                raise
            self._give_back(reader)
            return reading
        raise AssertionError("not reached")

    def _take(self) -> Reader:
        with self._lock:
            if self._owner != os.getpid():  # after a fork they belong to the other process
                self._idle, self._owner = [], os.getpid()
            while self._idle:
                reader = self._idle.pop()
                if reader.alive:
                    return reader
                reader.end()
        return Reader(self.command)

    def _give_back(self, reader: Reader) -> None:
        with self._lock:
            if reader.served < _SERVED and len(self._idle) < _KEPT:
                self._idle.append(reader)
                return
        reader.end()

    def close(self) -> None:
        """End those that are idle."""
        with self._lock:
            idle, self._idle = self._idle, []
        if self._owner == os.getpid():
            for reader in idle:
                reader.end()


class _OnlyOurs(pickle.Unpickler):
    """Takes values of ours and dates, nothing that could act: a mail may have taken the reader over."""

    def find_class(self, module: str, name: str) -> Any:
        if module.startswith("depesche.mailformat.") and "." not in name:
            found = super().find_class(module, name)
            if isinstance(found, type) and (dataclasses.is_dataclass(found) or issubclass(found, Enum)):
                return found
        if (module, name) in _HARMLESS:
            return super().find_class(module, name)
        raise pickle.UnpicklingError(f"{module}.{name} is no part of a reading")


_HARMLESS = frozenset({("datetime", name) for name in ("datetime", "timezone", "timedelta")})


def _read_reading(stream: IO[bytes]) -> Reading:
    rows = _OnlyOurs(stream).load()
    reading: Reading = _OnlyOurs(stream).load()
    root = reader_child.put_together(rows)
    return dataclasses.replace(reading, mail=dataclasses.replace(reading.mail, root=root))


_readers = Readers(
    [
        sys.executable,
        "-P",
        "-m",
        "depesche.mailroom.inbox.reader_child",
        str(SECONDS),
        str(OCTETS),
    ]
)
atexit.register(_readers.close)
