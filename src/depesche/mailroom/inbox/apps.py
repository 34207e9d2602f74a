from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class InboxConfig(AppConfig):
    name = "depesche.mailroom.inbox"
    label = "depesche_inbox"
    default_auto_field = "django.db.models.BigAutoField"
    worker_tasks = (
        "depesche.mailroom.inbox.polling.PollMailboxes",
        "depesche.mailroom.inbox.processing.ProcessMails",
    )

    def ready(self) -> None:
        from depesche.mailroom.connections import alarms, figures
        from depesche.mailroom.connections.diagnosis import arrival
        from depesche.mailroom.inbox import queries, standing
        from depesche.mailroom.pages import places

        figures.register_inbox(standing.figures)
        alarms.register("inbox", standing.alarms)
        arrival.ask(standing.stored)
        places.register("inbox", _("Inbox"), "inbox:list", order=60, count=queries.held_count)
