"""For supervisors: whether this process answers (`/healthz`), and whether mail flows (`/readyz`).

A load balancer asks the first: no process is at fault when a mail server is. A monitor asks the second.
"""

from __future__ import annotations

from django.db import DatabaseError, connection
from django.http import HttpRequest, JsonResponse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from depesche.mailroom.connections import alarms
from depesche.mailroom.connections.alarms import Level

_NO_DATABASE = {"status": "no database"}


@require_safe
@never_cache
def healthz(request: HttpRequest) -> JsonResponse:
    """200 while this process answers and reaches its database, else 503."""
    if not _database_answers():
        return JsonResponse(_NO_DATABASE, status=503)
    return JsonResponse({"status": "ok"})


@require_safe
@never_cache
def readyz(request: HttpRequest) -> JsonResponse:
    """200 while mail flows, 503 with a critical alarm or without a database. Codes and levels alone: whoever
    may ask need not be known."""
    if not _database_answers():
        return JsonResponse(_NO_DATABASE, status=503)
    found = alarms.lately(timezone.now(), "")
    critical = any(alarm.level is Level.CRITICAL for alarm in found)
    body = {
        "status": "not ready" if critical else "ready",
        "alarms": [{"code": alarm.code, "level": alarm.level.value} for alarm in found],
    }
    return JsonResponse(body, status=503 if critical else 200)


def _database_answers() -> bool:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
            cursor.fetchone()
    except DatabaseError:
        return False
    return True
