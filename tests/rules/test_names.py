"""Names of chips: each is its own chip's, none captures another, and a name nobody knows is a label of its numbers."""

from itertools import product
from typing import Any

import pytest

from chipweir import facts
from chipweir.errors import InputError
from chipweir.rules import Shipment, classify, decide
from chipweir.rules._chips import catalogue
from chipweir.rules._identify import identify
from chipweir.rules._words import folded


KNOWN = facts.load()
SETTLED = [(name, chip) for chip in KNOWN.chips for name in KNOWN.names.settled("chip", chip)]
SHARED = sorted({(line.name, line.id) for line in KNOWN.names.flagged("chip")} - set(SETTLED))


def test_the_catalogue_is_whole() -> None:
    assert len(catalogue()) >= 280
    assert len(SETTLED) > 1500


def test_every_settled_name_is_its_own_chip() -> None:
    wrong = []
    for name, chip in SETTLED:
        try:
            found = identify(name).id
        except InputError as error:
            wrong.append((name, chip, str(error)))
            continue
        if found != chip:
            wrong.append((name, chip, found))
    assert not wrong, wrong[:10]


def test_a_shared_name_is_refused_or_is_the_one_s_own() -> None:
    """Never one of several in silence: the name less its maker is the chip's own, and that is said."""
    for name, _chip in SHARED:
        notes: list[str] = []
        try:
            found = identify(name, notes=notes)
        except InputError:
            continue
        assert folded(found.name).removeprefix(folded(found.maker)) == folded(name), (name, found.name)
        assert notes, name


def test_every_chip_is_answered_by_its_full_name() -> None:
    for number, (chip, to) in enumerate(product(catalogue().values(), ("CN", "KR", "SG"))):
        day = ("2022-12-01", "2024-06-01", "2026-08-01")[number % 3]
        fields = {"to": to, "from": "US", "export_date": day}
        try:
            found = decide(Shipment.of({"item": chip.name, **fields}), trace=False)
        except InputError:
            assert chip.name == "Huawei Ascend 910"  # also the name of the family
            found = decide(Shipment.of({"item": chip.id, **fields}), trace=False)
        assert found.name == chip.name
        assert found.headline


def test_a2_is_the_card_and_not_the_series_of_servers() -> None:
    for spelling in ("A2", "a2", " A2 ", "nvidia-a2", "NVIDIA A2", "엔비디아 A2"):
        for to in ("CN", "VN", "KR", "SG"):
            found = decide(
                Shipment.of({"item": spelling, "to": to, "from": "US", "export_date": "2024-06-01", "hq": to})
            )
            assert "Ascend" not in found.name, spelling
            assert found.eccn == "not_3A090", spelling
    told = decide({"item": "A2", "to": "CN", "from": "US", "export_date": "2024-06-01"})
    assert any("also used for" in text and "Ascend" in text for text in told.assumptions)
    assert identify("A2", "Huawei").id == "huawei-ascend-910b"
    assert identify("A2", "NVIDIA").id == "nvidia-a2"
    with pytest.raises(InputError):
        identify("A2", "Intel")


# Names beside those of the catalogue, and numbers that decide otherwise than the chip they resemble.
NUMBERS: list[tuple[dict[str, Any], str]] = [
    ({"tpp": 1599, "die_mm2": 100, "dc": True, "mem_bw_gbps": 500, "io_gbps": 64}, "not_3A090"),
    ({"tpp": 1864, "die_mm2": 294.5, "dc": False, "mem_bw_gbps": 504, "io_gbps": 64}, "not_3A090"),
    ({"tpp": 2900, "die_mm2": 609, "dc": True, "mem_bw_gbps": 800, "io_gbps": 64}, "3A090.b"),
    ({"tpp": 4799, "die_mm2": 900, "dc": True, "mem_bw_gbps": 800, "io_gbps": 64}, "3A090.b"),
    ({"tpp": 4800, "die_mm2": 9000, "dc": True, "mem_bw_gbps": 800, "io_gbps": 64}, "3A090.a"),
    ({"tpp": 1600, "die_mm2": 270, "dc": True, "mem_bw_gbps": 800, "io_gbps": 64}, "3A090.a"),
    ({"modes": [{"tops": 500, "bits": 8}, {"tops": 240, "bits": 16}], "die_mm2": 609, "dc": True, "io_gbps": 64,
      "mem_bw_gbps": 900}, "3A090.a"),
]  # fmt: skip
UNKNOWN = ["H200X", "H20 Ultra", "B200A Lite", "A1000X", "RTX 4095", "MI30X", "Gaudi 4 Lite", "Ascend 999Z", "TPU v5q",
           "Acme One", "우리칩 1호", "未来芯片X1", "NPU-17", "A100 clone", "Rubin Nano 3"]  # fmt: skip


@pytest.mark.parametrize("name", UNKNOWN)
def test_an_unknown_name_with_its_numbers_is_answered_from_them(name: str) -> None:
    with pytest.raises(InputError):
        decide({"item": name, "to": "CN", "export_date": "2024-06-01"})
    for (numbers, eccn), to in product(NUMBERS, ("CN", "VN", "KR")):
        fields = {"to": to, "hq": to, "from": "US", "export_date": "2024-06-01", "exporter": "Dell"}
        labelled = decide(Shipment.of({"item": {"chip": name, **numbers}, **fields}), trace=False)
        bare = decide(Shipment.of({"item": numbers, **fields}), trace=False)
        assert labelled.eccn == eccn, (name, numbers)
        assert (labelled.licence, labelled.review, labelled.exception) == (bare.licence, bare.review, bare.exception)
        assert labelled.name == name
        assert any("the name is a label" in text for text in labelled.assumptions)


def test_numbers_beside_a_known_name_are_those_that_decide() -> None:
    for number, (name, (numbers, eccn)) in enumerate(
        product(["H100", "RTX 4070", "A30", "T4", "Ascend 910C"], NUMBERS)
    ):
        found = classify({"chip": name, **numbers}, "2024-06-01")
        assert found.eccn == eccn, (name, numbers, number)


def test_an_unknown_name_with_half_its_numbers_is_undetermined() -> None:
    for name in UNKNOWN:
        for part in ({"tpp": 2900, "dc": True}, {"tpp": 1700, "io_gbps": 64}):
            found = decide(
                {"item": {"chip": name, **part}, "to": "CN", "from": "US", "export_date": "2024-06-01"}, trace=False
            )
            assert found.eccn == "undetermined", name
            assert found.licence != "no", name
            assert "die_mm2" in {question.code for question in found.questions}, name
