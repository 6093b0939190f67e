"""What several articles say of the same thing: figures, owners and states that differ, stances that cannot all hold, and
reports that are one source told many times."""

from collections import defaultdict
from collections.abc import Iterator, Sequence

from chipweir.evidence._checks._context import name_of, number_of
from chipweir.evidence._frames import Claim
from chipweir.evidence._issues._article import Article, Issue
from chipweir.evidence._verdict import Text


def across(articles: Sequence[Article]) -> tuple[Issue, ...]:
    """All issues between articles. `Issue.others` names the articles; offsets are those of the first."""
    if len(articles) < 2:
        return ()
    return (
        *_flows(articles),
        *_states(articles),
        *_relays(articles),
    )


def _pairs(articles: Sequence[Article], frame: str) -> Iterator[tuple[Article, Claim, Article, Claim]]:
    rows = [(article, claim) for article in articles for claim in article.claims if claim.frame == frame]
    for i, (one, claim) in enumerate(rows):
        for two, other in rows[i + 1 :]:
            if one.name != two.name:
                yield one, claim, two, other


def _value(article: Article, claim: Claim) -> float:
    return number_of(article.found.quantities[claim.quantity]) if claim.quantity is not None else float("nan")


def _flows(articles: Sequence[Article]) -> Iterator[Issue]:
    for one, claim, two, other in _pairs(articles, "flow"):
        a, b = _value(one, claim), _value(two, other)
        if claim.value("channel") != other.value("channel") or not 0.8 <= a / b <= 1.25:
            continue
        differ = tuple(slot for slot in ("goods", "bound", "window") if claim.value(slot) != other.value(slot))
        if differ:
            yield Issue(
                "cross-document",
                "warning",
                Text(
                    "across_flow",
                    {
                        "a": one.name,
                        "b": two.name,
                        "slots": differ,
                        "a_says": _says(one, claim, differ),
                        "b_says": _says(two, other, differ),
                    },
                ),
                claim.start,
                claim.end,
                (claim.id,),
                others=(one.name, two.name),
            )


def _says(article: Article, claim: Claim, slots: Sequence[str]) -> str:
    return "; ".join(
        f"{slot}: {name_of(article.facts, claim.value(slot)) if claim.value(slot) is not None else '-'}"
        for slot in slots
    )


def _states(articles: Sequence[Article]) -> Iterator[Issue]:
    seen = set()
    for one, claim, two, other in _pairs(articles, "rule_state"):
        item = claim.value("item")
        states = {claim.value("state"), other.value("state")}
        key = (one.name, two.name, item)
        if item == other.value("item") and states == {"banned", "allowed"} and key not in seen:
            seen.add(key)
            yield Issue(
                "cross-document",
                "warning",
                Text(
                    "across_state",
                    {
                        "item": name_of(one.facts, item),
                        "a": one.name,
                        "b": two.name,
                        "a_says": claim.value("state"),
                        "b_says": other.value("state"),
                    },
                ),
                claim.start,
                claim.end,
                (claim.id,),
                others=(one.name, two.name),
            )


def _relays(articles: Sequence[Article]) -> Iterator[Issue]:
    """Articles that pass on the same outlet's reports: together one source."""
    by: dict[str, list[str]] = defaultdict(list)
    for article in articles:
        for source in dict.fromkeys(
            (*article.found.document.relays, *(e.id for e in article.found.entities if e.kind == "press"))
        ):
            by[source].append(article.name)
    for source, named in by.items():
        if len(named) > 1:
            yield Issue(
                "corroboration",
                "note",
                Text(
                    "across_relay",
                    {"source": name_of(articles[0].facts, source), "count": float(len(named)), "names": tuple(named)},
                ),
                others=tuple(named),
            )


def independent_sources(articles: Sequence[Article]) -> int:
    """How many independent sources stand behind articles once relays of one outlet count as one and texts written by a
    machine count as none."""
    origins: set[str] = set()
    for article in articles:
        document = article.found.document
        if document.tier == "machine-written":
            continue
        origins |= set(document.relays) if document.relays else {document.outlet or article.name}
    return len(origins)
