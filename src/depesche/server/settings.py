"""Django settings of the server. What differs between installations comes from the environment."""

from __future__ import annotations

from urllib.parse import urlsplit

import django
from django.utils.translation import gettext_lazy as _

from depesche.server import keyfile
from depesche.server.environment import Environment, database_settings

ENVIRONMENT = Environment.read()

# Without a key file nothing starts (cli.py says so in a sentence); tools that only read settings still can.
_key = keyfile.read(ENVIRONMENT.key_file) if ENVIRONMENT.key_file.exists() else b""
SECRET_KEY = keyfile.derive(_key, "django").hex() if _key else ""
DEPESCHE_KEYS = [keyfile.derive(_key, "secrets-at-rest")] if _key else []
DEPESCHE_BASE_URL = ENVIRONMENT.base_url
DEPESCHE_NAME_SERVERS = ENVIRONMENT.name_servers
DEPESCHE_OAUTH_ADDRESSES = ENVIRONMENT.oauth_addresses

DEBUG = False
ALLOWED_HOSTS = ["*"]  # links in mails come from DEPESCHE_BASE_URL alone, never from a Host header
CSRF_TRUSTED_ORIGINS = [DEPESCHE_BASE_URL]
_https = urlsplit(DEPESCHE_BASE_URL).scheme == "https"
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if _https else None
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = _https
SESSION_COOKIE_HTTPONLY = True
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "SAMEORIGIN"

INSTALLED_APPS = [
    "depesche.server",
    "depesche.tracker.web",
    "depesche.tracker.api",
    "depesche.tracker.correspondence",
    "depesche.tracker.notifications",
    "depesche.tracker.threads",
    "depesche.tracker.items",
    "depesche.tracker.accounts",
    "depesche.mailroom.inbox",
    "depesche.mailroom.outbox",
    "depesche.mailroom.connections",
    "depesche.mailroom.pages",
    "django_htmx",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "servestatic.middleware.ServeStaticMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "depesche.mailroom.pages.middleware.ContentSecurityPolicy",
    "depesche.mailroom.pages.middleware.LocalTime",
    "depesche.tracker.web.middleware.PersonLanguage",
]

ROOT_URLCONF = "depesche.server.urls"
ASGI_APPLICATION = "depesche.server.asgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.template.context_processors.i18n",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "depesche.tracker.web.context.navigation",
            ]
        },
    }
]

DATABASES = {"default": database_settings(ENVIRONMENT)}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

AUTH_USER_MODEL = "depesche_accounts.Person"
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.Argon2PasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator"},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
LOGIN_URL = "web:sign-in"
LOGIN_REDIRECT_URL = "web:home"
PASSWORD_RESET_TIMEOUT = 24 * 3600

LANGUAGE_CODE = "en"
LANGUAGES = [("en", _("English")), ("de", _("German"))]
USE_I18N = True
USE_TZ = True
TIME_ZONE = "UTC"

STATIC_URL = "static/"
STATIC_ROOT = ENVIRONMENT.home / "static"
SERVESTATIC_USE_FINDERS = True

DATA_UPLOAD_MAX_MEMORY_SIZE = 30 * 1024 * 1024
FILE_UPLOAD_MAX_MEMORY_SIZE = 30 * 1024 * 1024

_backend = "depesche.mailroom.outbox.backend.OutboxBackend"
if django.VERSION >= (6, 1):  # which calls EMAIL_BACKEND deprecated
    MAILERS = {"default": {"BACKEND": _backend}}
else:
    EMAIL_BACKEND = _backend
DEPESCHE_INBOX_HANDLERS = [
    "depesche.mailroom.bounces.BounceHandler",
    "depesche.tracker.correspondence.complaints.ComplaintHandler",
    "depesche.tracker.correspondence.handler.CorrespondenceHandler",
]
DEPESCHE_RIGHTS_CHECK = "depesche.tracker.notifications.rights.withdrawn"
DEPESCHE_MAILBOX_WORKSPACES = "depesche.tracker.items.queries.workspace_choices"

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "{asctime} {levelname} {name}: {message}", "style": "{"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["stderr"], "level": "INFO"},
    "loggers": {name: {"level": "WARNING"} for name in ("uvicorn", "mail.log", "asyncio")},
}
