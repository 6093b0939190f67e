"""The interactive ensemble: what a lever does not change is remembered, only the rest is simulated.

Levers of the page act from a month on. Until then a scenario is its preset, whose state at that month is kept for every
member; a move of a lever simulates only the months after it, in two batches side by side, and summarises only what the
page shows. The numbers are those of `world.run_ensemble` with the same members and seed.
"""

import os
import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache
from hashlib import blake2b
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from chipweir.app._engine import QUICK_MEMBERS, SEED, at_once
from chipweir.app._state import DEFAULT_START


if TYPE_CHECKING:
    import xarray as xr

    from chipweir.app._engine import Wait
    from chipweir.world import Inputs, Scenario

_FIRST, _LAST = "2022-01", "2032-12"
_CUT = int((np.datetime64(DEFAULT_START, "M") - np.datetime64(_FIRST, "M")).astype(int))
_MONTHS = int((np.datetime64(_LAST, "M") - np.datetime64(_FIRST, "M")).astype(int)) + 1
_REMEMBERED = 24
# What `derive` reads, and must have from the first month on.
_DERIVED_FROM = (
    "china_units", "china_h100e", "china_value", "china_nvidia_value", "compute", "largest_run", "token_price_fixed",
)  # fmt: skip
_DERIVED = (
    "ratio_to_us", "domestic_share_units", "domestic_share_compute", "domestic_share_value", "nvidia_share", "lag_months",
)  # fmt: skip
_MONTHLY = (
    "compute_by_origin", "compute", "smuggled_units", "premium_black_market", "largest_run", "token_price", "utilisation",
    "power_mw", "ecosystem_share", "maturity", "production_domestic", "binding", "korea_hbm_exports",
    "korea_hbm_exports_total", "korea_value_at_risk",
)  # fmt: skip
SHOWN = (*_MONTHLY, *_DERIVED)
# What the page shows of one scenario only; its differences would be half of the work.
_UNCOMPARED = frozenset(("ecosystem_share", "maturity", "utilisation", "binding"))

Arrays = dict[str, np.ndarray]


@dataclass(frozen=True)
class History:
    """The months before the cut: each batch's state and outputs so far (members last), and their quantiles."""

    states: tuple[Any, ...]
    needed: tuple[Mapping[str, Any], ...]
    flows: Arrays
    values: Arrays
    levels: Arrays


@dataclass(frozen=True)
class Course:
    """A scenario's course: its past, values by member `[member, month, ...]` from the cut on (derived ones from the first
    month on), quantiles `[level, month, ...]` of all months and flows summed over members."""

    past: History
    values: Arrays
    levels: Arrays
    flows: Arrays

    def whole(self, name: str) -> np.ndarray:
        """Values of all months."""
        tail = self.values[name]
        return tail if name in _DERIVED else np.concatenate([self.past.values[name], tail], axis=1)


@cache
def _compiled() -> tuple[Callable[..., Any], Callable[..., Any]]:
    """(months before the cut, months from it on), each over a batch of members."""
    import jax
    import jax.numpy as jnp

    from chipweir.world import simulate
    from chipweir.world._ensemble import FLOWS, compiler_options
    from chipweir.world._outputs import by_year, derive

    def flows(month: Any) -> dict[str, Any]:
        kept = by_year(month)
        return {name: kept[name] for name in FLOWS}

    def summed(years: Mapping[str, Any]) -> dict[str, Any]:
        return {name: flow.sum(-1) for name, flow in years.items()}

    def shown(kept: Mapping[str, Any], names: tuple[str, ...]) -> dict[str, Any]:
        return {name: jnp.moveaxis(kept[name], -1, 0).astype("float32") for name in names if name in kept}

    def members_last(p: Mapping[str, Any]) -> dict[str, Any]:
        return {name: jnp.moveaxis(values, 0, -1) for name, values in p.items()}

    def before(inputs: Any, p: Any) -> Any:
        state, (kept, years) = simulate(inputs, members_last(p), stop=_CUT, total=flows)
        return state, {name: kept[name] for name in _DERIVED_FROM}, shown(kept, _MONTHLY), summed(years)

    def after(inputs: Any, p: Any, state: Any, needed: Any) -> Any:
        p = members_last(p)
        _, (kept, years) = simulate(inputs, p, state, start=_CUT, total=flows)
        whole = {name: jnp.concatenate([needed[name], kept[name]]) for name in _DERIVED_FROM}
        derived = derive(whole, p, inputs.months, inputs.products)
        return shown(kept, _MONTHLY) | shown(derived, _DERIVED), summed(years)

    return jax.jit(before, compiler_options=compiler_options()), jax.jit(after, compiler_options=compiler_options())


class Live:
    """`Live()(first, second, members, wait)` simulates as `simulate_pair` does, and remembers what comes again."""

    def __init__(self, members: int = QUICK_MEMBERS) -> None:
        from chipweir import facts
        from chipweir.world import draw
        from chipweir.world._parameters import members_of

        self.members = members
        self._facts = facts.load()
        drawn, cores = draw(members, SEED), min(2, os.cpu_count() or 1)
        edges = np.linspace(0, members, cores + 1).astype(int)
        self._draws = [members_of(drawn, slice(a, b)) for a, b in pairwise(edges.tolist())]
        self._pool = ThreadPoolExecutor(cores)
        self._histories: OrderedDict[bytes, History] = OrderedDict()
        self._courses: OrderedDict[str, tuple[bytes, Course]] = OrderedDict()
        self._lock = threading.Lock()

    def __call__(self, first: "Scenario", second: "Scenario", members: int, wait: "Wait" = at_once) -> "xr.Dataset":
        """Both scenarios with the same draws; differences are to the first. `wait` holds the steps of a large one."""
        from chipweir.app._engine import simulate_pair

        if members != self.members or any((s.start, s.end) != (_FIRST, _LAST) for s in (first, second)):
            return simulate_pair(first, second, members, wait)
        with self._lock:
            pairs = [(s.name, *self._course(s)) for s in (first, second)]
        names = list(dict.fromkeys(name for name, _key, _course in pairs))
        same_past = pairs[0][1] == pairs[1][1]
        return self._dataset(names, [course for _name, _key, course in pairs][: len(names)], same_past)

    def _course(self, scenario: "Scenario") -> tuple[bytes, Course]:
        from chipweir.world import assemble, own_products

        if scenario.digest in self._courses:
            self._courses.move_to_end(scenario.digest)
            return self._courses[scenario.digest]
        inputs = assemble(scenario, self._facts, own_products(self._facts))
        key = _past(inputs)
        if key not in self._histories:
            self._histories[key] = self._history(inputs)
            _forget(self._histories)
        self._histories.move_to_end(key)
        found = key, self._future(inputs, self._histories[key])
        self._courses[scenario.digest] = found
        _forget(self._courses)
        return found

    def _history(self, inputs: "Inputs") -> History:
        from chipweir.world import with_nudges

        before, _after = _compiled()
        parts = list(self._pool.map(lambda p: before(inputs, with_nudges(p, inputs)), self._draws))
        values = _joined([part[2] for part in parts])
        return History(
            states=tuple(part[0] for part in parts),
            needed=tuple(part[1] for part in parts),
            flows=_summed([part[3] for part in parts]),
            values=values,
            levels=self._quantiles(values),
        )

    def _future(self, inputs: "Inputs", past: History) -> Course:
        from chipweir.world import with_nudges

        _before, after = _compiled()

        def run(draws: Any, state: Any, needed: Any) -> tuple[Arrays, Arrays]:
            return _fetched(after(inputs, with_nudges(draws, inputs), state, needed))

        parts = list(self._pool.map(run, self._draws, past.states, past.needed))
        tail = _joined([part[0] for part in parts])
        levels = {
            name: found if name in _DERIVED else np.concatenate([past.levels[name], found], axis=1)
            for name, found in self._quantiles(tail).items()
        }
        return Course(past, tail, levels, _summed([past.flows, *(part[1] for part in parts)]))

    def _quantiles(self, values: Arrays) -> Arrays:
        from chipweir.world import quantiles

        names = sorted(values, key=lambda name: -values[name].size)
        return dict(zip(names, self._pool.map(lambda name: quantiles(values[name]), names), strict=True))

    def _changes(self, base: Course, course: Course, same_past: bool) -> Arrays:
        """Quantiles of the differences within members; with the same past they are zero up to the cut."""
        names = [name for name in SHOWN if name in base.values and name not in _UNCOMPARED]
        if not same_past:
            return self._quantiles({name: course.whole(name) - base.whole(name) for name in names})
        after = {name: slice(_CUT, None) if name in _DERIVED else slice(None) for name in names}
        found = self._quantiles(
            {name: course.values[name][:, part] - base.values[name][:, part] for name, part in after.items()}
        )
        return {
            name: np.concatenate([np.where(np.isnan(base.levels[name][:, :_CUT]), np.nan, 0.0), change], axis=1)
            for name, change in found.items()
        }

    def _dataset(self, names: list[str], courses: list[Course], same_past: bool) -> "xr.Dataset":
        import xarray as xr

        from chipweir.world import QUANTILES, coordinates, mean_flows, variables

        months = np.arange(_FIRST, np.datetime64(_LAST, "M") + 1, dtype="datetime64[M]").astype("datetime64[ns]")
        table = {row["name"]: row for row in variables()}
        base = courses[0]
        shown = [name for name in SHOWN if name in base.values]
        changes = [self._changes(base, course, same_past) for course in courses[1:]]
        data: dict[str, Any] = {}
        for name in shown:
            row = table[name]
            dims = ("scenario", "quantile", "month", *row["dims"].split())
            attrs = {"units": row["unit"], "long_name": row["long_name"], "kind": row["kind"]}
            data[name] = (dims, np.stack([course.levels[name] for course in courses]), attrs)
            if name not in _UNCOMPARED:
                zero = np.where(np.isnan(base.levels[name]), np.nan, 0.0)
                data[f"delta_{name}"] = (dims, np.stack([zero, *(change[name] for change in changes)]), attrs)
        flow, channels = mean_flows([course.flows for course in courses], self.members, months)
        used = {dim for dims, _values, _attrs in data.values() for dim in dims}
        coords: dict[str, Any] = {
            "scenario": names,
            "quantile": list(QUANTILES),
            "month": months,
            **coordinates(),
            "channel": channels,
        }
        kept_coords = {dim: list(labels) for dim, labels in coords.items() if dim in used or dim in flow[0]}
        return xr.Dataset(
            {**data, "flow": flow}, kept_coords, {"members": self.members, "baseline": names[0], "seed": SEED}
        )


def _past(inputs: "Inputs") -> bytes:
    """A key of everything that shapes the months before the cut."""
    import jax

    digest = blake2b(digest_size=16)
    dated = (inputs.months, inputs.bands, inputs.lines, inputs.knots)
    for leaf in jax.tree.leaves(dated):
        digest.update(np.ascontiguousarray(leaf[:_CUT]).tobytes())
    for leaf in jax.tree.leaves((inputs.products, inputs.events, inputs.first_month)):
        digest.update(np.ascontiguousarray(leaf).tobytes())
    return digest.digest()


def _fetched(part: tuple[Mapping[str, Any], Mapping[str, Any]]) -> tuple[Arrays, Arrays]:
    return tuple({name: np.asarray(value) for name, value in half.items()} for half in part)  # type: ignore[return-value]


def _joined(parts: list[Mapping[str, Any]]) -> Arrays:
    return {name: np.concatenate([np.asarray(part[name]) for part in parts]) for name in parts[0]}


def _summed(parts: list[Mapping[str, Any]]) -> Arrays:
    return {name: np.sum([np.asarray(part[name]) for part in parts], axis=0) for name in parts[0]}


def _forget(remembered: OrderedDict[Any, Any]) -> None:
    while len(remembered) > _REMEMBERED:
        remembered.popitem(last=False)
