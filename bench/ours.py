"""Our full path in a process of its own: N notices from the composer to "accepted" in the database.

    python -m bench.ours PORT COUNT        (DEPESCHE_HOME, DEPESCHE_DATABASE_URL and MAIL in the environment)

Counted are all steps: compose, personal headers for each, enqueue and commit, claim, submit, record, and the
end of the worker. Not counted is the start of the interpreter, as for the others.
"""

from __future__ import annotations

import json
import os
import sys
import threading
import time


def main() -> None:
    port, count = int(sys.argv[1]), int(sys.argv[2])
    mail = json.loads(os.environ["MAIL"])
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "bench.settings")
    import django

    django.setup()
    from django.core.management import call_command
    from django.db import transaction
    from django.utils import timezone

    call_command("migrate", verbosity=0)
    from depesche.mailformat.addresses import Address
    from depesche.mailformat.compose import Draft, compose, personal_headers
    from depesche.mailroom.connections.models import OutgoingConnection
    from depesche.mailroom.outbox import queries
    from depesche.mailroom.outbox.actions import Category, NewMessage, NewRecipient, enqueue
    from depesche.mailroom.outbox.worker import drain

    OutgoingConnection.objects.update_or_create(
        place=0,
        defaults={
            "host": "127.0.0.1",
            "port": port,
            "encryption": "none",
            "system_address": "tracker@example.org",
            "system_name": "Your Server",
            "revision": int(time.time()),
        },
    )
    before = queries.stats().states.get("accepted", 0)
    reply_to = Address("Your Server", "tracker@example.org")
    began, cpu_began = time.perf_counter(), time.process_time()
    now = timezone.now()
    draft = Draft(mail["subject"], mail["text"], now, html=mail["html"], auto_submitted="auto-generated")
    content = compose(draft, boundary="k3jd82hs7ak2h")
    recipients = []
    for n in range(count):
        address = Address(f"Person Number{n}", f"person{n}@example.org")
        message_id = f"<{n}.k3jd82hs7ak2h@example.org>"
        header = personal_headers(to=[address], message_id=message_id, reply_to=reply_to)
        recipients.append(NewRecipient(address.addr_spec, message_id, header))
    with transaction.atomic():
        enqueue(NewMessage(Category.NOTICE, content, mail["subject"]), recipients, now=now)
    queued, cpu_queued = time.perf_counter(), time.process_time()
    drained = drain(threading.Event())
    ended, cpu_ended = time.perf_counter(), time.process_time()
    accepted = queries.stats().states.get("accepted", 0) - before
    assert not drained.reason, drained.reason
    figures = {
        "seconds": ended - began,
        "drain": ended - queued,
        "accepted": accepted,
        "cpu": cpu_ended - cpu_began,
        "drain_cpu": cpu_ended - cpu_queued,
    }
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
