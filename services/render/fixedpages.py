"""What pages may use that are of no article and no listing: those that say why nothing stands there."""

from __future__ import annotations

from dataclasses import dataclass

from services.render.contexts import Head


@dataclass(frozen=True)
class ErrorPage:
    """Why nothing stands here."""

    head: Head
    status: int
    title: str
    text: str


_ERRORS = {
    401: (
        "A preview needs a key",
        "Load the page again and give your API key as the password; the name does not matter.",
    ),
    403: (
        "This key may not see previews",
        "They are for reporters and up. Ask a publisher for a key with that role.",
    ),
    404: (
        "There is no page here",
        "The address may be mistyped, or it never was one of ours. Nothing that we published has been moved "
        "without leaving a way to its new place.",
    ),
    410: (
        "This article has been taken down",
        "It is not public at the moment. Should it come back, it will be at this same address.",
    ),
    503: (
        "We will be right back",
        "The site cannot answer just now. Nothing is lost; please load the page again in a moment.",
    ),
}


def error_page(status: int) -> ErrorPage:
    """The page for a status that stands for no page."""
    title, text = _ERRORS[status]
    return ErrorPage(Head(title), status, title, text)
