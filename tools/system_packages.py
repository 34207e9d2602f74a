"""The programs that the tests talk to, from Debian's packages: Postfix, Dovecot, mail programs, Chromium.

As root on a machine with apt they are installed, without removing anything and without starting anything:
the tests run private instances on ports of their own. Elsewhere nothing happens here, and the tests that
need such a server are skipped by name.
"""

from __future__ import annotations

import contextlib
import ctypes.util
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

POLICY = Path("/usr/sbin/policy-rc.d")
DAEMONS = os.pathsep.join(["/usr/sbin", "/usr/bin", os.environ.get("PATH", "")])
PATIENCE = 1200  # seconds: Chromium is 100 MB


@dataclass(frozen=True)
class Server:
    """One of them: what shows that it is there, the packages that bring it, the services they start."""

    name: str
    files: tuple[str, ...]
    packages: tuple[str, ...]
    services: tuple[str, ...] = ()
    libraries: tuple[str, ...] = ()

    @property
    def here(self) -> bool:
        files = all(shutil.which(file, path=DAEMONS) or Path(file).exists() for file in self.files)
        return files and all(ctypes.util.find_library(name) for name in self.libraries)


SERVERS = (
    Server("Postfix", ("postfix", "smtp-sink", "smtp-source"), ("postfix",), ("postfix",)),
    Server(
        "Dovecot",
        ("dovecot", "/usr/lib/dovecot/imap-login", "/usr/lib/dovecot/pop3-login"),
        ("dovecot-imapd", "dovecot-pop3d"),
        ("dovecot",),
    ),
    Server(
        "Dovecot's LMTP and Sieve",
        ("/usr/lib/dovecot/lmtp", "/usr/lib/dovecot/modules/lib90_sieve_plugin.so"),
        ("dovecot-lmtpd", "dovecot-sieve"),
    ),
    Server("Mutt", ("mutt",), ("mutt",)),
    Server("S-nail", ("s-nail",), ("s-nail",)),
    Server("nmh", ("/usr/bin/mh/repl", "/usr/bin/mh/send"), ("nmh",)),
    # libatomic is for Playwright's driver, which brings all else itself.
    Server("Chromium", ("chromium",), ("chromium", "libatomic1"), libraries=("atomic",)),
)


@contextlib.contextmanager
def nothing_starts() -> Iterator[None]:
    """Debian's way to install a service without starting it; an administrator's own policy is left alone."""
    if POLICY.exists():
        yield
        return
    POLICY.write_text("#!/bin/sh\nexit 101\n", encoding="ascii")
    POLICY.chmod(0o755)
    try:
        yield
    finally:
        POLICY.unlink(missing_ok=True)


def apt(*words: str) -> bool:
    """Whether apt-get did it; its words are shown only when it did not."""
    environment = dict(os.environ, DEBIAN_FRONTEND="noninteractive", LC_ALL="C.UTF-8")
    options = ("-y", "-o", "DPkg::Lock::Timeout=300", "-o", "Dpkg::Use-Pty=0")
    try:
        done = subprocess.run(
            ["apt-get", *options, *words],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env=environment,
            timeout=PATIENCE,
            check=False,
        )
    except subprocess.TimeoutExpired:
        print(f"apt-get {' '.join(words)}: not done after {PATIENCE} s", file=sys.stderr)
        return False
    if done.returncode:
        sys.stderr.write("\n".join(done.stdout.decode(errors="replace").splitlines()[-15:]) + "\n")
    return done.returncode == 0


def install(servers: list[Server]) -> None:
    """Install what brings these; an older package list is renewed first when it turns out to be too old."""
    packages = [package for server in servers for package in server.packages]
    command = ("install", "--no-remove", "--no-install-recommends")
    local_only = "postfix postfix/main_mailer_type select Local only\n"
    if any(server.name == "Postfix" for server in servers) and shutil.which("debconf-set-selections"):
        subprocess.run(["debconf-set-selections"], input=local_only.encode(), check=False)
    known = any(Path("/var/lib/apt/lists").glob("*_Packages*"))
    with nothing_starts():
        if known and apt(*command, *packages):
            return
        apt("update")
        if apt(*command, *packages):
            return
        for server in servers:  # one that cannot be installed does not keep the others away
            if not server.here:
                apt(*command, *server.packages)


def disable(servers: list[Server]) -> None:
    """What was installed for the tests does not start with the machine either."""
    for service in (name for server in servers for name in server.services):
        if Path("/run/systemd/system").exists() and shutil.which("systemctl"):
            command = ["systemctl", "disable", "--now", service]
        elif shutil.which("update-rc.d") and Path(f"/etc/init.d/{service}").exists():
            command = ["update-rc.d", service, "disable"]
        else:
            continue
        subprocess.run(command, capture_output=True, timeout=120, check=False)


def ensure(names: tuple[str, ...] = ()) -> None:
    """Have the named servers (all) where that is possible; say in a line what happens."""
    wanted = [server for server in SERVERS if not names or server.name in names]
    absent = [server for server in wanted if not server.here]
    if not absent:
        return
    listed = ", ".join(server.name for server in absent)
    if os.geteuid() != 0 or shutil.which("apt-get") is None:
        print(f"Depesche: not installed here: {listed} (that needs root and apt)", flush=True)
        return
    print(f"Depesche: installing {listed} for the tests; their system services stay off", flush=True)
    install(absent)
    disable([server for server in absent if server.here])


if __name__ == "__main__":
    ensure(tuple(sys.argv[1:]))
