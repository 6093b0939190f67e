"""One road for a number: what the facts say reaches the model, and nothing known later does."""

from dataclasses import fields, is_dataclass

import numpy as np
import pytest

from chipweir import facts as room
from chipweir.facts import derive
from chipweir.market import Dated as MarketDated
from chipweir.market import Goods
from chipweir.strategy import facts_unused, facts_used
from chipweir.supply import Dated as SupplyDated
from chipweir.supply import Fabs
from chipweir.world import assemble, cells, load_scenario, product_rows, table
from chipweir.world._tables import CELLS


KNOWN = room.load()
USED = facts_used(KNOWN)
BASE = load_scenario("baseline")


def leaves(record):
    """All arrays of a record, by path."""
    if is_dataclass(record):
        for field in fields(record):
            for path, array in leaves(getattr(record, field.name)):
                yield f"{field.name}.{path}", array
    elif isinstance(record, dict):
        for name, inner in record.items():
            for path, array in leaves(inner):
                yield f"{name}.{path}", array
    elif isinstance(record, tuple) and hasattr(record, "_fields"):
        for name in record._fields:
            for path, array in leaves(getattr(record, name)):
                yield f"{name}.{path}", array
    else:
        yield "", np.asarray(record)


def differing(one, other):
    pairs = zip(leaves(one), leaves(other), strict=True)
    return [path for (path, a), (_, b) in pairs if a.shape != b.shape or not np.array_equal(a, b, equal_nan=True)]


def test_the_model_rests_on_hundreds_of_facts_and_says_where():
    assert len(USED) > 250
    assert all(row["enters"] for row in USED)
    assert {row["id"].split("-")[0] for row in USED} >= {"fab", "obs", "dem", "kor", "shi", "nvidia", "huawei"}


def test_every_fact_that_is_not_used_has_its_reason():
    unused = facts_unused(KNOWN, USED)
    assert {row["id"] for row in unused} | {row["id"] for row in USED} >= set(KNOWN.facts)
    assert all(row["reason"] for row in unused)


@pytest.mark.parametrize("identifier", [row["id"] for row in USED][:: max(len(USED) // 12, 1)])
def test_a_tenth_more_of_a_fact_changes_an_input(identifier):
    changed = room.load(changes={identifier: "+10%"})
    assert differing(assemble(BASE, KNOWN), assemble(BASE, changed))
    assert changed.digest != KNOWN.digest


def test_every_fact_moves_the_cells_that_name_it():
    """Re-deriving each cell with one of its facts a tenth higher moves its centre or its bounds."""
    still = []
    found = cells(KNOWN)
    for cell in found.values():
        for term, slope in zip(cell.derived.terms, cell.derived.slopes, strict=True):
            if term.kind != "prior" and slope == 0 and "bounds" not in cell.derived.expression:
                still.append((cell.place, term.name))
    assert not still


def test_the_overlay_that_once_changed_nothing_changes_the_world():
    changes = {
        "fab-004": "x5",
        "dem-023": "x10",
        "nvidia-h20.price_usd": "90000",
        "huawei-ascend-910c.price_usd": "100",
    }
    moved = differing(assemble(BASE, KNOWN), assemble(BASE, room.load(changes=changes)))
    assert any("list_price" in path for path in moved)
    assert any(path.startswith("lines") for path in moved)
    assert any("budget_us" in path for path in moved)


@pytest.mark.parametrize("day", ["2023-12-31", pytest.param("2024-12-31", marks=pytest.mark.slow), "2025-12-31"])
def test_nothing_known_later_reaches_the_world_as_of_a_day(day, tmp_path):
    """Every later fact times three: the world as of the day is the same to the last bit."""
    later = [
        row["id"] for row in USED if row["id"] in KNOWN.facts and KNOWN.facts[row["id"]].known_by.isoformat() > day
    ]
    assert later
    plain = room.load(as_of=day)
    assert not set(later) & set(plain.facts)
    for cell in cells(plain).values():
        assert not set(cell.derived.facts) & set(later), cell.place
    rows = [
        f"{name},,{KNOWN.facts[name].measure},{3 * KNOWN.facts[name].value.central},,,{KNOWN.facts[name].known_by},mine,yes"
        for name in later
        if KNOWN.facts[name].value.central is not None
    ]
    assert rows
    head = "id,entity,measure,central,unit,start,published,source,override"
    (tmp_path / "sources.csv").write_text("id,title,cls\nmine,Mine,own\n", encoding="utf-8")
    (tmp_path / "facts.csv").write_text("\n".join([head, *rows]) + "\n", encoding="utf-8")
    assert len(room.load(tmp_path).overrides) == len(rows)
    tripled = room.load(tmp_path, as_of=day)
    assert tripled.digest != plain.digest
    assert not differing(assemble(BASE, plain), assemble(BASE, tripled))


def test_the_world_as_of_a_day_knows_less_and_is_less_sure():
    today, then = assemble(BASE, KNOWN), assemble(BASE, room.load(as_of="2023-12-31"))
    month = BASE.months.astype(str).tolist().index("2026-06")

    def width(inputs, name):
        return float(inputs.bands[name].high[month] + inputs.bands[name].low[month])

    for name in ("cowos", "hbm_skhynix", "tokens_china", "budget_china"):
        assert width(then, name) > width(today, name), name


def test_a_number_that_was_not_known_is_the_next_that_was():
    cell = "known(fab-064, obs-234, prior(60, 70, 80, 'k wafers/month'))"
    assert derive(cell, KNOWN, "k wafers/month").facts == ("fab-064",)
    assert derive(cell, room.load(as_of="2025-06-30"), "k wafers/month").facts == ("obs-234",)
    assert derive(cell, room.load(as_of="2023-06-30"), "k wafers/month").facts == ()


def test_cells_hold_no_number_that_facts_hold_as_a_price():
    """A shipped product with a list price in the facts is priced by them."""
    for row in product_rows():
        chip = KNOWN.chips.get(row["product"])
        if chip is not None and chip.price_usd is not None and not row["basis"] and row["market"] != "captive":
            assert f"price({row['product']})" in row["price"], row["product"]


def test_every_cell_is_an_expression_in_its_unit():
    for row in table("series"):
        derived = derive(row["value"], KNOWN, row["unit"])
        assert derived.low <= derived.central <= derived.high
    for column, unit in CELLS["products"].items():
        for row in product_rows():
            assert np.isfinite(derive(row[column], KNOWN, unit).central)


@pytest.mark.parametrize("record", [Goods, MarketDated, SupplyDated, Fabs])
def test_arrays_have_the_axes_that_their_annotations_say(record):
    """The sizes of named axes agree over all fields of all records."""
    inputs = assemble(BASE, KNOWN)
    found = {
        Goods: inputs.products.goods, MarketDated: inputs.months.market,
        SupplyDated: inputs.months.supply, Fabs: inputs.products.fabs,
    }[record]  # fmt: skip
    sizes: dict[str, int] = {}
    for field in fields(record):
        axes = field.type.dim_str.split() if hasattr(field.type, "dim_str") else None
        array = np.asarray(getattr(found, field.name))
        if axes is None:
            continue
        assert len(axes) == array.ndim, (field.name, axes, array.shape)
        for axis, size in zip(axes, array.shape, strict=True):
            assert sizes.setdefault(axis, size) == size, (field.name, axis)
    assert len(sizes) > 1
