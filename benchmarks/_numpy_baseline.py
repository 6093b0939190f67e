"""The monthly step written again in plain NumPy, one member at a time, as a person would who had no compiler.

It takes the same `Inputs` and parameters as `chipweir.world.simulate` and must give the same states to 1e-9
(`check`). It keeps fewer outputs a month than the model does, which favours it in the comparison.
"""

from types import SimpleNamespace
from typing import Any

import numpy as np


SWEEPS, RELAX = 8, 1.3
# What differences are relative to where a field itself may be next to nothing: log points, USD a month.
_SCALES = {"premium_product": 1.0, "premium_quota": 1.0, "premium_route": 1.0, "premium_offshore": 1.0, "carried": 1e9}
State = SimpleNamespace


def _place(band: Any, score: Any) -> np.ndarray:
    return band.central * np.exp(np.where(score > 0, band.high, band.low) * score)


def beliefs(inputs: Any, p: dict[str, float]) -> SimpleNamespace:
    """Dated beliefs of one member, months first."""
    bands, products = inputs.bands, inputs.products
    scores = np.array([p[f"belief_{name}"] for name in ("smic_n2", "smic_n3", "new_fabs", "foreign_lines")])
    lines = _place(inputs.lines, scores @ products.belief_of)
    axis = np.arange(len(lines), dtype=float)
    delayed = np.stack([np.interp(axis - p["new_fab_delay"], axis, column) for column in lines.T], axis=1)
    lines = np.where(products.delayed > 0, delayed, lines)
    names = ("cowos", "china_packaging", "world_hbm", "china_hbm_import", "china_hbm_domestic", "budget_world",
             "budget_china", "tokens_china", "tokens_world")  # fmt: skip
    placed = {name: _place(bands[name], p[f"belief_{name}"]) for name in names}
    share = np.clip(_place(bands["share_training"], p["belief_training_share"]), 0.1, 0.85)
    return SimpleNamespace(
        lines=lines,
        growth=np.diff(lines, axis=0, prepend=lines[:1]),
        other_packaging=bands["other_packaging"].central,
        share_training=share,
        share_edge=bands["share_edge"].central,
        **placed,
    )


def start(inputs: Any, p: dict[str, float], b: SimpleNamespace) -> State:
    """The state before the first month."""
    x = inputs.products
    r, k = x.initial_installed.shape
    h = len(x.smuggling_weight)
    return State(
        inventory=np.zeros(k),
        installed=np.array(x.initial_installed),
        smuggled=np.zeros(k),
        rented=np.zeros((k, h)),
        dies=np.zeros(len(x.gross)),
        hbm=0.0,
        cumulative_wafers=np.zeros(len(b.lines[0])),
        capacity=b.lines[0],
        tilt=np.zeros(k),
        premium_product=np.full(k, -2.0),
        premium_quota=np.zeros(k),
        premium_route=np.zeros(h),
        premium_offshore=np.zeros(h),
        route=1.3 * p["route_capacity"] * 1e9 * x.smuggling_weight,
        offshore=1.3 * p["rental_capacity"] * 1e9 * x.rental_weight,
        carried=np.zeros((r, x.worth.shape[1])),
        maturity=x.initial_maturity + x.initial_cann * p["maturity_cann"] + x.initial_other * p["maturity_other"],
        markup=np.ones(2),
        load=np.full(2, p["non_llm_load"]),
        load_reference=np.full(2, p["non_llm_load"]),
        largest=np.array(x.initial_largest),
        scarcity=0.0,
    )


def _pool_ratio(capacity: np.ndarray, need: np.ndarray, members: np.ndarray, weight: Any = 1.0) -> np.ndarray:
    ratio = capacity / np.maximum(members @ (need * weight), 1e-9)
    return np.where(members.sum(0) > 0, (ratio @ members) * weight, 1e6)


def _sellable(s: State, p: dict[str, float], m: Any, x: Any) -> np.ndarray:
    chinese = x.chinese_line
    wafers = s.cumulative_wafers * (1 + chinese * p["induced_innovation"] * s.scarcity)
    learned = (1 + wafers / x.learning_wafers) ** -(1 + chinese * (p["learning_exponent"] - 1))
    density = x.defect_floor + (x.defect_initial - x.defect_floor) * learned
    density = density * (1 + chinese * (p["defect_density_scale"] - 1))
    area, alpha = x.area @ x.die_of, p["defect_clustering"]
    good = (1 + area / 100 * (density @ x.line_of) / alpha) ** -alpha
    lever = 1 + (chinese @ x.line_of) * (m.yield_lever - 1)
    salvage = np.clip((x.salvage @ x.die_of) * p["salvage_scale"], 0.0, 0.95)
    return np.clip((good + salvage * (1 - good)) * lever, 0.0, 0.97)


def _share(s: State, m: Any, x: Any) -> np.ndarray:
    weight = m.mix * np.exp(s.tilt)
    return weight * (((x.maker_of @ m.mix) / np.maximum(x.maker_of @ weight, 1e-12)) @ x.maker_of)


def make(s: State, p: dict[str, float], m: Any, b: Any, x: Any) -> SimpleNamespace:
    """Supply of a month."""
    chinese = x.chinese_line * (1 - m.past)
    control = np.clip(1 - p["equipment_effect"] * (m.equipment - 1), 0.02, 2.0)
    factor = p["capacity_realisation"] * m.capacity_investment * control * (1 + p["induced_innovation"] * s.scarcity)
    capacity = np.maximum(s.capacity + b.growth * (1 - chinese + chinese * factor), 1.0)
    fraction, share = _sellable(s, p, m, x), _share(s, m, x)
    domestic, gross = x.domestic, x.gross @ x.die_of
    ai = capacity * np.clip(m.ai_share * (1 + x.chinese_line * (p["china_ai_wafer_share"] - 1)), 0.0, 0.9)
    own = share * domestic
    wafers = own * ((ai / np.maximum(x.line_of @ own, 1e-12)) @ x.line_of)
    fresh = x.die_of @ (wafers * gross * fraction)
    arrived = fresh / (1 + s.dies / np.maximum(24.0 * fresh, 1.0)) + m.bank_inflow * p["die_bank"] * 1e6
    offered = arrived + p["die_bank_release"] * s.dies
    die_share = own / np.maximum((x.die_of @ own) @ x.die_of, 1e-12)
    from_dies = (offered @ x.die_of) * die_share / x.dies_per_package
    cowos = b.cowos * 1e3 * p["packaging_realisation"] * x.per_wafer
    slots = x.packaging_of[0] * cowos + x.packaging_of[1] * b.other_packaging * 1e3
    plan = domestic * from_dies + (1 - domestic) * share * slots
    plan = plan / (1 + (s.inventory / np.maximum(6.0 * plan, 1.0)) ** 4)
    need = (1 - domestic) * plan * x.dies_per_package / np.maximum(gross * fraction, 1e-9)
    logic = np.where(domestic > 0, 1.0, _pool_ratio(ai, need, x.line_of))
    legal = np.clip(1 - m.hbm_control, 0.0, 1.0) * m.korea_hbm
    leak = p["hbm_leakage"] * np.exp(-max(m.hbm_control - 1, 0.0)) * np.clip(m.hbm_control, 0.0, 1.0)
    stacks = b.china_hbm_import * 1e6 * np.clip(legal + leak, 0.0, 1.0) + b.china_hbm_domestic * 1e6 * m.hbm_domestic
    pools = np.array([b.world_hbm * 1e6, stacks + 0.35 * s.hbm])
    preference = np.where(x.memory_of[1] > 0, x.h100e / np.maximum(x.stacks, 1.0), 1.0)
    memory = _pool_ratio(pools, plan * x.stacks, x.memory_of, preference)
    slots = np.array([1e15, 1e15, b.china_packaging * 1e3])
    packaging = np.where(x.packaging_of[2] > 0, _pool_ratio(slots, plan, x.packaging_of), 1.0)
    ratios = np.clip(np.stack([logic, memory, packaging]), 1e-12, 1e6)
    least = ratios.min(0)
    made = plan * least * ((ratios / least) ** -8.0).sum(0) ** (-1 / 8.0)
    used = x.die_of @ (made * domestic * x.dies_per_package)
    return SimpleNamespace(
        made=made,
        dies=(s.dies + arrived - used) * np.clip(x.die_of @ domestic, 0, 1),
        hbm=s.hbm + stacks - x.memory_of[1] @ (made * x.stacks),
        capacity=capacity,
        cumulative=s.cumulative_wafers + capacity,
    )


def _maturity(s: State, p: dict[str, float], m: Any, x: Any) -> np.ndarray:
    own = s.maturity @ x.ecosystem_of
    inherits = np.clip(x.inherits_cuda + x.domestic * m.compatibility, 0, 1) * p["cuda_inheritance"]
    return np.where(x.ecosystem_of[0] > 0, own, own + inherits * np.maximum(s.maturity[0] - own, 0.0))


def _budgets(s: State, p: dict[str, float], m: Any, b: Any, x: Any) -> np.ndarray:
    edge = np.clip(b.share_edge + m.edge_shift, 0.0, 0.8)
    training = b.share_training * (1 - m.edge_shift)
    shares = np.array([training, max(1 - training - edge, 0.05), edge])
    glut = np.clip((s.load / np.maximum(s.load_reference, 1e-6)) ** p["glut_response"], 0.5, 1.6)
    china = x.china
    lever = china * m.china_capex + x.usa * m.us_capex + x.korea * m.korea_budget + (1 - china - x.usa - x.korea)
    total = (x.demand_share * b.budget_world + china * b.budget_china) * 1e9 * lever
    response = np.where(m.past > 0, 1.0, np.where(china > 0, glut[1], glut[0]))
    return total[:, None] * shares * (1 + np.array([0.0, 1.0, 0.0]) * (response[:, None] - 1)) + s.carried


def offer(s: State, p: dict[str, float], m: Any, b: Any, x: Any, made: np.ndarray) -> SimpleNamespace:
    """The month's market: utilities, budgets and capacities."""
    theta = p["choice_sensitivity"]
    price = x.list_price * np.exp(-p["list_price_decline"] * m.age)
    other = (1 - x.domestic) * (1 - x.nvidia)
    scale = 1 + x.domestic * (p["worth_domestic"] - 1) + other * (p["worth_other"] - 1)
    value = np.log(np.maximum(x.worth * scale[:, None], 1e-9)).T
    value = value + np.log(_maturity(s, p, m, x) / (price + p["node_cost"] * x.power))
    on_sale = (m.mix + s.inventory > 1e-9) * 1.0
    best = np.max(np.where(x.open_market * m.mix > 0, value, -1e9), axis=1)
    installed = s.installed @ (x.ecosystem_of * x.h100e).T
    share = installed / np.maximum(installed.sum(1, keepdims=True), 1e-9)
    stick = p["stickiness"] * np.log(share + 0.01) @ x.ecosystem_of
    sovereign = 3.0 * m.korea_domestic * x.korea[:, None] * x.korean
    pull = np.exp(theta * (stick - m.access + sovereign)) * (x.open_market + x.captive * x.usa[:, None]) * on_sale
    foreign = 1 - x.domestic
    china_stick = x.china @ stick
    liking = x.domestic * p["domestic_preference"] - foreign * p["stance_penalty"] * m.stance
    enters = (1 - x.captive) * np.where(m.blocked > 0, p["blocked_leakage"], 1.0)
    direct = np.exp(theta * (china_stick + liking)) * enters * on_sale
    direct = direct * (1 - foreign * p["state_buyer_share"] * m.domestic_floor)
    pressure = m.enforcement + m.hub_enforcement - 2
    cost = p["route_cost"] * np.exp(p["enforcement_effect"] * np.maximum(pressure, -1.5))
    cost = cost + m.hub_licence * p["hub_licence_effect"] + m.location * p["location_verification_effect"]
    rentable = 1 - np.clip(m.rental_control, 0, 1)
    quota = np.where(m.case_by_case > 0, p["case_by_case_units"] * 1e3, m.quota)
    budget = _budgets(s, p, m, b, x)
    return SimpleNamespace(
        theta=theta,
        budget=budget * (1 - x.china)[:, None],
        budget_china=x.china @ budget,
        price=price,
        price_china=price * (1 + m.fee) * (1 - x.domestic * m.subsidy),
        value=np.exp(theta * (value - best[:, None])),
        pull=pull,
        direct=direct,
        foreign=np.exp(theta * china_stick) * x.open_market * on_sale * m.controlled,
        smuggle=x.smuggling_weight * np.exp(-theta * (p["smuggling_penalty"] + cost)),
        rent=x.rental_weight * np.exp(-theta * (p["rental_penalty"] + p["rental_markup"])) * rentable,
        smuggle_cost=cost,
        rent_cost=np.full(cost.shape, p["rental_markup"]),
        outside=np.exp(-theta * p["outside_gap"]),
        supply=s.inventory + made,
        quota=np.where(x.domestic > 0, 1e12, quota),
        route=s.route,
        offshore=s.offshore * rentable,
        pressure=pressure,
    )


def _demand(o: Any, product: Any, quota: Any, route: Any, offshore: Any) -> tuple[np.ndarray, ...]:
    """Open-market demand [R, K], direct [K], foreign per unit of hub factor [K], hub factors [H] twice."""
    root = 1 / o.theta
    weighted = o.value * np.exp(product)
    units = np.exp(product * (1 + root))
    smuggle, rent = o.smuggle * np.exp(route), o.rent * np.exp(offshore)
    offers = o.direct * np.exp(quota) + o.foreign * (smuggle.sum() + rent.sum())
    china = o.budget_china / (weighted @ offers + o.outside)
    world = o.budget / (o.pull @ weighted.T + o.outside)
    wanted = (china @ o.value) * units
    direct = wanted * o.direct / o.price_china * np.exp(quota * (1 + root))
    through = wanted * o.foreign / o.price
    open_market = (world @ o.value) * o.pull * (units / o.price)
    by_route = smuggle * np.exp(route * root - o.smuggle_cost)
    by_rental = rent * np.exp(offshore * root - o.rent_cost)
    return open_market, direct, through, by_route, by_rental, world, china, weighted, smuggle, rent


def _move(log_premium: np.ndarray, capacity: np.ndarray, demand: np.ndarray, gain: float) -> np.ndarray:
    c, d = np.sqrt(np.minimum(capacity, 1e15) + 1e-30), np.sqrt(demand + 1e-30)
    change = 12 * (c - d) / (c + 4 * np.sqrt(c * d) + d)
    return np.clip(log_premium + gain * change, -20.0, 0.0)


def clear(o: Any, s: State) -> SimpleNamespace:
    """Premia by alternate sweeps, then rationing pro rata."""
    gain = RELAX * o.theta / (1 + o.theta)
    product, quota, route, offshore = s.premium_product, s.premium_quota, s.premium_route, s.premium_offshore
    for _ in range(SWEEPS):
        _, direct, through, by_route, by_rental, *_ = _demand(o, product, quota, route, offshore)
        value = through @ o.price
        quota = _move(quota, o.quota, direct, gain)
        route = _move(route, o.route, value * by_route, gain)
        offshore = _move(offshore, o.offshore, value * by_rental, gain)
        sold, direct, through, by_route, by_rental, *_ = _demand(o, product, quota, route, offshore)
        demand = sold.sum(0) + direct + through * (by_route.sum() + by_rental.sum())
        product = _move(product, o.supply, demand, gain)
    only_direct = (o.pull.sum(0) <= 0) & (o.foreign <= 0)
    direct = np.minimum(_demand(o, product, quota, route, offshore)[1], o.quota)
    slack = (direct < o.supply) & ((quota < 0) | (direct < 0.9 * o.supply))
    moved = np.where(only_direct & slack, product, 0.0)
    product, quota = product - moved, np.maximum(quota + moved, -20.0)
    sold, direct, through, by_route, by_rental, world, china, weighted, smuggle, rent = _demand(
        o, product, quota, route, offshore
    )
    value = through @ o.price
    keep_direct = np.minimum(1.0, o.quota / np.maximum(direct, 1e-30))
    keep_route = np.minimum(1.0, o.route / np.maximum(value * by_route, 1e-30))
    keep_rental = np.minimum(1.0, o.offshore / np.maximum(value * by_rental, 1e-30))
    by_route, by_rental = by_route * keep_route, by_rental * keep_rental
    wanted = sold.sum(0) + direct * keep_direct + through * (by_route.sum() + by_rental.sum())
    keep = np.minimum(1.0, o.supply / np.maximum(wanted, 1e-30))
    kept = smuggle @ keep_route + rent @ keep_rental
    gone = smuggle @ (1 - keep_route) + rent @ (1 - keep_rental)
    missed = o.direct * np.exp(quota) * (1 - keep * keep_direct) + o.foreign * ((1 - keep) * kept + gone)
    return SimpleNamespace(
        open_market=sold * keep,
        direct=direct * keep_direct * keep,
        smuggled=(through * keep)[:, None] * by_route,
        rented=(through * keep)[:, None] * by_rental,
        unspent=world * (o.pull @ (weighted * (1 - keep)).T),
        unspent_china=china * (weighted @ missed),
        product=product,
        quota=quota,
        route=route,
        offshore=offshore,
    )


def stock(s: State, p: dict[str, float], m: Any, x: Any, o: Any, made: np.ndarray, c: Any) -> State:
    """Stocks, routes and the makers' mix after the month's sales."""
    theta, hazard = p["choice_sensitivity"], 1 / (12 * p["chip_life"])
    direct = c.open_market + x.china[:, None] * c.direct
    rate = np.clip(p["seizure_rate"] * np.exp(p["enforcement_effect"] * o.pressure), 0, 0.6)
    shipped = c.smuggled.sum(1)
    left = np.maximum(s.inventory + made - direct.sum(0) - shipped - c.rented.sum(1), 0.0)
    scrapped = left * m.scrap
    growth = np.exp(0.08 * (m.year - 3.5))
    calm = 0.25 * np.exp(p["enforcement_effect"] * np.maximum(o.pressure, -1.5))
    attrition = calm + 2 * m.hub_licence * p["hub_licence_effect"]
    seen, together = p["diversion_limit"] * 1e9 * x.smuggling_weight * growth, p["route_fungibility"]
    attrition = attrition + (1 - together) * s.route / seen + together * s.route.sum() / seen.sum()
    route = s.route * np.exp(p["route_adjustment"] * (np.tanh(-c.route / theta / 0.1) - attrition))
    limit = p["offshore_limit"] * 1e9 * x.rental_weight * growth
    hosting = p["rental_growth"] * (np.tanh(-c.offshore / theta / 0.1) - 0.1 - s.offshore / limit)
    premium = -c.product / theta
    surplus = (left - scrapped) / np.maximum(made * 3.0, 1e3)
    signal = np.clip(premium, 0, 1.5) - np.clip(surplus, 0, 2)
    chinese = x.domestic * made
    scarcity = np.clip(premium @ chinese / max(chinese.sum(), 1.0), 0, 2)
    lost = hazard + p["smuggled_failure"] / 12 + m.location * p["location_verification_effect"] / 12
    return State(
        inventory=left - scrapped,
        installed=s.installed * (1 - hazard) + direct,
        smuggled=s.smuggled * (1 - lost) + shipped - (c.smuggled * rate).sum(1),
        rented=s.rented * (1 - hazard) + c.rented,
        tilt=np.clip(s.tilt * 0.97 + p["mix_response"] * signal * (m.mix > 0), -4.0, 2.0),
        premium_product=c.product,
        premium_quota=c.quota,
        premium_route=c.route,
        premium_offshore=c.offshore,
        route=np.clip(route, 1e4, 5e10),
        offshore=np.clip(s.offshore * np.exp(hosting - 0.15 * m.rental_control), 1e4, 5e10),
        carried=c.unspent + x.china[:, None] * c.unspent_china,
        scarcity=0.85 * s.scarcity + 0.15 * scarcity,
        maturity=s.maturity,
        markup=s.markup,
        load=s.load,
        load_reference=s.load_reference,
        largest=s.largest,
    )


def use(s: State, p: dict[str, float], m: Any, b: Any, x: Any) -> tuple[State, dict[str, Any]]:
    """Software, tokens and the largest run; and the month's main outputs."""
    china = x.china
    credited = s.installed + china[:, None] * (s.smuggled + s.rented.sum(1))
    held = credited @ (x.ecosystem_of * x.h100e).T
    world, at_home = held.sum(0), china @ held
    share = np.maximum(world / max(world.sum(), 1), at_home / max(at_home.sum(), 1))
    used = share / (share + 0.1)
    moved = p["maturity_growth"] * used * (1 - s.maturity) - p["maturity_decay"] * (1 - used) * s.maturity
    s.maturity = np.clip(s.maturity + moved / 12, 0.05, 1.0)
    mature = _maturity(s, p, m, x) * (1 + x.domestic * (p["worth_domestic"] - 1))
    rate, flops = credited @ (x.tokens * mature), credited @ (x.training_flops * mature)
    own = china @ rate
    fleet = np.array([rate.sum() - own, own]) * (1 - b.share_training)
    gain = (m.year - 2.5) * m.algorithms * np.log(p["algorithmic_inference"])
    weight = np.array([p["model_weight_ratio"], 1.0])
    efficiency = p["reference_tokens"] / weight * np.exp(gain * (1 - p["quality_rebound"]))
    capacity = np.maximum(fleet * efficiency * 86400.0, 1.0)
    reference = 1.3 + (p["markup_start"] - 1.3) * np.exp(-p["markup_fall"] * m.year)
    relative = s.markup
    base = np.array([b.tokens_world, b.tokens_china]) * 1e12 * m.tokens_growth
    demanded = base * relative ** -p["token_elasticity"]
    free = capacity * (1 - p["non_llm_load"])
    served = demanded / (1 + (demanded / np.maximum(free, 1.0)) ** 6) ** (1 / 6)
    load = p["non_llm_load"] + served / capacity
    pressure = demanded / capacity + p["non_llm_load"]
    drift = np.where(m.past > 0, 0.0, 0.15 * np.clip(pressure - p["utilisation_target"], -0.5, 1.5))
    price = 2.4 / 3600 / efficiency * 1e6 * np.exp(-0.12 * m.year) * np.maximum(reference * relative, 0.5)
    s.markup = np.clip(relative * np.exp(drift), 0.25, 8.0)
    s.load = 0.8 * s.load + 0.2 * load
    s.load_reference = np.where(m.past > 0, s.load, s.load_reference)
    part = p["largest_run_share"] * (1 + china * (p["china_run_share"] - 1))
    run = flops * part * p["run_months"] * 30.44 * 86400.0
    s.largest = np.maximum(s.largest, np.log(np.maximum(run, 1.0)))
    return s, {"compute": held.sum(1), "token_price": price, "tokens_served": served, "largest_run": np.exp(s.largest)}


def simulate(inputs: Any, p: dict[str, float]) -> tuple[State, dict[str, np.ndarray]]:
    """All months of one member: the state at the end, and the main outputs by month."""
    x, b = inputs.products, beliefs(inputs, p)
    s = start(inputs, p, b)
    dated, believed = vars(inputs.months), vars(b)
    kept: list[dict[str, Any]] = []
    for t in range(len(inputs.months.index)):
        m = SimpleNamespace(**{name: values[t] for name, values in dated.items()})
        now = SimpleNamespace(**{name: values[t] for name, values in believed.items()})
        supplied = make(s, p, m, now, x)
        market = offer(s, p, m, now, x, supplied.made)
        cleared = clear(market, s)
        s = stock(s, p, m, x, market, supplied.made, cleared)
        s.dies, s.hbm = supplied.dies, supplied.hbm
        s.cumulative_wafers, s.capacity = supplied.cumulative, supplied.capacity
        s, outputs = use(s, p, m, now, x)
        kept.append({**outputs, "made": supplied.made, "smuggled_by_hub": cleared.smuggled.sum(0)})
    return s, {name: np.stack([month[name] for month in kept]) for name in kept[0]}


def check(inputs: Any, p: dict[str, float], tolerance: float = 1e-9) -> float:
    """Largest relative difference of any field of the last state to JAX's. Raises `AssertionError` above `tolerance`."""
    import jax

    from chipweir.world import simulate as compiled

    theirs, _ = jax.jit(lambda i, q: compiled(i, q, save=lambda month: ()))(inputs, p)
    ours, _ = simulate(inputs, p)
    found = {}
    for name, values in vars(theirs).items():
        reference, own = np.asarray(values), np.asarray(getattr(ours, name))
        scale = max(float(np.abs(reference).max()), _SCALES.get(name, 1e-9))
        if name == "premium_product":  # of a product that is sold out for good it is the logarithm of a rounding error
            sold = (ours.inventory > 1e-6) | (np.asarray(inputs.months.mix)[-1] > 0)
            reference, own = reference[sold], own[sold]
        found[name] = float(np.abs(own - reference).max()) / scale
    worst = max(found, key=lambda name: found[name])
    assert found[worst] < tolerance, f"the NumPy baseline differs from the model by {found[worst]:.1e} in {worst}"
    return found[worst]
