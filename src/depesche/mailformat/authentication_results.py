"""What the receiving server found out about the sender: Authentication-Results (RFC 8601), read tolerantly.

Anybody can write this header; only the one added by the server that is named as trusted says anything, and
only the topmost of them: a forger can send one below it with the same name. Microsoft 365 writes the
authserv-id not at all or behind the results, comments in odd places and `action=none` where no property
belongs.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from depesche.mailformat.parse import ParsedMail

_LONGEST = 20_000


@dataclass(frozen=True, slots=True)
class Verdict:
    """One method's result: `method` spf, dkim, dmarc, arc, auth …; `result` pass, fail, softfail, none …"""

    method: str
    result: str
    domain: str | None
    properties: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Verdicts:
    """The results of the trusted server. Empty when it says nothing."""

    authserv_id: str
    all: tuple[Verdict, ...]

    def of(self, method: str) -> tuple[Verdict, ...]:
        return tuple(verdict for verdict in self.all if verdict.method == method)

    @property
    def spf_domain(self) -> str | None:
        """The domain for which SPF passed, or None."""
        return next((verdict.domain for verdict in self.of("spf") if verdict.result == "pass"), None)

    @property
    def dkim_domains(self) -> tuple[str, ...]:
        """The domains whose signature was valid."""
        return tuple(
            verdict.domain for verdict in self.of("dkim") if verdict.result == "pass" and verdict.domain
        )

    @property
    def dmarc(self) -> str:
        """The result for the domain of From: pass, fail, none …; `none` when nothing is said."""
        found = self.of("dmarc")
        return found[0].result if found else "none"

    def authenticates(self, domain: str) -> bool:
        """Whether a mail From this domain is shown to come from it: DMARC passed, or an aligned DKIM or
        SPF did.
        """
        wanted = _domain(domain)
        for verdict in self.of("dmarc"):
            if verdict.result == "pass" and (verdict.domain is None or _aligned(verdict.domain, wanted)):
                return True
            if verdict.result in ("fail", "permerror"):
                return False
        passed = [*self.dkim_domains, *([self.spf_domain] if self.spf_domain else [])]
        return any(_aligned(found, wanted) for found in passed)


def _domain(value: str) -> str:
    return value.rsplit("@", 1)[-1].strip().strip(".<>\"'").lower()


def _aligned(one: str, other: str) -> bool:
    """Equal, or the one a subdomain of the other (relaxed alignment without a list of public suffixes).

    A bare top-level domain aligns with nothing but itself.
    """
    if one == other:
        return True
    shorter, longer = sorted((one, other), key=len)
    return shorter.count(".") >= 1 and longer.endswith("." + shorter)


def _statements(text: str) -> list[str]:
    """The text split at its semicolons, without (nested) comments. What stands in quotes neither splits nor
    ends anything: the sender chooses the local part that a server quotes here. A quote that never closes
    hides the rest.
    """
    found: list[str] = []
    out: list[str] = []
    depth = 0
    quoted = False
    escaped = False
    for character in text:
        if escaped:
            escaped = False
            if depth == 0:
                out.append("_")  # an escaped character is part of a value, and of none that is looked at
        elif character == "\\" and (quoted or depth):
            escaped = True
        elif quoted:
            out.append(character)
            quoted = character != '"'
        elif character == "(":
            depth += 1
            out.append(" ")
        elif character == ")":
            depth = max(0, depth - 1)
        elif depth == 0 and character == ";":
            found.append("".join(out))
            out.clear()
        elif depth == 0:
            out.append(character)
            quoted = character == '"'
    found.append("".join(out))
    return found


_METHOD = re.compile(r"\s*([A-Za-z][A-Za-z0-9-]{0,30})(?:/\d{1,3})?\s{0,5}=\s{0,5}([A-Za-z]{1,20})")
_PROPERTY = re.compile(
    r"([A-Za-z][A-Za-z0-9-]{0,30}(?:\.[A-Za-z][A-Za-z0-9_-]{0,30})?)\s{0,3}=\s{0,3}(\"[^\"]{0,500}\"|"
    r"[^\s;]{1,500})"
)
_DOMAIN_PROPERTIES = {
    "spf": ("smtp.mailfrom", "smtp.mail", "smtp.helo"),
    "dkim": ("header.d", "header.i"),
    "dmarc": ("header.from",),
    "arc": ("header.oldest-pass", "smtp.remote-ip"),
}
_AUTHSERV = re.compile(r"\s*(\"[^\"]{1,255}\"|[A-Za-z0-9_][A-Za-z0-9._-]{0,254})(?:\s+\d{1,3})?\s*$")


def parse_results(value: str) -> tuple[str, tuple[Verdict, ...]]:
    """One header value: the authserv-id (empty when it names none) and the verdicts. Never raises."""
    pieces = _statements(value[:_LONGEST])
    authserv_id = ""
    verdicts: list[Verdict] = []
    for position, piece in enumerate(pieces[:100]):
        method = _METHOD.match(piece)
        if method is None:
            named = _AUTHSERV.match(piece)
            if named is not None and not authserv_id and (position == 0 or piece is pieces[-1]):
                authserv_id = named.group(1).strip('"').lower()
            continue
        name = method.group(1).lower()
        properties = tuple(
            (key.lower(), text.strip('"')) for key, text in _PROPERTY.findall(piece[method.end() :])[:20]
        )
        table = dict(reversed(properties))
        domain = next(
            (_domain(table[key]) for key in _DOMAIN_PROPERTIES.get(name, ()) if table.get(key)), None
        )
        verdicts.append(Verdict(name, method.group(2).lower(), domain or None, properties))
    return authserv_id, tuple(verdicts)


def authentication_results(mail: ParsedMail, trusted_authserv_id: str) -> Verdicts:
    """The verdicts of the trusted server: the topmost header (and those directly together with it) that it
    wrote.

    A header without authserv-id (Microsoft 365) counts as the trusted one's only if it is the topmost of
    all and the trusted name is `-`. An empty trusted name trusts nobody.
    """
    wanted = trusted_authserv_id.strip().strip('"').rstrip(".").lower()
    if not wanted:
        return Verdicts("", ())
    collected: list[Verdict] = []
    started = False
    for value in mail.header_all("authentication-results")[:50]:
        authserv_id, verdicts = parse_results(value)
        trusted = authserv_id.rstrip(".") == wanted or (wanted == "-" and authserv_id == "")
        if trusted:
            started = True
            seen = {verdict.method for verdict in collected}
            collected.extend(verdict for verdict in verdicts if verdict.method not in seen)
        elif started or wanted == "-":
            break  # what stands below another server's words may have come with the mail
    return Verdicts(wanted if started else "", tuple(collected))
