"""Who may not be dealt with, where and since when: stated a second time and held against the engine.

Chinese makers' advanced circuits (guidance of 13 May 2025), the embargoes of part 746, the Entity List and the affiliates
rule of 29 September 2025 with its temporary general licence, military and supercomputer end uses.
"""

from datetime import date, timedelta
from itertools import cycle, product
from typing import Any

import pytest

from chipweir.rules import Shipment, classify, decide
from chipweir.rules._chips import catalogue


GUIDANCE = date(2025, 5, 13)
ANYWHERE = ["TH", "BR", "DE", "KR", "SG", "AE", "US", "CN", "VN", "MY", "ZA", "RU"]


def ask(day: date, **fields: Any) -> Any:
    return decide(Shipment.of({"export_date": day, **fields}), trace=False)


def advanced(chip: str) -> bool | None:
    """Whether 3A090.a or .b today; None where a number is missing."""
    eccn = classify(chip, "2025-06-01").eccn
    return None if eccn == "undetermined" else eccn.startswith("3A090")


CHINESE = [chip.id for chip in catalogue().values() if chip.maker_country in ("CN", "HK")]
OTHERS = [chip.id for chip in catalogue().values() if chip.maker_country == "US"]


@pytest.mark.parametrize("chip", CHINESE)
def test_no_chip_of_a_chinese_maker_is_cleared_anywhere_since_the_guidance(chip: str) -> None:
    is_advanced = advanced(chip)
    for number, to in enumerate(ANYWHERE):
        day = GUIDANCE + timedelta(days=number * 37)
        route = ["export_from_abroad", "reexport", "transfer"][number % 3]
        origin = to if route == "transfer" else "CN"
        fields = {"item": chip, "from": origin, "to": to, "hq": to, "route": route}
        found, before = ask(day, **fields), ask(GUIDANCE - timedelta(days=1), **fields)
        where = (chip, to, str(day), found.headline)
        assert found.gp10_risk == (is_advanced is not False), where
        assert not before.gp10_risk, where
        if is_advanced:
            assert found.licence in ("unknown", "yes"), where
            assert found.exception in ("none", "n/a"), where
            assert found.headline.startswith("Do not proceed without an authorisation of BIS"), where
            assert "General Prohibition 10" in found.headline, where
        elif is_advanced is None:
            assert found.licence != "no", where


def test_chips_of_other_makers_are_not_meant() -> None:
    for number, chip in enumerate(OTHERS):
        to = ANYWHERE[number % len(ANYWHERE)]
        assert not ask(GUIDANCE + timedelta(days=200), item=chip, to=to, hq=to, **{"from": "US"}).gp10_risk, chip


DESCRIBED = {"tpp": 5120, "die_mm2": 660, "mem_bw_gbps": 1600, "io_gbps": 392, "dc": True}


@pytest.mark.parametrize(
    "stated",
    [{"maker": "Huawei"}, {"maker": "HiSilicon"}, {"maker": "海光"}, {"maker_country": "CN"}, {"maker_country": "중국"},
     {"maker_country": "Macau"}, {"manufacturer": "Moore Threads"}, {"maker": "Cambricon Technologies Corp., Ltd."}],
)  # fmt: skip
def test_a_described_chip_of_a_chinese_maker_is_meant_too(stated: dict[str, str]) -> None:
    for number, to in enumerate(ANYWHERE):
        day = GUIDANCE + timedelta(days=number * 40)
        for item in ({**DESCRIBED, **stated}, {"contains": [{**DESCRIBED, **stated}, "H100"]}):
            found = ask(day, item=item, to=to, hq=to, **{"from": to})
            assert found.gp10_risk, (stated, to)
            assert found.licence != "no", (stated, to)
            assert found.exception in ("none", "n/a"), (stated, to)


def test_a_maker_not_stated_is_asked_about_where_the_chip_comes_from_china() -> None:
    for number, (to, origin) in enumerate(product(["TH", "BR", "KR"], ["CN", "HK", "MO"])):
        found = ask(GUIDANCE + timedelta(days=number), item=DESCRIBED, to=to, hq=to, **{"from": origin})
        assert found.licence != "no", (to, origin)
        assert "maker" in {q.code for q in found.questions}, (to, origin)
        elsewhere = ask(GUIDANCE + timedelta(days=number), item=DESCRIBED, to=to, hq=to, **{"from": "TW"})
        assert any("maker not stated" in text for text in elsewhere.assumptions)


# --- part 746


EMBARGOES = {"RU": date(2022, 2, 24), "BY": date(2022, 3, 2), "CU": None, "IR": None, "KP": None, "SY": None}
ANY_GOODS = ["V100", "T4", "L4", "H100", "A30", "RTX 4090 D", "H20", {"tpp": 200, "die_mm2": 100, "dc": False},
             {"spec": "hbm3"}, {"spec": "fab_tool", "eccn": "3B991"}, {"spec": "fab_tool"}, "DGX H100"]  # fmt: skip


@pytest.mark.parametrize("to", EMBARGOES)
def test_part_746_denies_whatever_the_item_and_no_exception_serves(to: str) -> None:
    routes = cycle(["export", "reexport", "export_from_abroad"])
    for number, item in enumerate(ANY_GOODS * 2):
        day = date(2022, 6, 1) + timedelta(days=number * 49)  # to May 2025
        fields = {"hq": to} if number % 3 else {}
        found = ask(day, item=item, to=to, route=next(routes), **{"from": ["US", "TW", "DE"][number % 3], **fields})
        where = (item, to, str(day), found.basis)
        assert (found.licence, found.review, found.exception) == ("yes", "policy_of_denial", "none"), where


@pytest.mark.parametrize("to", ["RU", "BY"])
def test_russia_and_belarus_since_their_days(to: str) -> None:
    since = EMBARGOES[to]
    assert since is not None
    for item in ("V100", "T4", "L20", "RTX 3090"):
        assert ask(since - timedelta(days=1), item=item, to=to, hq=to, **{"from": "US"}).review != "policy_of_denial"
        assert ask(since, item=item, to=to, hq=to, **{"from": "US"}).review == "policy_of_denial"


def test_syria_is_without_a_stated_policy_since_the_easing() -> None:
    """Amended on 2 September 2025; what was not read is unspecified, unless another rule is stricter."""
    for number in range(20):
        day = date(2025, 9, 2) + timedelta(days=number * 15)
        found = ask(day, item=["V100", "T4", "A10", "L2"][number % 4], to="SY", hq="SY", **{"from": "US"})
        assert (found.licence, found.review) == ("yes", "unspecified")
        assert ask(day, item="H100", to="SY", hq="SY", **{"from": "US"}).review == "presumption_of_denial"
    assert ask(date(2025, 9, 1), item="V100", to="SY", hq="SY", **{"from": "US"}).review == "policy_of_denial"


# --- the Entity List


LISTED = ["SMIC", "中芯国际", "Hygon", "Inspur", "浪潮", "Sugon", "Hikvision", "SenseTime", "iFlytek", "DJI", "SMEE"]
POLICY_RECALLED = [
    "Huawei",
    "화웨이",
    "YMTC",
    "长江存储",
    "Cambricon",
    "寒武纪",
    "Biren",
    "Moore Threads",
    "무어스레드",
]


@pytest.mark.parametrize("name", [*LISTED, *POLICY_RECALLED])
def test_a_listed_party_needs_a_licence_for_any_item_anywhere(name: str) -> None:
    """Of a few entries the policy is recalled as a presumption of denial; of the others it is not stated here."""
    roles = cycle(["end_user", "purchaser", "consignee", "intermediate_consignee"])
    for number, to in enumerate(["CN", "SG", "TH", "DE", "KR"]):
        day = date(2024, 1, 15) + timedelta(days=number * 150)
        found = ask(day, item="T4", to=to, **{"from": "US", next(roles): name})
        where = (name, to, str(day), found.headline)
        assert (found.licence, found.exception) == ("yes", "none"), where
        assert found.review == ("presumption_of_denial" if name in POLICY_RECALLED else "unspecified"), where
        assert "Barred party" in found.headline, where
        assert found.headline.index("Barred party") == 0, where


@pytest.mark.parametrize("stated", ["entity list", "entity_list", "listed"])
def test_a_party_stated_to_be_listed(stated: str) -> None:
    for number, (item, to) in enumerate(product(["T4", "A10", "L20", "V100"], ["DE", "SG", "VN", "JP", "CN"])):
        found = ask(
            date(2023, 1, 1) + timedelta(days=number * 60), item=item, to=to, end_user_type=stated, **{"from": "US"}
        )
        assert (found.licence, found.review, found.exception) == ("yes", "unspecified", "none")


def test_an_affiliate_by_name_is_asked_about() -> None:
    """A firm whose name begins with a listed one's may be listed itself: unknown, never no."""
    names = [
        "Huawei Cloud Singapore Pte Ltd",
        "SMIC Advanced Technology R&D",
        "Hygon Malaysia",
        "Inspur Systems Thailand",
    ]
    for number, (name, to) in enumerate(product(names, ["SG", "TH", "MY", "DE", "BR"])):
        found = ask(date(2024, 1, 1) + timedelta(days=number * 30), item="T4", to=to, end_user=name, **{"from": "US"})
        assert found.licence == "unknown", (name, to)
        assert found.questions[0].code == "listing", (name, to)


# --- the affiliates rule


WINDOW = [date(2025, 9, 29), date(2025, 10, 6), date(2025, 10, 31), date(2025, 11, 9)]
OUTSIDE = [date(2025, 9, 28), date(2025, 11, 10), date(2026, 3, 1), date(2026, 11, 9)]
UNCONTROLLED = ["A10", "L20", "T4", "V100", "L2", "NVIDIA A2"]
HALF_OR_MORE = [0.5, 0.75, 1, "50%", "50 %", "51 percent listed", 75, {"listed": 0.6}, {"share": 0.5},
                [{"name": "A", "share": 0.3, "listed": True}, {"name": "B", "share": 0.25, "listed": True}],
                {"owners": [{"share": 0.5, "listed": True}, {"share": 0.5, "listed": False}]},
                {"owners": [{"name": "Huawei", "share": 0.55}]},
                [{"name": "SMIC", "share": "60%", "listed": False}]]  # fmt: skip
LESS = [
    0,
    0.49,
    "49%",
    0.25,
    "49.9 %",
    {"listed": 0.2},
    [{"share": 0.3, "listed": True}, {"share": 0.7, "listed": False}],
]
NO_PARTNERS = ["CN", "VN", "TH", "BR", "MY", "ID"]
PARTNERS = ["JP", "KR", "DE", "NL", "SG", "TW", "IL", "MX"]


@pytest.mark.parametrize("ownership", HALF_OR_MORE, ids=str)
def test_half_or_more_takes_the_policy_of_an_entry_that_is_not_stated(ownership: Any) -> None:
    for number, (day, to) in enumerate(product(WINDOW, NO_PARTNERS)):
        item = UNCONTROLLED[number % len(UNCONTROLLED)]
        found = ask(day, item=item, to=to, hq=to, exporter="Dell", ownership=ownership, **{"from": "US"})
        where = (item, to, str(day), ownership, found.basis)
        assert (found.licence, found.review, found.exception) == ("yes", "unspecified", "none"), where
    for day, to in product(OUTSIDE, ["VN", "TH"]):
        owned = ask(day, item="T4", to=to, hq=to, ownership=ownership, **{"from": "US"})
        assert "affiliates" not in owned.basis, (day, to)


@pytest.mark.parametrize("ownership", LESS, ids=str)
def test_less_than_half_is_not_reached(ownership: Any) -> None:
    for day, to in product(WINDOW, [*NO_PARTNERS, *PARTNERS]):
        assert ask(day, item="T4", to=to, hq=to, ownership=ownership, **{"from": "US"}).licence == "no", (day, to)


@pytest.mark.parametrize("to", PARTNERS)
def test_the_temporary_general_licence_serves_in_the_allied_countries(to: str) -> None:
    for number, (ownership, day) in enumerate(product(HALF_OR_MORE[:8], WINDOW)):
        item = UNCONTROLLED[number % len(UNCONTROLLED)]
        found = ask(day, item=item, to=to, hq=to, ownership=ownership, exporter="Dell", **{"from": "US"})
        assert (found.licence, found.exception) == ("yes", "TGL"), (to, str(day), ownership)
        assert found.conditions, "its terms are said"
        barred = ask(day, item=item, to=to, hq=to, ownership=ownership, end_user_type="entity list", **{"from": "US"})
        assert (barred.licence, barred.exception) == ("yes", "none"), "it serves no listed party"


def test_the_temporary_general_licence_and_its_other_limb() -> None:
    """A joint venture with an unlisted partner, wherever but in the embargoed countries; never with an SDN among owners."""
    for number, (day, to) in enumerate(product(WINDOW, NO_PARTNERS)):
        share = [0.5, 0.6, 0.75][number % 3]
        joint = {"listed": share, "joint_venture": True}
        assert ask(day, item="T4", to=to, hq=to, ownership=joint, **{"from": "US"}).exception == "TGL"
        assert ask(day, item="T4", to=to, hq=to, ownership={**joint, "sdn": True}, **{"from": "US"}).exception == "none"
        partner = PARTNERS[number % len(PARTNERS)]
        sdn = {"listed": share, "sdn": True}
        assert ask(day, item="T4", to=partner, hq=partner, ownership=sdn, **{"from": "US"}).exception == "none"
    assert ask(WINDOW[0], item="T4", to="RU", hq="RU", ownership=joint, **{"from": "US"}).exception == "none"


@pytest.mark.parametrize("given", [1.5, "1.5", 2, 9.99, {"listed": 1.2}, [{"share": 5, "listed": True}]], ids=str)
def test_a_bare_number_between_1_and_10_is_asked_about(given: Any) -> None:
    for day in (*WINDOW, *OUTSIDE):
        with pytest.raises(ValueError, match="is not clear; write"):
            ask(day, item="T4", to="VN", ownership=given, **{"from": "US"})


def test_owners_not_stated_are_said_while_the_rule_runs() -> None:
    for day, to in product(WINDOW, [*NO_PARTNERS, *PARTNERS]):
        found = ask(day, item="T4", to=to, hq=to, **{"from": "US"})
        assert any("owners of the recipient not stated" in text for text in found.assumptions), (day, to)


# --- end uses


@pytest.mark.parametrize("user", ["supercomputer", "advanced_fab"])
def test_end_uses_of_october_2022_reached_macau_in_january_2023(user: str) -> None:
    """China since October 2022, Macau since 17 January 2023, D:5 since 17 November 2023: any item, presumption of denial."""
    first = {"supercomputer": date(2022, 10, 21), "advanced_fab": date(2022, 10, 7)}[user]
    since = {"CN": first, "HK": first, "MO": date(2023, 1, 17), "LB": date(2023, 11, 17), "IQ": date(2023, 11, 17)}
    for to, start in since.items():
        for number, item in enumerate(["V100", "T4", "A10", "L20", {"tpp": 100, "die_mm2": 200, "dc": False}]):
            for day in (start, start + timedelta(days=30 + number), date(2024, 2, 2), date(2026, 2, 2)):
                found = ask(day, item=item, to=to, hq=to, end_user_type=user, exporter="Dell", **{"from": "US"})
                where = (item, to, str(day), found.basis)
                assert (found.licence, found.review, found.exception) == ("yes", "presumption_of_denial", "none"), where
            before = ask(start - timedelta(days=1), item=item, to=to, hq=to, end_user_type=user, **{"from": "US"})
            assert before.licence == "no", (item, to, before.basis)


def test_military_end_users_need_a_licence_for_any_item() -> None:
    for number, (item, to) in enumerate(product(["V100", "T4", "L20"], ["CN", "HK", "VE", "MM", "KH", "NI"])):
        day = date(2024, 6, 1) + timedelta(days=number * 40)
        for user in ("military", "PLA", "military intelligence"):
            found = ask(day, item=item, to=to, hq=to, end_user_type=user, **{"from": "US"})
            assert (found.licence, found.review) == ("yes", "presumption_of_denial"), (item, to, user)
            assert found.headline.startswith("Barred party or end use"), (item, to, user)


def test_a_military_user_of_china_in_a_third_country_is_not_cleared() -> None:
    for number, (to, user) in enumerate(product(["SG", "TH", "DE", "KE", "BR"], ["military", "military intelligence"])):
        for seat in ({"hq": "CN"}, {"hq": to, "ultimate_parent": "CN"}):
            found = ask(
                date(2024, 1, 1) + timedelta(days=number * 50),
                item="T4",
                to=to,
                end_user_type=user,
                **seat,
                **{"from": "US"},
            )
            assert found.licence in ("yes", "unknown"), (to, user, seat)
