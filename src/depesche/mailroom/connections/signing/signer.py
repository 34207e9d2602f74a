"""The signature on a mail: pure, called for each mail in the worker's loop while signing is on.

A mail is turned to seven bits before it is signed, whatever our server can carry: a relay behind it may not,
and a conversion there would break the signature (RFC 6376 §5.3). What mails with one content share, the
conversion and the hash of the body, is done once.
"""

from __future__ import annotations

import logging
import re
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from depesche.mailformat.addresses import canonical_domain
from depesche.mailformat.dkim import SigningKey, body_digest, sign_head
from depesche.mailformat.transfer import crlf, to_seven_bit

log = logging.getLogger(__name__)
_MOST_CONTENTS = 32
_MOST_BLOCKS = 1000
_CACHED_SIZE = 256 * 1024  # octets; a larger content is worked out anew for each mail
_FROM = re.compile(rb"^From:([^\r\n]*(?:\r\n[ \t][^\r\n]*)*)", re.IGNORECASE | re.MULTILINE)
_DOMAIN = re.compile(rb"@([^\s<>@,;()\"]+)>?\s*$")


@dataclass(frozen=True)
class Key:
    """A key that signs. `domain` in lower case, as in DNS."""

    domain: str
    selector: str
    private: SigningKey = field(repr=False)


@dataclass(frozen=True)
class _Content:
    head: bytes
    rest: bytes  # blank line and body
    digest: str


class Signer:
    """Signs with every key of the domain that stands in From; where that has none, with those of `home`, the
    system address's domain: a true signature, though not one that speaks for the author (DMARC)."""

    def __init__(self, keys: Sequence[Key], *, home: str) -> None:
        self._keys = tuple(keys)
        self._home = _plain(home)
        self._contents: OrderedDict[bytes, _Content] = OrderedDict()
        self._chosen: dict[bytes, tuple[Key, ...]] = {}

    def joined(self, block: bytes, header: bytes, content: bytes, now: datetime) -> bytes:
        """From block, the recipient's own header lines and the content as one mail, with its signatures in
        front. A mail that cannot be signed goes out without: better than not at all."""
        try:
            return self._signed(block, header, content, now)
        except Exception:
            log.exception("A mail could not be signed; it goes out unsigned.")
            return b"".join((block, header, content))

    def _signed(self, block: bytes, header: bytes, content: bytes, now: datetime) -> bytes:
        keys = self._keys_for(block)
        if not keys:
            return b"".join((block, header, content))
        own = block + header
        if not own.isascii():
            own = to_seven_bit(own + b"\r\n").removesuffix(b"\r\n\r\n") + b"\r\n"
        shared = self._content(content)
        head = own + shared.head
        signatures = [
            sign_head(
                head,
                shared.digest,
                domain=key.domain,
                selector=key.selector,
                private_key=key.private,
                now=now,
            )
            for key in keys
        ]
        return b"".join((*signatures, head, shared.rest))

    def _content(self, content: bytes) -> _Content:
        found = self._contents.get(content)
        if found is None:
            octets = crlf(to_seven_bit(content))
            head, _, body = octets.partition(b"\r\n\r\n")
            if body and not body.endswith(b"\r\n"):  # as it is sent
                body += b"\r\n"
            found = _Content(head + b"\r\n", b"\r\n" + body, body_digest(body))
            if len(content) <= _CACHED_SIZE:
                self._contents[content] = found
                if len(self._contents) > _MOST_CONTENTS:
                    self._contents.popitem(last=False)
        return found

    def _keys_for(self, block: bytes) -> tuple[Key, ...]:
        found = self._chosen.get(block)
        if found is None:
            if len(self._chosen) >= _MOST_BLOCKS:
                self._chosen.clear()
            found = self._chosen[block] = keys_for(self._keys, author_domain(block), self._home)
        return found


def keys_for(keys: Sequence[Key], author: str, home: str) -> tuple[Key, ...]:
    """The keys of the longest domain that the author's lies in (relaxed alignment, RFC 7489 §3.1.1), else
    those of `home`."""
    domains = {key.domain for key in keys if _lies_in(author, key.domain)}
    domain = max(domains, key=len) if domains else home
    return tuple(key for key in keys if key.domain == domain)


def _lies_in(domain: str, above: str) -> bool:
    return domain == above or domain.endswith("." + above)


def author_domain(block: bytes) -> str:
    """The domain of the address in From, as in DNS; "" where there is none."""
    field_value = _FROM.search(block)
    found = _DOMAIN.search(field_value[1]) if field_value else None
    return _plain(found[1].decode("utf-8", "replace")) if found else ""


def _plain(domain: str) -> str:
    try:
        return canonical_domain(domain).lower()
    except ValueError:
        return ""
