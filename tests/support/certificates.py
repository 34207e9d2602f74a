"""A private certificate authority."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import trustme


@dataclass(frozen=True)
class ServerCertificate:
    """Files in PEM form: `chain` the certificate (and what leads to the authority), `key` its private key."""

    chain: Path
    key: Path


class Authority:
    """A certificate authority that nobody trusts by itself; `pem` is the file to import."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.ca = trustme.CA(organization_name="Depesche tests")
        self.pem = folder / "authority.pem"
        self.ca.cert_pem.write_to_path(str(self.pem))

    def issue(self, *names: str, file: str = "server") -> ServerCertificate:
        """A server certificate for host names and IP addresses."""
        issued = self.ca.issue_cert(*names)
        chain, key = self.folder / f"{file}.pem", self.folder / f"{file}.key"
        chain.write_bytes(b"".join(blob.bytes() for blob in issued.cert_chain_pems))
        key.write_bytes(issued.private_key_pem.bytes())
        key.chmod(0o600)
        return ServerCertificate(chain, key)
