"""Where each room's pages hang."""

from __future__ import annotations

from django.urls import include, path

urlpatterns = [
    path("mail/", include("depesche.mailroom.connections.urls")),
    path("mail/outbox/", include("depesche.mailroom.outbox.urls")),
    path("mail/inbox/", include("depesche.mailroom.inbox.urls")),
    path("catcher/", include("depesche.server.catcher.urls")),
    path("", include("depesche.tracker.api.urls")),
    path("", include("depesche.tracker.web.urls")),
]
handler500 = "depesche.tracker.web.views.errors.server_error"
