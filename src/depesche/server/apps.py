from django.apps import AppConfig


class ServerConfig(AppConfig):
    name = "depesche.server"
    label = "depesche_server"

    def ready(self) -> None:
        from depesche.mailroom.connections import alarms
        from depesche.server import disk

        alarms.register("disk", disk.alarms)
