"""In another Django project: what the README says is put into a project as `startproject` makes it, and does
what it promises. The project has users of its own, without an address, and the pages lie below `/intern/`.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import django
import pytest

from depesche.smtpclient.testing.server import FakeServer, in_thread

pytestmark = [pytest.mark.journey]

BACKEND = "depesche.mailroom.outbox.backend.OutboxBackend"
README = Path(__file__).resolve().parents[2] / "README.md"
OWN = """
INSTALLED_APPS.insert(0, "people")
AUTH_USER_MODEL = "people.Human"
ALLOWED_HOSTS = ["localhost"]
"""
PEOPLE = """
import uuid
from django.contrib.auth.models import AbstractBaseUser, BaseUserManager, PermissionsMixin
from django.db import models

class Human(AbstractBaseUser, PermissionsMixin):
    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    phone = models.CharField(max_length=40, unique=True)
    is_staff = models.BooleanField(default=False)
    is_active = models.BooleanField(default=True)
    USERNAME_FIELD = "phone"
    objects = BaseUserManager()
"""
SEND = """
from django.core.mail import send_mail
from django.db import transaction
send_mail("Hello", "text", None, ["a@example.org", "b@example.org"])
try:
    with transaction.atomic():
        send_mail("Never", "text", None, ["a@example.org"])
        raise ZeroDivisionError
except ZeroDivisionError:
    pass
"""
WALK = """
import re
from django.contrib.auth import get_user_model
from django.test import Client
client = Client(headers={"host": "localhost"})
assert client.get("/intern/mail/").headers["Location"].startswith("/intern/admin/login/?next=")
client.force_login(get_user_model().objects.create(phone="+49", is_staff=True))
seen, waiting = set(), ["/intern/mail/"]
while waiting:
    path = waiting.pop()
    if path in seen:
        continue
    seen.add(path)
    answer = client.get(path)
    assert answer.status_code == 200, (path, answer.status_code)
    waiting += re.findall(r'(?:href|hx-get)="(/intern/mail/[^"#?]*)', answer.content.decode())
print(len(seen))
"""


def blocks() -> tuple[str, str]:
    """What the README tells to write into settings.py and urls.py."""
    section = README.read_text().partition("## In another Django project")[2].partition("\n## ")[0]
    code = re.search(r"```python\n(.*?)```", section, re.DOTALL)
    assert code is not None
    settings, found, urls = code[1].partition("# urls.py")
    assert found
    return settings, urls.partition("\n")[2]


@pytest.fixture
def project(tmp_path: Path) -> Path:
    settings, urls = blocks()
    if django.VERSION < (6, 1):
        settings = re.sub(r"(?m)^MAILERS = .*$", f'EMAIL_BACKEND = "{BACKEND}"', settings)
    subprocess.run([sys.executable, "-m", "django", "startproject", "shop", tmp_path], check=True, timeout=60)
    people = tmp_path / "people"
    (people / "migrations").mkdir(parents=True)
    for folder in (people, people / "migrations"):
        (folder / "__init__.py").touch()
    (people / "models.py").write_text(PEOPLE)
    file = tmp_path / "shop" / "settings.py"
    file.write_text(file.read_text() + OWN + settings)
    (tmp_path / "shop" / "urls.py").write_text(
        "from django.contrib import admin\nfrom django.urls import include, path\n"
        'urlpatterns = [path("admin/", admin.site.urls)]\n'
        f'{urls}\nurlpatterns = [path("intern/", include(list(urlpatterns)))]\n'
    )
    return tmp_path


def test_a_strangers_project_sends_and_shows_its_mails(project: Path) -> None:
    env = {k: v for k, v in os.environ.items() if not k.startswith(("DEPESCHE_", "DJANGO_"))}

    def manage(*words: str) -> str:
        done = subprocess.run(
            [sys.executable, "-W", "error", "manage.py", *words],
            cwd=project, env=env, capture_output=True, text=True, timeout=120, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        return done.stdout

    manage("makemigrations", "people")
    assert "no issues" in manage("check")
    manage("migrate")
    manage("makemigrations", "--check", "--dry-run")
    with in_thread(FakeServer()) as server:
        manage(
            "connection", "set", "host=127.0.0.1", f"port={server.port}", "encryption=none", "auth=none",
            "system_address=shop@example.org",
        )  # fmt: skip
        manage("shell", "-c", SEND)
        assert "2 accepted" in manage("worker", "--drain")
        assert sorted(mail.recipients[0] for mail in server.messages) == ["a@example.org", "b@example.org"]
    rows = [json.loads(line) for line in manage("outbox", "list", "--json").splitlines()]
    assert [row["state"] for row in rows] == ["accepted", "accepted"]
    assert int(manage("shell", "-c", WALK).split()[-1]) > 8
