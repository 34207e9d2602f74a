from __future__ import annotations

from django.urls import path

from depesche.tracker.api import metrics
from depesche.tracker.api.rest import api

urlpatterns = [
    path("api/v1/", api.urls),
    path("metrics", metrics.metrics, name="metrics"),
]
