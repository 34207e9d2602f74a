"""Every cause of a login by OAuth 2.0 that does not work, shown by an authorisation server or a mail
server, and told apart in the test of the connection."""

from __future__ import annotations

import json
from typing import Any

import pytest

from depesche.mailroom.connections import queries
from depesche.mailroom.connections.diagnosis.plan import plan_test
from depesche.mailroom.connections.diagnosis.running import run
from depesche.mailroom.connections.diagnosis.steps import Outcome, Step, StepName
from depesche.mailroom.connections.oauth import protocol
from depesche.mailroom.connections.oauth.models import OAuthLogin
from depesche.mailroom.connections.oauth.problems import Problem, problem_of
from depesche.smtpclient.testing.server import Behaviour, FakeServer, in_thread
from tests.mailroom.connections.oauth.support import connected, set_up
from tests.mailroom.connections.provoking import provokes
from tests.support.authorisation_server import AuthorisationServer, Failing, google, microsoft

pytestmark = pytest.mark.django_db(transaction=True)

NOW = ("token-unavailable-now", "token-unavailable")


def login_step(**server: Any) -> Step:
    """The step "login" of a test of the connection, to a mail server that behaves so."""
    behaviour = Behaviour(**({"mechanisms": ("XOAUTH2",), "users": {}} | server))
    with in_thread(FakeServer(behaviour)) as mail:
        from depesche.mailroom.connections.models import OutgoingConnection

        OutgoingConnection.objects.update(port=mail.port)
        plan = plan_test(queries.outgoing(), to="jane@example.org", seconds=10)
        steps = {step.name: step for step in run(plan)}
    return steps[StepName.LOGIN]


def cause_of(step: Step) -> str:
    assert step.outcome is Outcome.FAILED
    assert step.cause is not None
    assert step.cause.remedy
    return step.cause.code


SAID: dict[Problem, tuple[Failing, ...]] = {
    Problem.CONSENT_REVOKED: (
        microsoft(50173, "The provided grant has expired due to it being revoked"),
        google("invalid_grant", "Token has been expired or revoked."),
        google("invalid_grant", "Bad Request"),
    ),
    Problem.CONSENT_EXPIRED: (
        microsoft(700082, "The refresh token has expired due to inactivity"),
        microsoft(70043, "The refresh token has expired due to sign-in frequency checks"),
        google("invalid_rapt", "reauth related error"),
    ),
    Problem.CONSENT_MISSING: (
        microsoft(65001, "The user or administrator has not consented to use the application"),
        google("consent_required"),
    ),
    Problem.ADMIN_CONSENT: (
        microsoft(90094, "The grant requires admin permission"),
        google("admin_policy_enforced"),
        google("org_internal"),
    ),
    Problem.SECRET_EXPIRED: (
        microsoft(7000222, "The provided client secret keys for app are expired", "invalid_client", 401),
    ),
    Problem.SECRET_WRONG: (
        microsoft(7000215, "Invalid client secret provided", "invalid_client", 401),
        google("invalid_client", "The provided client secret is invalid.", 401),
        google("invalid_client", "Unauthorized", 401),
    ),
    Problem.SECRET_MISSING: (
        microsoft(
            7000218, "The request body must contain client_assertion or client_secret", "invalid_client"
        ),
        google("invalid_request", "client_secret is missing."),
    ),
    Problem.SECRET_UNWANTED: (
        microsoft(700025, "Client is public so neither assertion nor secret should be presented"),
    ),
    Problem.CLIENT_UNKNOWN: (
        microsoft(700016, "Application was not found in the directory", "unauthorized_client"),
        google("invalid_client", "The OAuth client was not found.", 401),
        google("deleted_client", "The OAuth client was deleted.", 401),
    ),
    Problem.TENANT_UNKNOWN: (
        microsoft(90002, "Tenant 'x' not found", "invalid_request"),
        microsoft(50194, "Application is not configured as a multi-tenant application", "invalid_request"),
    ),
    Problem.REDIRECT_MISMATCH: (
        microsoft(50011, "The redirect URI does not match", "invalid_request"),
        google("redirect_uri_mismatch", "Bad Request"),
    ),
    Problem.SECOND_FACTOR: (
        microsoft(50076, "You must use multi-factor authentication"),
        google("interaction_required"),
    ),
    Problem.BLOCKED_BY_POLICY: (microsoft(53003, "Access has been blocked by Conditional Access policies"),),
    Problem.ACCOUNT_DISABLED: (
        microsoft(50057, "The user account is disabled"),
        google("invalid_grant", "Account has been deleted"),
    ),
    Problem.FLOW_NOT_PERMITTED: (google("unauthorized_client"), google("unsupported_grant_type", "Invalid")),
    Problem.SCOPE_INVALID: (
        microsoft(500011, "The resource principal was not found in the tenant", "invalid_resource"),
        google("invalid_scope", "Some requested scopes were invalid."),
    ),
    Problem.PROVIDER_TROUBLE: (
        microsoft(90033, "A transient error has occurred", "temporarily_unavailable", 503),
        Failing(502, b"<html>Bad gateway</html>"),
        google("rate_limit_exceeded", "", 429),
    ),
    Problem.UNUSABLE_ANSWER: (Failing(200, b"<html>Please sign in to the network</html>"), Failing(404, b"")),
    Problem.REFUSED: (google("something_new", "It was never seen before."),),
}


@provokes(*(problem.value for problem in SAID))
def test_the_test_of_the_connection_tells_them_apart(server: AuthorisationServer) -> None:
    connected(server)
    told = {}
    for problem, (failing, *_more) in SAID.items():
        with server.fails(failing):
            told[problem.value] = cause_of(login_step())
    assert told == {code: code for code in told}
    assert server.state.refreshes == len(SAID)  # each test asks once, whatever failed before


@pytest.mark.parametrize(
    ("problem", "failing"), [(problem, one) for problem, said in SAID.items() for one in said]
)
def test_what_the_provider_says_is_told_apart(problem: Problem, failing: Failing) -> None:
    octets = failing.body if isinstance(failing.body, bytes) else json.dumps(failing.body).encode()
    found = protocol.answer(failing.status, octets)
    assert isinstance(found, protocol.Refused)
    assert found.problem is problem
    assert "Trace ID" not in found.words
    assert found.transient == (
        problem in (Problem.PROVIDER_TROUBLE, Problem.UNUSABLE_ANSWER, Problem.UNREACHABLE)
    )


@provokes(Problem.UNREACHABLE.value)
def test_a_provider_that_cannot_be_reached(settings: Any) -> None:
    with AuthorisationServer("microsoft") as gone:
        settings.DEPESCHE_OAUTH_ADDRESSES = {"microsoft": gone.base}
        connected(gone)
    assert cause_of(login_step()) == Problem.UNREACHABLE.value


@provokes(Problem.NOT_SET_UP.value)
def test_nothing_is_set_up(server: AuthorisationServer) -> None:
    connected(server)
    OAuthLogin.objects.all().delete()
    assert cause_of(login_step()) == Problem.NOT_SET_UP.value


@provokes(Problem.NOT_CONNECTED.value)
def test_nobody_has_consented(server: AuthorisationServer) -> None:
    set_up(server)
    assert cause_of(login_step()) == Problem.NOT_CONNECTED.value


@provokes(Problem.OTHER_HOST.value)
def test_the_consent_is_for_another_server(server: AuthorisationServer) -> None:
    connected(server)
    OAuthLogin.objects.update(hosts="smtp.example.net")
    assert cause_of(login_step()) == Problem.OTHER_HOST.value
    assert server.state.asked == []


@provokes(Problem.SCOPE_MISSING.value)
def test_the_consent_does_not_cover_submission(server: AuthorisationServer) -> None:
    connected(server, purposes=("imap",))
    assert cause_of(login_step()) == Problem.SCOPE_MISSING.value


@provokes("token-refused")
def test_the_mail_server_refuses_the_token(server: AuthorisationServer) -> None:
    connected(server)
    step = login_step(users={"tracker@example.org": "another"})
    assert cause_of(step) == "token-refused"
    shown = f"{step} {step.transcript}"
    assert server.state.tokens[0] not in shown
    assert server.state.refreshes == 1


@pytest.mark.parametrize(
    ("reply", "code"),
    [
        ("535 5.7.3 Authentication unsuccessful [X.PROD.OUTLOOK.COM]", "token-refused"),
        (
            "535 5.7.139 Authentication unsuccessful, SmtpClientAuthentication is disabled for the Tenant. "
            "Visit https://aka.ms/smtp_auth_disabled for more information.",
            "smtp-auth-disabled",
        ),
        (
            "535 5.7.139 Authentication unsuccessful, SmtpClientAuthentication is disabled for the Mailbox.",
            "smtp-auth-disabled",
        ),
        ("535 5.7.139 Authentication unsuccessful, the user credentials were incorrect.", "token-refused"),
        ("535 5.7.8 Username and Password not accepted. a1b2 - gsmtp", "token-refused"),
        ("454 4.7.0 Temporary authentication failure", "auth-temporary"),
    ],
)
def test_what_the_mail_server_says_to_a_token(server: AuthorisationServer, reply: str, code: str) -> None:
    connected(server)
    assert cause_of(login_step(faults={"auth": reply})) == code


def test_a_token_that_is_taken(server: AuthorisationServer) -> None:
    connected(server, lives=3600)
    step = login_step(users={"tracker@example.org": "at-first"})
    assert step.outcome is not Outcome.FAILED
    assert "XOAUTH2" in step.fact


@provokes(Problem.DECLINED.value, Problem.CODE_SPENT.value)
@pytest.mark.parametrize(
    ("error", "words", "with_code", "problem"),
    [
        ("access_denied", "AADSTS65004: User declined to consent", False, Problem.DECLINED),
        ("access_denied", "", False, Problem.DECLINED),
        ("access_denied", "The organisation's policy forbids it", False, Problem.ADMIN_CONSENT),
        ("invalid_grant", "AADSTS70008: The code has expired", True, Problem.CODE_SPENT),
        ("invalid_grant", "AADSTS54005: already redeemed", True, Problem.CODE_SPENT),
        ("invalid_grant", "Malformed auth code.", True, Problem.CODE_SPENT),
        ("invalid_grant", "", True, Problem.CODE_SPENT),
        ("invalid_grant", "", False, Problem.CONSENT_REVOKED),
    ],
)
def test_what_is_said_on_the_way_back(error: str, words: str, with_code: bool, problem: Problem) -> None:
    """Shown on the page in test_pages; here how the words are told apart."""
    assert problem_of(error, words, with_code=with_code) is problem


@provokes(*NOW)
@pytest.mark.parametrize("transient", [True, False])
def test_a_token_that_cannot_be_had_for_a_reason_nobody_knows(transient: bool) -> None:
    """Whoever uses smtpclient alone may name reasons that have no words of their own here."""
    import asyncio

    from depesche.mailroom.connections.diagnosis.causes import code_of, explain
    from depesche.smtpclient import (
        ConnectionConfig,
        Encryption,
        OAuthToken,
        Session,
        SubmissionError,
        TokenSource,
        TokenUnavailable,
    )

    def obtain() -> OAuthToken:
        raise TokenUnavailable("of-its-own", "no coin", transient=transient)

    with in_thread(FakeServer(Behaviour(mechanisms=("XOAUTH2",)))) as mail:
        source = TokenSource("me", "own", obtain)
        config = ConnectionConfig("127.0.0.1", mail.port, Encryption.NONE, source, allow_clear_password=True)
        with pytest.raises(SubmissionError) as caught:
            asyncio.run(Session.open(config))
    error = caught.value
    assert error.transient is transient
    assert "no coin" in explain(code_of(error.cause, error.stage), detail=error.detail).sentence


def test_every_problem_is_provoked() -> None:
    from tests.mailroom.connections import provoking
    from tests.mailroom.connections.oauth import test_pages

    assert test_pages
    assert {problem.value for problem in Problem} <= set(provoking.PROVOKED)
