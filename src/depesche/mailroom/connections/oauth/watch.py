"""What is wrong with the login by OAuth 2.0, or soon will be: a source of alarms."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from django.utils import timezone

from depesche.mailroom.connections.alarms import Alarm, Fact, Level
from depesche.mailroom.connections.diagnosis.causes import explain
from depesche.mailroom.connections.oauth import actions
from depesche.mailroom.connections.oauth.models import OAuthLogin
from depesche.mailroom.connections.oauth.queries import OAuthSettings, settings_of

WARN_DAYS = 30
URGENT_DAYS = 1
_PAGE = "connections:outgoing"


def alarms(now: datetime) -> Iterator[Alarm]:
    """A consent that is missing or holds no more; a client secret whose day comes."""
    if actions.needed():
        for row in OAuthLogin.objects.exclude(provider=""):
            yield from _of(settings_of(row), now)


def _of(login: OAuthSettings, now: datetime) -> Iterator[Alarm]:
    about = str(login.place)
    today = timezone.localdate(now)
    lives = login.access_expires_at is not None and login.access_expires_at > now
    problem = login.problem or ("" if login.connected else "oauth-not-connected")
    if problem:
        cause = explain(problem, {"username": login.account}, detail=login.problem_words)
        facts: dict[str, Fact] = {
            "provider": login.provider_name,
            "detail": f"{cause.title}. {cause.sentence}",
            "remedy": cause.remedy,
            "cause": problem,
        }
        level = Level.WARNING if lives else Level.CRITICAL
        yield Alarm("oauth-token", level, facts, since=login.problem_since, link=_PAGE, about=about)
    if login.has_secret and login.secret_ends_within(WARN_DAYS, today):
        assert login.secret_expires is not None
        days = (login.secret_expires - today).days
        ends = timezone.make_aware(datetime.combine(login.secret_expires, datetime.min.time()))
        facts_of_secret: dict[str, Fact] = {"provider": login.provider_name, "day": ends, "days": days}
        if days < 0:
            yield Alarm(
                "client-secret-ended", Level.CRITICAL, facts_of_secret, since=ends, link=_PAGE, about=about
            )
        else:
            level = Level.CRITICAL if days <= URGENT_DAYS else Level.WARNING
            yield Alarm("client-secret-ends", level, facts_of_secret, link=_PAGE, about=about)
