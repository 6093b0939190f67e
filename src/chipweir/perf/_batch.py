"""Many configurations at once: rows of a table in, one prediction or one reason each out.

Throughputs are per chip. Disaggregated rows follow the convention of the public tables: output tokens over decode
chips, input
tokens over prefill chips, total over all of them.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from chipweir.errors import InputError
from chipweir.perf._assemble import case, gather
from chipweir.perf._cells import altered
from chipweir.perf._configuration import Cells, Configuration, Setup, is_training, kinds, read_configuration
from chipweir.perf._efficiency import Posterior, efficiencies, places, shipped
from chipweir.perf._energy import PowerCurve
from chipweir.perf._fitted import Fitted, fitted
from chipweir.perf._intervals import deployment, spreads, widen
from chipweir.perf._operators import OPERATORS, Load, Work, activation_bytes, pass_load, resident_weights
from chipweir.perf._operators import take as take_work
from chipweir.perf._plan import Plan
from chipweir.perf._search import resolve
from chipweir.perf._serving import (
    Case,
    Efficiency,
    Served,
    fits,
    inter_token,
    moving,
    operator_seconds,
    serve,
)
from chipweir.perf._serving import take as take_cases


Row = Mapping[str, str]
# How a quantity that tables print follows from one whose error was learnt.
ERROR_OF = {
    "tpot_ms": "tpot",
    "ttft_ms": "ttft",
    "output_tok_s_chip": "output",
    "total_tok_s_chip": "output",
    "input_tok_s_chip": "input",
}
# Rows estimated at a time: bounds the memory that layouts tried for rows which state none take.
TOGETHER = 4096
BINDS = np.array(["compute", "memory bandwidth", "link", "overhead"])
# Numbers of `Work` that a datasheet number stands in, and the log standard deviation from which it counts as open.
SPECS = {"flops": ("rate", "score_rate"), "bandwidth": ("memory_bandwidth",), "memory": ("memory_bytes",),
         "link": ("link", "scaleout")}  # fmt: skip
OPEN = 0.02
# Factor on the output by which it is seen how power follows it.
MORE = 1.1


@dataclass(frozen=True)
class Predictions:
    """Answers for n resolved configurations.

    `median[q]` [n] and `points[q]` [n, 2] (ln of 10 % and 90 % points over the median) by quantity; NaN where a
    quantity does not apply.
    """

    configurations: tuple[Configuration, ...]
    cases: Case
    served: Served
    median: Mapping[str, np.ndarray]
    points: Mapping[str, np.ndarray]
    binds: np.ndarray
    chosen: np.ndarray
    chips: np.ndarray

    def row(self, place: int) -> dict[str, dict[str, float]]:
        """The quantities of one row that apply, each as {p10, p50, p90}."""
        return self.rows([place])[0]

    def rows(self, places: Sequence[int] | None = None) -> list[dict[str, dict[str, float]]]:
        """The same for rows `places`, all of them where not given."""
        some = np.arange(len(self.configurations)) if places is None else np.asarray(places)
        answers: list[dict[str, dict[str, float]]] = [{} for _ in some]
        for name, values in self.median.items():
            centre = values[some]
            low, high = (centre[:, None] * np.exp(self.points[name][some])).T
            for answer, p10, p50, p90 in zip(answers, low.tolist(), centre.tolist(), high.tolist(), strict=True):
                if math.isfinite(p50):
                    answer[name] = {"p10": p10, "p50": p50, "p90": p90}
        return answers


def predict_rows(rows: Sequence[Row], posterior: Fitted | Posterior | None = None) -> list[dict[str, Any]]:
    """One answer per row, in order: `row` (from 1), `id`, `predictions` or `reason`, and what was assumed. Never
    raises for a row."""
    known = fitted(posterior)
    answers: list[dict[str, Any]] = [{"row": i + 1, "id": row.get("id") or None} for i, row in enumerate(rows)]
    configurations: list[Configuration] = []
    setups: dict[Cells, Setup] = {}
    where: list[int] = []
    training: list[int] = []
    for i, row in enumerate(rows):
        if row.get("malformed"):
            answers[i]["reason"] = f"malformed row: {row['malformed']}"
        elif is_training(row):
            training.append(i)
        else:
            try:
                configurations.append(read_configuration(row, setups))
                where.append(i)
            except InputError as error:
                answers[i]["reason"] = str(error)
    for start in range(0, len(configurations), TOGETHER):
        some = slice(start, start + TOGETHER)
        _serving_answers(configurations[some], where[some], known, answers)
    if training:
        _training_answers(rows, training, known, answers)
    return answers


def _serving_answers(
    configurations: list[Configuration], places: list[int], known: Fitted, answers: list[dict[str, Any]]
) -> None:
    posterior = known.serving
    predictions, kept, reasons = predict(configurations, posterior, known.power)
    for place, reason in zip(places, reasons, strict=True):
        if reason:
            answers[place]["reason"] = reason
    if predictions is None:
        return
    first, kind = kinds(predictions.configurations)
    new = [novelty(c, posterior) for c in first]
    plans, binds = described(predictions), predictions.binds.tolist()
    for at, (original, quantities) in enumerate(zip(kept, predictions.rows(), strict=True)):
        answer = answers[places[original]]
        if not quantities:
            answer["reason"] = "the numbers of this row are beyond what the model can say"
            continue
        answer["predictions"], answer["plan"], answer["binds"] = quantities, plans[at], binds[at]
        notes = [*predictions.configurations[at].notes, *new[kind[at]]]
        if notes:
            answer["notes"] = notes


def _training_answers(rows: Sequence[Row], places: list[int], known: Fitted, answers: list[dict[str, Any]]) -> None:
    from chipweir.perf._training_rows import predict_training

    for place, answer in zip(places, predict_training([rows[i] for i in places], known.training), strict=True):
        if "reason" in answer:
            answers[place]["reason"] = answer["reason"]
            continue
        quantities = {k: v for k, v in answer.items() if isinstance(v, dict) and "p50" in v}
        answers[place] |= {"predictions": quantities} | {
            name: answer[name] for name in ("plan", "binds", "notes") if name in answer
        }


def novelty(c: Configuration, posterior: Posterior) -> list[str]:
    """What of a configuration the fit has not seen, and what no datasheet says, in words."""
    new = posterior.errors.new(c)
    said = {
        "vendor": f"no measurement of any {c.chip.vendor} chip: wide interval",
        "generation": f"no measurement of {c.chip.vendor}'s {c.chip.generation or 'generation'}: its maker's efficiencies",
        "chip": f"{c.chip.name} not measured: its generation's efficiencies",
        "model": f"{c.model.name} not measured: from its architecture",
        "engine": f"no measurement of the engine {c.engine}",
        "format": f"{c.dtype} not measured on {c.chip.vendor} chips",
        "date": f"software of {c.year:.1f} is outside the years measured",
    }
    notes = [said[name] for name in new if name in said]
    if c.chip.assumed:
        notes.append(f"{c.chip.name}: taken from its peers: {', '.join(str(c.chip.assumed).split())}")
    if c.chip.edge and c.chip.memory_bytes < 1e9:
        notes.append("memory under 1 GB")
    return notes


def described(predictions: Predictions) -> list[dict[str, Any]]:
    """The plans in plain numbers."""
    columns = (predictions.chips, predictions.cases.concurrency, predictions.served.batch)
    return [
        _described(c.plan, *numbers)
        for c, *numbers in zip(predictions.configurations, *(column.tolist() for column in columns), strict=True)
    ]


def _described(plan: Plan | None, chips: float, concurrency: float, batch: float) -> dict[str, Any]:
    assert plan is not None
    out: dict[str, Any] = {
        "tp": plan.tp,
        "attention_dp": plan.dp,
        "ep": plan.ep,
        "pp": plan.pp,
        "replicas": plan.replicas,
        "chips": chips,
        "concurrency": concurrency,
        "batch": batch,
        "stated": plan.stated,
    }
    if plan.split:
        out |= {"prefill_tp": plan.prefill_tp, "prefill_dp": plan.prefill_dp}
        out["prefill_replicas"] = plan.prefill_replicas if math.isfinite(plan.prefill_replicas) else None
    return out


def predict(
    configurations: Sequence[Configuration], posterior: Posterior | None = None, curve: PowerCurve | None = None
) -> tuple[Predictions | None, list[int], list[str]]:
    """Predictions for the configurations that can be served, their positions, and a reason ("" if none) for each
    given one."""
    posterior = posterior or shipped()
    plans, concurrency, reasons = resolve(configurations, posterior.form, posterior.mean)
    kept = [i for i, (p, r) in enumerate(zip(plans, reasons, strict=True)) if p is not None and not r]
    resolved = tuple(_with_plan(configurations[i], plans[i]) for i in kept)
    if not kept:
        return None, [], reasons
    work = gather(resolved)
    cases = case(resolved, [c.plan for c in resolved if c.plan is not None], concurrency[kept])
    needed, held = resident_weights(work, cases.tp, cases.dp) / cases.pp, fits(work, cases)
    for at in np.flatnonzero(~held):
        c = resolved[at]
        reasons[kept[at]] = (
            f"does not fit: {needed[at] / 1e9:,.1f} GB of weights per chip "
            f"({c.model.name} in {c.dtype}, tp {cases.tp[at]:g}, "
            f"attention dp {cases.dp[at]:g}), {c.chip.name} has {float(c.chip.memory_bytes) / 1e9:,.1f} GB"
        )
    if not held.all():
        some = np.flatnonzero(held)
        kept, resolved = [kept[i] for i in some], tuple(resolved[i] for i in some)
        work, cases = take_work(work, some), take_cases(cases, some)
    if not kept:
        return None, kept, reasons
    chosen = np.array([configurations[i].concurrency is None for i in kept])
    return _evaluate(resolved, work, cases, chosen, posterior, curve), kept, reasons


def _with_plan(c: Configuration, plan: Plan | None) -> Configuration:
    return c if c.plan is plan else altered(c, plan=plan)


def _evaluate(
    resolved: tuple[Configuration, ...],
    work: Work,
    cases: Case,
    chosen: np.ndarray,
    posterior: Posterior,
    curve: PowerCurve | None,
) -> Predictions:
    e = efficiencies(posterior.mean, places(posterior.form, resolved), posterior.form)
    cases = arriving(work, e, cases, np.array([c.offered.rate for c in resolved]))
    served = serve(work, e, cases)
    median, chips = _medians(resolved, work, cases, served)
    extra = unmet_spread(resolved, work, cases, posterior)
    points = {}
    base = spreads(posterior.errors, resolved, list(chosen), set(ERROR_OF.values()))
    for name, source in ERROR_OF.items():
        points[name] = widen(base[source], extra[source])
    # Chips that read and write read in proportion: one rate, one error.
    apart = (cases.split > 0) | np.array([c.phase == "prefill" for c in resolved])
    points["input_tok_s_chip"] = np.where(apart[:, None], points["input_tok_s_chip"], points["output_tok_s_chip"])
    _add_power(resolved, cases, served, median, points, chips, curve)
    return Predictions(resolved, cases, served, median, points, bound(served), chosen, chips)


def _medians(
    resolved: Sequence[Configuration], work: Work, cases: Case, served: Served
) -> tuple[dict[str, np.ndarray], np.ndarray]:
    phase = np.array([c.phase for c in resolved])
    decode_chips = cases.decode_chips
    split = cases.split > 0
    # Prefill workers that are not stated: as many as keep up with the decode side.
    known = np.isfinite(cases.prefill_replicas)
    busy = served.rate * served.prefill_s
    workers = np.where(known, cases.prefill_replicas, np.ceil(np.maximum(busy / 0.8, 1.0)))
    prefill_chips = np.where(split, workers * cases.prefill_tp * cases.prefill_dp, decode_chips)
    chips = decode_chips + np.where(split, prefill_chips, 0.0)
    steps = np.array([c.stat == "step" for c in resolved])
    tpot = np.where(steps, inter_token(served, cases.osl), served.tpot)
    only_prefill, only_decode = phase == "prefill", phase == "decode"
    full_prefill = cases.isl / served.prefill_s / (cases.prefill_tp * cases.prefill_dp)
    lasting = np.array([c.lasting for c in resolved])
    pooled = np.array([c.plan is not None and c.plan.pooled > 0 for c in resolved])
    output = served.rate * cases.osl / np.where(pooled, chips, decode_chips) * lasting
    incoming = np.where(only_prefill, full_prefill, served.rate * cases.isl / prefill_chips * lasting)
    total = np.where(only_prefill, full_prefill, served.rate * (cases.isl + cases.osl) / chips * lasting)
    hide = np.where(only_prefill, np.nan, 1.0)
    median = {
        "output_tok_s_chip": output * hide,
        "total_tok_s_chip": np.where(only_decode, output, total),
        "input_tok_s_chip": np.where(only_decode, np.nan, incoming),
        "ttft_ms": served.ttft * 1e3 * np.where(only_decode, np.nan, 1.0),
        "tpot_ms": tpot * 1e3 * hide,
    }
    return median, chips


ROUNDS_OF_ARRIVAL = 8


def arriving(work: Work, e: Efficiency, cases: Case, rate: np.ndarray) -> Case:
    """`cases` with as many requests present as a stated rate of arrival [n] (requests/s) keeps there: Little's law, at
    most the concurrency. Rows without a rate stay closed loops."""
    if not np.isfinite(rate).any():
        return cases
    most = cases.concurrency
    present = np.where(np.isfinite(rate), 1.0, most)
    for _ in range(ROUNDS_OF_ARRIVAL):
        served = serve(work, e, replace(cases, concurrency=np.minimum(present, most)))
        latency = served.ttft + cases.osl * served.tpot
        present = np.where(np.isfinite(rate), np.clip(rate * latency, 1.0, most), most)
    return replace(cases, concurrency=present)


def unmet_spread(
    resolved: Sequence[Configuration], work: Work, cases: Case, posterior: Posterior
) -> dict[str, np.ndarray]:
    """Log standard deviation [n] by quantity that gaps of the datasheet add: every open number is moved by its own."""
    n = len(resolved)
    names = ("tpot", "ttft", "output")
    out = {name: np.zeros(n) for name in names}
    for spec, columns in SPECS.items():
        sd = np.array([float(getattr(c.chip, f"{spec}_log_sd")) for c in resolved])
        rows = np.flatnonzero(sd > OPEN)
        if not len(rows):
            continue
        e = efficiencies(posterior.mean, places(posterior.form, [resolved[i] for i in rows.tolist()]), posterior.form)
        base, case_ = take_work(work, rows), take_cases(cases, rows)
        logs = []
        for sign in (1.0, -1.0):
            moved = {name: getattr(base, name) * np.exp(sign * sd[rows]) for name in columns}
            served = serve(replace(base, **moved), e, case_)
            logs.append(np.log([served.tpot, served.ttft, served.rate]))
        for name, change in zip(names, np.abs(logs[0] - logs[1]) / 2.0, strict=True):
            out[name][rows] = np.hypot(out[name][rows], np.minimum(np.nan_to_num(change), 1.5))
    return out | {"input": out["output"]}


def bound(served: Served) -> np.ndarray:
    """What takes the largest part of a decode step [n]."""
    parts = np.stack([served.compute_s, served.memory_s, served.link_s, served.overhead_s])
    return np.asarray(BINDS[np.argmax(parts, axis=0)])


def _add_power(
    resolved: Sequence[Configuration],
    cases: Case,
    served: Served,
    median: dict[str, np.ndarray],
    points: dict[str, np.ndarray],
    chips: np.ndarray,
    curve: PowerCurve | None,
) -> None:
    """Power per chip and energy per output token from the chip's activity.

    Where output is off by a factor, power follows by the share of it that its curve gives, and energy per token by the
    rest.
    """
    from chipweir.perf._energy import shipped_curve

    curve = curve or shipped_curve()
    pooled = np.array([c.plan is not None and c.plan.pooled > 0 for c in resolved])
    output = np.nan_to_num(median["output_tok_s_chip"]) * np.where(pooled, 1.0, cases.decode_chips / chips)
    incoming = np.nan_to_num(median["total_tok_s_chip"]) - output
    drawn = _powers(resolved, cases, served, curve)
    power, more = (drawn(k * output, k * incoming) for k in (1.0, MORE))
    follows = np.clip(np.log(more / power) / np.log(MORE), 0.0, 1.0)[:, None]
    sd, kept = (np.full(len(resolved), share * curve.log_sd) for share in (1.0, curve.energy_share))
    rate = points["output_tok_s_chip"]
    median["power_w_chip"] = power
    points["power_w_chip"] = widen(follows * rate, sd)
    median["j_per_output_token"] = np.where(output > 0, power / np.maximum(output, 1e-12), np.nan)
    points["j_per_output_token"] = widen((follows - 1.0) * rate[:, ::-1], kept)


def _powers(
    resolved: Sequence[Configuration], cases: Case, served: Served, curve: PowerCurve
) -> Callable[[np.ndarray, np.ndarray], np.ndarray]:
    """W per chip [n] of deployments as a function of the tokens/s per chip [n] that they write and read."""
    from chipweir.perf import _architecture, _hardware
    from chipweir.perf._energy import serving_power

    first, kind = kinds(resolved)
    chips, models = _hardware.stack([c.chip for c in first]), _architecture.stack([c.model for c in first])
    dtypes = np.array([c.dtype for c in first])[kind]
    parts = [(str(dtype), np.flatnonzero(dtypes == dtype)) for dtype in np.unique(dtypes)]
    hardware = [_hardware.take(chips, kind[rows]) for _, rows in parts]
    model = [_architecture.take(models, kind[rows]) for _, rows in parts]
    group = cases.tp * cases.dp * cases.pp

    def drawn(output: np.ndarray, incoming: np.ndarray) -> np.ndarray:
        power = np.full(len(resolved), np.nan)
        for (dtype, rows), chip, architecture in zip(parts, hardware, model, strict=True):
            power[rows] = serving_power(
                chip,
                architecture,
                dtype,
                output_tok_s=np.maximum(output[rows], 1e-9),
                input_tok_s=np.maximum(incoming[rows], 0.0),
                batch=np.maximum(served.batch[rows], 1.0),
                chips=group[rows],
                context=cases.context[rows],
                curve=curve,
            )
        return power

    return drawn


def operator_table(
    configuration: Configuration, predictions: Predictions, posterior: Posterior | None = None
) -> list[dict[str, Any]]:
    """Roofline of every part of one decode step and one prefill, on one chip: FLOPs, bytes, seconds, what binds it.

    Activations and messages have no FLOPs; the roofline of messages is the estimate itself.
    """
    posterior = posterior or shipped()
    work, c = gather([configuration]), predictions.cases
    e = efficiencies(posterior.mean, places(posterior.form, [configuration]), posterior.form)
    batch = np.maximum(predictions.served.batch / c.pp, c.dp) * (1.0 + c.drafts)
    step = pass_load(work, batch, batch, c.context, c.tp, c.dp, c.ep, evenness=e.evenness)
    tokens = c.isl * c.prefill_dp
    prompt = pass_load(
        work, tokens, c.prefill_dp, c.isl / 2, c.prefill_tp, c.prefill_dp, prefill=True, evenness=e.evenness
    )
    return [
        *_pass_table("decode", step, work, e, (batch, c.tp, c.dp, c.ep)),
        *_pass_table("prefill", prompt, work, e, (tokens, c.prefill_tp, c.prefill_dp, c.prefill_ep)),
    ]


def _pass_table(
    name: str, load: Load, work: Work, e: Efficiency, group: tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]
) -> list[dict[str, Any]]:
    """`group`: tokens of the pass, tensor and data degree, and ranks that experts are spread over."""
    seconds = operator_seconds(load, work, e, prefill=name == "prefill")
    bandwidth = float(work.memory_bandwidth[0])
    rows = []
    for operator in OPERATORS:
        flops, moved = float(load.flops[operator][0]), float(load.bytes[operator][0])
        rate = float((work.score_rate if operator == "attention_score" else work.rate)[0])
        if flops + moved > 0:
            rows.append(
                _part(name, operator, flops, moved, flops / rate, moved / bandwidth, float(seconds[operator][0]))
            )
    moved = float(sum(activation_bytes(work, *group))[0])
    rows.append(_part(name, "activations", 0.0, moved, 0.0, moved / bandwidth, float(moving(work, e, *group)[0])))
    return rows


def _part(
    name: str, operator: str, flops: float, moved: float, compute: float, memory: float, estimate: float
) -> dict[str, Any]:
    return {
        "pass": name,
        "operator": operator,
        "gflop": flops / 1e9,
        "mbyte": moved / 1e6,
        "intensity": flops / max(moved, 1.0),
        "roofline_us": max(compute, memory) * 1e6,
        "estimate_us": estimate * 1e6,
        "binds": "compute" if compute > memory else "memory bandwidth",
    }


__all__ = ["Predictions", "deployment", "operator_table", "predict", "predict_rows"]
