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
    Trust,
)
from depesche.smtpclient.errors import Cause, Stage, SubmissionError
from depesche.smtpclient.reply import EnhancedStatus, Persistence, Reply
from depesche.smtpclient.session import Session
from depesche.smtpclient.transaction import (
    Envelope,
    LocalRefusal,
    Outcome,
    RecipientResult,
    Result,
)
from depesche.smtpclient.transcript import Transcript

__all__ = [
    "Cause",
    "ConnectionConfig",
    "Encryption",
    "EnhancedStatus",
    "Envelope",
    "Limits",
    "LocalRefusal",
    "OAuthToken",
    "Outcome",
    "Password",
    "Persistence",
    "RecipientResult",
    "Reply",
    "Result",
    "Session",
    "Stage",
    "SubmissionError",
    "Timeouts",
    "Transcript",
    "Trust",
]
