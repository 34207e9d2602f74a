from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _

from depesche.mailroom.pages import places


class WebConfig(AppConfig):
    name = "depesche.tracker.web"
    label = "depesche_web"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        places.register("people", _("People"), "web:people", order=80)
        places.register("workspaces", _("Workspaces"), "web:workspaces", order=90)
