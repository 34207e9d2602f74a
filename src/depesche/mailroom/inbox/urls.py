from __future__ import annotations

from django.urls import path

from depesche.mailroom.inbox import views

app_name = "inbox"
urlpatterns = [
    path("", views.received_list, name="list"),
    path("<int:received_id>", views.detail, name="detail"),
    path("<int:received_id>/html", views.html, name="html"),
    path("<int:received_id>/source", views.source, name="source"),
    path("<int:received_id>/accept", views.accept, name="accept"),
    path("<int:received_id>/discard", views.discard, name="discard"),
    path("<int:received_id>/replay", views.replay, name="replay"),
]
