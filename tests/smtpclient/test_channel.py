"""The bridge to the transport: what is asked of the operating system."""

from __future__ import annotations

import asyncio
import socket
import sys
from typing import Any

import pytest

from depesche.smtpclient import Timeouts
from depesche.smtpclient.channel import Channel
from depesche.smtpclient.wire.protocol import Dialogue
from depesche.smtpclient.wire.states import Command


class _Socket:
    def __init__(self) -> None:
        self.options: list[tuple[int, int, int]] = []

    def setsockopt(self, level: int, option: int, value: int) -> None:
        self.options.append((level, option, value))


class _Transport(asyncio.Transport):
    def __init__(self) -> None:
        super().__init__()
        self.socket = _Socket()
        self.written: list[bytes] = []

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        return self.socket if name == "socket" else default

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        pass

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.written.append(bytes(data))

    def abort(self) -> None:
        pass


@pytest.mark.skipif(sys.platform != "linux", reason="TCP_QUICKACK is Linux's")
async def test_replies_that_nothing_answers_are_acknowledged_at_once() -> None:
    """A server with Nagle's algorithm on keeps its next reply back until then: 40 ms a message were lost."""
    dialogue = Dialogue(lambda: None, to_seven_bit=lambda content: content)
    channel = Channel(dialogue, Timeouts(), decided=lambda _: None, ended=lambda _: None)
    transport = _Transport()
    greeting = channel.expect()
    channel.connection_made(transport)
    channel.data_received(b"220-one moment\r\n")
    assert transport.socket.options == [(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 1)]
    channel.data_received(b"220 hello\r\n")
    assert (await greeting).code == 220
    assert len(transport.socket.options) == 1, "nothing more is expected: nothing is held up"
    answer = asyncio.ensure_future(channel.exchange(Command.EHLO, b"EHLO me.example.org\r\n"))
    await asyncio.sleep(0)
    channel.data_received(b"250 2.0.0 ok\r\n")
    assert (await answer).code == 250
    assert transport.written == [b"EHLO me.example.org\r\n"]
    assert len(transport.socket.options) == 1
