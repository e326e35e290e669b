"""What is published while it is measured: ordinary articles, the same for newsroom and floor."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from newsroom.addresses import article_path, publication_day, slugify
from newsroom.articles import ArticleText, Dateline
from newsroom.times import now
from newsroom.updates import ArticleUpdate, Change, ChangeKind, PublicArticle, Status

ZONE = "Asia/Almaty"
_SENTENCE = "Police said the man had let another two of the people go, and that the talks went on. "
_PARAGRAPHS = "".join(f"<p>{_SENTENCE * 4}</p>" for _ in range(9))
"""About 3 KB, the size of a short report. No two are quite alike: who has read one has to read the next."""


def an_article(name: str) -> ArticleText:
    """The report called so; its headline names it, so that a page tells which it is."""
    return ArticleText(
        headline=f"Talks at the bank: report {name}",
        deck="Two more people have left the building in the centre of the city.",
        body=f"<p>Report {name}.</p>{_PARAGRAPHS}",
        section="Kazakhstan",
        tags=("Astana", "Banks"),
        authors=("A. Reporter",),
        dateline=Dateline(place="Astana, Kazakhstan", timezone=ZONE),
    )


def a_request(article_id: str, article: ArticleText) -> dict[str, Any]:
    """The body of the `POST` that publishes it."""
    return {"id": article_id, **article.model_dump(mode="json", exclude_defaults=True)}


def an_update(article_id: str, article: ArticleText) -> ArticleUpdate:
    """What the store would announce of it."""
    time = now()
    public = PublicArticle(
        revision=1,
        text=article,
        section=article.section,
        language=article.language,
        dateline_place="Astana, Kazakhstan",
        timezone=ZONE,
        published_at=time,
        updated_at=time,
        bumped_at=time,
        changes=(Change(revision=1, kind=ChangeKind.PUBLISHED, time=time),),
    )
    path = page_path(article_id, article, time)
    return ArticleUpdate(article_id=article_id, revision=1, status=Status.PUBLIC, path=path, public=public)


def page_path(article_id: str, article: ArticleText, time: datetime) -> str:
    """Where the page of an article stands that is published at that time."""
    day = publication_day(time, ZONE)
    return article_path(article.section, day, slugify(article.headline), article_id)
