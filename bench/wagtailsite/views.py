"""The door: takes the same JSON as the newsroom's `POST /articles`.

It does what Wagtail's own API for writing does, without that one's token, form and permissions.
"""

from __future__ import annotations

import json

from django.db import transaction
from django.http import HttpRequest, JsonResponse
from django.views.decorators.http import require_POST

from bench.wagtailsite.models import ArticlePage, SectionPage


@require_POST
@transaction.atomic  # one commit for all of it, so that the disk is waited for once
def publish(request: HttpRequest) -> JsonResponse:
    """Create an article and publish it; answers with its path."""
    told = json.loads(request.body)
    page = ArticlePage(
        title=told["headline"],
        slug=told["id"],
        deck=told.get("deck", ""),
        body=told["body"],
        authors=", ".join(told.get("authors", [])),
        dateline=told.get("dateline", {}).get("place", ""),
        live=False,
    )
    page.tags.add(*told.get("tags", []))
    SectionPage.objects.get(title=told["section"]).add_child(instance=page)
    page.save_revision().publish()
    return JsonResponse({"url": page.get_url(request)}, status=201)
