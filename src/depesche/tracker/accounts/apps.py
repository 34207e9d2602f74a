from django.apps import AppConfig


class AccountsConfig(AppConfig):
    name = "depesche.tracker.accounts"
    label = "depesche_accounts"
    default_auto_field = "django.db.models.BigAutoField"
    worker_tasks = ("depesche.tracker.accounts.resets.AnswerResetRequests",)
