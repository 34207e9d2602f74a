from django.apps import AppConfig


class ServerConfig(AppConfig):
    name = "depesche.server"
    label = "depesche_server"
