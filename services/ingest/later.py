"""What editors may ask for only from a later release on, refused in one place and in plain words.

Scheduling, embargoes and live articles. Nothing that a client sends is dropped silently: what says "no"
(`null`, `false`) passes, everything else is an error that tells what to do instead. With the release that
brings them, this module goes.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from newsroom.articles import Contract


def _nothing(instead: str) -> BeforeValidator:
    def refuse(value: Any) -> None:
        if value is not None:
            raise ValueError(f"is not in this release: {instead}")

    return BeforeValidator(refuse)


def _not_live(value: Any) -> Any:
    if value is True:
        raise ValueError("is not in this release: publish an article and send updates")
    return value


class NotYet(Contract):
    """The fields themselves. They are part of no event."""

    publish_at: Annotated[
        None, _nothing("scheduled publication comes later: save it as a draft and publish it when it is due")
    ] = Field(default=None, description="Scheduled publication: not in this release, only null")
    embargo_until: Annotated[
        None, _nothing("embargoes come later: save it as a draft and publish it when the embargo ends")
    ] = Field(default=None, description="Embargo: not in this release, only null")
    breaking_until: Annotated[
        None,
        _nothing("breaking does not end by itself yet: amend the article with breaking false when it does"),
    ] = Field(default=None, description="End of breaking: not in this release, only null")
    live: Annotated[Literal[False], BeforeValidator(_not_live)] = Field(
        default=False, description="Live articles: not in this release, only false"
    )
