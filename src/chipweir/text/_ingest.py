"""Reading an article: plain text, Markdown with front matter, HTML, a feed, PDF, DOCX, an address, standard input.

The text is kept as given; what is set aside (front matter, captions, repeated paragraphs) stays in it and is listed.
"""

import base64
import re
import sys
from collections.abc import Mapping
from dataclasses import replace
from datetime import date, datetime
from pathlib import Path
from typing import Any, Literal

from chipweir import reading
from chipweir.errors import InputError
from chipweir.text import _provenance as provenance
from chipweir.text._document import Document, Language, Span, digest


LARGEST_FILE, _SHORTEST_TITLE = 20_000_000, 10
# Text holds next to no control characters; random bytes hold a tenth.
_CONTROL = 0.01
_FRONT_LIMITS = reading.Limits(depth=6, values=500, text=5_000)
_FEED_PARSER = reading.Confined(
    "chipweir.text._parsers:feed", seconds=20, memory=1500 << 20, needs=("trafilatura", "feedparser")
)
_OFFICE_NEEDS = ("pypdf", "docx")
_PDF_PARSER = reading.Confined("chipweir.text._office:pdf", seconds=60, memory=1500 << 20, needs=_OFFICE_NEEDS)
_WORD_PARSER = reading.Confined("chipweir.text._office:word", seconds=30, memory=1500 << 20, needs=_OFFICE_NEEDS)
_FRONT = re.compile(r"\A(\ufeff?---[ \t]*\n)(.{0,20000}?)\n(---|\.\.\.)[ \t]*(?:\n|\Z)", re.DOTALL)
_HTML = re.compile(
    r"(?is)\A\ufeff?\s*(?:<!doctype html|<html\b|<head\b|<body\b|<(?:div|p|article|section|table|h1)\b[^>]*>)"
)
_FEED = re.compile(r"(?is)\A\ufeff?\s*(?:<\?xml[^>]{0,200}>\s*)?(?:<!--.{0,400}?-->\s*)?<(?:rss|feed|rdf:RDF)\b")
_CHARSET = re.compile(rb"(?i)(?:charset|encoding)\s*=\s*[\"']?([A-Za-z0-9_-]{2,20})")
# How files begin that hold words but are no text; read as text they would be an article that claims nothing.
_NO_TEXT = {
    b"%PDF-": "a PDF",
    b"PK\x03\x04": "a packed file, such as DOCX or EPUB",
    b"\xd0\xcf\x11\xe0": "a file of an old word processor",
    b"\x1f\x8b\x08": "a compressed file",
    b"\x89PNG": "a picture",
    b"\xff\xd8\xff": "a picture",
    b"GIF8": "a picture",
    b"{\\rtf": "a file in rich text format",
}
_LANGUAGES = {
    "ko": "ko",
    "en": "en",
    "zh": "zh-Hans",
    "zh-hans": "zh-Hans",
    "zh-hant": "zh-Hant",
    "zh-tw": "zh-Hant",
    "zh-cn": "zh-Hans",
}


def read(
    source: str | Path,
    published: str | None = None,
    language: str | None = None,
    allow_private: bool = False,
    press: Mapping[str, str] | None = None,
) -> Document:
    """The article in a file, at an address (`https://...`) or on standard input (`-`). Of a feed, its first item.

    `published` (ISO date) overrides what the article says. Raises `InputError` for what cannot be read.
    """
    return read_all(source, published, language, allow_private, press)[0]


def read_all(
    source: str | Path,
    published: str | None = None,
    language: str | None = None,
    allow_private: bool = False,
    press: Mapping[str, str] | None = None,
) -> tuple[Document, ...]:
    """Every article of a source: one, or each item of a feed. `press` are the names of outlets and their ids."""
    where = str(source)
    if where == "-":
        raw = getattr(sys.stdin, "buffer", None)
        data = raw.read(LARGEST_FILE + 1) if raw is not None else b""
        if office := _office(data):
            return (_office_document(data, office, published, language, "", press),)
        text, warnings = decode(data) if raw is not None else (sys.stdin.read(LARGEST_FILE + 1), ())
        return documents_from_text(text, published, language, warnings=warnings, press=press)
    if re.match(r"(?i)[a-z][a-z0-9+.-]{1,12}://", where):
        from chipweir.text._fetch import fetch

        page = fetch(where, allow_private)
        if office := _office(page.body):
            return (_office_document(page.body, office, published, language, page.url, press),)
        text, warnings = decode(page.body, page.charset)
        return documents_from_text(text, published, language, url=page.url, warnings=warnings, press=press)
    path = Path(source)
    try:
        if not path.is_file():
            raise InputError(
                f"'{where}' is no file: give a text, Markdown, HTML, feed, PDF or DOCX file, an address, or '-' for "
                f"standard input"
            )
        if path.stat().st_size > LARGEST_FILE:
            raise InputError(f"'{where}' is larger than {LARGEST_FILE // 1_000_000} MB")
        data = path.read_bytes()
        if office := _office(data):
            return (_office_document(data, office, published, language, "", press),)
        text, warnings = decode(data)
    except OSError as error:
        raise InputError(f"'{where}' cannot be read: {error.strerror or error}") from None
    return documents_from_text(text, published, language, warnings=warnings, suffix=path.suffix.lower(), press=press)


def _office(data: bytes) -> Literal["pdf", "docx", ""]:
    """Which kind of office file bytes are, if any that is read."""
    if data.startswith(b"%PDF-"):
        return "pdf"
    return "docx" if data.startswith(b"PK\x03\x04") and b"word/" in data else ""


def _office_document(
    data: bytes,
    kind: Literal["pdf", "docx"],
    published: str | None,
    language: str | None,
    url: str,
    press: Mapping[str, str] | None,
) -> Document:
    """The document in a PDF or DOCX file. The day a file was made is no day of publication: only its title is used."""
    _check_day(published)
    if len(data) > LARGEST_FILE:
        raise InputError(f"the file is larger than {LARGEST_FILE // 1_000_000} MB")
    if language is not None and language.lower() not in _LANGUAGES:
        raise InputError(f"unknown language '{language}': one of {', '.join(sorted(set(_LANGUAGES)))}")
    try:
        found = (_PDF_PARSER if kind == "pdf" else _WORD_PARSER)(base64.b64encode(data).decode("ascii"))
    except reading.Overrun as error:
        raise InputError(f"the {kind.upper()} cannot be read: its parser {error}") from None
    if found.get("locked"):
        raise InputError("the PDF is locked by a password: save it without one")
    pages = [_flowing(page) if kind == "pdf" else page for page in map(_newlines, found["pages"])]
    text = "\n\n".join(pages)
    if not any(character.isalnum() for character in text):
        raise InputError(f"the {kind.upper()} holds no text: a scan must be read by a text recogniser first")
    starts, at = [], 0
    for page in pages:
        starts.append(at)
        at += len(page) + 2
    document = _document(text, text, kind, {"title": found["title"]}, published, language, url, (), press=press)
    return replace(document, pages=tuple(starts) if kind == "pdf" else ())


# A line of a page ends a paragraph after a full stop, before a heading or bullet, or where the line is short.
_SOFT = re.compile(r"(?<![.!?。！？:：\n])\n(?![\n\s•·\-–#]|\d+[.)])")
_SHORT_LINE = 0.6
# A Korean particle alone at the head of a line belongs to the word before.
_PARTICLE = re.compile(r"(?:을|를|은|는|이|가|의|에|에서|로|으로|와|과|도|만|까지|부터)(?=[\s,.])")
_LIGATURES = str.maketrans({"ﬀ": "ff", "ﬁ": "fi", "ﬂ": "fl", "ﬃ": "ffi", "ﬄ": "ffl"})


def _flowing(page: str) -> str:
    """The text of a page with the breaks inside its paragraphs taken out, so that sentences hold together; a word
    divided at the end of a line is joined, and no space is put between Chinese characters."""
    page = re.sub(r"(?<=[a-z])-\n(?=[a-z])", "", page.translate(_LIGATURES))
    longest = max(map(len, page.split("\n")), default=0)

    def joined(found: re.Match[str]) -> str:
        at = found.start()
        if at - (page.rfind("\n", 0, at) + 1) < _SHORT_LINE * longest:
            return "\n"
        before, after = page[at - 1 : at], page[at + 1 : at + 2]
        chinese = "一" <= before <= "鿿" and "一" <= after <= "鿿"
        return "" if chinese or _PARTICLE.match(page, at + 1) else " "

    return _SOFT.sub(joined, page)


def decode(data: bytes, charset: str = "") -> tuple[str, tuple[str, ...]]:
    """(text, warnings). Tries a byte order mark, the declared character set, UTF-8, then Korean, Chinese and Western
    ones. Raises `InputError` for bytes that are no text, by their kind where it is known."""
    for start, kind in _NO_TEXT.items():
        if data.startswith(start):
            raise InputError(f"this is {kind} and no text: save its words as text, Markdown or HTML")
    if data[:2] not in {b"\xff\xfe", b"\xfe\xff"} and _is_binary(data[:65536]):
        raise InputError("this is no text: give an article as text, Markdown, HTML or a feed, not a binary file")
    if data[:2] in {b"\xff\xfe", b"\xfe\xff"}:
        return data.decode("utf-16", "replace"), ()
    declared = charset or next(
        (found.group(1).decode("ascii") for found in [_CHARSET.search(data[:2048])] if found), ""
    )
    for name in dict.fromkeys(filter(None, ("utf-8", declared, "cp949", "gb18030", "big5"))):
        try:
            text = data.decode(name)
        except (UnicodeDecodeError, LookupError):
            continue
        warnings = () if name in {"utf-8", declared} else (f"no character set declared: read as {name}",)
        return text, warnings
    return data.decode("utf-8", "replace"), ("bytes that are no text in any known character set were replaced",)


def _is_binary(head: bytes) -> bool:
    """Whether bytes cannot be text of any character set: control characters that no text holds."""
    control = sum(byte < 9 or 13 < byte < 27 or 27 < byte < 32 for byte in head)
    return control > _CONTROL * max(len(head), 1)


def _newlines(text: str) -> str:
    """`text` with plain newlines and of the same length, so that places in it are places in what was given."""
    return text.replace("\r\n", " \n").replace("\r", "\n") if "\r" in text else text


def document_from_text(
    text: str,
    published: str | None = None,
    language: str | None = None,
    url: str = "",
    suffix: str = "",
    format: str = "",
    press: Mapping[str, str] | None = None,
) -> Document:
    """One document from text in hand (see `documents_from_text`)."""
    return documents_from_text(text, published, language, url, suffix=suffix, format=format, press=press)[0]


def documents_from_text(
    text: str,
    published: str | None = None,
    language: str | None = None,
    url: str = "",
    warnings: tuple[str, ...] = (),
    suffix: str = "",
    format: str = "",
    press: Mapping[str, str] | None = None,
) -> tuple[Document, ...]:
    """Documents from text in hand; its form is seen from `suffix` or from how it starts.

    Raises `InputError` for an impossible date or language, for text without a single letter, or a feed without items.
    """
    _check_day(published)
    if language is not None and language.lower() not in _LANGUAGES:
        raise InputError(f"unknown language '{language}': one of {', '.join(sorted(set(_LANGUAGES)))}")
    if len(text) > LARGEST_FILE:
        raise InputError(f"the text is longer than {LARGEST_FILE // 1_000_000} million characters")
    if not any(character.isalnum() for character in text[:100_000]):
        raise InputError("the input holds no text: give an article with at least one word")
    given, text = text, _newlines(text)
    kind = format or _format(text, suffix)
    if kind == "rss":
        return _feed(text, published, language, url, warnings, press)
    if kind == "html":
        from chipweir.text._html import article

        shown, origin, metadata, notes = article(text, url)
        return (
            _document(shown, given, "html", metadata, published, language, url, (*warnings, *notes), origin, press),
        )
    metadata, notes = front_matter(text)
    return (
        _document(
            text,
            given,
            "markdown" if metadata or suffix in {".md", ".markdown"} else "text",
            metadata,
            published,
            language,
            url,
            (*warnings, *notes),
            press=press,
        ),
    )


def _format(text: str, suffix: str) -> str:
    if suffix in {".html", ".htm", ".xhtml"}:
        return "html"
    if _FEED.match(text[:4000]):
        return "rss"
    return "html" if _HTML.match(text[:4000]) and suffix not in {".txt", ".md"} else "text"


def _check_day(published: str | None) -> None:
    if published is None:
        return
    try:
        date.fromisoformat(published[:10])
        if len(published) > 10:
            datetime.fromisoformat(published)
    except ValueError:
        raise InputError(f"'{published}' is no date: write it as 2025-08-30 (or 2025-08-30T03:23)") from None


def front_matter(text: str) -> tuple[Mapping[str, Any], tuple[str, ...]]:
    """(fields, warnings) of the YAML block a Markdown file may start with; no fields where it has none or it is
    broken."""
    found = _FRONT.match(text[:24000])
    if not found:
        return {}, ()
    try:
        fields = reading.parse_yaml(found[2], "the front matter", _FRONT_LIMITS).data
    except InputError as error:
        return {}, (f"{error}; it was not used",)
    return (fields, ()) if isinstance(fields, dict) else ({}, ())


def _document(
    text: str,
    given: str,
    kind: str,
    metadata: Mapping[str, Any],
    published: str | None,
    language: str | None,
    url: str,
    warnings: tuple[str, ...],
    origin: tuple[int, ...] | None = None,
    press: Mapping[str, str] | None = None,
) -> Document:
    source = metadata.get("source")
    nested = source if isinstance(source, dict) else {}
    fields = {**nested, **metadata}
    address = url or str(fields.get("url") or (source if isinstance(source, str) else "") or fields.get("link") or "")
    when, basis, why = provenance.published(text, fields, published)
    spoken: Language = _LANGUAGES[language.lower()] if language else provenance.language_of(text)  # type: ignore[assignment]
    outlet = str(fields.get("outlet") or fields.get("publisher") or fields.get("site") or provenance.outlet_of(text))[
        :120
    ]
    passed_on = tuple(
        one for one in provenance.relays(text, press or {}) if one.replace("-", " ") not in outlet.lower()
    )
    tier, generator = provenance.tier(text, address, fields, passed_on)
    notes = list(warnings)
    if when is None:
        notes.append(f"date of publication unknown ({why}): relative dates stay open; give --published")
    elif basis == "inferred":
        notes.append(f"date of publication inferred as {when}: {why}")
    return Document(
        text=text,
        sha256=digest(given),
        language=spoken,
        format=kind,  # type: ignore[arg-type]
        outlet=outlet,
        url=address[:2000],
        title=_title(text, fields),
        published=when,
        published_basis=basis,
        published_why=why,
        tier=tier,
        generator=generator,
        relays=passed_on,
        dropped=_dropped(text),
        warnings=tuple(notes),
        origin=origin,
    )


def _title(text: str, fields: Mapping[str, Any]) -> str:
    if fields.get("title"):
        return str(fields["title"])[:300]
    body = _FRONT.sub("", text[:30000])
    lines = [one.strip() for one in body.splitlines()[:40] if one.strip("-=* #")]
    line = next((one for one in lines if len(one) >= _SHORTEST_TITLE), lines[0] if lines else "")
    return line.lstrip("# ").strip()[:300]


def _dropped(text: str) -> tuple[Span, ...]:
    spans = [*provenance.duplicates(text), *provenance.captions(text)]
    front = _FRONT.match(text[:24000])
    if front:
        spans.append(Span(0, front.end(), "front matter"))
    return tuple(sorted(spans, key=lambda span: (span.start, span.end)))


def _feed(
    text: str,
    published: str | None,
    language: str | None,
    url: str,
    warnings: tuple[str, ...],
    press: Mapping[str, str] | None,
) -> tuple[Document, ...]:
    """Each item of a feed as a document; its markup is removed, offsets hold in the item's text."""
    from chipweir.text._html import article

    try:
        items = _FEED_PARSER(text)
    except reading.Overrun as error:
        raise InputError(f"the feed cannot be read: its parser {error}") from None
    documents = []
    for item in items:
        body, title = item["body"], item["title"]
        shown = article(f"<html><body><p>{body}</p></body></html>")[0].strip() if "<" in body else body
        whole = "\n\n".join(part for part in (title, shown) if part.strip())
        if not any(character.isalnum() for character in whole):
            continue
        metadata = {name: item[name] for name in ("title", "url", "outlet", "date")}
        address = item["url"] or url
        documents.append(_document(whole, whole, "rss", metadata, published, language, address, warnings, press=press))
    if not documents:
        raise InputError("the feed holds no item with text")
    return tuple(documents)
