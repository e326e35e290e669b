"""The look of words: quotation marks of each language, lines that do not end at the wrong place."""

from __future__ import annotations

import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as some

from newsroom.bodies import clean, paragraphs
from services.render.cards import card_of
from services.render.listingkinds import Listing
from services.render.pages import Pages
from services.render.words.quotation import MARKS
from services.render.words.spacing import MOST_TOGETHER
from services.render.words.typography import HELD, set_body, set_line
from tests.page_parts import a_story, a_text, graph_of, read_page
from tests.render_parts import a_site

LOOKS = {"“": '"', "”": '"', "„": '"', "«": '"', "»": '"', "‘": "'", "’": "'", "‚": "'", HELD: " "}
"""What each mark that setting may put in was typed as; a mark within a quotation stands for a double one."""


def shown(text: str) -> str:
    """With `~` for a space that holds."""
    return text.replace(HELD, "~")


@pytest.mark.parametrize(
    ("language", "typed", "expected"),
    [
        ("en", '"It is over," she said.', "“It is over,” she said."),
        ("en-GB", "'It is over,' she said.", "‘It is over,’ she said."),
        ("en", 'He said: "She told me "no" twice."', "He said: “She told me ‘no’ twice.”"),
        ("en", "\"'No' was all\" she said", "“‘No’ was all” she said"),
        ("en", '("so they say") – "…and then"', "(“so they say”)~– “…and then”"),
        ("en", '"I was —" he began', "“I was —” he began"),
        ("en", "It isn't the readers' fault", "It isn’t the readers’ fault"),
        ("en", "rock 'n' roll of the '90s, 'tis said", "rock ’n’ roll of the ’90s, ’tis said"),
        ("en", '"A paragraph of a longer quotation', "“A paragraph of a longer quotation"),
        ("en", 'and its last one."', "and its last one.”"),
        ("en", '"in 2023"', "“in 2023”"),
        ("ru", 'ООО "Ромашка"', "ООО «Ромашка»"),
        ("ru", '"Газета "Труд"" вышла', "«Газета „Труд“» вышла"),
        ("ru", "Шарль д'Артаньян", "Шарль д’Артаньян"),
        ("kk", '"Егемен Қазақстан" газеті', "«Егемен Қазақстан» газеті"),
        ("de", '"Er sagte "nein"", hieß es', "„Er sagte ‚nein‘“, hieß es"),
        ("ar", 'قال "نعم" و"لا"', "قال «نعم» و«لا»"),
    ],
)
def test_straight_marks_become_the_languages_own(language: str, typed: str, expected: str) -> None:
    assert shown(set_line(typed, language)) == expected


@pytest.mark.parametrize(
    ("language", "typed"),
    [
        ("en", 'a 6" pipe, 5\'10" tall'),
        ("en", 'three " marks "" alone'),
        ("en", "“Set” as the editor’s hand wrote it"),
        ("ru", "уже «набрано „как“ надо»"),
        ("he", 'צה"ל הודיע "כך"'),
        ("ja", "10 000 km"),
        ("en", "see https://example.org/?a=\"1\"&b='2'&c"),
        ("en", "write to o'neil@example.org"),
    ],
)
def test_what_is_no_quotation_or_set_already_stays(language: str, typed: str) -> None:
    """Inches, languages without rules of ours, addresses."""
    assert set_line(typed, language) == typed


@pytest.mark.parametrize(
    ("language", "typed", "expected"),
    [
        ("en", "5 km on 20 June 2023 at 5 p.m.", "5~km on 20~June~2023 at 5~p.m."),
        ("en", "10 000 people and $ 3 million", "10~000 people and $~3~million"),
        ("en", "J. K. Rowling met Mr Smith — twice", "J.~K.~Rowling met Mr~Smith~— twice"),
        ("en", "in 2023 500 people came", "in 2023 500 people came"),
        ("ru", "не в первый раз и в Алматы", "не~в~первый раз и~в~Алматы"),
        ("ru", "если бы он же", "если~бы он~же"),
        ("ru", "А. С. Пушкин, Токаев К. К. и т. д.", "А.~С.~Пушкин, Токаев~К.~К. и~т.~д."),
        ("ru", "20 июня 2023 года, № 5, ул. Достык, д. 12", "20~июня 2023~года, №~5, ул.~Достык, д.~12"),
        ("ru", "— Привет, — сказал он", "—~Привет,~— сказал он"),
        ("ru", "он взял «в долг»", "он взял «в~долг»"),
        ("kk", "2023 жылғы 20 маусымда", "2023~жылғы 20~маусымда"),
        ("kk", "ең үлкен қала, ол да келді ме?", "ең~үлкен қала, ол~да келді~ме?"),
        ("kk", "10 мың теңге — және т. б.", "10~мың теңге~— және т.~б."),
        ("ar", "في 20 يونيو 5 كم", "في 20~يونيو 5~كم"),
    ],
)
def test_a_line_does_not_end_where_it_would_be_hard_to_read(language: str, typed: str, expected: str) -> None:
    assert shown(set_line(typed, language)) == expected


def test_words_are_kept_together_only_as_far_as_a_narrow_line_goes() -> None:
    """Or a headline would leave the screen."""
    line = set_line("и в к о с у не ни на по за из " * 3, "ru").strip()
    assert HELD in line
    assert max(map(len, line.split(" "))) <= MOST_TOGETHER


def test_a_body_is_set_through_its_inline_elements() -> None:
    """A quotation may begin in one and end in another."""
    typed = '<p>"<em>Not</em> us," <strong>he</strong>\'s told; "so <a href="/x">it is"</a>.</p>'
    assert (
        set_body(typed, "en")
        == '<p>“<em>Not</em> us,” <strong>he</strong>’s told; “so <a href="/x">it is”</a>.</p>'
    )


def test_each_block_is_read_on_its_own() -> None:
    """A quotation that is left open in one does not turn the marks of the next; a line break is a space."""
    assert (
        set_body('<ul><li>"a</li><li>"b"<br>"c"</li></ul>', "en") == "<ul><li>“a</li><li>“b”<br>“c”</li></ul>"
    )


def test_what_is_in_another_language_is_set_in_that() -> None:
    """Within a line as well as block by block."""
    inline = '<p>He said "yes" or <span lang="ru">"да" в доме</span>.</p>'
    assert shown(set_body(inline, "en")) == '<p>He said “yes” or <span lang="ru">«да» в~доме</span>.</p>'
    block = '<blockquote lang="kk"><p>"Иә"</p></blockquote><p>"Yes"</p>'
    assert set_body(block, "en") == '<blockquote lang="kk"><p>«Иә»</p></blockquote><p>“Yes”</p>'


@pytest.mark.parametrize(
    "kept",
    [
        '<pre>"a" 5 km</pre>',
        '<p><code>print("5 km")</code> <kbd>\'</kbd> <samp>"</samp></p>',
        '<p><a href="/?q=\'5%20km\'" title="&quot;5 km&quot;">x</a></p>',
    ],
)
def test_code_and_attributes_stay_as_they_are(kept: str) -> None:
    assert set_body(kept, "en") == kept


def test_marks_beside_code_close_around_it() -> None:
    assert set_body('<p>"<code>"x"</code>" it says</p>', "en") == '<p>“<code>"x"</code>” it says</p>'


def test_what_the_cleaner_escaped_stays_escaped() -> None:
    assert (
        shown(set_body("<p>a&nbsp;&amp; 5 &lt; 6 &gt; 2 &amp;lt; b</p>", "en"))
        == "<p>a~&amp; 5 &lt; 6 &gt; 2 &amp;lt; b</p>"
    )


LANGUAGES = some.sampled_from([*MARKS, "he", "fr", "kk-Latn"])
TYPED = some.text(some.sampled_from("\"'\"' —–-.,!?()«»„“”‘’‚aбвӘوف1 2\n" + HELD + "\u202f"), max_size=60)
WORDS = some.lists(
    some.sampled_from(
        ["в", "не", "бы", "А.", "К.", "Иванов", "т.", "д.", "20", "000", "June", "июня", "км", "—", "№", '"a',
         'b"', "'c", "d'", "'n'", "'90s", '"', "“x", "y”", "ең", "да", "г.", '5"', "e'f", 'https://x.test/"',
         "«z»", '("q")'],
    ),
    max_size=24,
).map(" ".join)  # fmt: skip
WITHIN = {('"', "‘"), ('"', "’"), ('"', "‚")}
"""Within a quotation, English and German write a single mark for a double one."""


@given(some.one_of(TYPED, WORDS), LANGUAGES)
def test_setting_changes_no_letter_and_setting_twice_is_setting_once(typed: str, language: str) -> None:
    once = set_line(typed, language)
    assert set_line(once, language) == once
    assert len(once) == len(typed)
    for before, after in zip(typed, once, strict=True):
        is_look = LOOKS.get(after) == (" " if before.isspace() else before)
        assert before == after or is_look or (before, after) in WITHIN


PIECES = some.lists(
    some.sampled_from(
        ["<p>", "</p>", "<em>", "</em>", "<code>", "</code>", '<span lang="ru">', "</span>", "<br>",
         "<ul><li>", "<blockquote>", "</blockquote>", "<pre>", "</pre>", "</a>",
         '<a href="/?a=\'1\'" title="x > y">',
         "&amp;", "&lt;", "&nbsp;", '"', "'", " ", "word", "в", "5", "km", "—"]
    ),
    max_size=30,
).map("".join)  # fmt: skip


TAG = re.compile(r'<(?:[^>"]|"[^"]*")*>')


@given(PIECES, LANGUAGES)
def test_a_set_body_is_as_clean_as_it_was_and_reads_the_same(typed: str, language: str) -> None:
    body = clean(typed)
    once = set_body(body, language)
    assert set_body(once, language) == once
    assert TAG.findall(once) == TAG.findall(body)
    assert list(map(len, paragraphs(once))) == list(map(len, paragraphs(body)))


TYPED_TEXT = (
    '<p>"It is 5 km," she said. Here is a second sentence that goes on. And a third that goes on and on.</p>'
)


def test_pages_are_set_and_what_machines_take_is_not() -> None:
    """Feeds, descriptions, the graph and the box for copying keep the text as it was sent."""
    story = a_story(a_text(headline='"Out" at 5 km', deck="It's 5 km", body=TYPED_TEXT))
    content = Pages(a_site()).article(story)[f"{story.path}index.html"]
    page = read_page(content)
    assert page.one("h1").text == "“Out” at 5 km"
    assert page.one("p", class_="deck").text == "It’s 5 km"
    assert "“It is 5 km,” she said." in page.one("div", class_="body").text
    assert content.decode().count(f"5{HELD}km") == 3
    assert graph_of(page)["NewsArticle"]["headline"] == '"Out" at 5 km'
    assert page.one("meta", name="description")["content"] == "It's 5 km"
    assert '"It is 5 km," she said.' in page.one("textarea", id="reuse-text").text


def test_the_card_on_a_front_is_set_and_its_entry_in_a_feed_is_not() -> None:
    story = a_story(a_text(headline='"Out" at 5 km', deck="It's 5 km", body=TYPED_TEXT))
    card = card_of(story)
    assert card is not None
    files = Pages(a_site()).listing(Listing("/", (card,)))
    front = files["/index.html"].decode()
    assert "“Out” at 5 km" in read_page(files["/index.html"]).one("article").text
    assert front.count(f"5{HELD}km") == 2
    feed = json.loads(files["/feed.json"])
    assert feed["items"][0]["title"] == '"Out" at 5 km'
    assert HELD not in str(feed)
