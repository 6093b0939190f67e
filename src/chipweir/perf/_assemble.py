"""From resolved configurations to the arrays that the numeric core works on: names end here."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from chipweir.perf import _architecture, _hardware
from chipweir.perf._configuration import Configuration, kinds
from chipweir.perf._offered import once
from chipweir.perf._operators import Work, take, work
from chipweir.perf._plan import Plan, decode_slots
from chipweir.perf._serving import Case
from chipweir.perf._software import look_interval


def gather(configurations: Sequence[Configuration]) -> Work:
    """`Work` of n configurations; each kind of them is turned into numbers once."""
    first, place = kinds(configurations)
    each = work(
        _hardware.stack([c.chip for c in first]),
        _architecture.stack([c.model for c in first]),
        np.array([c.dtype for c in first], dtype=object),
        np.array([c.kv_dtype for c in first], dtype=object),
    )
    return take(each, place)


# Layers of DeepSeek-V3 and R1, by which their recipes are told.
DEEPSEEK_LAYERS = 61.0
COLUMNS = ("isl", "osl", "tp", "dp", "replicas", "pp", "prefill_tp", "prefill_dp", "prefill_replicas", "ep", "prefill_ep",
           "drafts", "gain", "steady", "static", "start", "fresh", "slots", "cold", "bunched", "once",
           "interval")  # fmt: skip


def case(
    configurations: Sequence[Configuration], plans: Sequence[Plan], concurrency: Sequence[float] | np.ndarray
) -> Case:
    """`Case` of n configurations with their plans and concurrencies; mixed replicas prefill on the chips they decode
    on."""
    split = np.array([p.split for p in plans], dtype=float)
    rows = [
        (
            c.isl, c.osl, p.tp, p.dp, p.replicas, p.pp, p.prefill_tp, p.prefill_dp, p.prefill_replicas, p.ep,
            p.prefill_ep, c.drafting, c.offered.gain, c.phase == "decode", c.offered.static, c.offered.start,
            1.0 - c.offered.cached, min(decode_slots(c.engine, p, float(n)), c.running * p.dp * p.replicas), c.cold,
            c.bunched, once(c.offered), look_interval(c.engine, c.chip.family, data=p.dp > 1, split=p.split, concurrency=n,
                                     published=bool(c.model.latent) and float(c.model.layers) == DEEPSEEK_LAYERS),
        )
        for c, p, n in zip(configurations, plans, concurrency, strict=True)
    ]  # fmt: skip
    column = dict(zip(COLUMNS, np.array(rows, dtype=float).T, strict=True))
    joint = split == 0
    for name, own in (
        ("prefill_tp", "tp"),
        ("prefill_dp", "dp"),
        ("prefill_replicas", "replicas"),
        ("prefill_ep", "ep"),
    ):
        column[name] = np.where(joint, column[own], column[name])
    return Case(concurrency=np.asarray(concurrency, dtype=float), split=split, **column)
