from django.apps import AppConfig


class ConnectionsConfig(AppConfig):
    name = "depesche.mailroom.connections"
    label = "depesche_connections"
    default_auto_field = "django.db.models.BigAutoField"
