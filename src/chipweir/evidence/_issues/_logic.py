"""Issues of sense: a text against itself, causes that are not shown, classes of things mixed."""

from collections.abc import Iterator

from chipweir.evidence._issues._article import Article, Issue, Severity
from chipweir.evidence._verdict import Text


def logic(article: Article) -> Iterator[Issue]:
    """All issues of sense in an article."""
    yield from sums(article)


def sums(article: Article) -> Iterator[Issue]:
    """Ratios, glosses and counts of the text that its own figures do not bear out, or only for some of them."""
    for claim, verdict in article.judged():
        if claim.frame in {"price_ratio", "count_ratio", "fx", "unit_gloss"} and verdict.status in {
            "imprecise",
            "contradicted",
        }:
            severity: Severity = "error" if verdict.status == "contradicted" else "warning"
            yield Issue(
                "arithmetic",
                severity,
                Text("issue_sum", {"detail": verdict.text}),
                claim.start,
                claim.end,
                (claim.id,),
                verdict.evidence,
            )
