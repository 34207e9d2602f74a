from django.apps import AppConfig


class CorrespondenceConfig(AppConfig):
    name = "depesche.tracker.correspondence"
    label = "depesche_correspondence"
    default_auto_field = "django.db.models.BigAutoField"
    worker_tasks = ("depesche.tracker.correspondence.undelivered.TellWriters",)
