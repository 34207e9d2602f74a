"""What the desk (database) and the delivery (event loop) hand each other: frozen values, no behaviour."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Protocol, Self

from depesche.mailroom.connections.queries import OutgoingSettings
from depesche.mailroom.connections.sender_policy import Refused
from depesche.mailroom.connections.senders import SenderFacts
from depesche.mailroom.connections.signing.signer import Signer
from depesche.mailroom.outbox.queue import Claimed
from depesche.mailroom.outbox.slots import Grant
from depesche.smtpclient.config import ConnectionConfig
from depesche.smtpclient.wire.content import SharedContent


@dataclass(frozen=True, slots=True)
class Parcel:
    """A claimed recipient with its content, ready for the loop.

    `refused`: what the server had against its From, where it goes again under the system address.
    """

    claimed: Claimed
    content: SharedContent
    refused: Refused | None = None


@dataclass(frozen=True)
class Orders:
    """How things stand, for the loop. `config` None: nothing can be submitted. `probing`: one at a time.

    `numbers` are the slots that are ours until `deadline` (monotonic seconds); `share` how many to use.
    """

    settings: OutgoingSettings = field(default_factory=OutgoingSettings)
    config: ConnectionConfig | None = None
    signer: Signer | None = None  # None: mails go out unsigned, at no cost
    probing: bool = False
    paused: bool = False
    numbers: frozenset[int] = frozenset()
    beat: int = 0  # the last question for slots that these answer
    share: int = 0
    cap: int = 0  # how many connections all workers together may have now
    spare: int = 0  # slots that nobody needs: idle sessions may stay on that many more
    deadline: float = 0.0
    knock: int = 0  # grows: see whether a session can be opened, without any mail
    relieved: bool = False  # the failover could take what this connection cannot
    part: float = 1.0  # of a limit that all workers share, so much is ours
    faults: int = 0  # how many faults of the loop the desk has dealt with
    chunking_rests: bool = False  # it is known, and written down, that the server fails it
    senders: SenderFacts = field(default_factory=SenderFacts)
    accepted_at: datetime | None = None  # the last acceptance by any worker under the present settings

    @property
    def usable(self) -> frozenset[int]:
        """The slots on which work may go on. The cap may have gone down, or the others need all there is:
        then a row is ours until its connection has ended, and it ends after what it has under way.
        """
        if self.share + self.spare < 1:
            return frozenset()
        return frozenset(number for number in self.numbers if number < self.cap)

    def granted(self, grant: Grant, beat: int, deadline: float) -> Self:
        """The same with what this beat brought."""
        return replace(
            self,
            numbers=grant.numbers,
            beat=beat,
            share=grant.share,
            spare=grant.spare,
            part=grant.part,
            deadline=deadline,
        )


class Loop(Protocol):
    """What the desk calls; each call comes from its thread and returns at once.

    `hold_still`: slots are about to be asked for. The number of this beat, and the slots that a connection
    stands on; until orders with that number come, no connection begins on another.
    """

    def take(self, parcels: Sequence[Parcel]) -> None: ...
    def order(self, orders: Orders) -> None: ...
    def recorded(self) -> None: ...
    def hold_still(self) -> tuple[int, frozenset[int]]: ...


@dataclass(frozen=True)
class Fault:
    """The connection must rest: why, and which recipients recorded as failed are to go again. `revision`: of
    the settings with which it failed."""

    cause: str
    stage: str = ""
    reply: str = ""
    revive: tuple[int, ...] = ()
    revision: int | None = None


@dataclass(frozen=True)
class Rewritten:
    """The server refused the From of this mail, and it went again under the system address. `certain`: it was
    accepted so, and the rule holds for the whole domain. `fresh` False: an earlier attempt has it on record.
    """

    recipient_id: int
    attempt: int
    refused: Refused
    certain: bool
    fresh: bool = True
