"""The vocabulary: each spelling means one thing, and names of chips and countries resolve."""

from itertools import combinations

import pytest

from chipweir import facts
from chipweir.errors import InputError, UnknownName
from chipweir.rules import Shipment, classify, decide
from chipweir.rules._chips import catalogue, find
from chipweir.rules._numbers import exact
from chipweir.rules._places import alpha2, country
from chipweir.rules._words import folded, vocabulary, word


FIELDS = (
    "routes",
    "exporter_types",
    "end_user_types",
    "certifications",
    "item_kinds",
    "weights",
    "packagers",
    "designers",
)


@pytest.mark.parametrize("field", FIELDS)
def test_a_spelling_means_one_thing(field: str) -> None:
    meanings = {w: {folded(str(s)) for s in (w, *spellings)} for w, spellings in vocabulary()[field].items()}
    for (one, ones), (other, others) in combinations(meanings.items(), 2):
        assert not ones & others, (one, other)
    for w, spellings in vocabulary()[field].items():
        for spelling in (w, *spellings):
            assert word(field, str(spelling).upper().replace(" ", "_"), field) == w


def test_the_nearest_word_is_suggested() -> None:
    with pytest.raises(UnknownName, match="did you mean supercomputer"):
        Shipment("H100", "CN", "2024-01-01", end_user_type="supercomputr")


def test_chips_answer_to_the_names_of_the_facts() -> None:
    known = facts.load().chips
    for chip in catalogue().values():
        for name in (chip.id, chip.name, *chip.aliases):
            assert find(name).id == chip.id, name
    for chip in known.values():
        assert find(chip.id).id == chip.id
        for alias in chip.aliases:
            if folded(alias) in {folded(a) for c in catalogue().values() for a in c.aliases}:
                assert find(alias).id == chip.id, alias


def test_chips_of_the_facts_alone_are_classified() -> None:
    assert classify("RNGD", "2024-06-01").eccn.startswith("3A090")
    assert classify("nvidia-gb200-nvl72", "2025-06-01").eccn == "4A090.a"


def test_countries() -> None:
    assert len(alpha2()) == 249
    for code in alpha2():
        assert country(code.lower(), "to") == code
    for name, code in {
        "Türkiye": "TR",
        "TUR": "TR",
        "South Korea": "KR",
        "대한민국": "KR",
        "Hong Kong": "HK",
        "MAC": "MO",
        "UAE": "AE",
    }.items():
        assert country(name, "to") == code
    for name in ("", " ", "EU", "XX", "Atlantis", "C", "ZZZ"):
        with pytest.raises(InputError):
            country(name, "to")


@pytest.mark.parametrize(
    "value", ["", "1,000", "12 GB", None, [], {}, True, float("nan"), float("inf"), 10**60, "1e999999999"]
)
def test_what_is_no_number(value: object) -> None:
    with pytest.raises(InputError):
        exact(value, "tpp")


def test_numbers_are_the_decimals_they_are_written_as() -> None:
    import numpy as np

    assert exact(5.92, "pd") == exact("5.92", "pd") == exact(np.float64(5.92), "pd")
    assert exact(0.1, "x") + exact(0.2, "x") == exact(0.3, "x")


def test_a_shipment_takes_the_json_fields_as_keywords() -> None:
    row = {"item": {"chip": "H200"}, "export_date": "2026-01-15", "from": "TW", "to": "CN", "route": "reexport"}
    shipment = Shipment(**row)
    assert (shipment.from_, shipment.to) == ("TW", "CN")
    assert decide(shipment).review == decide(row).review == "presumption_of_denial"
    with pytest.raises(InputError, match="did you mean"):
        Shipment("H20", "CN", "2024-01-01", exporterr="NVIDIA")
    with pytest.raises(InputError, match="'to' is missing"):
        Shipment("H20")
