"""What a clearance or an exception rests on stands in the headline, and what is not modelled is never cleared."""

from datetime import date, timedelta
from itertools import product
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chipweir.rules import Shipment, decide
from chipweir.rules._asked import ITEM_WORDS, SHIPMENT_FIELDS, SHIPMENT_WORDS


def ask(item: Any, to: str, day: Any, **fields: Any) -> Any:
    return decide(Shipment.of({"item": item, "to": to, "export_date": day, "from": "US", **fields}), trace=False)


ARMIES = ["Army", "Navy", "Air Force", "Armed Forces", "Ministry of Defence", "Ministry of Defense", "Naval Institute"]
MILITARY_LANDS = [("MM", "Myanmar"), ("KH", "Cambodia"), ("VE", "Venezuela"), ("CN", "Guangdong")]


@pytest.mark.parametrize(("to", "land"), MILITARY_LANDS)
@pytest.mark.parametrize("chip", ["T4", "A2", "L20"])
def test_a_name_that_sounds_military_is_asked_about(to: str, land: str, chip: str) -> None:
    for word in ARMIES:
        found = ask(chip, to, "2024-07-10", end_user=f"{land} {word}")
        assert found.licence in ("unknown", "yes"), (word, found)
        assert found.licence == "yes" or found.questions[0].code == "end_use"
        stated = ask(chip, to, "2024-07-10", end_user=f"{land} {word}", end_user_type="military")
        assert stated.licence == "yes"
        civil = ask(chip, to, "2024-07-10", end_user=f"{land} {word}", end_user_type="commercial")
        assert civil.licence == "no", "the exporter has said what the user is"


@pytest.mark.parametrize(
    "name",
    ["PLA", "PLA Rocket Force", "People's Liberation Army Navy", "中国人民解放军", "중국 인민해방군", "人民解放军海军",
     "NUDT", "National University of Defense Technology", "国防科技大学",
     "NORINCO Group", "AVIC Xi'an", "CETC 14th Institute"],
)  # fmt: skip
def test_known_military_users_change_the_headline(name: str) -> None:
    for chip, day in product(["T4", "L20", "L40", "RTX 4090"], ["2023-12-01", "2025-06-01", "2026-03-01"]):
        found = ask(chip, "CN", day, end_user=name)
        assert found.licence == "yes"
        assert found.exception == "none"
        assert found.headline.startswith("Barred party or end use")


@settings(max_examples=200, deadline=None)
@given(
    to=st.sampled_from(["MY", "SG", "TH", "BR", "DE", "KR", "JP", "TW"]),
    chip=st.sampled_from(["H100", "B200", "L40", "H20"]),
    day=st.dates(date(2023, 12, 1), date(2026, 10, 9)), stated=st.booleans(),
)  # fmt: skip
def test_a_clearance_without_a_parent_says_so(to: str, chip: str, day: date, stated: bool) -> None:
    parent = {"ultimate_parent": to} if stated else {}
    found = ask(chip, to, day, hq=to, **parent)
    if found.licence == "no":
        assert ("the ultimate parent" in found.headline) is not stated
        assert any("ultimate parent not stated" in text for text in found.assumptions) is not stated


def test_an_exception_beside_letters_says_so() -> None:
    for chip, day, exporter in product(
        ["RTX 5090"], ["2025-05-01", "2025-10-01", "2026-02-01"], [None, "Dell", "Supermicro", "a trader"]
    ):
        found = ask(chip, "CN", day, hq="CN", **({} if exporter is None else {"exporter": exporter}))
        assert found.exception == "NAC"
        assert "is-informed letter" in found.headline
    assert ask("RTX 5090", "CN", "2025-05-01", hq="CN", exporter="NVIDIA").exception == "none"
    assert "is-informed letter" not in ask("L40", "CN", "2025-05-01", hq="CN").headline


@settings(max_examples=100, deadline=None)
@given(day=st.dates(date(1990, 1, 1), date(2021, 12, 31)), to=st.sampled_from(["CN", "RU", "IR", "KR", "VN"]))
def test_law_before_its_first_day_here_is_not_cleared(day: date, to: str) -> None:
    found = ask("A100", to, day)
    assert found.licence == "unknown"
    assert "2022" in found.not_covered


@settings(max_examples=60, deadline=None)
@given(late=st.integers(1, 3000), chip=st.sampled_from(["H100", "T4", "H20"]), to=st.sampled_from(["CN", "MY", "JP"]))
def test_a_day_after_the_sources_says_so(late: int, chip: str, to: str) -> None:
    assert "sources end" in ask(chip, to, date(2026, 10, 9) + timedelta(days=late)).headline
    assert "sources end" not in ask(chip, to, date(2026, 10, 9)).headline


@pytest.mark.parametrize("material", ["gallium", "germanium", "antimony", "tungsten", "graphite"])
@pytest.mark.parametrize("to", ["HK", "MO", "TW", "KR"])
def test_chinese_law_holds_what_leaves_the_mainland(material: str, to: str) -> None:
    for day in ("2025-03-10", "2025-10-01", "2026-05-05"):
        found = ask({"material": material}, to, day, regime="CN", **{"from": "CN"})
        assert found.licence == "yes", (material, to, day)
        assert ask({"material": material}, "CN", day, regime="CN", **{"from": "CN"}).licence == "no"
        beside = ask({"material": material}, to, day, **{"from": "CN"})
        assert next(law for law in beside.laws if law.regime == "CN").licence == "yes"


def test_hong_kong_has_a_law_of_its_own() -> None:
    for to in ("VN", "CN", "MY"):
        laws = {law.regime: law for law in ask("H20", to, "2026-03-01", hq=to, **{"from": "HK"}).laws}
        assert laws["HK"].basis == "not modelled"
        assert "CN" not in laws


@pytest.mark.parametrize(
    ("text", "key"),
    [("GPU leasing in Malaysia", "cloud_access"), ("rental of GPUs abroad", "cloud_access"), ("api access", "cloud_access"),
     ("해외 클라우드 이용", "cloud_access"), ("GPU 임대", "cloud_access"), ("return for repair", "repair_and_return"),
     ("수리 후 반송", "repair_and_return"), ("release of source code to a foreign national", "deemed_export"),
     ("간주수출", "deemed_export"), ("hand carry to a trade show", "temporary_export"), ("기술 이전", "technology_transfer"),
     ("support by US persons at the fab", "us_person_support"), ("freight forwarding", "brokering")],
)  # fmt: skip
def test_what_is_no_shipment_is_known_in_a_sentence(text: str, key: str) -> None:
    for chip, to, field in product(["H200", "T4"], ["CN", "MY", "JP"], ["route", "activity"]):
        found = ask(chip, to, "2025-10-01", **{field: text})
        assert found.licence == "unknown"
        assert found.basis == f"not covered: {key}"


def spelt(name: str) -> list[str]:
    return [name.upper(), name.title(), name.replace("_", " "), name.replace("_", "-"), f" {name} "]


def test_fields_are_known_in_any_case_with_blanks_or_hyphens() -> None:
    values = {
        "to": "CN",
        "export_date": "2025-06-01",
        "from": "US",
        "hq": "CN",
        "ownership": "0.6",
        "exporter": "NVIDIA",
    }
    for field in (*SHIPMENT_FIELDS, *SHIPMENT_WORDS):
        meant = SHIPMENT_WORDS.get(field, field)
        if meant not in values or not field.isascii():
            continue
        rest = {"item": "H20", "to": "CN", "export_date": "2025-06-01"}
        rest.pop(meant, None)
        wanted = decide({**rest, meant: values[meant]}, trace=False)
        for name in spelt(field):
            assert decide({**rest, name: values[meant]}, trace=False) == wanted, name
    numbers = {"tpp": 5000, "die_mm2": 600, "mem_bw_gbps": 2000, "io_gbps": 700}
    wanted = decide({"item": numbers, "to": "CN", "export_date": "2025-06-01"}, trace=False)
    for field in (*numbers, *(word for word, meant in ITEM_WORDS.items() if meant in numbers)):
        meant = ITEM_WORDS.get(field, field)
        for name in spelt(field):
            item = {**{k: v for k, v in numbers.items() if k != meant}, name: numbers[meant]}
            assert decide({"item": item, "to": "CN", "export_date": "2025-06-01"}, trace=False) == wanted, name


ORDER = {"no": 0, "conditional": 1, "unknown": 1, "yes": 2}
PARTNERS = {"KR", "JP", "DE", "US", "IN"}


@settings(max_examples=500, deadline=None)
@given(
    chip=st.sampled_from(["H100", "H20", "L40", "RTX 4090", "B200", "MI308X", "Ascend 910C", "T4", "DGX H100", "A800"]),
    to=st.sampled_from(["CN", "HK", "MO", "SG", "MY", "TH", "VN", "AE", "SA", "BR", "TW", "IL", "KR", "JP", "IN", "VE"]),
    day=st.dates(date(2022, 8, 1), date(2026, 10, 9)), mode=st.sampled_from(["enforced", "as_written"]),
    origin=st.sampled_from(["US", "TW", "CN", "KR"]), exporter=st.sampled_from([None, "NVIDIA", "Dell"]),
)  # fmt: skip
def test_a_seat_left_out_never_helps(
    chip: str, to: str, day: date, mode: str, origin: str, exporter: str | None
) -> None:
    """What a seat in China or at the destination would need, a shipment without one may not be cleared of unsaid."""
    fields = {"from": origin, "mode": mode, **({} if exporter is None else {"exporter": exporter})}
    silent = ask(chip, to, day, **fields)
    for seat in {to, "CN"}:
        told = ask(chip, to, day, hq=seat, ultimate_parent=seat, **fields)
        if ORDER[told.licence] > ORDER[silent.licence]:
            if silent.licence == "no":
                assert to in PARTNERS, (told, silent)
                assert "the ultimate parent" in silent.headline
            else:
                assert silent.questions, (told, silent)
        if told.licence == silent.licence == "yes" and told.exception == "none" and to not in PARTNERS:
            assert silent.exception == "none", (told, silent)


@settings(max_examples=300, deadline=None)
@given(
    eccn=st.sampled_from(["3B001.a.4", "3B001.c", "3B001.f.1", "3B991", "3B993", "EAR99", "3B002.b", "3B992"]),
    to=st.sampled_from(["CN", "MO", "VN", "TW", "KR", "RU", "MY", "IL"]), user=st.sampled_from([None, "legacy fab", "SMIC"]),
    day=st.dates(date(2022, 11, 1), date(2026, 10, 9)), origin=st.sampled_from(["US", "NL", "JP"]),
)  # fmt: skip
def test_a_control_number_left_out_never_helps(eccn: str, to: str, user: str | None, day: date, origin: str) -> None:
    fields = {"from": origin}
    if user is not None:
        fields |= {"end_user": user} if user == "SMIC" else {"end_user_type": user}
    silent = ask({"spec": "fab_tool"}, to, day, **fields)
    told = ask({"spec": "fab_tool", "eccn": eccn}, to, day, **fields)
    assert not (silent.licence == "no" and told.licence != "no"), (told, silent)
    if told.licence != "yes" or told.exception == "none":
        assert silent.exception in ("none", "n/a")


@settings(max_examples=300, deadline=None)
@given(
    density=st.sampled_from([0.5, 1.9, 2.0, 2.1, 3.2, 3.4, 9]),
    to=st.sampled_from(["CN", "MO", "SG", "TW", "MY", "KR", "JP"]),
    buyer=st.sampled_from([None, "CN", "US", "KR"]), day=st.dates(date(2024, 12, 31), date(2026, 10, 9)),
    origin=st.sampled_from(["KR", "JP", "US"]),
)  # fmt: skip
def test_a_buyer_of_memory_left_out_never_helps(
    density: float, to: str, buyer: str | None, day: date, origin: str
) -> None:
    item = {"spec": "hbm_stack", "mbd": density}
    silent = ask(item, to, day, **{"from": origin})
    told = ask(item, to, day, **{"from": origin}, **({} if buyer is None else {"hq": buyer, "ultimate_parent": buyer}))
    assert not (silent.licence == "no" and told.licence != "no"), (told, silent)
    assert silent.exception in ("none", "n/a")
    if density > 2:
        assert silent.licence in ("yes", "conditional")


@settings(max_examples=400, deadline=None)
@given(
    chip=st.sampled_from(["H100", "H20", "L40", "RTX 4090", "RTX 5090", "MI308X", "T4", "A100", "RTX PRO 6000", "L4"]),
    to=st.sampled_from(["CN", "HK", "MO", "SG", "VN", "AE", "SA", "KR"]), day=st.dates(date(2022, 8, 1), date(2026, 10, 9)),
    name=st.sampled_from(["NVIDIA", "AMD", "Intel", "Dell", "a trader"]),
)  # fmt: skip
def test_an_exporter_left_out_never_helps(chip: str, to: str, day: date, name: str) -> None:
    silent = ask(chip, to, day, hq=to)
    told = ask(chip, to, day, hq=to, exporter=name)
    maker = {"MI308X": "AMD"}.get(chip, "NVIDIA")
    if name == maker:
        assert ORDER[told.licence] <= ORDER[silent.licence] or silent.licence == "unknown", (told, silent)
        if told.exception == "none" and silent.outcome == "exception":
            assert "is-informed letter" in silent.headline


@settings(max_examples=400, deadline=None)
@given(
    chip=st.sampled_from(["H100", "H20", "L40", "RTX 4090", "T4", "A2", "L20"]),
    to=st.sampled_from(["CN", "MO", "SG", "VN", "AE", "SA", "KR", "BR"]), day=st.dates(date(2022, 8, 1), date(2026, 10, 9)),
    kind=st.sampled_from(["military", "entity_list", "supercomputer", "wmd", "military_intelligence"]),
)  # fmt: skip
def test_an_end_user_left_out_is_said_in_the_headline(chip: str, to: str, day: date, kind: str) -> None:
    silent, told = ask(chip, to, day), ask(chip, to, day, end_user_type=kind)
    assert ORDER[told.licence] >= ORDER[silent.licence] or silent.licence == "unknown"
    tighter = ORDER[told.licence] > ORDER[silent.licence] or (
        silent.outcome == "exception" and told.exception == "none"
    )
    if tighter and silent.licence != "unknown":
        assert "parties and end use" in silent.headline, silent
        assert any("end user not stated" in text for text in silent.assumptions)


@settings(max_examples=200, deadline=None)
@given(
    chip=st.sampled_from(["H100", "H20", "L40S", "RTX 4090", "A100"]), factor=st.sampled_from([0.1, 0.9, 1, 1.1, 10]),
    quantity=st.sampled_from(["tpp", "die_mm2", "mem_bw_gbps", "io_gbps"]),
)  # fmt: skip
def test_a_number_that_is_not_the_catalogues_is_said(chip: str, factor: float, quantity: str) -> None:
    from chipweir.rules._chips import find

    value = float(getattr(find(chip), quantity)) * factor
    found = ask({"chip": chip, quantity: value}, "CN", "2024-10-10")
    assert any("the catalogue gives" in text for text in found.assumptions) is (factor != 1)
    flipped = ask({"chip": chip, "dc": not find(chip).dc}, "CN", "2024-10-10")
    assert any("the catalogue says" in text for text in flipped.assumptions)


UNKNOWN = ["unknown", "Unknown", "n/a", "N/A", "?", "-", "TBD", "not known", "미상", "不明"]


@pytest.mark.parametrize("word", UNKNOWN)
def test_what_is_said_to_be_unknown_is_not_taken_for_granted(word: str) -> None:
    """An unknown parent or seat leaves the answer open also in a partner, where one that is not stated is assumed."""
    told: list[dict[str, Any]] = [
        {"ultimate_parent": word}, {"hq": word}, {"hq": word, "ultimate_parent": word},
        {"ownership": {"ultimate_parent": word}}, {"ultimate_parent": f"{word} Acme Holdings"},
        {"parent": word, "end_user": word, "consignee": word, "exporter": word},
    ]  # fmt: skip
    for chip, to, fields in product(["H100", "L40", "H20"], ["MY", "JP", "KR", "BR"], told):
        stated = {} if "hq" in fields else {"hq": to}
        found = ask(chip, to, "2025-06-01", **stated, **fields)
        assert found.licence == "conditional", (chip, to, fields, found)
        assert found.questions[0].code == "seat"
        assert ask(chip, "US", "2025-06-01", **fields).licence == "no"
        assert ask(chip, "CN", "2025-06-01", **fields).licence == "yes"
        assert ask(chip, to, "2025-06-01", hq="CN", **{k: v for k, v in fields.items() if k != "hq"}).licence == "yes"


def test_a_place_of_incorporation_is_no_seat() -> None:
    for place, to, chip in product(["KY", "VG", "Bermuda", "SC"], ["MY", "SG", "JP", "AE"], ["H100", "B200"]):
        for fields in ({"hq": place}, {"hq": place, "ultimate_parent": place}):
            found = ask(chip, to, "2025-06-01", **fields)
            assert found.licence == ("yes" if to == "AE" else "conditional")
            assert any(question.code == "seat" for question in found.questions)
        assert ask(chip, to, "2025-06-01", hq=place, ultimate_parent="CN").review == "presumption_of_denial"


def test_an_owner_of_one_half_whose_seat_is_not_stated_is_asked_about() -> None:
    for share, to in product([0.5, "51%", 0.9], ["MY", "SG", "BR"]):
        owner: dict[str, Any] = {"name": "Dragon Holdings", "share": share, "listed": False}
        assert ask("H100", to, "2025-06-01", hq=to, ownership=[owner]).licence == "conditional"
        assert ask("H100", to, "2025-06-01", hq=to, ownership=[{**owner, "country": "JP"}]).licence == "no"
        assert ask("H100", to, "2025-06-01", hq=to, ownership=[{**owner, "country": "HK"}]).licence == "yes"
        assert ask("H100", to, "2025-06-01", hq=to, ownership=[{**owner, "share": 0.3}]).licence == "no"


def test_a_stricter_policy_that_may_hold_is_named() -> None:
    names = ["Guangzhou Naval Systems Institute", "Huawei Cloud", "YMTC Wuhan", "Chengdu Army Hospital"]
    for chip, name, day in product(["L40", "A30", "RTX 4090"], names, ["2024-07-10", "2025-03-03", "2026-03-03"]):
        found = ask(chip, "CN", day, end_user=name)
        assert (found.licence, found.review, found.exception) == ("yes", "unspecified", "none")
        assert found.reviews_possible == ("case_by_case", "presumption_of_denial")
        assert "case by case or presumption of denial" in found.headline
