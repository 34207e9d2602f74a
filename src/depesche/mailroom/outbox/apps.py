from django.apps import AppConfig


class OutboxConfig(AppConfig):
    name = "depesche.mailroom.outbox"
    label = "depesche_outbox"
    default_auto_field = "django.db.models.BigAutoField"
