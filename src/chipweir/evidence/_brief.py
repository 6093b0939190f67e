"""A brief for print: Markdown and HTML, Korean or English, every number from a record and with its source.

Text from the article is quoted in short stretches and escaped; the HTML passes a sanitiser; file names never leave the
folder they are meant for.
"""

import html
import re
import unicodedata
from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any
from urllib.parse import quote

import yaml

import chipweir
from chipweir.errors import InputError, UnknownName
from chipweir.evidence._check import Checked, result_json, shortened
from chipweir.evidence._export import FORMATS, exported, sentence_of
from chipweir.evidence._files import write_whole
from chipweir.evidence._say import say, term
from chipweir.i18n import LANGUAGES


_STYLE = (
    "body{font-family:system-ui,'Noto Sans KR','Apple SD Gothic Neo',sans-serif;line-height:1."
    "6;max-width:60rem;margin:2rem auto;padding:0 1rem;color:#1c2430}"
    "table{border-collapse:collapse;width:100%;font-size:.92rem}th,td{border:1px solid #ccd3dc;padding:.35rem ."
    "5rem;text-align:left;vertical-align:top}"
    "th{background:#f1f4f8}blockquote{border-left:3px solid #9fb0c4;margin:0;padding-left:."
    "8rem;color:#3d4a5c}code{background:#f1f4f8;padding:0 .2rem}td{overflow-wrap:break-word}"
    "td:nth-child(1),td:nth-child(4){white-space:nowrap}"
    "@media(max-width:40rem){table,tbody,tr,td{display:block;border:0}thead{display:none}"
    "tr{border-bottom:1px solid #ccd3dc;padding:.4rem 0}td{padding:.1rem 0}}"
    "@page{size:A4;margin:16mm}@media print{body{font-size:9pt;margin:0;max-width:none}tr,li{break-inside:avoid}"
    "a{color:inherit;text-decoration:none}hr:first-of-type{break-after:page;border:0}}"
)


def brief_markdown(checked: Checked, language: str = "en", created: date | None = None, llm: str = "none") -> str:
    """The brief as Markdown with YAML front matter. Raises `UnknownName` for a language there is no template for."""
    if language not in LANGUAGES:
        raise UnknownName("language", language, LANGUAGES)
    record = result_json(checked, language, beside=True)
    day = created or datetime.now(UTC).date()
    claims = [_claim_view(c, language) for c in record["claims"]]
    text = _template(language).render(
        front=front_matter(record, language, day, llm),
        title=_inline(record["document"]["title"] or checked.article.title or checked.article.name),
        outlet=_inline(record["document"]["outlet"]),
        published=record["document"]["published"],
        basis=record["document"]["published_basis"],
        counts=record["counts"],
        independent=record["sources"]["independent"],
        relays=_inline(", ".join(say_name(checked, item, language) for item in record["sources"]["relays"])),
        claims=claims,
        rows=_rows(checked, record, language),
        findings=_findings(checked, record, language),
        issues=[_issue_view(i, language) for i in record["issues"]],
        scenarios=_scenario_views(record["scenarios"], language),
        sources=_sources(record, language),
        facts=record["facts"][:12],
        llm=llm,
    )
    return re.sub(r"\n{3,}", "\n\n", text).rstrip() + "\n"


def say_name(checked: Checked, identifier: str, language: str) -> str:
    """A thing of the fact base by name, in the reader's language."""
    from chipweir.evidence._checks._context import name_of

    name = name_of(checked.article.facts, identifier)
    return name.ko if language == "ko" else str(name)


def front_matter(record: Mapping[str, Any], language: str, day: date, llm: str) -> str:
    """The YAML block that a brief starts with."""
    document = record["document"]
    fields = {
        "created": day,
        "language": language,
        "tags": ["newsletter", "chipweir"],
        "source": {
            "title": document["title"] or None,
            "url": document["url"] or None,
            "outlet": document["outlet"] or None,
            "published": document["published"],
            "basis": document["published_basis"],
            "sha256": document["sha256"],
        },
        "generator": {"name": "chipweir", "version": chipweir.__version__, "facts": record["facts"][:12], "llm": llm},
        "claims": dict(record["counts"]),
    }
    return "---\n" + yaml.safe_dump(fields, allow_unicode=True, sort_keys=False, width=1000) + "---\n"


@cache
def _template(language: str) -> Any:
    from jinja2 import Environment, StrictUndefined

    text = (resources.files("chipweir.evidence") / "data" / "brief" / f"{language}.md.j2").read_text(encoding="utf-8")
    # Markdown, not HTML: what comes from an article is escaped by `_inline`; the HTML is sanitised as a whole.
    return Environment(undefined=StrictUndefined, autoescape=False, trim_blocks=False).from_string(text)


def _claim_view(claim: Mapping[str, Any], language: str) -> dict[str, Any]:
    numbers = [
        {"name": _inline(_number_name(n["name"], language)), "text": n["text"], "ref": _ref(n["source"])}
        for n in claim["numbers"]
        if n["name"]
    ]
    return {
        "id": claim["id"],
        "surface": _inline(claim["surface"]),
        "label": claim["label"],
        "status": term(claim["verdict"], language),
        "slot": term(claim["deciding_slot"], language) or "–",
        "change": _inline(claim["would_change"]),
        "explanation": _inline(claim["explanation"]),
        "notes": [_inline(note) for note in claim["notes"]],
        "numbers": numbers,
        "asked": ", ".join(term(name, language) for name in claim["asked"]),
        "command": claim["command"].replace("`", ""),
        "detail": claim["verdict"] != "not_checkable",
    }


# How much a verdict matters, gravest first; what nothing was found on stands behind what holds.
_GRAVITY = ("contradicted", "stale", "imprecise", "ambiguous", "consistent", "unsupported")
_MOST_FINDINGS, _SHORT_SOURCE = 5, 70
_SEVERITIES = ("error", "warning", "note")


def _own(claim: Mapping[str, Any]) -> bool:
    """Whether a verdict rests on our own knowledge alone."""
    return bool(claim["evidence"]) and all(
        item["cls"] == "own" or "own knowledge" in item["source"].lower() for item in claim["evidence"]
    )


def _by_gravity(claims: Iterable[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Judged claims, gravest first, those of our own knowledge last; claims first whose figure stands in no report."""
    judged = [claim for claim in claims if claim["verdict"] in _GRAVITY]
    return sorted(
        judged, key=lambda c: (_own(c), _GRAVITY.index(c["verdict"]), c["modality"] != "asserted", c["start"])
    )


def _rows(checked: Checked, record: Mapping[str, Any], language: str) -> list[dict[str, str]]:
    return [
        {
            "id": claim["id"],
            "sentence": _marked(sentence_of(checked, claim), _judged(record, claim), claim["id"]),
            "surface": _in_the_article(record, claim),
            "status": term(claim["verdict"], language),
            "explanation": _inline(claim["explanation"]),
            "source": _linked(claim, language),
        }
        for claim in _by_gravity(record["claims"])
    ]


def _marked(sentence: str, judged: str, claim: str) -> str:
    """A sentence in which the judged part leads to its evidence."""
    before, found, after = sentence.partition(" ".join(judged.split()))
    return f"{_inline_part(before)}[{_inline(found)}](#{claim}){_inline_part(after)}" if found else _inline(sentence)


def _in_the_article(record: Mapping[str, Any], claim: Mapping[str, Any]) -> str:
    """The judged part, as a link to its place in the article where that has an address (a text fragment, a PDF's page)."""
    words, address = _judged(record, claim), record["document"]["url"] or ""
    if not re.fullmatch(r"https?://[^\s<>()|#]+", address):
        return _inline(words)
    place = f"page={claim['page']}" if claim["page"] else f":~:text={quote(' '.join(words.split()), safe='')}"
    return f"[{_inline(words)}]({address}#{place})"


def _judged(record: Mapping[str, Any], claim: Mapping[str, Any]) -> str:
    """The part of a sentence that was judged: its figure, else the words of the claim."""
    surface = claim["surface"] if claim["quantity"] is None else record["quantities"][claim["quantity"]]["surface"]
    return str(surface)


def _linked(claim: Mapping[str, Any], language: str) -> str:
    """The best source of a verdict: publisher, date and address; our own knowledge is marked."""
    if not claim["evidence"]:
        return "–"
    item = claim["evidence"][0]
    name = _inline(_publisher(item["source"] or item["text"]))
    url = item["url"] or ""
    shown = f"[{name}]({url})" if re.fullmatch(r"https?://[^\s<>()|]+", url) else name
    words = [shown] if name.lower() != "own knowledge" else []
    words += [item["published"]] if item["published"] else []
    words += ["자체 지식" if language == "ko" else "own knowledge"] if _own(claim) else []
    return ", ".join(words)


def _publisher(source: str) -> str:
    """The first of several publishers, in short."""
    first = re.split(r"; |, own knowledge", source)[0]
    return first if len(first) <= _SHORT_SOURCE else first[: _SHORT_SOURCE - 1] + "…"


def _findings(checked: Checked, record: Mapping[str, Any], language: str) -> list[dict[str, str]]:
    """Three to five things that matter most: what is denied, out of date or imprecise, then faults of the text."""
    grave = [claim for claim in _by_gravity(record["claims"]) if claim["verdict"] in _GRAVITY[:3] and not _own(claim)]
    found = [
        {
            "id": claim["id"],
            "status": term(claim["verdict"], language),
            "sentence": _inline(sentence_of(checked, claim)),
            "text": _inline(claim["explanation"]),
            "source": _linked(claim, language),
        }
        for claim in grave
    ]
    issues = sorted(record["issues"], key=lambda issue: _SEVERITIES.index(issue["severity"]))
    found += [
        {
            "id": "",
            "status": issue["label"],
            "sentence": _inline(issue["surface"]),
            "text": _inline(issue["text"]),
            "source": "",
        }
        for issue in issues
        if issue["severity"] != _SEVERITIES[-1]
    ]
    return found[:_MOST_FINDINGS]


def _number_name(name: str, language: str) -> str:
    """What a number is, in the reader's language where it is one of the checks' own names."""
    if language == "ko":
        for start, korean in (("ratio to ", "배수, 대 "), ("defects needed at ", "필요한 결함 밀도, 다이 ")):
            if name.startswith(start):
                return korean + name.removeprefix(start).replace("mm2", "mm²")
    return term(name, language).replace("_", " ")


def _ref(source: str) -> str:
    return "" if source in {"", "arithmetic", "fx"} else _inline(source)


def _issue_view(issue: Mapping[str, Any], language: str) -> dict[str, str]:
    return {
        "label": issue["label"],
        "severity": term(issue["severity"], language),
        "surface": _inline(issue["surface"]),
        "text": _inline(issue["text"]),
    }


def _scenario_views(items: Iterable[Mapping[str, Any]], language: str) -> list[dict[str, str]]:
    """One row for each mechanism, however often the article speaks of it."""
    once = {item["mechanism"]: item for item in items if item["mechanism"]}
    return [_scenario_view(item, language) for item in once.values()]


def _scenario_view(item: Mapping[str, Any], language: str) -> dict[str, str]:
    return {
        "title": _inline(item["title"]),
        "pair": " / ".join(item["pair"]) or "–",
        "outcome": term(item["outcome"], language) or "–",
        "status": term(item["verdict"], language),
        "text": _inline(item["explanation"]),
    }


def _sources(record: Mapping[str, Any], language: str) -> list[dict[str, Any]]:
    """Every piece of evidence used, once, rumours labelled."""
    seen: dict[str, dict[str, Any]] = {}
    for item in _evidence(record):
        if item["kind"] in {"arithmetic", "article"}:
            continue
        key = f"{item['id']}|{item['text']}"
        seen.setdefault(
            key,
            {
                name: _inline(value) if isinstance(value, str) and name != "url" else value
                for name, value in item.items()
            },
        )
        seen[key]["cls"] = term(f"source:{item['cls']}", language) if item["cls"] else ""
        if not re.fullmatch(r"https?://[^\s<>]+", item["url"] or ""):
            seen[key]["url"] = ""
    return list(seen.values())


def _evidence(record: Mapping[str, Any]) -> Iterable[dict[str, Any]]:
    for claim in record["claims"]:
        yield from claim["evidence"]
    for issue in record["issues"]:
        yield from issue["evidence"]


def _inline_part(text: str) -> str:
    """A piece of a line as Markdown that cannot become markup; spaces at its ends stay."""
    return (
        text[: len(text) - len(text.lstrip())][:1]
        + _inline(text)
        + (" " if text[-1:].isspace() and text.strip() else "")
    )


def _inline(text: str | None) -> str:
    """A stretch of text as one line of Markdown that cannot become markup, a table border or a link."""
    plain = " ".join(unicodedata.normalize("NFC", text or "").split())
    plain = "".join(ch for ch in plain if ch.isprintable())
    return re.sub(r"([\\`*_\[\]<>|#])", r"\\\1", plain)


def brief_html(markdown: str, language: str = "en") -> str:
    """The Markdown of a brief as one HTML page; markup from outside does not survive."""
    import nh3
    from markdown_it import MarkdownIt

    body = re.sub(r"\A---\n.*?\n---\n", "", markdown, count=1, flags=re.DOTALL)
    rendered = MarkdownIt("commonmark", {"html": False}).enable("table").render(body)
    clean = nh3.clean(
        rendered,
        tags={
            "h1",
            "h2",
            "h3",
            "p",
            "table",
            "thead",
            "tbody",
            "tr",
            "th",
            "td",
            "ul",
            "ol",
            "li",
            "strong",
            "em",
            "code",
            "blockquote",
            "a",
            "hr",
            "br",
        },
        attributes={"a": {"href"}, "td": {"style"}, "th": {"style"}},
        url_schemes={"http", "https"},
    )
    clean = re.sub(r"<h3>(c\d+)(?= )", r'<h3 id="\1">\1', clean)
    # The quotation above a verdict's evidence leads back to its sentence in the table.
    clean = re.sub(r'<tr>(\s*<td>)<a href="#(c\d+)"', r'<tr id="in-\2">\1<a href="#\2"', clean)
    title = re.search(r"^# (.+)$", body, re.MULTILINE)
    name = html.escape(re.sub(r"\\(.)", r"\1", title.group(1)) if title else "chipweir")
    return (
        f'<!doctype html>\n<html lang="{language}">\n<head><meta charset="utf-8">'
        f'<meta name="viewport" content="width=device-width"><title>{name}</title><style>{_STYLE}</style></head>\n'
        f"<body>\n{clean}</body>\n</html>\n"
    )


def folder_name(checked: Checked) -> str:
    """A folder name for an article: its date and title, letters, digits and hyphens only, and the start of its hash.

    Whatever a feed puts in a title (separators, dots, control characters, reserved names) cannot leave the folder.
    """
    document = checked.document
    title = unicodedata.normalize("NFKC", checked.article.title or "article")
    slug = re.sub(r"[^0-9A-Za-z가-힣\u3400-\u9fff]+", "-", title).strip("-")[:48].strip("-") or "article"
    day = (document.published or "undated")[:10]
    day = day if re.fullmatch(r"\d{4}-\d{2}-\d{2}", day) else "undated"
    return f"{day}-{slug}-{document.sha256[:8]}"


def write_brief(checked: Checked, folder: Path, language: str = "en", llm: str = "none") -> list[Path]:
    """Write `brief.md`, `brief.html`, `result.json` and the scenario files into a folder of their own under `folder`.

    Each file is whole or absent. Raises `InputError` where the folder cannot be written.
    """
    import json

    target = folder / folder_name(checked)
    if folder.resolve() not in target.resolve().parents:
        raise InputError(f"'{target}' would lie outside '{folder}'")
    markdown = brief_markdown(checked, language, llm=llm)
    files = {
        "brief.md": markdown,
        "brief.html": brief_html(markdown, language),
        "result.json": json.dumps(result_json(checked, language, beside=True), ensure_ascii=False, indent=1),
    }
    for kind in FORMATS:
        files[f"{kind}.json"] = json.dumps(exported(checked, kind, language), ensure_ascii=False, indent=1)
    for tag in checked.article.tags:
        if tag.scenario_file:
            files[f"scenarios/{tag.b}.yaml"] = tag.scenario_file
    written = []
    for name, text in files.items():
        write_whole(target / name, text)
        written.append(target / name)
    return written


__all__ = ["brief_html", "brief_markdown", "folder_name", "say", "shortened", "write_brief"]
