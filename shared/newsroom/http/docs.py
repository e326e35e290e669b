"""The API's documentation:

OpenAPI at `/openapi.json`, the same for people at `/docs`, nothing from elsewhere.

The page is rendered here from the OpenAPI document, because the usual viewers load scripts from a third
party.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from fastapi import FastAPI, Response
from fastapi.openapi.utils import get_openapi
from jinja2 import Environment
from markdown_it import MarkdownIt
from markupsafe import Markup
from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from newsroom.http.problems import MEDIA_TYPE, Kind, Problem, Refused, responses

_REF = "#/components/schemas/{model}"
_markdown = MarkdownIt("commonmark", {"html": False})
_environment = Environment(autoescape=True, trim_blocks=True, lstrip_blocks=True)
_environment.filters["prose"] = lambda text: Markup(_markdown.render(text))  # noqa: S704  (html is off)
_environment.filters["pretty"] = lambda value: json.dumps(value, ensure_ascii=False, indent=2)

_PAGE = _environment.from_string("""\
<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{{ api.info.title }}</title>
<style>
:root { color-scheme: light dark;
  --text: #1a1a1a; --muted: #595959; --line: #d5d5d5; --ground: #fff; --code: #f4f4f4 }
@media (prefers-color-scheme: dark) { :root {
  --text: #ececec; --muted: #a8a8a8; --line: #444; --ground: #161616; --code: #222 } }
body { max-width: 60rem; margin: 0 auto; padding: 1rem; font: 1rem/1.6 system-ui, sans-serif;
  color: var(--text); background: var(--ground) }
a { color: inherit }
h2, section, details { border-top: 1px solid var(--line) }
code, pre { font: .9rem/1.5 ui-monospace, monospace; background: var(--code) }
pre { padding: .75rem; overflow: auto }
summary { padding: .5rem 0; cursor: pointer }
.method { display: inline-block; min-width: 4.5rem; font-weight: 700 }
.muted { color: var(--muted) }
td, th { text-align: start; vertical-align: top; padding: .25rem 1rem .25rem 0 }
</style>
</head>
<body>
<main>
<h1>{{ api.info.title }} <small class="muted">{{ api.info.version }}</small></h1>
{{ (api.info.description or "")|prose }}
<p>The same for machines: <a href="/openapi.json">openapi.json</a></p>
<h2>Calls</h2>
{% for path, method, call in calls %}
<details id="{{ call.operationId }}">
<summary><code class="method">{{ method|upper }}</code> <code>{{ path }}</code>
{{ call.summary }}</summary>
{{ (call.description or "")|prose }}
{% if call.security %}<p class="muted">Needs <code>Authorization: Bearer KEY</code>\
{% if {} in call.security %} for what is not public{% endif %}.</p>{% endif %}
{% if call.parameters %}
<table>
<thead><tr><th>Parameter</th><th>In</th><th>Meaning</th></tr></thead>
<tbody>
{% for parameter in call.parameters %}
<tr><td><code>{{ parameter.name }}</code>{{ " (required)" if parameter.required }}</td>\
<td>{{ parameter.in }}</td><td>{{ parameter.description }}</td></tr>
{% endfor %}
</tbody>
</table>
{% endif %}
{% for media, body in ((call.requestBody or {}).content or {}).items() %}
{% set shape = (body.schema["$ref"] or "").rpartition("/")[2] %}
<p>Body, <code>{{ media }}</code>{% if shape %}: <a href="#schema-{{ shape }}">{{ shape }}</a>{% endif %}</p>
{% for name, example in (body.examples or {}).items() %}<p class="muted">{{ example.summary or name }}</p>
<pre tabindex="0">{{ example.value|pretty }}</pre>
{% endfor %}
{% endfor %}
<table>
<thead><tr><th>Status</th><th>Meaning</th></tr></thead>
<tbody>
{% for status, answer in call.responses.items() %}<tr><td><code>{{ status }}</code></td>\
<td>{{ answer.description }}</td></tr>
{% endfor %}
</tbody>
</table>
</details>
{% endfor %}
<h2>Shapes</h2>
{% for name, schema in schemas.items() %}
<details id="schema-{{ name }}">
<summary><code>{{ name }}</code> {{ (schema.description or "").split("\n")[0] }}</summary>
<pre tabindex="0">{{ schema|pretty }}</pre>
</details>
{% endfor %}
<h2>Problems</h2>
<p>Errors are <code>application/problem+json</code> (RFC 9457). <code>type</code> is one of these,
and never changes.</p>
<table>
<thead><tr><th>Type</th><th>Status</th><th>Title</th></tr></thead>
<tbody>
{% for kind in kinds %}<tr id="problem-{{ kind.slug }}"><td><code>{{ kind.type }}</code></td>\
<td>{{ kind.status }}</td>\
<td>{{ kind.title }}</td></tr>
{% endfor %}
</tbody>
</table>
</main>
</body>
</html>
""")


def install(app: FastAPI) -> None:
    """Serve the document, the page, and the way from a problem's `type` to the page."""
    app.openapi = lambda: describe(app)  # type: ignore[method-assign]

    @app.get("/docs", include_in_schema=False)
    async def documentation() -> Response:
        headers = {"Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'"}
        return Response(page(app.openapi()), headers=headers, media_type="text/html")

    @app.get("/problems/{slug}", include_in_schema=False)
    async def explained(slug: str) -> Response:
        if slug not in {kind.slug for kind in Kind}:
            raise Refused(Kind.NOT_FOUND, "No problem of ours has this name: see /docs for those that do.")
        return Response(status_code=303, headers={"Location": f"/docs#problem-{slug}"})


def page(api: dict[str, Any]) -> str:
    """The documentation page of an OpenAPI document."""
    calls = [(path, method, call) for path, item in api["paths"].items() for method, call in item.items()]
    schemas = api.get("components", {}).get("schemas", {})
    return _PAGE.render(api=api, calls=calls, schemas=schemas, kinds=list(Kind))


def request_body(model: type[BaseModel], examples: dict[str, tuple[str, Any]]) -> dict[str, Any]:
    """For a route's `openapi_extra`, where the route reads the body itself.

    `examples`: name → (summary, value).

    The model must be among `app.state.documented` (see `document_models`).

    """
    shown = {name: {"summary": summary, "value": value} for name, (summary, value) in examples.items()}
    media = {"schema": {"$ref": _REF.format(model=model.__name__)}, "examples": shown}
    return {"requestBody": {"required": True, "content": {"application/json": media}}}


def document_models(app: FastAPI, models: Iterable[type[BaseModel]]) -> None:
    """Put the models that `request_body` names into the document's components."""
    app.state.documented = tuple(models)


def describe(app: FastAPI) -> dict[str, Any]:
    """The OpenAPI document, with problem details where FastAPI would document its own error shape."""
    if app.openapi_schema is None:
        api = get_openapi(
            title=app.title, version=app.version, description=app.description, routes=app.routes,
        )  # fmt: skip
        schemas = api.setdefault("components", {}).setdefault("schemas", {})
        for foreign in ("HTTPValidationError", "ValidationError"):
            schemas.pop(foreign, None)
        schemas.update(_schemas([Problem]) | _closed(_schemas(getattr(app.state, "documented", ()))))
        for item in api["paths"].values():
            for call in item.values():
                _correct_errors(call)
        app.openapi_schema = api
    return app.openapi_schema


def _schemas(models: Iterable[type[BaseModel]]) -> dict[str, Any]:
    _, definitions = models_json_schema([(model, "validation") for model in models], ref_template=_REF)
    found: dict[str, Any] = definitions.get("$defs", {})
    return found


def _closed(schemas: dict[str, Any]) -> dict[str, Any]:
    """The same for bodies: `newsroom.http.bodies` refuses fields that a model does not know."""
    return {
        name: schema | ({"additionalProperties": False} if schema.get("type") == "object" else {})
        for name, schema in schemas.items()
    }


def _correct_errors(call: dict[str, Any]) -> None:
    problem = {"schema": {"$ref": _REF.format(model="Problem")}}
    for answer in call["responses"].values():
        schema = answer.get("content", {}).get("application/json", {}).get("schema", {})
        if schema.get("$ref", "").endswith("/HTTPValidationError"):
            answer.update(responses(Kind.INVALID)[Kind.INVALID.status])
    call["responses"].setdefault(
        "default", {"description": "Any other problem", "content": {MEDIA_TYPE: problem}}
    )
