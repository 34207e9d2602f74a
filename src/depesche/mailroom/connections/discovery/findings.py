"""What a discovery found, for page and command: rows with words, and the settings that it comes to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from django.utils.translation import gettext as _

from depesche.mailroom.connections.diagnosis.causes import explain
from depesche.mailroom.connections.discovery.candidates import Candidate, Source
from depesche.mailroom.connections.discovery.presets import HINTS, Preset, preset
from depesche.mailroom.connections.discovery.search import Discovery, Row
from depesche.smtpclient.errors import Cause

_BEARER = frozenset({"XOAUTH2", "OAUTHBEARER"})


@dataclass(frozen=True)
class Server:
    """A candidate as it is shown: `state` is ok, failed, run or skipped; `why` says why it does not do."""

    protocol: str
    host: str
    port: int
    encryption: str
    username: str
    source: str
    detail: str
    state: str
    why: str = ""
    methods: tuple[str, ...] = ()
    preset: str = ""

    @property
    def origin(self) -> str:
        """Where it comes from, in words."""
        return origin(self.source, self.detail)

    @property
    def auth(self) -> str:
        """The authentication that goes with it."""
        known = preset(self.preset)
        if known is not None and known.auth == "oauth2" and _BEARER & set(self.methods):
            return "oauth2"
        return "password"

    def settings(self) -> dict[str, str]:
        """As the keys of `connection set` or `mailbox set`."""
        made = {"host": self.host, "port": str(self.port), "encryption": self.encryption}
        if self.protocol == "smtp":
            made["auth"] = self.auth
            known = preset(self.preset)
            if known is not None and known.provider:
                made["provider"] = known.provider
        else:
            made["protocol"] = self.protocol
            made["auth"] = self.auth
        if self.username and self.username.split() == [self.username]:
            made["username"] = self.username
        return made

    @property
    def assignments(self) -> str:
        """`host=… port=…`"""
        return " ".join(f"{key}={value}" for key, value in self.settings().items())


@dataclass(frozen=True)
class Found:
    """`smtp` and `mailbox` are the first that work; `no_names` says why the name service could not be
    asked."""

    address: str
    servers: tuple[Server, ...] = ()
    smtp: Server | None = None
    mailbox: Server | None = None
    no_names: str = ""
    seconds: float = 0.0

    @property
    def hints(self) -> list[str]:
        """What one has to know of the provider."""
        known = preset(self.smtp.preset) if self.smtp is not None else None
        return hints_of(known)

    @property
    def tried(self) -> int:
        return sum(one.state in ("ok", "failed") for one in self.servers)

    def stored(self) -> dict[str, Any]:
        """For the database, and for `--json`."""
        return {
            "servers": [asdict(one) for one in self.servers],
            "smtp": asdict(self.smtp) if self.smtp is not None else None,
            "mailbox": asdict(self.mailbox) if self.mailbox is not None else None,
            "no_names": self.no_names,
            "seconds": self.seconds,
        }

    @classmethod
    def restored(cls, address: str, state: Mapping[str, Any]) -> Found:
        """What `stored` made."""
        return cls(
            address=address,
            servers=tuple(_server(one) for one in state.get("servers", ())),
            smtp=_server(state["smtp"]) if state.get("smtp") else None,
            mailbox=_server(state["mailbox"]) if state.get("mailbox") else None,
            no_names=str(state.get("no_names", "")),
            seconds=float(state.get("seconds", 0.0)),
        )


def found_of(state: Discovery) -> Found:
    """In the language in force."""
    smtp, mailbox = state.best("smtp"), state.mailbox
    return Found(
        address=state.address,
        servers=tuple(_shown(row, done=state.done) for row in state.rows),
        smtp=_shown(smtp, done=True) if smtp is not None else None,
        mailbox=_shown(mailbox, done=True) if mailbox is not None else None,
        no_names=state.no_names,
        seconds=state.seconds,
    )


def hints_of(known: Preset | None) -> list[str]:
    """The hints of a preset, in the language in force."""
    return [str(HINTS[hint]) for hint in known.hints] if known is not None else []


def origin(source: str, detail: str) -> str:
    """Where a candidate comes from, in words."""
    texts = {
        Source.PROVIDER: _("%(detail)s, whose address it is"),
        Source.SRV: _("SRV record %(detail)s"),
        Source.AUTOCONFIG: _("Published at %(detail)s"),
        Source.EXCHANGER: _("%(detail)s, which takes the domain’s mail (MX)"),
        Source.GUESS: _("A usual name, guessed"),
    }
    return texts[Source(source)] % {"detail": detail}


def _shown(row: Row, *, done: bool) -> Server:
    one, finding = row.candidate, row.finding
    methods: tuple[str, ...] = ()
    if finding is None:
        state, why = ("skipped" if done else "run"), ""
    elif finding.works:
        state, why, methods = "ok", "", finding.methods
    else:
        state, why = "failed", _why(one, finding.cause, finding.detail)
    return Server(
        protocol=one.protocol,
        host=one.host,
        port=one.port,
        encryption=one.encryption,
        username=one.username,
        source=one.source.value,
        detail=one.detail,
        state=state,
        why=why,
        methods=methods,
        preset=one.preset,
    )


def _why(one: Candidate, cause: Cause | None, detail: str) -> str:
    facts = {"host": one.host, "port": one.port, "encryption": one.encryption}
    return explain(cause.value if cause is not None else "unknown", facts, detail=detail, names="").title


def _server(values: Mapping[str, Any]) -> Server:
    return Server(**{**values, "methods": tuple(values["methods"])})
