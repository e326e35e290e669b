"""What a site is known by: drawn from its name and colours, or taken from the newsroom's own files."""

from __future__ import annotations

import io
import re
import struct
from pathlib import Path

import pytest
from PIL import Image

from newsroom.errors import Misconfigured
from services.render.looks.brand import Brand, Order, load_brand, order_of
from services.render.looks.colours import Colours, LightPalette
from services.render.looks.emblems import draw
from services.render.looks.lettering import BOLD, MEDIUM, Typeface
from services.render.looks.sitefile import Translation
from tests.render_parts import a_site

WORDMARK = (
    b'<svg xmlns="http://www.w3.org/2000/svg" id="wordmark" viewBox="0 0 320 40"><path d="M0 0h320"/></svg>'
)


def an_order(name: str = "The Test", tagline: str = "As it stands") -> Order:
    return order_of(a_site().model_copy(update={"name": name, "tagline": tagline}))


def drawn(order: Order) -> Brand:
    """As it comes out of the process that draws."""
    return Brand.model_validate_json(draw(order).model_dump_json())


def own(folder: Path, name: str, content: bytes) -> Path:
    (folder / "brand").mkdir(exist_ok=True)
    (folder / "brand" / name).write_bytes(content)
    return folder


def png_of(width: int, height: int) -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (width, height)).save(file, "PNG")
    return file.getvalue()


def test_a_name_is_drawn_in_the_colour_of_the_text_around_it() -> None:
    wordmark = load_brand(a_site()).wordmarks["The Test"]
    svg = wordmark.svg.decode()
    assert 'fill="currentColor"' in svg
    assert f'viewBox="0 0 {wordmark.width:g} {wordmark.height:g}"' in svg
    assert not re.search(r"#[0-9a-f]{6}", svg)


def test_every_name_that_the_site_has_in_a_language_is_drawn() -> None:
    site = a_site().model_copy(
        update={"translations": {"kk": Translation(name="Әділ Сынақ"), "ru": Translation(tagline="Как есть")}}
    )
    assert set(load_brand(site).wordmarks) == {"The Test", "Әділ Сынақ"}


def test_equal_orders_give_equal_drawings() -> None:
    assert drawn(an_order()) == drawn(an_order())


def test_another_name_and_another_colour_give_other_drawings() -> None:
    plain, named = drawn(an_order()), drawn(an_order("Another"))
    light = LightPalette(accent="#004466")
    coloured = drawn(order_of(a_site().model_copy(update={"colours": Colours(light=light)})))
    assert len({plain.card, named.card, coloured.card}) == 3
    assert len({plain.icon, named.icon, coloured.icon}) == 3


def test_the_card_and_the_icons_measure_what_others_expect_of_them() -> None:
    brand = drawn(an_order())
    bitmaps = {(1200, 630): brand.card, **{(size, size): bitmap for size, bitmap in brand.icons.items()}}
    for size, bitmap in bitmaps.items():
        assert Image.open(io.BytesIO(bitmap)).size == size
    assert {180, 192, 512} == set(brand.icons)


@pytest.mark.parametrize("name", ["صحيفة السهوب", "草原快讯", "🙂"])
def test_a_name_that_the_typeface_does_not_have_stays_text_and_the_rest_is_drawn(name: str) -> None:
    brand = drawn(an_order(name, tagline=name))
    assert brand.wordmarks == {}
    assert len(Image.open(io.BytesIO(brand.card)).getcolors() or ()) > 1
    assert b"<path" in brand.icon


@pytest.mark.parametrize(
    "name",
    [
        "Long " * 40,
        "The Central Asian Steppe Dispatch of Record",
        "X",
        "Llanfairpwllgwyngyllgogerychwyrndrobwllllantysiliogogogoch",
    ],
)
def test_a_name_of_any_length_stays_on_the_card(name: str) -> None:
    """The margins keep the colour of the ground."""
    card = Image.open(io.BytesIO(drawn(an_order(name)).card)).convert("RGB")
    for margin in ((0, 24, 90, 630), (1110, 24, 1200, 630), (0, 24, 1200, 50)):
        assert card.crop(margin).getcolors() == [
            ((margin[2] - margin[0]) * (margin[3] - margin[1]), card.getpixel((0, 629)))
        ]


def test_a_long_name_is_broken_on_the_card_so_that_it_can_be_read() -> None:
    """Its ink reaches higher than that of one line."""

    def top_of(name: str) -> int:
        card = (
            Image.open(io.BytesIO(drawn(an_order(name)).card))
            .convert("L")
            .point(lambda tone: 255 * (tone < 90))
        )
        box = card.crop((0, 30, 1200, 400)).getbbox()
        assert box is not None
        return box[1]

    assert top_of("Steppe Dispatch") > top_of("The Central Asian Steppe Dispatch of Record")


def test_a_very_long_name_is_set_as_text_which_breaks_on_a_narrow_screen() -> None:
    assert drawn(an_order("The Central Asian Steppe Dispatch of Record")).wordmarks == {}
    assert drawn(an_order("The Steppe Dispatch")).wordmarks.keys() == {"The Steppe Dispatch"}


def test_the_typeface_has_the_letters_of_kazakh_and_its_neighbours() -> None:
    for typeface in (Typeface(BOLD), Typeface(MEDIUM)):
        assert typeface.can_set("ӘҒҚҢӨҰҮҺІ әғқңөұүһі ӯҷӣ ћђ ў ґє ş ğ ı ’ — №")
        assert not typeface.can_set("")


def test_letters_are_set_with_the_kerning_of_the_typeface() -> None:
    """`AV` stands closer than the two letters alone."""
    typeface = Typeface(BOLD)
    together = typeface.box("AV").width
    assert together < typeface.box("A").width + typeface.box("V").width


def test_own_drawings_stand_in_place_of_ours_one_by_one(tmp_path: Path) -> None:
    brand = load_brand(a_site(), own(tmp_path, "wordmark.svg", WORDMARK))
    assert brand.wordmarks["The Test"].svg == WORDMARK
    assert (brand.wordmarks["The Test"].width, brand.wordmarks["The Test"].height) == (320, 40)
    assert brand.card == load_brand(a_site()).card
    card = png_of(1200, 630)
    assert load_brand(a_site(), own(tmp_path, "card.png", card)).card == card


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("wordmark.svg", b"<svg viewBox='0 0 1 1'/>", 'id="wordmark"'),
        ("wordmark.svg", b"<svg id='wordmark' width='10'/>", "viewBox"),
        ("favicon.svg", b"<html>", "viewBox"),
        ("card.png", b"GIF89a", "1200 by 630"),
        ("card.png", png_of(600, 315), "1200 by 630"),
        ("card.png", struct.pack(">8s4x4sII", b"\x89PNG\r\n\x1a\n", b"IHDR", 630, 1200), "1200 by 630"),
    ],
)
def test_an_own_drawing_that_cannot_be_used_is_told(
    name: str, content: bytes, said: str, tmp_path: Path
) -> None:
    with pytest.raises(Misconfigured, match=said) as refused:
        load_brand(a_site(), own(tmp_path, name, content))
    assert name in str(refused.value)


def test_where_nothing_can_be_drawn_it_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """A render that runs goes on with what it had."""
    monkeypatch.setattr("sys.executable", "/nowhere/python")
    with pytest.raises(Misconfigured, match="cannot be drawn"):
        load_brand(a_site().model_copy(update={"name": "Never drawn before"}))


def test_an_own_drawing_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    (tmp_path / "brand" / "favicon.svg").mkdir(parents=True)
    with pytest.raises(Misconfigured, match=r"favicon\.svg"):
        load_brand(a_site(), tmp_path)
