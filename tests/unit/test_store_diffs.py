"""The words that changed between two texts: kept in their structure, valid, and bounded in their cost."""

from __future__ import annotations

import re
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from newsroom.articles import ArticleText
from newsroom.bodies import clean, clean_marked, paragraphs
from newsroom.differences import FieldDifference, Segment
from services.store.alignment import Purse, align, without_islands
from services.store.diffs import body_difference, field_differences, only_counts
from tests.page_parts import read_page


def compared(before: str, after: str, steps: int = 100_000) -> FieldDifference:
    return body_difference(before, after, Purse(steps))


def without(mark: str, html: str) -> str:
    """The side of a comparison that the mark is not on."""
    other = "ins" if mark == "del" else "del"
    return re.sub(rf"</?{other}>", "", re.sub(rf"<{mark}>.*?</{mark}>", "", html, flags=re.DOTALL))


def words_of(body: str) -> list[str]:
    return " ".join(paragraphs(body)).split()


def a_text(**changes: object) -> ArticleText:
    fields = {"headline": "Bank siege", "section": "Kazakhstan", "body": "<p>One.</p>"}
    return ArticleText.model_validate(fields | changes)


@pytest.mark.parametrize(
    ("before", "after", "shown"),
    [
        (
            "<p>Eight hostages were freed.</p>",
            "<p>Seven hostages were freed.</p>",
            "<p><del>Eight</del> <ins>Seven</ins> hostages were freed.</p>",
        ),
        ("<p>Here.</p>", "<p>Here.</p><p>New.</p>", "<p>Here.</p><p><ins>New.</ins></p>"),
        ("<p>Gone.</p><p>Here.</p>", "<p>Here.</p>", "<p><del>Gone.</del></p><p>Here.</p>"),
        ("<p>One two.</p>", "<p>One</p>", "<p>One <del>two.</del></p>"),
        (
            "<p>One two.</p>",
            "<p>Other words.</p>",
            "<p><del>One two.</del></p><p><ins>Other words.</ins></p>",
        ),
        (
            "<ul><li>one</li><li>two</li></ul>",
            "<ul><li>one</li><li>and</li><li>two</li></ul>",
            "<ul><li>one</li><li><ins>and</ins></li><li>two</li></ul>",
        ),
        (
            "<table><tbody><tr><td>Astana</td><td>7 hurt</td></tr></tbody></table>",
            "<table><tbody><tr><td>Astana</td><td>8 hurt</td></tr></tbody></table>",
            "<table><tbody><tr><td>Astana</td><td><del>7</del> <ins>8</ins> hurt</td></tr></tbody></table>",
        ),
        (
            "<p>He said <em>no</em> word.</p>",
            "<p>He said <em>no more</em> word.</p>",
            "<p>He said <em>no</em> <ins><em>more</em></ins> word.</p>",
        ),
        (
            "<p>See this page.</p>",
            '<p>See <a href="https://a.example/">this</a> page.</p>',
            '<p>See <del>this</del> <ins><a href="https://a.example/" rel="noopener noreferrer">'
            "this</a></ins> page.</p>",
        ),
        (
            "<p>A &amp; B &lt;C</p>",
            "<p>A &amp; D &lt;C</p>",
            "<p>A &amp; <del>B</del> <ins>D</ins> &lt;C</p>",
        ),
        ("<p>one</p><hr><p>two</p>", "<p>one</p><p>two</p>", "<p>one</p><hr><p>two</p>"),
        (
            "<blockquote><p>We saw it all.</p></blockquote>",
            "<blockquote><p>We saw nothing at all.</p></blockquote>",
            "<blockquote><p>We saw <del>it</del> <ins>nothing at</ins> all.</p></blockquote>",
        ),
        ("", "<p>First.</p>", "<p><ins>First.</ins></p>"),
        (
            "<pre>a = 1\n  b = 2</pre>",
            "<pre>a = 1\n  b = 3</pre>",
            "<pre>a = 1\n  b = <del>2</del> <ins>3</ins></pre>",
        ),
    ],
)
def test_changed_words_are_marked_where_they_stand(before: str, after: str, shown: str) -> None:
    assert compared(before, after).html == shown


def test_a_paragraph_that_moved_words_is_told_as_the_one_it_was() -> None:
    """The one with the most words in common, not the first one there is."""
    before = "<p>The bank reopened on Monday at nine.</p>"
    after = "<p>Nobody has been arrested so far.</p><p>The bank reopened on Tuesday at nine.</p>"
    assert compared(before, after).html == (
        "<p><ins>Nobody has been arrested so far.</ins></p>"
        "<p>The bank reopened on <del>Monday</del> <ins>Tuesday</ins> at nine.</p>"
    )


def test_the_words_are_counted() -> None:
    difference = compared(
        "<p>Eight people were hurt<br>there.</p>", "<p>Seven were hurt<br>there.</p><p>A b c.</p>"
    )
    assert (difference.added, difference.removed) == (4, 2)


def test_a_script_without_spaces_is_compared_by_its_characters() -> None:
    difference = compared("<p>警察は銀行で人質を解放した。</p>", "<p>警察は学校で人質を解放した。</p>")
    assert difference.html == "<p>警察は<del>銀行</del> <ins>学校</ins>で人質を解放した。</p>"


_INLINE = st.sampled_from(
    ["{}", "<em>{}</em>", '<a href="https://a.example/">{}</a>', "<b><i>{}</i></b>", "{}<br>"]
)
_WORDS = st.lists(
    st.sampled_from(["one", "two", "three", "four", "&amp;", "&lt;x&gt;", "Ünï"]), min_size=1, max_size=6
).map(" ".join)
_SAID = st.lists(st.builds(str.format, _INLINE, _WORDS), min_size=1, max_size=4).map(" ".join)
_BLOCKS = st.lists(
    st.builds(
        str.format,
        st.sampled_from(
            ["<p>{}</p>", "<h2>{}</h2>", "<ul><li>{}</li><li>x</li></ul>",
             "<blockquote><p>{}</p></blockquote>",
             "<figure><p>{}</p><figcaption>c</figcaption></figure>", "<table><tr><td>{}</td></tr></table>",
             "<ol><li>a<ul><li>{}</li></ul></li></ol>", "<dl><dt>t</dt><dd>{}</dd></dl>", "{}"]
        ),
        _SAID,
    ),
    max_size=5,
).map("".join)  # fmt: skip


@settings(max_examples=150, deadline=None)
@given(before=_BLOCKS, after=_BLOCKS, steps=st.sampled_from([0, 30, 1000, 100_000]))
def test_either_text_can_be_read_out_of_the_comparison(before: str, after: str, steps: int) -> None:
    """However little work is allowed; and the result is what the cleaner passes, every element closed."""
    before, after = clean(before), clean(after)
    difference = compared(before, after, steps)
    html = difference.html or ""
    assert words_of(without("ins", html)) == words_of(before)
    assert words_of(without("del", html)) == words_of(after)
    assert clean_marked(html) == html
    read_page(f"<html><body>{html}</body></html>".encode())
    if before == after:
        assert (html.count("<ins>"), html.count("<del>")) == (0, 0)


@settings(max_examples=150, deadline=None)
@given(old=st.text("abc", max_size=30), new=st.text("abc", max_size=30), steps=st.integers(0, 500))
def test_an_alignment_takes_no_more_steps_than_it_was_given(old: str, new: str, steps: int) -> None:
    """What could not be paid for counts as replaced: all of both is still there, in order."""
    purse = Purse(steps)
    stretches = list(align(old, new, purse))
    assert 0 <= purse.steps <= steps
    assert "".join(old[each.old_from : each.old_to] for each in stretches) == old
    assert "".join(new[each.new_from : each.new_to] for each in stretches) == new
    assert all(
        (old[each.old_from : each.old_to] == new[each.new_from : each.new_to]) == each.is_equal
        for each in stretches
    )
    assert all(before.is_equal != after.is_equal for before, after in pairwise(stretches))


@pytest.mark.parametrize(
    ("old", "new", "shown"),
    [
        ("a b x c d", "e f x g h", [False]),
        ("a b x y c d", "e f x y g h", [False]),
        ("a b x y z c d", "e f x y z g h", [False, True, False]),
        ("a x c", "e x g", [False, True, False]),
        ("a b x c", "e f x g", [False, True, False]),
        ("x a b y c d x", "x e f y g h x", [True, False, True]),
        ("a b x c d y e f", "g h x i j y k l", [False]),
        ("", "a", [False]),
        ("a", "a", [True]),
    ],
)
def test_a_word_alone_between_larger_changes_is_told_with_them(old: str, new: str, shown: list[bool]) -> None:
    """One that stands between small changes stays, for it is what they have in common."""
    before, after = old.split(), new.split()
    stretches = list(without_islands(align(before, after, Purse())))
    assert [stretch.is_equal for stretch in stretches] == shown
    assert [word for each in stretches for word in before[each.old_from : each.old_to]] == before
    assert [word for each in stretches for word in after[each.new_from : each.new_to]] == after


class _Looked(str):
    """A word that counts how often it is compared with another one."""

    __slots__ = ()
    looks = 0

    def __eq__(self, other: object) -> bool:
        _Looked.looks += 1
        return str.__eq__(self, str(other)) if isinstance(other, str) else False

    __hash__ = str.__hash__


def test_the_worst_two_texts_cost_no_more_than_the_purse_and_their_length() -> None:
    """The same few words over and over, which `difflib` alone would look at a billion times."""
    size, steps = 3_000, 50_000
    old = [_Looked(word) for word in ["a", "b"] * (size // 2)]
    new = [_Looked(word) for word in ["b", "a", "a"] * (size // 3)]
    _Looked.looks = 0
    stretches = list(align(old, new, Purse(steps)))
    assert stretches[0].old_to == size
    assert _Looked.looks <= steps + 20 * size


def test_what_is_too_much_to_compare_is_taken_out_and_put_in_whole() -> None:
    """And a change in an otherwise equal text costs next to nothing, however long that is."""
    long = " ".join(["word"] * 5_000)
    assert compared(f"<p>{long} end</p>", f"<p>{long} stop</p>", 20_000).added == 1
    different = compared("<p>" + "a b " * 2_000 + "</p>", "<p>" + "b c a " * 2_000 + "</p>", 20_000)
    assert (different.added, different.removed) == (6_000, 4_000)


def test_a_deeply_nested_body_can_be_compared() -> None:
    deep = "<blockquote>" * 200 + "<p>{}</p>" + "</blockquote>" * 200
    difference = compared(deep.format("One two."), deep.format("One three."))
    assert (difference.added, difference.removed) == (1, 1)


# --- all fields


def test_only_the_fields_that_differ_are_told() -> None:
    old = a_text(deck="Nobody was hurt.", tags=("Astana", "Police"), breaking=True)
    new = a_text(deck="One man was hurt.", tags=("Police", "Banks", "Crime"), slug="siege")
    told = {each.field: each for each in field_differences(old, new)}
    assert list(told) == ["deck", "tags", "slug", "breaking"]
    assert told["deck"].segments == (
        Segment(op="removed", text="Nobody "),
        Segment(op="added", text="One man "),
        Segment(op="equal", text="was hurt."),
    )
    assert (told["deck"].added, told["deck"].removed) == (2, 1)
    assert (told["tags"].before, told["tags"].after) == (["Astana", "Police"], ["Police", "Banks", "Crime"])
    assert (told["tags"].added, told["tags"].removed) == (2, 1)
    assert (told["slug"].before, told["slug"].after, told["slug"].added) == (None, "siege", 1)
    assert field_differences(old, old) == ()


def test_the_whole_of_the_words_is_told_where_it_is_asked_for() -> None:
    """Also of fields that did not change, so that a page can be made of it."""
    told = field_differences(a_text(), a_text(), whole=True)
    assert [each.field for each in told] == ["headline", "deck", "body"]
    assert told[2].html == "<p>One.</p>"
    assert [(each.added, each.removed) for each in told] == [(0, 0)] * 3


def test_counts_alone_carry_no_word() -> None:
    told = field_differences(a_text(tags=("Secret",)), a_text(body="<p>Secret.</p>", headline="Secret"))
    shown = "".join(only_counts(each).model_dump_json() for each in told)
    assert "Secret" not in shown
    assert [each.field for each in told] == ["headline", "body", "tags"]


def test_an_article_never_carries_marks_of_its_own() -> None:
    """They would be taken for changes."""
    assert clean("<p><ins>a</ins> <del>b</del></p>") == "<p>a b</p>"
    assert compared("<p><del>x</del> y z.</p>", "<p>x y z.</p>").html == "<p>x y z.</p>"
