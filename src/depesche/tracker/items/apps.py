from django.apps import AppConfig


class ItemsConfig(AppConfig):
    name = "depesche.tracker.items"
    label = "depesche_items"
    default_auto_field = "django.db.models.BigAutoField"
