"""Chipmaking tools and high-bandwidth memory, stated a second time and held against the engine.

Tools: the control number decides, and for Macau and D:5 the facility. Memory: 3A090.c above 2 GB/s per mm2 since 31 December
2024; Exception HBM below 3.3 for buyers of the US or A:5 whose seat and parent are stated.
"""

from datetime import date, timedelta
from itertools import cycle, product
from typing import Any

import pytest

from chipweir.rules import Shipment, decide


BARRED = ["CN", "HK", "MO", "LB", "IQ"]
FREE_WORLD = ["KR", "JP", "NL", "DE", "IE"]  # group A:1
OTHERS = ["TW", "SG", "MY", "IL", "VN", "TH"]
ADVANCED = ["3B001.a.4", "3B001.c", "3B001.c.1.a", "3B001.d", "3B001.d.16", "3B001.f.1", "3B001.f.1.b.2.b", "3B001.f.5",
            "3B001.k", "3B001.p.2", "3B001.p.4", "3B001.r", "3B002.b", "3B002.c"]  # fmt: skip
OLDER = ["3B001.b", "3B001.e", "3B001.h", "3B002.a"]
AT_ONLY = ["3B991", "3B991.b.2", "3B992", "EAR99"]
USERS = [{}, {"end_user_type": "commercial"}, {"end_user_type": "memory_fab"}, {"end_user": "Acme Semiconductors"}]


def ask(day: date, **fields: Any) -> Any:
    return decide(Shipment.of({"export_date": day, "from": "US", **fields}), trace=False)


def tool(eccn: str | None = None) -> dict[str, str]:
    return {"spec": "fab_tool"} if eccn is None else {"spec": "fab_tool", "eccn": eccn}


DAYS = [date(2023, 11, 17) + timedelta(days=75 * n) for n in range(13)]


@pytest.mark.parametrize("to", [*BARRED, *OTHERS, *FREE_WORLD])
def test_a_tool_without_a_number_is_never_cleared_and_the_number_is_asked(to: str) -> None:
    users = cycle([*USERS, {"end_user_type": "legacy fab"}, {"end_user_type": "mature node fab"}])
    for day in [date(2022, 11, 1), date(2023, 3, 1), *DAYS]:
        stated = next(users)
        for number in (None, "3B001") if to in BARRED else (None,):
            found = ask(day, item=tool(number), to=to, hq=to, **stated)
            where = (to, str(day), stated, number, found.headline)
            if number is None:
                assert any("control number of the tool not stated" in text for text in found.assumptions), where
            if to in FREE_WORLD:
                assert found.licence == "no", where  # none of the numbers of tools needs a licence there
                continue
            assert found.licence in ("unknown", "yes"), where
            assert "eccn" in {q.code for q in found.questions} or found.licence == "yes", where


@pytest.mark.parametrize("to", BARRED)
def test_for_a_mature_plant_in_the_barred_countries_it_is_unknown(to: str) -> None:
    for day in DAYS:
        for user in ("legacy fab", "legacy_fab", "mature node fab"):
            found = ask(day, item=tool(), to=to, hq=to, end_user_type=user)
            assert (found.licence, found.review) == ("unknown", "unspecified"), (to, str(day), user)


@pytest.mark.parametrize("eccn", ADVANCED)
def test_the_listed_paragraphs_need_a_licence_to_the_barred_countries(eccn: str) -> None:
    for number, (to, day) in enumerate(product(BARRED, DAYS)):
        found = ask(day, item=tool(eccn), to=to, hq=to, **USERS[number % 4])
        assert (found.licence, found.review, found.exception) == ("yes", "presumption_of_denial", "none"), (
            eccn,
            to,
            str(day),
        )
        partner = ask(day, item=tool(eccn), to=to, hq="JP", **USERS[number % 4])
        assert (partner.licence, partner.exception) == ("yes", "none"), (eccn, to)
        assert partner.review in ("case_by_case", "unspecified"), (eccn, to, partner.review)


@pytest.mark.parametrize("eccn", [*ADVANCED, *OLDER])
def test_national_security_controls_reach_all_but_the_partners(eccn: str) -> None:
    for number, (to, day) in enumerate(product([*OTHERS, *BARRED], DAYS)):
        found = ask(day, item=tool(eccn), to=to, hq=to, **USERS[number % 3])
        assert found.licence == "yes", (eccn, to)
        if to in OTHERS:
            assert found.review == "unspecified", (eccn, to)
    for to, day in product(FREE_WORLD, DAYS):
        assert ask(day, item=tool(eccn), to=to, hq=to).licence == "no", (eccn, to)


@pytest.mark.parametrize("eccn", AT_ONLY)
def test_tools_under_antiterrorism_controls_hang_on_the_facility(eccn: str) -> None:
    """No licence for a mature plant; a licence where advanced-node circuits are made; unknown or conditional if not said."""
    for number, (to, day) in enumerate(product(BARRED, DAYS)):
        legacy = ask(day, item=tool(eccn), to=to, hq=to, end_user_type="legacy_fab")
        assert legacy.licence == "no", (eccn, to)
        advanced = ask(day, item=tool(eccn), to=to, hq=to, end_user_type="advanced_fab")
        assert (advanced.licence, advanced.review) == ("yes", "presumption_of_denial"), (eccn, to)
        open_ = ask(day, item=tool(eccn), to=to, hq=to, **USERS[number % 4])
        assert open_.licence == "conditional", (eccn, to, str(day))
        assert open_.questions[0].code == "facility", (eccn, to)
        assert {reading.licence for reading in open_.readings} == {"yes", "no"}, (eccn, to)
    for to, day in product([*OTHERS, *FREE_WORLD], DAYS[:4]):
        assert ask(day, item=tool(eccn), to=to, hq=to).licence == "no", (eccn, to)


@pytest.mark.parametrize("eccn", ["3B993", "3B993.b.1", "3B994"])
def test_the_numbers_of_december_2024(eccn: str) -> None:
    for to, day in product(BARRED, [d for d in DAYS if d >= date(2024, 12, 31)]):
        assert ask(day, item=tool(eccn), to=to, hq=to, end_user_type="legacy_fab").licence == "yes", (eccn, to)


def test_3b090_before_it_was_dissolved() -> None:
    since = {"CN": date(2022, 10, 7), "HK": date(2022, 10, 7), "MO": date(2023, 1, 17)}
    for to, start in since.items():
        for day in (start, start + timedelta(days=100), date(2023, 11, 16)):
            assert ask(day, item=tool("3B090"), to=to, hq=to).licence == "yes", (to, day)
        assert (
            ask(start - timedelta(days=1), item=tool("3B090"), to=to, hq=to, end_user_type="legacy_fab").licence == "no"
        )


def test_a_number_that_is_not_modelled_is_unknown() -> None:
    for number, (eccn, to) in enumerate(product(["3B003", "2B006", "3B101", "3B611"], [*BARRED, *OTHERS])):
        found = ask(DAYS[number % len(DAYS)], item=tool(eccn), to=to, hq=to, end_user_type="legacy_fab")
        assert found.licence != "no", (eccn, to)


# --- memory


STACKS = [
    "hbm1_stack",
    "hbm2_stack",
    "hbm2",
    "hbm2e",
    "hbm2e_stack",
    "hbm3",
    "hbm3_stack",
    "hbm3e",
    "hbm3e_stack",
    "hbm4",
    "HBM3E",
]
MEMORY_DAYS = [date(2024, 12, 31), date(2025, 2, 14), date(2025, 9, 1), date(2026, 1, 15), date(2026, 8, 1)]
ORIGINS = [("KR", "export_from_abroad"), ("JP", "export_from_abroad"), ("US", "export"), ("TW", "reexport")]


def stack(density: float | None = None, name: str = "hbm_stack") -> dict[str, Any]:
    return {"spec": name} if density is None else {"spec": name, "mbd": density}


@pytest.mark.parametrize("density", [2.01, 2.5, 3.0, 3.29, 3.3, 5, 12.5])
def test_the_exception_for_memory_asks_for_a_seat_that_is_stated(density: float) -> None:
    for number, (to, day) in enumerate(product(BARRED, MEMORY_DAYS)):
        origin, route = ORIGINS[number % len(ORIGINS)]
        fields = {"item": stack(density), "to": to, "from": origin, "route": route}
        silent = ask(day, **fields)
        assert silent.eccn == "3A090.c"
        assert silent.licence in ("yes", "conditional"), (to, silent.licence)
        assert silent.exception == "none", (to, str(day), silent.exception)
        for parents, helped in (
            ({"hq": "JP"}, True), ({"hq": "US", "ultimate_parent": "US"}, True), ({"hq": "KR", "parent": "NL"}, True),
            ({"hq": "JP", "ultimate_parent": "CN"}, False), ({"hq": "CN"}, False), ({"hq": "TW"}, False),
            ({"hq": "US", "ownership": {"ultimate_parent": "HK"}}, False), ({"hq": to}, False), ({"hq": "SG"}, False),
            ({"hq": "KR", "end_user": "ByteDance"}, False), ({"end_user": "Huawei"}, False),
        ):  # fmt: skip
            found = ask(day, **fields, **parents)
            wanted = "HBM" if helped and density < 3.3 else "none"
            assert (found.licence, found.exception) == ("yes", wanted), (
                to,
                str(day),
                density,
                parents,
                found.exception,
            )


@pytest.mark.parametrize("name", STACKS)
def test_a_generation_is_no_stated_density(name: str) -> None:
    """What is taken for a generation decides on control, never on the exception; a seat not stated is the destination."""
    for number, (to, day) in enumerate(product(["CN", "MO"], MEMORY_DAYS)):
        origin, route = ORIGINS[number % len(ORIGINS)]
        for seat in ({}, {"hq": "JP"}, {"hq": "US"}):
            found = ask(day, item={"spec": name}, to=to, **{"from": origin}, route=route, **seat)
            if found.eccn == "3A090.c":
                assert found.exception == "none", (name, to, seat)
                assert found.licence in ("yes", "conditional"), (name, to, seat)


@pytest.mark.parametrize("to", ["TW", "SG", "MY", "IL", "VN", "TH", "KR", "JP", "DE", "IN"])
def test_an_unstated_buyer_of_memory_is_a_question_everywhere(to: str) -> None:
    """Also in a partner of group A:1: the seat or parent in D:5 or Macau would need a licence."""
    for number, (density, day) in enumerate(product([2.01, 2.5, 3.3, 8], MEMORY_DAYS)):
        origin, route = ORIGINS[number % len(ORIGINS)]
        fields = {"item": stack(density), "to": to, "from": origin if origin != to else "NL", "route": route}
        found = ask(day, **fields)
        assert found.licence == "conditional", (to, found.headline)
        assert found.questions[0].code == "seat", (to, found.questions)
        assert found.headline.count("if") >= 1, found.headline
        assert ask(day, **fields, hq=to, ultimate_parent=to).licence == "no"
        barred = ask(day, **fields, hq=to, ultimate_parent="CN")
        assert (barred.licence, barred.exception) == ("yes", "none")


def test_memory_on_the_lines_and_before_its_day() -> None:
    for number, to in enumerate(BARRED * 4):
        day = MEMORY_DAYS[number % len(MEMORY_DAYS)]
        assert ask(day, item=stack(2.0), to=to, hq=to).licence == "no"
        assert ask(day, item=stack(2.000001), to=to, hq=to).licence == "yes"
        assert ask(date(2024, 12, 30), item=stack(9), to=to, hq=to).licence == "no"
        together = {"spec": "hbm3", "mbd": 6, "co_packaged_with_processor": True}
        assert ask(day, item=together, to=to, hq=to).eccn != "3A090.c"
