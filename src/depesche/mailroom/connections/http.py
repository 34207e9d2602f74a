"""Small questions to web servers: bounded in time and in size, certificates verified, redirects never
followed to another host. Blocking.

The whole exchange has one deadline, also against a server that sends an octet a second: a watchdog closes the
connection. Whom to believe is decided as for mail servers, keystore included.
"""

from __future__ import annotations

import contextlib
import http.client
import socket
import ssl
import threading
import time
import urllib.request
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from urllib.parse import SplitResult, unquote, urlencode, urljoin, urlsplit

from depesche.mailroom.connections.validation import is_this_machine
from depesche.smtpclient import tls
from depesche.smtpclient.config import Trust
from depesche.smtpclient.errors import Cause

SECONDS = 15.0
MOST = 256 * 1024
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_MOST_REDIRECTS = 2


class HttpFailed(Exception):
    """No answer. `cause` is a smtpclient Cause, `detail` what a person may read; no secret is in either."""

    def __init__(self, cause: Cause, detail: str = "") -> None:
        super().__init__(cause, detail)
        self.cause = cause
        self.detail = detail


@dataclass(frozen=True)
class Answer:
    """Status, kind and body of an answer; the body may hold secrets."""

    status: int
    kind: str
    body: bytes = field(repr=False)


def post_form(
    url: str, fields: Mapping[str, str], *, trust: Trust, seconds: float = SECONDS, most: int = MOST
) -> Answer:
    """Send a form. A redirect is an answer like any other. Raises HttpFailed."""
    body = urlencode(fields).encode("ascii")
    headers = {"Content-Type": "application/x-www-form-urlencoded", "Accept": "application/json"}
    return post(url, body, headers, trust=trust, seconds=seconds, most=most)


def post(
    url: str,
    body: bytes,
    headers: Mapping[str, str],
    *,
    trust: Trust,
    seconds: float = SECONDS,
    most: int = MOST,
    in_the_clear: bool = False,
) -> Answer:
    """Send octets. A redirect is an answer like any other. `in_the_clear`: plain http will do, whatever the
    host. Raises HttpFailed."""
    if not (in_the_clear or permitted(url)):
        raise HttpFailed(Cause.PROTOCOL_ERROR, "only https is used")
    answer, _location = _ask("POST", url, body, headers, trust, time.monotonic() + seconds, most)
    return answer


def get(url: str, *, trust: Trust, seconds: float = SECONDS, most: int = MOST, accept: str = "*/*") -> Answer:
    """Fetch a document; at most two redirects are followed, to the same host by https. Raises HttpFailed."""
    if not permitted(url):
        raise HttpFailed(Cause.PROTOCOL_ERROR, "only https is used")
    deadline = time.monotonic() + seconds
    for _number in range(_MOST_REDIRECTS + 1):
        answer, location = _ask("GET", url, None, {"Accept": accept}, trust, deadline, most)
        if answer.status not in _REDIRECTS or not location:
            return answer
        target = urljoin(url, location)
        if urlsplit(target)[:2] != urlsplit(url)[:2]:
            raise HttpFailed(
                Cause.PROTOCOL_ERROR, f"it points to another server: {urlsplit(target).netloc}"[:300]
            )
        url = target
    raise HttpFailed(Cause.PROTOCOL_ERROR, "too many redirects")


def permitted(url: str) -> bool:
    """Whether a secret may go there: https, or http on this machine."""
    parts = urlsplit(url)
    return parts.scheme == "https" or (parts.scheme == "http" and is_this_machine(parts.hostname or ""))


def _ask(
    method: str,
    url: str,
    body: bytes | None,
    headers: Mapping[str, str],
    trust: Trust,
    deadline: float,
    most: int,
) -> tuple[Answer, str]:
    parts = urlsplit(url)
    with _explained():
        connection = _connection(parts, trust, deadline)
        try:
            with _until(deadline, connection):
                path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
                connection.request(
                    method, path, body, {"User-Agent": "Depesche", "Connection": "close", **headers}
                )
                response = connection.getresponse()
                octets = response.read(most + 1)
        finally:
            connection.close()
    if len(octets) > most:
        raise HttpFailed(Cause.PROTOCOL_ERROR, "the answer is too long")
    answer = Answer(response.status, response.headers.get_content_type(), octets)
    return answer, response.headers.get("Location") or ""


def _connection(parts: SplitResult, trust: Trust, deadline: float) -> http.client.HTTPConnection:
    host, port = parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80)
    timeout = max(0.1, deadline - time.monotonic())
    if parts.scheme == "http":
        connection = http.client.HTTPConnection(host, port, timeout=timeout)
        connection.connect()
        return connection
    secured = http.client.HTTPSConnection(host, port, timeout=timeout, context=tls.context(trust))
    proxy = _proxy(host)
    if proxy is not None:
        secured = http.client.HTTPSConnection(
            proxy.hostname or "", proxy.port or 8080, timeout=timeout, context=tls.context(trust)
        )
        secured.set_tunnel(host, port, _proxy_login(proxy))
    secured.connect()
    if isinstance(secured.sock, ssl.SSLSocket):
        tls.verify_peer(trust, secured.sock.getpeercert(binary_form=True), host)
    return secured


def _proxy(host: str) -> SplitResult | None:
    """The proxy that this machine's environment names for https (HTTPS_PROXY, NO_PROXY)."""
    named = urllib.request.getproxies().get("https", "")
    if not named or is_this_machine(host) or urllib.request.proxy_bypass(host):
        return None
    return urlsplit(named if "://" in named else f"http://{named}")


def _proxy_login(proxy: SplitResult) -> dict[str, str]:
    if not proxy.username:
        return {}
    import base64

    whole = f"{unquote(proxy.username)}:{unquote(proxy.password or '')}"
    return {"Proxy-Authorization": "Basic " + base64.b64encode(whole.encode()).decode("ascii")}


@contextlib.contextmanager
def _until(deadline: float, connection: http.client.HTTPConnection) -> Iterator[None]:
    """Cut the connection at the deadline, whatever it is doing."""
    late = threading.Event()

    def cut() -> None:
        late.set()
        with contextlib.suppress(OSError, AttributeError):
            connection.sock.shutdown(socket.SHUT_RDWR)

    timer = threading.Timer(max(0.0, deadline - time.monotonic()), cut)
    timer.daemon = True
    timer.start()
    try:
        yield
    except (OSError, http.client.HTTPException):
        if late.is_set():
            raise TimeoutError from None
        raise
    finally:
        timer.cancel()
    if late.is_set():
        raise TimeoutError


@contextlib.contextmanager
def _explained() -> Iterator[None]:
    try:
        yield
    except (ssl.SSLError, tls.CertificateError) as error:
        raise HttpFailed(*tls.cause_of(error)) from None
    except socket.gaierror as error:
        known = error.errno in (socket.EAI_NONAME, getattr(socket, "EAI_NODATA", socket.EAI_NONAME))
        raise HttpFailed(Cause.NAME_NOT_FOUND if known else Cause.NAME_LOOKUP_FAILED) from None
    except TimeoutError:
        raise HttpFailed(Cause.TIMEOUT) from None
    except ConnectionRefusedError:
        raise HttpFailed(Cause.REFUSED) from None
    except (http.client.HTTPException, ValueError) as error:
        raise HttpFailed(Cause.PROTOCOL_ERROR, type(error).__name__) from None
    except OSError as error:
        lost = isinstance(error, ConnectionError)
        raise HttpFailed(Cause.CONNECTION_LOST if lost else Cause.NETWORK, error.strerror or "") from None
