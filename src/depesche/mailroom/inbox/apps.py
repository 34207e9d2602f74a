from django.apps import AppConfig


class InboxConfig(AppConfig):
    name = "depesche.mailroom.inbox"
    label = "depesche_inbox"
    default_auto_field = "django.db.models.BigAutoField"
