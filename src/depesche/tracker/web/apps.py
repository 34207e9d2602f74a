from django.apps import AppConfig


class WebConfig(AppConfig):
    name = "depesche.tracker.web"
    label = "depesche_web"
    default_auto_field = "django.db.models.BigAutoField"
