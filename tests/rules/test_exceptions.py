"""Which authorisation serves: a carve-out before all others, and more units never loosen an answer."""

from datetime import date, timedelta
from itertools import product
from typing import Any

import pytest

from chipweir.rules import Shipment, decide


EMIRATES = date(2026, 7, 10)
LAPSE = date(2027, 4, 6)
US_FIRMS = ["Amazon", "AWS", "Apple", "Google", "Alphabet", "Meta", "Microsoft", "OpenAI", "Oracle", "xAI",
            "Microsoft Corporation", "Google LLC", "Oracle UAE", "OpenAI, Inc.", "Amazon Web Services",
            "Meta Platforms, Inc."]  # fmt: skip
EMIRATI = ["G42", "Core42"]
CHIPS = ["H200", "RTX 4090", "L40", "A30", "H100", "B200", "RTX 6000 Ada", "MI300X", "DGX H100"]
UNITS = [1, 10, 100, 1000, 10_000, 100_000, 1_000_000]
RANK = {"free": 0, "exception": 1, "conditional": 2, "unknown": 3, "licence": 4}


def ask(item: Any, day: date, **fields: Any) -> Any:
    return decide(Shipment.of({"item": item, "export_date": day, "from": "US", **fields}), trace=False)


@pytest.mark.parametrize("firm", US_FIRMS)
def test_a_us_ai_company_in_the_emirates_needs_no_licence_whatever_else_would_serve(firm: str) -> None:
    for number, (chip, mode) in enumerate(product(CHIPS, ["as_written", "enforced"])):
        day = EMIRATES + timedelta(days=number * 12)
        for units in (1, 100_000):
            found = ask({"chip": chip, "quantity": units}, day, to="AE", hq="US", end_user=firm, mode=mode)
            assert (found.licence, found.exception) == ("no", "named_entity"), (firm, chip, mode, units)
        owned = ask(chip, day, to="AE", hq="US", ultimate_parent="CN", end_user=firm, mode=mode)
        assert owned.licence == "yes", "a seat or parent in D:5 takes it away"
        assert owned.exception != "named_entity"
    before = ask("H200", EMIRATES - timedelta(days=1), to="AE", hq="US", end_user=firm)
    assert (before.licence, before.exception) == ("yes", "none")


@pytest.mark.parametrize("firm", EMIRATI)
def test_a_listing_of_supplement_8_lapses(firm: str) -> None:
    for number, (chip, mode) in enumerate(product(CHIPS, ["as_written", "enforced"])):
        day = EMIRATES + timedelta(days=number * 15)
        assert ask(chip, day, to="AE", end_user=firm, mode=mode).exception == "named_entity", (chip, mode)
        lapsed = ask(chip, LAPSE + timedelta(days=number * 15), to="AE", end_user=firm, mode=mode)
        assert lapsed.licence == "yes", (chip, mode)
        assert lapsed.exception != "named_entity", (chip, mode)


@pytest.mark.parametrize("name", ["Metaverse Trading", "MetaX", "Appleton Data", "Googol Ltd", "G42 Shenzhen Trading",
                                  "Oraclient", "Microsofter", "Acme AI"])  # fmt: skip
def test_a_name_that_only_resembles_one_is_none(name: str) -> None:
    for number, chip in enumerate(CHIPS * 3):
        found = ask(chip, EMIRATES + timedelta(days=number * 8), to="AE", end_user=name)
        assert found.licence == "yes", (name, chip)
        assert "named_entity" not in found.exception, (name, chip)


@pytest.mark.parametrize("to", ["AE", "SG", "VN", "CN", "KR", "SA", "BR", "US"])
@pytest.mark.parametrize("mode", ["enforced", "as_written"])
def test_more_units_never_loosen_an_answer(to: str, mode: str) -> None:
    users = [{}, {"end_user": "OpenAI", "hq": "US"}, {"end_user_type": "manufacturer", "hq": to}, {"hq": "CN"},
             {"end_user_type": "validated_end_user", "hq": to}, {"hq": to, "end_user": "Microsoft"}]  # fmt: skip
    for number, (chip, user) in enumerate(product(CHIPS, users)):
        day = [date(2025, 5, 15), date(2025, 12, 1), date(2026, 8, 5), date(2026, 9, 20)][number % 4]
        found = [ask({"chip": chip, "quantity": units}, day, to=to, mode=mode, **user) for units in UNITS]
        ranks = [RANK[each.outcome] for each in found]
        assert ranks == sorted(ranks), (chip, to, mode, user, str(day), [(f.licence, f.exception) for f in found])
        carved = [each.licence == "no" for each in found]
        assert carved == sorted(carved, reverse=True), (chip, to, user)


@pytest.mark.parametrize("to", ["SG", "MY", "IL", "SA", "TH", "BR", "IN"])
def test_low_processing_as_written_counts_what_the_consignee_had(to: str) -> None:
    """At most 26,900,000 of total processing performance a calendar year; on the line it serves, above it does not."""
    for number, tpp in enumerate([15832, 20919.2, 36000, 5864, 4992]):
        day = date(2025, 5, 15) + timedelta(days=number * 60)
        numbers = {"tpp": tpp, "die_mm2": 800, "dc": True, "mem_bw_gbps": 4000, "io_gbps": 900, "maker_country": "US"}
        most = int(26_900_000 / tpp)
        for units, serves in ((most, True), (most + 1, False)):
            found = ask({**numbers, "quantity": units}, day, to=to, hq=to, mode="as_written")
            assert found.licence == "yes"
            assert (found.exception == "LPP") == serves, (to, tpp, units, found.exception)
        had = 26_900_000 - most // 2 * tpp
        for units, serves in ((most // 2, True), (most // 2 + 1, False)):
            found = ask({**numbers, "quantity": units}, day, to=to, hq=to, mode="as_written", year_tpp=had)
            assert (found.exception == "LPP") == serves, (to, tpp, units)
        barred = ask({**numbers, "quantity": 1}, day, to=to, hq=to, ultimate_parent="CN", mode="as_written")
        assert barred.exception == "none"


def test_no_exception_serves_a_barred_end_user() -> None:
    barred = ["military", "military intelligence", "wmd", "supercomputer", "entity list"]
    for number, (chip, user, to) in enumerate(
        product(["L40", "RTX 4090", "A30"], barred, ["CN", "MO", "VN", "SA", "AE"])
    ):
        day = date(2024, 5, 1) + timedelta(days=number * 11)
        found = ask(chip, day, to=to, hq=to, end_user_type=user)
        assert (found.licence, found.exception) == ("yes", "none"), (chip, user, to)
