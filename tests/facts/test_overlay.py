"""A user's own facts are laid over the shipped ones, openly."""

import pickle
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from shutil import copytree

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chipweir import facts
from chipweir.errors import InputError
from chipweir.facts import _load
from chipweir.facts._verify import verify


Overlay = Callable[..., Path]
VALUES = "chip,quantity,central,unit,source,preferred\n"
SOURCE = "id,title,cls\nmine,My own notes,own\n"


def test_a_new_chip_with_values(overlay: Overlay) -> None:
    directory = overlay(
        sources_csv=SOURCE,
        chips_csv="id,name,maker,maker_country,status,aliases\nhuawei-ascend-999,Ascend 999,huawei,CN,announced,999X\n",
        chip_values_csv=VALUES + "huawei-ascend-999,memory_gb,0.5,TB,mine,\n",
    )
    mine = facts.load([directory])
    chip = mine.chip("999x")
    assert chip.memory_gb is not None
    assert (chip.memory_gb.best, chip.memory_gb.unit, chip.memory_gb.reported) == (500, "GB", "0.5 TB")
    assert chip.origin == f"{directory / 'chips.csv'}:2"
    assert len(mine.chips) == len(facts.load().chips) + 1
    assert mine.digest != facts.load().digest
    assert not mine.overrides


def test_a_second_opinion_stands_beside_the_first(overlay: Overlay) -> None:
    directory = overlay(sources_csv=SOURCE, chip_values_csv=VALUES + "nvidia-h20,memory_gb,141,GB,mine,\n")
    mine = facts.load([directory])
    chip = mine.chip("H20")
    assert chip.memory_gb.best == 96  # type: ignore[union-attr]
    assert sorted(value.best for value in chip.alternatives("memory_gb")) == [96, 141]
    assert not mine.overrides


def test_a_preferred_value_wins_and_both_are_shown(overlay: Overlay) -> None:
    directory = overlay(sources_csv=SOURCE, chip_values_csv=VALUES + "nvidia-b200,die_mm2,1590,mm**2,mine,yes\n")
    mine = facts.load([directory])
    chip = mine.chip("B200")
    assert [value.best for value in chip.alternatives("die_mm2")] == [1590, 1628, 1600]
    assert [value.preferred for value in chip.alternatives("die_mm2")] == [True, False, False]
    (override,) = mine.overrides
    assert (override.replaced.best, override.by.best) == (1628, 1590)
    assert "chip_values.csv:2" in override.text


def test_replacing_a_record_must_be_said(overlay: Overlay) -> None:
    header = "id,entity,measure,central,unit,start,source"
    row = header + "{}\nshi-047,nvidia-to-china,units,1000,thousand chips,2024,mine{}\n"
    with pytest.raises(
        InputError, match=r"facts\.csv:2: 'shi-047' is already in facts\.csv:\d+; add a column override"
    ):
        facts.load([overlay(sources_csv=SOURCE, facts_csv=row.format("", ""))])
    mine = facts.load([overlay(facts_csv=row.format(",override", ",yes"))])
    assert mine.facts["shi-047"].value.central == 1_000_000
    assert mine.facts["shi-047"].value.low == 750_000, "cells that are not given stay"
    (override,) = mine.overrides
    assert override.replaced.value.central == 958_000


def test_a_new_description_of_an_event_drops_the_old_translation(overlay: Overlay) -> None:
    old = facts.load().events["evt-051"]
    header = "id,description,confidence,description_ko,override\n"
    mine = facts.load([overlay(events_csv=header + "evt-051,Something else,,,yes\n")]).events["evt-051"]
    assert (mine.description, mine.description_ko) == ("Something else", "")
    assert mine.described("ko") == mine.described("en") == "Something else"
    both = facts.load([overlay(events_csv=header + "evt-051,Something else,,다른 일,yes\n")]).events["evt-051"]
    assert (both.described("en"), both.described("ko")) == ("Something else", "다른 일")
    kept = facts.load([overlay(events_csv=header + "evt-051,,C,,yes\n")]).events["evt-051"]
    assert (kept.confidence, kept.description_ko) == ("C", old.description_ko)


def test_override_of_nothing_is_refused(overlay: Overlay) -> None:
    text = "id,entity,measure,central,unit,start,source,override\nnew-1,huawei,units,1,chips,2025,mine,yes\n"
    with pytest.raises(InputError, match="no record below has that id"):
        facts.load([overlay(facts_csv=text)])


def test_later_directories_lie_on_top(tmp_path: Path) -> None:
    for name, number in (("one", 100), ("two", 120)):
        (tmp_path / name).mkdir()
        (tmp_path / name / "chip_values.csv").write_text(
            VALUES + f"nvidia-h20,memory_gb,{number},GB,own-knowledge,yes\n", encoding="utf-8"
        )
    both = facts.load([tmp_path / "one", tmp_path / "two"])
    assert both.chip("H20").memory_gb.best == 120  # type: ignore[union-attr]
    assert len(both.overrides) == 2


NUMBERED = "id,entity,measure,start,central,unit\n"
FACT = "id,entity,measure,central,unit,source,start,end,as_written,published,dims\n"


@pytest.mark.parametrize(
    ("row", "start", "end"),
    [
        ("huawei,units,1,million chips,mine,2025,,,,", "2025-01-01", "2025-12-31"),
        ("huawei,units,1,million chips,mine,2025Q1,2025Q2,,,", "2025-01-01", "2025-06-30"),
        ("nvidia,revenue,1,USD bn,mine,,,FY26Q3,,", "2025-07-28", "2025-10-26"),
        ("us-bis,budget,1,USD m,mine,,,FY2026,,", "2025-10-01", "2026-09-30"),
        ("huawei,units,1,million chips,mine,,,early 2026,,", "2026-01-01", "2026-03-31"),
        ("korea-msit,budget,1,KRW bn,mine,,,next year,2025-08-29,", "2026-01-01", "2026-12-31"),
        ("smic,fab_utilisation,90,percent,mine,,,since 2025,2025-06-30,", "2025-01-01", "2025-06-30"),
    ],
)
def test_a_period_is_read_from_dates_or_words(row: str, start: str, end: str, overlay: Overlay) -> None:
    fact = facts.load([overlay(facts_csv=f"{FACT}new-1,{row}\n")]).facts["new-1"]
    assert (fact.start.isoformat(), fact.end.isoformat(), fact.nature) == (start, end, "observation")


def test_a_new_period_does_not_keep_the_old_wording(overlay: Overlay) -> None:
    text = "id,measure,start,central,override\nfab-001,advanced_logic_capacity,2026-05,21,yes\n"
    fact = facts.load([overlay(facts_csv=text)]).facts["fab-001"]
    assert (fact.when, fact.value.central, fact.item_id) == ("2026-05", 21_000, "node-7nm")


def test_dims_are_pairs(overlay: Overlay) -> None:
    row = "new-1,huawei,units,1,chips,mine,2025,,,,channel=legal; destination=china\n"
    fact = facts.load([overlay(facts_csv=FACT + row)]).facts["new-1"]
    assert fact.dims == {"channel": "legal", "destination": "china"}


def test_a_measure_of_ones_own(overlay: Overlay) -> None:
    measures = (
        "measure,kind,unit,adds,title,title_ko,en\nrack_price,price,USD,,Price of a rack,랙 가격,price per rack\n"
    )
    row = "new-1,huawei,rack_price,8,USD m,mine,2025,,,,\n"
    units = "written,unit,factor\nUSD m of racks,USD,1e6\n"
    directory = overlay(measures_csv=measures, facts_csv=FACT + row, units_csv=units)
    mine = facts.load([directory])
    assert mine.measure("price per rack").titled("ko") == "랙 가격"
    assert [fact.id for fact in mine.select("화웨이", "랙 가격")] == ["new-1"]


def test_line_endings_and_marks_of_other_systems(overlay: Overlay) -> None:
    directory = overlay(chips_csv="id\n")
    text = 'id,title,cls\r\nmine,"two\r\nlines\u2028here",own\r\n'
    (directory / "chips.csv").unlink()
    (directory / "sources.csv").write_bytes(b"\xef\xbb\xbf" + text.encode())
    assert facts.load([directory]).sources["mine"].title == "two\nlines\u2028here"


def test_a_better_rate_is_used(overlay: Overlay) -> None:
    text = "id,entity,measure,dims,central,unit,start,source,cls,confidence\n"
    text += "bok,exchange-rates,exchange_rate,currency=krw,1390,KRW per USD,2025-08,mine,official,A\n"
    mine = facts.load([overlay(sources_csv=SOURCE, facts_csv=text)])
    assert mine.convert(1, "USD", "KRW", on="2025-08") == 1390
    assert mine.convert(1, "USD", "KRW", on="2025-07") == facts.convert(1, "USD", "KRW", on="2025-07")


def test_facts_compare_and_travel(overlay: Overlay) -> None:
    mine = facts.load([overlay(sources_csv=SOURCE)])
    assert pickle.loads(pickle.dumps(mine)) == mine
    assert len({mine, facts.load()}) == 2


def test_a_copy_of_what_ships_changes_nothing(tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    copytree(_load.SHIPPED, copy)
    mine = facts.load([copy])
    shipped = facts.load()
    assert mine.overrides == ()
    for kind in ("chips", "systems", "models", "facts", "prices", "sources", "conflicts"):
        assert getattr(mine, kind) == getattr(shipped, kind)
    assert [finding for finding in verify(mine) if not finding.excused] == []


def test_a_changed_line_in_a_copy_must_say_so(tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    copytree(_load.SHIPPED, copy)
    text = (copy / "systems.csv").read_text(encoding="utf-8")
    (copy / "systems.csv").write_text(text.replace("huawei-ascend-910c,384", "huawei-ascend-910c,72"), encoding="utf-8")
    with pytest.raises(InputError, match=r"systems\.csv:14: 'huawei-cloudmatrix-384' is already in systems\.csv:14"):
        facts.load([copy])


BAD = {
    "not a number": (
        "facts_csv",
        "id,entity,measure,start,central,unit\na-1,huawei,units,2025,many,chips\n",
        "facts.csv:2: central",
    ),
    "infinite": ("facts_csv", NUMBERED + "a-1,huawei,units,2025,inf,chips\n", "facts.csv:2: central"),
    "no number": ("facts_csv", NUMBERED + "a-1,huawei,units,2025,,chips\n", "facts.csv:2: no number"),
    "short row": ("facts_csv", "id,entity,measure,central,unit\na-1,huawei\n", "facts.csv:2: 2 cells"),
    "unknown column": ("chips_csv", "id,nmae\nx,y\n", "did you mean name"),
    "missing column": ("chip_values_csv", "chip,central\nx,1\n", "column 'quantity' is missing"),
    "unknown quantity": ("chip_values_csv", VALUES + "nvidia-h20,memory_g,1,GB,mine,\n", "memory_gb"),
    "bad class": ("sources_csv", "id,title,cls\nmine,Mine,rumor\n", "sources.csv:2: cls"),
    "bad id": ("sources_csv", "id,title,cls\nMy Notes,Mine,own\n", "sources.csv:2: id"),
    "empty id": ("sources_csv", "id,title,cls\n,Mine,own\n", "sources.csv:2: id is empty"),
    "twice": (
        "sources_csv",
        "id,title,cls\nm,Mine,own\nm,Mine,own\n",
        "sources.csv:3: id 'm' stands already in line 2",
    ),
    "bad date": ("events_csv", "id,date,type,description\ne-1,2025-13-01,law,x\n", "events.csv:2: date"),
    "Korean without Hangul": (
        "events_csv",
        "id,date,type,description,description_ko\ne-1,2025-12-01,law,x,only English\n",
        "events.csv:2: description_ko",
    ),
    "bad yes": ("chips_csv", "id,name,override\nnvidia-h20,x,perhaps\n", "chips.csv:2: override"),
    "unclosed quote": ("chips_csv", 'id,name\nnvidia-h20,"x\n', "not valid CSV"),
    "empty": ("chips_csv", "", "empty file"),
    "unknown file": ("chps_csv", "id\n", "did you mean chips.csv"),
    "bad yaml": ("conflicts_yaml", "- id: [x\n", "conflicts.yaml:"),
    "yaml is no list": ("conflicts_yaml", "id: x\n", "conflicts.yaml:1: must be a list"),
    "yaml entry is no mapping": ("conflicts_yaml", "- id: x\n- 3\n", "conflicts.yaml:2"),
    "yaml key": ("conflicts_yaml", "- id: x\n  quantty: y\n", "conflicts.yaml:1"),
    "exception": ("exceptions_yaml", "- check: dates\n", "exceptions.yaml:1"),
    "unknown measure": ("facts_csv", FACT + "n-1,smic,yeild,4,percent,mine,2025,,,,\n", "yield"),
    "measure empty": ("facts_csv", FACT + "n-1,smic,,4,percent,mine,2025,,,,\n", "facts.csv:2: measure is empty"),
    "wrong unit": ("facts_csv", FACT + "n-1,smic,yield,4,USD bn,mine,2025,,,,\n", "facts.csv:2: unit: 'USD bn'"),
    "before 1990": ("facts_csv", FACT + "n-1,smic,yield,4,percent,mine,1985,,,,\n", "facts.csv:2: period '1985'"),
    "day that is none": (
        "facts_csv",
        FACT + "n-1,smic,yield,4,percent,mine,2025-02-30,,,,\n",
        "facts.csv:2: 2025-02-30",
    ),
    "backwards": ("facts_csv", FACT + "n-1,smic,yield,4,percent,mine,2025,2024,,,\n", "facts.csv:2: a period cannot"),
    "no period": ("facts_csv", FACT + "n-1,smic,yield,4,percent,mine,,,,,\n", "facts.csv:2: no period"),
    "words that are no time": (
        "facts_csv",
        FACT + "n-1,smic,yield,4,percent,mine,,,soon,,\n",
        "facts.csv:2: period 'soon' is not understood",
    ),
    "fiscal year of nobody": (
        "facts_csv",
        FACT + "n-1,biren,revenue,4,USD bn,mine,,,FY26Q3,,\n",
        "facts.csv:2: period 'FY26Q3' is of a fiscal year",
    ),
    "old column": (
        "facts_csv",
        "id,entity,quantity,central\nn-1,smic,yield,1\n",
        "did you mean measure",
    ),
    "dims that are none": ("facts_csv", FACT + "n-1,smic,yield,4,percent,mine,2025,,,,legal\n", "'legal' is no pair"),
    "kind of measure": ("measures_csv", "measure,kind,title\nnew_thing,stock,New\n", "measures.csv:2: kind"),
    "calendar": ("calendars_csv", "entity,rule,month\nbiren,last,13\n", "calendars.csv:2: a month-end calendar"),
    "calendar's month": ("calendars_csv", "entity,rule,month\nbiren,month-end,13\n", "calendars.csv:2: month is 1"),
    "unit factor": ("units_csv", "written,unit,factor\nfurlong,m,-1\n", "units.csv:2: factor"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_files_give_one_line_with_file_and_line(case: str, overlay: Overlay) -> None:
    name, text, message = BAD[case]
    with pytest.raises(InputError) as caught:
        facts.load([overlay(**{name: text})])
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_directory_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such directory"):
        facts.load([tmp_path / "none"])


def test_bytes_that_are_no_text(overlay: Overlay) -> None:
    directory = overlay(chips_csv="id\n")
    (directory / "chips.csv").write_bytes(b"id,name\n\xff\xfe\x00\x01,x\n")
    with pytest.raises(InputError, match="UTF-8"):
        facts.load([directory])


SHIPPED = {path.name: path.read_bytes() for path in _load.SHIPPED.iterdir() if path.suffix in (".csv", ".yaml")}
SMALL = [
    name for name in SHIPPED if name in ("systems.csv", "conflicts.yaml", "exceptions.yaml", "units.csv", "events.csv")
]


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(name=st.sampled_from(SMALL), position=st.integers(0, 10**6), junk=st.binary(max_size=6), cut=st.integers(0, 40))
def test_a_corrupt_file_is_refused_or_loads_but_never_crashes(
    name: str, position: int, junk: bytes, cut: int, tmp_path: Path
) -> None:
    content = SHIPPED[name]
    start = position % len(content)
    damaged = content[:start] + junk + content[start + cut :]
    directory = tmp_path / "damaged"
    directory.mkdir(exist_ok=True)
    for other, text in SHIPPED.items():
        (directory / other).write_bytes(damaged if other == name else text)
    with suppress(InputError):
        _load._read([directory])
