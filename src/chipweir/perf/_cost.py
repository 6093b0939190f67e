"""What a chip-hour and a token cost: owning, renting, dollars per million tokens, margin against list prices.

Owning: capital paid back over the chip's life at a cost of capital (annuity), power at the country's price with the
building's overhead, space and upkeep. Everything is per chip-hour; prices carry the facts they came from.
"""

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np

from chipweir.errors import InputError, UnknownName
from chipweir.perf._energy import PUE, facility_power, node_overhead


if TYPE_CHECKING:
    from chipweir.facts import Facts, Price

HOURS_A_YEAR = 8766.0
# USD/kWh (low, central, high) where the facts room has no price: the range of those it has, our prior.
DEFAULT_POWER_PRICE = (0.06, 0.10, 0.16)
# Server, network and installation for each dollar of accelerator: 8-GPU servers cost 1.2-1.5 times their eight
# accelerators' list price, clusters add 10-15 % for the network (DGX H100 at 270-400 k$ against 8 x 25-40 k$).
SERVER_FACTOR = 1.35
PRICE_LOG_SD = 0.25


@dataclass(frozen=True)
class Ownership:
    """Terms of owning: life in years, cost of capital and upkeep as shares of the price a year, space in USD/kW/month.

    Defaults: 5 years (Meta, Google and Microsoft write servers off over 5-6), 10 %, 3 %, 110 USD (wholesale colocation
    without power); our priors, `life_range` for the interval.
    """

    life_years: float = 5.0
    capital_cost: float = 0.10
    upkeep: float = 0.03
    space_usd_kw_month: float = 110.0
    utilisation: float = 1.0
    life_range: tuple[float, float] = (4.0, 6.0)


@dataclass(frozen=True)
class HourlyCost:
    """USD per chip-hour and its parts; `log_sd` the standard deviation of the total's logarithm."""

    total: float
    capital: float
    power: float
    space: float
    upkeep: float
    log_sd: float
    source: str


def annuity(rate: float, years: float) -> float:
    """Share of a loan paid back each year over `years` at `rate` a year.

    Raises `InputError` for a life of 0 or a negative rate.
    """
    if years <= 0 or rate < 0:
        raise InputError(f"life must be positive and the cost of capital at least 0, not {years} years at {rate}")
    return 1.0 / years if rate == 0 else rate / (1.0 - (1.0 + rate) ** -years)


def power_price(country: str) -> tuple[float, float, float]:
    """USD per kWh (low, central, high) for large users of a country (ISO code), by the facts; a wide default elsewhere."""
    from chipweir import facts

    return _power_prices(facts.load()).get(country.strip().upper(), DEFAULT_POWER_PRICE)


@lru_cache(maxsize=8)
def _power_prices(known: "Facts") -> dict[str, tuple[float, float, float]]:
    """Facts `electricity_price` by the ISO code of their country."""
    prices = {}
    for fact in known.select(measure="electricity_price"):
        central = float(fact.value.best or DEFAULT_POWER_PRICE[1])
        low, high = fact.value.low or 0.7 * central, fact.value.high or 1.4 * central
        prices[_country_of(fact.entity, known)] = (float(low), central, float(high))
    return prices


def _country_of(entity: str, known: "Facts") -> str:
    """The ISO code of an entity's country; one that is a country itself is told without making all entities."""
    try:
        return str(known.country(entity.replace("-", " ")).alpha2)
    except UnknownName:
        return str(known.entities[entity].country)


def owning_cost(
    price_usd: float,
    chip_w: float,
    tdp_w: float,
    *,
    country: str = "US",
    pue: float = PUE["air"],
    terms: Ownership | None = None,
    system_price: bool = False,
    price_log_sd: float = PRICE_LOG_SD,
    source: str = "",
) -> HourlyCost:
    """Cost of a chip-hour for one who owns the chip.

    `price_usd` of the chip, or its share of a whole system (`system_price`); `chip_w` mean power drawn, `tdp_w` design
    power, W.
    """
    terms = terms or Ownership()
    if not (price_usd > 0 and math.isfinite(price_usd)):
        raise InputError(f"price must be a positive number of dollars, not {price_usd}")
    if not 0 < terms.utilisation <= 1:
        raise InputError(f"utilisation must lie in (0, 1], not {terms.utilisation}")
    invested = price_usd * (1.0 if system_price else SERVER_FACTOR)
    capital = invested * annuity(terms.capital_cost, terms.life_years) / HOURS_A_YEAR
    upkeep = invested * terms.upkeep / HOURS_A_YEAR
    low, central, high = power_price(country)
    drawn_kw = float(facility_power(chip_w + node_overhead(tdp_w), pue)) / 1000.0
    built_kw = float(tdp_w + node_overhead(tdp_w)) / 1000.0
    power, space = drawn_kw * central, built_kw * terms.space_usd_kw_month * 12.0 / HOURS_A_YEAR
    total = (capital + upkeep + power + space) / terms.utilisation
    life_sd = math.log(terms.life_range[1] / terms.life_range[0]) / 2.5631
    share = (capital + upkeep) / (capital + upkeep + power + space)
    log_sd = math.hypot(share * math.hypot(price_log_sd, life_sd), (1 - share) * math.log(high / low) / 2.5631)
    return HourlyCost(total, capital, power, space, upkeep, log_sd, source)


def system_owning_cost(
    facts: "Facts",
    system_or_chip: str,
    chip_w: float | None = None,
    *,
    country: str = "US",
    terms: Ownership | None = None,
) -> HourlyCost:
    """Owning cost of a chip-hour from catalogued prices: of the system, else of the chip with its server.

    Raises `InputError` where neither has a price and `UnknownName` for an unknown name.
    """
    from chipweir.perf._hardware import hardware

    hw = hardware(system_or_chip, facts=facts)
    drawn = float(hw.tdp_w) if chip_w is None else chip_w
    if hw.system:
        system = facts.systems[hw.system]
        if system.price_usd is not None and math.isfinite(system.price_usd.best):
            low, high = system.price_usd.interval
            pue = PUE["liquid"] if "liquid" in system.cooling else PUE["air"]
            return owning_cost(
                system.price_usd.best / system.n_chips, drawn, float(hw.tdp_w), country=country, pue=pue, terms=terms,
                system_price=True, price_log_sd=_range_sd(low, high), source=system.price_usd.source,
            )  # fmt: skip
    chip = facts.chips[str(hw.id)]
    if chip.price_usd is None or not math.isfinite(chip.price_usd.best):
        raise InputError(f"no price is known for {chip.name}; give one with a price in dollars or rent it")
    low, high = chip.price_usd.interval
    return owning_cost(
        chip.price_usd.best, drawn, float(hw.tdp_w), country=country, terms=terms, price_log_sd=_range_sd(low, high),
        source=chip.price_usd.source,
    )  # fmt: skip


def _range_sd(low: float, high: float) -> float:
    return max(math.log(high / low) / 2.5631, 0.1) if high > low > 0 else PRICE_LOG_SD


def rental_price(facts: "Facts", chip: str, on: str | date | None = None, region: str = "") -> "Price":
    """The dated rental of a chip nearest before `on`, else after; a guess (confidence D) only where there is nothing else.

    Raises `UnknownName` where none is recorded.
    """
    wanted = facts.chip(chip)
    offers = [
        price for price in facts.prices.values()
        if price.kind in ("gpu_rental", "tco") and "rental" in price.metric.lower()
        and _same_chip(price, wanted.id, wanted.name)
        and price.holds_in(region)
    ]  # fmt: skip
    if not offers:
        names = sorted({p.item for p in facts.prices.values() if p.kind == "gpu_rental"})
        raise UnknownName("rental price for", wanted.name, names)
    day = _day(str(on)) if on else max(_day(p.since) for p in offers)

    def distance(price: "Price") -> tuple[bool, bool, int]:
        gap = (day - _day(price.since)).days
        return price.value.confidence == "D", gap < 0, abs(gap)

    return min(offers, key=distance)


def _same_chip(price: "Price", chip_id: str, name: str) -> bool:
    if price.item_id:
        return price.item_id == chip_id
    return price.item.lower() in name.lower()


def api_price(facts: "Facts", model: str, metric: str, on: str | date) -> "Price | None":
    """List price in USD per million tokens ("input", "output", "cached_input") in force on a day, or None.

    The maker's own list before those who resell it, a price with a date before one only read some day. A list in
    another currency is converted at the rate of the day where there is none in dollars.
    """
    day = _day(str(on))
    key = _plain(model)
    offers = [
        p for p in facts.prices.values()
        if p.kind == "api" and p.metric == metric and key in (_plain(p.item), _plain(p.item_id)) and _in_force(p, day)
    ]  # fmt: skip
    dollars = [p for p in offers if p.currency == "USD"]
    if not offers:
        return None
    record = facts.models.get(offers[0].item_id)

    def rank(price: "Price") -> tuple[bool, bool, date]:
        own = record is not None and price.provider_id == record.maker
        dated = re.match(r"\d{4}", price.valid_from) is not None
        return own, dated, _day(price.valid_from) if dated else date.min

    chosen = max(dollars or offers, key=rank)
    if chosen.currency == "USD":
        return chosen
    return chosen.model_copy(update={"value": facts.convert(chosen.value, chosen.currency, "USD", f"{day:%Y-%m}")})


def _in_force(price: "Price", day: date) -> bool:
    listed = re.match(r"\d{4}-?", price.valid_from) is None
    started = listed or _day(price.valid_from) <= day
    return started and (not price.valid_to or day < _day(price.valid_to))


def _plain(text: str) -> str:
    return re.sub(r"[^a-z0-9]", "", text.lower())


def _day(text: str) -> date:
    """A date as precise as `text` has one; the first of the month or year otherwise. Words around it are ignored."""
    match = re.search(r"(\d{4})(?:-(\d{2}))?(?:-(\d{2}))?", text)
    if match is None:
        raise InputError(f"no date in '{text}'; write one such as 2025-09-05")
    try:
        return date(int(match[1]), int(match[2] or 1), int(match[3] or 1))
    except ValueError as error:
        raise InputError(f"no such date as '{text}'") from error


@dataclass(frozen=True)
class TokenCost:
    """USD per million tokens, read and written, and of a mix of both; arrays or floats."""

    input: Any
    output: Any
    blended: Any


def token_cost(
    usd_per_chip_hour: Any, prefill_tok_s: Any, decode_tok_s: Any, *, input_share: float = 0.75, cache_hits: float = 0.0
) -> TokenCost:
    """Cost of tokens from what a chip does when it only reads (`prefill_tok_s`) or only writes (`decode_tok_s`).

    Tokens a second and chip. `input_share` of the mix is read; `cache_hits` of the input is found in a cache and costs
    no computation. A chip that does both pays for both in proportion to the time each takes.
    """
    if not 0 <= cache_hits <= 1 or not 0 <= input_share <= 1:
        raise InputError(f"shares must lie in [0, 1], not cache_hits={cache_hits}, input_share={input_share}")
    second = np.asarray(usd_per_chip_hour, dtype=float) / 3600.0
    read = second / np.maximum(prefill_tok_s, 1e-12) * 1e6 * (1.0 - cache_hits)
    write = second / np.maximum(decode_tok_s, 1e-12) * 1e6
    return TokenCost(read, write, input_share * read + (1.0 - input_share) * write)


def margin(price_input: float, price_output: float, cost: TokenCost, *, output_per_input: float) -> Any:
    """Share of revenue left after serving cost for requests with `output_per_input` output tokens per input token."""
    revenue = price_input + price_output * output_per_input
    spent = np.asarray(cost.input) + np.asarray(cost.output) * output_per_input
    if revenue <= 0:
        raise InputError("a margin needs a price above 0")
    return 1.0 - spent / revenue


def list_prices(
    facts: "Facts",
    model: str,
    day: str,
    cost: Mapping[str, float],
    *,
    input_per_output: float,
    beside: Sequence[str] = (),
) -> list[dict[str, Any]]:
    """Dated list prices of `model` on a day, USD per million tokens, with the margin they leave over `cost`; then those
    of the models `beside` it, with their output price relative to it.

    `cost`: {p10, p50, p90} USD of all that a million output tokens cost, prompts included; `input_per_output`: prompt
    tokens for each. Cached prompts are not counted. Raises `UnknownName` where no price is recorded.
    """
    rows: list[dict[str, Any]] = []
    for name in (model, *beside):
        writing, reading = (api_price(facts, name, metric, day) for metric in ("output", "input"))
        if writing is None:
            priced = sorted({p.item for p in facts.prices.values() if p.kind == "api"})
            raise UnknownName(f"list price on {day} of", name, priced)
        row: dict[str, Any] = {"model": writing.item, "provider": writing.provider_id or "", "since": writing.since,
                               "input": reading.value.best if reading else None, "output": writing.value.best,
                               "source": writing.value.source}  # fmt: skip
        if rows:
            row["times"] = row["output"] / rows[0]["output"]
        else:
            paid = row["output"] + input_per_output * (row["input"] or 0.0)
            ends = zip(("p10", "p50", "p90"), ("p90", "p50", "p10"), strict=True)
            row["margin"] = {low: 1.0 - cost[high] / paid for low, high in ends}
        rows.append(row)
    return rows


def run_cost(chip_hours: float, usd_per_chip_hour: float) -> float:
    """USD of a training run."""
    return chip_hours * usd_per_chip_hour


def cheapest(costs: Sequence[HourlyCost]) -> HourlyCost:
    """The cheapest of several ways to have a chip-hour."""
    if not costs:
        raise InputError("no costs to compare")
    return min(costs, key=lambda cost: cost.total)
