"""The process that reads hostile mails: it may be killed at any moment, and nothing but the reading is lost.

    python -P -m depesche.mailroom.inbox.reader_child SECONDS OCTETS

One mail after the other on stdin, each as its length (8 octets) and its octets; for each on stdout one octet
(`OK`, `NO_MEMORY` or `FAILED`), then the pickled answer. No Django, no database and no secret is at hand
here. The kernel ends it after SECONDS of processor time for one mail, and refuses it memory
beyond OCTETS.
"""

from __future__ import annotations

import dataclasses
import pickle
import resource
import signal
import sys
from typing import BinaryIO

from depesche.mailformat.classify import Kind
from depesche.mailformat.mime_tree import Part
from depesche.mailformat.reading import Reading, read

OK, NO_MEMORY, FAILED = b"+", b"m", b"!"
_SOURCE_KEPT = 4_000_000  # octets

Row = tuple[int, Part]  # the place of the parent, and the part without its children


def flattened(root: Part) -> list[Row]:
    """A tree as a list, parents first: a thousand levels are too deep for pickle."""
    rows: list[Row] = []
    stack = [(-1, root)]
    while stack:
        parent, part = stack.pop()
        rows.append((parent, dataclasses.replace(part, children=[])))
        place = len(rows) - 1
        stack.extend((place, child) for child in reversed(part.children))
    return rows


def put_together(rows: list[Row]) -> Part:
    """The tree that `flattened` took apart."""
    for parent, part in rows[1:]:
        rows[parent][1].children.append(part)
    return rows[0][1]


def write_reading(reading: Reading, stream: BinaryIO) -> None:
    """The tree apart from the rest; the other side joins them.

    Of a large letter the raw octets of the parts stay here: whoever handles it takes text and attachments.
    """
    mail = reading.mail
    rows = flattened(mail.root)
    if len(mail.root.source) > _SOURCE_KEPT and reading.kind is not Kind.REPORT:
        for _, part in rows:
            part.source, part.start, part.end, part.preamble_end = b"", 0, 0, -1
    bare = Part(b"", [], 0, 0, 0)
    pickle.dump(rows, stream, protocol=5)
    pickle.dump(dataclasses.replace(reading, mail=dataclasses.replace(mail, root=bare)), stream, protocol=5)


def main(stdin: BinaryIO, stdout: BinaryIO, seconds: float, octets: int) -> None:
    """Serve until stdin ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the process that we read for
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_DATA, (octets, octets))
    while len(prefix := stdin.read(8)) == 8:
        # Processor time, not time: on a busy machine an honest mail is not to blame for waiting.
        signal.setitimer(signal.ITIMER_PROF, seconds)
        try:
            reading = read(stdin.read(int.from_bytes(prefix, "big")))
        except MemoryError:
            stdout.write(NO_MEMORY)
        except Exception:
            stdout.write(FAILED)
        else:
            stdout.write(OK)
            write_reading(reading, stdout)
            del reading
        signal.setitimer(signal.ITIMER_PROF, 0)
        stdout.flush()


if __name__ == "__main__":
    main(sys.stdin.buffer, sys.stdout.buffer, float(sys.argv[1]), int(sys.argv[2]))
