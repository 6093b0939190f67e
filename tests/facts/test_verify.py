"""The checks pass on what ships and find faults that are planted."""

from collections.abc import Callable
from pathlib import Path

import pytest

from chipweir import facts
from chipweir.facts._checks import CHECKS
from chipweir.facts._verify import verify


Overlay = Callable[..., Path]
FACT = "id,entity,measure,dims,low,central,high,unit,start,published,nature,source\n"
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


SAME = "".join(f"p-{number},huawei,units,,,7,,chips,2025,2026,,{KNOWN}\n" for number in (1, 2))


def price(rest: str) -> Files:
    return {"prices_csv": f"{PRICE}p-1,{rest},,,{KNOWN}\n"}


PRICE = "id,kind,item,provider,metric,central,unit,valid_from,valid_to,source\n"
RIVALS = "".join(f"nvidia-z,tdp_w,,{watts},,W,{KNOWN},\n" for watts in (400, 500))
CONFLICT = """
- id: p-1
  quantity: x
  values: [{who: a, says: b, facts: [zzz-1]}]
  likely_reason: r
  treatment: t
"""
CHOICE = """
- id: p-1
  quantity: x
  about: [smic]
  values: [{who: a, says: b, facts: [fab-040]}, {who: c, says: d, facts: [fab-041]}]
  likely_reason: r
  treatment: t
  preferred: fab-042
  rule: r
"""
WORDED = "id,entity,measure,central,unit,start,end,as_written,published,source\n"
TWIN = "id,entity,measure,central,unit,start,published,same_as,source\n"
KEYED = "id,entity,measure,item_id,dims,central,unit,start,published,source\n"
NAMESAKE = "id,name,maker,maker_country,status,aliases\nnvidia-z,Z,nvidia,US,shipped,H20\n"
EVENT = f"id,date,type,description,source\np-1,2025-02-30,law,x,{KNOWN}\n"
BACKWARDS = f"{PRICE}p-1,api,x,y,input,1,USD/1M tok,2025-09,2025-01,{KNOWN}\n"
PLANTED: dict[str, tuple[str, Files, str]] = {
    "no source": ("sources", fact("huawei,units,,,1,,chips,2025,2026,", ""), "p-1"),
    "unknown source": ("sources", fact("huawei,units,,,1,,chips,2025,2026,", "nobody"), "p-1"),
    "impossible unit": ("units", chip_value("nvidia-h20,tdp_w,,400,,GB"), "nvidia-h20.tdp_w"),
    "dim of another": ("measures", fact("smic,yield,precision=fp8,,40,,percent,2025,2026,"), "p-1"),
    "measure of another": ("measures", fact("nvidia-h20,revenue,,,40,,USD bn,2025,2026,"), "p-1"),
    "unknown unit of a measure": (
        "measures",
        {"measures_csv": "measure,kind,unit,title\nnew_thing,level,blorp,New\n"},
        "new_thing",
    ),
    "wording": (
        "wording",
        {"facts_csv": WORDED + f"p-1,smic,yield,40,percent,2025-01-01,2025-12-31,early 2025,2026,{KNOWN}\n"},
        "p-1",
    ),
    "same as nothing": (
        "same-as",
        {"facts_csv": TWIN + f"p-1,smic,yield,40,percent,2025,2026,fab-9999,{KNOWN}\n"},
        "p-1",
    ),
    "same as another year": (
        "same-as",
        {"facts_csv": TWIN + f"p-1,smic,yield,40,percent,2021,2026,fab-039,{KNOWN}\n"},
        "p-1",
    ),
    "same with another number": (
        "same-as",
        {"facts_csv": TWIN + f"p-1,smic,yield,90,percent,2025Q1,2026,fab-039,{KNOWN}\n"},
        "p-1",
    ),
    "recalled but certain": (
        "confidence",
        {"facts_csv": TWIN.replace("same_as", "confidence") + f"p-1,smic,yield,40,percent,2025,2026,A,{KNOWN}\n"},
        "p-1",
    ),
    "shares above the whole": (
        "share-sums",
        {
            "facts_csv": FACT
            + f"p-1,samsung,market_share,market=china,,60,,percent,2025,2026,,{KNOWN}\n"
            + f"p-2,micron,market_share,market=china,,50,,percent,2025,2026,,{KNOWN}\n"
        },
        "p-2",
    ),
    "months and quarter": (
        "period-sums",
        {
            "facts_csv": KEYED
            + f"p-1,south-korea,exports,semiconductors,basis=customs,90,USD bn,2024H1,2024-08,{KNOWN}\n"
        },
        "p-1",
    ),
    "chosen fact outside": ("conflict-choices", {"conflicts_yaml": CHOICE}, "p-1"),
    "bounds": ("ranges", fact("huawei,units,,5,1,9,chips,2025,2026,"), "p-1"),
    "share above 100": ("ranges", fact("china,domestic_share,basis=value,,140,,percent,2025,2026,"), "p-1"),
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
    "quarters and year": (
        "period-sums",
        {"facts_csv": WORDED + f"p-1,nvidia,dc_revenue,60,USD bn,2023-01-30,2024-01-28,FY24,2024-02,{KNOWN}\n"},
        "p-1",
    ),
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


TOGETHER = 8
"""How many groups the faults are planted in."""


@pytest.mark.parametrize("group", range(TOGETHER))
def test_planted_faults_are_found_together(group: int, tmp_path: Path) -> None:
    """Faults of several kinds, each in a directory of its own and with ids of its own."""
    planted = {}
    for number, (check, files, identifier) in enumerate(list(PLANTED.values())[group::TOGETHER]):
        folder = tmp_path / str(number)
        folder.mkdir()
        for name, content in files.items():
            stem, _, suffix = name.rpartition("_")
            own = (
                content.replace("p-1", f"p{number}-1")
                .replace("p-2", f"p{number}-2")
                .replace("nvidia-z", f"nvidia-z{number}")
            )
            (folder / f"{stem}.{suffix}").write_text(own, encoding="utf-8")
        own_id = identifier.replace("p-", f"p{number}-").replace("nvidia-z", f"nvidia-z{number}")
        planted[folder] = (check, own_id)
    found = [finding for finding in verify(facts.load([*planted])) if not finding.excused]
    assert set(planted.values()) <= {(finding.check, finding.id) for finding in found}
    assert len(found) <= 2 * len(planted), "a planted fault sets off its own check, not all of them"


@pytest.mark.slow
@pytest.mark.parametrize("fault", PLANTED)
def test_planted_faults_are_found(fault: str, overlay: Overlay) -> None:
    name, files, identifier = PLANTED[fault]
    found = [finding for finding in verify(facts.load([overlay(**files)])) if not finding.excused]
    assert (name, identifier) in {(finding.check, finding.id) for finding in found}
    assert len(found) <= 3, "a planted fault sets off its own check, not all of them"


def test_every_check_is_exercised() -> None:
    assert {name for name, _, _ in PLANTED.values()} == {*CHECKS, "stale-exceptions"}
