"""Choosing what is left open: layout and concurrency that give the most throughput within limits of memory and
latency."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
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
from chipweir.perf._serving import Case, Efficiency, Served, fits, serve
from chipweir.perf._serving import take as take_cases


# Sequences per chip worth trying when the load is open, and the most one scheduler is run with.
BATCHES = np.array([1, 2, 4, 8, 16, 24, 32, 48, 64, 96, 128, 192, 256, 384, 512, 768, 1024], dtype=float)
SCHEDULER_LIMIT = 1024.0
# Places of the loads at which every layout is weighed; others follow where the best may lie. What more requests may bring
# beyond proportion (single precision, waits that shrink), in ln.
COARSE = np.array([0, 3, 6, 9, 12, 14, 16])
SLACK = 0.1
# Most of the time that prefill workers of their own may be busy.
BUSIEST = 0.9
# Pairs of row and plan weighed at a time: what stays in the processor's cache.
TOGETHER = 1024


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
    field = _field(configurations, form, theta, pairs)
    stated = np.array([np.nan if c.concurrency is None else c.concurrency for c in field.asked])[field.row]
    told, free = np.flatnonzero(np.isfinite(stated)), np.flatnonzero(np.isnan(stated))
    # A trial is a pair of row and plan with one of its loads: first the stated ones and a few of each open pair.
    pair = np.concatenate([told, np.repeat(free, len(COARSE))])
    load = np.concatenate([stated[told], (BATCHES[COARSE] * field.chips[free][:, None]).ravel()])
    score = field.score(pair, load)
    if len(free):
        found = score[len(told) :].reshape(len(free), len(COARSE))
        near, batch = _near(found, field.row[free])
        if len(near):
            near_load = batch * field.chips[free[near]]
            score = np.concatenate([score, field.score(free[near], near_load)])
            pair, load = np.concatenate([pair, free[near]]), np.concatenate([load, near_load])
    # The best of each row: rows in order, within them the largest score, the first of equals.
    order = np.lexsort((pair, -score, field.row[pair]))
    firsts = order[np.searchsorted(field.row[pair][order], np.arange(len(field.asked)))]
    for row, c, best in zip(field.rows.tolist(), field.asked, firsts.tolist(), strict=True):
        if np.isfinite(score[best]):
            plans[row], concurrency[row] = pairs[pair[best]][1], load[best]
        else:
            reasons[row] = f"{c.model.name} in {c.dtype} does not fit the layout stated on {c.chip.name}"


def _near(score: np.ndarray, row: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Which of n pairs of rows `row` [n] to weigh at more loads, and sequences per chip of each such trial, by their
    scores [n, k] at the loads `COARSE`: those between the neighbours of a pair's best one.

    More requests never raise the rate beyond proportion, so a pair that would stay behind the best of its row even then
    is left out.
    """
    best = np.argmax(score, axis=1)
    top = score[np.arange(len(score)), best]
    leader = np.full(int(row.max()) + 1, -np.inf)
    np.maximum.at(leader, row, top)
    pairs, batches = [], []
    for k in range(len(COARSE)):
        low, high = COARSE[max(k - 1, 0)], COARSE[min(k + 1, len(COARSE) - 1)]
        between = np.array([i for i in range(low + 1, high) if i != COARSE[k]], dtype=int)
        if not len(between):
            continue
        most = max(np.log(BATCHES[between].max() / BATCHES[COARSE[k]]), 0.0) + SLACK
        kept = np.flatnonzero((best == k) & np.isfinite(top) & (top + most >= leader[row]))
        pairs.append(np.repeat(kept, len(between)))
        batches.append(np.tile(BATCHES[between], len(kept)))
    return (np.concatenate(pairs), np.concatenate(batches)) if pairs else (np.array([], dtype=int), np.array([]))


@dataclass(frozen=True)
class _Field:
    """Pairs of row and plan with all that their trials share. `asked`: configurations, `rows`: their numbers; `row`,
    `chips`, `stage` [p]: place of each pair among them, chips that decode, and place in `e`; `once`: its case."""

    asked: list[Configuration]
    rows: np.ndarray
    row: np.ndarray
    chips: np.ndarray
    stage: np.ndarray
    work: Work
    once: Case
    e: Efficiency

    def score(self, pair: np.ndarray, load: np.ndarray) -> np.ndarray:
        """How good trials [n] of these pairs at these loads are; larger is better (`_score`)."""
        rows = self.row[pair]
        work, e = take(self.work, rows), take_cases(self.e, self.stage[pair])
        cases = replace(take_cases(self.once, pair), concurrency=np.asarray(load, dtype=np.float32))
        return _score(serve(work, e, cases), cases, self.asked, rows, work)


def _field(
    configurations: Sequence[Configuration], form: Layout, theta: np.ndarray, pairs: Sequence[tuple[int, Plan]]
) -> _Field:
    rows, row = np.unique(np.array([row for row, _ in pairs]), return_inverse=True)
    asked = [configurations[r] for r in rows.tolist()]
    options = [plan for _, plan in pairs]
    # Of a plan efficiencies know only whether prefill stands apart.
    stages: dict[tuple[int, bool, bool], int] = {}
    firsts: list[Configuration] = []
    stage = []
    for at, plan in zip(row.tolist(), options, strict=True):
        place = stages.setdefault((at, plan.split, plan.counted), len(stages))
        if place == len(firsts):
            firsts.append(altered(asked[at], plan=plan))
        stage.append(place)
    once = case(asked, options, np.ones(len(pairs)), row)
    e = efficiencies(theta, places(form, firsts), form)
    return _Field(
        asked, rows, row, once.decode_chips, np.array(stage), _single(gather(asked)), _single(once), _single(e)
    )


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
