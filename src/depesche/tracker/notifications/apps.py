from django.apps import AppConfig


class NotificationsConfig(AppConfig):
    name = "depesche.tracker.notifications"
    label = "depesche_notifications"
    default_auto_field = "django.db.models.BigAutoField"
    worker_tasks = (
        "depesche.tracker.notifications.planner.PlanNotices",
        "depesche.tracker.notifications.reminders.SendReminders",
    )
