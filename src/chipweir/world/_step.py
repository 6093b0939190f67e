"""One month of the world, as a sequence of small pure functions on the state.

Order of a step (`simulate` runs it for every month):

1. `supply_month`: wafers, dies, HBM and packaging become packages; Chinese capacity grows (`chipweir.supply`).
2. `market_month`: budgets, choice, clearing; units by channel (`chipweir.market`).
3. `stock_month`: installed, smuggled and rented stocks, unsold units, routes and offshore capacity.
4. `software_month`: maturity of the ecosystems.
5. `token_month`: inference capacity against token demand; markup and load.
6. `frontier_month`: the largest training run.

No Python loop runs over members, months or products.
"""

from dataclasses import replace
from typing import NamedTuple

import jax.numpy as jnp
from jax import Array

from chipweir import market, supply
from chipweir.world._state import Months, Products, State


Parameters = dict[str, Array]

SWEEPS = 8
HOURS_PER_MONTH = 730.5
SECONDS_PER_DAY = 86400.0
# Share of the stock of Chinese HBM that can be drawn in a month (assembly works from several sites' stores).
_HBM_DRAW = 0.35
# Months of fresh dies in stock at which a designer halves its wafer starts.
_DIE_STOCK_MONTHS = 24.0
# Months of output unsold at which a maker halves it.
_UNSOLD_MONTHS = 6.0
# Weight of the newest month in smoothed signals.
_SMOOTHING = 0.15
# Share of unsold output at which makers see a glut.
_OVERSTOCK_MONTHS = 3.0
# Log points that a full sovereign preference adds to Korean chips at home: more than the gap in value for money.
_SOVEREIGN_PULL = 3.0


class Beliefs(NamedTuple):
    """The dated beliefs of one member in one month."""

    lines: Array  # [F] wafers a month planned
    growth: Array  # [F] wafers a month added since the month before
    cowos: Array
    other_packaging: Array
    china_packaging: Array
    world_hbm: Array
    china_hbm_import: Array
    china_hbm_domestic: Array
    budget_world: Array
    budget_china: Array
    share_training: Array
    share_edge: Array
    tokens_china: Array
    tokens_world: Array
    dram_exports: Array


class Supplied(NamedTuple):
    """What supply made this month."""

    made: Array  # [K]
    binding: Array  # [3, K]
    dies: Array  # [D]
    hbm: Array  # []
    hbm_used: Array  # []
    hbm_arrived: Array  # []
    hbm_imported: Array  # []
    dies_arrived: Array  # [D]
    dies_used: Array  # [D]
    capacity: Array  # [F]
    cumulative: Array  # [F]


class Sold(NamedTuple):
    """Sales of the month by channel, in units, and the premia behind them."""

    direct: Array  # [R, K]
    to_china: Array  # [K] of these, to China
    smuggled: Array  # [K, H] as shipped
    rented: Array  # [K, H]
    shipped: Array  # [K] smuggled through all hubs
    hosted: Array  # [K] rented in all hubs
    premium: Array  # [K] log points
    route_rent: Array  # [H] log points
    route_cost: Array  # [H]
    spent: Array  # [R] USD
    price: Array  # [K] list, USD
    unmet: Array  # []
    carried: Array  # [R, W]


def _grow_capacity(state: State, p: Parameters, m: Months, b: Beliefs, products: Products) -> Array:
    """Wafer capacity: as planned until the cut-off; after it Chinese growth is realised, controlled and induced."""
    control = jnp.clip(1 - p["equipment_effect"] * (m.equipment - 1), 0.02, 2.0)
    induced = 1 + p["induced_innovation"] * state.scarcity
    factor = p["capacity_realisation"] * m.capacity_investment * control * induced
    chinese = products.chinese_line * (1 - m.past)
    return jnp.maximum(state.capacity + b.growth * (1 - chinese + chinese * factor), 1.0)


def _sellable(state: State, p: Parameters, m: Months, products: Products) -> Array:
    """Sellable share of the dies of each product [K] at today's defect density."""
    chinese = products.chinese_line
    density = supply.defect_density(
        products.defect_initial,
        products.defect_floor,
        state.cumulative_wafers * (1 + chinese * p["induced_innovation"] * state.scarcity),
        products.learning_wafers,
        1 + chinese * (p["learning_exponent"] - 1),
    )
    density = density * (1 + chinese * (p["defect_density_scale"] - 1))
    area = products.area @ products.die_of
    good = supply.good_die_fraction(area, density @ products.line_of, p["defect_clustering"])
    lever = 1 + (chinese @ products.line_of) * (m.yield_lever - 1)
    salvage = (products.salvage @ products.die_of) * p["salvage_scale"]
    return jnp.clip(supply.sellable_fraction(good, salvage) * lever, 0.0, 0.97)


def product_mix(state: State, m: Months, products: Products) -> Array:
    """Every product's share of its maker's resource [K], shifted by the tilt and normalised within the maker."""
    weight = m.mix * jnp.exp(state.tilt)
    total = products.maker_of @ weight
    planned = products.maker_of @ m.mix
    return weight * ((planned / jnp.maximum(total, 1e-12)) @ products.maker_of)


def supply_month(state: State, p: Parameters, m: Months, b: Beliefs, products: Products) -> Supplied:
    """Wafers x yield x dies, die bank, HBM and packaging; the smooth minimum makes packages.

    Foundries start wafers for foreign products only against packaging slots; Chinese lines start them first, and dies
    that find no memory or packaging wait in stock.
    """
    capacity = _grow_capacity(state, p, m, b, products)
    cumulative = state.cumulative_wafers + capacity
    fraction = _sellable(state, p, m, products)
    share = product_mix(state, m, products)
    domestic, gross = products.domestic, products.gross @ products.die_of
    ai_scale = 1 + products.chinese_line * (p["china_ai_wafer_share"] - 1)
    ai_wafers = capacity * jnp.clip(m.ai_share * ai_scale, 0.0, 0.9)

    line_share = share * domestic
    wafers = line_share * ((ai_wafers / jnp.maximum(products.line_of @ line_share, 1e-12)) @ products.line_of)
    fresh = products.die_of @ (wafers * gross * fraction)
    brake = 1 / (1 + state.dies / jnp.maximum(_DIE_STOCK_MONTHS * fresh, 1.0))
    arrived = fresh * brake + m.bank_inflow * p["die_bank"] * 1e6
    offered = arrived + p["die_bank_release"] * state.dies
    die_share = line_share / jnp.maximum((products.die_of @ line_share) @ products.die_of, 1e-12)
    from_dies = (offered @ products.die_of) * die_share / products.dies_per_package

    cowos = b.cowos * 1e3 * p["packaging_realisation"] * products.per_wafer
    boards = b.other_packaging * 1e3
    slots = products.packaging_of[0] * cowos + products.packaging_of[1] * boards
    plan = domestic * from_dies + (1 - domestic) * share * slots
    plan = plan / (1 + (state.inventory / jnp.maximum(_UNSOLD_MONTHS * plan, 1.0)) ** 4)

    need_wafers = (1 - domestic) * plan * products.dies_per_package / jnp.maximum(gross * fraction, 1e-9)
    logic = jnp.where(domestic > 0, 1.0, supply.pool_ratio(ai_wafers, need_wafers, products.line_of))
    imported = b.china_hbm_import * 1e6 * _hbm_gate(p, m)
    grown = b.china_hbm_domestic * 1e6 * m.hbm_domestic
    hbm_pools = jnp.stack([b.world_hbm * 1e6, imported + grown + _HBM_DRAW * state.hbm])
    # Chinese makers put scarce stacks on the chips that give most compute for each.
    worth_of_stack = products.h100e / jnp.maximum(products.stacks, 1.0)
    preference = jnp.where(products.memory_of[1] > 0, worth_of_stack, 1.0)
    memory = supply.pool_ratio(hbm_pools, plan * products.stacks, products.memory_of, preference)
    chinese_slots = jnp.stack([1e15 * jnp.ones(()), 1e15 * jnp.ones(()), b.china_packaging * 1e3])
    packaging = jnp.where(
        products.packaging_of[2] > 0, supply.pool_ratio(chinese_slots, plan, products.packaging_of), 1.0
    )
    output = supply.produce(plan, logic, memory, packaging)
    used = products.die_of @ (output.packages * domestic * products.dies_per_package)
    hbm_used = products.memory_of[1] @ (output.packages * products.stacks)
    chinese_die = jnp.clip(products.die_of @ domestic, 0, 1)
    return Supplied(
        made=output.packages,
        binding=output.binding,
        dies=(state.dies + arrived - used) * chinese_die,
        hbm=state.hbm + imported + grown - hbm_used,
        hbm_used=hbm_used,
        hbm_arrived=imported + grown,
        hbm_imported=imported,
        dies_arrived=arrived * chinese_die,
        dies_used=used,
        capacity=capacity,
        cumulative=cumulative,
    )


def _hbm_gate(p: Parameters, m: Months) -> Array:
    """Share of would-be HBM imports that reach China: legal while uncontrolled, leakage under control."""
    legal = jnp.clip(1 - m.hbm_control, 0.0, 1.0) * m.korea_hbm
    leak = p["hbm_leakage"] * jnp.exp(-jnp.maximum(m.hbm_control - 1, 0.0))
    return jnp.clip(legal + leak * jnp.clip(m.hbm_control, 0.0, 1.0), 0.0, 1.0)


def maturity_of_products(state: State, p: Parameters, m: Months, products: Products) -> Array:
    """Software efficiency of every product [K]: its own stack's, or CUDA's by the share it inherits."""
    own = state.maturity @ products.ecosystem_of
    cuda = state.maturity[0]
    inherits = jnp.clip(products.inherits_cuda + products.domestic * m.compatibility, 0, 1) * p["cuda_inheritance"]
    native = products.ecosystem_of[0]
    return jnp.where(native > 0, own, own + inherits * jnp.maximum(cuda - own, 0.0))


def _realised(p: Parameters, products: Products) -> Array:
    """Share of their estimated worth that products realise [K]: what the performance room may have missed of a maker."""
    other = (1 - products.domestic) * (1 - products.nvidia)
    return 1 + products.domestic * (p["worth_domestic"] - 1) + other * (p["worth_other"] - 1)


def _budgets(state: State, p: Parameters, m: Months, b: Beliefs, products: Products) -> Array:
    """Spending plans [R, W] in USD this month, with what was rationed last month."""
    edge = jnp.clip(b.share_edge + m.edge_shift, 0.0, 0.8)
    training = b.share_training * (1 - m.edge_shift)
    shares = jnp.stack([training, jnp.maximum(1 - training - edge, 0.05), edge])
    glut = jnp.clip((state.load / jnp.maximum(state.load_reference, 1e-6)) ** p["glut_response"], 0.5, 1.6)
    china = products.china
    lever = (
        china * m.china_capex
        + products.usa * m.us_capex
        + products.korea * m.korea_budget
        + (1 - china - products.usa - products.korea)
    )
    total = (products.demand_share * b.budget_world + china * b.budget_china) * 1e9 * lever
    response = jnp.where(m.past > 0, 1.0, jnp.where(china > 0, glut[1], glut[0]))
    inference = jnp.array([0.0, 1.0, 0.0])
    return total[:, None] * shares * (1 + inference * (response[:, None] - 1)) + state.carried


def china_of(products: Products, by_region: Array) -> Array:
    """China's row of an array whose first axis is the region (a slice costs less than a product with the one-hot)."""
    return by_region[jnp.argmax(products.china)]


class Offers(NamedTuple):
    """Factors of `exp(theta u)` as in `chipweir.market.Market`: `value` [W, K], `pull` [R, K], `direct`, `foreign` [K]."""

    value: Array
    pull: Array
    direct: Array
    foreign: Array


def _offers(state: State, p: Parameters, m: Months, products: Products, price: Array) -> Offers:
    """Utility of every offer: value for money, pull of the installed ecosystem, frictions, preferences and stances.

    `u = ln(throughput maturity / (price + node cost)) + stickiness ln(installed share) - penalties`, the value for
    money relative to the best product on open markets.
    """
    theta = p["choice_sensitivity"]
    total_cost = price + p["node_cost"] * products.power
    worth = maturity_of_products(state, p, m, products) * _realised(p, products)
    value = jnp.log(jnp.maximum(products.worth.T, 1e-9)) + jnp.log(worth / total_cost)
    on_sale = (m.mix + state.inventory > 1e-9) * 1.0
    best = jnp.max(jnp.where(products.open_market * m.mix > 0, value, -1e9), axis=1)
    by_ecosystem = state.installed @ (products.ecosystem_of * products.h100e).T
    share = by_ecosystem / jnp.maximum(by_ecosystem.sum(1, keepdims=True), 1e-9)
    stick = p["stickiness"] * jnp.log(share + 0.01) @ products.ecosystem_of
    usable = products.open_market + products.captive * products.usa[:, None]
    sovereign = _SOVEREIGN_PULL * m.korea_domestic * products.korea[:, None] * products.korean
    pull = jnp.exp(theta * (stick - m.access + sovereign)) * usable * on_sale
    foreign_made = 1 - products.domestic
    china_stick = china_of(products, stick)
    liking = products.domestic * p["domestic_preference"] - foreign_made * p["stance_penalty"] * m.stance
    may_enter = (1 - products.captive) * jnp.where(m.blocked > 0, p["blocked_leakage"], 1.0)
    state_buyers = 1 - foreign_made * p["state_buyer_share"] * m.domestic_floor
    direct = jnp.exp(theta * (china_stick + liking)) * may_enter * on_sale * state_buyers
    foreign = jnp.exp(theta * china_stick) * products.open_market * on_sale * m.controlled
    return Offers(jnp.exp(theta * (value - best[:, None])), pull, direct, foreign)


def market_month(
    state: State, p: Parameters, m: Months, b: Beliefs, products: Products, made: Array
) -> tuple[Sold, market.Premia]:
    """Build the month's market, clear it, and give the sales back by product, region and channel."""
    price = products.list_price * jnp.exp(-p["list_price_decline"] * m.age)
    offers = _offers(state, p, m, products, price)
    theta = p["choice_sensitivity"]
    pressure = m.enforcement + m.hub_enforcement - 2
    cost = market.route_cost(p["route_cost"], pressure, p["enforcement_effect"], m.hub_licence, p["hub_licence_effect"])
    cost = cost + m.location * p["location_verification_effect"]
    open_rental = 1 - jnp.clip(m.rental_control, 0, 1)
    quota = jnp.where(m.case_by_case > 0, p["case_by_case_units"] * 1e3, m.quota)
    budget = _budgets(state, p, m, b, products)
    outside = jnp.exp(-theta * p["outside_gap"])
    rental_loss = p["rental_penalty"] + p["rental_markup"]
    problem = market.Market(
        theta=theta,
        budget=budget * (1 - products.china)[:, None],
        budget_china=products.china @ budget,
        price=price,
        price_china=price * (1 + m.fee) * (1 - products.domestic * m.subsidy),
        **offers._asdict(),
        smuggle=products.smuggling_weight * jnp.exp(-theta * (p["smuggling_penalty"] + cost)),
        rent=products.rental_weight * jnp.exp(-theta * rental_loss) * open_rental,
        smuggle_cost=cost,
        rent_cost=jnp.broadcast_to(p["rental_markup"], cost.shape),
        outside=outside,
        outside_china=outside,
        supply=state.inventory + made,
        quota=jnp.where(products.domestic > 0, 1e12, quota),
        route=state.route,
        offshore=state.offshore * open_rental,
    )
    start = market.Premia(state.premium_product, state.premium_quota, state.premium_route, state.premium_offshore)
    premia, cleared = market.clear(problem, start, SWEEPS)
    china = products.china
    sold = Sold(
        direct=cleared.open_market + china[:, None] * cleared.direct,
        to_china=cleared.direct,
        smuggled=cleared.smuggled,
        rented=cleared.rented,
        shipped=cleared.through_hubs * cleared.by_route.sum(),
        hosted=cleared.through_hubs * cleared.by_rental.sum(),
        premium=-premia.product / theta,
        route_rent=-premia.route / theta,
        route_cost=cost,
        spent=cleared.spent + china * cleared.spent_china,
        price=price,
        unmet=cleared.unmet,
        carried=cleared.unspent + china[:, None] * cleared.unspent_china,
    )
    return sold, premia


class Moved(NamedTuple):
    """Flows between stocks this month, in units [K] unless said."""

    seized: Array  # [K]
    scrapped: Array  # [K]
    retired: Array  # [] H100e, China


def stock_month(
    state: State, p: Parameters, m: Months, products: Products, made: Array, sold: Sold, premia: market.Premia
) -> tuple[State, Moved]:
    """Add sales to stocks, retire, seize, scrap; move routes and offshore capacity."""
    hazard = 1 / (12 * p["chip_life"])
    pressure = m.enforcement + m.hub_enforcement - 2
    rate = jnp.clip(p["seizure_rate"] * jnp.exp(p["enforcement_effect"] * pressure), 0, 0.6)
    seized = sold.smuggled @ rate
    left = state.inventory + made - sold.direct.sum(0) - sold.shipped - sold.hosted
    left = jnp.maximum(left, 0.0)
    scrapped = left * m.scrap
    smuggled_hazard = hazard + p["smuggled_failure"] / 12 + m.location * p["location_verification_effect"] / 12
    route = market.route_capacity(
        state.route,
        _route_limit(p, m, products),
        p["route_fungibility"],
        sold.route_rent,
        p["route_adjustment"],
        pressure,
        p["enforcement_effect"],
        m.hub_licence,
        p["hub_licence_effect"],
    )
    theta = p["choice_sensitivity"]
    offshore = market.offshore_capacity(
        state.offshore,
        p["offshore_limit"] * 1e9 * products.rental_weight * _market_growth(m),
        -premia.offshore / theta,
        p["rental_growth"],
        m.rental_control,
    )
    surplus = (left - scrapped) / jnp.maximum(made * _OVERSTOCK_MONTHS, 1e3)
    signal = jnp.clip(sold.premium, 0, 1.5) - jnp.clip(surplus, 0, 2)
    tilt = jnp.clip(state.tilt * 0.97 + p["mix_response"] * signal * (m.mix > 0), -4.0, 2.0)
    chinese = products.domestic * made
    scarcity = jnp.clip(sold.premium @ chinese / jnp.maximum(chinese.sum(), 1.0), 0, 2)
    moved = replace(
        state,
        inventory=left - scrapped,
        installed=state.installed * (1 - hazard) + sold.direct,
        smuggled=state.smuggled * (1 - smuggled_hazard) + sold.shipped - seized,
        rented=state.rented * (1 - hazard) + sold.rented,
        tilt=tilt,
        premium_product=premia.product,
        premium_quota=premia.quota,
        premium_route=premia.route,
        premium_offshore=premia.offshore,
        route=route,
        offshore=offshore,
        carried=sold.carried,
        scarcity=(1 - _SMOOTHING) * state.scarcity + _SMOOTHING * scarcity,
    )
    return moved, Moved(seized, scrapped, hazard * (china_of(products, state.installed) @ products.h100e))


def _route_limit(p: Parameters, m: Months, products: Products) -> Array:
    """Flow (USD a month at list) at which a hub's route draws as much attention again."""
    return p["diversion_limit"] * 1e9 * products.smuggling_weight * _market_growth(m)


def _market_growth(m: Months) -> Array:
    """Growth of the world market that hides flows and hosts users: 8 % a year from mid-2025 (prior)."""
    return jnp.exp(0.08 * (m.year - 3.5))


def credited(state: State, products: Products) -> Array:
    """Units by user [R, K]: direct stocks everywhere, and for China what it smuggled and rents abroad."""
    return state.installed + products.china[:, None] * (state.smuggled + state.rented.sum(1))


class Fleet(NamedTuple):
    """The credited stock in several measures."""

    by_ecosystem: Array  # [R, E] H100e
    power: Array  # [R] W with host and network
    use: Array  # [R, K] units


def count_fleet(state: State, products: Products) -> Fleet:
    """Measure the stock that every region uses."""
    use = credited(state, products)
    measures = use @ jnp.concatenate([products.ecosystem_of * products.h100e, products.power[None]]).T
    return Fleet(measures[:, :-1], measures[:, -1], use)


def software_month(state: State, p: Parameters, products: Products, fleet: Fleet) -> Array:
    """Maturity of every ecosystem [E]: closes the gap to 1 with use, decays without it.

    Use is the ecosystem's share of Chinese and world compute (the larger), saturating at a tenth.
    """
    world, china = fleet.by_ecosystem.sum(0), china_of(products, fleet.by_ecosystem)
    share = jnp.maximum(world / jnp.maximum(world.sum(), 1), china / jnp.maximum(china.sum(), 1))
    use = share / (share + 0.1)
    growth = p["maturity_growth"] * use * (1 - state.maturity)
    decay = p["maturity_decay"] * (1 - use) * state.maturity
    return jnp.clip(state.maturity + (growth - decay) / 12, 0.05, 1.0)


def fleet_at_work(state: State, p: Parameters, m: Months, products: Products, fleet: Fleet) -> tuple[Array, Array]:
    """Inference tokens/s relative to an H100 and training FLOP/s of every region [R], at today's software."""
    mature = maturity_of_products(state, p, m, products) * (1 + products.domestic * (p["worth_domestic"] - 1))
    at_work = fleet.use * mature
    return at_work @ products.tokens, at_work @ products.training_flops


class Tokens(NamedTuple):
    """Token markets (world without China, China): all [2] but the last."""

    demanded: Array  # per day
    served: Array  # per day
    capacity: Array  # per day
    price: Array  # USD per million of a contemporary model
    fixed_quality: Array  # USD per million at the quality of 2022
    load: Array  # utilisation of the inference fleet
    markup: Array  # relative to the reference path
    share: Array  # [R] of the inference fleet of its market


def token_month(state: State, p: Parameters, m: Months, b: Beliefs, products: Products, rate: Array) -> Tokens:
    """Inference capacity against token demand; the price is marginal cost times a markup that load moves.

    Capacity is the inference share of the fleet (`rate` [R], H100s at work) in reference tokens; efficiency grows with
    algorithms, part of which goes into heavier models; demand follows its dated belief times the relative markup to
    minus the elasticity.
    """
    china = products.china @ rate
    fleet = jnp.stack([rate.sum() - china, china]) * (1 - b.share_training)
    gain = (m.year - 2.5) * m.algorithms * jnp.log(p["algorithmic_inference"])
    weight = jnp.stack([p["model_weight_ratio"], jnp.ones(())])
    efficiency = p["reference_tokens"] / weight * jnp.exp(gain * (1 - p["quality_rebound"]))
    capacity = jnp.maximum(fleet * efficiency * SECONDS_PER_DAY, 1.0)
    reference = 1.3 + (p["markup_start"] - 1.3) * jnp.exp(-p["markup_fall"] * m.year)
    relative = state.markup
    base = jnp.stack([b.tokens_world, b.tokens_china]) * 1e12 * m.tokens_growth
    demanded = base * relative ** -p["token_elasticity"]
    free = capacity * (1 - p["non_llm_load"])
    served = demanded / (1 + (demanded / jnp.maximum(free, 1.0)) ** 6) ** (1 / 6)
    load = p["non_llm_load"] + served / capacity
    pressure = demanded / capacity + p["non_llm_load"]
    drift = jnp.where(m.past > 0, 0.0, 0.15 * jnp.clip(pressure - p["utilisation_target"], -0.5, 1.5))
    markup = jnp.clip(relative * jnp.exp(drift), 0.25, 8.0)
    cost = 2.4 / 3600 / efficiency * 1e6 * jnp.exp(-0.12 * m.year)
    price = cost * jnp.maximum(reference * relative, 0.5)
    fixed = price * jnp.exp(-gain * p["quality_rebound"]) / p["quality_gain"] ** (m.year * m.algorithms)
    share = rate / jnp.maximum(jnp.where(products.china > 0, china, rate.sum() - china), 1e-9)
    return Tokens(demanded, served, capacity, price, fixed, load, markup, share)


def frontier_month(state: State, p: Parameters, products: Products, flops: Array) -> Array:
    """Log FLOP of the largest training run to date by region [R]: a share of the stock (`flops`) for some months."""
    share = p["largest_run_share"] * (1 + products.china * (p["china_run_share"] - 1))
    run = flops * share * p["run_months"] * 30.44 * SECONDS_PER_DAY
    return jnp.maximum(state.largest, jnp.log(jnp.maximum(run, 1.0)))


class Month(NamedTuple):
    """All quantities of one month of one member, for functions that choose what to keep."""

    before: State
    after: State
    p: Parameters
    m: Months
    b: Beliefs
    products: Products
    made: Supplied
    sold: Sold
    moved: Moved
    tokens: Tokens
    fleet: Fleet
