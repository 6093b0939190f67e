"""What members give for observations: the model run over the months that observations cover, read as it goes."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from chipweir.calibration._observations import Observation, read
from chipweir.calibration._quantity import FloatArray
from chipweir.world import Task, assemble, load_scenario, run_task


if TYPE_CHECKING:
    from chipweir.facts import Facts
    from chipweir.world import Inputs, Scenario

Mapper = Callable[[Callable[[Any], Any], Iterable[Any]], Iterable[Any]]
Drawn = Mapping[str, FloatArray]

LAST_MONTH = "2026-12"
"""Last month that fits and back-tests simulate."""
# Members of one task.
_CHUNK = 256


def fitted_scenario(name: str = "baseline") -> "Scenario":
    """A shipped scenario over the months that observations may cover."""
    return load_scenario(name).model_copy(update={"end": LAST_MONTH})


def inputs_of(facts: "Facts", scenario: "Scenario | None" = None) -> "Inputs":
    """Inputs of the simulation for a fit, with the rules as they came unless the scenario says otherwise."""
    return assemble(scenario or fitted_scenario(), facts)


def predict(inputs: "Inputs", drawn: Drawn, observations: Sequence[Observation], mapper: Mapper = map) -> FloatArray:
    """Logs of the model's numbers for every member, `[member, observation]`."""
    members = len(next(iter(drawn.values())))
    tasks = [
        Task("fit", start, inputs, {name: values[start : start + _CHUNK] for name, values in drawn.items()})
        for start in range(0, members, _CHUNK)
    ]
    return np.concatenate([read(observations, kept) for kept in mapper(run_task, tasks)])
