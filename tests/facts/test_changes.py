"""What-ifs lie over what is known, say what they replaced, and refuse what they cannot mean."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chipweir import facts
from chipweir.errors import InputError, UnknownName
from chipweir.facts._changes import SOURCE


ALL = facts.load()
NUMBERED = sorted(fact.id for fact in ALL.facts.values() if fact.value.unit != "text")


@pytest.mark.parametrize(
    ("identifier", "text", "low", "central", "high"),
    [
        ("fab-004", "x1.5", None, 33_000, None),
        ("fab-001", "x2", 30_000, 38_000, 40_000),
        ("fab-001", "+10%", 16_500, 20_900, 22_000),
        ("fab-001", "-50 %", 7_500, 9_500, 10_000),
        ("fab-001", "25", None, 25_000, None),
        ("fab-001", "25000 wafer/month", None, 25_000, None),
        ("fab-001", "300 k wafers/year", None, 25_000, None),
        ("shi-001", "5", None, 5e9, None),
        ("shi-001", "5,000 USD m", None, 5e9, None),
        ("dem-030", "4", None, 4e12, None),
        ("kor-071", "-1.5", None, -1.5, None),
        ("eco-048", "1e27", None, 1e27, None),
        ("pri-001", "×0.5", None, None, None),
    ],
)
def test_a_fact_or_price(
    identifier: str, text: str, low: float | None, central: float | None, high: float | None
) -> None:
    mine = facts.load(changes={identifier: text})
    record = mine.facts.get(identifier) or mine.prices[identifier]
    before = ALL.facts.get(identifier) or ALL.prices[identifier]
    value, old = record.value, before.value
    if identifier.startswith("pri"):
        low, central, high = old.low, (old.central or 0) / 2, old.high
    assert (value.low, value.high) == (pytest.approx(low), pytest.approx(high))
    assert value.central == pytest.approx(central)
    assert (value.unit, value.source, value.cls, record.origin) == (old.unit, SOURCE, "own", SOURCE)
    assert old.reported in value.note


def test_a_value_of_a_chip_wins_and_the_old_one_is_kept() -> None:
    mine = facts.load(changes={"nvidia-h20.price_usd": "90000", "huawei-cloudmatrix-384.power_kw": "x0.5"})
    h20 = mine.chip("H20")
    assert h20.price_usd is not None
    assert (h20.price_usd.best, h20.price_usd.interval) == (90_000, (90_000, 90_000))
    assert [value.best for value in h20.alternatives("price_usd")][1:] == [
        value.best for value in ALL.chip("H20").alternatives("price_usd")
    ]
    assert sum(value.preferred for value in h20.alternatives("price_usd")) == 1
    old = ALL.system("CloudMatrix 384").power_kw
    assert old is not None
    assert mine.system("CloudMatrix 384").power_kw.best == pytest.approx(old.best / 2)  # type: ignore[union-attr]
    assert [(o.kind, o.id) for o in mine.overrides] == [
        ("what-if", "nvidia-h20.price_usd"),
        ("what-if", "huawei-cloudmatrix-384.power_kw"),
    ]
    assert mine.changes == {"nvidia-h20.price_usd": "90000", "huawei-cloudmatrix-384.power_kw": "x0.5"}
    assert mine.digest not in (ALL.digest, facts.load(changes={"fab-004": "x1.5"}).digest)


def test_what_is_not_changed_stays() -> None:
    mine = facts.load(changes={"fab-004": "x1.5"})
    assert {**mine.facts, "fab-004": ALL.facts["fab-004"]} == ALL.facts
    assert mine.chips == ALL.chips
    assert facts.load() == ALL


@settings(max_examples=60)
@given(st.sampled_from(NUMBERED), st.floats(0.01, 100))
def test_a_factor_moves_the_whole_range(identifier: str, factor: float) -> None:
    old, new = ALL.facts[identifier].value, facts.load(changes={identifier: f"x{factor!r}"}).facts[identifier].value
    assert new.best == pytest.approx(old.best * factor)
    assert new.ordered
    assert [bound is None for bound in (new.low, new.central, new.high)] == [
        bound is None for bound in (old.low, old.central, old.high)
    ]


@settings(max_examples=60)
@given(st.sampled_from(NUMBERED), st.floats(0.01, 1e6))
def test_a_bare_number_is_in_the_unit_of_the_row(identifier: str, number: float) -> None:
    old = ALL.facts[identifier].value
    stated = [float(word) for word in old.reported.replace("(", " ").replace(")", " ").split() if _is_number(word)]
    scale = old.interval[0] / stated[0] if stated[0] else None
    new = facts.load(changes={identifier: f"{number!r}"}).facts[identifier].value
    if scale is not None and len(stated) == 1:
        assert new.best == pytest.approx(number * scale)


def _is_number(word: str) -> bool:
    try:
        float(word)
    except ValueError:
        return False
    return True


@pytest.mark.parametrize(
    ("identifier", "text", "message"),
    [
        ("fab-0004", "x1.5", "did you mean fab-004"),
        ("nvidia-h20.price", "9", "nvidia-h20.price_usd"),
        ("nvidia-h2O.price_usd", "9", "nvidia-h20.price_usd"),
        ("nvidia-h20.fp4_tflops", "9", "no value is known"),
        ("fab-004", "many", "'many' is no number"),
        ("fab-004", "x", "'x' is no number"),
        ("fab-004", "", "'' is no number"),
        ("fab-004", "xinf", "is no number"),
        ("fab-004", "22 USD", "'USD' cannot be turned into wafer/month"),
        ("fab-004", "22 furlongs", "'furlongs' cannot be turned into"),
        ("fab-004", "x-1", "'x-1' is no number"),
        ("fab-004", "-150%", "would turn the sign"),
    ],
)
def test_nonsense_is_one_line(identifier: str, text: str, message: str) -> None:
    with pytest.raises(InputError) as caught:
        facts.load(changes={identifier: text})
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_fact_of_the_future_cannot_be_changed_in_the_past() -> None:
    with pytest.raises(UnknownName):
        facts.load(as_of="2025-09", changes={"fab-004": "x1.5"})
    assert facts.load(as_of="2025-12", changes={"fab-004": "x2"}).facts["fab-004"].value.best == 44_000
