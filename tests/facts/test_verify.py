"""The checks pass on what ships and find faults that are planted."""

from collections.abc import Callable
from pathlib import Path

import pytest

from chipweir import facts
from chipweir.facts._verify import CHECKS, end_of, first_day, verify


Overlay = Callable[..., Path]
FACT = "id,entity,quantity,item,low,central,high,unit,period,published,nature,source\n"
CHIP_VALUE = "chip,quantity,low,central,high,unit,source,preferred\n"
SYSTEM_VALUE = "system,quantity,central,unit,source,preferred\n"
KNOWN = "own-knowledge"
SYSTEM = "id,name,maker,country,chip,n_chips,status,release\n"
CHIP = "id,name,maker,maker_country,status,release\n"


def test_what_ships_is_clean() -> None:
    assert [finding for finding in verify(facts.load()) if not finding.excused] == []


def test_every_exception_has_a_reason_and_is_used() -> None:
    excused = [finding for finding in verify(facts.load()) if finding.excused]
    assert {(f.check, f.id) for f in excused} == {(e["check"], e["id"]) for e in facts.load().exceptions}
    assert all(len(finding.excused) > 20 for finding in excused)


Files = dict[str, str]


def fact(rest: str, source: str = KNOWN) -> Files:
    return {"facts_csv": f"{FACT}p-1,{rest},{source}\n"}


def chip_value(rest: str, preferred: str = "") -> Files:
    return {"chip_values_csv": f"{CHIP_VALUE}{rest},{KNOWN},{preferred}\n"}


def system_value(rest: str) -> Files:
    return {"system_values_csv": f"{SYSTEM_VALUE}{rest},{KNOWN},yes\n"}


def system(rest: str) -> Files:
    return {"systems_csv": f"{SYSTEM}nvidia-z,Z,nvidia,US,{rest}\n"}


def price(rest: str) -> Files:
    return {"prices_csv": f"{PRICE}p-1,{rest},,,{KNOWN}\n"}


PRICE = "id,kind,item,provider,metric,central,unit,valid_from,valid_to,source\n"
SAME = "".join(f"p-{number},huawei,units,x,,7,,chips,2025,2026,,{KNOWN}\n" for number in (1, 2))
RIVALS = "".join(f"nvidia-z,tdp_w,,{watts},,W,{KNOWN},\n" for watts in (400, 500))
CONFLICT = """
- id: p-1
  quantity: x
  values: [{who: a, says: b, facts: [zzz-1]}]
  likely_reason: r
  treatment: t
"""
NAMESAKE = "id,name,maker,maker_country,status,aliases\nnvidia-z,Z,nvidia,US,shipped,H20\n"
EVENT = f"id,date,type,description,source\np-1,2025-02-30,law,x,{KNOWN}\n"
BACKWARDS = f"{PRICE}p-1,api,x,y,input,1,USD/1M tok,2025-09,2025-01,{KNOWN}\n"
PLANTED: dict[str, tuple[str, Files, str]] = {
    "no source": ("sources", fact("huawei,units,,,1,,chips,2025,2026,", ""), "p-1"),
    "unknown source": ("sources", fact("huawei,units,,,1,,chips,2025,2026,", "nobody"), "p-1"),
    "unknown unit": ("units", fact("huawei,units,,,1,,blorps,2025,2026,"), "p-1"),
    "impossible unit": ("units", chip_value("nvidia-h20,tdp_w,,400,,GB"), "nvidia-h20.tdp_w"),
    "share in dollars": ("units", fact("smic,yield,,,1,,USD,2025,2026,"), "p-1"),
    "bounds": ("ranges", fact("huawei,units,,5,1,9,chips,2025,2026,"), "p-1"),
    "share above 100": ("ranges", fact("smic,yield,,,140,,percent,2025,2026,"), "p-1"),
    "negative power": ("ranges", chip_value("nvidia-h20,tdp_w,,-4,,W"), "nvidia-h20.tdp_w"),
    "no such entity": ("orphans", fact("huawai,units,,,1,,chips,2025,2026,"), "p-1"),
    "no such chip": ("orphans", system("nvidia-zz,8,shipped,2025"), "nvidia-z"),
    "no such maker": ("orphans", {"chips_csv": CHIP + "nvidia-z,Z,nvidea,US,shipped,2025\n"}, "nvidia-z"),
    "values of nothing": ("orphans", chip_value("nvidia-zz,tdp_w,,4,,W"), "nvidia-zz.tdp_w"),
    "conflict row": ("orphans", {"conflicts_yaml": CONFLICT}, "p-1"),
    "published too early": ("dates", fact("huawei,units,,,1,,chips,2025Q3,2025-05,"), "p-1"),
    "day that is none": ("dates", {"events_csv": EVENT}, "p-1"),
    "price backwards": ("dates", {"prices_csv": BACKWARDS}, "p-1"),
    "system before its chip": ("dates", system("nvidia-b200,8,shipped,2021"), "nvidia-z"),
    "estimate for the year": ("early-observations", fact("huawei,units,,,1,,chips,2025,2025-09,"), "p-1"),
    "sum of a system": (
        "system-sums",
        system_value("huawei-cloudmatrix-384,bf16_pflops,578,PFLOP/s"),
        "huawei-cloudmatrix-384.bf16_pflops",
    ),
    "memory of a system": (
        "system-sums",
        system_value("nvidia-gb200-nvl72,mem_tb,30,TB"),
        "nvidia-gb200-nvl72.mem_tb",
    ),
    "slower in fewer bits": (
        "format-ratios",
        chip_value("nvidia-h20,fp8_tflops,,100,,TFLOP/s", "yes"),
        "nvidia-h20.fp8_tflops",
    ),
    "wrong product": ("processing-performance", chip_value("nvidia-h20,tpp,,4000,,bit*TOP/s", "yes"), "nvidia-h20.tpp"),
    "quarters and year": ("period-sums", fact('nvidia,dc_revenue,"FY24, all",,60,,USD bn,2024-01-28,2024-02,'), "p-1"),
    "half a die": (
        "die-arithmetic",
        chip_value("nvidia-h20,dies_per_package,,1.5,,die", "yes"),
        "nvidia-h20.dies_per_package",
    ),
    "die too large": ("die-arithmetic", chip_value("nvidia-h20,die_mm2,,1600,,mm**2", "yes"), "nvidia-h20.die_mm2"),
    "twice": ("duplicates", {"facts_csv": FACT + SAME}, "p-2"),
    "one name for two": ("duplicates", {"chips_csv": NAMESAKE}, "h20"),
    "power of a system": (
        "system-power",
        system_value("huawei-cloudmatrix-384,power_kw,100,kW"),
        "huawei-cloudmatrix-384.power_kw",
    ),
    "die of a package": (
        "parts-of-packages",
        chip_value("huawei-ascend-910c-die,int8_tops,,1504,,TOP/s", "yes"),
        "huawei-ascend-910c-die.int8_tops",
    ),
    "both directions": (
        "conventions",
        {"chip_values_csv": f"{CHIP_VALUE}nvidia-h20,scaleup_gbs,,900,,GB/s,epoch-hardware,\n"},
        "nvidia-h20.scaleup_gbs",
    ),
    "sparse as dense": (
        "sparsity",
        chip_value("nvidia-rtx-5080,fp4_sparse_tflops,,900,,TFLOP/s", "yes"),
        "nvidia-rtx-5080.fp4_sparse_tflops",
    ),
    "slower with fewer bits to add": (
        "accumulation",
        chip_value("nvidia-rtx-4090,fp8_acc16_tflops,,165,,TFLOP/s", "yes"),
        "nvidia-rtx-4090.fp8_acc16_tflops",
    ),
    "one direction as both": ("directions", chip_value("nvidia-h20,io_gbs,,500,,GB/s", "yes"), "nvidia-h20.io_gbs"),
    "ended before it began": (
        "lives",
        {"chips_csv": CHIP.strip() + ",ended\nnvidia-z,Z,nvidia,US,ended,2025-03,2024\n"},
        "nvidia-z",
    ),
    "outside its sources": ("choices", chip_value("nvidia-h20,memory_gb,,140,,GB", "yes"), "nvidia-h20.memory_gb"),
    "rent in tokens": ("price-units", price("gpu_rental,H20,y,rental,1,USD/1M tok"), "p-1"),
    "input above output": (
        "price-order",
        {
            "prices_csv": PRICE
            + "".join(
                f"p-{n},api,x,y,{metric},{number},USD/1M tok,2025,,{KNOWN}\n"
                for n, metric, number in ((1, "input", 3), (2, "output", 1))
            )
        },
        "p-1",
    ),
    "name of nothing": ("names", {"names_csv": "kind,id,name\nchip,nvidia-zz,ZZ\n"}, "ZZ"),
    "one character": ("names", {"names_csv": "kind,id,name\nchip,nvidia-h20,水\n"}, "水"),
    "none preferred": (
        "preferences",
        {"chips_csv": CHIP + "nvidia-z,Z,nvidia,US,shipped,2025\n", "chip_values_csv": CHIP_VALUE + RIVALS},
        "nvidia-z.tdp_w",
    ),
    "stale exception": (
        "stale-exceptions",
        {"exceptions_yaml": "- {check: dates, ids: [fab-001], reason: none}\n"},
        "fab-001",
    ),
}


@pytest.mark.parametrize("fault", PLANTED)
def test_planted_faults_are_found(fault: str, overlay: Overlay) -> None:
    name, files, identifier = PLANTED[fault]
    found = [finding for finding in verify(facts.load([overlay(**files)])) if not finding.excused]
    assert (name, identifier) in {(finding.check, finding.id) for finding in found}
    assert len(found) <= 3, "a planted fault sets off its own check, not all of them"


def test_every_check_is_exercised() -> None:
    assert {name for name, _, _ in PLANTED.values()} == {*CHECKS, "stale-exceptions"}


@pytest.mark.parametrize(
    ("text", "day"),
    [("2025", "2025-01-01"), ("2025Q3", "2025-07-01"), ("2025-H2", "2025-07-01"), ("end-2025", "2025-01-01"),
     ("2025-08-29", "2025-08-29"), ("2025-2028", "2025-01-01"), ("late 2024", "2024-01-01"), ("n/a", None)],
)  # fmt: skip
def test_first_day(text: str, day: str | None) -> None:
    assert first_day(text) == day


def test_end_of_a_span() -> None:
    assert [end_of(text) for text in ("2025", "2025Q1", "2025H1", "2025-03")] == [
        "2025-12-28",
        "2025-03-28",
        "2025-06-28",
        None,
    ]
