"""The sign of every mechanism that scenarios argue about, member by member on shared draws."""

from collections.abc import Callable, Mapping

import numpy as np
import pytest

from chipweir.world import labels
from chipweir.world._assemble import table


Kept = Mapping[str, np.ndarray]
Outcome = Callable[[str], Kept]
Months = Callable[[str], int]

NAMES = labels()
CHINA = NAMES.regions.index("CHN")
_CHINESE_LINES = {row["line"] for row in table("lines") if row["country"] == "CN"}
CHINESE = np.array([row["line"] in _CHINESE_LINES for row in table("products")])


def total(values: np.ndarray, months: Months, first: str, last: str) -> np.ndarray:
    return values[:, months(first) : months(last) + 1].sum(1)


def mean(values: np.ndarray, months: Months, first: str, last: str) -> np.ndarray:
    return np.nanmean(values[:, months(first) : months(last) + 1], axis=1)


def mostly(change: np.ndarray, least: float) -> bool:
    """Whether the change is positive in the median and in at least this share of members."""
    return bool(np.median(change) > 0 and np.mean(change > 0) >= least)


def sold_out(kept: Kept, months: Months, first: str, last: str) -> np.ndarray:
    """Members in which Chinese makers hold less than two months of output unsold: supply, not demand, binds them."""
    left, made = (
        kept[name][:, months(first) : months(last) + 1][..., CHINESE].sum((1, 2)) for name in ("left", "made")
    )
    return left < 2 * made


def h20(variant: Callable[..., Kept], month: str, status: str) -> Kept:
    return variant(("us.allowed_products.h20-class", month, status), ("china.import_stance.h20-class", month, "open"))


def test_legal_h20_in_2024_displaced_smuggled_chips(
    outcome: Outcome, variant: Callable[..., Kept], months: Months
) -> None:
    legal, banned = outcome("baseline"), variant(("us.allowed_products.h20-class", "2022-01", "denied"))
    period = (months, "2023-12", "2025-03")
    assert np.all(total(banned["smuggled_units"], *period) > total(legal["smuggled_units"], *period))
    premium = mean(banned["premium_black_market"], *period) - mean(legal["premium_black_market"], *period)
    assert mostly(premium, 0.6)


def test_legal_older_chips_displace_smuggled_ones_later_too(
    outcome: Outcome, variant: Callable[..., Kept], months: Months
) -> None:
    free, banned = h20(variant, "2026-12", "free"), h20(variant, "2026-12", "denied")
    period = (months, "2027-01", "2030-12")
    assert np.all(total(banned["smuggled_units"], *period) > total(free["smuggled_units"], *period))
    assert mostly(mean(banned["premium_black_market"] - free["premium_black_market"], *period), 0.6)
    more = mean(outcome("baseline")["premium_black_market"] - outcome("weir")["premium_black_market"], *period)
    assert mostly(more, 0.6)


def test_without_foreign_hbm_china_makes_less(outcome: Outcome, months: Months) -> None:
    for name in ("production_domestic", "production_domestic_h100e"):
        free, cut = (
            total(outcome(scenario)[name], months, "2027-01", "2030-12") for scenario in ("baseline", "hbm-cut")
        )
        assert np.all(cut < free)
    used = [
        total(outcome(scenario)["hbm_used_china"], months, "2027-01", "2030-12") for scenario in ("baseline", "hbm-cut")
    ]
    assert np.all(used[1] < used[0])


def test_a_glut_lowers_utilisation_and_the_price_of_tokens(outcome: Outcome, months: Months) -> None:
    for name in ("utilisation", "token_price"):
        base, glut = (
            mean(outcome(scenario)[name][..., CHINA], months, "2028-01", "2032-12") for scenario in ("baseline", "glut")
        )
        assert np.all(glut < base), name


def test_a_licence_on_two_hubs_moves_smuggling_to_the_others(outcome: Outcome, months: Months) -> None:
    base, licensed = outcome("baseline"), outcome("sea-licence")
    for h, hub in enumerate(NAMES.hubs):
        flow = total((licensed["smuggled_by_hub"] - base["smuggled_by_hub"])[..., h], months, "2027-01", "2030-12")
        route = (licensed["route"] - base["route"])[:, months("2028-12"), h]
        if hub in ("MYS", "THA"):
            assert np.all(flow < 0)
            assert np.all(route < 0)
        else:
            assert mostly(flow, 0.7)
            assert np.all(route > 0)
    whole = total(licensed["smuggled_units"] - base["smuggled_units"], months, "2027-01", "2030-12")
    assert np.all(whole < 0)  # substitution is not complete


def test_fewer_tools_slow_chinese_wafers_after_a_lag(
    variant: Callable[..., Kept], outcome: Outcome, months: Months
) -> None:
    strict, base = variant(("us.equipment_controls", "2026-12", 3)), outcome("baseline")
    for line in ("smic-n2", "smic-n3", "huawei-fabs"):
        change = (strict["wafer_starts"] / base["wafer_starts"])[..., NAMES.lines.index(line)]
        assert np.all(change[:, months("2027-03")] <= 1 + 1e-12)
        assert np.all(change[:, months("2030-12")] < 0.95)
        assert np.median(change[:, months("2030-12")]) < np.median(change[:, months("2027-03")])
    foreign = NAMES.lines.index("tsmc-n3")
    np.testing.assert_array_equal(strict["wafer_starts"][..., foreign], base["wafer_starts"][..., foreign])
    # Makers that cannot sell what they make lose nothing by making less of it, and where memory binds fewer dies of one
    # kind can leave it to better ones.
    period = (months, "2029-01", "2031-12")
    bound = sold_out(base, *period)
    assert bound.sum() >= 3
    made = total(strict["production_domestic_h100e"] - base["production_domestic_h100e"], *period)
    assert mostly(-made[bound], 0.8)


def test_compatible_chips_raise_domestic_adoption(
    variant: Callable[..., Kept], outcome: Outcome, months: Months
) -> None:
    compatible, base = variant(("technology.cuda_compatibility", "2026-12", 1)), outcome("baseline")
    for name in ("domestic_share_value", "domestic_share_compute"):
        assert mostly((compatible[name] - base[name])[:, months("2030-12")], 0.9)
    stock = (compatible["compute_by_origin"] - base["compute_by_origin"])[:, months("2030-12"), 1]
    assert mostly(stock, 0.9)


def test_location_verification_shrinks_the_smuggled_stock(
    variant: Callable[..., Kept], outcome: Outcome, months: Months
) -> None:
    verified = variant(("us.location_verification", "2026-12", 1))
    stock = (verified["compute_by_origin"] - outcome("baseline")["compute_by_origin"])[:, months("2029-12"), 2]
    assert np.all(stock < 0)


@pytest.mark.parametrize("lever", ["us.enforcement", "hubs.enforcement.MYS"])
def test_enforcement_lowers_smuggling(variant: Callable[..., Kept], months: Months, lever: str) -> None:
    weak, strong = variant((lever, "2026-12", 0)), variant((lever, "2026-12", 3))
    flow = strong["smuggled_units"] - weak["smuggled_units"]
    assert mostly(-total(flow, months, "2027-01", "2030-12"), 0.9)


def test_barring_remote_use_lowers_rented_compute(
    variant: Callable[..., Kept], outcome: Outcome, months: Months
) -> None:
    barred = variant(("us.rental_control", "2026-12", 1))
    rented = (barred["compute_by_origin"] - outcome("baseline")["compute_by_origin"])[:, months("2029-12"), 3]
    assert np.all(rented < 0)


def test_everything_flowing_gives_china_more_compute_and_a_shorter_lag(outcome: Outcome, months: Months) -> None:
    free, shut = outcome("open"), outcome("blockade")
    at = months("2030-12")
    assert np.all(free["compute"][:, at, CHINA] > shut["compute"][:, at, CHINA])
    assert mostly((shut["lag_months"] - free["lag_months"])[:, at], 0.9)
    assert mostly((free["nvidia_china_revenue"] - shut["nvidia_china_revenue"])[:, at], 1.0)


def test_yield_capacity_and_memory_are_worth_more_chips(variant: Callable[..., Kept], months: Months) -> None:
    period = (months, "2027-06", "2031-12")
    for lever in ("technology.smic_yield", "technology.hbm_domestic", "china.capacity_investment"):
        low, high = variant((lever, "2026-12", 0.6)), variant((lever, "2026-12", 1.4))
        # Makers that cannot sell what they make gain nothing by making more of it.
        bound = sold_out(low, *period) & sold_out(high, *period)
        assert bound.sum() >= 3, lever
        more = total(high["production_domestic_h100e"] - low["production_domestic_h100e"], *period)
        assert mostly(more[bound], 0.8), (lever, more, bound)
        if lever != "technology.hbm_domestic":
            assert np.all(total((high["dies_arrived"] - low["dies_arrived"]).sum(-1), *period) > 0)
        else:
            assert np.all(total(high["hbm_used_china"] - low["hbm_used_china"], *period) > 0)
