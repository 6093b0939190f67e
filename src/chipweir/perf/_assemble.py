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
from chipweir.perf._software import look_interval, reserved


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
OF_PLAN = ("tp", "dp", "replicas", "pp", "prefill_tp", "prefill_dp", "prefill_replicas", "ep", "prefill_ep", "split",
           "slots", "interval")  # fmt: skip
OF_LOAD = ("isl", "osl", "drafts", "gain", "steady", "static", "start", "fresh", "cold", "bunched", "once",
           "running", "reserved")  # fmt: skip
# What workers that prefill and decode prefill on.
JOINT = (("prefill_tp", "tp"), ("prefill_dp", "dp"), ("prefill_replicas", "replicas"), ("prefill_ep", "ep"))


def case(
    configurations: Sequence[Configuration],
    plans: Sequence[Plan],
    concurrency: Sequence[float] | np.ndarray,
    of: np.ndarray | None = None,
) -> Case:
    """`Case` of n plans and concurrencies; `of` [n]: whose configuration, by default one each. Mixed replicas prefill on
    the chips they decode on."""
    place = np.arange(len(plans)) if of is None else of
    loads = [
        (
            c.isl, c.osl, c.drafting, c.offered.gain, c.phase == "decode", c.offered.static, c.offered.start,
            1.0 - c.offered.cached, c.cold, c.bunched, once(c.offered), c.running,
            1.0 if c.phase == "decode" else reserved(c.engine),
        )
        for c in configurations
    ]  # fmt: skip
    layouts = [
        (
            p.tp, p.dp, p.replicas, p.pp, p.prefill_tp, p.prefill_dp, p.prefill_replicas, p.ep, p.prefill_ep, p.split,
            decode_slots(c.engine, p, n),
            look_interval(c.engine, c.chip.family, data=p.dp > 1, split=p.split, concurrency=n,
                          published=bool(c.model.latent) and float(c.model.layers) == DEEPSEEK_LAYERS),
        )
        for c, p, n in zip((configurations[i] for i in place.tolist()), plans, np.asarray(concurrency, dtype=float).tolist(),
                           strict=True)
    ]  # fmt: skip
    column = dict(zip(OF_LOAD, np.array(loads, dtype=float).T[:, place], strict=True))
    column |= dict(zip(OF_PLAN, np.array(layouts, dtype=float).T, strict=True))
    column["slots"] = np.minimum(column["slots"], column.pop("running") * column["dp"] * column["replicas"])
    for name, own in JOINT:
        column[name] = np.where(column["split"] == 0, column[own], column[name])
    return Case(concurrency=np.asarray(concurrency, dtype=float), **column)
