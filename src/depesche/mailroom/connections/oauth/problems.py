"""Why there is no token: from an authorisation server's words to one of the causes that we can explain. Pure.

Providers say the same with different words and codes. `error` is the code of RFC 6749 and OpenID Connect;
Microsoft adds numbers (AADSTS…), which are trusted first.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from enum import StrEnum


class Problem(StrEnum):
    """Codes of causes; what is said about each stands in diagnosis.causes_oauth."""

    NOT_SET_UP = "oauth-not-set-up"
    NOT_CONNECTED = "oauth-not-connected"
    OTHER_HOST = "oauth-other-host"
    SCOPE_MISSING = "oauth-scope-missing"
    CONSENT_REVOKED = "oauth-consent-revoked"
    CONSENT_EXPIRED = "oauth-consent-expired"
    CONSENT_MISSING = "oauth-consent-missing"
    ADMIN_CONSENT = "oauth-admin-consent"
    DECLINED = "oauth-declined"
    SECRET_EXPIRED = "oauth-secret-expired"  # noqa: S105  a cause, not a password
    SECRET_WRONG = "oauth-secret-wrong"  # noqa: S105  a cause, not a password
    SECRET_MISSING = "oauth-secret-missing"  # noqa: S105  a cause, not a password
    SECRET_UNWANTED = "oauth-secret-unwanted"  # noqa: S105  a cause, not a password
    CLIENT_UNKNOWN = "oauth-client-unknown"
    TENANT_UNKNOWN = "oauth-tenant-unknown"
    REDIRECT_MISMATCH = "oauth-redirect-mismatch"
    SECOND_FACTOR = "oauth-second-factor"
    BLOCKED_BY_POLICY = "oauth-blocked-by-policy"
    ACCOUNT_DISABLED = "oauth-account-disabled"
    FLOW_NOT_PERMITTED = "oauth-flow-not-permitted"
    SCOPE_INVALID = "oauth-scope-invalid"
    CODE_SPENT = "oauth-code-spent"
    STATE_LOST = "oauth-state-lost"
    NO_REFRESH_TOKEN = "oauth-no-refresh-token"  # noqa: S105  a cause, not a password
    PROVIDER_TROUBLE = "oauth-provider-trouble"
    UNREACHABLE = "oauth-unreachable"
    UNUSABLE_ANSWER = "oauth-unusable-answer"
    REFUSED = "oauth-refused"


TRANSIENT = frozenset({Problem.PROVIDER_TROUBLE, Problem.UNREACHABLE, Problem.UNUSABLE_ANSWER})
"""What may pass by itself: it is tried again soon."""

_AADSTS: dict[int, Problem] = {
    # the client
    7000222: Problem.SECRET_EXPIRED,
    7000215: Problem.SECRET_WRONG,
    7000218: Problem.SECRET_MISSING,
    7000216: Problem.SECRET_MISSING,
    700025: Problem.SECRET_UNWANTED,
    700016: Problem.CLIENT_UNKNOWN,
    7000112: Problem.CLIENT_UNKNOWN,  # the application is switched off
    7000114: Problem.FLOW_NOT_PERMITTED,
    700054: Problem.FLOW_NOT_PERMITTED,
    50194: Problem.TENANT_UNKNOWN,  # not multi-tenant: /common cannot be used
    90002: Problem.TENANT_UNKNOWN,
    900021: Problem.TENANT_UNKNOWN,
    900023: Problem.TENANT_UNKNOWN,
    53003: Problem.BLOCKED_BY_POLICY,
    530003: Problem.BLOCKED_BY_POLICY,
    530004: Problem.BLOCKED_BY_POLICY,
    50105: Problem.BLOCKED_BY_POLICY,  # not assigned to a role for the application
    50011: Problem.REDIRECT_MISMATCH,
    500011: Problem.SCOPE_INVALID,
    70011: Problem.SCOPE_INVALID,
    650053: Problem.SCOPE_INVALID,
    650057: Problem.SCOPE_INVALID,
    # the consent
    65001: Problem.CONSENT_MISSING,
    65004: Problem.DECLINED,
    90094: Problem.ADMIN_CONSENT,
    90093: Problem.ADMIN_CONSENT,
    900941: Problem.ADMIN_CONSENT,
    900981: Problem.ADMIN_CONSENT,
    # the grant
    50173: Problem.CONSENT_REVOKED,
    50132: Problem.CONSENT_REVOKED,
    50133: Problem.CONSENT_REVOKED,
    54005: Problem.CODE_SPENT,
    501481: Problem.CODE_SPENT,
    50148: Problem.CODE_SPENT,
    70000: Problem.CONSENT_REVOKED,
    700081: Problem.CONSENT_EXPIRED,
    700082: Problem.CONSENT_EXPIRED,
    700084: Problem.CONSENT_EXPIRED,
    70008: Problem.CONSENT_EXPIRED,
    70043: Problem.CONSENT_EXPIRED,
    50089: Problem.CONSENT_EXPIRED,
    50078: Problem.SECOND_FACTOR,
    50076: Problem.SECOND_FACTOR,
    50079: Problem.SECOND_FACTOR,
    50072: Problem.SECOND_FACTOR,
    50074: Problem.SECOND_FACTOR,
    50158: Problem.SECOND_FACTOR,
    # the account
    50034: Problem.ACCOUNT_DISABLED,
    50053: Problem.ACCOUNT_DISABLED,
    50055: Problem.ACCOUNT_DISABLED,
    50057: Problem.ACCOUNT_DISABLED,
    50020: Problem.ACCOUNT_DISABLED,  # an account of another tenant
    51004: Problem.ACCOUNT_DISABLED,
    # Microsoft itself
    90033: Problem.PROVIDER_TROUBLE,
    50196: Problem.PROVIDER_TROUBLE,  # asked too often
    90006: Problem.PROVIDER_TROUBLE,
    90024: Problem.PROVIDER_TROUBLE,
}

_BY_ERROR: dict[str, Problem] = {
    "access_denied": Problem.DECLINED,
    "consent_required": Problem.CONSENT_MISSING,
    "interaction_required": Problem.SECOND_FACTOR,
    "login_required": Problem.CONSENT_REVOKED,
    "admin_policy_enforced": Problem.ADMIN_CONSENT,
    "org_internal": Problem.ADMIN_CONSENT,
    "invalid_client": Problem.SECRET_WRONG,
    "deleted_client": Problem.CLIENT_UNKNOWN,
    "disabled_client": Problem.CLIENT_UNKNOWN,
    "unauthorized_client": Problem.FLOW_NOT_PERMITTED,
    "unsupported_grant_type": Problem.FLOW_NOT_PERMITTED,
    "unsupported_response_type": Problem.FLOW_NOT_PERMITTED,
    "invalid_scope": Problem.SCOPE_INVALID,
    "invalid_resource": Problem.SCOPE_INVALID,
    "insufficient_scope": Problem.SCOPE_MISSING,
    "redirect_uri_mismatch": Problem.REDIRECT_MISMATCH,
    "temporarily_unavailable": Problem.PROVIDER_TROUBLE,
    "server_error": Problem.PROVIDER_TROUBLE,
    "rate_limit_exceeded": Problem.PROVIDER_TROUBLE,
    "slow_down": Problem.PROVIDER_TROUBLE,
    "internal_failure": Problem.PROVIDER_TROUBLE,
    "invalid_rapt": Problem.CONSENT_EXPIRED,  # Google Workspace wants the person to sign in again
}

_BY_WORDS: tuple[tuple[str, re.Pattern[str], Problem], ...] = tuple(
    (error, re.compile(words, re.IGNORECASE), problem)
    for error, words, problem in (
        ("invalid_client", r"not found|deleted|disabled|unknown client", Problem.CLIENT_UNKNOWN),
        ("invalid_client", r"missing|must contain|no client auth", Problem.SECRET_MISSING),
        ("invalid_request", r"client_secret is missing|missing.{0,30}client_secret", Problem.SECRET_MISSING),
        ("invalid_request", r"redirect.?uri", Problem.REDIRECT_MISMATCH),
        ("invalid_request", r"missing.{0,30}(?:refresh_token|code)", Problem.CONSENT_REVOKED),
        ("invalid_grant", r"redirect.?uri", Problem.REDIRECT_MISMATCH),
        ("invalid_grant", r"code.?verifier|malformed auth code|auth(?:orization)? code", Problem.CODE_SPENT),
        ("invalid_grant", r"account (?:has been )?(?:disabled|deleted|suspended)", Problem.ACCOUNT_DISABLED),
        ("invalid_grant", r"inactiv|not been used", Problem.CONSENT_EXPIRED),
        ("access_denied", r"admin|organi[sz]ation|policy|org_internal", Problem.ADMIN_CONSENT),
        ("unauthorized_client", r"not (?:been )?found|does not exist", Problem.CLIENT_UNKNOWN),
    )
)
_NUMBER = re.compile(r"AADSTS(\d{4,8})")


def problem_of(
    error: str,
    description: str = "",
    *,
    numbers: Iterable[int] = (),
    status: int = 400,
    with_code: bool = False,
) -> Problem:
    """What this refusal means. `numbers` are Microsoft's error_codes; `status` that of HTTP; `with_code`: an
    authorisation code was redeemed, not a refresh token used.
    """
    known = [*numbers, *(int(number) for number in _NUMBER.findall(description))]
    for number in known:
        if found := _AADSTS.get(number):
            if with_code and found in (Problem.CONSENT_EXPIRED, Problem.CONSENT_REVOKED):
                return Problem.CODE_SPENT
            return found
    if status == 429 or status >= 500:
        return Problem.PROVIDER_TROUBLE
    for name, words, found in _BY_WORDS:
        if error == name and words.search(description):
            return found
    if error == "invalid_grant":
        return Problem.CODE_SPENT if with_code else Problem.CONSENT_REVOKED
    return _BY_ERROR.get(error, Problem.REFUSED)
