"""Choosing what is left open: layout and concurrency that give the most throughput within limits of memory and
latency."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from chipweir.errors import InputError
from chipweir.perf._assemble import case, gather
from chipweir.perf._cells import altered
from chipweir.perf._configuration import Configuration
from chipweir.perf._efficiency import Layout, efficiencies, places
from chipweir.perf._operators import Work, take
from chipweir.perf._plan import Plan, candidates
from chipweir.perf._planner import planned
from chipweir.perf._serving import Case, Served, fits, serve
from chipweir.perf._serving import take as take_cases


# Sequences per chip worth trying when the load is open, and the most one scheduler is run with.
BATCHES = np.array([1, 2, 4, 8, 16, 24, 32, 48, 64, 96, 128, 192, 256, 384, 512, 768, 1024], dtype=float)
SCHEDULER_LIMIT = 1024.0
# Most of the time that prefill workers of their own may be busy.
BUSIEST = 0.9
# Pairs of row and plan weighed at a time: what stays in the processor's cache.
TOGETHER = 512


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
    pairs: list[tuple[int, Plan]] = []
    for row, c in enumerate(configurations):
        if c.plan is not None and c.concurrency is not None:
            continue
        try:
            options = [c.plan] if c.plan is not None else layouts(c)
        except InputError as error:
            reasons[row] = str(error)
            continue
        pairs += [(row, p) for p in options]
    for part in _parts(pairs):
        _take_best(configurations, form, theta, part, plans, concurrency, reasons)
    return plans, concurrency, reasons


def layouts(c: Configuration) -> list[Plan]:
    """What may be chosen for a configuration. With a load of its own prefill stays with decoding: plans are then told
    apart by the time per token, in which chips that only prefill do not count."""
    context = c.isl + c.osl
    if c.planned:
        return planned(c.model, c.chip, c.dtype, c.n_chips, context=context, apart=c.concurrency is None)
    return candidates(c.model, c.chip, c.dtype, c.n_chips, context=context)


def _parts(pairs: Sequence[tuple[int, Plan]]) -> Iterator[Sequence[tuple[int, Plan]]]:
    """`pairs` in runs of about `TOGETHER`, never dividing those of one row."""
    start = 0
    for at in range(1, len(pairs) + 1):
        ends = at == len(pairs) or pairs[at][0] != pairs[at - 1][0]
        if ends and (at == len(pairs) or at - start >= TOGETHER):
            yield pairs[start:at]
            start = at


def _take_best(
    configurations: Sequence[Configuration], form: Layout, theta: np.ndarray, pairs: Sequence[tuple[int, Plan]],
    plans: list[Plan | None], concurrency: np.ndarray, reasons: list[str],
) -> None:  # fmt: skip
    of_pair = np.array([row for row, _ in pairs])
    loads = [
        np.array([c.concurrency]) if (c := configurations[row]).concurrency is not None else BATCHES * plan.decode_chips
        for row, plan in pairs
    ]
    # A trial is a pair of row and plan with one of its loads.
    pair = np.repeat(np.arange(len(pairs)), [len(load) for load in loads])
    rows = of_pair[pair]
    some, place = np.unique(rows, return_inverse=True)
    # Work and load do not depend on the plan: gathered once a row, not once a trial.
    asked = [configurations[r] for r in some.tolist()]
    work = take(gather(asked), place)
    options = [plan for _, plan in pairs]
    once = case(asked, options, np.ones(len(pairs)), np.searchsorted(some, of_pair))
    cases = replace(take_cases(once, pair), concurrency=np.concatenate(loads))
    where = places(form, [altered(configurations[row], plan=plan) for row, plan in pairs])
    e = take_cases(efficiencies(theta, where, form), pair)
    work, e, cases = (_single(record) for record in (work, e, cases))
    score = _score(serve(work, e, cases), cases, configurations, rows, work)
    # Trials of a row stand together.
    start = np.searchsorted(rows, some)
    for row, first, end in zip(some, start, [*start[1:], len(rows)], strict=True):
        best = first + int(np.argmax(score[first:end]))
        if not np.isfinite(score[best]):
            c = configurations[row]
            reasons[row] = f"{c.model.name} in {c.dtype} does not fit the layout stated on {c.chip.name}"
            continue
        plans[row], concurrency[row] = options[pair[best]], cases.concurrency[best]


def _single(record: Any) -> Any:
    """A record of arrays in single precision: layouts are told apart in half the time, and differ by far more."""
    return altered(record, **{name: np.asarray(values, dtype=np.float32) for name, values in vars(record).items()})


def _score(
    served: Served, cases: Case, configurations: Sequence[Configuration], rows: np.ndarray, work: Work
) -> np.ndarray:
    """Larger is better: log tokens/s per chip where latency limits are kept; where they are missed less than any that
    keeps them, by the factor; -inf where memory does not hold it. `rows` [n]: which configuration a trial belongs to."""
    chips = cases.decode_chips
    asked = np.array([(c.n_chips or 0.0) if c.planned else np.nan for c in configurations])[rows]
    planner = ~np.isnan(asked)
    # A planner pays for chips that only prefill, and for those that a layout leaves idle.
    prefilling = np.where(
        planner & (cases.split > 0), cases.prefill_tp * cases.prefill_dp * cases.prefill_replicas, 0.0
    )
    rate = served.rate * cases.osl / np.fmax(asked, chips + prefilling)
    tpot_limit = np.array([c.tpot_limit or np.inf for c in configurations])[rows]
    ttft_limit = np.array([c.ttft_limit or np.inf for c in configurations])[rows]
    missed = np.maximum(served.tpot / tpot_limit, 1.0) * np.maximum(served.ttft / ttft_limit, 1.0)
    stated = np.array([c.concurrency is not None for c in configurations])[rows]
    held = np.minimum(served.limit, SCHEDULER_LIMIT * cases.dp) * cases.replicas >= cases.concurrency * 0.999
    late = np.where(missed > 1.0, 1e3 + 30.0 * np.log(missed), 0.0)
    score = np.where(stated, 1.0 / served.tpot, np.log(rate) - late)
    smallest = cases.concurrency <= chips
    # A queue for prefill that never empties is no plan.
    flows = ~planner | (cases.split == 0) | (served.busy < BUSIEST)
    usable = fits(work, cases) & flows & (stated | held | smallest) & (served.limit >= 1.0)
    return np.where(usable, score, -np.inf)
