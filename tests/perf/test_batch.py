import json
import math
import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chipweir.perf._assemble import gather
from chipweir.perf._batch import operator_table, predict, predict_rows
from chipweir.perf._configuration import read_configuration
from chipweir.perf._efficiency import efficiencies, group_levels, index, shipped
from chipweir.perf._measured import arrays
from chipweir.perf._operators import take as take_work
from chipweir.perf._serving import serve, take


ROW = {
    "id": "a",
    "phase": "serving",
    "chip": "H100",
    "n_chips": "8",
    "model": "Llama-3.1-70B",
    "precision": "fp8",
    "framework": "vllm",
    "tp": "8",
    "isl": "1024",
    "osl": "512",
    "concurrency": "32",
    "spec_decode": "none",
}
QUANTITIES = {
    "output_tok_s_chip",
    "total_tok_s_chip",
    "input_tok_s_chip",
    "ttft_ms",
    "tpot_ms",
    "power_w_chip",
    "j_per_output_token",
}


def answer(**changes):
    [found] = predict_rows([{**ROW, **changes}])
    return found


def test_a_row_has_every_quantity_as_three_ordered_positive_numbers():
    found = answer()
    assert found["id"] == "a"
    assert found["row"] == 1
    assert set(found["predictions"]) == QUANTITIES
    for name, q in found["predictions"].items():
        assert 0 < q["p10"] < q["p50"] < q["p90"], name
    assert found["plan"]["tp"] == 8
    assert found["binds"] in ("compute", "memory bandwidth", "link", "overhead")


def test_latency_and_throughput_agree():
    made = answer()["predictions"]
    cycle = made["ttft_ms"]["p50"] / 1e3 + 512 * made["tpot_ms"]["p50"] / 1e3
    assert made["output_tok_s_chip"]["p50"] == pytest.approx(32 * 512 / cycle / 8, rel=0.05)
    assert made["total_tok_s_chip"]["p50"] == pytest.approx(made["output_tok_s_chip"]["p50"] * 3)
    assert made["j_per_output_token"]["p50"] == pytest.approx(
        made["power_w_chip"]["p50"] / made["output_tok_s_chip"]["p50"]
    )


def test_energy_is_surer_than_power_and_output_apart():
    made = answer()["predictions"]
    widths = {
        q: np.log(made[q]["p90"] / made[q]["p10"]) for q in ("j_per_output_token", "power_w_chip", "output_tok_s_chip")
    }
    assert widths["j_per_output_token"] < np.hypot(widths["power_w_chip"], widths["output_tok_s_chip"])
    assert widths["j_per_output_token"] > 0.5 * widths["output_tok_s_chip"]


def test_energy_is_at_least_idle_power():
    made = answer(concurrency="1")["predictions"]
    assert made["power_w_chip"]["p50"] >= 0.15 * 700


def test_bad_rows_say_why_and_do_not_stop_the_others():
    rows = [
        ROW,
        {**ROW, "chip": "Deep Thought"},
        {**ROW, "model": "GPT-17"},
        {**ROW, "n_chips": "-1"},
        {**ROW, "isl": "x"},
        {**ROW, "phase": "?"},
        {"malformed": "line 7 has fewer cells than the header"},
        {},
        ROW,
    ]
    found = predict_rows(rows)
    assert ["predictions" in a for a in found] == [True] + [False] * 7 + [True]
    assert all(a["reason"] for a in found[1:-1])
    assert [a["row"] for a in found] == list(range(1, 10))
    assert found[0]["predictions"] == found[-1]["predictions"]


def test_a_layout_that_does_not_hold_the_model_is_said_with_the_bytes():
    reason = answer(model="DeepSeek-V3", tp="1", n_chips="1")["reason"]
    assert "672" in reason or "673" in reason
    assert "GB" in reason


def test_unknown_vendors_get_wide_intervals_and_a_note():
    def width(chip):
        found = answer(chip=chip, tp="8")
        q = found["predictions"]["tpot_ms"]
        return math.log(q["p90"] / q["p10"]), found.get("notes", [])

    known, _ = width("H100")
    vendor, notes = width("H20")
    nobody, words = width("Moore Threads MTT S5000")
    assert known < vendor < nobody
    assert any("not measured" in n for n in notes)
    assert any("wide interval" in n for n in words)


def test_disaggregated_rows_count_decode_chips_for_output_and_all_for_total():
    found = answer(
        model="DeepSeek-V3",
        chip="B200",
        tp="",
        n_chips="16",
        disagg="True",
        prefill_chips="8",
        decode_chips="8",
        prefill_parallel="1x(tp8 ep1 dpattn=False)",
        decode_parallel="1x(tp8 ep8 dpattn=True)",
        framework="sglang",
    )
    made = found["predictions"]
    rate = made["output_tok_s_chip"]["p50"] * 8 / 512
    assert made["input_tok_s_chip"]["p50"] == pytest.approx(rate * 1024 / 8)
    assert made["total_tok_s_chip"]["p50"] == pytest.approx(rate * 1536 / 16)


def test_chips_that_read_and_write_do_both_equally_surely():
    made = answer(model="DeepSeek-V3", chip="B200", tp="8", n_chips="8", framework="sglang")["predictions"]
    for point in ("p10", "p90"):
        shares = [made[q][point] / made[q]["p50"] for q in ("input_tok_s_chip", "output_tok_s_chip")]
        assert shares[0] == pytest.approx(shares[1])


def test_prefill_and_decode_rows_give_what_applies():
    prefill = answer(
        model="DeepSeek-R1", phase="prefill", chip="H800", tp="", n_chips="32", ep="32", isl="4096", concurrency=""
    )
    assert {"input_tok_s_chip", "total_tok_s_chip"} <= set(prefill["predictions"])
    assert "output_tok_s_chip" not in prefill["predictions"]
    decode = answer(
        model="DeepSeek-R1",
        phase="decode",
        chip="Ascend 910C",
        precision="INT8",
        tp="",
        n_chips="160",
        ep="320",
        isl="4096",
        batch_per_replica="96",
        concurrency="",
        spec_decode="mtp1",
    )
    assert "ttft_ms" not in decode["predictions"]
    assert decode["predictions"]["output_tok_s_chip"]["p50"] == pytest.approx(
        96 / decode["predictions"]["tpot_ms"]["p50"] * 1e3, rel=1e-6
    )


def test_open_loads_are_chosen_and_keep_the_latency_limit():
    offline = answer(
        family="MLPerf", stat="Offline", phase="offline", model="llama2-70b-99", tp="", concurrency="", isl="", osl=""
    )
    assert offline["plan"]["stated"] is False
    interactive = answer(
        family="MLPerf",
        stat="Interactive",
        model="llama2-70b-99",
        tp="",
        concurrency="",
        isl="",
        osl="",
        precision="fp8",
    )
    assert interactive["predictions"]["tpot_ms"]["p50"] <= 40.0
    assert offline["predictions"]["output_tok_s_chip"]["p50"] > interactive["predictions"]["output_tok_s_chip"]["p50"]


def test_training_rows_are_answered_too():
    [found] = predict_rows(
        [
            {
                "phase": "training",
                "chip": "H800",
                "n_chips": "2048",
                "model": "DeepSeek-V3",
                "precision": "fp8",
                "seq_len": "4096",
            }
        ]
    )
    assert found["predictions"]["tokens_s_chip_train"]["p50"] > 0
    assert "tpot_ms" not in found["predictions"]


text = st.one_of(
    st.text(max_size=12), st.sampled_from(["", "0", "-1", "1e400", "nan", "8", "fp8", "True", "H100", "x(tp", "1e9"])
)


@settings(max_examples=150, deadline=None)
@given(
    st.dictionaries(
        st.sampled_from(
            [*ROW, "ep", "dp", "attention_dp", "disagg", "prefill_parallel", "decode_parallel", "stat", "family"]
        ),
        text,
    )
)
def test_no_row_whatever_crashes_the_batch(changes):
    found = answer(**changes)
    assert ("reason" in found) != ("predictions" in found)
    json.dumps(found, allow_nan=False)


def test_operators_of_one_pass():
    c = read_configuration(ROW)
    predictions, _, _ = predict([c])
    table = operator_table(c, predictions)
    assert {o["pass"] for o in table} == {"decode", "prefill"}
    for o in table:
        # Activations are an estimate of traffic, the rest is bound by the datasheet.
        assert o["operator"] == "activations" or o["estimate_us"] >= o["roofline_us"] > 0
    assert sum(o["estimate_us"] for o in table if o["pass"] == "decode") < predictions.median["tpot_ms"][0] * 1e3


def test_a_hundred_thousand_estimates_a_second():
    c = read_configuration(ROW)
    posterior = shipped()
    one = gather([c])
    rows = np.zeros(20_000, dtype=int)
    work, cases = take_work(one, rows), take(arrays([c]), rows)
    e = efficiencies(posterior.mean, index(posterior.form, [group_levels(c)]), posterior.form)
    best = math.inf
    for _ in range(5):
        start = time.process_time()
        served = serve(work, e, cases)
        best = min(best, time.process_time() - start)
    assert np.all(served.tpot > 0)
    # Seconds of this process, whatever else the machine does; on one idle core it is well above 100,000 a second.
    assert 20_000 / best > 25_000
