"""Paragraphs, sentences, quotation marks and who is cited: plain rules, no tokenizer needed."""

import re
from bisect import bisect_left
from collections.abc import Iterator
from functools import cache

from chipweir.text._document import Document, Sentence
from chipweir.text._starts import quick
from chipweir.text._units import pack, plain


_PARAGRAPH = re.compile(r"[^\n\r\x0b\x0c\x85\u2028\u2029]+")
_ABBREVIATIONS = re.compile(
    r"(?:\b(?:U\.S|U\.K|U\.N|E\.U|Mr|Mrs|Ms|Dr|Inc|Corp|Co|Ltd|No|vs|St|Jan|Feb|Mar|Apr|Jun|Jul|Aug|Sept|S"
    r"ep|Oct|Nov|Dec|Gen|Sen|Rep|Gov|Prof|approx|e\.g|i\.e|a\.m|p\.m)|\b[A-Z]|\d\.\s{0,2}\d{1,2})\.$"
)
# A number that opens a line counts it ("1. ..."), unlike one that ends a sentence ("... rose to $75. ...").
# The rest of a date written with stops ("2025. 9. 5.").
_DATED = re.compile(r"\s{0,2}\d{1,2}\.(?!\d)")
_COUNTED = re.compile(r"[\s(\[#*-]*\d{1,2}\.")
_STOP = re.compile(r"(?:[.!?]{1,9}[\"'”’)\]」』*]{0,6}(?=\s|$))|[。！？]{1,9}[\"'”’)」』]{0,6}")
_QUOTES = (("“", "”"), ("‘", "’"), ("「", "」"), ("『", "』"), ("《", "》"))
_LONGEST_QUOTE, _LONGEST_LEAD = 1500, 500
# A stretch without a full stop is cut here, so that work on one sentence stays small.
_LONGEST_SENTENCE = 600
_PAUSE = re.compile(r"[，；、]|\s")


def paragraphs(text: str) -> list[tuple[int, int]]:
    """Lines that hold anything but space, as spans without the space at their ends."""
    found = []
    for line in _PARAGRAPH.finditer(text):
        stripped = line.group().strip()
        if stripped:
            start = line.start() + len(line.group()) - len(line.group().lstrip())
            found.append((start, start + len(stripped)))
    return found


def sentences_of(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    """The sentences of one paragraph, none longer than 600 characters; a stop inside an abbreviation or a number ends
    none."""
    for begin, stop in _to_stops(text, start, end):
        while stop - begin > _LONGEST_SENTENCE:
            pauses = list(_PAUSE.finditer(text, begin + _LONGEST_SENTENCE // 2, begin + _LONGEST_SENTENCE))
            cut = pauses[-1].end() if pauses else begin + _LONGEST_SENTENCE
            yield begin, cut
            begin = cut
        yield begin, stop


def _to_stops(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    begin = start
    for stop in _STOP.finditer(text, start, end):
        if stop.group()[0] == "." and (
            _ABBREVIATIONS.search(text[max(start, stop.start() - 12) : stop.start() + 1])
            or (stop.start() - begin < 12 and _COUNTED.fullmatch(text, begin, stop.start() + 1))
            or (text[stop.start() - 1].isdigit() and _DATED.match(text, stop.end()))
        ):
            continue
        if stop.end() > begin:
            yield begin, stop.end()
        begin = stop.end()
        while begin < end and text[begin].isspace():
            begin += 1
    if begin < end:
        yield begin, end


def quotations(text: str, start: int, end: int) -> list[tuple[int, int]]:
    """The stretches inside quotation marks in [start, end), marks left out, longest pairs first; straight marks pair
    up in order."""
    found: list[tuple[int, int]] = []
    for opening, closing in _QUOTES:
        at = text.find(opening, start, end)
        while at >= 0:
            close = text.find(closing, at + 1, min(end, at + _LONGEST_QUOTE))
            if close < 0:
                break
            found.append((at + 1, close))
            at = text.find(opening, close + 1, end)
    marks = [mark.start() for mark in re.finditer(r'"', text[start:end])]
    pairs = zip(marks[::2], marks[1::2], strict=False)
    found.extend((start + left + 1, start + right) for left, right in pairs if right - left <= _LONGEST_QUOTE)
    return sorted(span for span in found if span[0] < span[1])


@cache
def _attributions(language: str) -> tuple[tuple[re.Pattern[str], re.Pattern[str], bool], ...]:
    """(word of reporting, pattern of the cited, whether the cited stand before the word) of a pack."""
    return tuple(
        (quick(row.get("sign") or row["verb"]), re.compile(row.get("who") or row["subject"]), "subject" in row)
        for row in pack(language)["attribution"]
    )


_LEAD = re.compile(
    r"^(?:\d{0,2}[월일]\s?(?:\d{1,2}일)?(?:\s?\([^)]*\))?|이에 대해|이와 관련해|현지시간\))\s*|(?:이|가)?\s보도한\s바$"
)


def attribution(sentence: str) -> str:
    """Who the sentence cites, as written; empty where nobody is cited."""
    window = sentence[:_LONGEST_LEAD]
    for sign, cited, before in _attributions(script(window)):
        said = sign.search(window)
        if said is None:
            continue
        stop = said.start() if before else len(window)
        found = cited.search(window, max(0, stop - 60) if cited.pattern.endswith("$") else 0, stop)
        if found:
            return _LEAD.sub("", found["who"].strip(" ,，、‘’“”\"'·"))[-40:].strip()
    return ""


def script(text: str) -> str:
    """`ko`, `zh` or `en`: the script a sentence is written in, whatever the article's language."""
    if text.isascii():
        return "en"
    if _HANGUL.search(text):
        return "ko"
    han = len(_HAN.findall(text))
    return "zh" if han * 4 > len(_LATIN.findall(text)) else "en"


_HANGUL, _HAN, _LATIN = re.compile(r"[가-힣]"), re.compile(r"[\u3400-\u9fff]"), re.compile(r"[A-Za-z]")


def segment(document: Document) -> tuple[Sentence, ...]:
    """The document's sentences in order. A citation in a paragraph's first sentence does not carry over to the next."""
    text = plain(document.text)
    found: list[Sentence] = []
    for number, (start, end) in enumerate(paragraphs(text)):
        quotes = quotations(text, start, end)
        for begin, stop in sentences_of(text, start, end):
            near = quotes[bisect_left(quotes, (begin - _LONGEST_QUOTE, 0)) : bisect_left(quotes, (stop, 0))]
            inside = tuple((max(left, begin), min(right, stop)) for left, right in near if right > begin)
            cited = attribution(text[begin:stop])
            found.append(Sentence(begin, stop, number, inside, cited, document.is_dropped(begin, stop)))
    return tuple(found)
