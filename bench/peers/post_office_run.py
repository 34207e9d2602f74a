"""django-post_office: N mails queued on SQLite, then submitted. Prints the seconds of both."""

from __future__ import annotations

import json
import os
import sys
import time


def main() -> None:
    port, count, processes, threads, home = (*map(int, sys.argv[1:5]), sys.argv[5])
    mail = json.loads(os.environ["MAIL"])
    from django.conf import settings

    settings.configure(
        INSTALLED_APPS=["django.contrib.contenttypes", "post_office"],
        DATABASES={
            "default": {
                "ENGINE": "django.db.backends.sqlite3",
                "NAME": os.path.join(home, "post_office.sqlite3"),
                "OPTIONS": {"timeout": 20, "init_command": "PRAGMA journal_mode=WAL;"},
            }
        },
        TEMPLATES=[{"BACKEND": "django.template.backends.django.DjangoTemplates"}],
        EMAIL_BACKEND="post_office.EmailBackend",
        EMAIL_HOST="127.0.0.1",
        EMAIL_PORT=port,
        DEFAULT_AUTO_FIELD="django.db.models.AutoField",
        USE_TZ=True,
        POST_OFFICE={
            "BACKENDS": {"default": "django.core.mail.backends.smtp.EmailBackend"},
            "BATCH_SIZE": 1000,
            "THREADS_PER_PROCESS": threads,
            "LOG_LEVEL": 0,
            "LOCK_FILE_NAME": os.path.join(home, "post_office.lock"),
        },
    )
    import django
    from django.core.management import call_command

    django.setup()
    call_command("migrate", verbosity=0)
    from post_office import mail as post_office
    from post_office.models import STATUS, Email

    waiting = [
        {
            "sender": "Your Server <tracker@example.org>",
            "recipients": [f"Person Number{n} <person{n}@example.org>"],
            "subject": mail["subject"],
            "message": mail["text"],
            "html_message": mail["html"],
        }
        for n in range(count)
    ]
    began = time.perf_counter()
    post_office.send_many(waiting)  # its quickest way: one INSERT for all
    queued = time.perf_counter()
    while Email.objects.filter(status=STATUS.queued).exists():
        post_office.send_queued(processes=processes, log_level=0)
    ended = time.perf_counter()
    accepted = Email.objects.filter(status=STATUS.sent).count()
    print(json.dumps({"seconds": ended - began, "drain": ended - queued, "accepted": accepted}))


if __name__ == "__main__":
    main()
