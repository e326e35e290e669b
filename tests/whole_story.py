"""One of everything that a newsroom may publish: the updates that a whole site is made of.

Every element that a body may have, every kind of change, live articles in each state, what was taken down,
words that are too long for a line, and texts in five languages of which two run from right to left.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from newsroom.addresses import article_path, publication_day
from newsroom.articles import Dateline, EntryText
from newsroom.updates import ArticleUpdate, Change, ChangeKind, EntryUpdate, PublicEntry
from tests.page_parts import FIRST_PUBLISHED, a_retraction, a_story, a_text, a_told, later
from tests.render_parts import a_live, a_withdrawn

PER_PAGE = 20
POSTS = 45

EVERY_ELEMENT = """
<p>The first paragraph has <a href="https://gov.example/a" title="A statement">a link</a>, <em>stress</em>,
<strong>weight</strong>, <b>bold</b>, <i>another voice</i>, <cite>a title</cite>,
<q cite="https://gov.example/q">a short quotation</q>, <abbr title="World Health Organization">WHO</abbr>,
<s>what holds no more</s>, <small>small print</small>, <span lang="kk">қазақша</span> and <bdi>إيان</bdi>.<br>
At <time datetime="2023-06-20T10:40:00+06:00">10:40</time> H<sub>2</sub>O and E = mc<sup>2</sup> were typed
with <kbd>Ctrl</kbd>, <code>print</code> and <samp>ok</samp>.</p>
<h2>What is known so far</h2>
<blockquote cite="https://gov.example/said"><p>Nobody was hurt, and everybody is at home.</p></blockquote>
<h3>In numbers</h3>
<ul><li>Seven people</li><li>Two hours</li></ul>
<ol start="3"><li>They came in</li><li>They went out</li></ol>
<hr>
<table><caption>Who went out when</caption>
<thead><tr><th scope="col">Hour</th><th scope="col">People</th></tr></thead>
<tbody><tr><th scope="row">10:40</th><td>3</td></tr>
<tr><th scope="row" rowspan="1">11:20</th><td colspan="1">4</td></tr></tbody>
<tfoot><tr><th scope="row">In all</th><td>7</td></tr></tfoot></table>
<dl><dt>Akim</dt><dd>The head of a region.</dd></dl>
<figure><pre>10:40  three
11:20  four</pre><figcaption>As the guard wrote it down.</figcaption></figure>
<p>The last paragraph says what comes next, and that we do not know yet how it will end.</p>
"""
LONG_WORD = "Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaft"
TOO_WIDE = (
    f"<table><tr>{'<td>a cell of words</td>' * 12}</tr></table><pre>{'x' * 300}</pre><p>{'y' * 300}</p>"
    f'<p><a href="https://gov.example/{"z" * 200}">https://gov.example/{"z" * 200}</a></p>'
)
TRANSLATED = {
    "kk": (
        "Астана, Қазақстан",
        "Астанада жеті адам босатылды",
        "Ешкім зардап шеккен жоқ.",
        "Полиция банк ғимаратын қоршап алды.",
    ),
    "ru": (
        "Астана, Казахстан",
        "В Астане освобождены семь человек",
        "Никто не пострадал.",
        "Полиция окружила здание банка.",
    ),
    "ar": (
        "أستانا، كازاخستان",
        "الإفراج عن سبعة أشخاص في أستانا",
        "لم يصب أحد بأذى.",
        "طوّقت الشرطة مبنى المصرف.",
    ),
    "he": (
        "אסטנה, קזחסטן",
        "שבעה בני אדם שוחררו באסטנה",
        "איש לא נפגע.",
        "המשטרה הקיפה את בניין הבנק.",
    ),
}
"""By language: place, headline, deck, a sentence of the text."""
EVERY_CHANGE = (
    *(a_told(number, ChangeKind.UPDATED, f"The police told more, part {number}.") for number in range(2, 8)),
    a_told(8, ChangeKind.CORRECTION, "It was seven people, not eight, as we had it at first."),
    a_told(9, ChangeKind.CLARIFICATION, "The bank in question is the one at the station."),
    a_told(10, ChangeKind.EDITORS_NOTE, "A witness asked us not to name her."),
    a_told(11, ChangeKind.AMENDED),
)


def every_story() -> list[ArticleUpdate | EntryUpdate]:
    """All of it, in an order in which it may be announced."""
    posts = [a_post_of("live", number) for number in range(1, POSTS + 1)]
    few = [a_post_of("closed", number) for number in range(1, 3)]
    return [
        everything(),
        plain(),
        too_wide(),
        breaking(),
        *posts,
        a_live(a_live_text("live", "The vote in Astana, hour by hour"), posts, pinned="e3"),
        *few,
        a_live(a_live_text("closed", "The flood in Atyrau as it was"), few, closed_at=later(300)),
        a_live(a_live_text("quiet", "The trial begins at noon")),
        gone("withdrawn", "What was taken down"),
        moved(),
        a_retraction(a_story(a_text(slug="retracted"), article_id="retracted"), "The document was forged."),
        *translations(),
        *(long_ago(number) for number in range(1, 70)),
    ]


def everything() -> ArticleUpdate:
    """The article with all that an editor may give, and every kind of change in its history."""
    text = a_text(
        headline="Seven walk free & safe: “it’s over”, says <the> guard",
        body=EVERY_ELEMENT,
        slug="everything",
    )
    return a_story(text, *EVERY_CHANGE, article_id="everything")


def plain() -> ArticleUpdate:
    """The article with nothing but what it must have."""
    bare = a_text(headline="Rain", deck="", tags=(), authors=(), sources=(), dateline=None, slug="plain")
    return a_story(bare.model_copy(update={"body": "<p>It rains.</p>"}), article_id="plain")


def too_wide() -> ArticleUpdate:
    """Words and tables that fit on no telephone."""
    wide = a_text(
        headline=f"{LONG_WORD} in Astana",
        deck=f"Of the {LONG_WORD}.",
        body=TOO_WIDE,
        tags=(LONG_WORD,),
        authors=(f"A. {LONG_WORD}",),
        slug="wide",
    )
    return a_story(wide, a_told(2, ChangeKind.UPDATED, f"{LONG_WORD} too."), article_id="wide")


def breaking() -> ArticleUpdate:
    """Flagged so, and the newest of all."""
    text = a_text(headline="The ice breaks on the Ural", breaking=True, slug="ice")
    return at_time(a_story(text, article_id="ice"), timedelta(hours=9))


def moved() -> ArticleUpdate:
    """Stood in another section once."""
    story = a_story(a_text(headline="What was moved", section="World", slug="moved"), article_id="moved")
    return story.model_copy(update={"former_paths": ("/kazakhstan/2023/06/20/moved-former/",)})


def translations() -> list[ArticleUpdate]:
    """The first article in other languages, from left to right and from right to left."""
    return [a_translation(language, *words) for language, words in TRANSLATED.items()]


def a_translation(language: str, place: str, headline: str, deck: str, sentence: str) -> ArticleUpdate:
    text = a_text(
        headline=headline,
        deck=deck,
        body=f"<p>{sentence}</p>" * 6,
        language=language,
        dateline=Dateline(place=place, timezone="Asia/Almaty"),
        slug=f"everything-{language}",
        translation_of="everything",
    )
    changes = (
        a_told(2, ChangeKind.UPDATED, sentence),
        a_told(3, ChangeKind.CORRECTION, sentence),
    )
    return a_story(text, *changes, article_id=f"everything-{language}")


def long_ago(number: int) -> ArticleUpdate:
    """One of many, five a day, so that fronts are full and archives have days, months and years."""
    text = a_text(headline=f"Quiet day number {number}", slug=f"quiet-{number}", authors=("Aigerim Bekova",))
    return at_time(
        a_story(text, article_id=f"old{number}"), -timedelta(days=20 * (number // 5), minutes=number)
    )


def gone(article_id: str, headline: str) -> ArticleUpdate:
    """Was public and is withdrawn."""
    return a_withdrawn(a_story(a_text(headline=headline, slug=article_id), article_id=article_id), 2)


def a_live_text(article_id: str, headline: str) -> ArticleUpdate:
    return a_story(a_text(headline=headline, live=True, slug=article_id), article_id=article_id)


def a_post_of(article_id: str, number: int) -> EntryUpdate:
    """A post; some are key events, some were changed, some have no headline."""
    text = EntryText(
        headline="" if number % 7 == 0 else f"Post number {number}",
        body=f'<p>Words of number {number}, <a href="https://gov.example/{number}">with a source</a>.</p>'
        "<blockquote><p>As she said.</p></blockquote>",
        key_event=number % 5 == 0,
        author="Tomas Lind" if number % 3 == 0 else None,
    )
    changed = later(number + 100) if number % 4 == 0 else None
    return EntryUpdate(
        article_id=article_id,
        entry_id=f"e{number}",
        number=number,
        page=(number - 1) // PER_PAGE + 1,
        revision=number + 1,
        as_of=number + 1,
        entry=PublicEntry(text=text, added_at=later(number), changed_at=changed),
    )


def at_time(story: ArticleUpdate, offset: timedelta) -> ArticleUpdate:
    """The same story, first published so much after (or before) the others."""
    public, path = story.public, story.path
    assert public is not None
    assert path is not None
    moment = FIRST_PUBLISHED + offset
    moved: dict[str, Any] = {
        "published_at": moment,
        "updated_at": public.updated_at + offset,
        "bumped_at": public.bumped_at + offset,
        "changes": tuple(_moved(change, offset) for change in public.changes),
    }
    slug = path.strip("/").rpartition("/")[2].rpartition("-")[0]
    there = article_path(public.section, publication_day(moment, public.timezone), slug, story.article_id)
    return story.model_copy(update={"public": public.model_copy(update=moved), "path": there})


def _moved(change: Change, offset: timedelta) -> Change:
    return change.model_copy(update={"time": change.time + offset})
