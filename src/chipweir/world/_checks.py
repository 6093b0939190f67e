"""Named checks of the model over every lever at its least, its greatest and its default; `checks.csv` lists them.

Each check is a function from the accounts of an ensemble to violations, which are zero where all is well; the table
holds the statistic of them that counts and how large it may be.
"""

import csv
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, Any

import jax
import jax.numpy as jnp
import numpy as np
import numpy.typing as npt

from chipweir.world._assemble import assemble
from chipweir.world._levers import levers
from chipweir.world._outputs import ledger, member_outputs, monthly
from chipweir.world._parameters import draw
from chipweir.world._scenario import Scenario, load_scenario
from chipweir.world._simulate import simulate
from chipweir.world._step import Month


if TYPE_CHECKING:
    from chipweir.facts import Facts

FloatArray = npt.NDArray[np.float64]
Accounts = Mapping[str, FloatArray]

STATISTICS: Mapping[str, Callable[[FloatArray], float]] = {
    "largest": lambda values: float(np.max(values, initial=0.0)),
    "median": lambda values: float(np.median(values)),
    "99th percentile": lambda values: float(np.quantile(values, 0.99)),
}
_UNLIMITED = 1e11
_SHARES = ("domestic_share_units", "domestic_share_compute", "domestic_share_value", "nvidia_share", "maturity",
           "ecosystem_share", "binding")  # fmt: skip
# Not defined where nothing is smuggled, and in the first year of a fall over twelve months.
_UNDEFINED_AT_TIMES = {"premium_black_market", "token_price_fall"}


@dataclass(frozen=True)
class Check:
    """A row of `checks.csv`: what must hold, where, and how large the statistic of its violations may be."""

    name: str
    what: str
    where: str
    statistic: str
    tolerance: float
    unit: str
    korean: str


@dataclass(frozen=True)
class CheckResult:
    """A check with its statistic, and the setting and month of the largest violation, if there was any."""

    check: Check
    worst: float
    setting: str
    month: str
    passed: bool

    def as_dict(self) -> dict[str, Any]:
        """One flat record, for JSON and tables."""
        found = {"worst": self.worst, "setting": self.setting, "month": self.month, "passed": self.passed}
        return {**asdict(self.check), **found}


@cache
def checks() -> tuple[Check, ...]:
    """The table of checks."""
    text = (resources.files("chipweir.world") / "checks.csv").read_text(encoding="utf-8")
    rows = csv.DictReader(text.splitlines())
    return tuple(Check(**{**row, "tolerance": float(row["tolerance"])}) for row in rows)  # type: ignore[arg-type]


def settings() -> Iterator[tuple[str, Scenario]]:
    """The baseline, then the baseline with every lever at either end for the whole run."""
    baseline = load_scenario("baseline")
    yield "defaults", baseline
    for lever in levers().values():
        for end in lever.extremes():
            yield f"{lever.name} = {end}", baseline.with_settings({lever.name: end})


def run_checks(
    facts: "Facts", members: int = 16, seed: int = 1, progress: Callable[[float, str], None] | None = None
) -> list[CheckResult]:
    """Every check over every setting. A percentile is of all settings together, the largest names the one it stands in.

    Violations are those of `members` prior draws of all parameters.
    """
    parameters = draw(members, seed)
    met: dict[str, list[tuple[FloatArray, str, str]]] = {check.name: [] for check in checks()}
    todo = list(settings())
    by_default = np.zeros(members)
    for number, (name, scenario) in enumerate(todo):
        if progress is not None:
            progress(number / len(todo), name)
        accounts = _accounts(scenario, facts, parameters)
        if name == "defaults":
            by_default = accounts["china_units"][..., 0].sum(1)
        accounts |= {"legal_by_default": by_default, "is_no_quota": np.array(name == "us.quota = 0.0")}
        for check in checks():
            violations = np.abs(VIOLATIONS[check.name](accounts))
            kept = violations.max(keepdims=True) if check.statistic == "largest" else violations
            met[check.name].append((kept, name, _month_of_largest(violations, scenario)))
    return [_judge(check, met[check.name]) for check in checks()]


def _judge(check: Check, met: Sequence[tuple[FloatArray, str, str]]) -> CheckResult:
    value = STATISTICS[check.statistic](np.concatenate([violations.ravel() for violations, _, _ in met]))
    largest, setting, month = max(met, key=lambda entry: float(entry[0].max()))
    place = (setting, month) if largest.max() > 0 else ("", "")
    return CheckResult(check, value, *place, passed=value <= check.tolerance)


def _month_of_largest(violations: FloatArray, scenario: Scenario) -> str:
    if violations.ndim < 2:
        return ""
    return str(scenario.months[np.unravel_index(int(np.argmax(violations)), violations.shape)[1]])


@cache
def _compiled() -> Callable[..., Any]:
    def one(inputs: Any, p: Any) -> dict[str, Any]:
        _, kept = simulate(inputs, p, save=_audit)
        audit = kept.pop("audit")
        return {**member_outputs(kept, p, inputs.months, inputs.products), **audit}

    return jax.jit(jax.vmap(one, in_axes=(None, 0)))


def _audit(month: Month) -> dict[str, Any]:
    """A month's outputs and its accounts, with what the rules allowed."""
    m, products = month.m, month.products
    return {
        **monthly(month),
        "audit": {
            **ledger(month),
            "sold_china": month.sold.direct @ products.china * (1 - products.domestic),
            "quota": jnp.where(m.case_by_case > 0, jnp.inf, jnp.where(m.quota < _UNLIMITED, m.quota, jnp.inf)),
        },
    }


def _accounts(scenario: Scenario, facts: "Facts", parameters: Mapping[str, FloatArray]) -> dict[str, FloatArray]:
    kept = _compiled()(assemble(scenario, facts), parameters)
    return {name: np.asarray(value, dtype=float) for name, value in kept.items()}


def _balance(accounts: Accounts, into: tuple[str, ...], out: tuple[str, ...]) -> FloatArray:
    """What came in less what went out, as a share of what came in (of one unit where less came in)."""
    came = sum((accounts[name] for name in into), np.zeros(()))
    went = sum((accounts[name] for name in out), np.zeros(()))
    return np.asarray((came - went) / np.maximum(came, 1.0))


def _units(accounts: Accounts) -> FloatArray:
    return _balance(accounts, ("carried_in", "made"), (*_SOLD, "scrapped", "left"))


def _offered(accounts: Accounts) -> FloatArray:
    return np.maximum(-_balance(accounts, ("carried_in", "made"), _SOLD), 0.0)


def _quota(accounts: Accounts) -> FloatArray:
    quota = accounts["quota"]
    limited = np.isfinite(quota) & (quota > 0)
    return np.where(limited, np.maximum(accounts["sold_china"] - quota, 0) / np.where(limited, quota, 1.0), 0.0)


def _denied(accounts: Accounts) -> FloatArray:
    return np.where(accounts["quota"] == 0, accounts["sold_china"], 0.0)


def _seized(accounts: Accounts) -> FloatArray:
    shipped = accounts["sold_smuggled"]
    return np.maximum(accounts["seized"] - shipped, 0.0) / np.maximum(shipped, 1.0)


def _negative(accounts: Accounts) -> FloatArray:
    """The largest debt in any account, by member and month."""
    names = (
        *_SOLD,
        "carried_in",
        "made",
        "seized",
        "scrapped",
        "left",
        "dies_left",
        "dies_used",
        "hbm_left",
        "hbm_used",
    )
    return np.asarray(np.max([np.maximum(-_flat(accounts[name]), 0.0).max(-1) for name in names], axis=0))


def _outside_one(accounts: Accounts) -> FloatArray:
    beyond = [np.maximum(np.abs(_flat(accounts[name]) - 0.5) - 0.5, 0.0).max(-1) for name in _SHARES]
    return np.asarray(np.max(beyond, axis=0))


def _not_finite(accounts: Accounts) -> FloatArray:
    names = accounts.keys() - _UNDEFINED_AT_TIMES - {"quota", "legal_by_default", "is_no_quota"}
    flat = [_flat(accounts[name]) for name in sorted(names) if not name.startswith("flow_")]
    return np.asarray(np.sum([(~np.isfinite(values)).sum(-1) for values in flat], axis=0), dtype=float)


def _quota_raises(accounts: Accounts) -> FloatArray:
    """By member: how far a quota of nothing raises legal imports over the run; zero in every other setting."""
    if not accounts["is_no_quota"]:
        return np.zeros(1)
    foreign = accounts["china_units"][..., 0].sum(1)
    without = accounts["legal_by_default"]
    return np.asarray(np.maximum(foreign - without, 0.0) / np.maximum(without, 1.0))


def _flat(values: FloatArray) -> FloatArray:
    """`[member, month, everything else]`."""
    return values.reshape(*values.shape[:2], -1)


_SOLD = ("sold_direct", "sold_smuggled", "sold_rented")

VIOLATIONS: Mapping[str, Callable[[Accounts], FloatArray]] = {
    "units-balance": _units,
    "dies-balance": lambda a: _balance(a, ("dies_in", "dies_arrived"), ("dies_used", "dies_left")),
    "memory-balance": lambda a: _balance(a, ("hbm_in", "hbm_arrived"), ("hbm_used", "hbm_left")),
    "sold-was-offered": _offered,
    "quota-holds": _quota,
    "denied-is-none": _denied,
    "seized-was-smuggled": _seized,
    "nothing-negative": _negative,
    "shares-within-one": _outside_one,
    "all-finite": _not_finite,
    "unmet-mostly": lambda a: a["unmet_share"],
    "unmet-rarely": lambda a: a["unmet_share"],
    "quota-never-raises": _quota_raises,
}
