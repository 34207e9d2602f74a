"""Fakes that are shipped: a server that fails at a named stage, and a scripted stream."""

from depesche.smtpclient.testing.server import (
    CUT,
    HANG,
    MECHANISMS,
    NOISE,
    SLOW,
    Act,
    Behaviour,
    Connection,
    FakeServer,
    Fault,
    ReceivedMail,
    in_thread,
)

__all__ = [
    "CUT",
    "HANG",
    "MECHANISMS",
    "NOISE",
    "SLOW",
    "Act",
    "Behaviour",
    "Connection",
    "FakeServer",
    "Fault",
    "ReceivedMail",
    "in_thread",
]
