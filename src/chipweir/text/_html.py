"""The article inside an HTML page, with the place in the page of every character.

trafilatura finds the article; this module finds its text again in the page, so that offsets hold in the page as
given. Pages that are too large or too deeply nested for it are read without their markup, whole.
"""

import html
import re
from collections.abc import Mapping
from typing import Any

from chipweir.reading import Confined, Overrun


_SKIPPED = re.compile(
    r"(?is)<(script|style|noscript|template|svg|iframe|head)\b[^<>]*>.*?(?:</\1\s*>|\Z)|<!--.*?(?:--"
    r">|\Z)|<!\[CDATA\[|\]\]>"
)
_TAG = re.compile(r"<(/?)([a-zA-Z][a-zA-Z0-9-]{0,20})[^<>]*>|<[!?][^<>]*>")
_REFERENCE = re.compile(r"&(?:#\d{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z][A-Za-z0-9]{1,31});")
_BLOCKS = frozenset(
    re.split(
        r"\s+",
        "p div br li ul ol h1 h2 h3 h4 h5 h6 tr td th table section article header footer "
        "blockquote pre figure figcaption main aside nav form dl dt dd hr body",
    )
)
_STATED = re.compile(
    r"(?i)(?:article:published_time|datePublished|og:article:published_time|pubdate|\"date\")[\"']?\s{0,9}(?:c"
    r"ontent=|:|datetime=)?\s{0,9}[\"']([12]\d{3}-\d\d-\d\d[^\"'<]{0,20})[\"']"
    r"|content=[\"']([12]\d{3}-\d\d-\d\d[^\"']{0,20})[\"'][^>]{0,80}(?:published_time|datePublished|pubdat"
    r"e)|<time[^>]{0,200}datetime=[\"']([12]\d{3}-\d\d-\d\d[^\"']{0,20})"
)
LARGEST_PAGE, DEEPEST, MOST_TAGS, LONGEST_TAG = 3_000_000, 400, 60_000, 20_000
# Lines of an article that may be looked for in the whole page: each takes time in proportion to its length.
MOST_LOST = 200
_PARSER = Confined("chipweir.text._parsers:page", seconds=10, memory=1500 << 20, needs=("trafilatura", "feedparser"))


def visible(page: str) -> tuple[str, list[int]]:
    """The page's text without markup, and the offset in the page of each of its characters. Linear in the page's
    length."""
    skipped = [found.span() for found in _SKIPPED.finditer(page)]
    out: list[str] = []
    origin: list[int] = []
    at, index = 0, 0
    pieces = sorted([*((start, end, "\n") for start, end in skipped), *_marks(page)])
    for start, end, shown in pieces:
        if start < at:
            continue
        out.append(page[at:start])
        origin.extend(range(at, start))
        out.append(shown)
        origin.extend([start] * len(shown))
        at = end
        index += 1
    out.append(page[at:])
    origin.extend(range(at, len(page)))
    return "".join(out), origin


def _marks(page: str) -> list[tuple[int, int, str]]:
    marks = [
        (found.start(), found.end(), "\n" if (found[2] or "").lower() in _BLOCKS else "")
        for found in _TAG.finditer(page)
    ]
    marks.extend((found.start(), found.end(), html.unescape(found.group())) for found in _REFERENCE.finditer(page))
    return marks


def _is_ordinary(page: str) -> bool:
    """Whether a parser can be expected to read the page in good time: libxml2's takes the square of the number of one tag's
    attributes."""
    if len(page) > LARGEST_PAGE:
        return False
    deepest = depth = count = 0
    for count, found in enumerate(_TAG.finditer(page), 1):
        if count > MOST_TAGS or found.end() - found.start() > LONGEST_TAG:
            return False
        if (
            found[2]
            and not found.group().endswith("/>")
            and found[2].lower() not in {"br", "img", "meta", "link", "input", "hr", "p", "li"}
        ):
            depth += -1 if found[1] else 1
            deepest = max(deepest, depth)
    return deepest <= DEEPEST


def article(page: str, url: str = "") -> tuple[str, tuple[int, ...], Mapping[str, Any], tuple[str, ...]]:
    """(text, offset in the page of each character, metadata, warnings) of the article in `page`."""
    shown, origin = visible(page)
    if not _is_ordinary(page):
        text, places = _tidy(shown, origin)
        return (
            text,
            places,
            {},
            ("the page is too large, too deeply nested or no ordinary page: read whole, without finding the article",),
        )
    main, metadata, why = _found(page, url)
    if not main.strip():
        text, places = _tidy(shown, origin)
        return text, places, metadata, (f"no article found in the page{why}: read whole",)
    text, places = _aligned(main, shown, origin)
    return text, places, metadata, ()


def _found(page: str, url: str) -> tuple[str, Mapping[str, Any], str]:
    """(text, metadata, why there is none) of the article that trafilatura finds."""
    try:
        found = _PARSER({"page": page, "url": url})
    except Overrun as error:
        return "", {}, f" (reading it {error})" if " " in str(error) else ""
    stated = _STATED.search(page[:400_000])
    fields = dict(found["fields"])
    guessed = fields.pop("date", None)
    date = (stated[1] or stated[2] or stated[3]) if stated else guessed
    return found["text"], {**fields, **({"date" if stated else "guessed_date": date} if date else {})}, ""


def _tidy(shown: str, origin: list[int]) -> tuple[str, tuple[int, ...]]:
    """Runs of blank space shortened to one character."""
    out: list[str] = []
    places: list[int] = []
    for found in re.finditer(r"\S+|\s+", shown):
        piece = found.group()
        if piece.isspace():
            if not out:
                continue
            piece = "\n" if "\n" in piece or "\r" in piece else " "
            out.append(piece)
            places.append(origin[found.start()])
        else:
            out.append(piece)
            places.extend(origin[found.start() : found.end()])
    return "".join(out), tuple(places)


def _aligned(main: str, shown: str, origin: list[int]) -> tuple[str, tuple[int, ...]]:
    """`main` with the place in the page of each character: every line is looked for in the page's text, spaces aside,
    in order."""
    dense = [place for place, character in enumerate(shown) if not character.isspace()]
    squeezed = "".join(shown[place] for place in dense)
    places: list[int] = []
    at = last = lost = 0
    for line in main.splitlines(keepends=True):
        key = "".join(line.split())
        found = squeezed.find(key, at) if key and lost < MOST_LOST else -1
        if found < 0 and key and lost < MOST_LOST:
            found, lost = squeezed.find(key), lost + 1
        step = found
        for character in line:
            if found >= 0 and not character.isspace():
                last = origin[dense[step]]
                step += 1
            places.append(last)
        if found >= 0:
            at = found + len(key)
    return main, tuple(places)
