"""An authorisation server on a loopback port that behaves like Microsoft's or Google's: consent, tokens,
rotation, and the errors of each with their own words.

    with AuthorisationServer("microsoft", authority) as server:
        settings.DEPESCHE_OAUTH_ADDRESSES = {"microsoft": server.base}

It keeps to the rules itself: a code is redeemed once, with the right verifier, client and redirect address; a
refresh token that was replaced is refused, as providers do that rotate.
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import json
import secrets
import ssl
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from tests.support.certificates import Authority

TRACE = "\r\nTrace ID: 1a2b\r\nCorrelation ID: 3c4d\r\nTimestamp: 2026-11-27 10:00:00Z"


@dataclass
class Grant:
    """A consent: whose, for what, and the refresh token that is valid now."""

    account: str
    scope: str
    refresh: str
    revoked: bool = False


@dataclass
class Issued:
    """An authorisation code that was handed out."""

    challenge: str
    redirect_uri: str
    scope: str
    account: str


@dataclass
class Failing:
    """What the token endpoint says in place of tokens: status and body. `times` None: always."""

    status: int
    body: dict[str, Any] | bytes
    times: int | None = None


def microsoft(number: int, words: str, error: str = "invalid_grant", status: int = 400) -> Failing:
    """Microsoft's way to refuse."""
    body = {
        "error": error,
        "error_description": f"AADSTS{number}: {words}{TRACE}",
        "error_codes": [number],
        "timestamp": "2026-11-27 10:00:00Z",
        "trace_id": "1a2b",
        "correlation_id": "3c4d",
    }
    return Failing(status, body)


def google(error: str, words: str = "", status: int = 400) -> Failing:
    """Google's way to refuse."""
    return Failing(status, {"error": error, "error_description": words} if words else {"error": error})


@dataclass
class State:
    """What the server knows and what happened to it. Tests read and change it."""

    client_id: str = "client-1"
    client_secret: str = "the-client-secret"
    account: str = "tracker@example.org"
    lives: int = 3600
    rotates: bool = True
    delay: float = 0.0  # seconds that an answer of the token endpoint takes
    failing: Failing | None = None
    consent_error: tuple[str, str] | None = None
    grants: list[Grant] = field(default_factory=list)
    codes: dict[str, Issued] = field(default_factory=dict)
    asked: list[dict[str, str]] = field(default_factory=list)  # every form that the token endpoint got
    tokens: list[str] = field(default_factory=list)  # every access token that was handed out
    refresh_tokens: list[str] = field(default_factory=list)
    code_list: list[str] = field(default_factory=list)
    verifiers: list[str] = field(default_factory=list)
    redirects_to: str = ""  # the token endpoint answers with a redirect
    lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def refreshes(self) -> int:
        """How often a refresh token (or client credentials) was used, whatever the answer."""
        return sum(form.get("grant_type") != "authorization_code" for form in self.asked)


class AuthorisationServer:
    """See above. `provider` is "microsoft" or "google". A context manager; `base` is its address."""

    def __init__(self, provider: str, authority: Authority | None = None) -> None:
        self.provider = provider
        self.state = State()
        handler = type("Handler", (_Handler,), {"owner": self})
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self._server.daemon_threads = True
        scheme = "http"
        if authority is not None:
            files = authority.issue("localhost", "127.0.0.1", file="authorisation")
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(files.chain, files.key)
            self._server.socket = context.wrap_socket(
                self._server.socket, server_side=True, do_handshake_on_connect=False
            )
            scheme = "https"
        self.base = f"{scheme}://localhost:{self._server.server_address[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)

    def __enter__(self) -> AuthorisationServer:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(10)

    def grant(self, scope: str) -> str:
        """A consent that was given earlier; its refresh token."""
        return self.new_grant(self.state.account, scope).refresh

    def new_grant(self, account: str, scope: str) -> Grant:
        refresh = "rt-" + secrets.token_urlsafe(24)
        self.state.refresh_tokens.append(refresh)
        made = Grant(account, scope, refresh)
        self.state.grants.append(made)
        return made

    @contextlib.contextmanager
    def fails(self, failing: Failing) -> Iterator[None]:
        """Refuse for a while."""
        self.state.failing = failing
        yield
        self.state.failing = None

    # --- what the endpoints do

    def consent(self, query: dict[str, str]) -> str:
        """The person signs in and agrees: where the browser is sent back to."""
        state = self.state
        assert query["response_type"] == "code"
        assert query["code_challenge_method"] == "S256"
        assert query["client_id"] == state.client_id
        if state.consent_error is not None:
            error, words = state.consent_error
            answer = {"error": error, "error_description": words, "state": query["state"]}
            return f"{query['redirect_uri']}?{urlencode(answer)}"
        code = "code-" + secrets.token_urlsafe(24)
        state.code_list.append(code)
        issued = Issued(query["code_challenge"], query["redirect_uri"], query["scope"], state.account)
        state.codes[code] = issued
        return f"{query['redirect_uri']}?{urlencode({'code': code, 'state': query['state']})}"

    def token(self, form: dict[str, str]) -> tuple[int, dict[str, Any] | bytes]:
        """The answer of the token endpoint."""
        state = self.state
        with state.lock:
            state.asked.append(form)
            if state.failing is not None:
                failing = state.failing
                if failing.times is not None:
                    failing.times -= 1
                    if failing.times <= 0:
                        state.failing = None
                return failing.status, failing.body
            if form.get("client_id") != state.client_id:
                return self._unknown_client()
            if state.client_secret and form.get("client_secret") != state.client_secret:
                return self._wrong_secret()
            kind = form.get("grant_type")
            if kind == "authorization_code":
                return self._redeem(form)
            if kind == "refresh_token":
                return self._refresh(form)
            if kind == "client_credentials" and self.provider == "microsoft":
                assert form["scope"] == "https://outlook.office365.com/.default"
                return 200, {
                    "token_type": "Bearer",
                    "expires_in": state.lives,
                    "access_token": self._access(),
                }
            return 400, {"error": "unsupported_grant_type"}

    def _redeem(self, form: dict[str, str]) -> tuple[int, dict[str, Any] | bytes]:
        issued = self.state.codes.pop(form.get("code", ""), None)
        self.state.verifiers.append(form.get("code_verifier", ""))
        digest = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
        right = base64.urlsafe_b64encode(digest).decode().rstrip("=")
        if issued is None or issued.challenge != right or issued.redirect_uri != form.get("redirect_uri"):
            if self.provider == "microsoft":
                return 400, microsoft(54005, "OAuth2 Authorization code was already redeemed.").body
            return 400, google("invalid_grant", "Malformed auth code.").body
        grant = self.new_grant(issued.account, issued.scope)
        return 200, self._answer(grant, with_refresh=True)

    def _refresh(self, form: dict[str, str]) -> tuple[int, dict[str, Any] | bytes]:
        state = self.state
        known = [grant for grant in state.grants if grant.refresh == form.get("refresh_token")]
        if not known or known[0].revoked:
            if self.provider == "microsoft":
                return 400, microsoft(50173, "The provided grant has expired due to it being revoked.").body
            return 400, google("invalid_grant", "Token has been expired or revoked.").body
        if state.rotates and self.provider == "microsoft":
            known[0].refresh = "rt-" + secrets.token_urlsafe(24)
            state.refresh_tokens.append(known[0].refresh)
        return 200, self._answer(known[0], with_refresh=state.rotates and self.provider == "microsoft")

    def _answer(self, grant: Grant, *, with_refresh: bool) -> dict[str, Any]:
        claims = {"preferred_username" if self.provider == "microsoft" else "email": grant.account}
        part = base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip("=")
        hidden = {"openid", "email", "profile", "offline_access"} if self.provider == "microsoft" else set()
        answer: dict[str, Any] = {
            "token_type": "Bearer",
            "expires_in": self.state.lives,
            "access_token": self._access(),
            "scope": " ".join(word for word in grant.scope.split() if word not in hidden),
            "id_token": f"eyJ9.{part}.c2ln",
        }
        if with_refresh:
            answer["refresh_token"] = grant.refresh
        return answer

    def _access(self) -> str:
        token = "at-" + secrets.token_urlsafe(24)
        self.state.tokens.append(token)
        return token

    def _unknown_client(self) -> tuple[int, dict[str, Any] | bytes]:
        if self.provider == "microsoft":
            words = "Application with identifier 'x' was not found in the directory 'Example'."
            return 400, microsoft(700016, words, "unauthorized_client").body
        return 401, google("invalid_client", "The OAuth client was not found.").body

    def _wrong_secret(self) -> tuple[int, dict[str, Any] | bytes]:
        if self.provider == "microsoft":
            words = "Invalid client secret provided. Ensure the secret being sent is the client secret value."
            return 401, microsoft(7000215, words, "invalid_client").body
        return 401, google("invalid_client", "The provided client secret is invalid.").body


class _Handler(BaseHTTPRequestHandler):
    owner: AuthorisationServer
    timeout = 20

    def setup(self) -> None:
        if isinstance(self.request, ssl.SSLSocket):
            self.request.settimeout(20)
            self.request.do_handshake()
        super().setup()

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        query = {key: values[0] for key, values in parse_qs(parts.query).items()}
        if not parts.path.endswith(("/authorize", "/auth")):
            self._say(404, b"", {})
            return
        self._say(302, b"", {"Location": self.owner.consent(query)})

    def do_POST(self) -> None:
        length = int(self.headers["Content-Length"])
        form = {key: values[0] for key, values in parse_qs(self.rfile.read(length).decode()).items()}
        assert urlsplit(self.path).path.endswith("/token")
        if self.owner.state.redirects_to:
            self._say(302, b"", {"Location": self.owner.state.redirects_to})
            return
        threading.Event().wait(self.owner.state.delay)
        status, body = self.owner.token(form)
        octets = body if isinstance(body, bytes) else json.dumps(body).encode()
        self._say(status, octets, {"Content-Type": "application/json; charset=utf-8"})

    def _say(self, status: int, body: bytes, headers: dict[str, str]) -> None:
        with contextlib.suppress(OSError):
            self.send_response(status)
            for key, value in headers.items():
                self.send_header(key, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Tests look at `state` instead."""
