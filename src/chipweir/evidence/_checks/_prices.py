"""Checks of prices, their ratios and currency glosses."""

import re
from typing import Any

from chipweir.errors import InputError
from chipweir.evidence._checks._context import Context, allowed, days_between, days_of, number_of
from chipweir.evidence._checks._hardware import missing
from chipweir.evidence._frames import Claim
from chipweir.evidence._verdict import (
    Evidence,
    Number,
    Status,
    Text,
    Verdict,
    compare,
    decide,
    first,
    open_slots,
    value_evidence,
)


def list_prices(context: Context, model: str, metric: str) -> list[Any]:
    """API prices of a model in dollars for `input`, `output` or `cached_input`: its maker's own list where there is one.

    Lists in another currency are converted at the rate of their day.
    """
    found = [
        dollars
        for price in context.facts.prices.values()
        if price.kind == "api" and price.item_id == model and price.metric == metric
        if (dollars := _in_dollars(price, context)) is not None
    ]
    record = context.facts.models.get(model)
    own = [price for price in found if record is not None and price.provider_id == record.maker]
    return own or found


def _in_dollars(price: Any, context: Context) -> Any:
    """The price in dollars; None where no rate is known for its day."""
    if price.currency == "USD":
        return price
    try:
        value = context.facts.convert(price.value, price.currency, "USD", price.since[:7])
    except InputError:
        return None
    return price.model_copy(update={"value": value})


def in_force(price: Any, day: str | None) -> bool:
    """Whether a price held on a day."""
    if day is None:
        return True
    start, end = price.valid_from, price.valid_to
    return (not start or start <= day[: len(start)]) and (not end or day[: len(end)] < end)


def conditions(context: Context, model: str, metric: str, price: float) -> list[Any]:
    """Other tiers of the same price, such as the one above 200k tokens of prompt, that cost something else."""
    names = {entry.item for entry in list_prices(context, model, metric)}
    return [
        entry
        for entry in context.facts.prices.values()
        if entry.kind == "api"
        and entry.metric == metric
        and entry.item not in names
        and any(re.fullmatch(re.escape(name) + r"-\d+k", entry.item) for name in names)
        and abs(entry.value.best - price) > 0.01 * price
    ]


def check_price(claim: Claim, context: Context) -> Verdict:
    """A list price per million tokens against the dated price list."""
    if (gap := missing(claim, "model")) is not None:
        return gap
    model, said = claim.value("model"), claim.value("direction")
    metric = {"cached input": "cached_input"}.get(said, said) or "output"
    effective = context.time(claim, "effective")
    day = effective[0] if effective else context.on
    listed = list_prices(context, model, metric)
    amount = _usd(context, context.figure(claim), day)
    if not listed or amount is None:
        text = Text("no_fact", {"what": context.name(model)})
        return Verdict("unsupported", "model", text=text, change=Text("change_price_list"))
    best, found = _nearest_price(listed, amount, day)
    slots: dict[str, Status] = {"amount": found}
    notes: list[Text] = []
    tiers = conditions(context, model, metric, best.value.best)
    if tiers:
        notes.append(Text("price_tier", {"tier": tiers[0].item, "price": Number("", tiers[0].value.best, "USD")}))
    if context.on and effective and effective[0] > context.on:
        slots["effective"] = "consistent"
        notes.append(Text("price_later", {"date": effective[0], "days": float(days_between(context.on, effective[0]))}))
    for name in open_slots(claim, ("basis", "direction")):
        slots[name] = "ambiguous"
    status, slot = decide(slots)
    low, high = best.value.interval
    numbers = (
        Number("claimed", amount, "USD/1e6 token"),
        Number("list price", best.value.best, "USD/1e6 token", low, high, best.id),
    )
    evidence = [_listed(best, context, status == "consistent"), *(_listed(t, context, None) for t in tiers[:1])]
    shown = {"claimed": Number("", amount, "USD"), "known": Number("", best.value.best, "USD")}
    text = Text(
        "price" if best.valid_from else "price_undated",
        {"model": context.name(model), "metric": metric, "from": best.valid_from or "?", **shown},
    )
    return Verdict(status, slot, slots, numbers, tuple(evidence), text, Text("change_price_list"), tuple(notes))


def _nearest_price(listed: list[Any], amount: float, day: str | None) -> tuple[Any, Status]:
    """The price in force that is nearest, and how the amount compares; one that held at another date is stale."""
    held = sorted((p for p in listed if in_force(p, day)), key=lambda p: p.valid_from, reverse=True) or listed
    best = min(held[:3], key=lambda p: abs(p.value.best - amount))
    status = compare((amount * 0.995, amount * 1.005), best.value.interval, 0.0)
    if status != "consistent":
        others = [p for p in listed if p not in held]
        elsewhen = first(p for p in others if compare((amount, amount), p.value.interval, 0.005) == "consistent")
        if elsewhen is not None:
            return elsewhen, "stale"
    return best, status


def _listed(price: Any, context: Context, supports: bool | None) -> Evidence:
    since = f", from {price.valid_from}" if price.valid_from else ""
    words = f"{price.provider} {price.item} {price.metric}{since}"
    return value_evidence("price", price.id, words, price.value, context.facts, supports)


def _usd(context: Context, figure: Any, day: str | None) -> float | None:
    amount = number_of(figure)
    scale = {"per_1e3_token": 1e3, "per_1e6_token": 1.0, "per_token": 1e6, "per_1e9_token": 1e-3}.get(figure.basis, 1.0)
    return context.convert(amount * scale, figure.unit, "USD", day)


def price_of(context: Context, thing: str, day: str | None) -> tuple[float, str, bool] | None:
    """A model's output price: as the article gives it, else as listed; with the id of its evidence and whether the
    article itself states it."""
    for claim in context.claims_about("price", "model", thing):
        if claim.value("direction") in {"output", None}:
            figure = context.figure(claim)
            amount = _usd(context, figure, day)
            if amount:
                return amount, claim.id, True
    listed = [price for price in list_prices(context, thing, "output") if in_force(price, day)]
    if listed:
        best = max(listed, key=lambda price: price.valid_from)
        return best.value.best, best.id, False
    return None


def check_price_ratio(claim: Claim, context: Context) -> Verdict:
    """A ratio of prices against the quotients of the prices named in the article or listed."""
    item, against = claim.value("item"), claim.value("against")
    if item is None or against is None:
        return Verdict(
            "not_checkable",
            "item" if item is None else "against",
            text=Text("missing_slots", {"slots": tuple(claim.asked)}),
            change=Text("change_slot", {"slot": "against"}),
        )
    others = against if isinstance(against, tuple | list) else (against,)
    own = price_of(context, item, context.on)
    priced = [(other, price) for other in others if (price := price_of(context, other, context.on))]
    if own is None or not priced:
        return Verdict(
            "unsupported", "item", text=Text("no_fact", {"what": context.name(item)}), change=Text("change_price_list")
        )
    figure = context.figure(claim)
    assert figure is not None
    # "A sixth of the price" is a share of the other's price; "six times cheaper" is the other's over the own.
    lower = claim.value("direction") != "higher" and figure.unit != "fraction"
    quotients = {other: (price[0] / own[0] if lower else own[0] / price[0]) for other, price in priced}
    numbers = [Number(f"{context.name(item)}", own[0], "USD/1e6 token", source=own[1])]
    numbers += [Number(context.name(other), price[0], "USD/1e6 token", source=price[1]) for other, price in priced]
    numbers += [
        Number(f"ratio to {context.name(other)}", value, "ratio", source="arithmetic")
        for other, value in quotients.items()
    ]
    low, high = min(quotients.values()), max(quotients.values())
    span = _band(figure)
    inside = [other for other, value in quotients.items() if span[0] * 0.97 <= value <= span[1] * 1.03]
    slots: dict[str, Status] = {"figure": "consistent" if inside else compare(span, (low, high))}
    if inside and len(inside) < len(quotients):
        slots["against"] = "imprecise"
    status, slot = decide(slots)
    division = " ; ".join(
        f"{context.name(o)} {p[0]:g} / {own[0]:g} = {quotients[o]:.2f}"
        if lower
        else f"{own[0]:g} / {context.name(o)} {p[0]:g} = {quotients[o]:.2f}"
        for o, p in priced
    )
    evidence = Evidence("arithmetic", "quotients", division, supports=bool(inside))
    return Verdict(
        status,
        slot,
        slots,
        tuple(numbers),
        (evidence, *_listings(context, [own, *(price for _, price in priced)])),
        Text(
            "price_ratio",
            {
                "low": Number("", low, "ratio"),
                "high": Number("", high, "ratio"),
                "inside": tuple(context.name(o) for o in inside) or ("-",),
                "item": context.name(item),
            },
        ),
        Text("change_ratio"),
        (Text("output_price_only"),),
    )


def _listings(context: Context, prices: list[tuple[float, str, bool]]) -> list[Evidence]:
    """The price lists behind prices that the article does not state itself."""
    listed = [context.facts.prices[identifier] for _, identifier, stated in prices if not stated]
    return [
        value_evidence("price", price.id, f"{price.provider} {price.item} {price.metric}", price.value, context.facts)
        for price in listed
    ]


def _band(figure: Any) -> tuple[float, float]:
    """The multiples that "up to N times" or "tens of times" allow: an upper bound is about the largest quotient."""
    low, high = allowed(figure)
    if figure.bound in {"le", "lt"}:
        least = float(figure.low) if isinstance(figure.low, int | float) and figure.low else number_of(figure) * 0.85
        return least, high
    return low, high


def check_fx(claim: Claim, context: Context) -> Verdict:
    """A currency gloss against the dated exchange rate."""
    figure, original = context.figure(claim), _other(context, claim)
    if figure is None or original is None:
        return Verdict(
            "not_checkable",
            "original",
            text=Text("missing_slots", {"slots": ("original",)}),
            change=Text("change_slot", {"slot": "original"}),
        )
    implied = number_of(figure) / number_of(original)
    first_unit, second_unit = figure.unit, original.unit
    if implied < 1:  # a rate reads better as the larger number
        implied, first_unit, second_unit = 1 / implied, original.unit, figure.unit
    unit = f"{first_unit}/{second_unit}"
    numbers = [Number("implied rate", implied, unit, source="arithmetic")]
    division = f"{number_of(figure):g} / {number_of(original):g} = {implied:,.4g}"
    day = context.on
    rate = context.convert(1.0, second_unit, first_unit, day)
    if rate is None:
        return Verdict(
            "ambiguous" if day is None else "not_checkable",
            "date",
            {"date": "ambiguous"},
            tuple(numbers),
            (Evidence("arithmetic", "implied-rate", division),),
            Text("fx_no_date", {"implied": implied, "unit": unit}),
            Text("change_slot", {"slot": "date"}),
        )
    off = implied / rate - 1
    for then in _days_beside(claim, context):
        other = context.convert(1.0, second_unit, first_unit, then)
        if other is not None and abs(implied / other - 1) < abs(off):
            rate, off, day = other, implied / other - 1, then
    numbers.append(Number("rate of the month", rate, unit, source="fx"))
    status: Status = "consistent" if abs(off) <= 0.025 else "imprecise" if abs(off) <= 0.08 else "contradicted"
    evidence = (
        Evidence("arithmetic", "implied-rate", division, supports=status == "consistent"),
        Evidence(
            "fact",
            f"fx-{original.unit.lower()}-{figure.unit.lower()}",
            f"{unit} {rate:,.4g} ({str(day)[:7]})",
            as_of=str(day)[:7],
            supports=status == "consistent",
        ),
    )
    return Verdict(
        status,
        "figure",
        {"figure": status, "date": "consistent"},
        tuple(numbers),
        evidence,
        Text("fx", {"implied": implied, "rate": rate, "unit": unit, "date": str(day)[:7]}),
        Text("change_fx"),
    )


def _days_beside(claim: Claim, context: Context) -> list[str]:
    """First days of the dates named in the claim's sentence: a sum of the past is glossed at the rate of its day."""
    times = (context.page.found.times[i] for i in context.page.places["times"][claim.sentence])
    return [time.low[:10] for time in times if time.low]


def _other(context: Context, claim: Claim) -> Any:
    slot = claim.slots.get("original")
    return None if slot is None or slot.quantity is None else context.page.found.quantities[slot.quantity]


def check_chip_price(claim: Claim, context: Context) -> Verdict:
    """A price of a chip, server or rack against street prices and list prices of the fact base."""
    figure, item = context.figure(claim), claim.value("item")
    if figure is None or item is None:
        return Verdict(
            "not_checkable",
            "item",
            text=Text("missing_slots", {"slots": ("item",)}),
            change=Text("change_slot", {"slot": "item"}),
        )
    per, market = claim.value("per"), claim.value("market")
    options: list[tuple[Any, float, float, float]] = []
    for candidate, size in _sold_as(context, item, per):
        record = context.facts.chips.get(candidate) or context.facts.systems.get(candidate)
        values = (
            []
            if record is None or market == "black market"
            else [(record.id, v) for v in (record.price_usd, *record.alternatives("price_usd")) if v]
        )
        values += [
            (fact.id, fact.value)
            for fact in context.facts.facts.values()
            if fact.measure in {"street_price", "chip_price"}
            and fact.item_id == candidate
            and (fact.dims.get("per", "chip") == "chip") == (candidate in context.facts.chips)
        ]
        for identifier, value in values:
            low = context.convert(value.interval[0], value.unit, figure.unit, value.as_of or context.on)
            high = context.convert(value.interval[1], value.unit, figure.unit, value.as_of or context.on)
            if low is not None and high is not None:
                options.append(((identifier, value, candidate), low / size, high / size, size))
    if not options:
        return Verdict(
            "unsupported", "item", text=Text("no_fact", {"what": context.name(item)}), change=Text("change_fact")
        )
    claimed = context.claimed(claim)
    (identifier, value, candidate), low, high, _ = min(
        options, key=lambda o: 0 if claimed[0] <= o[2] and o[1] <= claimed[1] else abs(claimed[0] - (o[1] + o[2]) / 2)
    )
    slots: dict[str, Status] = {"figure": compare(claimed, (low, high), 0.1)}
    for name in open_slots(claim, ("per", "market")):
        slots[name] = "ambiguous" if name == "per" else "not_checkable"
    slots.pop("market", None)
    status, slot = decide(slots)
    known = Number(f"price of {context.name(candidate)}", (low + high) / 2, figure.unit, low, high, identifier)
    return Verdict(
        status,
        slot,
        slots,
        (Number("claimed", context.value(claim), figure.unit), known),
        (
            value_evidence(
                "fact", identifier, f"price of {context.name(candidate)}", value, context.facts, status == "consistent"
            ),
        ),
        Text(
            "compared",
            {"claimed": Number("", context.value(claim), figure.unit), "known": known, "what": context.name(item)},
        ),
        Text("change_fact"),
    )


# Rental prices moved by half within a year: a price holds for these days around its own.
_RENTAL_DAYS = 200


def check_rental(claim: Claim, context: Context) -> Verdict:
    """A rental price of a chip by the hour against the dated ones of its time, or of all times where no date is known."""
    if (gap := missing(claim, "item")) is not None:
        return gap
    figure, item = context.figure(claim), str(claim.value("item"))
    listed = [price for price in context.facts.prices.values() if price.kind == "gpu_rental" and price.item_id == item]
    near = [p for p in listed if _around(p.valid_from, context.on)]
    options = []
    for price in near or listed:
        ends = (
            [context.convert(end, "USD", figure.unit, price.valid_from) for end in price.value.interval]
            if figure
            else []
        )
        if ends and None not in ends:
            options.append((price, *ends))
    if figure is None or not options:
        return Verdict(
            "unsupported", "figure", text=Text("no_fact", {"what": context.name(item)}), change=Text("change_fact")
        )
    claimed = context.claimed(claim)
    price, low, high = min(
        options, key=lambda o: 0 if claimed[0] <= o[2] and o[1] <= claimed[1] else abs(claimed[0] - (o[1] + o[2]) / 2)
    )
    status = compare(claimed, (low, high), 0.1)
    if status != "contradicted" or near or not context.on:
        slots: dict[str, Status] = {"figure": status}
    else:
        slots = {"figure": "unsupported"}  # prices of other years refute nothing
    status, slot = decide(slots)
    known = Number(f"{price.provider} {price.item}", (low + high) / 2, figure.unit, low, high, price.id)
    what = f"{price.provider} {price.item} {price.metric}, {price.valid_from}"
    return Verdict(
        status,
        slot,
        slots,
        (Number("claimed", context.value(claim), figure.unit), known),
        (value_evidence("price", price.id, what, price.value, context.facts, status == "consistent"),),
        Text("rental", {"claimed": Number("", context.value(claim), figure.unit), "known": known, "what": what}),
        Text("change_price_list"),
    )


def _around(day: str, on: str | None) -> bool:
    span = days_of(day)
    return on is not None and span is not None and abs(days_between(span[0], on)) <= _RENTAL_DAYS


def _sold_as(context: Context, item: str, per: str | None) -> list[tuple[str, float]]:
    """The thing itself and the systems made of it, with how many of them one price covers."""
    whole = per in {"8-GPU server", "rack"}
    systems = [s for s in context.facts.systems.values() if s.chip == item and s.n_chips <= 72]
    return [(item, 1.0), *((s.id, 1.0 if whole else float(s.n_chips)) for s in systems)]
