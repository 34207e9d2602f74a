"""The frame in another Django project: without the tracker, with Django's own users."""

from __future__ import annotations

import subprocess
import sys
import textwrap

PROJECT = """
    import django
    from django.conf import settings

    settings.configure(
        SECRET_KEY="x",
        USE_TZ=True,
        INSTALLED_APPS=[
            "depesche.mailroom.pages", "django_htmx",
            "django.contrib.auth", "django.contrib.contenttypes",
            "django.contrib.sessions", "django.contrib.messages", "django.contrib.staticfiles",
        ],
        ROOT_URLCONF="django.contrib.auth.urls",
        STATIC_URL="static/",
        TEMPLATES=[{
            "BACKEND": "django.template.backends.django.DjangoTemplates",
            "APP_DIRS": True,
            "OPTIONS": {"context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]},
        }],
    )
    django.setup()
    from django.contrib.auth.models import User
    from django.contrib.messages.storage.cookie import CookieStorage
    from django.http import HttpResponse
    from django.template import engines
    from django.test import RequestFactory
    from depesche.mailroom.pages import places
    from depesche.mailroom.pages.rights import administrators_only

    places.register("outgoing", "Outgoing", "password_change", order=10)
    request = RequestFactory().get("/x/")
    request.user = User(username="<boss>", first_name="Ann", last_name="Lee", is_staff=True)
    request._messages = CookieStorage(request)
    text = (
        '{% extends "depesche/page.html" %}{% load depesche %}{% block title %}Mail{% endblock %}'
        '{% block tabs %}{% admin_tabs "outgoing" %}{% endblock %}'
        '{% block content %}{% state_word "accepted" %}{% avatar user %}{% endblock %}'
    )
    template = engines["django"].from_string(text)
    page = template.render({}, request)
    assert "<title>Mail – Depesche</title>" in page
    assert "&lt;boss&gt;" in page and "<boss>" not in page
    assert ">AL</span>" in page
    assert 'href="/password_change/" aria-current="page"' in page
    assert administrators_only(lambda request: HttpResponse("in"))(request).content == b"in"
    print("fine")
"""


def test_the_frame_stands_alone() -> None:
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", textwrap.dedent(PROJECT)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stdout) == (0, "fine\n"), done.stderr
