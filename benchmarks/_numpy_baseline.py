"""The month written again in plain NumPy, one member at a time, as a person would who had no compiler.

It takes the same `Inputs` and parameters as `chipweir.world.simulate` and must give the same states: `check` starts every
month from the model's state before it and compares the states after it. Policy events are left out (a scenario that draws
none); everything else of a month is here but for the reported outputs, of which a few are kept, which favours it in the
comparison of speeds.
"""

from dataclasses import fields, is_dataclass
from types import SimpleNamespace
from typing import Any

import numpy as np

from chipweir.world._believe import BELIEFS, CERTAIN, LINE_BELIEFS, PATHS


SWEEPS, RELAX = 12, 1.3
SECONDS_PER_MONTH, REFERENCE_STOCK, MOST_OF_STOCK = 30.44 * 86400, 1.2e21, 0.25
Record = SimpleNamespace
Parameters = dict[str, Any]


def plain(record: Any, member: int | None = None) -> Any:
    """A frozen record of the model as plain arrays; of one member of those whose last axis are members."""
    if is_dataclass(record):
        return Record(**{f.name: plain(getattr(record, f.name), member) for f in fields(record)})
    if isinstance(record, dict):
        return {name: plain(value, member) for name, value in record.items()}
    values = np.asarray(record, dtype=float)
    return values if member is None else values[..., member]


def place(band: Any, score: np.ndarray) -> np.ndarray:
    """A band's value at a normal score."""
    return np.asarray(band.central * np.exp(np.where(score > 0, band.high, band.low) * score))


def beliefs(inputs: Any, p: Parameters) -> Record:
    """Dated beliefs of one member by series, months first; `lines` [T, F] and their `growth`."""
    keep = np.exp(-0.5 / p["belief_memory"])
    paths = {}
    for name in PATHS:
        score = [p[name][0]]
        for shock in p[name][1:]:
            score.append(keep * score[-1] + np.sqrt(1 - keep**2) * shock)
        paths[name] = inputs.knots @ np.array(score)
    scores = np.stack([paths[name] for name in LINE_BELIEFS], axis=1) @ inputs.products.fabs.line_belief
    lines = place(inputs.lines, scores)
    axis = np.arange(len(lines), dtype=float)
    late = np.stack([np.interp(axis - p["new_fab_delay"], axis, column) for column in lines.T], axis=1)
    lines = np.where(inputs.products.fabs.delayed > 0, late, lines)
    found = {series: place(inputs.bands[series], paths[name]) for name, every in BELIEFS.items() for series in every}
    found |= {series: inputs.bands[series].central for series in CERTAIN}
    found["chinese_memory"] = np.clip(found["chinese_memory"], 0.0, 0.9)
    found["share_training"] = np.clip(found["share_training"], 0.05, 0.85)
    return Record(lines=lines, growth=np.diff(lines, axis=0, prepend=lines[:1]), **found)


def products_of(inputs: Any, p: Parameters) -> Record:
    """The member's own products: their worth and prices with the errors that it draws."""
    goods, uses = inputs.products.goods, inputs.products.uses
    home = uses.domestic
    maker = home * np.log(p["worth_domestic"]) + uses.other_foreign * np.log(p["worth_other"])
    worth = uses.log_worth + np.einsum("lwk,l->wk", uses.loadings, p["worth_factors"])
    worth = worth + uses.own_spread * p["worth_own"][: len(home)] + maker
    price = goods.list_price * np.where(home > 0, p["price_domestic"], p["price_foreign"])
    slots = goods.slots * (1 + goods.racked * (p["rack_places"] - 1))
    own = {"log_worth": worth, "list_price": price, "slots": slots}
    return Record(fabs=inputs.products.fabs, goods=Record(**{**vars(goods), **own}), uses=uses)


def start(inputs: Any, p: Parameters, b: Record) -> Record:
    """The state before the first month."""
    uses, goods = inputs.products.uses, inputs.products.goods
    r, k = uses.initial_installed.shape
    h, w, d = len(goods.smuggling_weight), len(uses.log_worth), len(inputs.products.fabs.die_of)
    none = np.zeros
    earning = np.log([0.5, 0.2])
    return Record(
        accounts=Record(
            unsold=none(k), dies=none(d), hbm=none(2), installed=uses.initial_installed.copy(), smuggled=none(k),
            rented=none((k, h)),
        ),
        supply=Record(
            capacity=b.lines[0], cumulative=none(len(b.lines[0])), tools=0.0, upkeep=1.0, die_use=none(d),
            korean_hbm=1.0, micron_hbm=1.0,
            memory_price=np.log(inputs.bands["memory_demand"].central[0]) / p["memory_elasticity"],
            memory_capacity=0.0, memory_orders=0.0, china_fabs=1.0, fab_level=1.0,
        ),
        market=Record(
            sales=none(k), posted=none(k), tilt=none(k), scarcity=0.0, product=np.full(k, -2.0),
            class_=none(len(goods.class_of)), quota=none(k), route=none(h), offshore=none(h),
            routes=p["route_capacity"] * 1e3 * goods.smuggling_weight,
            hosting=p["rental_capacity"] * 1e6 * goods.rental_weight, carried=none((r, w)),
            reference=np.full((r, w), -1e9),
        ),
        by_stack=uses.initial_installed @ (uses.stack_of * uses.h100e).T,
        maturity=uses.initial_maturity
        + uses.initial_cann * p["maturity_cann"]
        + uses.initial_other * p["maturity_other"],
        developers=uses.initial_developers, quality=none(k), earning=earning, earning_reference=earning,
        markup=np.ones(2), load=np.full(2, p["non_llm_load"]), load_reference=np.full(2, p["non_llm_load"]),
        revenue=np.ones(2), revenue_reference=np.ones(2), unit_cost=np.full(2, 1.5 * p["unit_cost_2024"]),
        energised=np.ones(r), largest=uses.initial_largest, retaliation=0.0,
    )  # fmt: skip


# --- Supply ---------------------------------------------------------------------------------------------------------


def capacity(s: Record, p: Parameters, m: Record, b: Record, x: Record, scarcity: float) -> tuple[Any, Any, Any]:
    """Capacity of every line, tools in store and upkeep."""
    induced = 1 + p["induced_innovation"] * scarcity
    planned = np.maximum(b.growth, 0.0)
    wanted = planned * p["capacity_realisation"] * m.capacity_investment * induced
    own = np.clip(p["domestic_tools"] * np.exp(p["domestic_tools_growth"] * m.ahead), 0.0, 0.9)
    foreign = np.clip(1 - p["equipment_effect"] * (m.equipment - 1), 0.0, 1.5)
    needed, plan = x.advanced @ wanted, x.advanced @ planned
    arriving = plan * p["tool_cover"] * ((1 - own) * foreign + own * induced)
    installed = min(needed, arriving + s.tools / 12)
    got = np.where(x.advanced > 0, installed / max(needed, 1e-9), 1.0)
    after = np.where(x.chinese_line * m.future > 0, s.capacity + wanted * got, s.capacity + b.growth)
    tools = max(s.tools + arriving - installed, 0.0) if m.future > 0 else p["tool_store"] * plan
    worn = p["tool_wear"] / 12 * max(m.equipment - 1, 0.0) * (1 - own) * s.upkeep
    upkeep = s.upkeep + m.future * (0.1 / 12 * (1 - s.upkeep) - worn)
    return np.maximum(after, 1.0), tools, np.clip(upkeep, 0.4, 1.0)


def sellable(s: Record, p: Parameters, m: Record, x: Record, scarcity: float) -> np.ndarray:
    """Sellable share of every product's dies."""
    home = x.chinese_line > 0
    learnt = s.cumulative * np.where(home, 1 + p["induced_innovation"] * scarcity, 1.0)
    exponent = np.where(home, p["learning_exponent"], 1.0)
    density = x.defect_floor + (x.defect_initial - x.defect_floor) * (1 + learnt / x.learning_wafers) ** -exponent
    density = (density * np.where(home, p["defect_density_scale"], 1.0)) @ x.line_of
    alpha = p["defect_clustering"]
    good = (1 + x.area / 100 * density / alpha) ** -alpha
    salvage = np.clip(x.salvage * p["salvage_scale"], 0.0, 0.95)
    return np.clip((good + salvage * (1 - good)) * (1 + x.domestic * (m.yield_lever - 1)), 0.0, 0.97)


def pool_ratio(given: np.ndarray, need: np.ndarray, members: np.ndarray, weight: Any = 1.0) -> np.ndarray:
    """Resource over need by product; a short pool goes to products by weight."""
    ratio = given / np.maximum(members @ (need * weight), 1e-9)
    return np.where(members.sum(0) > 0, (ratio @ members) * weight, 1e6)


def make(s: Record, p: Parameters, m: Record, b: Record, x: Record, orders: Record) -> Record:
    """Supply's month. `orders`: unsold, dies, hbm, sales, tilt, scarcity and what the law allows."""
    home = x.domestic > 0
    lines, tools, upkeep = capacity(s, p, m, b, x, orders.scarcity)
    running = lines * np.where(x.advanced > 0, upkeep, 1.0)
    fraction = sellable(s, p, m, x, orders.scarcity)
    weight = m.mix * np.exp(orders.tilt)
    share = weight * (((x.maker_of @ m.mix) / np.maximum(x.maker_of @ weight, 1e-12)) @ x.maker_of)
    for_ai = running * np.clip(m.ai_share * np.where(x.chinese_line > 0, p["china_ai_wafer_share"], 1.0), 0.0, 0.9)

    at_home = share * home
    wafers = at_home * ((for_ai / np.maximum(x.line_of @ at_home, 1e-12)) @ x.line_of)
    possible = x.die_of @ (wafers * x.gross * fraction)
    brake = 1 / (1 + (orders.dies / np.maximum(p["die_stock_months"] * s.die_use, 0.1 * possible + 1.0)) ** 2)
    fresh = possible * brake
    offered = fresh + p["die_bank_release"] * orders.dies
    die_share = at_home / np.maximum((x.die_of @ at_home) @ x.die_of, 1e-12)
    slots = (
        x.packaging_of[0] * b.cowos * p["packaging_realisation"] * x.per_wafer + x.packaging_of[1] * b.other_packaging
    )
    plan = np.where(home, (offered @ x.die_of) * die_share / x.dies_per_package, share * slots)

    wanted = np.minimum(plan, orders.allowed)
    selling = np.where(
        home, *(min(1.5 * orders.sales[side].sum() / max(wanted[side].sum(), 1.0), 1.0) for side in (home, ~home))
    )
    sales = np.maximum(orders.sales, np.maximum(m.launch * selling, 0.02) * wanted)
    plan = wanted / (1 + (orders.unsold / np.maximum(p["unsold_months"] * sales, 1.0)) ** 2)
    plan = np.where(m.ordered > 0, m.ordered, plan)

    need = np.where(home, 0.0, plan * x.dies_per_package / np.maximum(x.gross * fraction, 1e-9))
    logic = np.where(home, 1.0, pool_ratio(for_ai, need, x.line_of))
    vendors = np.array([s.korean_hbm * b.hbm_skhynix, s.korean_hbm * b.hbm_samsung, s.micron_hbm * b.hbm_micron])
    abroad = p["memory_realisation"] * ((vendors[0] + vendors[1]) * (1 - m.hbm_withhold) + vendors[2])
    leak = p["hbm_leakage"] * np.exp(-max(m.hbm_control - 1, 0.0)) * np.clip(m.hbm_control, 0.0, 1.0)
    gate = np.clip(np.clip(1 - m.hbm_control, 0, 1) * (0.95 * m.hbm_to_china + 0.05) + leak, 0.0, 1.0)
    imported, cxmt, huawei = b.hbm_import * gate, b.hbm_cxmt * m.hbm_domestic, b.hbm_huawei * m.hbm_domestic

    stacks = plan * x.stacks
    own, common = huawei + 0.35 * orders.hbm[1], imported + cxmt + 0.35 * orders.hbm[0]
    covered = min(1.0, own / max(x.own_memory @ stacks, 1.0)) * x.own_memory
    prefer = np.where(x.china_memory > 0, x.h100e / np.maximum(x.stacks, 1.0), 1.0)
    pools = np.stack([x.world_memory, x.china_memory])
    memory = covered + (1 - covered) * pool_ratio(np.array([abroad, common]), stacks * (1 - covered), pools, prefer)
    room = pool_ratio(np.array([1e15, 1e15, b.china_packaging]), plan, x.packaging_of)
    packaging = np.where(x.packaging_of[2] > 0, room, 1.0)
    ratios = np.clip(np.stack([logic, memory, packaging]), 1e-12, 1e6)
    least = ratios.min(0)
    packages = plan * least * ((least / ratios) ** 8).sum(0) ** -0.125

    used_dies = x.die_of @ (packages * home * x.dies_per_package)
    taken = packages * x.stacks
    used_own = min(own, x.own_memory @ taken)
    die_cost = (x.wafer_price @ x.line_of) / np.maximum(x.gross * fraction, 1.0)
    stack_cost = x.world_memory * b.hbm_price + x.china_memory * b.hbm_price_china * p["domestic_hbm_cost"]
    chinese_die = np.clip(x.die_of @ x.domestic, 0, 1)
    made = Record(
        packages=packages,
        cost=die_cost * x.dies_per_package + stack_cost * x.stacks + x.package_cost,
        dies_arrived=(fresh + m.bank_inflow * x.bank_of * p["die_bank"] * 1e6) * chinese_die,
        dies_used=used_dies,
        hbm_arrived=np.array([imported + cxmt, huawei]),
        hbm_used=np.array([x.china_memory @ taken - used_own, used_own]),
    )
    hbm_share = vendors.sum() * b.hbm_price / max(b.memory_sales, 1.0) / p["hbm_price_ratio"]
    cycle = memory_cycle(s, p, m, b, hbm_share)
    after = Record(
        capacity=lines, cumulative=s.cumulative + running, tools=tools, upkeep=upkeep,
        die_use=0.85 * s.die_use + 0.15 * used_dies, **cycle,
    )  # fmt: skip
    return Record(state=after, made=made)


def memory_cycle(s: Record, p: Parameters, m: Record, b: Record, hbm_share: float) -> dict[str, Any]:
    """Vendors of HBM, the price cycle of DRAM and NAND, and Korean fabs in China, a month on."""
    withheld = m.hbm_withhold * (b.hbm_skhynix + b.hbm_samsung)
    answer = min(1 + withheld / max(b.hbm_micron, 1.0), 2.5)
    gap = np.log(b.memory_demand) + p["hbm_trade_ratio"] * hbm_share - s.memory_capacity
    gap = gap - p["memory_elasticity"] * s.memory_price
    added = p["memory_orders"] / 12 * s.memory_orders - s.memory_capacity / 60
    ageing = p["fab_ageing"] / 12 * np.clip(m.equipment, 0.0, 3.0) * (1 - 0.7 * m.china_fab_tech)
    return {
        "korean_hbm": s.korean_hbm + (m.hbm_capex**0.6 - s.korean_hbm) * m.future / 30,
        "micron_hbm": s.micron_hbm + (answer - s.micron_hbm) / 18,
        "memory_price": np.clip(s.memory_price + p["memory_speed"] * gap, -2.0, 2.0),
        "memory_capacity": np.clip(s.memory_capacity + added, -1.5, 1.5),
        "memory_orders": s.memory_orders + (s.memory_price - s.memory_orders) / 9,
        "china_fabs": s.china_fabs + (m.china_fabs - s.china_fabs) * m.future / 36,
        "fab_level": s.fab_level * np.exp(-ageing * m.future),
    }


# --- Market ---------------------------------------------------------------------------------------------------------


def maturity_of(x: Record, maturity: np.ndarray, p: Parameters, m: Record) -> np.ndarray:
    """Software efficiency by product."""
    own = maturity @ x.stack_of
    inherits = np.clip(x.inherits_cuda + x.domestic * m.compatibility, 0, 1) * p["cuda_inheritance"]
    return np.where(x.stack_of[0] > 0, own, own + inherits * np.maximum(maturity[0] - own, 0.0))


def budgets(s: Record, p: Parameters, m: Record, b: Record, x: Record) -> tuple[np.ndarray, float]:
    """Spending plans by region and workload, and Korean public money for Korean chips."""
    edge = np.clip(b.share_edge + m.edge_shift * (1 - b.share_training - b.share_edge), 0.0, 0.8)
    training = np.clip(b.share_training + m.training_shift, 0.02, 0.95 - edge)
    public = b.budget_korea_public * m.public_korea
    total = x.usa * b.budget_us * m.us_capex + m.region_share * b.budget_us + x.china * b.budget_china * m.china_capex
    total = total + x.korea * public * (1 - m.korean_npus)
    load = (s.load / np.maximum(s.load_reference, 1e-6)) ** p["glut_response"]
    money = (s.revenue / np.maximum(s.revenue_reference, 1e-3)) ** p["revenue_financing"]
    answer = np.clip(load * money, 0.4, 1.8)
    by_region = np.where(x.china > 0, answer[1], answer[0])
    plan = total[:, None] * np.array([training, max(1 - training - edge, 0.02), edge])
    if m.future > 0:
        plan[:, 1:] *= by_region[:, None]
        plan *= (s.energised ** p["power_response"])[:, None]
    return plan + s.market.carried, public * m.korean_npus


def allowed(p: Parameters, m: Record, x: Record) -> np.ndarray:
    """Units a month that the law lets a maker sell of what is made for China alone."""
    licences = np.where(np.isnan(m.class_quota), p["case_by_case_units"] * 1e3, m.class_quota)
    pooled = np.where(m.pool_of > 0, licences[:, None], 1e12).min(0)
    entered = np.where(m.blocked > 0, p["blocked_leakage"], 1.0)
    alone = (1 - x.open_market) * (1 - x.captive) * (1 - x.domestic)
    return np.where(alone > 0, np.minimum(m.quota, pooled) * entered, 1e12)


def offer(s: Record, p: Parameters, m: Record, b: Record, x: Record, made: Record, worth: np.ndarray) -> Record:
    """The month as buyers and channels see it: values, budgets, capacities."""
    theta, home, f = p["choice_sensitivity"], x.domestic, s.market
    listed = x.list_price * np.exp(-p["list_price_decline"] * m.age)
    price = listed * np.exp(f.posted)
    plan, public = budgets(s, p, m, b, x)
    value = worth - np.log((price + p["node_cost"] * x.power) / 4e4)
    supply = s.accounts.unsold + made.packages
    on_sale = np.where(supply >= 1.0, 1.0, 0.0)
    world, china = (np.exp(theta * ((p["stickiness"] * np.log(bloc + 0.01)) @ x.stack_of)) for bloc in s.developers)
    exported = home * (1 - x.open_market)
    trust = np.exp(-theta * home * p["export_penalty"] * (1 - np.clip(m.chip_exports - 1, 0, 1)))
    reach = np.concatenate([np.exp(-theta * m.friction).T, x.usa[:, None], x.buys_chinese[:, None]], axis=1)
    liking = home * p["domestic_preference"] - (1 - home) * p["stance_penalty"] * m.stance
    state = 1 - (1 - home) * p["state_buyer_share"] * m.domestic_floor
    enters = (1 - x.captive) * np.where(m.blocked > 0, p["blocked_leakage"], 1.0) * m.open_days
    korean = x.korean * supply
    reserved = korean * min(1.0, public / max((korean * price).sum(), 1.0))
    pressure = m.enforcement + m.hub_enforcement - 2
    toll = p["route_cost"] * np.exp(p["enforcement_effect"] * np.maximum(pressure, -1.5))
    toll = toll + m.hub_licence * p["hub_licence_effect"] + m.location * p["location_verification_effect"]
    rentable = 1 - np.clip(m.rental_control, 0, 1)
    waiting = np.exp(theta * (f.reference - p["outside_gap"]))
    at = int(np.argmax(x.china))
    return Record(
        theta=theta, budget=plan * (1 - x.china)[:, None], budget_china=plan[at], plan=plan, listed=listed, price=price,
        price_china=price * (1 + m.fee) * (1 - home * m.subsidy), value=np.exp(theta * value),
        pull=world * trust * on_sale * np.clip(m.chip_exports * exported + 1 - exported, 0, 1),
        direct=china * np.exp(theta * liking) * enters * on_sale * state,
        foreign=china * x.diverted * on_sale * m.controlled * state,
        group_of=np.concatenate([m.access_of * x.open_market, x.captive[None], exported[None]]),
        reach=reach * (1 - x.china)[:, None],
        smuggle=x.smuggling_weight * np.exp(-theta * (p["smuggling_penalty"] + toll)),
        rent=x.rental_weight * np.exp(-theta * (p["rental_penalty"] + p["rental_markup"])) * rentable,
        toll=toll, markup=np.full(len(toll), p["rental_markup"]), outside=waiting, outside_china=waiting[at],
        supply=supply - reserved, reserved=reserved, quota=m.quota, pool_of=m.pool_of,
        class_quota=np.where(np.isnan(m.class_quota), p["case_by_case_units"] * 1e3, m.class_quota),
        route=f.routes, offshore=f.hosting * rentable, slots=x.slots, power=x.power, pressure=pressure, china=at,
    )  # fmt: skip


def demand(o: Record, q: Record) -> Record:
    """What every buyer asks for at the scaling variables `q`, offer by offer."""
    root = 1 / o.theta
    weighted = o.value * np.exp(q.product)
    units = np.exp(q.product * (1 + root))
    rent_of_quota = q.quota + q.class_ @ o.pool_of
    smuggle, rent = o.smuggle * np.exp(q.route), o.rent * np.exp(q.offshore)
    pull = (o.reach @ o.group_of) * o.pull  # [R, K]
    china_weights = weighted @ (o.direct * np.exp(rent_of_quota) + o.foreign * (smuggle.sum() + rent.sum()))
    world_weights = pull @ weighted.T
    world = o.budget / (world_weights + o.outside + 1e-30)
    china = o.budget_china / (china_weights + o.outside_china + 1e-30)
    wanted = (china @ o.value) * units
    return Record(
        open_market=(world @ o.value) * pull * units / o.price,
        direct=wanted * np.exp(rent_of_quota * (1 + root)) * o.direct / o.price_china,
        through=wanted * o.foreign / o.price,
        by_route=smuggle * np.exp(q.route * root - o.toll),
        by_rental=rent * np.exp(q.offshore * root - o.markup),
        smuggle=smuggle, rent=rent, world=world, china=china, weighted=weighted, pull=pull, rent_of_quota=rent_of_quota,
        world_weights=world_weights, china_weights=china_weights,
    )  # fmt: skip


def moved(premium: np.ndarray, given: np.ndarray, asked: np.ndarray, gain: float, roof: float = 0.0) -> np.ndarray:
    """A step on the log of demand, by the Pade approximant of the log of capacity over demand."""
    c, d = np.sqrt(np.minimum(given, 1e13) + 1e-20), np.sqrt(asked + 1e-20)
    return np.clip(premium + gain * 12 * (c - d) / (c + 4 * np.sqrt(c * d) + d), -60.0, roof)


def clear(o: Record, q: Record) -> tuple[Record, Record]:
    """Premia by alternate sweeps, then rationing pro rata."""
    gain = RELAX * o.theta / (1 + o.theta)
    q = Record(**vars(q))
    for _ in range(SWEEPS):
        d = demand(o, q)
        within = np.minimum(d.direct, o.quota)
        quota, class_ = (
            moved(q.quota, o.quota, d.direct, gain),
            moved(q.class_, o.class_quota, o.pool_of @ within, gain),
        )
        q.route = moved(q.route, o.route, (o.slots @ d.through) * d.by_route, gain, 0.5 * o.theta)
        q.offshore = moved(q.offshore, o.offshore, (o.power @ d.through) * d.by_rental, gain)
        q.quota, q.class_ = quota, class_
        d = demand(o, q)
        asked = d.open_market.sum(0) + d.direct + d.through * (d.by_route.sum() + d.by_rental.sum())
        q.product = moved(q.product, o.supply, asked, gain)
    direct = np.minimum(demand(o, q).direct, o.quota)
    only_china = (o.pull <= 0) & (o.foreign <= 0)
    slack = np.clip((o.supply - direct) / (0.005 * o.supply + 1e-30), 0, 1)
    shift = np.where(only_china, np.where(o.direct > 0, slack, 1.0) * q.product, 0.0)
    q.product, q.quota = q.product - shift, np.maximum(q.quota + shift, -60.0)
    return q, ration(o, q)


def ration(o: Record, q: Record) -> Record:
    """Sales at the premia, cut back where they exceed a capacity: channels first, then products."""
    root, d = 1 / o.theta, demand(o, q)

    def within(given: Any, asked: Any) -> Any:
        return np.minimum(1.0, given / np.maximum(asked, 1e-30))

    keep_direct = within(o.quota, d.direct)
    by_class = within(o.class_quota, o.pool_of @ (d.direct * keep_direct))
    keep_direct = keep_direct * (1 - o.pool_of.sum(0) + by_class @ o.pool_of)
    keep_route = within(o.route, (o.slots @ d.through) * d.by_route)
    keep_rental = within(o.offshore, (o.power @ d.through) * d.by_rental)
    by_route, by_rental = d.by_route * keep_route, d.by_rental * keep_rental
    direct = d.direct * keep_direct
    keep = within(o.supply, d.open_market.sum(0) + direct + d.through * (by_route.sum() + by_rental.sum()))
    kept = d.smuggle @ keep_route + d.rent @ keep_rental
    gone = d.smuggle @ (1 - keep_route) + d.rent @ (1 - keep_rental)
    missed = o.direct * np.exp(d.rent_of_quota) * (1 - keep * keep_direct) + o.foreign * ((1 - keep) * kept + gone)
    sold = d.through * keep
    return Record(
        open_market=d.open_market * keep,
        direct=direct * keep,
        smuggled=sold[:, None] * by_route,
        rented=sold[:, None] * by_rental,
        unspent=d.world * (d.pull @ (d.weighted * (1 - keep)).T),
        unspent_china=d.china * (d.weighted @ missed),
        premium=-q.product * root,
        weights=d.world_weights,
        weights_china=d.china_weights,
    )


def sell(s: Record, p: Parameters, m: Record, b: Record, x: Record, made: Record) -> Record:
    """The market's month: what was sold, and the market's state after it."""
    theta, f = p["choice_sensitivity"], s.market
    maturity = maturity_of(x, s.maturity, p, m)
    worth = x.log_worth + s.quality + np.log(maturity)
    o = offer(s, p, m, b, x, made, worth)
    q, c = clear(o, Record(product=f.product, quota=f.quota, class_=f.class_, route=f.route, offshore=f.offshore))
    direct = c.open_market + x.china[:, None] * c.direct + x.korea[:, None] * o.reserved
    went = direct.sum(0) + c.smuggled.sum(1) + c.rented.sum(1)
    left = np.maximum(o.supply + o.reserved - went, 0.0) * (1 - m.scrap)
    rate = np.clip(p["seizure_rate"] * np.exp(p["enforcement_effect"] * o.pressure), 0, 0.6)
    units = np.stack([c.open_market.sum(0), c.direct])
    paid = o.price * np.exp(c.premium) + p["node_cost"] * x.power
    sales = 0.85 * f.sales + 0.15 * went
    surplus = left / np.maximum(made.packages * 3.0, 1e3)
    chinese = x.domestic * made.packages
    scarcity = np.clip(c.premium @ chinese / max(chinese.sum(), 1.0), 0, 2)
    found = np.log(c.weights + x.china[:, None] * c.weights_china + 1e-30) / theta
    months = np.log((1 + left / np.maximum(sales, 1.0)) / 3.0)
    posted = f.posted * 0.97 - p["price_cut"] * np.clip(months, 0.0, 2.0) + p["price_rise"] * c.premium
    floor = np.minimum(np.log(made.cost / o.listed), 0.7)
    active = np.max(m.controlled * x.diverted)

    together = p["route_fungibility"]
    limit = p["diversion_limit"] * 1e3 * x.smuggling_weight
    attention = (1 - together) * f.routes / limit + together * f.routes.sum() / limit.sum()
    attrition = 0.25 * np.exp(p["enforcement_effect"] * np.maximum(o.pressure, -1.5)) + attention
    attrition = attrition + 2 * m.hub_licence * p["hub_licence_effect"]
    pull = np.tanh(-q.route / theta / 0.1) - attrition
    growth = active * p["route_adjustment"] * np.where(pull > 0, pull, 0.25 * pull)
    host_limit = p["offshore_limit"] * 1e6 * x.rental_weight
    hosting = np.tanh(-q.offshore / theta / 0.1) - 0.1 - 0.5 * m.hub_licence - f.hosting / host_limit
    hosting = p["rental_growth"] * np.where(hosting > 0, hosting, 0.25 * hosting)
    after = Record(
        sales=sales, posted=np.clip(posted, floor, 0.7),
        tilt=np.clip(
            0.97 * f.tilt
            + p["mix_response"] * (np.clip(c.premium, 0, 1.5) - np.clip(surplus, 0, 2)) * (m.mix > 0), -4.0, 2.0,
        ),
        scarcity=0.85 * f.scarcity + 0.15 * scarcity, **vars(q),
        routes=np.clip(f.routes * np.exp(growth), 0.01, 1e7),
        hosting=np.clip(f.hosting * np.exp(active * hosting - 0.15 * m.rental_control), 1.0, 1e11),
        carried=c.unspent + x.china[:, None] * c.unspent_china,
        reference=np.where(f.reference < -1e8, found, f.reference + (found - f.reference) / 9),
    )  # fmt: skip
    return Record(
        state=after, direct=direct, smuggled=c.smuggled, rented=c.rented, seized=(c.smuggled * rate).sum(1),
        price=o.price, premium=c.premium,
        unit_cost=(units * paid).sum(1) / np.maximum((units * np.exp(worth[1])).sum(1), 1e-6),
    )  # fmt: skip


# --- What follows from the chips ------------------------------------------------------------------------------------


def settle(s: Record, p: Parameters, m: Record, made: Record, sold: Record) -> Record:
    """The accounts at the month's end."""
    a, hazard = s.accounts, 1 / (12 * p["chip_life"])
    lost = hazard + p["smuggled_failure"] / 12 + m.location * p["location_verification_effect"] / 12
    shipped = sold.smuggled.sum(1)
    there = a.unsold + made.packages
    left = np.maximum(there - sold.direct.sum(0) - shipped - sold.rented.sum(1), 0.0)
    return Record(
        unsold=left * (1 - m.scrap),
        dies=a.dies + made.dies_arrived - made.dies_used,
        hbm=a.hbm + made.hbm_arrived - made.hbm_used,
        installed=a.installed * (1 - hazard) + sold.direct,
        smuggled=a.smuggled * (1 - lost) + shipped - np.minimum(sold.seized, shipped),
        rented=a.rented * (1 - hazard) + sold.rented,
    )


def fleet(p: Parameters, cal: Record, b: Record, x: Record, a: Record) -> Record:
    """Chips in use by region, and the share of them that has power."""
    abroad = a.rented.sum(1)
    use = a.installed + x.china[:, None] * (a.smuggled + abroad)
    located = use @ x.power - x.china * (x.power @ abroad) + x.hub_region @ (x.power @ a.rented)
    power = x.usa * b.power_us + x.china * b.power_china + x.korea * b.power_korea * cal.dc_power
    power = np.where(x.usa + x.china + x.korea > 0, power, b.power_other)
    energised = (1 + np.minimum(located * p["pue"] / np.maximum(power, 1.0), 1e4) ** 8) ** -0.125
    return Record(use=use, by_stack=use @ (x.stack_of * x.h100e).T, energised=energised)


def software(s: Record, p: Parameters, x: Record, by_stack: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Maturity of ecosystems and their shares among developers."""
    base, last = by_stack.sum(0), s.by_stack.sum(0)
    use = base / (base + p["maturity_base"] * 1e3)
    shrinking = np.clip((last - base) / np.maximum(last, 1.0) * 12 / 0.10, 0.0, 1.0)
    decay = p["maturity_decay"] * np.maximum(shrinking, base < 1.0) * s.maturity
    maturity = np.clip(s.maturity + (p["maturity_growth"] * use * (1 - s.maturity) - decay) / 12, 0.05, 1.0)
    china = x.china @ by_stack
    blocs = np.stack([base - china, china])
    share = blocs / np.maximum(blocs.sum(1, keepdims=True), 1e-9)
    return maturity, s.developers + (share - s.developers) / (12 * p["developer_years"])


def tokens(
    s: Record, p: Parameters, cal: Record, b: Record, x: Record, training: float, rate: np.ndarray, bought: np.ndarray
) -> Record:
    """Token markets of the world without China, and of China."""
    china = x.china @ rate
    fleet_ = np.array([rate.sum() - china, china]) * (1 - training)
    unit = s.unit_cost + 0.1 * (np.clip(bought, 500.0, 2e5) - s.unit_cost)
    gain = (cal.year - 2.5) * cal.algorithms * np.log(p["algorithmic_inference"])
    cheaper = gain + np.log(p["unit_cost_2024"] / unit)
    heavier = np.exp(cheaper * p["quality_rebound"]) * np.array([p["model_weight_ratio"], 1.0]) * cal.thinking
    efficiency = p["reference_tokens"] * np.exp(gain) / heavier
    able = np.maximum(fleet_ * efficiency * 86400.0, 1.0)
    cost = unit * p["serving_overhead"] / (5.5 * 8766) / 3600 / efficiency * 1e6
    price = cost * np.maximum(np.array([b.markup_world, b.markup_china]) * s.markup, 0.5)
    expected = np.array([b.tokens_world, b.tokens_china])
    base = expected * cal.tokens_growth * cal.thinking ** (1 - p["token_elasticity"])
    wanted = base * s.markup ** -p["token_elasticity"]
    bearable = np.array([1.0, 0.25]) * p["token_revenue_cap"] * 1e9 / 365 / (price * p["paid_share"]) * 1e6
    wanted = wanted / np.sqrt(1 + (wanted / bearable) ** 2)
    room = max(able[1] * (1 - p["non_llm_load"]) - wanted[1], 0.0)
    reach = p["token_export_share"] * (price[0] / price[1]) ** p["token_trade_elasticity"] * cal.token_exports
    exported = min(min(reach, 0.35) * wanted[0], 0.9 * room)
    asked = wanted + exported * np.array([-1.0, 1.0])
    served = asked / (1 + (asked / np.maximum(able * (1 - p["non_llm_load"]), 1.0)) ** 6) ** (1 / 6)
    pressure = asked / able + p["non_llm_load"]
    drift = cal.future * 0.15 * np.clip(pressure - p["utilisation_target"], -0.5, 1.5)
    return Record(
        price=price, served=served, load=p["non_llm_load"] + served / able, unit_cost=unit,
        markup=np.clip(s.markup * np.exp(drift), 0.25, 8.0), revenue=served * s.markup / expected,
    )  # fmt: skip


def research(s: Record, p: Parameters, cal: Record, x: Record, sold: Record, believed: np.ndarray) -> tuple[Any, ...]:
    """What earnings do to products not yet released."""
    paid = (sold.direct.sum(0) + (sold.smuggled + sold.rented).sum(1)) * sold.price * np.exp(sold.premium)
    share = np.log(np.array([x.nvidia @ paid / believed.sum(), x.domestic @ paid / believed[1]]) + 1e-6)
    earning = s.earning + (share - s.earning) / 12
    reference = s.earning_reference if cal.future > 0 else earning
    pace = np.array([p["research_elasticity"], p["research_elasticity_china"]]) * (earning - reference)
    pace = np.clip(pace, -0.25, 0.25) / 12
    waiting = cal.future * (x.start > cal.year)
    return s.quality + waiting * np.where(x.domestic > 0, pace[1], pace[0]), earning, reference


def month(s: Record, p: Parameters, m: Record, b: Record, x: Record) -> tuple[Record, dict[str, Any]]:
    """One month: the state after it, and a few outputs."""
    cal, uses = m.calendar, x.uses
    orders = Record(
        unsold=s.accounts.unsold, dies=s.accounts.dies, hbm=s.accounts.hbm, sales=s.market.sales, tilt=s.market.tilt,
        scarcity=s.market.scarcity, allowed=allowed(p, m.market, x.goods),
    )  # fmt: skip
    supplied = make(s.supply, p, m.supply, b, x.fabs, orders)
    sold = sell(s, p, m.market, b, x.goods, supplied.made)
    accounts = settle(s, p, m.market, supplied.made, sold)
    chips = fleet(p, cal, b, uses, accounts)
    maturity, developers = software(s, p, uses, chips.by_stack)
    worth = np.exp(x.goods.log_worth - uses.log_worth + s.quality) * maturity_of(x.goods, maturity, p, m.market)
    rate = chips.energised * (chips.use @ (worth[1] * uses.tokens))
    flops = chips.energised * (chips.use @ (worth[0] * uses.training_flops))
    training = np.clip(b.share_training + m.market.training_shift, 0.02, 0.95)
    t = tokens(s, p, cal, b, uses, training, rate, sold.unit_cost)
    load, revenue = 0.8 * s.load + 0.2 * t.load, 0.9 * s.revenue + 0.1 * t.revenue
    believed = np.array([b.budget_us * (1 + m.market.region_share.sum()), b.budget_china])
    quality, earning, reference = research(s, p, cal, uses, sold, believed)
    share = p["largest_run_share"] * (1 + uses.china * (p["china_run_share"] - 1))
    share = share * (np.maximum(flops, 1e15) / REFERENCE_STOCK) ** (p["run_concentration"] - 1)
    run = flops * np.minimum(share, MOST_OF_STOCK) * p["run_months"] * SECONDS_PER_MONTH
    future = cal.future > 0
    after = Record(
        accounts=accounts, supply=supplied.state, market=sold.state, by_stack=chips.by_stack, maturity=maturity,
        developers=developers, quality=quality, earning=earning, earning_reference=reference, markup=t.markup, load=load,
        load_reference=s.load_reference if future else load, revenue=revenue,
        revenue_reference=s.revenue_reference if future else revenue, unit_cost=t.unit_cost, energised=chips.energised,
        largest=np.maximum(s.largest, np.log(np.maximum(run, 1.0))),
        retaliation=max(cal.retaliation, s.retaliation * 0.5 ** (1 / p["retaliation_half_life"])),
    )  # fmt: skip
    outputs = {"compute": chips.by_stack.sum(1) * chips.energised, "made": supplied.made.packages, "price": t.price,
               "served": t.served, "smuggled": sold.smuggled.sum(0), "largest": np.exp(after.largest)}  # fmt: skip
    return after, outputs


def at_month(record: Any, t: int) -> Any:
    """One month of a dated record."""
    return Record(**{k: at_month(v, t) if isinstance(v, Record) else v[t] for k, v in vars(record).items()})


def simulate(inputs: Any, p: Parameters) -> tuple[Record, dict[str, np.ndarray]]:
    """All months of one member: the state at the end, and a few outputs by month. `inputs` as `plain` gives them."""
    b, x = beliefs(inputs, p), products_of(inputs, p)
    s, kept = start(inputs, p, b), []
    for t in range(len(inputs.months.calendar.index)):
        s, outputs = month(s, p, at_month(inputs.months, t), at_month(b, t), x)
        kept.append(outputs)
    return s, {name: np.stack([each[name] for each in kept]) for name in kept[0]}


# What differences are relative to where a field may be next to nothing: log points, units, dollars, stacks.
_SCALES = {
    "product": 1.0, "quota": 1.0, "class_": 1.0, "route": 1.0, "offshore": 1.0, "posted": 0.1, "tilt": 0.1,
    "scarcity": 0.1, "carried": 1e7, "unsold": 1e4, "memory_price": 0.1, "memory_capacity": 0.1, "memory_orders": 0.1,
    "quality": 0.01, "reference": 1.0, "retaliation": 1.0,
}  # fmt: skip


def differences(own: Any, other: Any, name: str = "") -> dict[str, float]:
    """Largest difference of every field of two states, relative to the largest of the field."""
    if isinstance(own, Record):
        found: dict[str, float] = {}
        for field, value in vars(own).items():
            found |= differences(value, getattr(other, field), f"{name}.{field}".lstrip("."))
        return found
    mine, theirs = np.asarray(own, dtype=float), np.asarray(other, dtype=float)
    scale = max(float(np.abs(theirs).max()), _SCALES.get(name.rsplit(".", 1)[-1], 1e-9))
    return {name: float(np.abs(mine - theirs).max()) / scale}


def check(inputs: Any, p: Parameters, tolerance: float) -> dict[str, float]:
    """Largest difference of every field of the state after any month, each month from the model's own state before it.

    `inputs` are the model's, `p` one member's. Raises `AssertionError` above `tolerance`.
    """
    import jax

    from chipweir.world import simulate as compiled

    def states(i: Any, q: Any) -> Any:
        return compiled(i, q, save=lambda m: (m.before, m.after))[1]

    one = {name: np.asarray(value, dtype=float)[..., None] for name, value in p.items()}
    before, after = (plain(each, 0) for each in jax.jit(states)(inputs, one))
    known = plain(inputs)
    b, x = beliefs(known, p), products_of(known, p)
    worst: dict[str, tuple[float, int]] = {}
    for t in range(len(known.months.calendar.index)):
        own, _ = month(at_month(before, t), p, at_month(known.months, t), at_month(b, t), x)
        for name, value in differences(own, at_month(after, t)).items():
            if value > worst.get(name, (-1.0, 0))[0]:
                worst[name] = (value, t)
    name = max(worst, key=lambda field: worst[field][0])
    value, t = worst[name]
    assert value < tolerance, f"the NumPy port differs from the model by {value:.1e} in {name} in month {t}"
    return {field: value for field, (value, _) in worst.items()}
