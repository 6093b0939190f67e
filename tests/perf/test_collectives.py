import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chipweir.perf._architecture import architecture
from chipweir.perf._architecture import stack as stack_models
from chipweir.perf._collectives import (
    CROSSING,
    RING_START,
    all_reduce,
    all_to_all,
    layer_messages,
    link_bandwidth,
    visible,
)
from chipweir.perf._hardware import hardware
from chipweir.perf._hardware import stack as stack_chips
from chipweir.perf._operators import work


def one(chip="H800", model="DeepSeek-V3"):
    kinds = np.array(["fp8"], object)
    return work(stack_chips([hardware(chip)]), stack_models([architecture(model)]), kinds, kinds)


@given(st.floats(0, 1e9), st.integers(2, 512), st.floats(1e9, 1e12), st.floats(0, 1e-3))
def test_collectives_cost_their_floor_and_their_bytes(size, chips, link, floor):
    ring = RING_START + 2 * (chips - 1) / chips * size / link
    assert all_reduce(size, chips, link, floor) == pytest.approx(floor + min(ring, (chips - 1) * size / link))
    assert all_to_all(size, chips, link, floor) <= all_reduce(size, chips, link, floor)
    assert all_reduce(size, 1, link, floor) == 0


@given(st.floats(0, 1e9), st.integers(2, 72), st.floats(1e9, 1e12), st.floats(0, 1e-3))
def test_a_switch_that_adds_up_saves_traffic_but_no_byte_of_the_message(size, chips, link, floor):
    summed = all_reduce(size, chips, link, floor, 1.0)
    assert summed <= all_reduce(size, chips, link, floor) * (1 + 1e-12)
    assert summed >= floor + size / link * (1 - 1e-12)


def test_short_messages_are_read_from_all_others_and_long_ones_go_round():
    link, floor = 450e9, 5e-6
    decode, prefill = 2 * 32 * 8192, 2 * 8192 * 8192
    assert all_reduce(decode, 8.0, link, floor) - floor == pytest.approx(7 * decode / link)
    assert all_reduce(decode, 8.0, link, floor) > 2 * all_reduce(decode, 4.0, link, floor) - floor
    assert all_reduce(prefill, 8.0, link, floor) == pytest.approx(floor + RING_START + 1.75 * prefill / link)


def test_which_switches_add_up():
    assert one("H800").summing[0] == one("GB300").summing[0] == 1
    for chip in ("A100", "MI300X", "Ascend 910C", "L40S"):
        assert one(chip).summing[0] == 0


def test_leaving_the_domain_costs_latency():
    w = one("H100")
    inside, outside = (layer_messages(w, np.array([1.0]), 1.0, np.array([n]), 0.5, 0.5, 1e-5)[0] for n in (8.0, 16.0))
    assert outside - inside > w.layers[0] * CROSSING


def test_leaving_the_domain_costs_bandwidth():
    w = one("H800")
    assert link_bandwidth(w, np.array([8.0]))[0] == pytest.approx(200e9)
    assert link_bandwidth(w, np.array([64.0]))[0] < 60e9
    supernode = one("CloudMatrix 384")
    assert link_bandwidth(supernode, np.array([320.0]))[0] == pytest.approx(392e9)


@given(st.floats(1, 1e5), st.sampled_from([2.0, 8.0, 32.0, 144.0]), st.floats(1.01, 4.0))
def test_faster_links_never_make_messages_slower(tokens, ranks, factor):
    w = one()
    plain = layer_messages(w, np.array([tokens]), 1.0, np.array([ranks]), 0.5, 0.5, 1e-5)
    better = layer_messages(
        w, np.array([tokens]), 1.0, np.array([ranks]), min(0.5 * factor, 1.0), min(0.5 * factor, 1.0), 1e-5
    )
    assert np.all(better <= plain * (1 + 1e-12))


def test_a_single_chip_sends_nothing():
    assert layer_messages(one(), np.array([64.0]), 1.0, np.array([1.0]), 0.5, 0.5, 1e-5)[0] == 0


@given(st.floats(1e-6, 1), st.floats(1e-6, 1))
def test_wide_parallelism_hides_at_most_the_shorter_part(busy, messages):
    hidden = float(visible(np.array([busy]), np.array([messages]), np.array([32.0]))[0])
    assert -1e-12 <= hidden <= messages * (1 + 1e-9)
    assert busy + hidden >= max(busy, messages) * (1 - 1e-9)
    assert visible(np.array([busy]), np.array([messages]), np.array([8.0]))[0] == messages
