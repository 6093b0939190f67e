"""China's notices on materials, Malaysia's and Korea's export law, all laws on one shipment, and what is not covered."""

from datetime import date, timedelta
from itertools import product
from typing import Any

import pytest

from chipweir.rules import Shipment, classify, decide
from chipweir.rules._words import not_covered


MADE_BY_NO_10 = ["tungsten", "tellurium", "bismuth", "molybdenum", "indium"]
LICENSED = {
    "gallium": date(2023, 8, 1), "germanium": date(2023, 8, 1), "graphite": date(2023, 12, 1),
    "antimony": date(2024, 9, 15), "superhard_material": date(2024, 9, 15),
    **dict.fromkeys(MADE_BY_NO_10, date(2025, 2, 4)),
    "rare_earths": date(2025, 4, 4), "rare_earth_magnets": date(2025, 4, 4),
}  # fmt: skip
SPELT = {
    "gallium": ["gallium", "Gallium", "Ga"], "germanium": ["germanium", "Ge"],
    "superhard_material": ["superhard material", "superhard materials"], "rare_earths": ["rare earths", "rare earth"],
    "rare_earth_magnets": ["rare earth magnets", "magnets"],
}  # fmt: skip
BAN, SUSPENDED, BACK = date(2024, 12, 3), date(2025, 11, 9), date(2026, 11, 27)
TO_THE_US = {"gallium", "germanium", "antimony", "superhard_material"}


def china(day: date, **fields: Any) -> Any:
    return decide(Shipment.of({"regime": "CN", "from": "CN", "export_date": day, **fields}), trace=False)


def days_from(start: date, count: int, step: int = 61) -> list[date]:
    return [start + timedelta(days=step * n) for n in range(count)]


@pytest.mark.parametrize("material", LICENSED)
def test_article_1_of_no_46_never_lapsed(material: str) -> None:
    """No dual-use item to US military users or uses since 3 December 2024, whatever became of article 2."""
    start = max(BAN, LICENSED[material])
    for number, day in enumerate(days_from(start, 20, 45)):
        word = SPELT.get(material, [material])[number % len(SPELT.get(material, [material]))]
        key = ["spec", "material", "kind"][number % 3]
        user = ["military", "military end user", "army", "defense contractor"][number % 4]
        for place in ({"to": "US"}, {"to": "DE", "hq": "US"}, {"to": "KR", "hq": "KR", "ultimate_parent": "US"}):
            found = china(day, item={key: word}, end_user_type=user, **place)
            where = (material, str(day), user, place, found.headline)
            assert (found.licence, found.review, found.exception) == ("yes", "policy_of_denial", "none"), where
    before = china(start - timedelta(days=1), item={"spec": material}, to="US", end_user_type="military")
    assert before.review != "policy_of_denial" or start == BAN


@pytest.mark.parametrize("material", LICENSED)
def test_licensing_starts_on_its_day_and_stays(material: str) -> None:
    for number, (to, day) in enumerate(product(["DE", "KR", "NL", "JP"], days_from(LICENSED[material], 6, 200))):
        found = china(day, item={["spec", "material"][number % 2]: material}, to=to, end_user_type="commercial")
        if (material.startswith("rare")) and (
            date(2025, 10, 9) <= day < date(2025, 11, 7) or day >= date(2026, 11, 10)
        ):
            assert found.licence == "yes"
            continue
        assert (found.licence, found.review) == ("yes", "unspecified"), (material, to, str(day))
        assert china(LICENSED[material] - timedelta(days=1), item={"spec": material}, to=to).licence == "no"


@pytest.mark.parametrize("material", sorted(TO_THE_US))
def test_article_2_is_suspended_and_its_return_is_not_known(material: str) -> None:
    for step in range(20):
        banned = BAN + timedelta(days=step * 17)
        found = china(banned, item={"spec": material}, to="US", end_user_type="commercial")
        assert (found.licence, found.review) == ("yes", "policy_of_denial"), str(banned)
        free = SUSPENDED + timedelta(days=step * 19)
        found = china(free, item={"spec": material}, to="US", end_user_type="commercial")
        assert (found.licence, found.review) == ("yes", "unspecified"), str(free)
        later = BACK + timedelta(days=step * 19)
        found = china(later, item={"spec": material}, to="US", end_user_type="commercial")
        assert (found.licence, found.review) == ("yes", "unspecified"), "licensing holds; the ban may be back"


@pytest.mark.parametrize("material", LICENSED)
def test_no_1_of_2026_for_japanese_military_users(material: str) -> None:
    for number, day in enumerate(days_from(date(2026, 1, 6), 4, 60)):
        place = [{"to": "JP"}, {"to": "VN", "hq": "JP"}][number % 2]
        assert china(day, item={"spec": material}, end_user_type="military", **place).review == "policy_of_denial"
        assert china(day, item={"spec": material}, end_user_type="commercial", **place).review != "policy_of_denial"
    assert (
        china(date(2026, 1, 5), item={"spec": material}, to="JP", end_user_type="military").review != "policy_of_denial"
    )


def test_whether_other_goods_are_dual_use_is_asked() -> None:
    for number, (item, to) in enumerate(product(["H20", {"tpp": 300, "die_mm2": 100}, {"spec": "hbm3"}], ["US", "JP"])):
        found = china(date(2026, 2, 1) + timedelta(days=number * 30), item=item, to=to, end_user_type="military")
        assert (found.licence, found.questions[0].code.split(":")[0]) == ("unknown", "rule"), (item, to)


# --- Malaysia


PERMIT = date(2025, 7, 14)
US_CHIPS = ["H200", "H100", "B200", "A100", "RTX 4090", "L40S", "MI300X", "A30", "L40", "DGX H100"]


@pytest.mark.parametrize("chip", US_CHIPS)
def test_us_chips_that_leave_or_pass_malaysia_meet_its_permit(chip: str) -> None:
    places = ["TH", "VN", "ID", "IN", "DE", "CN", "SG"]
    for number, to in enumerate(places):
        day = PERMIT + timedelta(days=number * 55)
        for way in (
            {"from": "MY", "route": "reexport"}, {"from": "US", "via": "MY"}, {"from": "TW", "via": ["SG", "MY"]},
            {"from": "US", "transit": "Malaysia"}, {"from": "US", "via": "말레이시아"}, {"from": "MY"},
        ):  # fmt: skip
            found = decide(Shipment.of({"item": chip, "to": to, "hq": to, "export_date": day, **way}), trace=False)
            law = next((law for law in found.laws if law.regime == "MY"), None)
            assert law is not None, (chip, to, way)
            assert (law.licence, law.basis) == ("yes", "MY-2025-07/permit"), (chip, to, way, law)
            assert "MY-2025-07" in found.headline, (chip, to, way)
            assert found.overall == "licence", (chip, to, way)
    early = decide(
        {"item": chip, "to": "TH", "from": "MY", "hq": "TH", "export_date": PERMIT - timedelta(days=1)}, trace=False
    )
    assert next(law.licence for law in early.laws if law.regime == "MY") == "no"


def test_malaysia_s_undefined_chips_are_unknown_and_other_makers_free() -> None:
    for number, chip in enumerate(["T4", "A10", "V100", "L2", "NVIDIA A2"] * 4):
        day = PERMIT + timedelta(days=number * 20)
        found = decide({"item": chip, "to": "TH", "from": "MY", "hq": "TH", "export_date": day}, trace=False)
        assert next(law.licence for law in found.laws if law.regime == "MY") == "unknown", chip
        korean = {"tpp": 6000, "die_mm2": 600, "dc": True, "maker": "Rebellions"}
        found = decide({"item": korean, "to": "TH", "from": "MY", "hq": "TH", "export_date": day}, trace=False)
        assert next(law.licence for law in found.laws if law.regime == "MY") == "no"


def test_goods_that_stay_do_not_meet_it() -> None:
    for number, chip in enumerate(US_CHIPS * 2):
        fields = {
            "item": chip,
            "to": "MY",
            "from": "MY",
            "hq": "MY",
            "export_date": PERMIT + timedelta(days=number * 9),
        }
        assert all(law.licence == "no" for law in decide(fields, trace=False).laws if law.regime == "MY")


# --- Korea


LIST = date(2025, 2, 28)


MAY_BE_STRATEGIC = ["H100", "H20", "RTX 4090", "T4", {"spec": "hbm3e"}, {"spec": "fab_tool"}, "Rebellions ATOM-Max"]


@pytest.mark.parametrize("item", MAY_BE_STRATEGIC, ids=str)
def test_what_leaves_or_passes_korea_may_be_a_strategic_item(item: Any) -> None:
    for number, to in enumerate(["CN", "VN", "US", "TW", "SG", "DE", "JP"]):
        for way in ({"from": "KR"}, {"from": "US", "via": "KR"}, {"from": "TW", "via": ["KR"]}, {"from": "한국"}):
            day = LIST + timedelta(days=number * 70)
            found = decide(Shipment.of({"item": item, "to": to, "hq": to, "export_date": day, **way}), trace=False)
            law = next(law for law in found.laws if law.regime == "KR")
            assert (law.licence, law.basis) == ("unknown", "KR-2025-02/advanced-items"), (item, to, way)
            own = decide(
                Shipment.of({"item": item, "to": to, "hq": to, "regime": "KR", "export_date": day, **way}), trace=False
            )
            assert (own.licence, own.review, own.exception) == ("unknown", "unspecified", "n/a"), (item, to, way)
            assert own.questions, (item, to)
            assert "US" in {law.regime for law in own.laws}, "the US answer stands beside it"
            before = decide(
                Shipment.of({"item": item, "to": to, "regime": "KR", "export_date": "2025-02-27", **way}), trace=False
            )
            assert (before.licence, before.basis) == ("unknown", "KR-FTA/list"), (item, to, way)


def test_korea_to_russia_and_belarus() -> None:
    for number, (item, to) in enumerate(product(["H100", "T4", "RTX 4090", {"spec": "hbm3"}], ["RU", "BY"])):
        for day in (date(2022, 3, 26), date(2024, 1, 1) + timedelta(days=number * 30), date(2026, 5, 1)):
            found = decide({"item": item, "to": to, "from": "KR", "regime": "KR", "export_date": day}, trace=False)
            assert (found.licence, found.review) == ("yes", "presumption_of_denial"), (item, to, str(day))


def test_within_korea_its_export_law_is_silent() -> None:
    for number in range(20):
        day = LIST + timedelta(days=number * 29)
        assert (
            decide({"item": "H100", "to": "KR", "from": "KR", "regime": "KR", "export_date": day}, trace=False).licence
            == "no"
        )


# --- all laws in one answer


def test_the_law_of_a_place_of_dispatch_that_is_not_modelled_is_said_to_be_so() -> None:
    for number, origin in enumerate(["JP", "TW", "NL", "DE", "SG", "IL", "TH", "FR", "AE", "GB"] * 2):
        found = decide({"item": "H100", "to": "VN", "hq": "VN", "from": origin,
                        "export_date": date(2024, 1, 1) + timedelta(days=30 * number)}, trace=False)  # fmt: skip
        law = next(law for law in found.laws if law.regime == origin)
        assert (law.licence, law.basis) == ("unknown", "not modelled"), origin


def test_under_another_law_the_us_answer_is_beside_it_and_the_same() -> None:
    for number, (chip, to) in enumerate(product(["H100", "H20", "L40", "T4"], ["CN", "VN", "SG", "KR", "RU"])):
        day = date(2025, 3, 1) + timedelta(days=number * 25)
        fields = {"item": chip, "to": to, "hq": to, "from": "MY", "export_date": day, "exporter": "NVIDIA"}
        under_us, under_my = decide(fields, trace=False), decide({**fields, "regime": "MY"}, trace=False)
        beside = next(law for law in under_my.laws if law.regime == "US")
        assert (beside.licence, beside.review, beside.exception) == (
            under_us.licence,
            under_us.review,
            under_us.exception,
        )
        beside = next(law for law in under_us.laws if law.regime == "MY")
        assert (beside.licence, beside.review) == (under_my.licence, under_my.review)
        assert under_us.overall == under_my.overall


@pytest.mark.parametrize("activity", not_covered()["activities"])
def test_what_is_no_shipment_is_not_covered_and_never_cleared(activity: str) -> None:
    words = [activity, *not_covered()["activities"][activity]["words"]]
    for number, (word, to) in enumerate(product(words, ["CN", "KR", "SG"])):
        chip = ["H100", "T4", "L40", "H20"][number % 4]
        field = ["activity", "route"][number % 2]
        found = decide({"item": chip, "to": to, "hq": to, "from": "US", field: word,
                        "export_date": date(2023, 1, 1) + timedelta(days=number * 17)}, trace=False)  # fmt: skip
        where = (word, to, found.headline)
        assert (found.licence, found.review, found.exception) == ("unknown", "unspecified", "n/a"), where
        assert found.not_covered.startswith("not covered: "), where
        assert "; see " in found.not_covered, where
        assert found.not_covered in found.headline, where


@pytest.mark.parametrize("item", [{"spec": "technology"}, {"spec": "software"}, {"eccn": "3E001"}, {"eccn": "3D001"},
                                  {"spec": "gallium"}, {"chip": "Acme FPGA", "eccn": "3A001.a.7"}], ids=str)  # fmt: skip
def test_goods_the_rules_do_not_know_are_not_cleared(item: dict[str, str]) -> None:
    for number, to in enumerate(["CN", "VN", "SG", "KR", "DE", "BR", "IN"] * 3):
        day = date(2023, 1, 1) + timedelta(days=number * 60)
        found = decide({"item": item, "to": to, "hq": to, "from": "US", "export_date": day}, trace=False)
        assert found.licence != "no", (item, to)
        assert "no licence needed" not in found.headline


def test_a_transfer_within_a_country_is_judged_as_one() -> None:
    """In-country transfers in D:5 or Macau need a licence as well; NAC does not serve them, ACA does."""
    for number, (chip, to) in enumerate(product(["H100", "A100", "L40", "RTX 4090", "A30"], ["CN", "HK", "MO", "LB"])):
        day = date(2024, 5, 1) + timedelta(days=number * 20)
        found = decide(
            {"item": chip, "to": to, "hq": to, "from": to, "route": "in-country transfer", "export_date": day},
            trace=False,
        )
        helped = not (classify(chip, day).eccn == "3A090.a" and chip in ("H100", "A100"))
        assert (found.licence, found.exception) == ("yes", "ACA" if helped else "none"), (chip, to)
