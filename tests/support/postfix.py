"""A private Postfix: one instance with a port for each way of submitting, delivering into maildirs.

It serves the domain example.org with the users of its Dovecot (`alice@example.org`, plus-addresses too) and
refuses unknown ones. `elsewhere@example.net` stands for the rest of the world: it is relayed only after a
login. Nothing ever leaves the machine: every other domain has a transport that answers with an error. Needs
root.
"""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from tests.support.availability import find
from tests.support.certificates import Authority
from tests.support.dovecot import MAIL_GROUP, MAIL_USER, Dovecot
from tests.support.maildir import Maildir
from tests.support.ports import free_port, greets, listens
from tests.support.processes import Program, state_of_group
from tests.support.waiting import wait_until

PATIENCE = 90.0  # seconds for the start

DOMAIN, OTHER_DOMAIN = "example.org", "example.net"

_MAIN = """
compatibility_level = 3.6
queue_directory = {folder}/queue
data_directory = {folder}/data
maillog_file = {folder}/mail.log
maillog_file_prefixes = {folder}
meta_directory = /etc/postfix
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
myhostname = mail.example.org
mydestination =
mynetworks = 192.0.2.1/32
local_recipient_maps =
alias_maps =
alias_database =
biff = no
recipient_delimiter = +
virtual_mailbox_domains = {domain}
virtual_mailbox_base = {mail}
virtual_mailbox_maps = texthash:{folder}/mailboxes
virtual_uid_maps = static:{uid}
virtual_gid_maps = static:{gid}
transport_maps = texthash:{folder}/transports
default_transport = error:5.4.4 nothing leaves this machine
relay_transport = error:5.4.4 nothing leaves this machine
relayhost =
smtputf8_enable = yes
strict_smtputf8 = no
in_flow_delay = 0
message_size_limit = {size_limit}
mailbox_size_limit = 0
virtual_mailbox_limit = 0
smtpd_client_connection_count_limit = 0
smtpd_peername_lookup = no
smtpd_error_sleep_time = 0
smtpd_soft_error_limit = 1000
smtpd_hard_error_limit = 1000
smtpd_relay_restrictions = permit_sasl_authenticated, reject_unauth_destination
smtpd_tls_chain_files = {key}, {chain}
smtpd_tls_security_level = none
smtpd_sasl_type = dovecot
smtpd_sasl_path = {sasl}
smtpd_sasl_auth_enable = no
smtpd_sasl_security_options = noanonymous
smtpd_sender_login_maps = texthash:{folder}/senders
authorized_submit_users = root
"""

_SERVICES = """
pickup    unix  n       -       n       60      1       pickup
cleanup   unix  n       -       n       -       0       cleanup
qmgr      unix  n       -       n       300     1       qmgr
tlsmgr    unix  -       -       n       1000?   1       tlsmgr
rewrite   unix  -       -       n       -       -       trivial-rewrite
bounce    unix  -       -       n       -       0       bounce
defer     unix  -       -       n       -       0       bounce
trace     unix  -       -       n       -       0       bounce
verify    unix  -       -       n       -       1       verify
lmtp      unix  -       -       n       -       -       lmtp
flush     unix  n       -       n       1000?   0       flush
proxymap  unix  -       -       n       -       -       proxymap
proxywrite unix -       -       n       -       1       proxymap
showq     unix  n       -       n       -       -       showq
error     unix  -       -       n       -       -       error
retry     unix  -       -       n       -       -       error
discard   unix  -       -       n       -       -       discard
virtual   unix  -       n       n       -       -       virtual
anvil     unix  -       -       n       -       1       anvil
postlog   unix-dgram n  -       n       -       1       postlogd
"""

_LOGIN = (
    "smtpd_sasl_auth_enable=yes",
    "smtpd_client_restrictions=permit_sasl_authenticated,reject",
)


class Postfix:
    """One instance.

    | port              | encryption            | login                                               |
    |-------------------|-----------------------|-----------------------------------------------------|
    | port_plain        | none                  | none                                                |
    | port_starttls     | STARTTLS required     | none                                                |
    | port_tls          | from the start        | none                                                |
    | port_login        | STARTTLS required     | required                                            |
    | port_login_tls    | from the start        | required                                            |
    | port_login_clear  | none                  | required, in clear                                  |
    | port_own_sender   | STARTTLS required     | required, and only the user's own address as sender |

    Logins are those of `dovecot`; mail arrives in its mailboxes. `ca_pem` is the authority's certificate. The
    server's names are localhost and 127.0.0.1. `pipe_to` hands mail for tracker@example.org (plus-addresses
    too) to a command, run as `pipe_user`, as an administrator would set it up. `more` goes into main.cf.
    """

    def __init__(
        self,
        authority: Authority,
        dovecot: Dovecot,
        *,
        pipe_to: Sequence[str] = (),
        pipe_user: str = MAIL_USER,
        size_limit: int = 50_000_000,
        more: Mapping[str, str] | None = None,
        port_plain: int = 0,
    ) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="depesche-postfix-"))
        self.folder.chmod(0o755)
        self.dovecot = dovecot
        self.ca_pem = authority.pem
        self.configuration = self.folder / "etc"
        for name in ("etc", "queue", "data", "mail"):
            (self.folder / name).mkdir()
            (self.folder / name).chmod(0o755)  # whatever the umask is
        shutil.chown(self.folder / "data", "postfix", "postfix")
        shutil.chown(self.folder / "mail", MAIL_USER, MAIL_GROUP)
        self.other_maildir = Maildir(self.folder / "mail" / "elsewhere")
        self.port_plain = port_plain or free_port()
        self.port_starttls, self.port_tls = free_port(), free_port()
        self.port_login, self.port_login_tls, self.port_login_clear = free_port(), free_port(), free_port()
        self.port_own_sender = free_port()
        self._write_maps(piped=bool(pipe_to))
        self._write_main(authority, size_limit, more or {})
        self._write_services(pipe_to, pipe_user)
        self._program: Program | None = None

    def _write_maps(self, *, piped: bool) -> None:
        mailboxes = {
            f"{user}@{DOMAIN}": f"{self.dovecot.mail_folder}/{user}/Maildir/" for user in self.dovecot.users
        }
        mailboxes[f"elsewhere@{OTHER_DOMAIN}"] = f"{self.other_maildir.path}/"
        # Below virtual_mailbox_base, which is the root: the mailboxes lie with Dovecot.
        self._table("mailboxes", {address: path.lstrip("/") for address, path in mailboxes.items()})
        transports = {OTHER_DOMAIN: "virtual:"} | ({f"tracker@{DOMAIN}": "tracker:"} if piped else {})
        self._table("transports", transports)
        self._table("senders", {f"{user}@{DOMAIN}": user for user in self.dovecot.users})

    def _table(self, name: str, rows: Mapping[str, str]) -> None:
        text = "".join(f"{key} {value}\n" for key, value in rows.items())
        (self.folder / name).write_text(text, encoding="utf-8")
        (self.folder / name).chmod(0o644)

    def _write_main(self, authority: Authority, size_limit: int, more: Mapping[str, str]) -> None:
        certificate = authority.issue("localhost", "127.0.0.1", file="postfix")
        text = _MAIN.format(
            folder=self.folder,
            domain=DOMAIN,
            mail="/",
            uid=_number("-u", MAIL_USER),
            gid=_number("-g", MAIL_USER),
            size_limit=size_limit,
            key=certificate.key,
            chain=certificate.chain,
            sasl=self.dovecot.sasl_socket,
        )
        # Each name once: of a second one every process warns as it starts, postlogd too. It warns into a
        # socket that holds ten lines and that it alone reads, and so Postfix may stand still for ever.
        settings = dict(line.split(" =", 1) for line in text.split("\n") if line)
        settings |= {name: f" {value}" for name, value in more.items()}
        text = "".join(f"{name} ={value}\n" for name, value in settings.items())
        (self.configuration / "main.cf").write_text(text, encoding="utf-8")
        (self.configuration / "main.cf").chmod(0o644)

    def _write_services(self, pipe_to: Sequence[str], pipe_user: str) -> None:
        starttls, tls = ("smtpd_tls_security_level=encrypt",), ("smtpd_tls_wrappermode=yes",)
        own = (*starttls, *_LOGIN, "smtpd_sender_restrictions=reject_sender_login_mismatch")
        ports = {
            self.port_plain: (),
            self.port_starttls: starttls,
            self.port_tls: tls,
            self.port_login: (*starttls, *_LOGIN),
            self.port_login_tls: (*tls, *_LOGIN),
            self.port_login_clear: _LOGIN,
            self.port_own_sender: own,
        }
        text = _SERVICES
        for port, options in ports.items():
            text += f"127.0.0.1:{port} inet n - n - - smtpd\n"
            text += "".join(f"  -o {option}\n" for option in options)
        if pipe_to:
            command = " ".join(pipe_to)
            text += f"tracker unix - n n - 4 pipe\n  flags=Rq user={pipe_user} argv={command}\n"
        (self.configuration / "master.cf").write_text(text, encoding="utf-8")
        (self.configuration / "master.cf").chmod(0o644)

    def start(self) -> None:
        """Start it and wait until each port answers."""
        check = [find("postfix") or "postfix", "-c", self.configuration, "check"]  # makes the queue's folders
        done = subprocess.run(check, capture_output=True, text=True, umask=0o022, check=False)
        if done.returncode:
            raise AssertionError(f"Postfix does not like its configuration:\n{done.stderr}")
        # Not by `postfix start-fg`: it would stand between us and the master, which would survive it.
        command = [self._daemons() / "master", "-c", self.configuration, "-d"]
        program = self._program = Program(command, self.folder / "console.log", umask=0o022)
        silent = self.port_tls, self.port_login_tls  # before the handshake
        spoken = (
            self.port_plain, self.port_starttls, self.port_login, self.port_login_clear, self.port_own_sender
        )  # fmt: skip

        def ready() -> bool:
            if not program.running:
                raise AssertionError(f"Postfix ended:\n{program.output()}\n{self.log()}")
            return all(map(listens, silent)) and all(map(greets, spoken))

        try:
            wait_until(ready, "Postfix's greetings", timeout=PATIENCE)
        except AssertionError as error:
            said = f"{error}\n{program.output()}\n{self.log()}\n{state_of_group(program.pid)}"
            self._program = None
            program.kill()
            raise AssertionError(said) from error

    def stop(self) -> None:
        """End it and wait until it is gone; mails and queue stay."""
        if self._program is not None:
            self._program.terminate()
            self._program.kill()  # what lingers in its process group
            self._program = None

    def remove(self) -> None:
        """End it and remove all its files."""
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _daemons(self) -> Path:
        command = [find("postconf") or "postconf", "-c", self.configuration, "-h", "daemon_directory"]
        return Path(subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip())

    def deliver_all(self) -> None:
        """Wait until nothing is left in its queue."""

        def left() -> str:
            command = ["postqueue", "-c", str(self.configuration), "-j"]
            return subprocess.run(command, check=True, capture_output=True, text=True).stdout

        wait_until(lambda: not left(), "an empty queue of Postfix")

    def log(self) -> str:
        """What it logged."""
        path = self.folder / "mail.log"
        return path.read_text(encoding="utf-8", errors="replace") if path.exists() else ""

    def maildir(self, user: str) -> Maildir:
        """The mailbox of a user of example.org."""
        return self.dovecot.maildir(user)


def _number(option: str, user: str) -> str:
    return subprocess.run(["id", option, user], check=True, capture_output=True, text=True).stdout.strip()


__all__ = ["DOMAIN", "MAIL_GROUP", "MAIL_USER", "OTHER_DOMAIN", "Postfix"]
