"""kill -9 of a real planner, again and again, in the middle: nobody is forgotten, nobody told twice."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
from pathlib import Path

import pytest

WATCHERS, KILLS = 240, 5

_PREPARE = f"""
import django; django.setup()
from django.core.management import call_command
from django.utils import timezone
from depesche.tracker.items import actions, bulk, queries
call_command("migrate", verbosity=0)
first, _last = bulk.demo_data(
    people={WATCHERS + 1}, items=1, watchers={WATCHERS}, password=None, now=timezone.now()
)
item = queries.find_item(str(first))
actions.add_comment(item, author=item.author, text="hello")
"""

_PLAN = """
import django; django.setup()
import threading
from django.utils import timezone
from depesche.tracker.notifications import planner
planner.CHUNK = 5
real = planner._write
def write(*args, **named):
    print("chunk", flush=True)
    done = real(*args, **named)
    print("chunk", flush=True)
    return done
planner._write = write
task = planner.PlanNotices()
while task.run(timezone.now(), threading.Event()):
    pass
print("done", flush=True)
"""

_COUNT = """
import django; django.setup()
import json
from depesche.mailroom.outbox import queries
from depesche.tracker.items.models import ItemEvent
from depesche.tracker.notifications.models import Notice
rows = queries.recipients(limit=10000)
print(json.dumps({
    "mails": len(rows),
    "people": len({row.recipient for row in rows}),
    "ids": len({row.message_id for row in rows}),
    "notices": Notice.objects.exclude(recipient=None).count(),
    "open": ItemEvent.objects.filter(planned_at=None).count(),
}))
"""


def python(script: str, home: Path) -> subprocess.Popen[str]:
    environment = os.environ | {
        "DEPESCHE_HOME": str(home),
        "DJANGO_SETTINGS_MODULE": "depesche.server.settings",
    }
    for name in ("DEPESCHE_DATABASE_URL", "DEPESCHE_SECRET_KEY_FILE"):
        environment.pop(name, None)
    return subprocess.Popen(
        [sys.executable, "-c", script], env=environment, stdout=subprocess.PIPE, text=True, cwd=home
    )


@pytest.mark.journey
def test_a_planner_killed_in_the_middle(tmp_path: Path) -> None:
    from depesche.server import keyfile

    keyfile.create(tmp_path / "secret.key")
    with python(_PREPARE, tmp_path) as prepared:
        assert prepared.wait() == 0
    chance = random.Random(7)
    kills = 0
    while kills < KILLS:
        with python(_PLAN, tmp_path) as planner:
            assert planner.stdout is not None
            patience = chance.randrange(1, 12)
            for line in planner.stdout:
                patience -= 1
                if line == "done\n" or not patience:
                    break
            planner.send_signal(signal.SIGKILL)
        if line == "done\n":
            break
        kills += 1
    with python(_PLAN, tmp_path) as last:
        last.communicate()
    assert last.returncode == 0
    with python(_COUNT, tmp_path) as counting:
        counted, _ = counting.communicate()
    assert json.loads(counted) == {
        "mails": WATCHERS,
        "people": WATCHERS,
        "ids": WATCHERS,
        "notices": WATCHERS,
        "open": 0,
    }
    assert kills >= 3
