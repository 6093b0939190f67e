"""Verdicts in other people's formats: schema.org ClaimReview (JSON-LD) and W3C Web Annotations.

Only claims that were decided are exported: what nothing was found on is no review. A rating says how a statement stands
to the record, nothing about its writer.
"""

from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Any, Literal

import chipweir
from chipweir.evidence._check import Checked, result_json
from chipweir.evidence._say import term


Format = Literal["claimreview", "annotation"]
FORMATS: tuple[Format, ...] = ("claimreview", "annotation")
# Ratings of ClaimReview, 1 (false) to 5 (true).
RATINGS: Mapping[str, int] = {"contradicted": 1, "stale": 2, "imprecise": 3, "consistent": 5}
_QUOTED, _BESIDE = 300, 32


def exported(checked: Checked, kind: Format, language: str = "en", created: date | None = None) -> dict[str, Any]:
    """The decided claims of an article as one JSON-LD document. `created` defaults to today (UTC)."""
    record = result_json(checked, language)
    day = (created or datetime.now(UTC).date()).isoformat()
    decided = [claim for claim in record["claims"] if claim["verdict"] in RATINGS]
    if kind == "claimreview":
        graph = [_review(checked, record["document"], claim, language, day) for claim in decided]
        return {"@context": "https://schema.org", "@graph": graph}
    items = [_annotation(checked, record["document"], claim, language, day) for claim in decided]
    return {
        "@context": "http://www.w3.org/ns/anno.jsonld",
        "id": f"urn:sha256:{record['document']['sha256']}#chipweir",
        "type": "AnnotationPage",
        "items": items,
    }


def sentence_of(checked: Checked, claim: Mapping[str, Any]) -> str:
    """The sentence a claim stands in, at most 300 characters around it."""
    article = checked.article
    number = next(c.sentence for c in article.claims if c.id == claim["id"])
    span = article.page.sentences[number]
    text = " ".join(article.text[span.start : span.end].split())
    return text if len(text) <= _QUOTED else text[: _QUOTED - 1] + "…"


def _address(document: Mapping[str, Any]) -> str:
    return document["url"] or f"urn:sha256:{document['sha256']}"


def _links(claim: Mapping[str, Any]) -> list[str]:
    return list(
        dict.fromkeys(one["url"] for one in claim["evidence"] if one["url"].startswith(("http://", "https://")))
    )


def _review(
    checked: Checked, document: Mapping[str, Any], claim: Mapping[str, Any], language: str, day: str
) -> dict[str, Any]:
    appearance = {"@type": "CreativeWork", "@id": _address(document), "name": document["title"]}
    if document["url"]:
        appearance["url"] = document["url"]
    who = claim["attribution"] or document["outlet"]
    item: dict[str, Any] = {"@type": "Claim", "appearance": appearance}
    if who:
        item["author"] = {"@type": "Organization", "name": who}
    if document["published"]:
        item["datePublished"] = document["published"]
    return {
        "@type": "ClaimReview",
        "@id": f"{_address(document)}#{claim['id']}",
        "url": f"{_address(document)}#{claim['id']}",
        "datePublished": day,
        "inLanguage": language,
        "claimReviewed": sentence_of(checked, claim),
        "itemReviewed": item,
        "author": {"@type": "SoftwareApplication", "name": "chipweir", "softwareVersion": chipweir.__version__},
        "reviewRating": {
            "@type": "Rating",
            "ratingValue": RATINGS[claim["verdict"]],
            "worstRating": 1,
            "bestRating": 5,
            "alternateName": term(claim["verdict"], language),
            "ratingExplanation": claim["explanation"],
        },
        "reviewBody": claim["explanation"],
        "citation": _links(claim),
    }


def _annotation(
    checked: Checked, document: Mapping[str, Any], claim: Mapping[str, Any], language: str, day: str
) -> dict[str, Any]:
    text, origin = checked.article.text, checked.document
    own = next(c for c in checked.article.claims if c.id == claim["id"])
    selectors: list[dict[str, Any]] = [
        {
            "type": "TextQuoteSelector",
            "exact": text[own.start : own.end],
            "prefix": text[max(0, own.start - _BESIDE) : own.start],
            "suffix": text[own.end : own.end + _BESIDE],
        },
        {"type": "TextPositionSelector", "start": claim["start"], "end": claim["end"]},
    ]
    page = origin.page(own.start)
    if page is not None:
        selectors.append(
            {"type": "FragmentSelector", "conformsTo": "http://tools.ietf.org/rfc/rfc3778", "value": f"page={page}"}
        )
    body: list[dict[str, Any]] = [
        {"type": "TextualBody", "purpose": "tagging", "value": term(claim["verdict"], language), "language": language},
        {
            "type": "TextualBody",
            "purpose": "commenting",
            "value": claim["explanation"],
            "format": "text/plain",
            "language": language,
        },
    ]
    body += [{"id": link, "type": "Text", "purpose": "linking"} for link in _links(claim)]
    return {
        "id": f"urn:sha256:{document['sha256']}#{claim['id']}",
        "type": "Annotation",
        "motivation": "assessing",
        "created": f"{day}T00:00:00Z",
        "generator": {"id": "urn:chipweir", "type": "Software", "name": f"chipweir {chipweir.__version__}"},
        "body": body,
        "target": {"source": _address(document), "selector": selectors},
    }
