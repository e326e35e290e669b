"""Home, sections below it, articles below these: the tree that a news site in Wagtail has."""

from __future__ import annotations

from typing import Any

from django.db import models
from django.http import HttpRequest
from modelcluster.contrib.taggit import ClusterTaggableManager
from modelcluster.fields import ParentalKey
from taggit.models import TaggedItemBase
from wagtail.fields import RichTextField
from wagtail.models import Page

NEWEST = 60
"""As many as a front of the newsroom shows."""


class ArticleTag(TaggedItemBase):
    """A tag on an article."""

    content_object = ParentalKey("ArticlePage", related_name="tagged_items", on_delete=models.CASCADE)


class ArticlePage(Page):
    """An article. Its section is its parent."""

    wagtail_reference_index_ignore = True  # what refers to what is for editors alone, and costs queries

    deck = models.CharField(max_length=500, blank=True)
    body = RichTextField()
    authors = models.CharField(max_length=500, blank=True)
    dateline = models.CharField(max_length=200, blank=True)
    tags = ClusterTaggableManager(through=ArticleTag, blank=True)

    parent_page_types = ("wagtailsite.SectionPage",)

    def get_context(self, request: HttpRequest, *args: Any, **kwargs: Any) -> dict[str, Any]:
        return _framed(super().get_context(request, *args, **kwargs)) | {"section": self.get_parent()}


class SectionPage(Page):
    """A section, which lists its newest articles."""

    template = "wagtailsite/listing.html"
    parent_page_types = ("wagtailsite.HomePage",)

    def get_context(self, request: HttpRequest, *args: Any, **kwargs: Any) -> dict[str, Any]:
        context = _framed(super().get_context(request, *args, **kwargs))
        return context | {"articles": newest(ArticlePage.objects.child_of(self))}


class HomePage(Page):
    """The front, which lists the newest articles of all."""

    template = "wagtailsite/listing.html"

    def get_context(self, request: HttpRequest, *args: Any, **kwargs: Any) -> dict[str, Any]:
        return _framed(super().get_context(request, *args, **kwargs)) | {"articles": newest()}


def newest(articles: Any = None) -> Any:
    """The newest articles, the newest first, with what a listing shows of them in few queries."""
    found = ArticlePage.objects.all() if articles is None else articles
    return found.live().order_by("-first_published_at")[:NEWEST]


def _framed(context: dict[str, Any]) -> dict[str, Any]:
    """With what stands on every page: the sections."""
    return context | {"sections": SectionPage.objects.live().order_by("title")}
