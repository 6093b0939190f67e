"""What must hold for every item: stricter numbers never loosen an answer, names change nothing, dies add up."""

from datetime import date
from fractions import Fraction
from typing import Any

from hypothesis import example, given, settings
from hypothesis import strategies as st

from chipweir.rules import Item, Shipment, classify, decide, shipped
from chipweir.rules._chips import catalogue
from chipweir.rules._judge import STRICTNESS as REVIEW_STRICTNESS


RANK = {"not_3A090": 0, "undetermined": None, "3A090.b": 1, "4A090.b": 1, "3A090.a": 2, "4A090.a": 2}
DAYS = [day for day in shipped().days_of_change() if date(2022, 8, 1) <= day <= date(2027, 6, 1)]
days = st.sampled_from(DAYS)
tpps = st.one_of(
    st.sampled_from([0, 1599, 1600, 2399, 2400, 4799, 4800, 20999, 21000]), st.integers(0, 60000), st.floats(0, 6e4)
)
areas = st.one_of(st.sampled_from([100, 500, 608.5, 800, 814, 826, 1500]), st.floats(1, 5000))
places = st.sampled_from(["CN", "HK", "MO", "VN", "SA", "AE", "KH", "RU", "LB", "KR", "TW", "MY", "IL", "US", "JP"])
EXCEPTION = {"none": 1, "n/a": 0}


def looseness(decision: Any) -> tuple[int, int, int]:
    """How strict an answer is: licence, whether an exception helps, review."""
    licence = {"no": 0, "conditional": 1, "unknown": 1, "yes": 2}[decision.licence]
    unhelped = 1 if decision.licence == "yes" and decision.exception == "none" else 0
    return licence, unhelped, REVIEW_STRICTNESS[decision.review] if licence == 2 else 0


def of_letters_alone(decision: Any) -> bool:
    letters = {entry.id for entry in shipped().requirements if entry.letter is not None}
    return all(found.rule in letters for found in decision.requirements if found.holds and not found.lifted)


@example(
    day=date(2025, 4, 9), low=0, more=4800, area=100, dc=False, to="LB", hq=None, memory=1399, io=464,
    exporter="NVIDIA", origin="US", mode="enforced", user="military",
)  # fmt: skip
@settings(max_examples=400, deadline=None)
@given(
    day=days, low=tpps, more=st.floats(0, 30000), area=areas, dc=st.booleans(), to=places,
    hq=st.sampled_from([None, "CN", "US", "KR"]), memory=st.sampled_from([300, 1399, 1400, 4800, 6499, 6500]),
    io=st.sampled_from([64, 464, 600, 1028, 1100]), exporter=st.sampled_from(["NVIDIA", "AMD", "Dell"]),
    origin=st.sampled_from(["US", "TW", "CN"]), mode=st.sampled_from(["enforced", "as_written"]),
    user=st.sampled_from(["commercial", "military", "manufacturer"]),
)  # fmt: skip
def test_more_processing_never_loosens(
    day: date, low: float, more: float, area: float, dc: bool, to: str, hq: str | None, memory: int, io: int,
    exporter: str, origin: str, mode: str, user: str,
) -> None:  # fmt: skip
    def ask(tpp: float) -> Any:
        item = Item(
            tpp=tpp,
            die_mm2=area,
            dc=dc,
            mem_bw_gbps=memory,
            io_gbps=io,
            us_available_2026_01_15=True,
            maker_country="US",
        )
        return decide(
            Shipment(item, to, day, from_=origin, hq=hq, exporter=exporter, mode=mode, end_user_type=user), trace=False
        )

    one, other = ask(low), ask(low + more)
    assert RANK[one.eccn] <= RANK[other.eccn]
    first, second = looseness(one), looseness(other)
    assert first[0] <= second[0], (one, other)
    if first[0] == second[0] == 2:
        assert first[1] <= second[1], (one, other)
        if of_letters_alone(one) and not of_letters_alone(other):
            return  # a letter without a policy and a regulation with one cannot be ranked
        assert first[2] <= second[2] or first[1] < second[1], (one, other)


@settings(max_examples=200, deadline=None)
@given(day=days, tpp=tpps, area=areas, dc=st.booleans(), io=st.integers(0, 2000), name=st.text(min_size=1, max_size=20))
def test_classification_is_blind_to_names(day: date, tpp: float, area: float, dc: bool, io: int, name: str) -> None:
    bare = classify(Item(tpp=tpp, die_mm2=area, dc=dc, io_gbps=io), day)
    named = classify(Item(tpp=tpp, die_mm2=area, dc=dc, io_gbps=io, name=name, maker="Huawei", maker_country="CN"), day)
    assert (bare.eccn, bare.tpp, bare.pd) == (named.eccn, named.tpp, named.pd)


@settings(max_examples=200, deadline=None)
@given(day=days, dies=st.lists(st.tuples(st.integers(0, 9000), st.integers(50, 900)), min_size=1, max_size=4))
def test_a_package_is_the_sum_of_its_dies(day: date, dies: list[tuple[int, int]]) -> None:
    package = classify(Item(dies=[{"tpp": tpp, "die_mm2": area} for tpp, area in dies], io_gbps=700), day)
    whole = classify(Item(tpp=sum(t for t, _ in dies), die_mm2=sum(a for _, a in dies), io_gbps=700), day)
    assert (package.eccn, package.tpp, package.pd) == (whole.eccn, whole.tpp, whole.pd)


@settings(max_examples=150, deadline=None)
@given(day=days, tops=st.integers(1, 3000), bits=st.sampled_from([4, 8, 16]), area=areas, count=st.integers(1, 4))
def test_equal_dies_by_count_and_one_by_one(day: date, tops: int, bits: int, area: float, count: int) -> None:
    mode = {"tops": tops, "bits": bits}
    counted = classify(Item(modes=[mode], dies=count, die_mm2=area, io_gbps=700), day)
    listed = classify(Item(dies=[{"modes": [mode], "die_mm2": 1}] * count, die_mm2=area, io_gbps=700), day)
    assert (counted.eccn, counted.tpp) == (listed.eccn, listed.tpp)
    assert counted.tpp == count * tops * bits


@settings(max_examples=150, deadline=None)
@given(day=days, chips=st.lists(st.sampled_from(sorted(catalogue())), min_size=1, max_size=4))
def test_a_server_is_never_below_its_chips(day: date, chips: list[str]) -> None:
    order = {"none": 0, "b": 1, "a": 2}
    server = classify(Item(contains=chips), day)
    for chip in chips:
        alone = classify(chip, day)
        assert min(order[c] for c in server.possible) >= min(order[c] for c in alone.possible)
        assert max(order[c] for c in server.possible) >= max(order[c] for c in alone.possible)


@settings(max_examples=150, deadline=None)
@given(day=days, chip=st.sampled_from(sorted(catalogue())), to=places, hq=st.sampled_from([None, "CN", "SG"]))
def test_a_server_needs_no_less_than_its_chip(day: date, chip: str, to: str, hq: str | None) -> None:
    alone = decide(Shipment(chip, to, day, hq=hq), trace=False)
    server = decide(Shipment(Item(contains=[chip]), to, day, hq=hq), trace=False)
    assert (alone.licence, alone.review, alone.exception) == (server.licence, server.review, server.exception)


@settings(max_examples=150, deadline=None)
@given(day=days, chip=st.sampled_from(sorted(catalogue())), to=places, mode=st.sampled_from(["enforced", "as_written"]))
def test_trace_does_not_change_the_answer_and_explains_it(day: date, chip: str, to: str, mode: str) -> None:
    shipment = Shipment(chip, to, day, mode=mode)
    with_trace, bare = decide(shipment), decide(shipment, trace=False)
    assert with_trace.to_dict(trace=False) | {"margin": None} == bare.to_dict(trace=False) | {"margin": None}
    rules = {step.rule for step in with_trace.trace}
    for found in with_trace.requirements:
        assert found.rule in rules
    for step in with_trace.trace:
        assert step.outcome
        if step.operator is not None and isinstance(step.threshold, Fraction):
            assert step.value is None or isinstance(step.value, Fraction | int)


@settings(max_examples=100, deadline=None)
@example(day=date(2023, 11, 17), tpp=4800, area=50, dc=False)
@given(day=days, tpp=st.integers(1, 30000), area=st.integers(50, 3000), dc=st.booleans())
def test_margins_are_true(day: date, tpp: int, area: int, dc: bool) -> None:
    found = classify(Item(tpp=tpp, die_mm2=area, dc=dc, io_gbps=500), day)
    for margin in found.margins:
        if margin.quantity == "tpp":
            nudge = Fraction(1, 10**9)
            up = margin.upwards
            reached = margin.threshold * (1 + nudge) if up else margin.threshold * (1 - nudge)
            moved = classify(Item(tpp=reached, die_mm2=area, dc=dc, io_gbps=500), day)
            assert moved.possible != found.possible
            for share in (0.01, 0.5, 0.99):
                between = margin.value + (margin.threshold - margin.value) * Fraction(share)
                kept = classify(Item(tpp=between, die_mm2=area, dc=dc, io_gbps=500), day)
                assert kept.possible == found.possible
    assert list(found.margins) == sorted(found.margins, key=lambda margin: margin.relative)


def test_a_decision_says_what_would_flip_a_letter_or_the_review() -> None:
    def near(chip: str, **fields: Any) -> set[tuple[str, float]]:
        found = decide(Shipment(chip, "CN", "2026-03-01", from_="US", **fields))
        return {(margin.quantity, float(margin.threshold)) for margin in found.margins}

    assert decide(Shipment("MI325X", "CN", "2026-03-01", from_="US")).margin.threshold == 21000  # type: ignore[union-attr]
    assert ("mem_bw_gbps", 6500.0) in near("MI325X")
    assert ("mem_bw_gbps", 1400.0) in near("RTX 5090 D V2", exporter="NVIDIA")
    assert ("mem_bw_gbps", 1400.0) not in near("RTX 5090 D V2", exporter="Dell")
    assert ("mem_bw_gbps", 1400.0) not in near("H20")  # its sum is above the third line as well
    assert ("mem_bw_gbps", 672.0) in near("H20")  # 1,700 less an interconnect of 1,028
