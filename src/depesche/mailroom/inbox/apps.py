from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class InboxConfig(AppConfig):
    name = "depesche.mailroom.inbox"
    label = "depesche_inbox"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from depesche.mailroom.inbox import queries
        from depesche.mailroom.pages import places

        places.register("inbox", _("Inbox"), "inbox:list", order=60, count=queries.held_count)
