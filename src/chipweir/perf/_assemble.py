"""From resolved configurations to the arrays that the numeric core works on: names end here."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from chipweir.perf import _architecture, _hardware
from chipweir.perf._configuration import Configuration
from chipweir.perf._operators import Work, work
from chipweir.perf._plan import Plan, decode_slots
from chipweir.perf._serving import Case, look_interval


def gather(configurations: Sequence[Configuration]) -> Work:
    """`Work` of n configurations; chips and models are turned into numbers once each."""
    chips = {id(c.chip): c.chip for c in configurations}
    models = {id(c.model): c.model for c in configurations}
    chip_at = {key: i for i, key in enumerate(chips)}
    model_at = {key: i for i, key in enumerate(models)}
    chip_rows = np.array([chip_at[id(c.chip)] for c in configurations])
    model_rows = np.array([model_at[id(c.model)] for c in configurations])
    return work(
        _hardware.take(_hardware.stack(list(chips.values())), chip_rows),
        _architecture.take(_architecture.stack(list(models.values())), model_rows),
        np.array([c.dtype for c in configurations], dtype=object),
        np.array([c.kv_dtype for c in configurations], dtype=object),
    )


def case(
    configurations: Sequence[Configuration], plans: Sequence[Plan], concurrency: Sequence[float] | np.ndarray
) -> Case:
    """`Case` of n configurations with their plans and concurrencies; mixed replicas prefill on the chips they decode
    on."""
    split = np.array([p.split for p in plans], dtype=float)
    column = np.array(
        [
            (
                c.isl,
                c.osl,
                p.tp,
                p.dp,
                p.replicas,
                p.prefill_tp,
                p.prefill_dp,
                p.prefill_replicas,
                p.ep,
                p.prefill_ep,
                c.drafting,
                c.phase == "decode",
                decode_slots(c.framework, p, float(n)),
                c.cold,
                look_interval(c.framework, c.chip.family, data=p.dp > 1, split=p.split, concurrency=n),
            )
            for c, p, n in zip(configurations, plans, concurrency, strict=True)
        ],
        dtype=float,
    ).T
    isl, osl, tp, dp, replicas, p_tp, p_dp, p_replicas, ep, p_ep, drafting, steady, slots, cold, interval = column
    joint = split == 0
    return Case(
        isl=isl,
        osl=osl,
        concurrency=np.asarray(concurrency, dtype=float),
        tp=tp,
        dp=dp,
        replicas=replicas,
        split=split,
        prefill_tp=np.where(joint, tp, p_tp),
        prefill_dp=np.where(joint, dp, p_dp),
        prefill_replicas=np.where(joint, replicas, p_replicas),
        ep=ep,
        drafting=drafting,
        steady=steady,
        interval=interval,
        slots=slots,
        cold=cold,
        prefill_ep=np.where(joint, ep, p_ep),
    )
