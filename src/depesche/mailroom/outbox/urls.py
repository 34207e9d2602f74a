from __future__ import annotations

from django.urls import path

from depesche.mailroom.outbox import address_views, views

app_name = "outbox"
urlpatterns = [
    path("", views.recipient_list, name="list"),
    path("retry-failed", views.retry_failed, name="retry-failed"),
    path("addresses/", address_views.address_list, name="addresses"),
    path("addresses/lift/", address_views.lift, name="lift-address"),
    path("<int:recipient_id>", views.detail, name="detail"),
    path("<int:recipient_id>/retry", views.retry, name="retry"),
    path("<int:recipient_id>/cancel", views.cancel, name="cancel"),
]
