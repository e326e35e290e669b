"""What every command of the desk takes (addresses, key, `--json`), and how results and refusals leave it."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit

import click
import httpx
from click.core import ParameterSource
from pydantic import BaseModel, JsonValue, SecretStr

from desk import colours, wording
from desk.client import Addresses, Client
from newsroom.errors import FieldError, Invalid, Misconfigured, NewsroomError
from newsroom.ids import ARTICLE_ID, is_event_id

KEY_FILE = "publisher.key"
_INTERRUPTED = 128 + 2
"""As a shell tells of a program that SIGINT has ended."""
CommandT = TypeVar("CommandT", bound=Callable[..., Any])


@dataclass
class Given:
    """What the command line and the environment say. The options may stand before or after the command."""

    url: str = "http://127.0.0.1:8001"
    store_url: str = "http://127.0.0.1:8002"
    site_url: str = "http://127.0.0.1:8000"
    key: str | None = None
    as_json: bool = False
    transport: httpx.BaseTransport | None = None
    pause: Callable[[float], None] = time.sleep
    clock: Callable[[], float] = time.monotonic

    def client(self, *, key_needed: bool = False, otherwise: str = "") -> Client:
        """A client of the newsroom that is meant. Raises: Misconfigured without a usable address or key;
        `otherwise` says what can be done without one.
        """
        addresses = Addresses(_address(self.url), _address(self.store_url), _address(self.site_url))
        key = find_key(self.key)
        if key is None and key_needed:
            raise Misconfigured(
                f"no key: pass --key, set NEWSROOM_KEY, or run where `newsroom up` wrote {_home() / KEY_FILE}"
                f"{otherwise}"
            )
        return Client(addresses, key, transport=self.transport, pause=self.pause)

    def show(self, result: BaseModel | Sequence[BaseModel], lines: Sequence[str]) -> None:
        """A result on stdout: lines for people, or with --json the whole for scripts."""
        if self.as_json:
            echo_json(to_json(result))
        else:
            for line in lines:
                click.echo(line)


def desk_options(command: CommandT) -> CommandT:
    """Adds the options that every command has."""
    for option in (
        json_option,
        _option(
            "--key", envvar="NEWSROOM_KEY", metavar="KEY", help="API key; else the file that `up` wrote."
        ),
        _option("--site-url", envvar="NEWSROOM_SITE_URL", metavar="URL", help="Where the site answers."),
        _option("--store-url", envvar="NEWSROOM_STORE_URL", metavar="URL", help="Where the store answers."),
        _option("--url", envvar="NEWSROOM_URL", metavar="URL", help="Where ingest answers."),
    ):
        command = option(command)
    return command


def json_option(command: CommandT) -> CommandT:
    """Adds `--json` alone, for a command that speaks to nobody over HTTP."""
    return _option("--json", "as_json", is_flag=True, help="Print JSON, for scripts.")(command)


def given() -> Given:
    """What was given to the command that runs now."""
    return click.get_current_context().find_root().ensure_object(Given)


def complain(text: str) -> None:
    """A line for the person, beside the result."""
    click.echo(text, err=True)


def echo_json(value: JsonValue) -> None:
    click.echo(json.dumps(value, ensure_ascii=False))


def to_json(result: BaseModel | Sequence[BaseModel]) -> JsonValue:
    """A result as JSON: absent fields are left out."""
    if isinstance(result, BaseModel):
        dumped: JsonValue = result.model_dump(mode="json", exclude_none=True)
        return dumped
    return [to_json(item) for item in result]


class Desk(click.Group):
    """The root command: ends with one line and a documented code where the newsroom refuses."""

    def invoke(self, ctx: click.Context) -> Any:
        """Runs the command. Ctrl-C ends it like any program: code 130, no traceback."""
        colours.settle(ctx)
        try:
            return super().invoke(ctx)
        except NewsroomError as error:
            self._refuse(ctx, error)
        except KeyboardInterrupt:
            complain("")
            ctx.exit(_INTERRUPTED)

    def _refuse(self, ctx: click.Context, error: NewsroomError) -> None:
        first, *others = wording.error_lines(error)
        complain(f"{colours.bad('Error')}: {first}")
        for line in others:
            complain(line)
        code = wording.exit_code(error)
        if ctx.ensure_object(Given).as_json:
            fields: tuple[FieldError, ...] = error.errors if isinstance(error, Invalid) else ()
            listed: list[JsonValue] = [{"pointer": field.pointer, "detail": field.detail} for field in fields]
            echo_json({"error": first, "exit_code": code, "errors": listed})
        ctx.exit(code)


class ArticleIdType(click.ParamType[str]):
    """An article id, checked before anything is sent."""

    name = "ID"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Raises: BadParameter."""
        if not ARTICLE_ID.fullmatch(str(value)):
            self.fail(f"{value!r} is no article id: letters, digits, - and _, at most 64", param, ctx)
        return str(value)


class EntryIdType(ArticleIdType):
    """An entry id, which has the form of an article's."""

    name = "ENTRY"


class EventIdType(click.ParamType[str]):
    """An event id, checked before anything is sent."""

    name = "EVENT"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Raises: BadParameter."""
        if not is_event_id(str(value)):
            self.fail(f"{value!r} is no event id: `evt_` and 26 characters, as `post` prints it", param, ctx)
        return str(value)


def find_key(key: str | None) -> SecretStr | None:
    """The key given, else the one that `newsroom up` wrote. Raises: Misconfigured for what is no key."""
    if key is None:
        path = _home() / KEY_FILE
        try:
            key = path.read_text(encoding="ascii").strip()
        except FileNotFoundError:
            return None
        except (OSError, UnicodeDecodeError) as error:
            raise Misconfigured(f"{path} cannot be read as a key: pass --key or set NEWSROOM_KEY") from error
    if not key or not key.isascii() or not key.isprintable() or " " in key:
        raise Misconfigured("the key is empty or has characters that no key has: check --key or NEWSROOM_KEY")
    return SecretStr(key)


def _home() -> Path:
    return Path(os.environ.get("NEWSROOM_HOME") or ".newsroom")


def _address(url: str) -> str:
    """An address without a slash at its end. Raises: Misconfigured."""
    try:
        parts = urlsplit(url)
        is_web = parts.scheme in ("http", "https") and bool(parts.hostname) and (parts.port or 1) > 0
    except ValueError:
        is_web = False
    if not is_web:
        raise Misconfigured(f"{url!r} is no web address: write one like http://127.0.0.1:8001")
    return url.rstrip("/")


def _option(*names: str, **attributes: Any) -> Callable[[CommandT], CommandT]:
    return click.option(*names, expose_value=False, callback=_remember, **attributes)


def _remember(ctx: click.Context, param: click.Parameter, value: str | bool | None) -> None:
    """Keeps what was typed, wherever it stood; the environment only where nothing was typed."""
    root = ctx.find_root()
    kept = root.ensure_object(Given)
    name = param.name or ""
    typed: set[str] = root.meta.setdefault("desk.typed", set())
    if ctx.get_parameter_source(name) is ParameterSource.COMMANDLINE:
        typed.add(name)
    elif value is None or name in typed or value is False:
        return
    setattr(kept, name, value)
