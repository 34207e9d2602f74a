"""Certificates of a private authority, and servers that use them."""

from __future__ import annotations

import ssl
from dataclasses import dataclass

import pytest
import trustme

from depesche.smtpclient import Trust


@dataclass(frozen=True)
class Certificates:
    """One authority with a certificate for localhost and 127.0.0.1."""

    authority: trustme.CA
    server: trustme.LeafCert

    @property
    def ca_pem(self) -> bytes:
        return self.authority.cert_pem.bytes()

    @property
    def trust(self) -> Trust:
        return Trust(ca_pems=(self.ca_pem,))

    def context(self, certificate: trustme.LeafCert | None = None) -> ssl.SSLContext:
        made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        (certificate or self.server).configure_cert(made)
        return made


@pytest.fixture(scope="session")
def certificates() -> Certificates:
    authority = trustme.CA()
    return Certificates(authority, authority.issue_cert("localhost", "127.0.0.1"))
