"""Reaching a server: every address is tried, every failure is told."""

from __future__ import annotations

import asyncio
import errno
import os
import socket

import pytest

from depesche.smtpclient import Cause, Stage, SubmissionError, network
from tests.smtpclient.connecting import listening


def address(host: str, port: int, family: socket.AddressFamily = socket.AF_INET) -> network.Address:
    return (family, socket.SOCK_STREAM, socket.IPPROTO_TCP, "", (host, port))


async def greet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.read()


def closed_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return int(taken.getsockname()[1])


async def test_the_next_address_is_tried() -> None:
    async with listening(greet) as port:
        addresses = [address("127.0.0.1", closed_port()), address("127.0.0.1", port)]
        connected = await network.connect(addresses, seconds=20)
        assert connected.getpeername()[1] == port
        assert not connected.getblocking()
        connected.close()


async def test_an_address_that_never_answers_does_not_hold_up_the_next(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    silent = address("127.0.0.1", 1)
    loop = asyncio.get_running_loop()
    usual = loop.sock_connect

    async def connect(made: socket.socket, target: object) -> None:
        if target == silent[4]:
            await asyncio.Event().wait()
        await usual(made, target)  # type: ignore[arg-type]  # passed on as it came

    monkeypatch.setattr(loop, "sock_connect", connect)
    async with listening(greet) as port:
        connected = await network.connect([silent, address("127.0.0.1", port)], seconds=20)
        assert connected.getpeername()[1] == port
        connected.close()
    with pytest.raises(SubmissionError) as caught:
        await network.connect([silent, silent], seconds=0.4)
    assert (caught.value.stage, caught.value.cause) == (Stage.CONNECT, Cause.TIMEOUT)
    assert caught.value.detail.count("no answer in time") == 2


@pytest.mark.parametrize(
    ("numbers", "cause"),
    [
        ((errno.ECONNREFUSED,), Cause.REFUSED),
        ((errno.ENETUNREACH, errno.ECONNREFUSED), Cause.REFUSED),
        ((errno.ENETUNREACH, errno.EHOSTUNREACH), Cause.NO_ROUTE),
        ((errno.ETIMEDOUT, errno.ENETUNREACH), Cause.TIMEOUT),
        ((errno.ENOBUFS,), Cause.NETWORK),
    ],
)
async def test_the_most_telling_failure_is_the_cause(
    monkeypatch: pytest.MonkeyPatch, numbers: tuple[int, ...], cause: Cause
) -> None:
    left = list(numbers)

    async def connect(made: socket.socket, target: object) -> None:
        raise OSError(left.pop(0), "no")

    monkeypatch.setattr(asyncio.get_running_loop(), "sock_connect", connect)
    hosts = [address("127.0.0.1", 1), address("::1", 2, socket.AF_INET6)][: len(numbers)]
    with pytest.raises(SubmissionError) as caught:
        await network.connect(hosts, seconds=20)
    assert caught.value.cause is cause
    assert caught.value.transient
    assert f"127.0.0.1:1: {os.strerror(numbers[0])}" in caught.value.detail
    if len(numbers) > 1:
        assert f"[::1]:2: {os.strerror(numbers[1])}" in caught.value.detail


@pytest.mark.parametrize(
    ("number", "cause"),
    [(socket.EAI_NONAME, Cause.NAME_NOT_FOUND), (socket.EAI_AGAIN, Cause.NAME_LOOKUP_FAILED)],
)
async def test_names(monkeypatch: pytest.MonkeyPatch, number: int, cause: Cause) -> None:
    def look_up(host: str, port: int, **more: object) -> None:
        raise socket.gaierror(number, "no")

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    with pytest.raises(SubmissionError) as caught:
        await network.resolve("nowhere.example.org", 25, seconds=20)
    assert (caught.value.stage, caught.value.cause) == (Stage.RESOLVE, cause)
    assert caught.value.detail == "nowhere.example.org"


async def test_a_name_service_that_hangs(monkeypatch: pytest.MonkeyPatch) -> None:
    async def hang(host: str, port: int) -> None:
        await asyncio.Event().wait()

    monkeypatch.setattr(network, "_look_up", hang)
    with pytest.raises(SubmissionError) as caught:
        await network.resolve("slow.example.org", 25, seconds=0.05)
    assert caught.value.cause is Cause.NAME_LOOKUP_FAILED


async def test_addresses_and_localhost() -> None:
    for host in ("127.0.0.1", "localhost"):
        found = await network.resolve(host, 25, seconds=20)
        assert all(entry[4][1] == 25 for entry in found)
    assert (await network.resolve("::1", 25, seconds=20))[0][0] is socket.AF_INET6


async def test_a_cancelled_attempt_leaves_no_socket_open(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[socket.socket] = []

    async def connect(one: socket.socket, target: object) -> None:
        made.append(one)
        await asyncio.Event().wait()

    monkeypatch.setattr(asyncio.get_running_loop(), "sock_connect", connect)
    task = asyncio.ensure_future(network.connect([address("127.0.0.1", 1)], seconds=20))
    while not made:
        await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert [one.fileno() for one in made] == [-1]
