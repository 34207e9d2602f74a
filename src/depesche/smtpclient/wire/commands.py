"""Commands as octets. What goes in was checked where it was made (`Envelope`, `ConnectionConfig`); a CR or LF
that got here all the same is our own mistake and stops everything."""

from __future__ import annotations

RSET = b"RSET\r\n"
NOOP = b"NOOP\r\n"
QUIT = b"QUIT\r\n"
DATA = b"DATA\r\n"
STARTTLS = b"STARTTLS\r\n"
END_OF_CONTENT = b".\r\n"


def line(text: str) -> bytes:
    """One command line. Raises ValueError for control characters: the last guard against injection."""
    if not text.isprintable():
        raise ValueError("a command holds a control character")
    return text.encode("utf-8") + b"\r\n"


def ehlo(name: str) -> bytes:
    return line(f"EHLO {name}")


def helo(name: str) -> bytes:
    return line(f"HELO {name}")


def mail(reverse_path: str, parameters: str = "") -> bytes:
    """`parameters` begin with a space where there are any."""
    return line(f"MAIL FROM:<{reverse_path}>{parameters}")


def rcpt(recipient: str) -> bytes:
    return line(f"RCPT TO:<{recipient}>")


def bdat(size: int) -> bytes:
    """One chunk; others follow (RFC 3030)."""
    return b"BDAT %d\r\n" % size


def bdat_last(size: int) -> bytes:
    return b"BDAT %d LAST\r\n" % size


def auth(mechanism: str, initial: str | None) -> bytes:
    """`initial` is base64, or "=" for an empty initial response (RFC 4954), or None."""
    return line(f"AUTH {mechanism}" if initial is None else f"AUTH {mechanism} {initial}")
