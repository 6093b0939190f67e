"""The law as published on a day against the law as applied on the shipment's day."""

from datetime import date, timedelta
from itertools import product
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chipweir.rules import Shipment, availability, classify, decide, shipped, with_overlays


ONE = timedelta(days=1)
CHIPS = ["H100", "H800", "H20", "H200", "RTX 4090", "L40", "A100", "T4", "Ascend 910B3", "MI308X", "DGX H100"]
PLACES = ["CN", "HK", "MO", "VN", "SG", "AE", "KR", "RU", "SA", "US", "TW"]


def ask(item: Any, day: Any, as_of: Any = None, **fields: Any) -> Any:
    book = with_overlays((), as_of=as_of) if as_of is not None else None
    return decide(Shipment.of({"item": item, "export_date": day, "from": "US", **fields}), book)


def published() -> dict[str, date]:
    """The first day of every instrument, as its own entry gives it."""
    return {name: entry.published or entry.announced for name, entry in shipped().instruments.items()}


@settings(max_examples=400, deadline=None)
@given(
    chip=st.sampled_from(CHIPS), to=st.sampled_from(PLACES), hq=st.sampled_from([None, "CN", "US"]),
    day=st.dates(date(2022, 8, 1), date(2027, 6, 1)), as_of=st.dates(date(2022, 8, 1), date(2026, 10, 9)),
    mode=st.sampled_from(["enforced", "as_written"]), user=st.sampled_from([None, "military", "supercomputer"]),
    exporter=st.sampled_from([None, "NVIDIA", "Dell"]), share=st.sampled_from([None, 0.6]),
)  # fmt: skip
def test_nothing_published_later_is_in_an_answer(
    chip: str, to: str, hq: str | None, day: date, as_of: date, mode: str, user: str | None, exporter: str | None,
    share: float | None,
) -> None:  # fmt: skip
    found = ask(chip, day, as_of, to=to, hq=hq, mode=mode, end_user_type=user, exporter=exporter, ownership=share)
    days = published()
    assert found.as_of == as_of
    for step in found.trace:
        for part in (step.rule, step.rule.partition("/")[0]):
            assert days.get(part, date.min) <= as_of, (step, as_of)
    for text in (found.basis, *found.conditions, *(each.rule for each in found.requirements)):
        for name, first in days.items():
            if first > as_of and name in text.replace(",", " ").split(" "):
                raise AssertionError((text, name, first, as_of))


@settings(max_examples=200, deadline=None)
@given(
    chip=st.sampled_from(CHIPS), to=st.sampled_from(PLACES), day=st.dates(date(2022, 8, 1), date(2026, 10, 9)),
    mode=st.sampled_from(["enforced", "as_written"]), user=st.sampled_from([None, "military"]),
)  # fmt: skip
def test_seen_from_after_all_of_it_the_law_is_what_is_applied(
    chip: str, to: str, day: date, mode: str, user: str | None
) -> None:
    plain = ask(chip, day, to=to, mode=mode, end_user_type=user).to_dict()
    late = ask(chip, day, "2026-12-31", to=to, mode=mode, end_user_type=user).to_dict()
    assert late.pop("as_of") == "2026-12-31"
    assert late == plain


def changes(
    published_on: date, days: list[date], shipments: list[dict[str, Any]], before: dict[str, Any], after: dict[str, Any]
) -> int:
    """Every shipment on every day reads `before` up to the eve of the publication and `after` from the day itself."""
    count = 0
    for day, fields in product(days, shipments):
        for as_of, wanted in ((published_on - ONE, before), (published_on, after)):
            found = ask(day=day, as_of=as_of, **fields)
            got = {key: getattr(found, key) for key in wanted}
            assert got == wanted, (str(day), fields, str(as_of), got, wanted, found.basis)
            count += 1
    return count


def test_the_rule_of_october_2023_before_it_was_published() -> None:
    """The H800 was made for the rule of 2022: 400 GB/s of interconnect; with what was known on 16 October it is free."""
    days = [date(2023, 11, 17) + timedelta(days=30 * n) for n in range(10)]
    shipments = [{"item": item, "to": to, "hq": to} for item in ("H800", "A800") for to in ("CN", "HK")]
    free, barred = {"licence": "no"}, {"licence": "yes", "review": "presumption_of_denial", "exception": "none"}
    assert changes(date(2023, 10, 17), days, shipments, free, barred) >= 40


def test_the_h20_letter_was_not_public_for_six_days() -> None:
    days = [date(2025, 4, 9) + timedelta(days=n) for n in range(6)] + [date(2025, 6, 1), date(2026, 3, 1)]
    shipments = [{"item": "H20", "to": to, "hq": to, "exporter": "NVIDIA"} for to in ("CN", "HK", "MO", "LB")]
    assert (
        changes(date(2025, 4, 15), days, shipments, {"licence": "no"}, {"licence": "yes", "review": "unspecified"})
        >= 40
    )


def test_the_review_of_january_2026() -> None:
    days = [date(2026, 1, 15) + timedelta(days=20 * n) for n in range(10)]
    shipments = [{"item": item, "to": to, "hq": to} for item in ("H200", "H100", "A100") for to in ("CN", "MO")]
    denial, single = {"review": "presumption_of_denial"}, {"review": "case_by_case"}
    assert changes(date(2026, 1, 13), days, shipments, denial, single) >= 40


def test_the_rule_for_the_emirates_was_published_four_days_late() -> None:
    days = [date(2026, 7, 10) + timedelta(days=n) for n in (0, 1, 3, 4, 20, 60)]
    shipments = [{"item": item, "to": "AE", "hq": "AE"} for item in ("H200", "H100", "A100", "MI300X")]
    old = {"licence": "yes", "review": "presumption_of_approval"}
    assert changes(date(2026, 7, 14), days, shipments, old, {"licence": "yes", "review": "unspecified"}) >= 40
    firms = [
        {"item": "H200", "to": "AE", "hq": "US", "end_user": name} for name in ("OpenAI", "Microsoft", "G42", "xAI")
    ]
    assert (
        changes(date(2026, 7, 14), days, firms, {"licence": "yes"}, {"licence": "no", "exception": "named_entity"})
        >= 40
    )


def test_the_affiliates_rule_and_its_stay() -> None:
    shipments = [
        {"item": item, "to": to, "hq": to, "ownership": 0.6, "exporter": "Dell"}
        for item in ("T4", "L20")
        for to in ("VN", "CN")
    ]
    owned = {"licence": "yes", "review": "unspecified"}
    days = [date(2025, 9, 29) + timedelta(days=8 * n) for n in range(5)]
    assert changes(date(2025, 9, 29), days, shipments, {"licence": "no"}, owned) >= 40
    later = [date(2025, 11, 10) + timedelta(days=30 * n) for n in range(10)]
    assert changes(date(2025, 11, 10), later, shipments, owned, {"licence": "no"}) >= 40


def test_ai_diffusion_was_due_until_it_was_given_up() -> None:
    """Enforced law as it stood on 12 May 2025 had the worldwide requirement ahead; on 13 May it was not to be enforced."""
    days = [date(2025, 5, 15) + timedelta(days=30 * n) for n in range(10)]
    shipments = [{"item": item, "to": to, "hq": to} for item in ("H100", "H200") for to in ("IN", "PL")]
    assert changes(date(2025, 5, 13), days, shipments, {"licence": "yes"}, {"licence": "no"}) >= 40
    assert changes(date(2025, 1, 13), days, shipments[:2], {"licence": "no"}, {"licence": "yes"}) >= 20


def test_the_date_for_authorised_designers_was_moved() -> None:
    days = [date(2026, 4, 13) + timedelta(days=20 * n) for n in range(10)]
    die = {"spec": "logic_die", "node_nm": 5, "transistors_bn": 60, "has_hbm": False}
    shipments = [
        {"item": {**die, "designer": {"hq": hq}}, "to": "VN", "hq": "VN", "from": "TW", "exporter_type": "fab"}
        for hq in ("KR", "TW", "JP")
    ]
    assert changes(date(2026, 4, 7), days, shipments, {"licence": "yes"}, {"licence": "conditional"}) >= 40


def test_validated_fabs_in_china_before_the_revocation_was_known() -> None:
    days = [date(2025, 12, 31) + timedelta(days=20 * n) for n in range(10)]
    shipments = [
        {"item": {"spec": "fab_tool", "eccn": "3B001.c"}, "to": "CN", "end_user": name}
        for name in ("Samsung", "SK hynix")
    ]
    assert changes(date(2025, 8, 29), days, shipments, {"exception": "VEU"}, {"exception": "none"}) >= 40


def test_the_guidance_on_chinese_chips() -> None:
    days = [date(2025, 5, 13) + timedelta(days=40 * n) for n in range(10)]
    shipments = [{"item": "Ascend 910C", "to": to, "hq": to, "from": "CN"} for to in ("TH", "BR")]
    assert changes(date(2025, 5, 13), days, shipments, {"gp10_risk": False}, {"gp10_risk": True}) >= 40


def test_classes_follow_the_day_of_publication() -> None:
    for number, (chip, before, after) in enumerate(
        [("H800", "not_3A090", "3A090.a"), ("A800", "not_3A090", "3A090.a"), ("L40S", "not_3A090", "3A090.a"),
         ("A30", "not_3A090", "3A090.b"), ("RTX 4090", "not_3A090", "3A090.a"), ("H100", "3A090.a", "3A090.a")] * 4
    ):  # fmt: skip
        day = date(2023, 11, 17) + timedelta(days=40 * number)
        assert classify(chip, day, with_overlays((), as_of="2023-10-16")).eccn == before
        assert classify(chip, day, with_overlays((), as_of="2023-10-17")).eccn == after


def test_availability_as_of_a_day() -> None:
    months = ["2023-12", "2024-06", "2025-06"]
    then = availability(["H800", "H20", "H100"], ["CN"], months, as_of="2023-10-16")
    now = availability(["H800", "H20", "H100"], ["CN"], months)
    assert then.status[:, 0, 0].tolist() == [0, 0, 0]
    assert now.status[:, 0, 0].tolist() == [4, 4, 4]
    assert then.status[:, 1, 0].tolist() == [0, 0, 0]
    assert now.status[2, 1, 0] == 4
    assert (then.status[:, 2, 0] == 4).all()


@pytest.mark.parametrize("text", ["next week", "2026-13-01", "10/11/2025", ""])
def test_a_day_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"as_of"):
        with_overlays((), as_of=text)
