"""What pages may use that are of no article and no listing: those that say why nothing stands there."""

from __future__ import annotations

from dataclasses import dataclass

from services.render.contexts import Head
from services.render.wording import Wording, message


@dataclass(frozen=True)
class ErrorPage:
    """Why nothing stands here."""

    head: Head
    status: int
    title: str
    text: str


_ERRORS = {
    401: (
        message("A preview needs a key"),
        message("Load the page again and give your API key as the password; the name does not matter."),
    ),
    403: (
        message("This key may not see previews"),
        message("They are for reporters and up. Ask a publisher for a key with that role."),
    ),
    404: (
        message("There is no page here"),
        message(
            "The address may be mistyped, or it never was one of ours. Nothing that we published has been "
            "moved without leaving a way to its new place."
        ),
    ),
    410: (
        message("This article has been taken down"),
        message("It is not public at the moment. Should it come back, it will be at this same address."),
    ),
    503: (
        message("We will be right back"),
        message("The site cannot answer just now. Nothing is lost; please load the page again in a moment."),
    ),
}


def error_page(status: int, wording: Wording) -> ErrorPage:
    """The page for a status that stands for no page."""
    title, text = (wording.text(each) for each in _ERRORS[status])
    return ErrorPage(Head(title), status, title, text)
