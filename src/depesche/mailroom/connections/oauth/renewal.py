"""The worker's task: tokens are renewed ahead of time, so that no login waits, and a consent never lapses for
want of use."""

from __future__ import annotations

import logging
import threading
from datetime import datetime

from depesche.mailroom.connections.oauth import actions, tokens
from depesche.mailroom.connections.oauth.models import OAuthLogin
from depesche.smtpclient.config import TokenUnavailable

log = logging.getLogger(__name__)


class RenewTokens:
    """See above. A failure stands in the row with the time of the next try, and shows as an alarm."""

    name = "oauth"
    pause = 15.0
    wakes_on_change = False

    def run(self, now: datetime, stop: threading.Event) -> int:
        for place in OAuthLogin.objects.exclude(provider="").values_list("place", flat=True):
            if stop.is_set() or not actions.needed():
                continue
            try:
                renewed = tokens.renew_soon(place)
            except TokenUnavailable as error:
                log.debug("No token for place %d: %s", place, error.code)
                continue
            if renewed:
                actions.probe_now(now)
        return 0
