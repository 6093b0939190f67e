"""What ships is complete and says what its sources say."""

import csv
import re
from pathlib import Path

import pytest

from chipweir import facts
from chipweir.facts import _load, unit_registry


FACTS = facts.load()


def test_everything_that_was_collected_is_there() -> None:
    own = [fact for fact in FACTS.facts.values() if fact.id[:3] in ("fab", "shi", "smu", "dem", "eco", "kor")]
    assert len(own) == 471
    series = [fact for fact in FACTS.facts.values() if fact.id.startswith(("obs-", "ret-"))]
    assert (len(series), sum(fact.retrospective for fact in series)) == (1253 + 108, 108)
    assert sum(fact.id.startswith("kop-") for fact in FACTS.facts.values()) == 276
    assert (len(FACTS.systems), len(FACTS.events)) == (26 + 43, 128 + 59)
    assert len(FACTS.prices) >= 2580, "606 of the first collection, 1,977 of the second; 2 + 32 said the same again"
    assert len(FACTS.chips) == 88 + 1 + 194
    assert len(FACTS.models) >= 43
    assert len(FACTS.entities) >= 400
    assert len(FACTS.conflicts) >= 16 + 67


@pytest.mark.parametrize(
    ("chip", "quantity", "number"),
    [
        ("nvidia-h20", "bf16_tflops", 148),
        ("nvidia-h20", "memory_gbs", 4000),
        ("nvidia-h20", "tpp", 2368),
        ("nvidia-h20", "io_gbs", 1028),
        ("nvidia-h100-sxm", "fp8_tflops", 1979),
        ("nvidia-h100-pcie", "tpp", 12104),
        ("nvidia-b200", "die_mm2", 1628),
        ("amd-mi300x", "die_mm2", 2400),
        ("huawei-ascend-910b", "bf16_tflops", 376),
        ("huawei-ascend-910c", "memory_gb", 128),
        ("nvidia-a30", "tpp", 2640),
    ],
)
def test_chip_numbers(chip: str, quantity: str, number: float) -> None:
    assert getattr(FACTS.chips[chip], quantity).best == number


def test_other_numbers_of_the_same_quantity_are_kept() -> None:
    b200 = FACTS.chips["nvidia-b200"]
    assert [value.best for value in b200.alternatives("die_mm2")] == [1628, 1600]
    assert "die_mm2" in b200.contested
    assert [value.best for value in FACTS.chip("MI300X").alternatives("die_mm2")] == [2400, 1017]
    assert 400 in [value.best for value in FACTS.chip("910B").alternatives("bf16_tflops")]


def test_a_range_without_a_datasheet_stays_a_range() -> None:
    peak = FACTS.chip("C600").bf16_tflops
    assert peak is not None
    assert (peak.low, peak.central, peak.high, peak.confidence) == (280, 500, 600, "D")
    assert FACTS.chip("MLU590").bf16_tflops.interval == (256, 390)  # type: ignore[union-attr]


def test_numbers_keep_what_the_source_wrote() -> None:
    value = FACTS.facts["fab-004"].value
    assert (value.central, value.unit, value.reported) == (22_000, "wafer/month", "22 k wafers/month")
    assert FACTS.facts["shi-001"].value.central == 3.75e9


@pytest.mark.parametrize(
    ("fact", "measure", "nature"),
    [
        ("fab-002", "advanced_logic_capacity", "target"),
        ("fab-005", "advanced_logic_capacity", "forecast"),
        ("fab-009", "capacity_multiple", "plan"),
        ("dem-002", "capex", "plan"),
        ("dem-016", "fund_size", "observation"),
        ("fab-098", "destination_share", "guidance"),
        ("shi-082", "units_made", "claim"),
        ("fab-045", "yield", "prior"),
        ("shi-001", "dc_revenue", "observation"),
        ("kop-274", "units_bought", "plan"),
        ("obs-744", "revenue", "observation"),
    ],
)
def test_what_is_no_observation_says_so(fact: str, measure: str, nature: str) -> None:
    assert (FACTS.facts[fact].measure, FACTS.facts[fact].nature) == (measure, nature)


def test_every_canonical_unit_parses() -> None:
    registry = unit_registry()
    for rule in FACTS.units.values():
        registry.parse_units(rule.unit)
    assert registry.Quantity(1, "wafer/month").check("[wafer]/[time]")
    assert not registry.Quantity(1, "USD").is_compatible_with("CNY")


def test_every_value_is_sourced() -> None:
    for chip in FACTS.chips.values():
        for found in chip.values.values():
            assert all(value.source in FACTS.sources for value in found)
    assert all(fact.value.source in FACTS.sources for fact in FACTS.facts.values())


def test_sources_are_not_repeated() -> None:
    keys = [(source.title, source.url) for source in FACTS.sources.values()]
    assert len(keys) == len(set(keys))


def test_benchmarks_belong_to_the_variant() -> None:
    base = FACTS.select("Seed-OSS-36B-Base", "benchmark_score", "MMLU-Pro")
    assert [fact.value.best for fact in base] == [65.1]
    assert [fact.value.best for fact in FACTS.select("ByteDance-Seed/Seed-OSS-36B-Instruct", "benchmark_score")] == [
        82.7
    ]


def test_files_are_plain_tables() -> None:
    for path in Path(_load.SHIPPED).glob("*.csv"):
        rows = list(csv.reader(path.read_text(encoding="utf-8").splitlines()))
        assert len({len(row) for row in rows}) == 1, path.name


def test_the_digest_is_of_the_content() -> None:
    assert facts.load().digest == FACTS.digest
    assert len(FACTS.digest) == 64


def test_every_event_is_told_in_korean_with_the_same_numbers() -> None:
    hangul = re.compile("[가-힣]")
    for event in FACTS.events.values():
        assert len(hangul.findall(event.description_ko)) >= 4, event.id
        assert event.described("ko") == event.description_ko
        assert event.described("en") == event.description
        percents = re.findall(r"(\d+) percent", event.description)
        assert all(f"{number}%" in event.description_ko for number in percents), event.id
    texts = [event.description_ko for event in FACTS.events.values()]
    assert len(set(texts)) == len(texts)


_UNITS = {"bn": 1_000_000_000, "trn": 1_000_000_000_000}
_KOREAN_UNITS = {"만": 10_000, "억": 100_000_000, "조": 1_000_000_000_000}


def test_large_numbers_of_the_events_are_the_same_in_korean() -> None:
    checked = 0
    for event in FACTS.events.values():
        written = {
            float(number) * _UNITS[unit]
            for number, unit in re.findall(r"(\d+(?:\.\d+)?) (bn|trn)\b", event.description)
        }
        written |= {float(text.replace(",", "")) for text in re.findall(r"\b\d{2,3},\d{3}\b", event.description)}
        found = {
            float(number.replace(",", "")) * _KOREAN_UNITS[unit] + float(rest or 0)
            for number, unit, rest in re.findall(r"([\d,]+)(만|억|조)(\d{1,4})?", event.description_ko)
        }
        found |= {float(text.replace(",", "")) for text in re.findall(r"\d[\d,]*", event.description_ko)}
        checked += len(written)
        assert written <= found, (event.id, written, found)
    assert checked >= 14
