"""Choosing what is left open: layout and concurrency that give the most throughput within limits of memory and
latency."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from chipweir.errors import InputError
from chipweir.perf._assemble import case, gather
from chipweir.perf._configuration import Configuration
from chipweir.perf._efficiency import Layout, efficiencies, group_levels, index
from chipweir.perf._operators import Work, resident_weights, take
from chipweir.perf._plan import Plan, candidates
from chipweir.perf._serving import USABLE, Case, Served, serve


# Sequences per chip worth trying when the load is open, and the most one scheduler is run with.
BATCHES = (1, 2, 4, 8, 16, 24, 32, 48, 64, 96, 128, 192, 256, 384, 512, 768, 1024)
SCHEDULER_LIMIT = 1024.0


def resolve(
    configurations: Sequence[Configuration], form: Layout, theta: np.ndarray
) -> tuple[list[Plan | None], np.ndarray, list[str]]:
    """Plan and concurrency of every row, chosen where not stated, and a reason for rows where nothing fits.

    Among candidates the one with the most tokens/s per chip within the row's latency limits is taken; if none meets
    them, the fastest per token. A stated concurrency is kept, and then the plan with the lowest time per output token
    is taken.
    """
    plans: list[Plan | None] = [c.plan for c in configurations]
    concurrency = np.array([np.nan if c.concurrency is None else c.concurrency for c in configurations])
    reasons = [""] * len(configurations)
    trials: list[tuple[int, Plan, float]] = []
    for row, c in enumerate(configurations):
        if c.plan is not None and c.concurrency is not None:
            continue
        try:
            options = (
                [c.plan]
                if c.plan is not None
                else candidates(c.model, c.chip, c.dtype, c.n_chips, context=c.isl + c.osl)
            )
        except InputError as error:
            reasons[row] = str(error)
            continue
        loads = [c.concurrency] if c.concurrency is not None else None
        trials += [(row, p, n) for p in options for n in (loads or [b * p.decode_chips for b in BATCHES])]
    if trials:
        _take_best(configurations, form, theta, trials, plans, concurrency, reasons)
    return plans, concurrency, reasons


def _take_best(
    configurations: Sequence[Configuration], form: Layout, theta: np.ndarray, trials: list[tuple[int, Plan, float]],
    plans: list[Plan | None], concurrency: np.ndarray, reasons: list[str],
) -> None:  # fmt: skip
    rows = np.array([t[0] for t in trials])
    some, place = np.unique(rows, return_inverse=True)
    tried = [configurations[t[0]] for t in trials]
    options = [t[1] for t in trials]
    # Work does not depend on the plan: gathered once a row, not once a trial.
    work = take(gather([configurations[r] for r in some]), place)
    cases = case(tried, options, [n for _, _, n in trials])
    e = efficiencies(theta, _where(configurations, form, rows, options), form.size)
    score = _score(serve(work, e, cases), cases, configurations, rows, work)
    # Trials of a row stand together.
    start = np.searchsorted(rows, some)
    for row, first, end in zip(some, start, [*start[1:], len(rows)], strict=True):
        best = first + int(np.argmax(score[first:end]))
        if not np.isfinite(score[best]):
            c = configurations[row]
            reasons[row] = f"{c.model.name} in {c.dtype} does not fit the layout stated on {c.chip.name}"
            continue
        plans[row], concurrency[row] = trials[best][1], trials[best][2]


def _where(
    configurations: Sequence[Configuration], form: Layout, rows: np.ndarray, options: Sequence[Plan]
) -> dict[str, list[np.ndarray]]:
    """Places of the terms of every trial. Levels depend on a plan only through its kind, so few are looked up."""
    kinds: dict[tuple[int, bool, bool], int] = {}
    first: list[Configuration] = []
    kind = np.empty(len(rows), dtype=int)
    for at, (row, plan) in enumerate(zip(rows.tolist(), options, strict=True)):
        key = (row, plan.split, plan.dp > 1)
        if key not in kinds:
            kinds[key] = len(first)
            first.append(replace(configurations[row], plan=plan))
        kind[at] = kinds[key]
    found = index(form, [group_levels(c) for c in first])
    return {name: [places[kind] for places in columns] for name, columns in found.items()}


def _score(
    served: Served, cases: Case, configurations: Sequence[Configuration], rows: np.ndarray, work: Work
) -> np.ndarray:
    """Larger is better: tokens/s per chip, less the factor by which latency limits are missed, -inf where memory
    does not hold it. `rows` [n]: which configuration a trial belongs to."""
    chips = cases.tp * cases.dp * cases.replicas
    rate = served.rate * cases.osl / chips
    tpot_limit = np.array([c.tpot_limit or np.inf for c in configurations])[rows]
    ttft_limit = np.array([c.ttft_limit or np.inf for c in configurations])[rows]
    missed = np.maximum(served.tpot / tpot_limit, 1.0) * np.maximum(served.ttft / ttft_limit, 1.0)
    stated = np.array([c.concurrency is not None for c in configurations])[rows]
    held = np.minimum(served.limit, SCHEDULER_LIMIT * cases.dp) * cases.replicas >= cases.concurrency * 0.999
    score = np.where(stated, 1.0 / served.tpot, np.log(rate) - 30.0 * np.log(missed))
    smallest = cases.concurrency <= chips
    fits = resident_weights(work, cases.tp, cases.dp) <= USABLE * work.memory_bytes
    return np.where(fits & (stated | held | smallest) & (served.limit >= 1.0), score, -np.inf)
