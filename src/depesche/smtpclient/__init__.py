"""How a message is submitted: a fast and strictly correct SMTP client for asyncio (RFC 6409).

Usable alone::

    async with Pool(config) as pool:
        result = await pool.submit(envelope, content)
"""

from depesche.smtpclient.config import (
    ConnectionConfig,
    Encryption,
    Limits,
    OAuthToken,
    Password,
    Timeouts,
    TokenSource,
    TokenUnavailable,
    Trust,
)
from depesche.smtpclient.errors import Cause, Stage, SubmissionError
from depesche.smtpclient.pool import Pool, PoolStats
from depesche.smtpclient.reply import EnhancedStatus, Persistence, Reply
from depesche.smtpclient.session import Session
from depesche.smtpclient.slots import LocalSlots, Slot, SlotProvider
from depesche.smtpclient.transaction import (
    Envelope,
    LocalRefusal,
    Outcome,
    RecipientResult,
    Result,
)
from depesche.smtpclient.transcript import Transcript
from depesche.smtpclient.wire.content import SharedContent

__all__ = [
    "Cause",
    "ConnectionConfig",
    "Encryption",
    "EnhancedStatus",
    "Envelope",
    "Limits",
    "LocalRefusal",
    "LocalSlots",
    "OAuthToken",
    "Outcome",
    "Password",
    "Persistence",
    "Pool",
    "PoolStats",
    "RecipientResult",
    "Reply",
    "Result",
    "Session",
    "SharedContent",
    "Slot",
    "SlotProvider",
    "Stage",
    "SubmissionError",
    "Timeouts",
    "TokenSource",
    "TokenUnavailable",
    "Transcript",
    "Trust",
]
