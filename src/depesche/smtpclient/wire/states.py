"""The transition table of an SMTP session: what each reply to each command makes of it.

Strategy: the state is the one that the *server has confirmed*. With pipelining, many commands are on their
way at once; each reply is taken with the oldest unanswered command, so the table reads as if there were no
pipelining at all. A reply for which the table has no place means that client and server no longer agree which
command is being answered. Such a session is never used again: better a lost connection than a result written
down for the wrong message.

`docs/states/smtp-session.md` is made from this table by `diagram()`.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping


class State(enum.IntEnum):
    """What the server has confirmed so far."""

    CONNECTED = 0  # its greeting is awaited
    GREETED = 1  # EHLO is due: at the beginning, and again after TLS began
    READY = 2
    HANDSHAKE = 3  # STARTTLS was accepted: not one more octet in clear
    AUTHENTICATING = 4
    SENDER = 5  # MAIL accepted, no recipient yet
    RECIPIENTS = 6  # at least one recipient accepted
    CONTENT = 7  # content is awaited
    EMPTY = 8  # content is awaited although no recipient was accepted: it gets a single dot (RFC 2920 §3.1)
    SPOILT = 9  # something was refused; only RSET makes sure that nothing of it joins the next transaction
    CLOSING = 10  # 421, or a greeting that refuses us: nothing more will be answered
    CLOSED = 11


class Command(enum.IntEnum):
    """What a reply answers. GREETING answers the connection itself; CONTENT the dot that ends the content;
    BDAT the last chunk, CHUNK one that is followed by others."""

    GREETING = 0
    EHLO = 1
    HELO = 2
    STARTTLS = 3
    AUTH = 4
    AUTH_STEP = 5
    MAIL = 6
    RCPT = 7
    DATA = 8
    CONTENT = 9
    CHUNK = 10
    BDAT = 11
    RSET = 12
    NOOP = 13
    QUIT = 14


class Kind(enum.IntEnum):
    """The classes of replies that make a difference."""

    DONE = 0  # 2xx
    MORE = 1  # 3xx
    LATER = 2  # 4xx
    NEVER = 3  # 5xx
    CLOSE = 4  # 421


def kind_of(code: int) -> Kind:
    return Kind.CLOSE if code == 421 else _KINDS[code // 100]


_KINDS = {2: Kind.DONE, 3: Kind.MORE, 4: Kind.LATER, 5: Kind.NEVER}
KIND_OF = {code: kind_of(code) for code in range(200, 600)}  # the same, looked up

_Row = Mapping[Kind, State]


def _row(done: State | None = None, more: State | None = None, refused: State | None = None) -> _Row:
    row = {Kind.DONE: done, Kind.MORE: more, Kind.LATER: refused, Kind.NEVER: refused}
    return {kind: state for kind, state in row.items() if state is not None}


# (state, command) -> kind of reply -> state. 421 leads to CLOSING from everywhere and is not repeated here;
# a lost connection leads to CLOSED, an accepted QUIT too.
TRANSITIONS: Mapping[tuple[State, Command], _Row] = {
    (State.CONNECTED, Command.GREETING): _row(done=State.GREETED, refused=State.CLOSING),
    (State.GREETED, Command.EHLO): _row(done=State.READY, refused=State.GREETED),
    (State.GREETED, Command.HELO): _row(done=State.READY, refused=State.GREETED),
    (State.READY, Command.STARTTLS): _row(done=State.HANDSHAKE, refused=State.READY),
    (State.READY, Command.AUTH): _row(done=State.READY, more=State.AUTHENTICATING, refused=State.READY),
    (State.AUTHENTICATING, Command.AUTH_STEP): _row(
        done=State.READY, more=State.AUTHENTICATING, refused=State.READY
    ),
    (State.READY, Command.NOOP): _row(done=State.READY, refused=State.READY),
    (State.READY, Command.RSET): _row(done=State.READY),
    # A transaction as it should go.
    (State.READY, Command.MAIL): _row(done=State.SENDER, refused=State.SPOILT),
    (State.SENDER, Command.RCPT): _row(done=State.RECIPIENTS, refused=State.SENDER),
    (State.RECIPIENTS, Command.RCPT): _row(done=State.RECIPIENTS, refused=State.RECIPIENTS),
    (State.RECIPIENTS, Command.DATA): _row(more=State.CONTENT, refused=State.SPOILT),
    (State.CONTENT, Command.CONTENT): _row(done=State.READY, refused=State.READY),
    (State.RECIPIENTS, Command.CHUNK): _row(done=State.RECIPIENTS, refused=State.SPOILT),
    (State.RECIPIENTS, Command.BDAT): _row(done=State.READY, refused=State.SPOILT),
    # What was pipelined behind a refusal. A server that answers DATA with 354 after it refused MAIL has lost
    # its way, and there is nothing that we could safely put there: that place stays empty.
    (State.SENDER, Command.DATA): _row(more=State.EMPTY, refused=State.SPOILT),
    (State.EMPTY, Command.CONTENT): _row(done=State.READY, refused=State.READY),
    (State.SENDER, Command.CHUNK): _row(done=State.SENDER, refused=State.SPOILT),
    (State.SENDER, Command.BDAT): _row(done=State.READY, refused=State.SPOILT),
    (State.SPOILT, Command.RCPT): _row(done=State.SPOILT, refused=State.SPOILT),
    (State.SPOILT, Command.DATA): _row(refused=State.SPOILT),
    (State.SPOILT, Command.CHUNK): _row(refused=State.SPOILT),
    (State.SPOILT, Command.BDAT): _row(refused=State.SPOILT),
    # Out of a transaction that was not completed.
    (State.SENDER, Command.RSET): _row(done=State.READY),
    (State.RECIPIENTS, Command.RSET): _row(done=State.READY),
    (State.SPOILT, Command.RSET): _row(done=State.READY),
    # The end.
    (State.GREETED, Command.QUIT): _row(done=State.CLOSED, refused=State.CLOSED),
    (State.READY, Command.QUIT): _row(done=State.CLOSED, refused=State.CLOSED),
    (State.SENDER, Command.QUIT): _row(done=State.CLOSED, refused=State.CLOSED),
    (State.RECIPIENTS, Command.QUIT): _row(done=State.CLOSED, refused=State.CLOSED),
    (State.SPOILT, Command.QUIT): _row(done=State.CLOSED, refused=State.CLOSED),
    (State.CLOSING, Command.QUIT): _row(done=State.CLOSED, refused=State.CLOSED),
}


def _compiled() -> tuple[tuple[tuple[State | None, ...], ...], ...]:
    """The same table as nested tuples: looked up four times for each message."""

    def cell(state: State, command: Command, kind: Kind) -> State | None:
        if kind is Kind.CLOSE:
            return State.CLOSED if command is Command.QUIT else State.CLOSING
        return TRANSITIONS.get((state, command), {}).get(kind)

    return tuple(
        tuple(tuple(cell(state, command, kind) for kind in Kind) for command in Command) for state in State
    )


NEXT = _compiled()


def diagram() -> str:
    """The page `docs/states/smtp-session.md`."""
    edges: dict[tuple[State, State], list[str]] = {}
    words = {Kind.DONE: "2xx", Kind.MORE: "3xx", Kind.LATER: "4xx", Kind.NEVER: "5xx"}
    rows = []
    for (state, command), row in TRANSITIONS.items():
        for kind, after in row.items():
            edges.setdefault((state, after), []).append(f"{command.name} {words[kind]}")
        cells = [row[kind].name if kind in row else "—" for kind in words]
        rows.append(f"| {state.name} | {command.name} | {' | '.join(cells)} |")
    lines = [
        "# The states of an SMTP session",
        "",
        "Generated from `depesche.smtpclient.wire.states.TRANSITIONS`; a test compares. Do not edit by hand.",
        "",
        "The state is what the server has confirmed: each reply is taken with the oldest unanswered command.",
        "A reply without a place in the table ends the session. 421 leads to CLOSING from everywhere,",
        "a lost connection to CLOSED.",
        "",
        "```mermaid",
        "stateDiagram-v2",
        "    [*] --> CONNECTED",
    ]
    for (state, after), labels in edges.items():
        lines.append(f"    {state.name} --> {after.name}: {_summary(labels)}")
    lines += [
        "    HANDSHAKE --> GREETED: TLS established",
        "    CLOSED --> [*]",
        "```",
        "",
        "| state | command | 2xx | 3xx | 4xx | 5xx |",
        "|---|---|---|---|---|---|",
        *rows,
        "",
    ]
    return "\n".join(lines)


def _summary(labels: list[str]) -> str:
    commands: dict[str, list[str]] = {}
    for label in labels:
        command, _, kind = label.partition(" ")
        commands.setdefault(command, []).append(kind)
    return ", ".join(f"{command} {'/'.join(kinds)}" for command, kinds in commands.items())
