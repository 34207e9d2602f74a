from django.apps import AppConfig


class PagesConfig(AppConfig):
    name = "depesche.mailroom.pages"
    label = "depesche_pages"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from depesche.mailroom.pages import checks as _checks  # noqa: F401  it registers itself
