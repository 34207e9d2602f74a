from django.apps import AppConfig


class ThreadsConfig(AppConfig):
    name = "depesche.tracker.threads"
    label = "depesche_threads"
    default_auto_field = "django.db.models.BigAutoField"
