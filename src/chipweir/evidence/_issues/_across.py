"""What several articles say of the same thing: figures, owners and states that differ, stances that cannot all hold, and
reports that are one source told many times."""

from collections import defaultdict
from collections.abc import Iterator, Sequence

from chipweir.evidence._checks._context import name_of, number_of
from chipweir.evidence._frames import Claim
from chipweir.evidence._issues._article import Article, Issue
from chipweir.evidence._scenarios import contradictions
from chipweir.evidence._verdict import Text, fact_evidence, first


def across(articles: Sequence[Article]) -> tuple[Issue, ...]:
    """All issues between articles. `Issue.others` names the articles; offsets are those of the first."""
    if len(articles) < 2:
        return ()
    return (
        *_flows(articles),
        *_windows(articles),
        *_owners(articles),
        *_multiples(articles),
        *_states(articles),
        *_stances(articles),
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


def _windows(articles: Sequence[Article]) -> Iterator[Issue]:
    for one, claim, two, other in _pairs(articles, "flow"):
        if (
            claim.value("channel") == other.value("channel")
            and one.on != two.on
            and claim.value("window") == other.value("window")
        ):
            yield Issue(
                "as-of",
                "warning",
                Text("across_window", {"a": one.name, "b": two.name}),
                claim.start,
                claim.end,
                (claim.id,),
                others=(one.name, two.name),
            )


def _owners(articles: Sequence[Article]) -> Iterator[Issue]:
    seen = set()
    for one, claim, two, other in _pairs(articles, "fab_count"):
        a, b = claim.value("owner"), other.value("owner")
        if a and b and a != b and (one.name, two.name) not in seen:
            seen.add((one.name, two.name))
            fact = first(f for f in one.facts.facts.values() if f.measure == "new_fabs")
            evidence = (fact_evidence(fact, one.facts),) if fact is not None else ()
            yield Issue(
                "cross-document",
                "warning",
                Text(
                    "across_owner",
                    {"a": one.name, "b": two.name, "a_says": name_of(one.facts, a), "b_says": name_of(two.facts, b)},
                ),
                claim.start,
                claim.end,
                (claim.id,),
                evidence,
                (one.name, two.name),
            )


def _multiples(articles: Sequence[Article]) -> Iterator[Issue]:
    """A firm that doubles plus new fabs that outdo it make more than threefold: two stories that look opposed add up."""
    for one, claim, two, other in _pairs(articles, "capacity_change"):
        a, b = _value(one, claim), _value(two, other)
        if a == b:
            continue
        low, high = (claim, one), (other, two)
        if a > b:
            low, high = high, low
        fabs = [c for article in articles for c in article.claims if c.frame == "fab_count"]
        total = min(a, b) + 1
        reconciled = bool(fabs) and max(a, b) <= total + 0.5
        yield Issue(
            "cross-document",
            "note",
            Text(
                "across_multiple" if reconciled else "across_multiple_open",
                {"a": low[1].name, "b": high[1].name, "small": min(a, b), "large": max(a, b), "total": total},
            ),
            claim.start,
            claim.end,
            (claim.id,),
            others=(one.name, two.name),
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


def _stances(articles: Sequence[Article]) -> Iterator[Issue]:
    taken = {article.name: [t.stance for t in article.tags if t.stance] for article in articles}
    grouped: dict[tuple[str, str], list[tuple[str, str]]] = defaultdict(list)
    for a, x, b, y in contradictions(taken):
        if a != b:
            grouped[tuple(sorted((x, y)))].append((a if x < y else b, b if x < y else a))  # type: ignore[index]
    for (x, y), pairs in grouped.items():
        left, right = sorted({a for a, _ in pairs}), sorted({b for _, b in pairs})
        yield Issue(
            "cross-document",
            "warning",
            Text("across_stance", {"x": x, "y": y, "left": tuple(left), "right": tuple(right)}),
            others=tuple(sorted({*left, *right})),
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
