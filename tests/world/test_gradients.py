"""Automatic differentiation of outcomes by every parameter against central differences of the same simulation."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import cache
from typing import Any

import jax
import numpy as np
import pytest

from chipweir.world import Inputs, labels, parameters, simulate
from chipweir.world._outputs import member_outputs


Kept = Mapping[str, Any]
Point = dict[str, float]

AXIS = labels()
CHINA, USA = AXIS.regions.index("CHN"), AXIS.regions.index("USA")
AT = 107  # 2030-12
QUICK = ("belief_smic_n2", "belief_cowos", "die_bank", "choice_sensitivity", "route_capacity", "chip_life", "worth_domestic",
         "algorithmic_training", "largest_run_share", "token_elasticity", "korean_hbm_share", "pue")  # fmt: skip
# Steps as shares of the prior's range: a kink within the wide step leaves the narrow one.
STEPS = (1e-4, 1e-6)


def outcomes(kept: Kept) -> dict[str, Any]:
    """Quantities that move smoothly with parameters, all of them positive."""
    return {
        "compute of China": kept["compute"][..., AT, CHINA],
        "compute of the US": kept["compute"][..., AT, USA],
        "smuggled compute": kept["compute_by_origin"][..., AT, 2],
        "rented compute": kept["compute_by_origin"][..., AT, 3],
        "domestic compute": kept["compute_by_origin"][..., AT, 1],
        "token price": kept["token_price"][..., AT, CHINA],
        "token price abroad": kept["token_price"][..., AT, USA],
        "price at fixed quality": kept["token_price_fixed"][..., AT, USA],
        "tokens abroad": kept["tokens_served"][..., 47, USA],
        "largest run of China": kept["largest_run"][..., AT, CHINA],
        "largest run of the US": kept["largest_run"][..., AT, USA],
        "lag": kept["lag_months"][..., AT],
        "power of China": kept["power_mw"][..., AT, CHINA],
        "Korean HBM exports": kept["korea_hbm_exports_total"][..., AT],
        "Korean HBM to China": kept["korea_hbm_exports"][..., 30, 4],
        "Korean DRAM exports": kept["korea_dram_exports"][..., AT],
        "Korean value at risk": kept["korea_value_at_risk"][..., AT],
        "NVIDIA revenue": kept["nvidia_revenue"][..., 40],
        "NVIDIA China revenue": kept["nvidia_china_revenue"][..., 30],
        "legal chips late": kept["china_units"][..., 59, 0],
        "legal chips": kept["china_units"][..., 43, 0],
        "smuggled paid": kept["smuggled_value"][..., AT],
        "seized": kept["seized_units"][..., AT],
        "wafers of new fabs": kept["wafer_starts"][..., 70, AXIS.lines.index("huawei-fabs")],
        "domestic output": kept["production_domestic_h100e"][..., 40],
        "domestic output late": kept["production_domestic_h100e"][..., AT],
        "HBM stock": kept["hbm_stock"][..., 30],
        "die bank": kept["die_bank"][..., 40],
        "maturity of CANN": kept["maturity"][..., AT, AXIS.ecosystems.index("cann")],
    }


@cache
def at() -> Point:
    """A point in the middle of every prior but on none of the kinks that lie at the medians of beliefs."""
    rng = np.random.default_rng(8)
    return {name: float(p.at(np.array(rng.uniform(0.1, 0.6)))) for name, p in parameters().items()}


@pytest.fixture(scope="module")
def setting(inputs_of: Callable[[str], Inputs]) -> Inputs:
    """The baseline with stricter controls from 2028 on, so that their parameters have something to act on."""
    base = inputs_of("baseline")
    later = (np.asarray(base.months.index) >= 72) * 1.0
    months = replace(
        base.months,
        location=0.5 * later,
        equipment=1 + 0.5 * later,
        hub_enforcement=base.months.hub_enforcement + 0.5 * later[:, None],
        hub_licence=base.months.hub_licence + 0.3 * later[:, None] * (np.arange(len(AXIS.hubs)) < 3),
    )
    return replace(base, months=months)


@pytest.fixture(scope="module")
def by_autodiff(setting: Inputs) -> Callable[[str], dict[str, float]]:
    def outcome_of(p: Any) -> dict[str, Any]:
        _, kept = simulate(setting, p)
        return outcomes(member_outputs(kept, p, setting.months, setting.products))

    slope = jax.jit(lambda p, along: jax.jvp(outcome_of, (p,), (along,))[1])
    point = {name: np.asarray(value) for name, value in at().items()}

    def of(name: str) -> dict[str, float]:
        along = {other: np.asarray(float(other == name)) for other in point}
        return {key: float(value) for key, value in slope(point, along).items()}

    return of


def by_differences(
    run: Callable[..., Kept], inputs: Inputs, names: tuple[str, ...]
) -> tuple[dict[str, dict[str, list[float]]], dict[str, float]]:
    """Central differences at both steps, four simulations a parameter, sixteen members at a time; and the outcomes."""
    cases: list[tuple[str, float]] = []
    for name in names:
        width = parameters()[name].high - parameters()[name].low
        cases += [(name, sign * step * width) for step in STEPS for sign in (1, -1)]
    found: list[dict[str, np.ndarray]] = []
    for start in range(0, len(cases), 16):
        batch = cases[start : start + 16]
        batch += [batch[-1]] * (16 - len(batch))
        columns = {
            name: np.array([value + (move if name == changed else 0.0) for changed, move in batch])
            for name, value in at().items()
        }
        found.append(outcomes(run(inputs, columns)))
    values = {key: np.concatenate([part[key] for part in found]) for key in found[0]}
    slopes: dict[str, dict[str, list[float]]] = {}
    for i, name in enumerate(names):
        width = parameters()[name].high - parameters()[name].low
        slopes[name] = {
            key: [float(v[4 * i + 2 * j] - v[4 * i + 2 * j + 1]) / (2 * step * width) for j, step in enumerate(STEPS)]
            for key, v in values.items()
        }
    return slopes, {key: float(v[0]) for key, v in values.items()}


def compare(
    names: tuple[str, ...], by_autodiff: Callable[[str], dict[str, float]], run: Callable[..., Kept], inputs: Inputs
) -> tuple[list[object], list[str]]:
    """Slopes that disagree with both differences, and parameters that move no outcome."""
    slopes, values = by_differences(run, inputs, names)
    wrong: list[object] = []
    idle: list[str] = []
    for name in names:
        width = parameters()[name].high - parameters()[name].low
        exact = by_autodiff(name)
        effect = {key: slope * width / values[key] for key, slope in exact.items()}  # relative, over the prior's range
        if max(map(abs, effect.values())) < 1e-6:
            idle.append(name)
        for key, slope in exact.items():
            errors = [abs(slope - other) * width / abs(values[key]) for other in slopes[name][key]]
            if min(errors) > 1e-3 * abs(effect[key]) + 1e-6:
                wrong.append((name, key, slope, slopes[name][key]))
    return wrong, idle


@pytest.mark.timeout(900)
def test_autodiff_agrees_with_differences(
    by_autodiff: Callable[[str], dict[str, float]], run: Callable[..., Kept], setting: Inputs
) -> None:
    assert compare(QUICK, by_autodiff, run, setting) == ([], [])


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_autodiff_agrees_with_differences_for_every_parameter(
    by_autodiff: Callable[[str], dict[str, float]], run: Callable[..., Kept], setting: Inputs
) -> None:
    assert compare(tuple(parameters()), by_autodiff, run, setting) == ([], [])
