"""Articles of our own in three languages, their figures marked: on record (T), changed (F), not on record (U).

`claims.yaml` was worked with; `unseen.yaml` and `fresh.yaml` were written after the rules they measure."""

import re
from collections import Counter
from functools import cache
from pathlib import Path

import pytest
import yaml

from chipweir.evidence import check_document, document_from_text


GOLD = Path(__file__).parent / "gold"
_MARK = re.compile(r"\[\[(.*?)\|([TFU])\]\]")


@cache
def counted(name: str) -> Counter:
    """How often each verdict falls on figures of each kind."""
    found: Counter = Counter()
    for row in yaml.safe_load((GOLD / name).read_text(encoding="utf-8")):
        text, places, at = "", [], 0
        for mark in _MARK.finditer(row["text"]):
            text += row["text"][at : mark.start()]
            places.append((len(text), len(text) + len(mark[1]), mark[2]))
            text, at = text + mark[1], mark.end()
        text += row["text"][at:]
        article = check_document(document_from_text(text, published=str(row["published"]))).article
        figures = article.found.quantities
        for start, end, kind in places:
            status = next(
                (
                    verdict.status
                    for claim, verdict in article.judged()
                    if claim.quantity is not None
                    and figures[claim.quantity].start < end
                    and start < figures[claim.quantity].end
                ),
                "",
            )
            found[(kind, status)] += 1
    return found


def share(found: Counter, kind: str, *statuses: str) -> float:
    total = sum(n for (one, _), n in found.items() if one == kind)
    return sum(n for (one, status), n in found.items() if one == kind and status in statuses) / total


MEASURED = [("claims.yaml", 0.85, 0.7), ("unseen.yaml", 0.75, 0.6), ("fresh.yaml", 0.85, 0.6)]


@pytest.mark.parametrize(("name", "true", "wrong"), MEASURED)
def test_figures_on_record_are_confirmed_and_changed_ones_denied(name: str, true: float, wrong: float) -> None:
    found = counted(name)
    assert share(found, "T", "consistent") >= true, found
    assert share(found, "T", "contradicted", "stale") <= 0.03, found
    assert share(found, "F", "contradicted") >= wrong, found
    assert share(found, "F", "consistent") <= 0.08, found
    assert share(found, "U", "contradicted", "consistent", "stale") == 0, found
