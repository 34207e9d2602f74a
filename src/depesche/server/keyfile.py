"""The one secret key of an installation: made once, kept outside the database, never replaced silently."""

from __future__ import annotations

import base64
import hashlib
import hmac
import os
import secrets
from pathlib import Path

_LENGTH = 32


class KeyFileError(Exception):
    """The key cannot be read; the text names the path and says what to do."""


def create(path: Path) -> None:
    """Write a new random key, readable by this user only. An existing file is left as it is."""
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return
    with os.fdopen(handle, "wb") as file:
        file.write(base64.urlsafe_b64encode(secrets.token_bytes(_LENGTH)) + b"\n")
        file.flush()
        os.fsync(file.fileno())


def read(path: Path) -> bytes:
    """The key's octets. Raises KeyFileError when there is none or it is damaged."""
    try:
        key = base64.urlsafe_b64decode(path.read_bytes().strip())
    except FileNotFoundError:
        raise KeyFileError(
            f"No secret key at {path}. Run 'depesche init' once, or set DEPESCHE_SECRET_KEY_FILE to the key "
            "of this installation."
        ) from None
    except OSError as error:
        raise KeyFileError(f"The secret key at {path} cannot be read: {error.strerror}.") from None
    except ValueError:
        raise KeyFileError(f"The file {path} holds no secret key of Depesche.") from None
    if len(key) != _LENGTH:
        raise KeyFileError(f"The file {path} holds no secret key of Depesche.")
    return key


def derive(key: bytes, purpose: str) -> bytes:
    """A key of 32 octets for one purpose, so that no two uses share a key."""
    return hmac.digest(key, b"depesche:" + purpose.encode("ascii"), hashlib.sha256)
