"""Layouts that a planner weighs beside the usual ones: attention split and data parallel at once, and prefill on chips of
its own."""

from __future__ import annotations

import math
from dataclasses import replace

from chipweir.perf._architecture import Architecture
from chipweir.perf._hardware import Hardware
from chipweir.perf._plan import NODE, Plan, candidates, smallest_group


# Ranks that attention of one data-parallel group is split over.
SPLITS = (2.0, 4.0, 8.0)
# Shares of all chips tried for prefill: from long answers to long prompts.
SHARES = (0.125, 0.25, 0.375, 0.5, 0.625, 0.75)


def planned(
    model: Architecture, chip: Hardware, dtype: str, chips: float | None, *, context: float, apart: bool
) -> list[Plan]:
    """`candidates`, their mixtures and, where prefill may stand `apart`, all of them with prefill workers beside. Raises
    `InputError` as `candidates` does."""
    usual = candidates(model, chip, dtype, chips, context=context)
    plans = [*usual, *(mixed for plan in usual for mixed in _mixtures(model, plan))]
    if not apart:
        return plans
    group = float(smallest_group(model, chip, dtype, context=context))
    return [*plans, *(split for plan in plans for split in _apart(model, plan, group, chips))]


def _mixtures(model: Architecture, plan: Plan) -> list[Plan]:
    """A replica of data-parallel ranks with each rank's attention split over two to eight chips."""
    if plan.dp <= 1 or model.experts <= 0:
        return []
    return [replace(plan, tp=tp, dp=plan.dp / tp) for tp in SPLITS if tp < plan.dp and plan.dp % tp == 0]


def _apart(model: Architecture, plan: Plan, group: float, chips: float | None) -> list[Plan]:
    """`plan` for decoding with as many prefill workers of `group` chips as take some share of all chips; throughput counts
    over all of them."""
    size = plan.tp * plan.dp * plan.pp
    found: dict[tuple[float, float], Plan] = {}
    for share in SHARES:
        whole = chips if chips is not None else size / (1.0 - share)
        workers = max(float(round(share * whole / group)), 1.0)
        replicas = 1.0 if chips is None else math.floor((chips - workers * group) / size)
        if replicas >= 1 and (chips is None or workers * group < chips):
            found[workers, replicas] = _worker(model, replace(plan, replicas=float(replicas)), group, workers)
    return list(found.values())


def _worker(model: Architecture, plan: Plan, group: float, workers: float) -> Plan:
    """`plan` with prefill workers: attention of one split over the chips of a node, over more data parallel."""
    wide = group > NODE and (model.experts > 0 or bool(model.latent))
    tp, dp = (1.0, group) if wide else (group, 1.0)
    spread = dp if model.experts > 0 else 1.0
    split = replace(plan, prefill_tp=tp, prefill_dp=dp, prefill_replicas=workers, prefill_ep=spread)
    return replace(split, pooled=split.chips)
