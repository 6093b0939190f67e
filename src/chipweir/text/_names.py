"""Names in text, linked to the fact base: longest match, sense rules, descriptions, near misses, unknown codes.

A near miss is reported as a suggestion (`how` is `typo`) and never taken as the name; a code that looks like a chip
the fact base does not hold is reported with an empty id (`how` is `code`).
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import cache

from chipweir.text import _masks as masks
from chipweir.text._document import EntityMention
from chipweir.text._lexicon import Lexicon, Name, settings, simplified, small
from chipweir.text._units import pack, plain


_HANGUL = re.compile(r"[가-힣]")
_SHORT_CODE = re.compile(r"^(?:[A-Z]\d{1,2}|V\d(?:\.\d)?|PPU|v\d[a-z])$")
_CODE = re.compile(r"(?<![A-Za-z0-9.-])(?:[A-Z]{1,5}-?\d{2,4}[A-Z]{0,2}|[A-Z]\dO|\d{3,4}[A-DX])(?![A-Za-z0-9]|-\d)")
_WORD = re.compile(r"[가-힣]{3,12}|(?<![A-Za-z])[A-Z][A-Za-z]{5,19}(?![A-Za-z])")
_TAIL = re.compile(
    r"(?:은|는|이|가|을|를|의|에|와|과|로|도|만|나|인|측|산|발|계|제|형|식|용|판|내|외|행|향|당국|정부|기업|시장|칩|반도체|업체|社|사|의존|견제|봉쇄|본토|현지|법"
    r"인|매출|수출|공장|에서|에게|으로|이나|까지|부터|보다|처럼|라는|이라는|라고|이라고|이며|이자|이다|였|입니다|"
    r"들|씨|황|대통령|회장|최고|위원장|장관|총리|전자|그룹|테크|인들|인의|중심|주도|최대|최초|동맹|압박|판매|투자|간|쪽|님|대|역시|마저|조차|뿐|등|및|만이|과의|와의|로의|"
    r"에선|에는|에도|이란|란|엔|서|선|산업|소재|언론|외교부|상무부)"
)
_PARTICLE = re.compile(
    r"(?:에게서|으로부터|에서는|에서도|이라는|이라고|에서|에게|으로|까지|부터|보다|처럼|라는|라고|이나|에는|에도|과의|와의|은|는|이|가|을|를|의|에|와|과|로|도|만|측)$"
)
# Codes long enough to mean one chip: H200 in a text tells that its H20 is a chip too.
_LONG_CODE = re.compile(r"(?<![A-Za-z0-9])[A-Z]{1,4}\d{3}[A-Z]?(?![A-Za-z0-9])")
_YEAR = re.compile(r"(?:19|20)\d\d年")
_NEAR_BESIDE = 24


def find_entities(
    text: str, lexicon: Lexicon, language: str = "ko", blocked: Sequence[tuple[int, int]] = ()
) -> tuple[EntityMention, ...]:
    """The names of `lexicon` in `text`, in order, with descriptions, suggestions for typing errors, unknown codes.

    `blocked` are sorted stretches not to read (addresses).
    """
    clean = plain(text)
    index = lexicon
    named = list(_named(clean, index, language, blocked))
    described = list(_described(clean, named, index))
    taken = masks.merged(((one.start, one.end) for one in named), blocked)
    odd = list(_odd(clean, index, taken))
    found = sorted([*named, *described, *odd], key=lambda one: (one.start, -one.end))
    if clean is text:
        return tuple(found)
    return tuple(replace(one, surface=text[one.start : one.end]) for one in found)


def _named(text: str, index: Lexicon, language: str, blocked: Sequence[tuple[int, int]]) -> Iterator[EntityMention]:
    shown, text = text, simplified(text)
    folded = small(text)
    cursor = masks.Cursor(blocked)
    makers: dict[str, bool] = {}
    codes = {index.exact[code].id for code in _LONG_CODE.findall(text) if code in index.exact}
    houses = {identifier.split("-")[0] for identifier in codes}
    end = 0
    for start in _starts(folded, index):
        if start < end or cursor.covers(start):
            continue
        for name in index.at(text, folded, start):
            stop = start + len(name.form)
            if _bounded(text, start, stop, name, end) and _meant(
                text, folded, start, stop, name, index, makers, houses
            ):
                yield EntityMention(start, stop, name.id, shown[start:stop], name.kind, also=name.also)
                end = stop
                break
        else:
            if language == "ko" and text[start] in settings()["headline"]:
                mention = _headline(text, start)
                if mention:
                    yield mention
                    end = mention.end


def _starts(folded: str, index: Lexicon) -> Iterator[int]:
    long, short = index.forms.long, index.forms.short
    headline = settings()["headline"]
    for found in index.forms.starts.finditer(folded):
        place = found.start()
        if folded[place : place + 4] in long or folded[place : place + 2] in short or folded[place] in headline:
            yield place


def _headline(text: str, start: int) -> EntityMention | None:
    """One Chinese character for a country, as Korean headlines write it: `美, 대중`, `中기업`."""
    before, after = text[max(0, start - 1) : start], text[start + 1 : start + 2]
    if "一" <= before <= "鿿" or ("一" <= after <= "鿿" and after not in settings()["headline"]):
        return None
    if _HANGUL.match(before or " ") or before == "(":
        return None
    return EntityMention(start, start + 1, settings()["headline"][text[start]], text[start], "country")


def _bounded(text: str, start: int, end: int, name: Name, previous: int) -> bool:
    """Whether the name stands alone and is not a piece of a longer word."""
    first, last = name.form[0], name.form[-1]
    before, after = text[start - 1 : start], text[end : end + 1]
    if before and first.isascii() and first.isalnum() and before.isascii() and (before.isalnum() or before in "_@#"):
        return False
    if name.kind == "product-line" and after.isdigit():  # 가우디3 is a chip of its line
        return False
    if after == "$" and name.form in {"US", "HK", "NT"}:
        return False
    if last.isascii() and last.isalnum() and after:
        if after == "s" and (last.isdigit() or last.isupper()) and not text[end + 1 : end + 2].isalnum():
            return True
        if last.isalpha() and _YEAR.match(text, end):
            return True
        if after.isascii() and (after.isalnum() or after == "_"):
            return False
        if last.isdigit() and after in ".-" and text[end + 1 : end + 2].isdigit():
            return False
    if (
        _HANGUL.match(first)
        and before
        and _HANGUL.match(before)
        and start != previous
        and before not in "대탈반친미중한북남주재"
    ):
        return False
    if _HANGUL.match(last) and after and _HANGUL.match(after):
        return len(name.form) >= 4 or _TAIL.match(text, end) is not None
    return True


_CHIP_WORD = re.compile(r"\s?(?:AI )?(?:chips?|GPUs?|accelerators?|processors?|칩|반도체|芯片|晶片)(?![a-z])")


def _meant(text: str, folded: str, start: int, end: int, name: Name, index: Lexicon, makers: dict[str, bool],
           houses: set[str]) -> bool:  # fmt: skip
    """Sense rules: an ordinary word needs company, a short code needs its maker in the text."""
    pattern = _beside().get(name.form)
    if pattern is not None:
        window = text[max(0, start - _NEAR_BESIDE) : start] + "\n" + text[end : end + _NEAR_BESIDE]
        return pattern.search(window) is not None
    unless = _not_after().get(name.form)
    if unless is not None and unless.search(text[max(0, start - 8) : start]):
        return False
    if name.needs_maker or (name.kind in {"chip", "language-model"} and _SHORT_CODE.match(name.form)):
        if _CHIP_WORD.match(text[end : end + 14]):
            return True
        if name.id not in makers:
            told = any(small(form) in folded for form in index.makers.get(name.id, ()))
            field = name.kind == "chip" and _field().search(text) is not None
            makers[name.id] = told or field or name.id.split("-")[0] in houses
        return makers[name.id]
    return True


@cache
def _field() -> re.Pattern[str]:
    """Words that tell that a text speaks of chips at all."""
    return re.compile(settings()["field_words"], re.IGNORECASE)


@cache
def _beside() -> dict[str, re.Pattern[str]]:
    return {word: re.compile(pattern) for word, pattern in settings()["beside"].items()}


@cache
def _not_after() -> dict[str, re.Pattern[str]]:
    return {word: re.compile(pattern) for word, pattern in settings()["not_after"].items()}


def _described(text: str, named: Sequence[EntityMention], index: Lexicon) -> Iterator[EntityMention]:
    """`어센드 384개를 통합한 시스템`, `a rack of 72 Blackwell GPUs`: a system told by its chips and their number."""
    sizes = {one.count for one in index.assemblies}
    words = re.compile(settings()["system_words"], re.IGNORECASE)
    for mention in named:
        if mention.kind not in {"chip", "product-line"}:
            continue
        window = text[max(0, mention.start - 24) : mention.end + 32]
        offset = max(0, mention.start - 24)
        for number in re.finditer(r"(?<![\d.,])\d{2,6}(?![\d.,]\d)", window):
            size = int(number.group())
            at, end = offset + number.start(), offset + number.end()
            if (
                size not in sizes
                or mention.start <= at < mention.end
                or re.search(r"[.。\n]", text[min(at, mention.end) : max(at, mention.end)])
            ):
                continue
            word = words.search(text, max(at, mention.end), min(len(text), max(end, mention.end) + 40))
            found = next((a.id for a in index.assemblies if a.count == size and mention.id in a.members), None)
            if word and found:
                first, last = min(at, mention.start), word.end()
                yield EntityMention(first, last, found, text[first:last], "system", "pattern", 0.9)
                break


def _odd(text: str, index: Lexicon, taken: Sequence[tuple[int, int]]) -> Iterator[EntityMention]:
    """Codes and words that no name covers: typing errors one letter from a name, and chips the fact base does not
    hold."""
    cursor = masks.Cursor(taken)
    chips = re.compile(settings()["chip_words"], re.IGNORECASE)
    known_codes = re.compile(settings()["known_codes"])
    for found in _CODE.finditer(text):
        if cursor.covers(found.start(), found.end()):
            continue
        near = text[max(0, found.start() - 40) : found.start()] + "\n" + text[found.end() : found.end() + 40]
        code = found.group()
        meant = _digit_typo(code, index)
        if meant and chips.search(near):
            yield EntityMention(found.start(), found.end(), meant.id, code, meant.kind, "typo", 0.9)
        elif not known_codes.match(code) and chips.search(near):
            yield EntityMention(found.start(), found.end(), "", code, "unknown", "code", 0.5)
    cursor = masks.Cursor(taken)
    seen: dict[str, tuple[Name, int] | None] = {}
    for found in _WORD.finditer(text):
        if cursor.covers(found.start(), found.end()):
            continue
        word = found.group()
        if word not in seen:
            seen[word] = _near_miss(word, index)
        hit = seen[word]
        if hit:
            name, length = hit
            yield EntityMention(found.start(), found.start() + length, name.id, word[:length], name.kind, "typo", 0.8)


def _digit_typo(code: str, index: Lexicon) -> Name | None:
    """The chip meant by a code with a letter for a digit: `H2O` for `H20`."""
    for wrong, right in (("O", "0"), ("o", "0"), ("l", "1"), ("I", "1")):
        if wrong in code[1:]:
            name = index.exact.get(code[0] + code[1:].replace(wrong, right))
            if name is not None and name.kind == "chip":
                return name
    return None


def _near_miss(word: str, index: Lexicon) -> tuple[Name, int] | None:
    if word[0].isascii():
        if word.endswith("s"):
            return None
        found = index.near_latin.near(word)
        if any(small(word).startswith(small(form)) or small(form).startswith(small(word)) for form in found):
            return None
        hits = [
            name
            for name in (index.exact.get(form) for form in found)
            if name and small(name.form)[:2] == small(word)[:2]
        ]
        return (hits[0], len(word)) if len({name.id for name in hits}) == 1 else None
    stems = {word, _PARTICLE.sub("", word)}
    for stem in sorted(stems, key=len, reverse=True):
        if len(stem) < 3 or stem in _ordinary():
            continue
        near = [
            index.exact[form]
            for form in index.near_hangul.near(stem)
            if (len(form) == len(stem) and form[0] == stem[0]) or (len(stem) >= 4 and len(form) == len(stem))
        ]
        near = [
            name
            for name in near
            if name.kind not in {"country", "law", "technology", "topic", "component"} or len(name.form) >= 4
        ]
        if len({name.id for name in near}) == 1:
            return near[0], len(stem)
    return None


@cache
def _ordinary() -> frozenset[str]:
    return frozenset(pack("ko").get("not_typos", ()))
