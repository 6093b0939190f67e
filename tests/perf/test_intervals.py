import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chipweir.perf._configuration import read_configuration
from chipweir.perf._intervals import (
    DEFAULT,
    Errors,
    by_source,
    deployment,
    lacking,
    learn,
    spread,
    traits,
    unseen_spreads,
    widen,
)


def configuration(**changes):
    row = {"chip": "H100", "model": "Llama-3.1-8B", "tp": "1", "concurrency": "8", "precision": "bf16"}
    return read_configuration({**row, **changes})


def test_learnt_points_hold_four_in_five():
    noise = np.random.default_rng(0).standard_normal(4000) * 0.3
    found = learn({"tpot": noise}, [("tensor", "tuned")] * 4000, ["a"] * 4000, np.ones(4000))["tpot"]
    points = found["tensor/tuned"]
    assert np.mean((points[0] <= noise) & (noise <= points[1])) == pytest.approx(0.8, abs=0.01)


def test_a_kind_that_few_sources_measured_is_drawn_to_all_and_one_of_few_rows_is_all():
    wide, narrow, few = np.linspace(-1, 1, 400), np.linspace(-0.1, 0.1, 100), np.full(20, 0.3)
    kinds = [("tensor", "open")] * 400 + [("data", "open")] * 100 + [("split", "open")] * 20
    found = learn(
        {"tpot": np.concatenate([wide, narrow, few])}, kinds, ["a", "b"] * 200 + ["c"] * 100 + ["d"] * 20, np.ones(520)
    )["tpot"]
    assert found["data/open"] == pytest.approx(
        (np.array([-0.08, 0.08]) + 2 * np.array(found["all/open"])) / 3, abs=0.01
    )
    assert found["split/open"] == found["all/open"]
    many = learn(
        {"tpot": np.concatenate([wide, narrow])}, kinds[:500], ["a", "b"] * 200 + list("cdefghijkl") * 10, np.ones(500)
    )["tpot"]
    assert many["data/open"][1] < found["data/open"][1]


def test_a_source_of_a_thousand_rows_counts_as_a_few_of_fifty():
    sources = ["large"] * 1000 + ["small"] * 50 + ["tiny"] * 2
    weight = by_source(sources)
    total = {name: weight[[s == name for s in sources]].sum() for name in ("large", "small", "tiny")}
    assert total["large"] / total["small"] == pytest.approx(20**0.25)
    assert total["tiny"] < 0.15 * total["small"]


@given(st.floats(0.05, 1.0), st.floats(0.05, 1.0), st.floats(0.1, 3.0), st.floats(-0.5, 0.5))
def test_what_is_lacking_leaves_a_tenth_outside_on_either_side(low, high, spread_, shift):
    ratio = shift + spread_ * np.linspace(-1, 1, 2001)
    points = np.tile([-low, high], (2001, 1))
    more = lacking(ratio, points, np.ones(2001))
    below, above = np.mean(ratio < -np.hypot(low, more[0])), np.mean(ratio > np.hypot(high, more[1]))
    assert below <= 0.102
    assert above <= 0.102
    assert more[0] == 0 or below >= 0.098
    assert more[1] == 0 or above >= 0.098


ROW = configuration()
SEEN = {name: frozenset({trait}) for name, trait in traits(ROW).items()}
ERRORS = Errors(
    {"tpot": {"tensor/open": (-0.1, 0.2), "all": (-0.5, 0.5)}},
    {"tpot": {"vendor": (0.3, 0.4), "generation": (0.2, 0.3), "chip": (0.1, 0.1), "model": (0.05, 0.05)}},
    SEEN,
    {"isl": (128.0, 20000.0), "osl": (128.0, 8000.0), "concurrency": (1.0, 2000.0), "chips": (1.0, 64.0),
     "year": (2024.0, 2026.6)},
)  # fmt: skip


def width(**changes):
    low, high = spread(ERRORS, [configuration(**changes)], [False], "tpot")[0]
    return high - low


def test_what_is_new_widens_the_interval_and_more_of_it_more():
    assert list(spread(ERRORS, [ROW], [False], "tpot")[0]) == [-0.1, 0.2]
    known = width()
    assert known < width(model="Llama-3.1-70B", tp="8") < width(model="Llama-3.1-70B", tp="8", chip="H200")
    assert known < width(chip="H200") < width(chip="B200") < width(chip="MI300X")
    assert ERRORS.new(configuration(chip="MI300X"))[0] == "vendor"
    assert not {"chip", "format"} & set(ERRORS.new(configuration(chip="MI300X")))
    low, high = spread(ERRORS, [configuration(chip="B200")], [False], "tpot")[0]
    assert low == pytest.approx(-np.hypot(0.1, 0.2))
    assert high == pytest.approx(np.hypot(0.2, 0.3))


def test_flags_that_makers_chose_have_errors_of_their_own():
    errors = Errors({"tpot": {"tensor/tuned": (-0.1, 0.1), "tensor/open": (-0.3, 0.3)}}, {}, SEEN)
    rows = [configuration(tuning=text) for text in ("tuned", "plain", "")]
    points = spread(errors, rows, [False] * 3, "tpot")
    assert points[0, 1] < points[1, 1] == points[2, 1]


def test_loads_and_dates_beyond_those_measured_widen_it():
    assert width() < width(isl="200000") < width(isl="1000000")
    assert width() < width(concurrency="100000")
    assert width() < width(date="2028-01")
    assert width(date="2025-06") == width()


def test_kinds_without_rows_of_their_own_take_all_and_quantities_without_any_the_widest():
    assert list(spread(ERRORS, [configuration(tp="", concurrency="")], [True], "tpot")[0]) == [-0.5, 0.5]
    assert tuple(spread(ERRORS, [ROW], [False], "ttft")[0]) == DEFAULT


def test_kinds_of_deployment():
    assert deployment(configuration(), chosen=False) == "tensor"
    assert deployment(configuration(), chosen=True) == "chosen"
    assert deployment(configuration(phase="decode"), chosen=False) == "decode"
    assert deployment(configuration(stat="static batch"), chosen=False) == "static"
    assert deployment(configuration(model="DeepSeek-R1", spec_decode="mtp", tp="8"), chosen=False) == "drafting"
    guessed = configuration(model="DeepSeek-R1", spec_decode="", framework="trtllm", tp="8")
    assert deployment(guessed, chosen=False) == "unsure"


def test_widening_adds_in_quadrature():
    wide = widen(np.array([[-0.3, 0.4]]), np.array([0.3 / 1.2815515655446004]))
    assert wide[0, 0] == pytest.approx(-np.hypot(0.3, 0.3))
    assert wide[0, 1] == pytest.approx(0.5)


def test_rows_left_out_together_are_new_to_one_another():
    rows = [configuration(chip=chip) for chip in ("H100", "H200", "MI300X")]
    seen = {n: frozenset(t[n] for t in map(traits, rows)) for n in SEEN}
    errors = Errors({"tpot": {"all": (-0.5, 0.5)}}, {"tpot": {"vendor": (0.0, 1.2), "chip": (0.1, 0.1)}}, seen)
    known = spread(errors, rows, [False] * 3, "tpot")
    makers = unseen_spreads(errors, rows, np.array(["nvidia", "nvidia", "amd"]), ["tpot"])["tpot"]
    assert np.all(makers[:, 1] >= 1.3)
    chips = unseen_spreads(errors, rows, np.array(["a", "b", "b"]), ["tpot"])["tpot"]
    assert known[0, 1] < chips[0, 1] < 1.0 < chips[2, 1]
