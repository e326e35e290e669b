"""Django's settings. `WAGTAIL_FOLDER` says where the database lies; Python is to find packages there too."""

from __future__ import annotations

import os
from pathlib import Path

_FOLDER = Path(os.environ["WAGTAIL_FOLDER"])

DEBUG = False
SECRET_KEY = "it-guards-nothing"  # noqa: S105  (no session, no login, on loopback only)
ALLOWED_HOSTS = ["127.0.0.1"]
ROOT_URLCONF = "bench.wagtailsite.urls"
INSTALLED_APPS = [
    "bench.wagtailsite",
    "wagtail.sites",
    "wagtail.users",
    "wagtail.documents",
    "wagtail.images",
    "wagtail.search",
    "wagtail.admin",
    "wagtail",
    "taggit",
    "django.contrib.auth",
    "django.contrib.contenttypes",
]
MIDDLEWARE = ["django.middleware.common.CommonMiddleware"]  # no sessions, no login: less work for a request
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,  # with DEBUG off, templates are compiled once and kept
        "OPTIONS": {"context_processors": ["django.template.context_processors.request"]},
    }
]
DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": _FOLDER / "wagtail.sqlite3",
        "CONN_MAX_AGE": None,
        "OPTIONS": {
            # Each commit is on the disk before it is answered; readers do not wait for the writer.
            "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;",
            "transaction_mode": "IMMEDIATE",
            "timeout": 30,
        },
    }
}
MIGRATION_MODULES = {"wagtailsite": "tables"}  # made from the models when it begins, beside the database
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
USE_TZ = True
TIME_ZONE = "UTC"
USE_I18N = False  # one language: nothing is looked up
STATIC_URL = "/static/"
LOGGING = {"version": 1, "disable_existing_loggers": False, "root": {"level": "ERROR", "handlers": []}}
WAGTAIL_SITE_NAME = "Bench"
WAGTAILADMIN_BASE_URL = "http://127.0.0.1"
WAGTAILSEARCH_BACKENDS = {
    # No search, so that nothing is indexed at a publication.
    "default": {"BACKEND": "wagtail.search.backends.database", "AUTO_UPDATE": False}
}
