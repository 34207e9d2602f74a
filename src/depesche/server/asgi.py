"""The ASGI application of the server."""

from __future__ import annotations

import os

from django.core.asgi import get_asgi_application

from depesche.server.body_limit import BodyLimit

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "depesche.server.settings")
application = BodyLimit(get_asgi_application())
