"""What an editor should know before printing an article: general detectors, none of which knows any one article."""

from chipweir.evidence._issues._across import across, independent_sources
from chipweir.evidence._issues._article import Article, Issue
from chipweir.evidence._issues._dates import dates
from chipweir.evidence._issues._logic import logic
from chipweir.evidence._issues._names import names
from chipweir.evidence._issues._sourcing import sourcing


def find_issues(article: Article) -> tuple[Issue, ...]:
    """All issues of one article, errors first, then by place."""
    found = [*names(article), *dates(article), *logic(article), *sourcing(article)]
    order = {"error": 0, "warning": 1, "note": 2}
    return tuple(sorted(found, key=lambda issue: (order[issue.severity], issue.start or 0)))


__all__ = ["Article", "Issue", "across", "find_issues", "independent_sources"]
