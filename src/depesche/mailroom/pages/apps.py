from django.apps import AppConfig


class PagesConfig(AppConfig):
    name = "depesche.mailroom.pages"
    label = "depesche_pages"
    default_auto_field = "django.db.models.BigAutoField"
