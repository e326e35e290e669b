"""Colours, for a terminal only: `click.echo` takes them out anywhere else, and where NO_COLOR is set."""

from __future__ import annotations

import os

import click

from newsroom.outcomes import EventState

_STATES = {
    EventState.ACCEPTED: None,
    EventState.STORED: "cyan",
    EventState.RENDERED: "green",
    EventState.REJECTED: "red",
    EventState.DEAD_LETTERED: "red",
}


def settle(ctx: click.Context) -> None:
    """Whether this run has colours at all (https://no-color.org); else each stream decides for itself."""
    if os.environ.get("NO_COLOR"):
        ctx.color = False


def state(text: str, which: EventState) -> str:
    """A word in the colour of a state."""
    colour = _STATES[which]
    return click.style(text, fg=colour) if colour else text


def added(text: str) -> str:
    return click.style(text, fg="green")


def removed(text: str) -> str:
    return click.style(text, fg="red")


def bad(text: str) -> str:
    return click.style(text, fg="red")


def strong(text: str) -> str:
    return click.style(text, bold=True)
