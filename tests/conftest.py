"""What every test may use (`tests/support/fixtures.py`), and the rule for skipped tests.

A test that lacks a server is skipped by name and reason, listed at the end; in CI a skip is a failure.
"""

from __future__ import annotations

import os
from collections.abc import Generator

import pytest
from _pytest.reports import CollectReport, TestReport
from _pytest.terminal import TerminalReporter
from django.utils import translation
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings

from tests.support.availability import SERVERS, require
from tests.support.fixtures import (
    _running_mail_host,
    authority,
    browser,
    dovecot,
    instance,
    instance_database_url,
    mail_host,
    outbox_backend,
    page,
    postfix,
)

__all__ = [
    "_running_mail_host",
    "authority",
    "browser",
    "dovecot",
    "instance",
    "instance_database_url",
    "mail_host",
    "outbox_backend",
    "page",
    "postfix",
]

JOURNEY_SECONDS = 420
IN_CI = os.environ.get("CI", "").lower() in {"1", "true", "yes"}

# A busy machine is no fault of the code: no deadline for one example. Whole runs try the same examples each
# time, so that one that fails fails again; who runs a single file looks for new ones.
hypothesis_settings.register_profile(
    "depesche",
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
    derandomize=IN_CI or "DEPESCHE_TEST_PASS" in os.environ,
)
hypothesis_settings.load_profile("depesche")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """A journey may last longer than other tests before it counts as hanging. Files with journeys go first:
    what is long and begun last keeps the whole run waiting."""
    journeys = [item for item in items if item.get_closest_marker("journey")]
    for item in journeys:
        if not item.get_closest_marker("timeout"):
            item.add_marker(pytest.mark.timeout(JOURNEY_SECONDS))
    files = {item.path for item in journeys}
    items.sort(key=lambda item: item.path not in files)


@pytest.fixture(autouse=True)
def _no_language_left_over() -> Generator[None]:
    """A language that a test (or a page it asked for) switched to is not the next one's."""
    yield
    translation.deactivate()


@pytest.fixture(autouse=True)
def _no_alarm_left_over() -> None:
    """What was wrong in the test before is not shown in this one, nor is what was known to work."""
    from depesche.mailroom.connections import alarms
    from depesche.mailroom.connections.history import recording

    alarms.forget()
    recording.forget()


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip what is marked to need a server that is not here."""
    for mark in item.iter_markers("needs"):
        unknown = set(mark.args) - SERVERS.keys()
        if unknown:
            pytest.fail(f"needs({', '.join(sorted(unknown))}): known are {', '.join(SERVERS)}")
        require(*mark.args)


def _reason(report: TestReport | CollectReport) -> str:
    text = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
    return text.removeprefix("Skipped: ")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, TestReport, TestReport]:
    """In CI every server is to be there: a skip fails."""
    report = yield
    if IN_CI and report.skipped and not hasattr(report, "wasxfail"):
        reason = _reason(report)
        report.outcome = "failed"
        report.longrepr = f"skipped, which in CI is a failure: {reason}"
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(
    collector: pytest.Collector,
) -> Generator[None, CollectReport, CollectReport]:
    """The same for a whole file that skips itself."""
    report = yield
    if IN_CI and report.skipped:
        reason = _reason(report)
        report.outcome = "failed"
        report.longrepr = f"skipped, which in CI is a failure: {reason}"
    return report


def pytest_terminal_summary(terminalreporter: TerminalReporter) -> None:
    """Name every skipped test with its reason (`make test` does so itself, over all its passes)."""
    skipped = terminalreporter.getreports("skipped")
    if skipped and "DEPESCHE_TEST_PASS" not in os.environ:
        terminalreporter.section(f"{len(skipped)} skipped", sep="-")
        for report in skipped:
            terminalreporter.line(f"{report.nodeid}: {_reason(report)}")
