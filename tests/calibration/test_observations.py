"""Observations: derived from facts, in the model's units, counted once, with bounds and errors."""

import re
from datetime import date

import numpy as np
import pytest

from chipweir import facts
from chipweir.calibration import observations, quantity, read_observations, shipped_backtest
from chipweir.calibration._observations import errors, read
from chipweir.errors import InputError, UnknownName
from chipweir.world import coordinates, variables


KNOWN = facts.load()
ROWS = observations(KNOWN)
BY_ID = {row.id: row for row in ROWS}


def made_up(members: int = 5, months: int = 60) -> dict[str, np.ndarray]:
    """Outputs in which member i has i + 1 everywhere."""
    axes, kept = coordinates(), {}
    for row in variables():
        shape = [members, 12 if row["axis"] == "year" else months, *(len(axes[d]) for d in row["dims"].split())]
        kept[row["name"]] = np.broadcast_to(1.0 + np.arange(members).reshape(-1, *[1] * (len(shape) - 1)), shape)
    return kept


def test_there_are_hundreds_and_every_one_is_a_fact_once() -> None:
    assert len(ROWS) >= 250
    assert len({row.id for row in ROWS}) == len(ROWS)
    for row in ROWS:
        fact = KNOWN.facts[row.id]
        assert fact.nature == "observation"
        assert not fact.same_as
        assert row.low <= row.central <= row.high
        assert row.below > 0
        assert row.above > 0
        assert row.start <= row.end
        assert row.title
        assert row.title_ko


def test_a_korean_label_is_korean_but_for_proper_names() -> None:
    """Names of firms, chips and models begin with a capital or hold a digit; any other Latin word is left English."""
    for row in ROWS:
        bare = re.sub(r"\b[A-Z]\S*|\S*\d\S*|o1-preview", " ", row.title_ko)
        assert not re.search("[A-Za-z]{3}", bare), row.title_ko
        assert re.search("[가-힣]", row.title_ko)


def test_the_shipped_back_test_calls_its_rows_as_the_facts_do() -> None:
    rows = [row for cutoff in shipped_backtest()["cutoffs"] for row in cutoff["rows"]]
    assert rows
    assert {(row["label"], row["label_ko"]) for row in rows} == {
        (BY_ID[row["id"]].title, BY_ID[row["id"]].title_ko) for row in rows
    }


def test_numbers_are_those_of_the_facts_in_the_units_of_the_model() -> None:
    assert BY_ID["shi-014"].central == pytest.approx(KNOWN.facts["shi-014"].value.best)  # dollars
    assert BY_ID["obs-799"].central == pytest.approx(0.35)  # percent as a fraction
    google = BY_ID["dem-040"]
    assert google.central == pytest.approx(480e12 / 30.4375, rel=0.01)  # a month's tokens by day


def test_a_fiscal_quarter_is_the_months_whose_middle_it_holds() -> None:
    row = BY_ID["shi-001"]  # 31 January to 1 May 2022
    assert (row.start, row.end, row.operation) == ("2022-02", "2022-04", "sum")


def test_a_year_that_its_parts_add_up_to_is_not_counted_again() -> None:
    for row in ROWS:
        if row.operation != "sum":
            continue
        months = set(np.arange(np.datetime64(row.start, "M"), np.datetime64(row.end, "M") + 1).astype(str))
        for other in ROWS:
            shorter = other.series == row.series and other.operation == "sum" and other.id != row.id
            if (
                shorter
                and other.start >= row.start
                and other.end <= row.end
                and (other.end, other.start) != (row.end, row.start)
            ):
                months -= set(np.arange(np.datetime64(other.start, "M"), np.datetime64(other.end, "M") + 1).astype(str))
        assert months, row.id


def test_records_rise() -> None:
    for region in ("USA", "CHN"):
        runs = [
            row.central
            for row in sorted(ROWS, key=lambda o: o.end)
            if row.quantity.text == f"largest_run[region={region}]"
        ]
        assert len(runs) >= 4
        assert runs == sorted(runs)


def test_what_nobody_saw_is_at_most_the_upper_end() -> None:
    row = BY_ID.get("shi-043")
    if row is not None:
        assert row.bound == "at_most"
        assert row.central == row.high > 0


def test_a_number_that_stands_alone_at_one_end_is_a_bound() -> None:
    alone = {row.id: KNOWN.facts[row.id].value.bound for row in ROWS if KNOWN.facts[row.id].value.bound}
    assert {"smu-005", "obs-792", "obs-1253"} <= set(alone)  # "at least 1 bn USD", "over 900,000", "over 40 trillion"
    for name, bound in alone.items():
        row = BY_ID[name]
        assert row.bound == bound
        assert (row.above if bound == "at_least" else row.below) == float("inf")
    for row in ROWS:
        if KNOWN.facts[row.id].value.central is not None and not row.bound:
            assert max(row.below, row.above) < float("inf")


def test_as_of_a_day_nothing_later_is_there() -> None:
    day = date(2023, 12, 31)
    then = observations(facts.load(as_of=day))
    assert 40 < len(then) < len(ROWS)
    assert all(row.known_by <= day for row in then)


def test_errors_grow_from_official_to_press() -> None:
    table = {name: error for name, (error, _shared) in errors().items()}
    assert table["official"] == table["company"] < table["analyst"] < table["press"]


@pytest.mark.parametrize(("operation", "expected"), [("sum", 3.0), ("mean", 1.0), ("at", 1.0)])
def test_a_number_is_summed_averaged_or_read_at_its_month(operation: str, expected: float, tmp_path) -> None:
    path = tmp_path / "own.csv"
    path.write_text(f"variable,selection,operation,start,end,central\nsmuggled_units,,{operation},2024-01,2024-03,10\n")
    (row,) = read_observations(path)
    np.testing.assert_allclose(np.exp(read([row], made_up())[:, 0]), expected * (1 + np.arange(5)))


def test_missing_months_are_left_out_of_a_mean(tmp_path) -> None:
    path = tmp_path / "own.csv"
    path.write_text("variable,operation,start,end,central\npremium_black_market,mean,2024-01,2024-03,1\n")
    kept = made_up()
    holed = np.array(kept["premium_black_market"])
    holed[:, 25] = np.nan
    np.testing.assert_allclose(
        np.exp(read(read_observations(path), {**kept, "premium_black_market": holed})[:, 0]), 1 + np.arange(5)
    )


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("nonsense,,sum,2026-01,2026-03,1,1,1,1,me", "nonsense"),
        ("nvidia_revenue,,total,2026-01,2026-03,1,1,1,1,me", "total"),
        ("nvidia_revenue,,sum,2026-13,2026-03,1,1,1,1,me", "months such as"),
        ("nvidia_revenue,,sum,2026-04,2026-03,1,1,1,1,me", "months from"),
        ("nvidia_revenue,,sum,2021-01,2021-03,1,1,1,1,me", "months from"),
        ("nvidia_revenue,,sum,2026-01,2026-03,1,5,1,9,me", "low <= central <= high"),
        ("nvidia_revenue,,sum,2026-01,2026-03,1,0,0,0,me", "low <= central <= high"),
        ("nvidia_revenue,,sum,2026-01,2026-03,USD,1,1,1,me", "numbers"),
        ("compute,region=Atlantis,at,2026-01,2026-03,1,1,1,1,me", "Atlantis"),
        ("compute,planet=CHN,at,2026-01,2026-03,1,1,1,1,me", "planet"),
    ],
)
def test_a_bad_line_is_said_with_its_number(line: str, said: str, tmp_path) -> None:
    path = tmp_path / "own.csv"
    path.write_text(f"variable,selection,operation,start,end,scale,low,central,high,source\n{line}\n")
    with pytest.raises((InputError, UnknownName), match=said) as raised:
        read_observations(path)
    assert ".csv:2" in str(raised.value)


def test_a_file_without_columns_or_rows_is_said(tmp_path) -> None:
    path = tmp_path / "own.csv"
    path.write_text("a,b\n1,2\n")
    with pytest.raises(InputError, match="no column 'variable'"):
        read_observations(path)
    path.write_text("variable,operation,start,end,central\n")
    with pytest.raises(InputError, match="no observations"):
        read_observations(path)


def test_a_scale_divides_out(tmp_path) -> None:
    path = tmp_path / "own.csv"
    path.write_text("variable,operation,start,end,scale,central\nnvidia_revenue,sum,2026-02,2026-04,1e-9,70\n")
    (row,) = read_observations(path)
    assert row.central == pytest.approx(70e9)


def test_a_quantity_is_arithmetic_on_variables() -> None:
    kept = made_up()
    assert quantity("hbm_by_vendor").of(kept)[0, 0] == pytest.approx(5.0)  # five vendors of one each
    assert quantity("hbm_by_vendor[vendor=micron] / hbm_by_vendor[vendor=micron+samsung]").of(kept)[
        3, 7
    ] == pytest.approx(0.5)
    assert quantity("1 - 0.25 * memory_price").of(kept)[1, 0] == pytest.approx(0.5)
    assert quantity("product_china[product=nvidia-h20]").axis == "year"


BAD = ("nonsense", "compute[region=XXX]", "memory_price +", "product_china + memory_price", "memory_price ** 2")


@pytest.mark.parametrize("text", BAD)
def test_no_other_quantity_is_read(text: str) -> None:
    with pytest.raises(InputError):
        quantity(text).of(made_up())
