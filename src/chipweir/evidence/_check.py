"""Checking an article from its text to its verdicts, and the result as plain data."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from chipweir.evidence._checks import check_claims, judge_figures
from chipweir.evidence._frames import Claim, propose, unsaid
from chipweir.evidence._issues import Article, Issue, across, find_issues, independent_sources
from chipweir.evidence._keyed import further
from chipweir.evidence._page import Page
from chipweir.evidence._reading import extract
from chipweir.evidence._say import of, say, term
from chipweir.evidence._scenarios import Tag, from_anywhere, judge, tag
from chipweir.evidence._slots import Slot
from chipweir.evidence._verdict import STATUSES, Evidence, Number, Verdict
from chipweir.text import Document, Extraction, plain_record


# A quoted stretch of an article in a record is no longer than this (right of quotation).
LONGEST_SPAN = 60


@dataclass(frozen=True)
class Checked:
    """An article with its claims, verdicts, scenario tags and issues."""

    article: Article
    issues: tuple[Issue, ...]

    @property
    def document(self) -> Document:
        """The article's document record."""
        return self.article.found.document

    def counts(self) -> dict[str, int]:
        """How many claims there are, how many were checked, and how many have each status."""
        statuses = [verdict.status for verdict in self.article.verdicts]
        counted: dict[str, int] = {status: statuses.count(status) for status in STATUSES}
        return {"total": len(statuses), "checked": len(statuses) - counted["not_checkable"], **counted}


Proposer = Callable[[Extraction, Sequence[Claim]], Sequence[Claim]]


def check_document(
    document: Document,
    known: Any = None,
    runs: Sequence[Any] | Callable[[Sequence[Tag]], Sequence[Any]] = (),
    name: str = "",
    propose_more: Proposer | None = None,
    ledger: Any = None,
) -> Checked:
    """Everything the rules find and judge in one article.

    `known` is the fact base (the shipped one by default), `runs` the results in which pairs are looked up.
    `propose_more` gives claims from elsewhere (a language model) that stand beside those of the rules, `ledger` holds
    what people decided about the claims before: rejected ones are left out, slots set by hand hold.
    """
    if known is None:
        from chipweir import facts

        known = facts.load()
    found = extract(document, known)
    page = Page(found)
    claims = propose(found, page)
    claims = _numbered([*claims, *(propose_more(found, claims) if propose_more is not None else ())])
    if ledger is not None:
        from chipweir.evidence._ledger import amend

        claims = amend(claims, document, ledger)
    judged = judge_figures(page, known, found.document.published and found.document.published[:10], claims)
    all_claims = sorted([*claims, *further(page, claims, judged)], key=lambda one: (one.start, one.end))
    claims = _numbered([claim for claim in all_claims if not _unsaid(page, claim)])
    verdicts = check_claims(found, claims, known, judged, page)
    kept = [at for at, (c, v) in enumerate(zip(claims, verdicts, strict=True)) if not _plain_maker(c, v)]
    claims = _numbered([claims[at] for at in kept])
    verdicts = tuple(verdicts[at] for at in kept)
    tags = tag(found, page)
    tied = runs(tags) if callable(runs) else runs
    if tied:
        tags = judge(tags, tied)
    article = Article(name or document.title or document.sha256[:12], found, claims, verdicts, tags, known)
    return Checked(article, find_issues(article))


def _plain_maker(claim: Claim, verdict: Verdict) -> bool:
    """ "NVIDIA's H20" says who made it only in passing: not worth a line unless it is wrong."""
    return claim.frame == "maker" and verdict.status == "consistent" and claim.value("relation") == "made"


def _unsaid(page: Page, claim: Claim) -> bool:
    """Whether the figure of a claim that the rules found is asked, supposed or denied."""
    if claim.quantity is None or claim.proposed_by != "rules":
        return False
    figure = page.found.quantities[claim.quantity]
    return unsaid(page, claim.sentence, figure.start, figure.end)


def _numbered(claims: Sequence[Claim]) -> tuple[Claim, ...]:
    return tuple(replace(claim, id=f"c{number:02d}") for number, claim in enumerate(claims, 1))


def result_json(checked: Checked, language: str = "en", beside: bool = False) -> dict[str, Any]:
    """One article's result: `document`, `quantities`, `times`, `entities`, `claims`, `scenarios`, `issues`, `sources`,
    `warnings`. Offsets are into the input as given.

    Commands that run a scenario pair name the scenario file where the package keeps it, or (`beside`) in the folder
    `scenarios` beside the result.
    """
    article = checked.article
    record = article.found.as_json()
    record["claims"] = [claim_json(article, c, v, language) for c, v in article.judged()]
    record["scenarios"] = [tag_json(article, t, language, beside) for t in article.tags]
    record["issues"] = [issue_json(article, i, language) for i in checked.issues]
    record["sources"] = sources_json(checked)
    record["counts"] = checked.counts()
    record["facts"] = getattr(article.facts, "digest", "")
    return record


def results_json(all_checked: Sequence[Checked], language: str = "en") -> dict[str, Any]:
    """The results of several articles with what holds between them."""
    articles = [checked.article for checked in all_checked]
    by_name = {article.name: article for article in articles}
    between = across(articles)
    return {
        "documents": [result_json(checked, language) for checked in all_checked],
        "across": [issue_json(by_name[i.others[0]], i, language) for i in between],
        "independent_sources": independent_sources(articles),
    }


def claim_json(article: Article, claim: Claim, verdict: Verdict, language: str) -> dict[str, Any]:
    """A claim and its verdict as plain data."""
    start, end = article.found.document.given(claim.start, claim.end)
    sentence = article.page.sentences[claim.sentence]
    return {
        "id": claim.id,
        "frame": claim.frame,
        "label": term(f"frame:{claim.frame}", language),
        "start": start,
        "end": end,
        "page": article.found.document.page(claim.start),
        "surface": shortened(article.text[claim.start : claim.end]),
        "sentence": list(article.found.document.given(sentence.start, sentence.end)),
        "modality": claim.modality,
        "attribution": claim.attribution,
        "slots": {name: slot_json(article, slot) for name, slot in claim.slots.items()},
        "asked": list(claim.asked),
        "quantity": claim.quantity,
        "quantities": list(claim.quantities),
        "entity": claim.entities[0] if claim.entities else None,
        "entities": list(claim.entities),
        "confidence": claim.confidence,
        "proposed_by": claim.proposed_by,
        **verdict_json(verdict, language),
    }


def verdict_json(verdict: Verdict, language: str) -> dict[str, Any]:
    """A verdict as plain data, its texts in `language`."""
    return {
        "verdict": verdict.status,
        "deciding_slot": verdict.slot,
        "slot_verdicts": dict(verdict.slots),
        "numbers": [number_json(number, language) for number in verdict.numbers],
        "evidence": [evidence_json(item, language) for item in verdict.evidence],
        "explanation": say(verdict.text, language),
        "would_change": say(verdict.change, language),
        "notes": [say(note, language) for note in verdict.notes],
        "command": verdict.command,
    }


def slot_json(article: Article, slot: Slot) -> dict[str, Any]:
    """A slot as plain data; `asked` where the text does not say."""
    record = plain_record(slot)
    del record["name"]
    if slot.start is not None and slot.end is not None:
        record["start"], record["end"] = article.found.document.given(slot.start, slot.end)
    record["surface"] = shortened(slot.surface)
    record["asked"] = slot.asked
    return record


def number_json(number: Number, language: str) -> dict[str, Any]:
    """A number of a verdict with its words."""
    return {**plain_record(number), "text": of(number, language)}


def evidence_json(item: Evidence, language: str = "en") -> dict[str, Any]:
    """A piece of evidence as plain data, told in `language` where its words are known in it."""
    korean = getattr(item.text, "ko", "") if language == "ko" else ""
    return {**plain_record(item), "text": korean or str(item.text)}


def tag_json(article: Article, item: Tag, language: str, beside: bool = False) -> dict[str, Any]:
    """A scenario tag as plain data, with the command that runs its pair."""
    placed = str if beside else from_anywhere
    start, end = article.found.document.given(item.start, item.end)
    return {
        "id": item.id,
        "start": start,
        "end": end,
        "surface": shortened(article.text[item.start : item.end].strip()),
        "kind": item.kind,
        "modality": item.modality,
        "mechanism": item.mechanism,
        "title": item.title.get(language, "") if item.title else "",
        "pair": [item.a, item.b] if item.a else [],
        "outcome": item.outcome,
        "claimed": item.claimed,
        "stance": item.stance,
        "command": placed(item.command),
        "scenario_file": item.scenario_file,
        "verdict": item.status,
        "numbers": [number_json(number, language) for number in item.numbers],
        "explanation": placed(say(item.text, language)),
    }


def issue_json(article: Article, issue: Issue, language: str) -> dict[str, Any]:
    """An issue as plain data."""
    place: tuple[int | None, int | None] = (issue.start, issue.end)
    if issue.start is not None and issue.end is not None and issue.end > issue.start:
        place = article.found.document.given(issue.start, issue.end)
    surface = article.text[issue.start : issue.end] if issue.start is not None else ""
    return {
        "type": issue.type,
        "label": term(issue.type, language),
        "severity": issue.severity,
        "start": place[0],
        "end": place[1],
        "surface": shortened(surface),
        "text": say(issue.text, language),
        "claims": list(issue.claims),
        "evidence": [evidence_json(item, language) for item in issue.evidence],
        "documents": list(issue.others),
    }


def sources_json(checked: Checked) -> dict[str, Any]:
    """Who stands behind the article: relayed reports count once, texts written by a machine not at all."""
    document = checked.document
    cited = list(
        dict.fromkeys(s.attribution for s in checked.article.page.sentences if s.attribution and not s.dropped)
    )
    return {
        "tier": document.tier,
        "outlet": document.outlet,
        "relays": list(document.relays),
        "attributions": cited,
        "independent": independent_sources([checked.article]),
    }


def shortened(text: str) -> str:
    """At most `LONGEST_SPAN` characters of a stretch of the article."""
    return text if len(text) <= LONGEST_SPAN else text[: LONGEST_SPAN - 1] + "…"
