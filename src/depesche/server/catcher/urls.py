from __future__ import annotations

from django.urls import path

from depesche.server.catcher import views

app_name = "catcher"
urlpatterns = [
    path("", views.mails, name="mails"),
    path("write", views.write, name="write"),
    path("clear", views.clear, name="clear"),
    path("<str:name>", views.mail, name="mail"),
    path("<str:name>/html", views.html, name="html"),
    path("<str:name>/reply", views.reply, name="reply"),
]
