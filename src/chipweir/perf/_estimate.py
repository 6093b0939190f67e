"""One estimate: a model on a chip or system, with its interval, its plan, what binds it, its power and its cost."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from chipweir.errors import InputError
from chipweir.perf._architecture import architecture, kv_bytes, weight_bytes
from chipweir.perf._batch import Predictions, described, novelty, operator_table, predict
from chipweir.perf._cells import LARGEST
from chipweir.perf._configuration import Configuration, cache_dtype, precision
from chipweir.perf._efficiency import Posterior
from chipweir.perf._fitted import Fitted, fitted
from chipweir.perf._hardware import Hardware, hardware, native
from chipweir.perf._offered import Offered
from chipweir.perf._plan import Plan, candidates
from chipweir.perf._search import layouts
from chipweir.perf._serving import USABLE
from chipweir.perf._software import NOW, engine_of, software_year


BATCHES = (1, 2, 4, 8, 16, 32, 64, 96, 128, 192, 256, 384, 512)
# The engine usual on an ecosystem's chips.
ENGINE_OF = {"cuda": "trt", "rocm": "sglang", "cann": "vllm"}


@dataclass(frozen=True)
class Estimate:
    """What serving `model` on `chips` of `chip` gives; every quantity {p10, p50, p90}.

    `memory`: bytes per chip of weights and cache and what is usable. `binds`: what takes most of a decode step.
    `operators`: roofline table. `alternatives`: the next best layouts where none was stated, each with its load.
    """

    model: str
    chip: str
    chips: int
    dtype: str
    isl: float
    osl: float
    quantities: Mapping[str, Mapping[str, float]]
    plan: Mapping[str, Any]
    binds: str
    memory: Mapping[str, float]
    cost: Mapping[str, Any]
    notes: tuple[str, ...]
    operators: tuple[Mapping[str, Any], ...]
    alternatives: tuple[Mapping[str, float], ...] = ()

    def record(self) -> dict[str, Any]:
        """As plain values for JSON."""
        return {
            "model": self.model,
            "chip": self.chip,
            "chips": self.chips,
            "precision": self.dtype,
            "isl": self.isl,
            "osl": self.osl,
            "quantities": {k: dict(v) for k, v in self.quantities.items()},
            "plan": dict(self.plan),
            "binds": self.binds,
            "memory": dict(self.memory),
            "cost": dict(self.cost),
            "notes": list(self.notes),
            "operators": [dict(o) for o in self.operators],
            "alternatives": [dict(a) for a in self.alternatives],
        }


def estimate(
    model: str,
    on: str,
    *,
    chips: int | None = None,
    isl: float = 2048.0,
    osl: float = 512.0,
    concurrency: float | None = None,
    target_tpot_ms: float | None = None,
    target_ttft_ms: float | None = None,
    precision_name: str = "",
    framework: str = "",
    framework_version: str = "",
    date: str = "",
    layout: Mapping[str, float] | None = None,
    drafts: float | None = None,
    overrides: Mapping[str, float | str] | None = None,
    country: str = "US",
    posterior: Fitted | Posterior | None = None,
) -> Estimate:
    """Serving `model` on a chip or system: throughput per chip, latency, power, energy, cost, and the plan chosen.

    Without `concurrency` the plan and load with the most tokens/s per chip are chosen, under `target_tpot_ms` and
    `target_ttft_ms` if given; `layout` (tp, dp, pp) states the plan. `date` or `framework_version`: of the software, by
    default that of mid-2026. `drafts`: tokens drafted a step.
    Raises `UnknownName` for names, `InputError` for impossible numbers or a model that does not fit (with the bytes).
    """
    for name, value in (
        ("chips", chips),
        ("isl", isl),
        ("osl", osl),
        ("concurrency", concurrency),
        ("target-tpot", target_tpot_ms),
        ("target-ttft", target_ttft_ms),
        *(layout or {}).items(),
    ):
        if value is not None and not (np.isfinite(value) and value > 0):
            raise InputError(f"{name} must be above 0, not {value:g}")
        most = LARGEST.get({"chips": "n_chips"}.get(name, name))
        if value is not None and most is not None and value > most:
            raise InputError(f"{name} of {value:g} is beyond what this model can say; at most {most:g}")
    country = _country(country)
    chip = hardware(on, overrides)
    year = software_year(framework or ENGINE_OF.get(str(chip.ecosystem), "vllm"), framework_version, date)
    if framework_version and year is None:
        raise InputError(
            f"no release date is known for '{framework_version}' of {framework or 'the engine'}; give a date"
        )
    offered = Offered(isl, osl, waves=math.inf, drafts=drafts or 0.0)
    base = _configuration(model, chip, offered, precision_name, framework, year)
    if chips is None and chip.system_chips and chip.system_chips <= 512:
        chips = int(chip.system_chips)
    plan = _stated(base, layout, chips)
    known = fitted(posterior)
    base = replace(
        base,
        concurrency=concurrency,
        plan=plan,
        dated=year is not None,
        tpot_limit=target_tpot_ms / 1e3 if target_tpot_ms else None,
        ttft_limit=target_ttft_ms / 1e3 if target_ttft_ms else None,
        n_chips=float(chips) if chips else None,
        planned=True,
    )
    predictions, _, reasons = predict([base], known.serving, known.power)
    if predictions is None:
        raise InputError(reasons[0])
    resolved = predictions.configurations[0]
    notes = _notes(base, resolved, predictions) + novelty(resolved, known.serving)
    quantities = predictions.row(0)
    return Estimate(
        model=base.model.name,
        chip=chip.name,
        chips=int(predictions.chips[0]),
        dtype=base.dtype,
        isl=isl,
        osl=osl,
        quantities=quantities,
        plan=described(predictions)[0],
        binds=str(predictions.binds[0]),
        memory=_memory(resolved, predictions),
        cost=_cost(on, chip, quantities, isl, osl, country),
        notes=tuple(notes),
        operators=tuple(operator_table(resolved, predictions, known.serving)),
        alternatives=() if plan is not None else tuple(_runners_up(base, resolved.plan, known)),
    )


def _notes(base: Configuration, resolved: Configuration, predictions: Predictions) -> list[str]:
    """What was assumed, limits that no layout keeps, and what of the plan a reader must know."""
    notes, plan = list(base.notes), resolved.plan
    tpot, ttft = (float(predictions.median[name][0]) for name in ("tpot_ms", "ttft_ms"))
    for made, limit, what, shown in (
        (tpot, base.tpot_limit, "per token", f"{tpot:.1f}"),
        (ttft, base.ttft_limit, "to the first token", f"{ttft:,.0f}"),
    ):
        if limit and made > limit * 1e3 * 1.001:
            notes.append(f"no layout keeps {limit * 1e3:g} ms {what}; this one is the nearest at {shown} ms")
    if plan is not None and plan.pooled:
        total = f"{plan.chips:g}"
        notes.append(f"{plan.prefill_chips:g} of the {total} chips only prefill; throughput counts over all of them")
    if base.n_chips and float(predictions.chips[0]) < base.n_chips:
        notes.append(
            f"{base.n_chips - float(predictions.chips[0]):g} of the {base.n_chips:g} chips are idle in this layout"
        )
    if base.isl + base.osl > float(base.model.context):
        context = float(base.model.context)
        notes.append(f"{base.isl + base.osl:,.0f} tokens are beyond the model's context of {context:,.0f}")
    if not bool(native(base.chip, base.dtype)) and base.dtype != "bf16":
        notes.append(f"{base.chip.name} has no {base.dtype.upper()} unit: emulated")
    return notes


# Layouts shown beside the best one.
RUNNERS_UP = 3


def _stated(base: Configuration, layout: Mapping[str, float] | None, chips: int | None) -> Plan | None:
    """The plan that `layout` states, in as many replicas as `chips` hold; None where nothing is stated."""
    if not layout:
        return None
    tp, dp, pp = (float(layout.get(name, 1.0)) for name in ("tp", "dp", "pp"))
    group = tp * dp * pp
    if chips is not None and group > chips:
        raise InputError(f"tp {tp:g} x dp {dp:g} x pp {pp:g} are {group:g} chips, more than the {chips}")
    spread = tp * dp if base.model.experts > 0 and dp > 1 else 1.0
    return Plan(tp, dp, math.floor((chips or group) / group), ep=spread, pp=pp)


def _runners_up(base: Configuration, best: Plan | None, known: Fitted) -> list[dict[str, float]]:
    """The best layouts other than `best`, each at the load it does best with under the limits."""
    trials = [replace(base, plan=plan) for plan in layouts(base) if plan != best]
    predictions = predict(trials, known.serving, known.power)[0] if trials else None
    if predictions is None:
        return []
    found = []
    for at, c in enumerate(predictions.configurations):
        assert c.plan is not None
        numbers = {name: float(predictions.median[name][at]) for name in ("output_tok_s_chip", "tpot_ms", "ttft_ms")}
        late = max(numbers["tpot_ms"] / 1e3 / (c.tpot_limit or math.inf), 1.0)
        late *= max(numbers["ttft_ms"] / 1e3 / (c.ttft_limit or math.inf), 1.0)
        shape = {"tp": c.plan.tp, "attention_dp": c.plan.dp, "pp": c.plan.pp, "replicas": c.plan.replicas}
        if c.plan.split:
            names = ("prefill_tp", "prefill_dp", "prefill_replicas")
            shape |= {name: float(getattr(c.plan, name)) for name in names}
        load = {"concurrency": float(predictions.cases.concurrency[at])}
        # As the search weighs them: all of the chips stated, or those used.
        used = float(predictions.chips[at]) / max(base.n_chips or 0.0, float(predictions.chips[at]))
        value = 1.0 / numbers["tpot_ms"] if base.concurrency is not None else numbers["output_tok_s_chip"] * used
        found.append((late > 1.001, late if late > 1.001 else -value, shape | load | numbers))
    return [record for _, _, record in sorted(found, key=lambda item: item[:2])[:RUNNERS_UP]]


def _country(name: str) -> str:
    """The ISO code of a country by code or name. Raises `UnknownName`."""
    from chipweir import facts

    return str(facts.load().country(name).alpha2)


def _configuration(
    model: str, chip: Hardware, offered: Offered, dtype: str, framework: str, year: float | None = None
) -> Configuration:
    known = architecture(model)
    notes: list[str] = [known.doubt] if known.doubt else []
    engine = engine_of(framework) if framework else ENGINE_OF.get(str(chip.ecosystem), "vllm")
    name = precision(dtype, model, known, chip, notes)
    return Configuration(
        phase="serving", chip=chip, model=known, dtype=name, kv_dtype=cache_dtype(name, engine, chip), engine=engine,
        plan=None, n_chips=None, concurrency=None, offered=offered, stat="median", year=NOW if year is None else year,
        tuning="tuned" if engine in ("trt", "maker") else "", notes=tuple(notes),
    )  # fmt: skip


def _memory(c: Configuration, predictions: Predictions) -> dict[str, float]:
    plan = c.plan
    assert plan is not None
    chips = plan.tp * plan.dp * plan.pp
    batch = float(predictions.served.batch[0])
    return {
        "weights_bytes": float(weight_bytes(c.model, c.dtype)),
        "cache_bytes_per_sequence": float(kv_bytes(c.model, c.isl + c.osl, c.kv_dtype)),
        "cache_bytes_per_token": float(kv_bytes(c.model, 1e5, c.kv_dtype) / 1e5),
        "batch_per_replica": batch,
        "most_sequences_per_replica": float(predictions.served.limit[0]),
        "usable_bytes_per_chip": USABLE * float(c.chip.memory_bytes),
        "chips_per_replica": chips,
    }


def _cost(
    on: str, chip: Hardware, quantities: Mapping[str, Mapping[str, float]], isl: float, osl: float, country: str
) -> dict[str, Any]:
    """Owning cost per million output tokens (all costs on the output) and per million tokens; empty where no price
    is known."""
    from chipweir import facts
    from chipweir.perf._cost import system_owning_cost

    try:
        hourly = system_owning_cost(facts.load(), on, quantities["power_w_chip"]["p50"], country=country)
    except InputError as error:
        return {"note": str(error)}
    spread = float(np.exp(1.2816 * hourly.log_sd))
    record: dict[str, Any] = {
        "usd_per_chip_hour": _interval(hourly.total, hourly.total / spread, hourly.total * spread),
        "country": country,
        "source": hourly.source,
    }
    for name, quantity in (
        ("usd_per_million_output", "output_tok_s_chip"),
        ("usd_per_million_tokens", "total_tok_s_chip"),
    ):
        rate = quantities[quantity]
        centre = hourly.total / 3600 / rate["p50"] * 1e6
        low = centre * float(np.exp(-np.hypot(np.log(rate["p90"] / rate["p50"]), np.log(spread))))
        high = centre * float(np.exp(np.hypot(np.log(rate["p50"] / rate["p10"]), np.log(spread))))
        record[name] = _interval(centre, low, high)
    return record


def _interval(centre: float, low: float, high: float) -> dict[str, float]:
    return {"p10": low, "p50": centre, "p90": high}


def frontier(
    model: str,
    on: str,
    *,
    chips: int | None = None,
    isl: float = 2048.0,
    osl: float = 512.0,
    precision_name: str = "",
    framework: str = "",
    posterior: Posterior | None = None,
) -> list[dict[str, float]]:
    """Throughput per chip against time per token over layouts and loads, only points no other beats in both, fastest
    first."""
    chip = hardware(on)
    base = _configuration(model, chip, Offered(isl, osl, waves=math.inf), precision_name, framework)
    chips = chips or (int(chip.system_chips) if 0 < chip.system_chips <= 512 else None)
    plans: Sequence[Plan] = candidates(base.model, chip, base.dtype, float(chips) if chips else None, context=isl + osl)
    trials = [replace(base, plan=p, concurrency=b * p.decode_chips) for p in plans for b in BATCHES]
    predictions, _, _ = predict(trials, posterior)
    if predictions is None:
        return []
    points = sorted(
        (float(t), -float(o), float(n), float(f))
        for t, o, n, f in zip(
            predictions.median["tpot_ms"],
            predictions.median["output_tok_s_chip"],
            predictions.cases.concurrency,
            predictions.median["ttft_ms"],
            strict=True,
        )
    )
    best, kept = 0.0, []
    for tpot, minus, load, ttft in points:
        if -minus > best:
            best = -minus
            kept.append({"tpot_ms": tpot, "output_tok_s_chip": best, "concurrency": load, "ttft_ms": ttft})
    return kept
