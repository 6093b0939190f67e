"""Training: every layout a job could run, and the fastest that fits the memory.

Jobs that state the same degrees share a grid of candidates, so that many are searched at once. Jobs that are alike in
every number are searched once.
"""

import os
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import fields, replace
from functools import lru_cache
from itertools import product
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from chipweir.perf._training_work import (
    RECOMPUTE,
    TERMS,
    FloatArray,
    Layout,
    Terms,
    TrainingJob,
    features,
    memory,
    pipeline,
    step_seconds,
    take_terms,
    terms,
)


PIPELINES, TENSORS, CONTEXTS, EXPERTS, MICRO = (
    (1, 2, 4, 8, 16, 32),
    (1, 2, 4, 8),
    (1, 2, 4, 8),
    (1, 4, 8, 16, 32, 64),
    (1, 2, 4),
)
# Shorter sequences are not split over chips.
SHORTEST_SPLIT = 8192.0
STATED = ("tp", "pp", "cp", "ep", "micro_batch")
# Candidates weighed at a time: what stays in the processor's cache.
TOGETHER = 16384
# So many parts are worth threads.
FEW = 4
KEPT = np.array([kept for _, kept in RECOMPUTE])
REPEATED = np.array([repeated for repeated, _ in RECOMPUTE])


def choose(
    job: TrainingJob, theta: Mapping[str, float], t: Terms | None = None
) -> tuple[Layout, FloatArray, npt.NDArray[np.bool_]]:
    """The fastest layout that fits, [n] each: layout, bytes needed, whether it fits.

    Gradients and moments are in 16 bits where that is faster or nothing else fits. Where nothing fits, the layout that
    needs the least memory. dp = 0 in the layout: no layout has as many ranks as chips.
    """
    t = terms(job) if t is None else t
    asked = np.stack([getattr(job, name) for name in (*STATED, "virtual")])
    layout = np.zeros((len(fields(Layout)), len(job.chips)))
    needed, fits = np.zeros(len(job.chips)), np.zeros(len(job.chips), dtype=bool)
    parts = []
    for rows, grid in _groups(t, asked):
        step = max(TOGETHER // grid.shape[1], 1)
        parts += [(rows[start : start + step], grid) for start in range(0, len(rows), step)]

    def search(part: tuple[npt.NDArray[np.int_], FloatArray]) -> None:
        some, grid = part
        layout[:, some], needed[some], fits[some] = _search(take_terms(t, some), asked[:, some], grid, theta)

    if len(parts) < FEW:
        for part in parts:
            search(part)
    else:
        # NumPy lets go of the interpreter's lock; parts write to rows of their own.
        with ThreadPoolExecutor(min(os.cpu_count() or 1, 4)) as pool:
            list(pool.map(search, parts))
    return Layout(*layout), needed, fits


def codes(ids: Iterable[str]) -> tuple[list[str], npt.NDArray[np.int_]]:
    """The different names, in order of appearance, and the place of every name among them [n]."""
    places: dict[str, int] = {}
    code = np.array([places.setdefault(name, len(places)) for name in ids], dtype=int)
    return list(places), code


def distinct(t: Terms, job: TrainingJob) -> tuple[npt.NDArray[np.int_], npt.NDArray[np.int_]]:
    """Rows that differ in some number, and for every row the place of its like among them."""
    names = [getattr(t, name) for name in TERMS] + [getattr(job, name) for name in (*STATED, "virtual")]
    stack = np.broadcast_to(np.asarray(job.stack, dtype=object), len(job.chips))
    names += [codes(ids)[1].astype(float) for ids in (job.hardware.ecosystem, job.hardware.id, job.model.id, stack)]
    keys = np.ascontiguousarray(np.stack(names, axis=1) + 0.0)
    places: dict[bytes, int] = {}
    first: list[int] = []
    inverse = np.empty(len(keys), dtype=int)
    for row, key in enumerate(keys):
        text = key.tobytes()
        if text not in places:
            places[text] = len(first)
            first.append(row)
        inverse[row] = places[text]
    return np.array(first, dtype=int), inverse


def _groups(t: Terms, asked: FloatArray) -> list[tuple[npt.NDArray[np.int_], FloatArray]]:
    """Rows that share a grid of candidates: with or without experts, long or short sequences, the same degrees stated."""
    stated = ~np.isnan(asked[: len(STATED)])
    split = (t.seq_len >= SHORTEST_SPLIT) & ~stated[2]
    expert = (t.experts > 0) & ~stated[3]
    code = np.concatenate([stated, [split], [expert]]).T @ (1 << np.arange(len(STATED) + 2))
    return [
        (np.flatnonzero(code == one), _grid(tuple(bool(one >> k & 1) for k in range(len(STATED) + 2))))
        for one in np.unique(code)
    ]


@lru_cache(maxsize=256)
def _grid(flags: tuple[bool, ...]) -> FloatArray:
    """Candidates [6, c]: tp, pp, cp, ep, micro-batch, sharded; 1 stands for a degree that is stated."""
    *stated, split, expert = flags
    free = [TENSORS, PIPELINES, CONTEXTS if split else (1,), EXPERTS if expert else (1,), MICRO]
    axes = [(1,) if is_stated else axis for is_stated, axis in zip(stated, free, strict=True)]
    grid = np.array(list(product(*axes, (0.0, 1.0))), dtype=float).T
    # Weights are sharded over data-parallel ranks only where there is no pipeline; a stated pipeline is checked later.
    return grid if stated[1] else np.ascontiguousarray(grid[:, (grid[5] == 0) | (grid[1] == 1)])


def _candidates(t: Terms, asked: FloatArray, grid: FloatArray) -> tuple[Layout, npt.NDArray[np.bool_]]:
    """Layouts of u jobs (terms [u, 1]) and whether the numbers of chips, layers, experts and sequences allow them.

    Arrays that broadcast to [u, c]: what the rows state is [u, 1], what is tried [1, c].
    """
    tp, pp, cp, ep, micro = (
        column[None] if np.isnan(value).all() else value[:, None]
        for column, value in zip(grid[:5], asked[:5], strict=True)
    )
    dp = np.floor(t.chips / (tp * pp * cp) + 1e-9)
    possible = (dp >= 1) & (pp <= t.layers) & (dp * micro <= t.batch + 1e-9)
    possible = possible & (ep <= np.maximum(t.experts, 1.0)) & (ep <= dp * cp * tp) & ((grid[5] == 0) | (pp == 1))
    possible = possible & (np.isnan(t.sharded) | (grid[5] == t.sharded))
    wanted = asked[5][:, None]
    virtual = np.where(np.isnan(wanted), np.clip(np.floor(t.layers / pp / 2.0), 1.0, 5.0), wanted)
    dp, virtual = np.maximum(dp, 1.0), np.where(pp > 1, virtual, 1.0)
    return Layout(tp, pp, cp, ep, dp, micro, virtual, grid[5][None], np.zeros((1, 1))), possible


def _search(
    t: Terms, asked: FloatArray, grid: FloatArray, theta: Mapping[str, float]
) -> tuple[FloatArray, FloatArray, npt.NDArray[np.bool_]]:
    """`choose` for rows of one grid: layout [9, u], bytes [u], whether it fits [u]."""
    wide = Terms(*(getattr(t, name)[:, None] for name in TERMS))
    options, possible = _candidates(wide, asked, grid)
    rows = np.arange(len(t.chips))
    full, lean = (_recomputed(wide, options, possible, lean=lean) for lean in (False, True))
    tried = replace(options, recompute=REPEATED[full.level])
    seconds = np.where(full.fits, _seconds(wide, tried, theta), np.inf)
    pick, needed, level = np.argmin(seconds, axis=1), full.needed, full.level
    # A lean recipe that saves no recomputation is no other layout.
    other, column = np.nonzero(lean.fits & (~full.fits | (lean.level < full.level)))
    if len(other):
        best = _best_lean(t, _at(options, other, column), lean.level[other, column], other, theta)
        better = best.seconds < seconds[best.row, pick[best.row]]
        row, place = best.row[better], column[best.place[better]]
        pick[row] = place
        needed, level = needed.copy(), level.copy()
        needed[row, place], level[row, place] = lean.needed[row, place], lean.level[row, place]
    fits: npt.NDArray[np.bool_] = np.any(full.fits | lean.fits, axis=1)
    least = np.argmin(np.where(possible, lean.needed, np.inf), axis=1)
    pick = np.where(fits, pick, least)
    needed, level = (np.where(fits[:, None], a, b) for a, b in ((needed, lean.needed), (level, lean.level)))
    chosen = _at(options, rows, pick)
    dp = np.where(possible.any(axis=1), chosen.dp, 0.0)
    chosen = replace(chosen, dp=dp, recompute=REPEATED[level[rows, pick]])
    return np.stack([getattr(chosen, f.name) for f in fields(Layout)]), needed[rows, pick], fits


class _Recipe(NamedTuple):
    """Least recomputation that fits (place in `RECOMPUTE`, the last where none does), bytes then, whether it fits."""

    level: npt.NDArray[np.int_]
    needed: FloatArray
    fits: npt.NDArray[np.bool_]


class _Lean(NamedTuple):
    """Rows for which a lean recipe was tried, the best one's place in what was tried, and its seconds."""

    row: npt.NDArray[np.int_]
    place: npt.NDArray[np.int_]
    seconds: FloatArray


def _recomputed(t: Terms, options: Layout, possible: npt.NDArray[np.bool_], *, lean: bool) -> _Recipe:
    fixed, activations = memory(t, options, lean=lean)
    room = (t.usable - fixed) / activations
    level = sum((room < kept).astype(np.int8) for kept in KEPT[:-1])
    level = np.maximum(level, np.nan_to_num(t.recompute).astype(np.int8))
    return _Recipe(level, fixed + activations * KEPT[level], possible & (room >= KEPT[-1]))


def _seconds(t: Terms, layout: Layout, theta: Mapping[str, float]) -> Any:
    return step_seconds(features(t, layout), pipeline(t, layout), theta)


def _best_lean(
    t: Terms, tried: Layout, level: npt.NDArray[np.int_], row: npt.NDArray[np.int_], theta: Mapping[str, float]
) -> _Lean:
    """`row` [k] rises: the fastest of each row's candidates, the first of equals."""
    seconds = _seconds(take_terms(t, row), replace(tried, recompute=REPEATED[level]), theta)
    start = np.flatnonzero(np.diff(row, prepend=-1))
    least = np.minimum.reduceat(seconds, start)
    place = np.arange(len(row))
    place[seconds > np.repeat(least, np.diff(start, append=len(row)))] = len(row)
    return _Lean(row[start], np.minimum.reduceat(place, start), least)


def _at(layout: Layout, row: npt.NDArray[np.int_], column: npt.NDArray[np.int_]) -> Layout:
    """Candidates at (row, column), flattened."""

    def one(values: FloatArray) -> FloatArray:
        found: FloatArray = values[row if values.shape[0] > 1 else 0, column if values.shape[1] > 1 else 0]
        return np.broadcast_to(found, row.shape)

    return Layout(**{f.name: one(getattr(layout, f.name)) for f in fields(Layout)})
