"""What receivers will think of our mails, and which records would help. Pure: everything is an argument.

A receiver that obeys DMARC asks the domain in From. It is content when SPF passes for the reverse-path or a
DKIM signature verifies, and that domain agrees with the one in From. Our reverse-path is the system address
in every mail; our keys belong to domains whose record is in DNS. Whether SPF really passes hangs on the
address from which the mail server hands on, which nobody here knows: a sound record counts.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from depesche.mailroom.connections.domain.lookup import DomainRecords
from depesche.mailroom.connections.domain.policies import aligned, dmarc, spf, zone_text
from depesche.mailroom.connections.name_service import NO_SUCH_NAME


class Verdict(StrEnum):
    """What becomes of a mail at a receiver that obeys DMARC."""

    TRUSTED = "trusted"  # proved by the domain in From
    UNPROVED = "unproved"  # nothing proves it, and nobody asked for a proof
    SPAM = "spam"  # p=quarantine
    REFUSED = "refused"  # p=reject
    UNKNOWN = "unknown"  # nobody could be asked


class Level(StrEnum):
    OK = "ok"
    HINT = "hint"
    FAULT = "fault"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at; `code` names its texts (texts.py), `detail` is the record itself."""

    code: str
    level: Level
    detail: str = ""


@dataclass(frozen=True)
class Record:
    """A record to add, or to put in the place of another one. `zone` as a zone file has it."""

    purpose: str  # spf, dmarc, dkim, mx
    name: str
    kind: str
    value: str
    replaces: str = ""

    @property
    def zone(self) -> str:
        value = zone_text(self.value) if self.kind == "TXT" else self.value
        return f"{self.name}. IN {self.kind} {value}"


@dataclass(frozen=True)
class Key:
    """One of our DKIM keys. `published`: its record is in DNS, as far as is known."""

    domain: str
    selector: str
    record: str
    signs: bool
    published: bool | None = None


@dataclass(frozen=True)
class Opinion:
    """What a receiver thinks of mails From this domain. `spf` and `dkim`: whether the proof agrees with it;
    `policy` is what the domain asks receivers to do with mails that nothing proves."""

    domain: str
    verdict: Verdict
    policy: str
    spf: bool
    dkim: bool


@dataclass(frozen=True)
class Advice:
    """Everything about one domain that mails come from."""

    domain: str
    findings: tuple[Finding, ...]
    records: tuple[Record, ...]
    opinion: Opinion


def opinion_of(author: DomainRecords, reverse_path: DomainRecords, keys: Iterable[Key]) -> Opinion:
    """What a receiver thinks of a mail From `author`'s domain with a reverse-path at `reverse_path`'s."""
    policy = dmarc(author.dmarc.values[0]) if len(author.dmarc.values) == 1 else None
    strict_spf = policy.strict_spf if policy else False
    strict_dkim = policy.strict_dkim if policy else False
    has_spf = len(reverse_path.spf.values) == 1
    by_spf = has_spf and aligned(
        reverse_path.domain, author.domain, strict=strict_spf, family=author.dmarc_at
    )
    by_dkim = any(
        key.signs
        and key.published is not False
        and aligned(key.domain, author.domain, strict=strict_dkim, family=author.dmarc_at)
        for key in keys
    )
    wanted = ""
    if policy is not None:
        wanted = policy.policy if author.dmarc_at == author.domain else policy.for_subdomains
    if not author.asked:
        verdict = Verdict.UNKNOWN
    elif by_spf or by_dkim:
        verdict = Verdict.TRUSTED
    else:
        verdict = {"reject": Verdict.REFUSED, "quarantine": Verdict.SPAM}.get(wanted, Verdict.UNPROVED)
    return Opinion(author.domain, verdict, wanted, by_spf, by_dkim)


def advice_for(records: DomainRecords, keys: Sequence[Key], *, server: str, wants_mail: bool) -> Advice:
    """About the system address's domain. `server`: the SMTP server that we submit to; `wants_mail`: answers
    or reports are to come back to the system address."""
    own = [key for key in keys if key.domain == records.domain]
    if records.spf.trouble == NO_SUCH_NAME:
        missing = Finding("domain-missing", Level.FAULT, records.domain)
        return Advice(records.domain, (missing,), (), opinion_of(records, records, keys))
    findings = [_spf(records), _dmarc(records), *_dkim(own), _mx(records, wants_mail)]
    return Advice(
        records.domain,
        tuple(findings),
        tuple(_to_add(records, own, server, wants_mail)),
        opinion_of(records, records, keys),
    )


def _spf(records: DomainRecords) -> Finding:
    if not records.spf.asked:
        return Finding("spf-unknown", Level.UNKNOWN)
    values = records.spf.values
    if not values:
        return Finding("spf-missing", Level.FAULT)
    if len(values) > 1:
        return Finding("spf-several", Level.FAULT, " | ".join(values))
    read = spf(values[0])
    if read.too_many:
        return Finding("spf-too-many", Level.FAULT, values[0])
    if read.rest == "pass":
        return Finding("spf-everybody", Level.FAULT, values[0])
    if read.rest == "neutral":
        return Finding("spf-neutral", Level.HINT, values[0])
    if values[0].split()[1:] in (["-all"], ["~all"]):
        return Finding("spf-nobody", Level.FAULT, values[0])
    return Finding("spf-fine", Level.OK, values[0])


def _dmarc(records: DomainRecords) -> Finding:
    if not records.dmarc.asked:
        return Finding("dmarc-unknown", Level.UNKNOWN)
    values = records.dmarc.values
    if not values:
        return Finding("dmarc-missing", Level.HINT)
    if len(values) > 1:
        return Finding("dmarc-several", Level.FAULT, " | ".join(values))
    read = dmarc(values[0])
    if not read.policy:
        return Finding("dmarc-broken", Level.FAULT, values[0])
    return Finding(f"dmarc-{read.policy}", Level.OK, values[0])


def _dkim(keys: Sequence[Key]) -> list[Finding]:
    """Of our own keys; a provider's are not known here."""
    signing = [key for key in keys if key.signs]
    found = []
    if not signing:
        waiting = any(not key.published for key in keys)
        found.append(Finding("dkim-waiting" if keys and waiting else "dkim-off", Level.HINT))
    for key in signing:
        name = f"{key.selector}._domainkey.{key.domain}"
        if key.published is None:
            found.append(Finding("dkim-unknown", Level.UNKNOWN, name))
        else:
            code, level = ("dkim-fine", Level.OK) if key.published else ("dkim-gone", Level.FAULT)
            found.append(Finding(code, level, name))
    return found


def _mx(records: DomainRecords, wants_mail: bool) -> Finding:
    if not records.exchangers.asked:
        return Finding("mx-unknown", Level.UNKNOWN)
    values = records.exchangers.values
    shown = ", ".join(values)
    if values == ("",):
        return Finding("mx-none-wanted", Level.FAULT if wants_mail else Level.HINT)
    if values:
        return Finding("mx-fine", Level.OK, shown)
    if records.addresses.values:
        return Finding("mx-address", Level.HINT, ", ".join(records.addresses.values))
    return Finding("mx-missing", Level.FAULT if wants_mail else Level.HINT)


def _to_add(records: DomainRecords, keys: Sequence[Key], server: str, wants_mail: bool) -> Iterable[Record]:
    domain = records.domain
    if records.spf.asked:
        values = records.spf.values
        if not values:
            ours = f"a:{server} " if server and _is_name(server) else ""
            yield Record("spf", domain, "TXT", f"v=spf1 mx {ours}~all")
        elif len(values) > 1:
            yield Record("spf", domain, "TXT", _joined_spf(values), replaces=" | ".join(values))
        elif spf(values[0]).rest in ("pass", "neutral"):
            kept = [term for term in values[0].split() if term.lower().lstrip("+-~?") != "all"]
            yield Record("spf", domain, "TXT", " ".join([*kept, "~all"]), replaces=values[0])
    if records.dmarc.asked and not records.dmarc.values:
        yield Record("dmarc", f"_dmarc.{domain}", "TXT", f"v=DMARC1; p=none; rua=mailto:postmaster@{domain}")
    for key in keys:
        if not key.published:
            yield Record("dkim", f"{key.selector}._domainkey.{domain}", "TXT", key.record)
    missing = records.exchangers.asked and not records.exchangers.values and not records.addresses.values
    if missing and wants_mail and server and _is_name(server):
        yield Record("mx", domain, "MX", f"10 {server}.")


def _joined_spf(values: Sequence[str]) -> str:
    """One record that permits what several permit: two are an error, and count as none."""
    terms = [term for value in values for term in value.split()[1:]]
    kept = dict.fromkeys(term for term in terms if term.lower().lstrip("+-~?") != "all")
    return " ".join(["v=spf1", *kept, "~all"])


def _is_name(server: str) -> bool:
    """Whether it is a name that others can look up: no address, and not of this machine alone."""
    return "." in server and ":" not in server and not server.replace(".", "").isdigit()
