"""Two network namespaces joined by a link that delays each packet by 20 ms and does nothing else.

    with far_link() as link: link.run_in("near", [...])      link.address: where the far side listens

Two TUN devices, one in each namespace; `python -m bench.far.link` reads packets from one and writes them to
the other when their time has come. The delay is constant, so a queue in order is enough, and nothing holds a
packet up because another one is on its way (netem does the same, but is missing in many kernels). Needs root
and Debian's package iproute2.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import select
import shutil
import struct
import subprocess
import sys
import time
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

DELAY = 0.020
"""Seconds each way."""

_TUNSETIFF = 0x400454CA
_IFF_TUN, _IFF_NO_PI = 0x0001, 0x1000
_MTU = 1500
_QUEUE = 20_000  # packets that wait in the kernel: far more than are ever under way
_NEAR, _FAR = "10.99.77.1", "10.99.77.2"
ROOT = Path(__file__).resolve().parent.parent.parent


@dataclass(frozen=True)
class Link:
    """Both ends: the namespaces' names, and the address of the far one."""

    near: str
    far: str
    address: str = _FAR

    def command(self, side: str, words: Sequence[str]) -> list[str]:
        """The command that runs these words in the namespace `near` or `far`."""
        return ["ip", "netns", "exec", self.near if side == "near" else self.far, *words]


def why_not() -> str:
    """Why such a link cannot be had on this machine; empty when it can."""
    if os.geteuid() != 0:
        return "network namespaces need root"
    if shutil.which("ip") is None:
        return "the command ip is missing (Debian's package iproute2)"
    if not Path("/dev/net/tun").exists():
        return "the kernel has no TUN devices"
    return ""


def _ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True, capture_output=True)


def _set(namespace: str, name: str, value: str) -> None:
    """A setting of one namespace; a kernel without it is left as it is."""
    path = f"/proc/sys/net/{name.replace('.', '/')}"
    command = ["ip", "netns", "exec", namespace, "sh", "-c", f"echo {value} > {path}"]
    subprocess.run(command, capture_output=True, check=False)


@contextlib.contextmanager
def far_link() -> Iterator[Link]:
    """The link, as long as the context lasts. Everything is removed afterwards."""
    mark = f"{os.getpid():x}"
    link = Link(f"dep-near-{mark}", f"dep-far-{mark}")
    devices = (f"dpn{mark}"[:15], f"dpf{mark}"[:15])
    ends: list[int] = []
    process: subprocess.Popen[bytes] | None = None
    try:
        for namespace, device, address in zip((link.near, link.far), devices, (_NEAR, _FAR), strict=True):
            _ip("netns", "add", namespace)
            ends.append(_device(device))
            _ip("link", "set", device, "netns", namespace)
            inside = ("-n", namespace)
            _ip(*inside, "addr", "add", f"{address}/30", "dev", device)
            _ip(*inside, "link", "set", device, "mtu", str(_MTU), "txqueuelen", str(_QUEUE), "up")
            _ip(*inside, "link", "set", "lo", "up")
            # The usual defaults of a Linux server, whatever the machine has chosen for itself.
            _set(namespace, "ipv4.tcp_congestion_control", "cubic")
        words = [sys.executable, "-m", "bench.far.link", *map(str, ends), str(DELAY)]
        process = subprocess.Popen(words, cwd=ROOT, pass_fds=ends)
        yield link
    finally:
        if process is not None:
            process.terminate()
            process.wait()
        for end in ends:
            os.close(end)
        for namespace in (link.near, link.far):
            subprocess.run(["ip", "netns", "del", namespace], capture_output=True, check=False)


def _device(name: str) -> int:
    """A TUN device; it lives as long as the descriptor is open."""
    end = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
    fcntl.ioctl(end, _TUNSETIFF, struct.pack("16sH22x", name.encode(), _IFF_TUN | _IFF_NO_PI))
    return end


def forward(ends: tuple[int, int], delay: float) -> None:
    """Carry packets both ways until the process is ended."""
    queues: dict[int, deque[tuple[float, bytes]]] = {ends[0]: deque(), ends[1]: deque()}
    other = {ends[0]: ends[1], ends[1]: ends[0]}
    clock, read, write = time.monotonic, os.read, os.write
    while True:
        first = min((queue[0][0] for queue in queues.values() if queue), default=None)
        wait = None if first is None else max(0.0, first - clock())
        ready, _, _ = select.select(ends, (), (), wait)
        for end in ready:
            queue = queues[other[end]]
            with contextlib.suppress(BlockingIOError):
                while True:
                    packet = read(end, 65535)
                    queue.append((clock() + delay, packet))
        now = clock()
        for end, queue in queues.items():
            while queue and queue[0][0] <= now:
                write(end, queue.popleft()[1])


def main() -> None:
    near, far, delay = sys.argv[1:]
    with contextlib.suppress(KeyboardInterrupt):
        forward((int(near), int(far)), float(delay))


if __name__ == "__main__":
    main()
