"""Spaces at which a line must not be broken, by language. Pure: positions in a text.

A number stays with its unit, initials with their name, a dash with the word before it, a Russian preposition
with the word after it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise

MOST_TOGETHER = 24
"""The most characters kept on one line: on a narrow screen a headline's line holds little more."""

_DASHES = frozenset("–—")
_SIGNS_BEFORE = frozenset("№§$€£₸₽")
_SIGNS_AFTER = frozenset("%‰°$€£₸₽")
_OPENING = "«„“\"'(["
_CLOSING = "»“”\"')],;:!?…"
_CAPITAL = "[A-ZÀ-ÖØ-ÞА-ЯЁЄІЇҐӘҒҚҢӨҰҮҺ]"
_INITIALS = re.compile(rf"(?:{_CAPITAL}\.)+")
_GROUP = re.compile(r"\d{1,3}")
_NEXT_GROUP = re.compile(r"\d{3}(?!\d)")


@dataclass(frozen=True)
class _Rules:
    """The words of a language that stay with a neighbour; all in lower case, but for `units`.

    `units` follow a number, and so does whatever begins like one of `counted`. `leading` words stay with the
    one that follows, `leading_names` with a capital, `leading_numbers` with a digit; `trailing` ones with the
    one before. `chains`: parts of abbreviations that stay with the next part.
    """

    units: frozenset[str] = frozenset()
    counted: tuple[str, ...] = ()
    leading: frozenset[str] = frozenset()
    leading_names: frozenset[str] = frozenset()
    leading_numbers: frozenset[str] = frozenset()
    trailing: frozenset[str] = frozenset()
    chains: Mapping[str, str] | None = None
    has_names_first: bool = False


def _words(*words: str) -> frozenset[str]:
    return frozenset(" ".join(words).split())


_LATIN_UNITS = (
    "km m cm mm nm kg g mg t l ml ha m² km² m³ km/h m/s W kW MW GW kWh MWh GWh V Hz kHz MHz GHz KB MB "
    "GB TB °C °F"
)
_CYRILLIC_UNITS = (
    "км м см мм кг г мг т л мл га м² км² м³ км/ч км/сағ м/с Вт кВт МВт ГВт В Гц кГц МГц ГГц КБ МБ ГБ ТБ °C "
    "тыс. млн млрд трлн руб. тг"
)
_MONTHS_EN = "January February March April May June July August September October November December"
_SHORT_MONTHS_EN = "Jan. Feb. Mar. Apr. Aug. Sept. Oct. Nov. Dec."
_MONTHS_RU = "января февраля марта апреля мая июня июля августа сентября октября ноября декабря"
_MONTHS_KK = (
    "қаңтар", "ақпан", "наурыз", "сәуір", "мамыр", "маусым", "шілде", "тамыз", "қыркүйек", "қазан", "қараша",
    "желтоқсан",
)  # fmt: skip
_MONTHS_AR = "يناير فبراير مارس أبريل مايو يونيو يوليو أغسطس سبتمبر أكتوبر نوفمبر ديسمبر"

_RULES: Mapping[str, _Rules] = {
    "en": _Rules(
        units=_words(
            _LATIN_UNITS,
            _MONTHS_EN,
            _SHORT_MONTHS_EN,
            "tenge thousand million billion trillion a.m. p.m. am pm",
        ),
        leading_names=_words("mr mr. mrs mrs. ms ms. dr dr. prof. st st. gen. col. lt. sgt. sen. rep. gov."),
        leading_numbers=_words(_MONTHS_EN.lower(), _SHORT_MONTHS_EN.lower(), "no. nos. p. pp. vol. ch."),
    ),
    "ru": _Rules(
        units=_words(_CYRILLIC_UNITS, _MONTHS_RU, "ч мин с сек год года году годов лет г. гг. в. вв."),
        counted=("тенге", "рубл", "доллар", "евро", "процент", "человек", "минут", "час"),
        leading=_words(
            "а в и к о с у я во да до за из ко на не ни но об от по со без для над под при про",
            "ул. пр. просп. пл. пер. обл. им. о. оз. проф. акад. тов. гр.",
        ),
        leading_names=_words("г."),
        leading_numbers=_words("стр. рис. ст. п. пп. гл. т. д. кв."),
        trailing=_words("бы б же ж ли ль"),
        chains={"т.": "декпо", "н.": "э"},
        has_names_first=True,
    ),
    "kk": _Rules(
        units=_words(_CYRILLIC_UNITS, "мың ж. жж. ғ. ғғ."),
        counted=(
            *_MONTHS_KK,
            "жыл",
            "жас",
            "теңге",
            "рубл",
            "доллар",
            "еуро",
            "пайыз",
            "адам",
            "минут",
            "сағат",
        ),
        leading=_words("ең әр еш не я тым проф. акад."),
        trailing=_words("да де та те ма ме ба бе па пе ғой қ."),
        chains={"т.": "б"},
        has_names_first=True,
    ),
    "ar": _Rules(units=_words("كم كلم متر كغ طن ألف مليون مليار تريليون درجة دولار عام", _MONTHS_AR)),
}
_ELSEWHERE = _Rules()


def kept_together(plain: str, language: str) -> Iterator[int]:
    """Positions of the spaces to hold, rising. `plain` has no space but U+0020, `language` is primary."""
    rules = _RULES.get(language, _ELSEWHERE)
    is_loose = not (rules.leading or rules.trailing)
    words = plain.split(" ")
    at, together = len(words[0]), len(words[0])
    for before, after in pairwise(words):
        together += 1 + len(after)
        if is_loose and after[:1].islower() and before[-1:].isalpha():
            together = len(after)  # as most words of a text: neither could hold the other
        elif (
            before
            and after
            and together <= MOST_TOGETHER
            and _belong(before, after, rules, at == len(before))
        ):
            yield at
        else:
            together = len(after)
        at += 1 + len(after)


def _belong(before: str, after: str, rules: _Rules, is_start: bool) -> bool:
    """Whether no line may end between two words."""
    if after[0] in _DASHES:
        return len(after) == 1
    last = before[-1]
    if last.isdigit():
        return _counts(before, after, rules)
    if last in _DASHES or last in _SIGNS_BEFORE:
        return len(before) == 1 and (is_start if last in _DASHES else after[0].isdigit())
    return _is_with_next(before, after, rules) or (bool(rules.trailing) and _is_trailing(after, rules))


def _is_with_next(before: str, after: str, rules: _Rules) -> bool:
    """Whether a word stays with the one that follows it, for what either is."""
    word = before.lstrip(_OPENING)
    if rules.leading and word.lower() in rules.leading:
        return True
    if word.endswith(".") and _is_abbreviated(word, after, rules):
        return True
    if after[0].isdigit():
        return word.lower() in rules.leading_numbers
    if not after[0].isupper():
        return False
    return word.lower() in rules.leading_names or _is_name_first(before, after, rules)


def _is_trailing(after: str, rules: _Rules) -> bool:
    word = after.rstrip(_CLOSING)
    return word in rules.trailing or word.rstrip(".") in rules.trailing


def _counts(number: str, after: str, rules: _Rules) -> bool:
    """What is counted or measured; or the next three digits of the number."""
    if after[0] in _SIGNS_AFTER or after.startswith(rules.counted):
        return True
    if _NEXT_GROUP.match(after):
        return _GROUP.fullmatch(number.lstrip(_OPENING)) is not None
    unit = after.rstrip(_CLOSING)
    return unit in rules.units or unit.rstrip(".") in rules.units


def _is_abbreviated(before: str, after: str, rules: _Rules) -> bool:
    """Initials before a name or before more of them; a part of an abbreviation before the next."""
    if after[0].isupper() and _INITIALS.fullmatch(before):
        return True
    following = (rules.chains or {}).get(before.lower(), "")
    return len(after) > 1 and after[1] == "." and after[0] in following


def _is_name_first(before: str, after: str, rules: _Rules) -> bool:
    """A name with the initials behind it."""
    return rules.has_names_first and before[0].isupper() and before.isalpha() and _is_initials(after)


def _is_initials(word: str) -> bool:
    """Whether the word is nothing but initials: `А.С.`"""
    return _INITIALS.fullmatch(word.rstrip(_CLOSING)) is not None
