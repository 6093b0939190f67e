"""Named model checks: what must hold for every lever at its minimum, default and maximum.

The table (`checks.csv`) is for people who do not program; each name has one small predicate here.
"""

import csv
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, Any

import numpy as np


if TYPE_CHECKING:
    from chipweir.facts import Facts
    from chipweir.world import Inputs, Scenario

Arrays = Mapping[str, Any]
MEMBERS = 4
_MAY_BE_MISSING = ("premium_black_market", "token_price_fall")


@dataclass(frozen=True)
class Check:
    """A row of the table: what must hold, where, and how closely."""

    check: str
    what: str
    where: str
    tolerance: float
    describe: str


@dataclass(frozen=True)
class Outcome:
    """A check over all settings: the worst violation, the setting that showed it, and whether it passed."""

    check: str
    what: str
    where: str
    tolerance: float
    worst: float
    setting: str
    settings: int
    passed: bool

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)


@cache
def checks() -> tuple[Check, ...]:
    """The table of checks."""
    text = (resources.files("chipweir.strategy") / "checks.csv").read_text(encoding="utf-8")
    return tuple(Check(**{**row, "tolerance": float(row["tolerance"])}) for row in csv.DictReader(text.splitlines()))  # type: ignore[arg-type]


def _gap(left: Any, right: Any, scale: Any) -> float:
    """Largest difference relative to the larger of `scale` and one."""
    return float(np.max(np.abs(left - right) / np.maximum(np.abs(scale), 1.0)))


def _finite(kept: Arrays, inputs: "Inputs") -> float:
    bad = 0.0
    for name, values in kept.items():
        known = np.asarray(values)
        wrong = np.isinf(known) if name in _MAY_BE_MISSING else ~np.isfinite(known)
        bad += float(wrong.sum())
    return bad


def _units(kept: Arrays, inputs: "Inputs") -> float:
    out = sum(kept[name] for name in ("sold_direct", "sold_smuggled", "sold_rented", "scrapped", "left"))
    source = kept["carried_in"] + kept["made"]
    return _gap(source, out, source)


def _dies(kept: Arrays, inputs: "Inputs") -> float:
    source = kept["dies_in"] + kept["dies_arrived"]
    return _gap(source, kept["dies_used"] + kept["dies_left"], source)


def _memory(kept: Arrays, inputs: "Inputs") -> float:
    source = kept["hbm_in"] + kept["hbm_arrived"]
    return _gap(source, kept["hbm_used"] + kept["hbm_left"], source)


def _capacity(kept: Arrays, inputs: "Inputs") -> float:
    sold = kept["sold_direct"] + kept["sold_smuggled"] + kept["sold_rented"]
    source = kept["carried_in"] + kept["made"]
    return float(np.max((sold - source) / np.maximum(source, 1.0)))


def _non_negative(kept: Arrays, inputs: "Inputs") -> float:
    names = (
        "made",
        "sold_direct",
        "sold_smuggled",
        "sold_rented",
        "seized",
        "scrapped",
        "left",
        "dies_left",
        "hbm_left",
    )
    return max(0.0, -min(float(np.min(kept[name])) for name in names))


def _quota(kept: Arrays, inputs: "Inputs") -> float:
    foreign = np.asarray(inputs.products.domestic) == 0
    by_rule = foreign & (np.asarray(inputs.months.case_by_case) == 0)
    limit = np.where(by_rule, np.asarray(inputs.months.quota), np.inf)
    return float(np.max((kept["china_direct"] - limit) / np.maximum(np.minimum(limit, 1e12), 1.0)))


def _slack(kept: Arrays, inputs: "Inputs") -> float:
    source = kept["carried_in"] + kept["made"]
    left = source - kept["sold_direct"] - kept["sold_smuggled"] - kept["sold_rented"]
    slack = (left > 0.1 * source) & (source > 1000.0)
    return float(np.max(np.where(slack, kept["premium"], 0.0)))


def _shares(kept: Arrays, inputs: "Inputs") -> float:
    names = ("domestic_share_units", "domestic_share_compute", "domestic_share_value", "nvidia_share", "ecosystem_share",
             "utilisation", "binding", "unmet_share")  # fmt: skip
    return max(float(np.max(np.maximum(-kept[name], kept[name] - 1))) for name in names)


def _largest(kept: Arrays, inputs: "Inputs") -> float:
    run = np.asarray(kept["largest_run"])
    return float(np.max((run[:, :-1] - run[:, 1:]) / run[:, :-1], initial=0.0))


_PREDICATES: Mapping[str, Callable[[Arrays, "Inputs"], float]] = {
    "finite": _finite,
    "units-balance": _units,
    "dies-balance": _dies,
    "memory-balance": _memory,
    "capacity": _capacity,
    "non-negative": _non_negative,
    "quota": _quota,
    "no-premium-in-slack": _slack,
    "shares": _shares,
    "monotone-largest-run": _largest,
}


def settings() -> Iterator[tuple[str, "Scenario"]]:
    """The baseline, and every lever at its minimum and maximum from 2027 on."""
    from chipweir.world import PRODUCT_CLASSES, levers, load_scenario

    base = load_scenario("baseline")
    yield "all levers at default", base
    for lever in levers().values():
        name = f"{lever.name}.{PRODUCT_CLASSES[0]}" if lever.by_product else lever.name
        for value in lever.extremes():
            label = f"{name}={value}"
            yield label, base.with_settings({name: {"2027-01": value}}, name=f"check-{len(label)}")


@cache
def _compiled() -> Callable[..., Any]:
    import jax
    import jax.numpy as jnp

    from chipweir.world import simulate
    from chipweir.world._outputs import ledger, member_outputs, monthly

    def keep(month: Any) -> dict[str, Any]:
        extra = {"premium": month.sold.premium, "china_direct": month.sold.to_china}
        shown = {name: value for name, value in monthly(month).items() if not name.startswith("flow")}
        return {**shown, **ledger(month), **extra}

    def member(inputs: Any, p: Any) -> Any:
        _, kept = simulate(inputs, p, save=keep)
        return member_outputs(kept, p, inputs.months, inputs.products)

    return jax.jit(lambda inputs, p: jax.vmap(member, in_axes=(None, 0))(inputs, jax.tree.map(jnp.asarray, p)))


def run_checks(
    facts: "Facts | None" = None,
    members: int = MEMBERS,
    seed: int = 0,
    progress: Callable[[float, str], None] | None = None,
    chosen: Sequence[str] | None = None,
) -> list[Outcome]:
    """Run every named check over every lever at minimum, maximum and default, a few members each."""
    from chipweir import facts as room
    from chipweir.world import assemble, draw

    known = room.load() if facts is None else facts
    drawn = draw(members, seed)
    cases = [case for case in settings() if chosen is None or case[0] in chosen]
    worst: dict[str, tuple[float, str]] = {}
    for done, (label, scenario) in enumerate(cases):
        if progress is not None:
            progress(done / len(cases), label)
        inputs = assemble(scenario, known)
        kept = {name: np.asarray(value) for name, value in _compiled()(inputs, drawn).items()}
        for name, predicate in _PREDICATES.items():
            value = predicate(kept, inputs)
            if name not in worst or value > worst[name][0]:
                worst[name] = (value, label)
    return [
        Outcome(c.check, c.what, c.where, c.tolerance, *worst[c.check], len(cases), worst[c.check][0] <= c.tolerance)
        for c in checks()
    ]
