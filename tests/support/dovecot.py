"""A private Dovecot: IMAP and POP3 on ports of its own, and the login check for Postfix.

Everything lies in one folder below the temporary directory, made so that Dovecot's unprivileged processes may
pass through it (pytest's own folders are closed to them). Needs root, as Dovecot drops its privileges itself.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path

from tests.support.availability import find
from tests.support.certificates import Authority
from tests.support.maildir import Maildir
from tests.support.ports import free_port, listens
from tests.support.processes import Program
from tests.support.waiting import wait_until

MAIL_USER, MAIL_GROUP = "nobody", "nogroup"
USERS = {name: f"{name}-pässword" for name in ("alice", "bob", "carol", "tracker")}
"""Names and passwords; not all ASCII, as real ones are not."""

_CONFIGURATION = """
base_dir = {folder}/run
state_dir = {folder}/state
log_path = {folder}/dovecot.log
auth_verbose = yes
listen = 127.0.0.1
protocols = imap pop3
mail_location = maildir:~/Maildir
mail_fsync = never
first_valid_uid = 1
auth_mechanisms = {mechanisms}
auth_username_format = %Ln
auth_failure_delay = 0 secs
disable_plaintext_auth = no
mail_max_userip_connections = 100
ssl = yes
ssl_cert = <{chain}
ssl_key = <{key}
passdb {{
  driver = passwd-file
  args = scheme=PLAIN username_format=%Ln {folder}/users
}}
userdb {{
  driver = static
  args = uid={user} gid={group} home={folder}/mail/%Ln
}}
service imap-login {{
  inet_listener imap {{
    port = {imap}
  }}
  inet_listener imaps {{
    port = {imaps}
    ssl = yes
  }}
}}
service pop3-login {{
  inet_listener pop3 {{
    port = {pop3}
  }}
  inet_listener pop3s {{
    port = {pop3s}
    ssl = yes
  }}
}}
service auth {{
  unix_listener {folder}/sasl {{
    mode = 0666
  }}
}}
service anvil {{
  unix_listener anvil-auth-penalty {{
    mode = 0
  }}
}}
namespace inbox {{
  inbox = yes
}}
protocol pop3 {{
  pop3_lock_session = yes
}}
"""


_SIEVE = """
protocols = imap pop3 lmtp
submission_host = 127.0.0.1:{submission}
postmaster_address = postmaster@example.org
hostname = mail.example.org
service lmtp {{
  unix_listener {folder}/lmtp {{
    mode = 0666
  }}
}}
protocol lmtp {{
  mail_plugins = sieve
}}
plugin {{
  sieve = file:~/sieve;active=~/sieve/active.sieve
  sieve_vacation_min_period = 0
}}
"""


class Dovecot:
    """One instance. A user logs in as `alice` or `alice@example.org` with the password from `USERS`.

    `port_imap` and `port_pop3` offer STARTTLS and STLS and take a login in clear as well; `port_imaps` and
    `port_pop3s` are encrypted from the start. A second POP3 session of one user is refused ("in use"), as the
    protocol demands. With `sieve` (scripts by user) mails are taken by LMTP at `lmtp_socket`, and what the
    scripts write goes out by the SMTP server at `submission_port`.
    """

    def __init__(
        self,
        authority: Authority,
        *,
        users: Mapping[str, str] | None = None,
        mechanisms: str = "plain login cram-md5 scram-sha-256",
        sieve: Mapping[str, str] | None = None,
        submission_port: int = 0,
    ) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="depesche-dovecot-"))
        self.folder.chmod(0o755)
        self.users = dict(USERS if users is None else users)
        self.port_imap, self.port_imaps = free_port(), free_port()
        self.port_pop3, self.port_pop3s = free_port(), free_port()
        self.mail_folder = self.folder / "mail"
        self.mail_folder.mkdir()
        self.mail_folder.chmod(0o755)
        shutil.chown(self.mail_folder, MAIL_USER, MAIL_GROUP)
        self.sasl_socket = self.folder / "sasl"
        lines = [f"{name}:{password}" for name, password in self.users.items()]
        (self.folder / "users").write_text("\n".join(lines) + "\n", encoding="utf-8")
        (self.folder / "users").chmod(0o644)
        certificate = authority.issue("localhost", "127.0.0.1", file="dovecot")
        (self.folder / "dovecot.conf").write_text(
            _CONFIGURATION.format(
                folder=self.folder,
                mechanisms=mechanisms,
                chain=certificate.chain,
                key=certificate.key,
                user=MAIL_USER,
                group=MAIL_GROUP,
                imap=self.port_imap,
                imaps=self.port_imaps,
                pop3=self.port_pop3,
                pop3s=self.port_pop3s,
            ),
            encoding="utf-8",
        )
        self.lmtp_socket = self.folder / "lmtp"
        if sieve is not None:
            with (self.folder / "dovecot.conf").open("a", encoding="utf-8") as file:
                file.write(_SIEVE.format(folder=self.folder, submission=submission_port))
            self._write_scripts(sieve)
        self._program: Program | None = None

    def _write_scripts(self, scripts: Mapping[str, str]) -> None:
        for user, script in scripts.items():
            home = self.mail_folder / user
            (home / "sieve").mkdir(parents=True)
            (home / "sieve" / "active.sieve").write_text(script, encoding="utf-8")
            for path in (home, home / "sieve", home / "sieve" / "active.sieve"):
                shutil.chown(path, MAIL_USER, MAIL_GROUP)

    def start(self) -> None:
        """Start it and wait until each port answers."""
        command = [find("dovecot") or "dovecot", "-F", "-c", self.folder / "dovecot.conf"]
        program = self._program = Program(command, self.folder / "console.log", umask=0o022)

        def ready() -> bool:
            if not program.running:
                raise AssertionError(f"Dovecot ended:\n{program.output()}\n{self.log()}")
            ports = (self.port_imap, self.port_imaps, self.port_pop3, self.port_pop3s)
            return all(listens(port) for port in ports) and self.sasl_socket.exists()

        wait_until(ready, "Dovecot's ports")

    def stop(self) -> None:
        """End it and wait until it is gone; mails stay."""
        if self._program is not None:
            self._program.terminate()
            self._program = None

    def remove(self) -> None:
        """End it and remove all its files."""
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def log(self) -> str:
        """What it logged."""
        path = self.folder / "dovecot.log"
        return path.read_text(encoding="utf-8", errors="replace") if path.exists() else ""

    def maildir(self, user: str) -> Maildir:
        """The mailbox of a user, as files."""
        return Maildir(self.mail_folder / user / "Maildir")

    def clear(self) -> None:
        """Empty every mailbox."""
        for user in self.users:
            self.maildir(user).clear()
