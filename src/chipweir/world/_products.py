"""The world's product list: the shipped table, a user's own chips, and what a scenario brings or dates anew."""

import re
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from chipweir.errors import InputError, UnknownName
from chipweir.world._tables import Extra, Row, table


if TYPE_CHECKING:
    from chipweir.facts import Chip, Facts
    from chipweir.world._scenario import ProductPlan, Scenario

_MAKERS = {
    "nvidia": "nvidia",
    "amd": "amd",
    "google": "google",
    "amazon": "aws",
    "huawei": "huawei",
    "cambricon": "cambricon",
}
_OTHERS = {"KR": "others-kr", "CN": "others-cn"}
# Foundry lines by the node that they run, nanometres: the first row that is no smaller than the chip's node.
_LINES = {
    "CN": ((5, "smic-n3"), (10, "smic-n2"), (99, "legacy-14-28")),
    "": ((2, "tsmc-n2"), (3, "tsmc-n3"), (5, "tsmc-n5"), (99, "tsmc-n7")),
}
# Months from release to full output, to the start of its decline and to its end (as the shipped products have them; prior).
_RAMP, _PLATEAU, _DECLINE = 9, 24, 45
_PACKAGE_COST = {
    "cowos": "prior(600, 1000, 1800)", "china-packaging": "prior(250, 450, 900)", "other-packaging": "prior(40, 90, 200)",
}  # fmt: skip


def product_rows(extra: Extra = ()) -> tuple[Row, ...]:
    """Rows of the product list: the shipped ones, then those of `extra`."""
    return (*table("products"), *(dict(items) for items in extra))


def own_products(facts: "Facts", scenarios: Iterable["Scenario"] = ()) -> Extra:
    """What these facts and scenarios add to the shipped list: own accelerators, and products that a scenario brings.

    Raises `InputError` for a scenario's product that cannot be placed.
    """
    shipped = {row["product"] for row in table("products")}
    found: dict[str, Row] = {}
    for chip in facts.chips.values():
        if "/" in chip.origin and chip.data_centre and chip.id not in shipped:
            found[chip.id] = row_of(chip)
    for scenario in scenarios:
        for name, plan in scenario.products.items():
            if name not in shipped and name not in found:
                found[name] = _brought(name, plan, facts, scenario.name)
    return tuple(tuple(row.items()) for row in found.values())


def _brought(name: str, plan: "ProductPlan", facts: "Facts", scenario: str) -> Row:
    basis = plan.basis or name
    try:
        chip = facts.chip(basis)
    except UnknownName as error:
        raise InputError(
            f"{scenario}: products.{name}: no chip '{basis}' in the facts"
            + (f"; did you mean {' or '.join(error.suggestions)}?" if error.suggestions else "")
            + " A new product names the chip whose datasheet it has: basis: nvidia-h20"
        ) from None
    made_like = next((row for row in table("products") if row["product"] == chip.id), None)
    row = dict(made_like or row_of(chip))
    price = f"{plan.price_usd:g}" if plan.price_usd else row["price"]
    return {
        **row,
        "product": name,
        "basis": chip.id,
        "scale": f"{plan.scale:g}",
        "price": price,
        "note": f"brought by {scenario}",
    }


def row_of(chip: "Chip") -> Row:
    """A row of the product list for a chip of the facts, placed by its maker, node, memory and release."""
    home = "CN" if chip.maker_country == "CN" else ""
    maker = _MAKERS.get(chip.maker, _OTHERS.get(chip.maker_country, "others-us"))
    stacked = "hbm" in chip.memory_type.lower()
    packaging = ("china-packaging" if home else "cowos") if stacked else "other-packaging"
    start = _month_of(chip.release)
    area = f"{chip.id}.die_mm2" if chip.die_mm2 is not None else "prior(500, 700, 820)"
    return {
        "product": chip.id,
        "maker": maker,
        "line": _line_of(chip, home),
        "packaging": packaging,
        "memory": "none" if not stacked else "china" if home else "world",
        "die": chip.id,
        "area_mm2": area,
        "dies": f"{chip.id}.dies_per_package" if chip.dies_per_package is not None else "1",
        "salvage": "0.3",
        "stacks": f"{chip.id}.hbm_stacks"
        if stacked and chip.hbm_stacks is not None
        else "prior(4, 6, 8)"
        if stacked
        else "0",
        "per_wafer": "0" if home or not stacked else "20",
        "package_cost": _PACKAGE_COST[packaging],
        "ecosystem": chip.ecosystem if chip.ecosystem in {row["ecosystem"] for row in table("ecosystems")} else "other",
        "inherits_cuda": {"native": "1", "source-compatible": "0.6", "source-port": "0.4", "partial": "0.3"}.get(
            chip.cuda_compatibility, "0.1"
        ),
        "market": "CHN" if home else "world",
        "start": start,
        "full": _later(start, _RAMP),
        "fade": _later(start, _PLATEAU),
        "end": _later(start, _DECLINE),
        "weight": "0.3",
        "rack": "0",
        "basis": "",
        "scale": "1",
        "price": f"price({chip.id})" if chip.price_usd is not None else "prior(6000, 15000, 40000)",
        "note": f"own chip ({chip.origin}); place in the list by maker, node and release: priors",
    }


def _line_of(chip: "Chip", home: str) -> str:
    if "samsung" in chip.foundry.lower():
        return "samsung-sf4"
    digits = re.search(r"\d+", chip.node)
    node = int(digits[0]) if digits else 7 if home else 5
    return next(line for least, line in _LINES[home] if node <= least)


def _month_of(release: str) -> str:
    if not release:
        return "2026-12"
    year, rest = release[:4], release[4:].lstrip("-")
    month = {"Q": lambda n: 3 * n - 2, "H": lambda n: 6 * n - 5}.get(rest[:1])
    number = month(int(rest[1])) if month else int(rest[:2] or 1)
    return f"{year}-{number:02d}"


def _later(month: str, by: int) -> str:
    whole = int(month[:4]) * 12 + int(month[5:7]) - 1 + by
    return f"{whole // 12}-{whole % 12 + 1:02d}"


def dated_rows(rows: Iterable[Row], plans: Mapping[str, "ProductPlan"]) -> tuple[Row, ...]:
    """The rows with a scenario's dates over them: a product that it dates starts then, ramps and ends as the table's do."""
    out = []
    for row in rows:
        plan = plans.get(row["product"])
        if plan is None or plan.start is None:
            out.append(row)
            continue
        end = plan.end or _later(plan.start, _DECLINE)
        fade = _later(plan.start, _PLATEAU) if plan.end is None else plan.end
        dates = {"start": plan.start, "full": _later(plan.start, 3), "fade": min(fade, end), "end": end}
        out.append({**row, **dates})
    return tuple(out)
