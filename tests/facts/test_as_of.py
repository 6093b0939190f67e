"""What was knowable on a day: nothing that became known later is there, and nothing later can change what is."""

from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chipweir import facts
from chipweir.errors import InputError
from chipweir.facts import Facts
from chipweir.facts._known import COLLECTED
from chipweir.facts._verify import verify


Overlay = Callable[..., Path]
ALL = facts.load()
DAYS = [date(2023, 6, 30), date(2024, 12, 31), date(2025, 12, 31), date(2026, 6, 30)]
KINDS = ("chips", "systems", "models", "facts", "events", "prices", "sources", "conflicts", "entities", "measures")


def seen(known: Facts) -> dict[str, object]:
    return {kind: dict(getattr(known, kind)) for kind in KINDS} | {"rates": known.rates, "overrides": known.overrides}


@pytest.mark.parametrize("day", DAYS)
def test_nothing_is_known_before_its_day(day: date) -> None:
    then = facts.load(as_of=day)
    assert then.as_of == then.latest == day
    assert all(fact.known_by <= day for fact in then.facts.values())
    assert all(event.known_by <= day for event in then.events.values())
    assert all(price.value.known_by <= day for price in then.prices.values())
    for product in (*then.chips.values(), *then.systems.values()):
        assert product.known_by <= day
        assert all(value.known_by <= day for found in product.values.values() for value in found)
    assert all(model.known_by <= day for model in then.models.values())
    cited = {fact.value.source for fact in then.facts.values()}
    assert cited <= set(then.sources)
    for conflict in then.conflicts.values():
        assert all(name in then.facts or "." in name for side in conflict.values for name in side.facts)
        assert not conflict.preferred or conflict.preferred in then.facts or "." in conflict.preferred


def test_each_day_knows_what_the_day_before_knew() -> None:
    views = [facts.load(as_of=day) for day in DAYS]
    for early, late in zip([*views, ALL], [*views[1:], ALL, ALL], strict=False):
        assert set(early.facts) <= set(late.facts)
        assert set(early.chips) <= set(late.chips)
        assert set(early.conflicts) <= set(late.conflicts)


def test_everything_is_known_on_the_day_of_the_collection() -> None:
    then = facts.load(as_of=max(COLLECTED, date(2027, 12, 31)))
    for kind in ("chips", "systems", "models", "facts", "events", "prices", "conflicts"):
        assert set(getattr(then, kind)) == set(getattr(ALL, kind)), kind


@pytest.mark.parametrize("day", DAYS)
def test_the_past_is_as_clean_as_the_present(day: date) -> None:
    then = facts.load(as_of=day)
    found = {finding.id for finding in verify(then) if not finding.excused and finding.check != "stale-exceptions"}
    assert not found


def test_a_choice_made_with_later_facts_is_not_there() -> None:
    then = facts.load(as_of="2025-02")
    assert "fab-042" not in then.facts
    conflict = then.conflicts["smic-7nm-yield"]
    assert [side.facts for side in conflict.values] == [("fab-040",), ("fab-039",)]
    assert (conflict.preferred, conflict.rule) == ("", "")
    assert then.preferred("SMIC", "yield", "Ascend 910C").id == "fab-039", "the general rule takes over"


def test_a_product_has_the_status_of_the_day() -> None:
    then = facts.load(as_of="2024-06-30")
    h20 = then.chip("H20")
    assert (h20.status, h20.status_note, h20.note) == ("shipped", "", "")
    assert "nvidia-b300" not in then.chips
    assert "nvidia-b300" not in then.entities


def test_a_list_price_is_known_from_the_day_it_holds() -> None:
    dated = [price for price in ALL.prices.values() if price.kind == "api" and len(price.valid_from) == 10]
    assert dated
    for price in dated:
        assert price.value.known_by == min(date.fromisoformat(price.valid_from), COLLECTED), price.id


@pytest.mark.parametrize("day", ["soon", "2025-13", "1985"])
def test_a_day_that_is_none_is_refused(day: str) -> None:
    with pytest.raises(InputError, match="period"):
        facts.load(as_of=day)


HEADS = {
    "sources.csv": "id,title,cls",
    "facts.csv": "id,entity,measure,central,unit,start,published,source,override",
    "events.csv": "id,date,type,description,source,override",
    "prices.csv": "id,kind,item,provider,metric,central,unit,valid_from,published,source,override",
    "chips.csv": "id,name,maker,maker_country,status,release",
    "chip_values.csv": "chip,quantity,central,unit,published,source,preferred",
    "models.csv": "id,name,maker,country,release,source",
}
UNITS = {fact.id: fact for fact in ALL.facts.values() if fact.value.central is not None}
VALUED = [(chip.id, name) for chip in ALL.chips.values() for name in chip.values]


@st.composite
def later_rows(draw: st.DrawFn, day: date) -> dict[str, list[str]]:
    """Rows that become known after `day`: new facts, events, prices, chips, models, and new numbers for old ones."""
    when = (day + timedelta(days=draw(st.integers(1, 400)))).isoformat()
    old = draw(st.lists(st.sampled_from(sorted(UNITS)), max_size=6, unique=True))
    number = draw(st.floats(0.1, 1e4))
    facts_rows = [
        f"new-{n},huawei,units,{number},thousand chips,2024,{when},mine," for n in range(draw(st.integers(0, 2)))
    ]
    facts_rows += [f"{name},,{ALL.facts[name].measure},{number},,,{when},mine,yes" for name in old]
    chips = draw(st.lists(st.sampled_from(VALUED), max_size=4, unique=True))
    values = [
        f"{chip},{name},{number},{ALL.chips[chip].values[name][0].unit},{when},mine,{draw(st.sampled_from(['yes', '']))}"
        for chip, name in chips
    ]
    return {
        "sources.csv": ["mine,Mine,own"],
        "facts.csv": facts_rows,
        "events.csv": [f"new-e,{when},law,Something,mine,"],
        "prices.csv": [f"new-p,api,gpt-5,openai,input,{number},USD/1M tok,{when},{when},mine,"],
        "chips.csv": [f"nvidia-x9,X9,nvidia,US,shipped,{when}"],
        "chip_values.csv": [*values, f"nvidia-x9,tdp_w,{number},W,{when},mine,"],
        "models.csv": [f"openai-x9,X9 model,openai,US,{when},mine"],
    }


@settings(max_examples=6, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data(), day=st.sampled_from(DAYS))
def test_no_later_row_changes_what_is_returned_as_of_a_day(data: st.DataObject, day: date, tmp_path: Path) -> None:
    rows = data.draw(later_rows(day))
    for name, lines in rows.items():
        (tmp_path / name).write_text("\n".join([HEADS[name], *lines]) + "\n", encoding="utf-8")
    assert seen(facts.load(tmp_path, as_of=day)) == seen(facts.load(as_of=day))
    now = facts.load(tmp_path)
    assert "nvidia-x9" in now.chips
    assert "new-e" in now.events


def test_an_earlier_row_does_change_it(overlay: Overlay) -> None:
    text = f"{HEADS['facts.csv']}\nfab-004,,advanced_logic_capacity,30,k wafers/month,,2025-10,own-knowledge,yes\n"
    mine = overlay(facts_csv=text)
    assert facts.load(mine, as_of="2025-12").facts["fab-004"].value.central == 30_000
    assert "fab-004" not in facts.load(mine, as_of="2025-09").facts


def test_the_day_is_in_the_digest() -> None:
    digests = {facts.load(as_of=day).digest for day in DAYS} | {ALL.digest}
    assert len(digests) == len(DAYS) + 1
