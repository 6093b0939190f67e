"""Echoes: observations that the model takes as its input, decided by how its tables are derived from facts.

The model's number is an echo of an observation where it moves with the fact itself, or with another statement of the same
number (same entity, measure, item and dims over the same days): d ln number / d ln fact above a third.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from chipweir.calibration._observations import Observation, read
from chipweir.calibration._predict import fitted_scenario
from chipweir.world import by_fact, cells, push


if TYPE_CHECKING:
    from chipweir.facts import Fact, Facts

# Elasticity of a number by the fact that it is compared with, above which it is an echo.
ECHO = 1 / 3


def echoes(observations: Sequence[Observation], facts: "Facts") -> dict[str, float]:
    """Elasticity of the model's number by its own fact, by the observation's id, where it is above a third."""
    referred = {term.name for cell in cells(facts).values() for term in cell.derived.terms if term.kind == "fact"}
    same = {o.id: _same(facts.facts[o.id], facts, referred) for o in observations if o.id in facts.facts}
    asked = [o for o in observations if same.get(o.id)]
    if not asked:
        return {}
    pushed = push(fitted_scenario(), facts, lambda kept: np.exp(read(asked, kept)))
    elasticity = by_fact(pushed, cells(facts))
    found = {}
    for place, each in enumerate(asked):
        total = sum(float(elasticity[name][place]) for name in same[each.id] if name in elasticity)
        if abs(total) > ECHO:
            found[each.id] = total
    return found


def _same(fact: "Fact", facts: "Facts", referred: set[str]) -> tuple[str, ...]:
    """Facts that the model's tables refer to and that state the number of `fact`, or a part of its period."""
    return tuple(
        name
        for name in referred
        for other in (facts.facts.get(name),)
        if other is not None
        and (
            other.id == fact.id
            or other.same_as == fact.id
            or (other.key == fact.key and other.start <= fact.end and other.end >= fact.start)
        )
    )
