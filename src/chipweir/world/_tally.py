"""Quantiles of more members than memory holds: members are counted against brackets that a first few of them set.

The order statistics of a pilot of members bracket each quantile to within a few of its standard errors. Of all members,
the pilot's too, it is then counted exactly how many lie below each bracket's edges, and how many on them. A quantile
lies between two neighbouring edges, and is interpolated there; how many members lie between them is known, so that the
error has a bound. Counts add up in any order, on any number of machines, to the same bits. (Sketches such as t-digest
or KLL take one series at a time, of which we have a quarter of a million, depend on chance or on the order, and know
their error only beforehand.)
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
import numpy.typing as npt


FloatArray = npt.NDArray[np.floating[Any]]
Counts = npt.NDArray[np.uint32]

# Members of the pilot, edges of a quantile's bracket, and the standard errors that it reaches to either side: of a hundred
# thousand quantiles one is expected outside, which then costs accuracy and is seen in the bound.
PILOT, EDGES, REACH = 1024, 13, 4.5


@dataclass(frozen=True)
class Tally:
    """Counts over members: `below` [edge, cell] under an edge and `upto` [edge, cell] under or on it, `known` [cell] that
    are no NaN; `least` and `most` [cell] of the known values."""

    below: Counts
    upto: Counts
    known: Counts
    least: FloatArray
    most: FloatArray

    def __add__(self, other: "Tally") -> "Tally":
        return Tally(
            self.below + other.below,
            self.upto + other.upto,
            self.known + other.known,
            np.fmin(self.least, other.least),
            np.fmax(self.most, other.most),
        )

    def arrays(self) -> dict[str, npt.NDArray[Any]]:
        """The fields by name."""
        return {field.name: getattr(self, field.name) for field in fields(self)}


def ranks(levels: Sequence[float], pilot: int) -> npt.NDArray[np.float64]:
    """Where in a sorted pilot the edges lie, from 0 to 1: `EDGES` for each of `levels`, in order and without repetition."""
    found: list[float] = []
    for level in levels:
        error = REACH * float(np.sqrt(level * (1 - level) / pilot))
        found += np.linspace(level - error, level + error, EDGES).tolist()
    return np.unique(np.clip(np.round(found, 4), 0.0, 1.0))


def edges_of(pilot: FloatArray, levels: Sequence[float]) -> FloatArray:
    """Edges `[edge, cell]`: members of a pilot `[member, cell]` at their ranks; NaN in cells where nothing is known."""
    ordered = np.sort(pilot, axis=0)  # missing values last
    known = np.count_nonzero(~np.isnan(ordered), axis=0)
    places = np.floor(ranks(levels, len(pilot))[:, None] * np.maximum(known - 1, 0)).astype(np.intp)
    edges: FloatArray = np.take_along_axis(ordered, places, 0)
    return edges


def tally(values: FloatArray, edges: FloatArray) -> Tally:
    """Count `values` [member, cell] against `edges` [edge, cell]."""
    ordered = np.ascontiguousarray(values.T)
    ordered.sort(axis=1)
    across = np.ascontiguousarray(edges.T)
    count, edge_count = across.shape
    below = np.empty((count, edge_count), np.uint32)
    upto = np.empty((count, edge_count), np.uint32)
    for row, marks, under, on in zip(ordered, across, below, upto, strict=True):
        under[:] = row.searchsorted(marks, "left")
        on[:] = row.searchsorted(marks, "right")
    known = np.count_nonzero(~np.isnan(ordered), axis=1)
    last = np.maximum(known - 1, 0)[:, None]
    most = np.take_along_axis(ordered, last, 1)[:, 0]
    return Tally(below.T.copy(), upto.T.copy(), known.astype(np.uint32), ordered[:, 0].copy(), most)


def quantiles_of(counted: Tally, edges: FloatArray, levels: Sequence[float]) -> tuple[FloatArray, FloatArray]:
    """Quantiles `[level, cell]` of everything counted, and the share of members between each one's two neighbouring edges
    `[level, cell]`: its rank is known to within that. NaN where nothing is known."""
    marks = np.concatenate([counted.least[None], edges, counted.most[None]]).astype(float)
    nothing = np.zeros_like(counted.known)[None]
    below = np.concatenate([nothing, counted.below, counted.known[None]]).astype(float)
    upto = np.concatenate([nothing, counted.upto, counted.known[None]]).astype(float)
    found, left_open = np.empty((2, len(levels), marks.shape[1]))
    for i, level in enumerate(levels):
        place = level * np.maximum(counted.known - 1.0, 0.0)
        # The last mark with no more than `place` members below it; the members upto `reached` lie on it or before it.
        at = np.clip(np.count_nonzero(below <= place, axis=0) - 1, 0, len(marks) - 2)[None]
        reached, start = _at(upto, at), _at(marks, at)
        room = np.maximum(_at(below, at + 1) - reached, 0.0)
        step = np.clip((place - reached + 1.0) / (room + 1.0), 0.0, 1.0)
        within = _between(start, _at(marks, at + 1), step)
        found[i] = np.where(place <= reached - 1.0, start, within)
        left_open[i] = np.where(place <= reached - 1.0, 0.0, room / np.maximum(counted.known, 1.0))
    unknown = (counted.known == 0) | np.isnan(edges).any(0)
    return np.where(unknown, np.nan, found), np.where(unknown, np.nan, left_open)


def _between(start: FloatArray, end: FloatArray, step: FloatArray) -> FloatArray:
    """A value part of the way between two marks: by ratio where both have one sign, since long tails are skewed."""
    level = start + (end - start) * step
    alike = start * end > 0
    ratio = np.where(alike, end / np.where(alike, start, 1.0), 1.0)
    return np.where(alike, start * ratio**step, level)


def _at(values: FloatArray, place: npt.NDArray[np.intp]) -> FloatArray:
    row: FloatArray = np.take_along_axis(values, place, 0)[0]
    return row
