"""Everything that pages are drawn with but articles: the site's settings, its templates and its assets.

Loaded as one from what lies on the disk, so that a change of any of it is another look, taken whole or not at
all. A folder of the newsroom's own may put files in place of ours: `templates/` (one by one) and `brand/`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache, partial
from pathlib import Path

from jinja2 import Environment, FunctionLoader, TemplateError
from markupsafe import Markup

from newsroom.addresses import ABOUT, HOME, REUSE, SITE_FEED
from newsroom.errors import Misconfigured
from services.render.contexts.graph import graph_script, pictures_of
from services.render.listingkinds import standing_paths
from services.render.looks.assets import Assets, load_assets
from services.render.looks.brand import load_brand
from services.render.looks.sitefile import Site
from services.render.words.voices import Voice, speaking, template_environment, voice_of
from services.render.words.wording import wording_of

_PIECES = 3 * 1024
"""How many lines of lists are kept, three of each article; a few kilobytes each."""
_VOICES = 32
TEMPLATES = Path(__file__).parents[1] / "templates"
OWN_TEMPLATES = "templates"
MANIFEST = "/site.webmanifest"
OURS = "newsroom"
"""A template of the newsroom's own reaches the one that it stands for as `newsroom/article.html`."""


@dataclass(frozen=True)
class Look:
    """One look of one site. `standing`: the listings that stand without entries."""

    site: Site
    voice: Voice
    standing: frozenset[str]
    assets: Assets
    environment: Environment
    sources: Mapping[str, bytes]

    def draw(self, template: str, page: object, voice: Voice | None = None) -> bytes:
        """A template filled in, in the site's own language where no other is given."""
        chosen = voice or self.voice
        piece = partial(self._kept_piece, voice=chosen)
        return self._spoken(chosen).get_template(template).render(page=page, piece=piece).encode()

    def _kept_piece(self, template: str, voice: Voice, **of: object) -> Markup:
        """What stands alike on many pages, such as an article's line on fronts: drawn once, if not long."""
        is_long = any(getattr(each, "is_long", False) for each in of.values())
        return (self._piece if is_long else self._pieces)(template, voice, **of)

    def voice_in(self, language: str) -> Voice:
        """How the site speaks a language, or its own where the interface has no words in that one."""
        return self._voices(wording_of(language, fallback=self.site.language).language)

    @cached_property
    def _voices(self) -> Callable[[str], Voice]:
        return lru_cache(maxsize=_VOICES)(partial(voice_of, self.site))

    @cached_property
    def _spoken(self) -> Callable[[Voice], Environment]:
        return lru_cache(maxsize=_VOICES)(partial(speaking, self.environment))

    @cached_property
    def _pieces(self) -> Callable[..., Markup]:
        return lru_cache(maxsize=_PIECES, typed=True)(self._piece)

    def _piece(self, template: str, voice: Voice, **of: object) -> Markup:
        drawn = self._spoken(voice).get_template(template).render(**of)
        return Markup(drawn)  # noqa: S704  (ours, escaped)

    def parts(self) -> Iterator[bytes]:
        """What pages are made of, for a fingerprint: settings, templates, and the names of the assets."""
        yield self.site.model_dump_json().encode()
        for name, source in sorted(self.sources.items()):
            yield name.encode()
            yield source
        yield from (address.encode() for address in sorted(self.assets.files))


def load_look(site: Site, folder: Path | None = None) -> Look:
    """The look of a site; `folder`: the newsroom's own, which need not exist.

    Raises: Misconfigured, saying which file cannot be used and why.
    """
    assets = load_assets(load_brand(site, folder), site.colours)
    own = folder / OWN_TEMPLATES if folder else None
    sources = {**_sources(TEMPLATES, f"{OURS}/"), **_sources(TEMPLATES), **(_sources(own) if own else {})}
    return Look(
        site=site,
        voice=voice_of(site, site.language),
        standing=frozenset(standing_paths(site)),
        assets=assets,
        environment=_compiled(sources, site, assets),
        sources=sources,
    )


def _sources(folder: Path, prefix: str = "") -> dict[str, bytes]:
    files = sorted(file for file in folder.rglob("*") if file.is_file() and not _is_kept_beside(file))
    try:
        return {f"{prefix}{file.relative_to(folder).as_posix()}": file.read_bytes() for file in files}
    except OSError as error:
        raise Misconfigured(f"a template cannot be read: {error}") from error


def _is_kept_beside(file: Path) -> bool:
    """Whether an editor or a desktop keeps it beside the templates for itself, as long as one is open."""
    return file.name.startswith(".") or file.name.endswith("~")


def _compiled(sources: Mapping[str, bytes], site: Site, assets: Assets) -> Environment:
    """Every template, compiled, with what all of them may use whatever the language."""
    try:
        texts = {name: source.decode() for name, source in sources.items()}
        environment = template_environment(
            FunctionLoader(lambda name: (texts[name], name, None) if name in texts else None)
        )
        for name in sources:
            environment.get_template(name)
    except (TemplateError, UnicodeDecodeError, SyntaxError, RecursionError) as error:
        where = f"{getattr(error, 'name', '?')}, line {getattr(error, 'lineno', '?')}"
        raise Misconfigured(f"template {where} cannot be used: {error}") from error
    pictures = pictures_of(site, card=assets.card.address, logo=assets.icons[max(assets.icons)])
    environment.globals.update(
        assets=assets,
        home=HOME,
        feed=SITE_FEED,
        about=ABOUT,
        reuse=REUSE,
        manifest=MANIFEST,
        graph_script=partial(graph_script, pictures=pictures),
    )
    return environment
