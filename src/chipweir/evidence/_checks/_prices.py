"""Checks of prices, their ratios and currency glosses."""

from typing import Any

from chipweir.errors import InputError
from chipweir.evidence._checks._context import Context, allowed, number_of
from chipweir.evidence._frames import Claim
from chipweir.evidence._verdict import (
    Evidence,
    Number,
    Status,
    Text,
    Verdict,
    compare,
    decide,
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
