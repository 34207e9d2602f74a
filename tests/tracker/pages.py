"""The addresses that mails link to, without the pages behind them."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.urls import include, path


def page(request: HttpRequest, **_parts: str) -> HttpResponse:
    return HttpResponse()


_web = (
    [
        path("items/<str:key>", page, name="item"),
        path("files/<int:file_id>/<str:filename>", page, name="file"),
        path("me/", page, name="me"),
        path("work/", page, name="my-work"),
        path("unsubscribe/<str:token>/", page, name="unsubscribe"),
        path("password/<str:uid>/<str:token>", page, name="set-password"),
        path("password", page, name="password-reset"),
    ],
    "web",
)
urlpatterns = [path("", include(_web))]
