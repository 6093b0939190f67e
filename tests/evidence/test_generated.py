"""Verdicts on sentences made from the facts: true ones are not denied, wrong ones not confirmed, and the farther a number
is moved the less it is confirmed. Held-out frames only; the frames one works with are measured by hand."""

from collections import Counter, defaultdict
from functools import cache
from random import Random

import generated
import pytest

from chipweir import facts
from chipweir.evidence import document_from_text, extract
from chipweir.evidence._checks import judge_figures
from chipweir.evidence._page import Page


FACTORS = (1.0, 0.5, 0.7, 1.4, 2.0)


@cache
def told(count: int, seed: int) -> Counter:
    """How often each verdict falls, by (factor, status), on sentences about `count` facts and languages."""
    known = facts.load()
    by_fact = defaultdict(list)
    for one in generated.made(known, generated.HELD_OUT, FACTORS, seed):
        by_fact[(one.fact, one.language)].append(one)
    drawn = Random(seed).sample(sorted(by_fact), count)
    return Counter((one.factor, status(one, known)) for key in drawn for one in by_fact[key])


def status(one: generated.Made, known: "facts.Facts") -> str:
    """The verdict on the figure of a sentence; empty where it was not read or nothing bears on it."""
    found = extract(document_from_text(one.text, published=one.published), known)
    judged = judge_figures(Page(found), known, one.published)
    at = one.text.index(one.value)
    here = [
        keyed.verdict.status
        for index, keyed in judged.items()
        if found.quantities[index].start < at + len(one.value) and at < found.quantities[index].end
    ]
    return here[0] if here else ""


def share(counted: Counter, factors: tuple[float, ...], *statuses: str) -> float:
    total = sum(n for (factor, _), n in counted.items() if factor in factors)
    return sum(n for (factor, name), n in counted.items() if factor in factors and name in statuses) / total


def holds(count: int, seed: int) -> None:
    counted, wrong = told(count, seed), FACTORS[1:]
    assert share(counted, (1.0,), "consistent") >= 0.85, counted
    assert share(counted, (1.0,), "contradicted", "stale") <= 0.01, counted
    assert share(counted, wrong, "contradicted") >= 0.75, counted
    assert share(counted, wrong, "consistent") <= 0.015, counted


def test_sentences_about_sixty_facts() -> None:
    holds(60, 11)


@pytest.mark.slow
def test_sentences_about_six_hundred_facts() -> None:
    holds(600, 12)


def test_a_number_is_confirmed_less_the_farther_it_is_moved() -> None:
    known = facts.load()
    one = next(m for m in generated.made(known, generated.HELD_OUT, (1.0,), 3) if m.measure == "revenue")
    fact = known.facts[one.fact]
    unit = fact.value.unit
    weight = {"consistent": 2, "imprecise": 1, "contradicted": 0}
    seen = []
    for factor in (1.0, 1.05, 1.08, 1.3, 2.0):
        value = generated.written(fact.value.best * factor, unit, one.language)
        moved = generated.Made(one.text.replace(one.value, value), value, one.published, one.fact, one.measure,
                               one.language, factor)  # fmt: skip
        seen.append(weight[status(moved, known)])
    assert seen == sorted(seen, reverse=True)
    assert (seen[0], seen[-1]) == (2, 0)
