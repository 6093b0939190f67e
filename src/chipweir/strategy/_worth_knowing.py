"""Which fact, if known before choosing, would most improve the choice: the answer of `voi`."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from chipweir.strategy import _robustness as robust
from chipweir.strategy._advise import weights_of
from chipweir.strategy._experiments import Experiments, describe
from chipweir.strategy._information import partial_information, perfect_information
from chipweir.strategy._trace import fact_ids


def information(experiments: Experiments, given: Mapping[str, float] | None = None, top: int = 15) -> dict[str, Any]:
    """Value of knowing each uncertain quantity before choosing, largest first, as a JSON document.

    Units are those of the score: one criterion's span from the 5th to the 95th percentile, weighted.
    """
    weights = weights_of(given or {}, experiments.criteria)
    eligible = experiments.eligible
    scores = robust.score(robust.utilities(experiments.values, experiments.up), weights)[eligible]
    found = partial_information(experiments.columns, scores, experiments.weight, experiments.seed)
    rows = []
    for worth in found[:top]:
        title, unit, source = describe(worth.name)
        rows.append(
            {
                **worth.as_dict(),
                "title": title,
                "unit": unit,
                "source": source,
                "facts": fact_ids(source),
                "above_noise": bool(worth.value > worth.noise),
            }
        )
    names = [name for name, own in zip(experiments.names(), eligible, strict=True) if own]
    return {
        "actor": experiments.actor,
        "futures": experiments.members,
        "seed": experiments.seed,
        "chosen": names[int(np.argmax(scores @ experiments.weight))],
        "evpi": perfect_information(scores, experiments.weight),
        "quantities": rows,
    }
