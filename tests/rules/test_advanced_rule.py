"""The advanced computing rule of October 2023 stated a second time, in a few lines, and held against the engine.

`expected` is written from the text of 742.6(a)(6)(iii), 744.23(a)(3)(i), 742.6(b)(10), 740.8 and the rules of April 2024
and January 2026, not from the data of the product: which licence, review and exception a 3A090 item of a class needs for a
destination, with the seat and the ultimate parent of the recipient as two prongs of which either is enough.
"""

from collections.abc import Iterator
from datetime import date
from itertools import cycle, product
from typing import Any, NamedTuple

import pytest

from chipweir.rules import Shipment, decide


def codes(text: str) -> set[str]:
    return set(text.split())


D1 = codes("AM AZ BY MM KH CN GE IQ KZ KP KG LA LY MO MD MN RU TJ TM UZ VE VN YE")
D4 = codes("BH BY CN EG IR IQ IL JO KP KW LB LY MO OM PK QA RU SA SY AE VE YE")
D5 = codes("AF BY MM CF CN CD CU ER HT IR IQ KP LB LY RU SO SS SD SY VE ZW")
A5 = codes(
    "AR AU AT BE BG CA HR CZ DK EE FI FR DE GR HU IS IN IE IT JP KR LV LT LU NL NZ NO PL PT RO SK SI ES SE CH TR GB"
)
A6 = codes("AL CY IL MT MX SG ZA TW")
A1 = (A5 | {"MX", "ZA"}) - {"AE"}
EMBARGOED = {"RU", "BY", "CU", "IR", "KP", "SY"}
# Chip, class since November 2023, for data centres, memory below the line of January 2026 and sold in the US on that day.
CHIPS = {
    "A100": ("a", True, True), "H100": ("a", True, True), "H800": ("a", True, False), "H200": ("a", True, True),
    "B200": ("a", True, False), "MI300X": ("a", True, True), "L40S": ("a", True, True), "L4": ("a", True, True),
    "RTX 4090": ("a", False, True), "RTX 6000 Ada": ("a", False, True), "RTX 5090": ("a", False, True),
    "A30": ("b", True, True), "A40": ("b", True, True), "L40": ("b", True, True), "MI210": ("b", True, True),
    "V100": ("none", True, True), "T4": ("none", True, True), "RTX 4090 D": ("none", False, False),
}  # fmt: skip
DAYS = [date(2023, 11, 17), date(2024, 4, 3), date(2024, 4, 4), date(2025, 3, 1), date(2025, 12, 31), date(2026, 1, 14),
        date(2026, 1, 15), date(2026, 6, 30), date(2026, 9, 15)]  # fmt: skip
ROUTES = ["export", "reexport", "export_from_abroad"]
PLACES = ["CN", "HK", "MO", "VN", "KZ", "IQ", "SA", "QA", "PK", "IL", "TW", "SG", "MY", "TH", "BR", "KR", "DE", "JP",
          "MX", "ZA", "KH", "NI", "LB", "AE", "US", "CH", "KE", "NG"]  # fmt: skip


class Answer(NamedTuple):
    licence: str
    review: str
    exception: str


FREE = Answer("no", "n/a", "n/a")


def groups(day: date) -> tuple[set[str], set[str], set[str], set[str]]:
    """D:1, D:4, D:5 and A:5 with A:6 on a day."""
    d1, d4, d5, close = set(D1), set(D4), set(D5), A5 | A6
    if day >= date(2024, 3, 15):
        d1.add("NI")
        d5.add("NI")
    if day < date(2026, 2, 1):
        d5.add("KH")
    if day >= date(2026, 7, 10):
        d4.discard("AE")
        close.add("AE")
    return d1, d4, d5, close


def land(code: str) -> str:
    return "CN" if code == "HK" else code


def expected(chip: str, to: str, seats: set[str], day: date, route: str, origin: str) -> Answer:
    """What the text says of a commercial recipient at `to` with these seats (its own and the ultimate parent's)."""
    cls, data_centre, zone = CHIPS[chip]
    to, seats = land(to), {land(seat) for seat in seats}
    d1, d4, d5, close = groups(day)
    barred_place = to in d5 or to == "MO"
    barred_seat = any(seat in d5 or seat == "MO" for seat in seats)
    if cls == "none" or to == "US":
        return FREE
    by_place = to in d1 | d4 | d5 | {"MO"} and to not in close
    by_seat = barred_seat and not barred_place
    emirates = to == "AE" and day >= date(2026, 7, 10)
    if not by_place and not by_seat and not emirates:
        return FREE
    review = "presumption_of_approval"
    if barred_place or barred_seat:
        denied = (cls == "a" and data_centre) or day < date(2024, 4, 4)
        review = "presumption_of_denial" if denied else "case_by_case"
    elif emirates:
        review = "unspecified"
    direct = to in ("CN", "MO") and origin == "US" and route == "export"
    if cls == "a" and data_centre and zone and direct and day >= date(2026, 1, 15):
        review = "case_by_case"
    exception = "none"
    if cls == "b" or not data_centre:
        if day < date(2024, 4, 4) or barred_place or barred_seat:
            exception = "NAC"
        elif to in d1 | d4 | {"AE"}:
            exception = "ACA"
    return Answer("yes", review, exception)


def check(rows: Iterator[tuple[str, str, set[str], date, str, str, dict[str, Any]]]) -> int:
    """Ask the engine about every row; returns how many there were."""
    count, wrong = 0, []
    for chip, to, seats, day, route, origin, stated in rows:
        fields = {"item": chip, "to": to, "from": origin, "route": route, "export_date": day, **stated}
        found = decide(Shipment.of(fields), trace=False)
        wanted = expected(chip, to, seats, day, route, origin)
        got = Answer(found.licence, found.review, found.exception)
        count += 1
        if got != wanted:
            wrong.append((chip, to, str(day), route, stated, "expected", wanted, "got", got, found.basis))
    assert not wrong, (len(wrong), wrong[:5])
    return count


def origin_of(route: str, number: int) -> str:
    return "US" if route == "export" else ("TW", "JP", "MY", "CA")[number % 4]


def sensible(to: str) -> bool:
    """Not the embargoed countries, whose own policies come on top."""
    return land(to) not in EMBARGOED


def test_seat_and_parent_both_at_the_destination() -> None:
    def rows() -> Iterator[Any]:
        for number, (chip, to, day) in enumerate(product(CHIPS, PLACES, DAYS)):
            route = ROUTES[number % 3]
            yield chip, to, {to}, day, route, origin_of(route, number), {"hq": to}

    assert check(rows()) > 4000


BARRED = ["CN", "HK", "MO", "LB", "IQ", "VE", "AF"]
WAYS = [
    lambda seat, other: {"hq": seat, "ultimate_parent": other},
    lambda seat, other: {"hq": other, "ultimate_parent": seat},
    lambda seat, other: {"hq": other, "ownership": {"ultimate_parent": seat}},
    lambda seat, other: {"hq": other, "ownership": {"parent": seat, "listed": 0}},
    lambda seat, other: {"hq": other, "ownership": [{"name": "A holding", "share": 0.51, "hq": seat, "listed": False}]},
    lambda seat, other: {"ultimate_parent": other, "ownership": {"parent_hq": seat}},
    lambda seat, other: {"seat": other, "parent": seat},
]


@pytest.mark.parametrize("way", range(len(WAYS)))
def test_either_prong_is_enough_however_it_is_stated(way: int) -> None:
    """A barred seat beside a favourable one, in every field that can say it."""

    def rows() -> Iterator[Any]:
        barred, routes = cycle(BARRED), cycle(ROUTES)
        for number, (chip, to, day) in enumerate(product(CHIPS, PLACES, DAYS)):
            if number % 5 != way % 5:
                continue
            seat, route, other = next(barred), next(routes), ("US", "SG", "DE", to)[number % 4]
            yield chip, to, {seat, other}, day, route, origin_of(route, number), WAYS[way](seat, other)

    assert check(rows()) > 500


NAMES_OF_CHINA = ["CN", "China", "중국", "中国", "HK", "Hong Kong", "홍콩", "香港", "CHN", "prc"]


@pytest.mark.parametrize("name", NAMES_OF_CHINA)
def test_the_parent_may_be_written_in_three_scripts(name: str) -> None:
    def rows() -> Iterator[Any]:
        for number, (chip, to) in enumerate(product(CHIPS, ["SG", "TH", "DE", "VN"])):
            day = DAYS[number % len(DAYS)]
            yield chip, to, {"CN", to}, day, "reexport", "TW", {"hq": to, "ultimate_parent": name}

    assert check(rows()) >= 20


CHINESE_FIRMS = [
    "ByteDance", "TikTok Pte. Ltd.", "바이트댄스", "字节跳动", "Alibaba Cloud Singapore", "阿里云", "알리바바", "Tencent",
    "腾讯云计算(北京)", "텐센트", "Baidu", "百度", "Lenovo (Singapore) Pte Ltd", "China Telecom Americas", "Kingsoft Cloud",
    "DeepSeek", "딥시크", "Moonshot AI", "BYD Thailand", "Xiaomi", "ZTE Malaysia Sdn Bhd", "Black Sesame", "NIO Germany",
    "Nexperia", "Canaan Singapore", "JD.com", "China Mobile International", "Hua Hong",
]  # fmt: skip


@pytest.mark.parametrize("field", ["end_user", "purchaser", "consignee", "intermediate_consignee", "user", "buyer"])
def test_a_known_name_is_a_seat_that_a_stated_seat_does_not_cure(field: str) -> None:
    """Firms of China that are not on the Entity List, in any role, whatever seat is written beside them."""

    def rows() -> Iterator[Any]:
        names = cycle(CHINESE_FIRMS)
        for number, (chip, to) in enumerate(product(CHIPS, ["SG", "TH", "DE", "MY", "BR", "VN", "CN"])):
            day, route, name = DAYS[number % len(DAYS)], ROUTES[number % 3], next(names)
            beside = ({}, {"hq": to}, {"hq": "US"}, {"hq": to, "ultimate_parent": to})[number % 4]
            seats = {"CN", *beside.values()}
            yield chip, to, seats, day, route, origin_of(route, number), {field: name, **beside}

    assert check(rows()) > 100


OPEN = [
    "TH",
    "VN",
    "MY",
    "BR",
    "SG",
    "TW",
    "IL",
    "AE",
    "SA",
    "QA",
    "ID",
    "PH",
    "KE",
    "NG",
    "EG",
    "PK",
    "KZ",
    "CL",
    "PE",
    "UY",
]


@pytest.mark.parametrize("chip", [chip for chip, (cls, _, _) in CHIPS.items() if cls != "none"])
def test_a_seat_not_stated_outside_the_partners_is_given_either_way(chip: str) -> None:
    """The answer is what both readings have in common; where they differ the seat is asked for first."""
    for number, (to, day) in enumerate(product(OPEN, DAYS)):
        route = ROUTES[number % 3]
        origin = origin_of(route, number)
        parties = ({}, {"end_user": "Nusantara Cloud Services"}, {"end_user_type": "commercial"})[number % 3]
        fields = {"item": chip, "to": to, "from": origin, "route": route, "export_date": day, **parties}
        found = decide(Shipment.of(fields), trace=False)
        readings = {
            "elsewhere": expected(chip, to, {to}, day, route, origin),
            "barred": expected(chip, to, {to, "CN"}, day, route, origin),
        }
        one, other = readings.values()
        where = (chip, to, str(day), route, found.headline)
        assert any("headquarters and ultimate parent of the recipient not stated" in a for a in found.assumptions), (
            where
        )
        if one == other:
            assert Answer(found.licence, found.review, found.exception) == one, where
            continue
        assert found.questions[0].code == "seat", where
        said = {r.case.removeprefix("seat:"): Answer(r.licence, r.review, r.exception) for r in found.readings}
        assert said == readings, where
        if one.licence == "no":
            assert (found.licence, found.review) == ("conditional", other.review), where
        else:
            assert found.licence == "yes", where
            assert found.review in (one.review, "unspecified"), where
        assert "no licence needed, as far as" not in found.headline, where


PARTNERS = sorted(A1 - {"US"})


def test_a_seat_not_stated_in_a_partner_is_taken_to_be_there_and_said() -> None:
    for number, (chip, to) in enumerate(product(CHIPS, PARTNERS)):
        day, route = DAYS[number % len(DAYS)], ROUTES[number % 3]
        fields = {"item": chip, "to": to, "from": origin_of(route, number), "route": route, "export_date": day}
        found = decide(Shipment.of(fields), trace=False)
        assert (found.licence, found.review) == expected(chip, to, {to}, day, route, "US")[:2]
        assert any("headquarters and ultimate parent of the recipient not stated" in a for a in found.assumptions)
        assert any("end user not stated" in a for a in found.assumptions)
        assert "parties and end use are as assumed" in found.headline


def test_units_never_decide_under_the_enforced_rule() -> None:
    """The classes, seats and days decide; one unit or a million gives the same answer."""
    for number, (chip, to) in enumerate(product(CHIPS, ["CN", "VN", "SG", "AE", "KR"])):
        day = DAYS[number % len(DAYS)]
        found = [
            decide(
                {"item": {"chip": chip, "quantity": units}, "to": to, "hq": to, "from": "US", "export_date": day},
                trace=False,
            )
            for units in (1, 100, 10**6)
        ]
        assert len({(f.licence, f.review, f.exception) for f in found}) == 1, (chip, to, day)


BEFORE = [date(2026, 1, 14), date(2025, 10, 1)]
AFTER = [date(2026, 1, 15), date(2026, 2, 28), date(2026, 5, 5), date(2026, 9, 30)]


@pytest.mark.parametrize("chip", CHIPS)
def test_the_certifications_of_january_2026_are_asked_of_its_zone_alone(chip: str) -> None:
    """Only data-centre 3A090.a below the lines, exported from the US to China or Macau, rests on US-2026-01."""
    cls, data_centre, zone = CHIPS[chip]
    for to, (route, origin), day in product(
        ["CN", "HK", "MO", "VN", "LB", "SG"],
        [("export", "US"), ("reexport", "TW"), ("export_from_abroad", "MY")],
        BEFORE + AFTER,
    ):
        fields = {"item": chip, "to": to, "hq": to, "from": origin, "route": route, "export_date": day}
        found = decide(Shipment.of(fields), trace=False)
        within = (
            cls == "a"
            and data_centre
            and zone
            and land(to) in ("CN", "MO")
            and origin == "US"
            and day >= date(2026, 1, 15)
        )
        named = "US-2026-01" in found.basis or any("independent lab" in text for text in found.conditions)
        assert named == within, (chip, to, route, str(day), found.basis, found.conditions)


def test_the_zone_is_not_given_where_its_facts_are_not_stated() -> None:
    """The country of dispatch, the availability in the US and each certification are the exporter's to state."""
    base = {"to": "CN", "hq": "CN", "export_date": "2026-03-01", "exporter": "NVIDIA"}
    numbers = {"tpp": 15832, "die_mm2": 814, "mem_bw_gbps": 4800, "io_gbps": 1028, "dc": True, "maker": "NVIDIA"}
    assert decide({"item": "H200", **base}, trace=False).review == "unspecified"
    assert decide({"item": numbers, "from": "US", **base}, trace=False).review == "unspecified"
    available = {**numbers, "us_available_2026_01_15": True}
    assert decide({"item": available, "from": "US", **base}, trace=False).review == "case_by_case"
    assert decide(
        {"item": {**numbers, "us_available_2026_01_15": False}, "from": "US", **base}, trace=False
    ).review == ("presumption_of_denial")
    for lacking in ("no_foundry_diversion", "kyc"):
        every = [
            "us_availability",
            "no_us_delay",
            "no_foundry_diversion",
            "half_cap",
            "no_prohibited_end_use",
            "kyc",
            "us_lab_test",
        ]
        given = [name for name in every if name != lacking]
        try:
            found = decide({"item": "H200", "from": "US", "certifications": given, **base}, trace=False)
        except ValueError as error:
            pytest.fail(str(error))
        assert found.review == "presumption_of_denial", lacking
