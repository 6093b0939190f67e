"""The article inside an HTML page, with the place in the page of every character.

trafilatura finds the article; this module finds its text again in the page, so that offsets hold in the page as
given. Pages that are too large or too deeply nested for it are read without their markup, whole.
"""

import html
import re
from collections.abc import Mapping
from typing import Any


_SKIPPED = re.compile(
    r"(?is)<(script|style|noscript|template|svg|iframe|head)\b[^<>]{0,2000}>.*?(?:</\1\s*>|\Z)|<!--.*?(?:--"
    r">|\Z)|<!\[CDATA\[|\]\]>"
)
_TAG = re.compile(r"<(/?)([a-zA-Z][a-zA-Z0-9-]{0,20})(?:[^<>]{0,8000})>|<[!?][^<>]{0,2000}>")
_REFERENCE = re.compile(r"&(?:#\d{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z][A-Za-z0-9]{1,31});")
_BLOCKS = frozenset(
    re.split(
        r"\s+",
        "p div br li ul ol h1 h2 h3 h4 h5 h6 tr td th table section article header footer "
        "blockquote pre figure figcaption main aside nav form dl dt dd hr body",
    )
)
_STATED = re.compile(
    r"(?i)(?:article:published_time|datePublished|og:article:published_time|pubdate|\"date\")[\"']?\s*(?:c"
    r"ontent=|:|datetime=)?\s*[\"']([12]\d{3}-\d\d-\d\d[^\"'<]{0,20})[\"']"
    r"|content=[\"']([12]\d{3}-\d\d-\d\d[^\"']{0,20})[\"'][^>]{0,80}(?:published_time|datePublished|pubdat"
    r"e)|<time[^>]{0,200}datetime=[\"']([12]\d{3}-\d\d-\d\d[^\"']{0,20})"
)
LARGEST_PAGE, DEEPEST = 3_000_000, 400


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


def _depth(page: str) -> int:
    deepest = depth = 0
    for found in _TAG.finditer(page):
        if (
            found[2]
            and not found.group().endswith("/>")
            and found[2].lower() not in {"br", "img", "meta", "link", "input", "hr", "p", "li"}
        ):
            depth += -1 if found[1] else 1
            deepest = max(deepest, depth)
    return deepest


def article(page: str, url: str = "") -> tuple[str, tuple[int, ...], Mapping[str, Any], tuple[str, ...]]:
    """(text, offset in the page of each character, metadata, warnings) of the article in `page`."""
    shown, origin = visible(page)
    if len(page) > LARGEST_PAGE or _depth(page) > DEEPEST:
        text, places = _tidy(shown, origin)
        return (
            text,
            places,
            {},
            ("the page is too large or too deeply nested: read whole, without finding the article in it",),
        )
    main, metadata = _trafilatura(page, url)
    if not main.strip():
        text, places = _tidy(shown, origin)
        return text, places, metadata, ("no article found in the page: read whole",)
    text, places = _aligned(main, shown, origin)
    return text, places, metadata, ()


def _trafilatura(page: str, url: str) -> tuple[str, Mapping[str, Any]]:
    import logging

    import trafilatura
    from trafilatura.settings import use_config

    logging.getLogger("trafilatura").setLevel(logging.CRITICAL)
    config = use_config()
    config.set("DEFAULT", "EXTRACTION_TIMEOUT", "0")
    try:
        text = (
            trafilatura.extract(
                page, url=url or None, include_comments=False, include_tables=True, favor_recall=True, config=config
            )
            or ""
        )
        found = trafilatura.extract_metadata(page, default_url=url or None)
    except (ValueError, TypeError, AttributeError, RecursionError, LookupError, AssertionError):
        return "", {}
    if found is None:
        return text, {}
    stated = _STATED.search(page[:400_000])
    fields = {
        "title": found.title,
        "outlet": found.sitename or found.hostname,
        "url": found.url,
        "author": found.author,
    }
    fields["date" if stated else "guessed_date"] = (stated[1] or stated[2] or stated[3]) if stated else found.date
    return text, {key: item for key, item in fields.items() if item}


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
    at = last = 0
    for line in main.splitlines(keepends=True):
        key = "".join(line.split())
        found = squeezed.find(key, at) if key else -1
        if found < 0 and key:
            found = squeezed.find(key)
        step = found
        for character in line:
            if found >= 0 and not character.isspace():
                last = origin[dense[step]]
                step += 1
            places.append(last)
        if found >= 0:
            at = found + len(key)
    return main, tuple(places)
