from django.apps import AppConfig


class ApiConfig(AppConfig):
    name = "depesche.tracker.api"
    label = "depesche_api"
    default_auto_field = "django.db.models.BigAutoField"
