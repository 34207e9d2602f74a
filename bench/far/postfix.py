"""A real Postfix in the far namespace: it queues each mail and throws it away, with its own defaults."""

from __future__ import annotations

import contextlib
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

from bench.far.link import Link
from tests.support.availability import find
from tests.support.processes import Program

PORT = 2529

_MAIN = """
compatibility_level = 3.6
queue_directory = {folder}/queue
data_directory = {folder}/data
maillog_file = {folder}/mail.log
maillog_file_prefixes = {folder}
meta_directory = /etc/postfix
inet_interfaces = all
inet_protocols = ipv4
myhostname = mail.example.org
mydestination =
mynetworks = 10.99.77.0/24
alias_maps =
alias_database =
biff = no
default_transport = discard
relay_transport = discard
smtpd_client_connection_count_limit = 0
smtpd_peername_lookup = no
smtpd_delay_reject = yes
"""

_SERVICES = """
{port}    inet  n       -       n       -       -       smtpd
pickup    unix  n       -       n       60      1       pickup
cleanup   unix  n       -       n       -       0       cleanup
qmgr      unix  n       -       n       300     1       qmgr
tlsmgr    unix  -       -       n       1000?   1       tlsmgr
rewrite   unix  -       -       n       -       -       trivial-rewrite
bounce    unix  -       -       n       -       0       bounce
defer     unix  -       -       n       -       0       bounce
trace     unix  -       -       n       -       0       bounce
verify    unix  -       -       n       -       1       verify
flush     unix  n       -       n       1000?   0       flush
proxymap  unix  -       -       n       -       -       proxymap
showq     unix  n       -       n       -       -       showq
error     unix  -       -       n       -       -       error
retry     unix  -       -       n       -       -       error
discard   unix  -       -       n       -       -       discard
anvil     unix  -       -       n       -       1       anvil
postlog   unix-dgram n  -       n       -       1       postlogd
"""


def version() -> str:
    """Which Postfix this is."""
    command = [find("postconf") or "postconf", "-d", "-h", "mail_version"]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


@contextlib.contextmanager
def postfix(link: Link) -> Iterator[None]:
    """It listens on `PORT` of the far side, as long as the context lasts."""
    folder = Path(tempfile.mkdtemp(prefix="depesche-bench-postfix-"))
    folder.chmod(0o755)
    configuration = folder / "etc"
    for name in ("etc", "queue", "data"):
        (folder / name).mkdir()
        (folder / name).chmod(0o755)
    shutil.chown(folder / "data", "postfix", "postfix")
    (configuration / "main.cf").write_text(_MAIN.format(folder=folder), encoding="utf-8")
    (configuration / "master.cf").write_text(_SERVICES.format(port=PORT), encoding="utf-8")
    command = [find("postfix") or "postfix", "-c", str(configuration), "check"]
    subprocess.run(command, check=True, capture_output=True, umask=0o022)
    command = [find("postconf") or "postconf", "-c", str(configuration), "-h", "daemon_directory"]
    daemons = subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()
    words = link.command("far", [f"{daemons}/master", "-c", str(configuration), "-d"])
    program = Program(words, folder / "console.log", umask=0o022)
    try:
        yield
    finally:
        program.terminate()
        program.kill()
        shutil.rmtree(folder, ignore_errors=True)
