from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class OutboxConfig(AppConfig):
    name = "depesche.mailroom.outbox"
    label = "depesche_outbox"
    default_auto_field = "django.db.models.BigAutoField"
    worker_tasks = ("depesche.mailroom.outbox.addresses.WatchRefusals",)
    inbox_handlers = ("depesche.mailroom.bounces.BounceHandler",)

    def ready(self) -> None:
        from depesche.mailroom.connections import alarms, figures
        from depesche.mailroom.outbox import checks as _checks  # noqa: F401  it registers itself
        from depesche.mailroom.outbox import queries, standing
        from depesche.mailroom.pages import places

        figures.register_outbox(standing.figures, waiting=standing.waiting)
        alarms.register("outbox", standing.alarms)
        places.register("outbox", _("Outbox"), "outbox:list", order=50, count=queries.needs_a_person)
