"""The interactive ensemble: what a lever does not change is remembered, only the rest is simulated.

Levers of the page act from a month on. Until then a scenario is its preset, whose state at that month is kept for every
member; a move of a lever simulates only the months after it, in batches of members side by side, and summarises only what
the page shows. The numbers are those of `world.run_ensemble` with the same members and seed.
"""

import os
import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache
from hashlib import blake2b
from typing import TYPE_CHECKING, Any

import numpy as np

from chipweir.app._engine import FIRST_MEMBERS, QUICK_MEMBERS, SEED, at_once, attributes
from chipweir.app._state import DEFAULT_START


if TYPE_CHECKING:
    import xarray as xr

    from chipweir.app._engine import Wait
    from chipweir.world import Inputs, Scenario

_FIRST, _LAST = "2022-01", "2032-12"
_CUT = int((np.datetime64(DEFAULT_START, "M") - np.datetime64(_FIRST, "M")).astype(int))
_MONTHS = int((np.datetime64(_LAST, "M") - np.datetime64(_FIRST, "M")).astype(int)) + 1
# How many of each kind of thing are remembered: a course of a hundred members takes some megabytes.
_REMEMBERED = {"inputs": 32, "past": 24, "tail": 96, "levels": 16, "course": 8}
# What `derive` reads, and must have from the first month on.
_DERIVED_FROM = (
    "china_units", "china_h100e", "china_value", "china_nvidia_value", "compute", "compute_by_law", "largest_run",
    "token_price_fixed",
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
# Of what the tiles and the findings tell, also the chance that it is higher than under the first scenario.
_SIGNED = (
    "compute", "ratio_to_us", "domestic_share_compute", "nvidia_share", "smuggled_units", "premium_black_market",
    "token_price", "lag_months", "korea_hbm_exports", "korea_hbm_exports_total", "china_units",
)  # fmt: skip

Arrays = dict[str, np.ndarray]


@dataclass(frozen=True)
class Past:
    """The months before the cut of one batch of members: its state at the cut and what later months need of these (members
    last), flows, and values `[member, month, ...]`."""

    state: Any
    needed: Mapping[str, Any]
    flows: Arrays
    values: Arrays


@dataclass(frozen=True)
class Course:
    """A scenario's course: quantiles `[level, month, ...]` of the months before the cut, values by member `[member, month,
    ...]` of those before and from it on (derived ones from the first month on), quantiles of all months and flows summed
    over members."""

    before: Arrays
    values: Arrays
    levels: Arrays
    flows: Arrays

    def whole(self, name: str) -> np.ndarray:
        """Values of all months."""
        tail = self.values[name]
        return tail if name in _DERIVED else np.concatenate([self.before[name], tail], axis=1)


@cache
def _compiled() -> tuple[Callable[..., Any], Callable[..., Any]]:
    """(months before the cut, months from it on), each over a batch of members."""
    import jax
    import jax.numpy as jnp

    from chipweir.world import FLOWS, by_year, compiler_options, derive, simulate

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
    """`Live()(first, second, members, wait)` simulates as `simulate_pair` does, and remembers what comes again.

    Members come in batches of one size, so that one compiled program serves a first look at few of them and the interactive
    ensemble, and the first batch is not simulated twice. Several threads may ask at once.
    """

    def __init__(self, batch: int = FIRST_MEMBERS, members: int = QUICK_MEMBERS) -> None:
        from chipweir import facts
        from chipweir.world import draw, members_of

        self.batch, self.members = batch, members
        self._facts = facts.load()
        drawn = draw(members, SEED)
        self._draws = [members_of(drawn, slice(start, start + batch)) for start in range(0, members, batch)]
        self._pool = ThreadPoolExecutor(min(2, os.cpu_count() or 1))
        self._remembered = _Once()

    def __call__(self, first: "Scenario", second: "Scenario", members: int, wait: "Wait" = at_once) -> "xr.Dataset":
        """Both scenarios with the same draws; differences are to the first. `wait` holds the steps of a large one."""
        from chipweir.app._engine import simulate_pair

        batches, odd = divmod(members, self.batch)
        usual = all((s.start, s.end) == (_FIRST, _LAST) for s in (first, second))
        if odd or members > self.members or not usual:
            return simulate_pair(first, second, members, wait)
        pairs = [(s.name, *self._course(s, batches, wait)) for s in (first, second)]
        names = list(dict.fromkeys(name for name, _key, _course in pairs))
        same_past = pairs[0][1] == pairs[1][1]
        return self._dataset(names, [course for _name, _key, course in pairs][: len(names)], same_past, members)

    def _course(self, scenario: "Scenario", batches: int, wait: "Wait") -> tuple[bytes, Course]:
        """The scenario's course with its first `batches` batches of members, and a key of its past."""
        inputs, past = self._remembered.get(("inputs", scenario.digest), lambda: self._assembled(scenario))
        wanted = ("course", scenario.digest, batches)
        return past, self._remembered.get(wanted, lambda: self._made(inputs, past, scenario.digest, batches, wait))

    def _assembled(self, scenario: "Scenario") -> tuple["Inputs", bytes]:
        from chipweir.world import assemble, own_products

        inputs = assemble(scenario, self._facts, own_products(self._facts))
        return inputs, _past(inputs)

    def _made(self, inputs: "Inputs", past: bytes, digest: str, batches: int, wait: "Wait") -> Course:
        def simulated(batch: int) -> tuple[Past, Arrays, Arrays]:
            wait()
            before = self._remembered.get(("past", past, batch), lambda: self._before(inputs, batch))
            return before, *self._remembered.get(("tail", digest, batch), lambda: self._after(inputs, batch, before))

        # A first look takes one core, so that two people's can be had at once; the rest is taken side by side.
        parts = list((self._pool.map if batches > 1 else map)(simulated, range(batches)))
        before = _joined([part[0].values for part in parts])
        early = self._remembered.get(("levels", past, batches), lambda: self._quantiles(before))
        values = _joined([part[1] for part in parts])
        levels = {
            name: found if name in _DERIVED else np.concatenate([early[name], found], axis=1)
            for name, found in self._quantiles(values).items()
        }
        flows = _summed([flows for part in parts for flows in (part[0].flows, part[2])])
        return Course(before, values, levels, flows)

    def _before(self, inputs: "Inputs", batch: int) -> Past:
        from chipweir.world import with_nudges

        before, _after = _compiled()
        state, needed, values, flows = before(inputs, with_nudges(self._draws[batch], inputs))
        return Past(state, needed, _summed([flows]), _joined([values]))

    def _after(self, inputs: "Inputs", batch: int, past: Past) -> tuple[Arrays, Arrays]:
        from chipweir.world import with_nudges

        _before, after = _compiled()
        return _fetched(after(inputs, with_nudges(self._draws[batch], inputs), past.state, past.needed))

    def _quantiles(self, values: Arrays) -> Arrays:
        from chipweir.world import quantiles

        members = len(next(iter(values.values())))
        names = sorted(values, key=lambda name: -values[name].size)
        side_by_side = map if members <= self.batch else self._pool.map
        return dict(zip(names, side_by_side(lambda name: quantiles(values[name]), names), strict=True))

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

    def _chances(self, base: Course, course: Course) -> Arrays:
        """The share of members in which a number is above the first scenario's; half where they are equal."""
        from chipweir.world import chance_of_rise

        names = [name for name in _SIGNED if name in base.values]
        return {name: chance_of_rise(course.whole(name), base.whole(name)) for name in names}

    def _dataset(self, names: list[str], courses: list[Course], same_past: bool, members: int) -> "xr.Dataset":
        import xarray as xr

        from chipweir.world import QUANTILES, coordinates, mean_flows, variables

        months = np.arange(_FIRST, np.datetime64(_LAST, "M") + 1, dtype="datetime64[M]").astype("datetime64[ns]")
        table = {row["name"]: row for row in variables()}
        base = courses[0]
        shown = [name for name in SHOWN if name in base.values]
        changes = [self._changes(base, course, same_past) for course in courses[1:]]
        chances = [self._chances(base, course) for course in courses[1:]]
        data: dict[str, Any] = {}
        for name in shown:
            row = table[name]
            dims = ("scenario", "quantile", "month", *row["dims"].split())
            attrs = {"units": row["unit"], "long_name": row["long_name"], "kind": row["kind"]}
            data[name] = (dims, np.stack([course.levels[name] for course in courses]), attrs)
            if name not in _UNCOMPARED:
                zero = np.where(np.isnan(base.levels[name]), np.nan, 0.0)
                data[f"delta_{name}"] = (dims, np.stack([zero, *(change[name] for change in changes)]), attrs)
        for name in (name for name in _SIGNED if name in base.values):
            dims = ("scenario", "month", *table[name]["dims"].split())
            rises = [chance[name] for chance in chances]
            even = np.where(np.isnan(base.levels[name][0]), np.nan, 0.5)
            data[f"p_greater_{name}"] = (dims, np.stack([even, *rises]), {"units": "1"})
        flow, channels = mean_flows([course.flows for course in courses], members, months)
        used = {dim for dims, _values, _attrs in data.values() for dim in dims}
        coords: dict[str, Any] = {
            "scenario": names,
            "quantile": list(QUANTILES),
            "month": months,
            **coordinates(),
            "channel": channels,
        }
        kept_coords = {dim: list(labels) for dim, labels in coords.items() if dim in used or dim in flow[0]}
        return xr.Dataset({**data, "flow": flow}, kept_coords, attributes(self._facts, names[0], members))


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


class _Once:
    """What was made, by key: so many of each kind, and each made once even where several threads ask for it."""

    def __init__(self) -> None:
        self._made: dict[str, OrderedDict[Any, Future[Any]]] = {}
        self._lock = threading.Lock()

    def get(self, key: tuple[Any, ...], make: Callable[[], Any]) -> Any:
        """The value, made now if it is not there; an error is not remembered."""
        with self._lock:
            kind = self._made.setdefault(key[0], OrderedDict())
            future = kind.get(key)
            mine = future is None
            if future is None:
                future = kind[key] = Future()
                while len(kind) > _REMEMBERED[key[0]]:
                    kind.popitem(last=False)
            kind.move_to_end(key)
        if mine:
            try:
                future.set_result(make())
            except BaseException as error:
                with self._lock:
                    kind.pop(key, None)
                future.set_exception(error)
                raise
        return future.result()
