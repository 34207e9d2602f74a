from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class ConnectionsConfig(AppConfig):
    name = "depesche.mailroom.connections"
    label = "depesche_connections"
    default_auto_field = "django.db.models.BigAutoField"
    worker_tasks = (
        "depesche.mailroom.connections.oauth.renewal.RenewTokens",
        "depesche.mailroom.connections.presented.task.WatchCertificates",
        "depesche.mailroom.connections.watching.task.WatchMail",
        "depesche.mailroom.connections.domain.looking.LookAtDomains",
    )

    def ready(self) -> None:
        from depesche.mailroom.connections import alarms
        from depesche.mailroom.connections import checks as _checks  # noqa: F401  it registers itself
        from depesche.mailroom.connections.oauth import watch as oauth_watch
        from depesche.mailroom.connections.presented import watch as presented_watch
        from depesche.mailroom.connections.watching import refused_senders, sources
        from depesche.mailroom.pages import places

        alarms.register("way-out", sources.way_out, order=10)
        alarms.register("way-in", sources.way_in)
        alarms.register("signing", sources.signing)
        alarms.register("senders", refused_senders.refused)
        alarms.register("oauth", oauth_watch.alarms)
        alarms.register("certificates", presented_watch.alarms)
        places.register("mail-status", _("Mail status"), "connections:status", order=10)
        places.register("outgoing", _("Outgoing"), "connections:outgoing", order=20)
        places.register("incoming", _("Incoming"), "connections:incoming", order=30)
        places.register("keystore", _("Keystore"), "connections:keystore", order=40)
        places.register("domain", _("Domain"), "connections:domain", order=45)
        places.register("history", _("History"), "connections:history", order=75)
        places.register("alarms", _("Alarms"), "connections:alarms", order=70)
