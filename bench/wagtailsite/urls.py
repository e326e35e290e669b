"""What answers where."""

from __future__ import annotations

from django.urls import include, path
from wagtail import urls as wagtail_urls

from bench.wagtailsite.feeds import NewestArticles
from bench.wagtailsite.views import publish

urlpatterns = [
    path("articles", publish),
    path("feed.atom", NewestArticles()),
    path("", include(wagtail_urls)),
]
