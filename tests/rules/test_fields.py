"""The fields people use: second names, dies as engineers list them, designers in the law's own words, dates, tables."""

import json
from datetime import date, timedelta
from itertools import product
from pathlib import Path
from typing import Any

import pytest

from chipweir.errors import InputError, UnknownName
from chipweir.rules import Shipment, classify, decide
from chipweir.rules._asked import ITEM_WORDS, SHIPMENT_WORDS
from chipweir.rules._batch import batch


ITEM_VALUES: dict[str, list[Any]] = {
    "die_mm2": [450, 814, "608.5"], "mem_bw_gbps": [900, 1400, 4800], "io_gbps": [64, 600, 1100], "dc": [True, False, "yes"],
    "quantity": [1, 8, "1000"], "spec": ["germanium", "hbm3", "server"], "chip": ["H100", "H20", "L40"],
    "node_nm": [5, 28, "7nm"],
    "mbd": [1.9, 2.5, 3.3], "pd": [1.5, 3.2, 5.92], "transistors_bn": [20, 45], "maker": ["NVIDIA", "Huawei"],
    "has_hbm": [True, False], "eccn": ["3A090.a", "3A991"],
}  # fmt: skip
SHIPMENT_VALUES: dict[str, list[Any]] = {
    "export_date": ["2024-02-02", "2025-05-01", "2026-03-01"], "from": ["US", "TW", "중국"], "to": ["CN", "VN", "KR"],
    "hq": ["CN", "US"], "ultimate_parent": ["CN", "US", "HK"], "exporter": ["NVIDIA", "Dell"],
    "purchaser": ["Huawei", "Acme"],
    "end_user": ["ByteDance", "OpenAI"], "end_user_type": ["military", "commercial"], "via": ["MY", "KR"],
    "ownership": [0.6, 0.2], "consignee": ["SMIC", "Acme"],
}  # fmt: skip
BASES = [
    {"item": {"tpp": 4000, "die_mm2": 700, "dc": True, "mem_bw_gbps": 2000, "io_gbps": 500}, "to": "CN", "from": "US",
     "export_date": "2025-10-10", "hq": "CN", "exporter": "NVIDIA"},
    {"item": {"tpp": 15832, "die_mm2": 814, "dc": True, "mem_bw_gbps": 4800, "io_gbps": 900}, "to": "SG", "from": "US",
     "export_date": "2024-10-10"},
    {"item": {"tpp": 1864, "die_mm2": 294.5, "dc": False}, "to": "VN", "from": "US", "export_date": "2024-06-10"},
]  # fmt: skip


def answer(fields: Any) -> dict[str, Any]:
    return decide(Shipment.of(fields), trace=False).to_dict(trace=False)


@pytest.mark.parametrize("word", ITEM_WORDS)
def test_a_second_name_of_an_item_field_is_that_field(word: str) -> None:
    field = ITEM_WORDS[word]
    for base, value in product(BASES, ITEM_VALUES[field]):
        rest = {k: v for k, v in base["item"].items() if k != field}
        item = {} if field in ("chip", "spec", "eccn") else rest
        canonical = answer({**base, "item": {**item, field: value}})
        assert answer({**base, "item": {**item, word: value}}) == canonical, (word, value)
        beside = {k: v for k, v in base.items() if k != "item"}
        if item or field == "chip":
            assert answer({**beside, **item, word: value}) == canonical, (
                word,
                value,
                "beside the shipment's own fields",
            )
        with pytest.raises(UnknownName):
            answer({**base, "item": {**item, field: value, word: value}})


@pytest.mark.parametrize("word", SHIPMENT_WORDS)
def test_a_second_name_of_a_shipment_field_is_that_field(word: str) -> None:
    field = SHIPMENT_WORDS[word]
    for base, value in product(BASES, SHIPMENT_VALUES[field]):
        rest = {k: v for k, v in base.items() if k != field}
        assert answer({**rest, word: value}) == answer({**rest, field: value}), (word, value)
        with pytest.raises(UnknownName):
            answer({**rest, field: value, word: value})


NON_PLANAR, PLANAR = (
    ["finfet", "FinFET", "gaa", "GAAFET", "nanosheet", "7nm", "16 nm", 5],
    ["planar", "bulk planar", "28nm", 28],
)


@pytest.mark.parametrize("node", NON_PLANAR)
@pytest.mark.parametrize("old", PLANAR)
def test_dies_as_engineers_list_them(node: Any, old: Any) -> None:
    """TPP adds up over all dies; area over those on non-planar nodes."""
    for number, (tpp, area) in enumerate(product([650, 1300, 2400], [300, 450, 700])):
        size, process = (("mm2", "node"), ("die_mm2", "process"), ("area", "node_nm"), ("area_mm2", "node"))[number % 4]
        dies = [
            {"tpp": tpp, size: area, process: node},
            {"tpp": tpp, size: area, process: node},
            {"tpp": 0, size: 300, process: old},
        ]
        found = classify({"dies": dies, "dc": True}, "2024-08-01")
        assert float(found.tpp or 0) == 2 * tpp
        assert float(found.pd or 0) == pytest.approx(tpp / area)
        density = tpp / area
        if 2 * tpp >= 4800 or (2 * tpp >= 1600 and density >= 5.92):
            assert found.eccn == "3A090.a"
        elif (2 * tpp >= 2400 and density >= 1.6) or (2 * tpp >= 1600 and density >= 3.2):
            assert found.eccn == "3A090.b"
        else:
            assert found.eccn == "not_3A090"


def die(**designer: Any) -> dict[str, Any]:
    return {"spec": "logic_die", "node_nm": 6, "transistors_bn": 45, "has_hbm": False, "designer": designer}


@pytest.mark.parametrize("exporter", ["front_end_fabricator", "fab", "foundry", "osat"])
def test_a_designer_in_the_law_s_own_words(exporter: str) -> None:
    """Approved, or authorised, or neither: flags in either spelling, beside a seat; a seat in D:5 or Macau is none."""
    base = {"export_date": "2025-04-01", "from": "TW", "to": "CN", "hq": "CN", "exporter_type": exporter}
    for no in (False, "no", "No", 0):
        for hq in ("CN", "MO", "HK", "US", "TW", "KR"):
            for word in ("authorized", "authorised"):
                found = answer({**base, "item": die(hq=hq, approved=no, **{word: no})})
                assert (found["eccn"], found["licence"], found["review"]) == ("3A090.a", "yes", "presumption_of_denial")
    for yes in (True, "yes", 1):
        for flags in ({"approved": yes}, {"authorised": yes}, {"authorized": yes, "approved": False}):
            for hq in ("US", "TW", "KR"):
                assert answer({**base, "item": die(hq=hq, **flags)})["licence"] == "conditional", (flags, hq)
            for hq in ("CN", "MO"):
                assert answer({**base, "item": die(hq=hq, **flags)})["licence"] == "yes", (flags, hq)


WRITTEN = ["{0:%Y-%m-%d}", "{0:%Y/%m/%d}", "{0:%Y.%m.%d}", "{0:%Y.%m.%d}.", "{0:%Y. %m. %d}", "{0:%Y%m%d}",
           "{0.day} {0:%B} {0.year}", "{0:%d %b %Y}", "{0:%b} {0.day}, {0.year}", "{0:%B} {0.day}th, {0.year}",
           "{0.year}년 {0.month}월 {0.day}일",
           "{0.year}年{0.month}月{0.day}日", "{0:%Y-%m-%d}T00:00:00Z", "{0:%Y-%m-%d} 12:30", "{0:%d-%b-%Y}"]  # fmt: skip
UNCLEAR = [
    "{0:%d/%m/%Y}",
    "{0:%m/%d/%Y}",
    "{0:%d.%m.%Y}",
    "{0:%d-%m-%y}",
    "{0:%B} {0.year}",
    "{0.year}",
    "Q1 {0.year}",
    "FY{0.year}",
]


@pytest.mark.parametrize("written", WRITTEN)
def test_dates_as_people_write_them(written: str) -> None:
    for number in range(24):
        day = date(2022, 9, 3) + timedelta(days=61 * number)
        assert Shipment.of({"item": "H100", "to": "CN", "export_date": written.format(day)}).export_date == day


@pytest.mark.parametrize("written", UNCLEAR)
def test_a_date_that_can_be_read_two_ways_is_refused_with_the_form(written: str) -> None:
    for number in range(12):
        text = written.format(date(2024, 1 + number, 3))
        with pytest.raises(InputError, match="write it as 2026-01-15"):
            Shipment.of({"item": "H100", "to": "CN", "export_date": text})


# --- tables


ROWS = [
    {"id": "a1", "chip": "H100", "to": "CN", "export_date": "2024-06-01", "from": "US", "hq": "CN", "quantity": "8"},
    {
        "id": "b,2",
        "chip": "RTX 4090",
        "to": "Viet Nam",
        "export_date": "2 June 2024",
        "from": "US",
        "hq": "VN",
        "quantity": "1",
    },
    {
        "id": "세 번째",
        "chip": "엔비디아 H20",
        "to": "홍콩",
        "export_date": "2025년 5월 1일",
        "from": "미국",
        "hq": "홍콩",
        "quantity": "",
    },
]


@pytest.mark.parametrize("sign", [",", ";", "\t"])
@pytest.mark.parametrize("order", range(4))
def test_columns_in_any_order_with_others_beside_them(sign: str, order: int, tmp_path: Path) -> None:
    import csv

    names = list(ROWS[0])
    names = [*names[order:], *names[:order]]
    path = tmp_path / "list.csv"
    with path.open("w", encoding=["utf-8", "utf-8-sig"][order % 2], newline="") as stream:
        writer = csv.writer(stream, delimiter=sign, lineterminator=["\n", "\r\n"][order % 2])
        writer.writerow([*names, "Incoterm", "Invoice value"])
        writer.writerows([[row[name] for name in names] + ["DAP", "12,5"] for row in ROWS])
    lines = tmp_path / "list.jsonl"
    lines.write_text("\n".join(json.dumps({k: v for k, v in row.items() if v}) for row in ROWS), encoding="utf-8")
    table, listed = list(batch(path, trace=False)), list(batch(lines, trace=False))
    assert [row.error for row in table] == ["", "", ""]
    assert [row.id for row in table] == [row["id"] for row in ROWS]
    assert table[0].ignored == ("Incoterm", "Invoice value")
    for one, other in zip(table, listed, strict=True):
        assert one.decision is not None
        assert other.decision is not None
        assert one.decision.to_dict(trace=False) == other.decision.to_dict(trace=False)


@pytest.mark.parametrize("header", ["ID,Chip,To,Export Date,From,HQ,Quantity", "id,품목,목적지,수출일,선적국,본사,수량",
                                    "Id,Product,Destination,Date,Origin,Headquarters,Qty"])  # fmt: skip
def test_columns_under_the_names_people_give_them(header: str, tmp_path: Path) -> None:
    path = tmp_path / "list.csv"
    lines = [",".join(f'"{cell}"' for cell in row.values()) for row in ROWS]
    path.write_text("\n".join([header, *lines]) + "\n", encoding="utf-8")
    found = list(batch(path, trace=False))
    assert [row.id for row in found] == [row["id"] for row in ROWS]
    assert [row.decision.licence if row.decision else row.error for row in found] == ["yes", "yes", "yes"]


@pytest.mark.parametrize(
    "header", ["chip,to,export_dat", "chip,to,headquarter", "chip,to,ultimate_parnt", "chip,too", "chips,to"]
)
def test_a_column_that_is_nearly_ours_is_named(header: str, tmp_path: Path) -> None:
    path = tmp_path / "list.csv"
    path.write_text(f"{header}\n" + ",".join(["H100"] * header.count(",")) + ",CN\n", encoding="utf-8")
    with pytest.raises(UnknownName, match="unknown column"):
        list(batch(path))


def test_a_server_s_own_flag_does_not_override_its_chips() -> None:
    for number, (chip, flag) in enumerate(
        product(["H100", "RTX 4090", "L40", "L4", "RTX 4090 D"], [True, False, None])
    ):
        day = date(2024, 5, 1) + timedelta(days=number * 20)
        plain = classify({"contains": [{"chip": chip, "n": 4}]}, day)
        flagged = classify({"contains": [{"chip": chip, "n": 4}], **({} if flag is None else {"dc": flag})}, day)
        assert flagged.eccn == plain.eccn, (chip, flag)
        if flag is not None and flag != (chip in ("H100", "L40", "L4")):
            assert any("data-centre flag does not change" in text for text in flagged.assumptions), (chip, flag)
