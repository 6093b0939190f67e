"""Physics that must hold whatever the efficiencies: checked with the shipped posterior on many deployments."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chipweir.perf._architecture import architecture
from chipweir.perf._architecture import stack as stack_models
from chipweir.perf._configuration import Configuration, read_configuration
from chipweir.perf._efficiency import efficiencies, group_levels, index, shipped
from chipweir.perf._hardware import hardware, native
from chipweir.perf._hardware import stack as stack_chips
from chipweir.perf._measured import arrays
from chipweir.perf._offered import Offered
from chipweir.perf._operators import OPERATORS, pass_load, work
from chipweir.perf._serving import (
    Case,
    Reader,
    decode_step,
    inter_token,
    mixed_tpot,
    most_sequences,
    prefill_pass,
    prefill_wait,
    serve,
)
from chipweir.perf._software import look_interval


CHIPS = ("H100", "H20", "B200", "MI300X", "MI355X", "Ascend 910C", "TPU v6e", "Cambricon MLU590", "A100")
MODELS = (
    "Llama-3.1-8B",
    "Llama-3.1-70B",
    "DeepSeek-V3",
    "Qwen3-30B-A3B",
    "gpt-oss-120b",
    "Qwen3.5-397B-A17B",
    "DeepSeek-V3.2",
)
deployment = st.fixed_dictionaries(
    {"chip": st.sampled_from(CHIPS), "model": st.sampled_from(MODELS), "dtype": st.sampled_from(["bf16", "fp8"]),
     "framework": st.sampled_from(["trt", "sglang", "vllm", "other"]),
     "tp": st.sampled_from([1.0, 8.0, 16.0]),
     "dp": st.sampled_from([1.0, 8.0, 32.0]), "load": st.floats(1, 2000), "isl": st.floats(16, 60000),
     "osl": st.floats(8, 8000)}
)  # fmt: skip


def setup(d, **changes):
    """Work, efficiency and case of one deployment; `changes` replace fields of the hardware."""
    chip = replace(hardware(d["chip"]), **changes)
    model = architecture(d["model"])
    w = work(stack_chips([chip]), stack_models([model]), np.array([d["dtype"]], object), np.array(["bf16"], object))
    c = Configuration(
        phase="serving", chip=chip, model=model, dtype=d["dtype"], kv_dtype="bf16", engine=d["framework"], plan=None,
        n_chips=None, concurrency=None, offered=Offered(d["isl"], d["osl"]), stat="median",
    )  # fmt: skip
    posterior = shipped()
    e = efficiencies(posterior.mean, index(posterior.form, [group_levels(c)]), posterior.form)
    one = np.ones(1)
    case = Case(
        isl=d["isl"] * one, osl=d["osl"] * one, concurrency=d["load"] * one, tp=d["tp"] * one, dp=d["dp"] * one,
        replicas=one,
        split=0 * one, prefill_tp=d["tp"] * one, prefill_dp=d["dp"] * one, prefill_replicas=one,
        ep=(d["dp"] if model.experts else 1.0) * one, drafts=0 * one, steady=0 * one, pp=d.get("pp", 1.0) * one,
        prefill_ep=(d["dp"] if model.experts else 1.0) * one,
    )  # fmt: skip
    return w, e, case


def step(d, **changes):
    w, e, c = setup(d, **changes)
    return decode_step(w, e, c.concurrency, c)["total"][0]


def reader(c, ep=1.0):
    return Reader(c.tp, c.dp, ep, c.pp)


@settings(max_examples=60, deadline=None)
@given(deployment)
def test_never_faster_than_the_roofline(d):
    w, _, c = setup(d)
    sequences = np.maximum(c.concurrency, c.dp)
    load = pass_load(w, sequences, sequences, c.isl + c.osl / 2, c.tp, c.dp, c.ep)
    bound = max(
        float(
            np.maximum(
                load.flops[o] / (w.score_rate if o == "attention_score" else w.rate), load.bytes[o] / w.memory_bandwidth
            )[0]
        )
        for o in OPERATORS
    )
    assert step(d) >= bound
    served = serve(*setup(d))
    assert served.tpot[0] > 0
    assert served.ttft[0] > 0
    assert served.tpot[0] >= served.pace[0] * (1 - 1e-9)


@settings(max_examples=60, deadline=None)
@given(
    deployment,
    st.sampled_from(["memory_bandwidth", "bf16_flops", "fp8_flops", "scaleup_bandwidth", "scaleout_bandwidth"]),
    st.floats(1.05, 8),
)
def test_more_hardware_is_never_slower(d, name, factor):
    base = getattr(hardware(d["chip"]), name)
    changes = {name: base * factor}
    assert step(d, **changes) <= step(d) * (1 + 1e-9)
    w, e, c = setup(d)
    better, _, _ = setup(d, **changes)
    for key in ("busy", "alone"):
        assert prefill_pass(better, e, c.isl, reader(c))[key][0] <= prefill_pass(w, e, c.isl, reader(c))[key][0] * (
            1 + 1e-9
        )
    assert serve(better, e, c).rate[0] >= serve(w, e, c).rate[0] * (1 - 0.01)


@settings(max_examples=60, deadline=None)
@given(deployment)
def test_throughput_grows_with_load_until_a_bound(d):
    loads = np.array([1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0])
    rates = np.array([serve(*setup({**d, "load": load})).rate[0] for load in loads])
    # Beyond the bound a fuller batch may cost a few per cent (prefill that waits), not more.
    assert np.all(rates >= 0.9 * np.maximum.accumulate(rates))
    assert rates[3] >= rates[0]


@settings(max_examples=60, deadline=None)
@given(deployment)
def test_a_token_takes_longer_in_a_larger_batch(d):
    times = [step({**d, "load": load}) for load in (1.0, 8.0, 64.0, 512.0)]
    assert np.all(np.diff(times) >= -1e-12)


@settings(max_examples=80, deadline=None)
@given(deployment)
def test_halving_the_bytes_of_weights_never_slows_decode_or_prefill_where_the_chip_has_the_unit(d):
    if native(hardware(d["chip"]), "fp8"):
        assert step({**d, "dtype": "fp8"}) <= step({**d, "dtype": "bf16"}) * (1 + 1e-9)
        halved, whole = (setup({**d, "dtype": dtype}) for dtype in ("fp8", "bf16"))
        for key in ("busy", "alone"):
            fast, slow = (prefill_pass(w, e, c.isl, reader(c, c.prefill_ep))[key][0] for w, e, c in (halved, whole))
            assert fast <= slow * (1 + 1e-9)


@given(st.floats(1e-3, 10), st.floats(1e-3, 10), st.floats(1e-2, 1e3), st.integers(1, 5000), st.floats(0.01, 2))
def test_waiting_for_prefill_is_no_less_than_prefill_and_grows_with_the_crowd(alone, demand, think, crowd, queue):
    wait = prefill_wait(alone, demand, think, float(crowd), queue)
    assert wait >= alone * (1 - 1e-9)
    assert prefill_wait(alone, demand, think, crowd + 10.0, queue) >= wait * (1 - 1e-9)
    assert prefill_wait(alone, demand, think, 1.0, queue) == pytest.approx(alone)


@given(st.floats(1e-4, 1), st.floats(0, 10), st.floats(1e-3, 100), st.floats(1, 1e4))
def test_prefill_of_others_stretches_decoding(seconds, prefill, first, osl):
    alone = mixed_tpot(seconds, prefill, first, osl, 0.0)
    assert alone == pytest.approx(seconds)
    assert mixed_tpot(seconds, prefill, first, osl, 10.0) >= alone * (1 - 1e-9)


def test_requests_are_conserved():
    d = {"chip": "H100", "model": "Llama-3.1-70B", "dtype": "fp8", "framework": "vllm", "tp": 8.0, "dp": 1.0, "load": 64.0,
         "isl": 2000.0, "osl": 500.0}  # fmt: skip
    served = serve(*setup(d))
    assert served.rate[0] * (served.ttft[0] + 500 * served.tpot[0]) == pytest.approx(64.0, rel=0.05)
    assert served.batch[0] <= 64.0
    assert served.pace[0] <= inter_token(served, np.array([500.0]))[0] <= served.tpot[0]


def test_a_full_memory_makes_requests_wait():
    d = {"chip": "H100", "model": "Llama-3.1-70B", "dtype": "fp8", "framework": "vllm", "tp": 2.0, "dp": 1.0, "load": 500.0,
         "isl": 8000.0, "osl": 500.0}  # fmt: skip
    served = serve(*setup(d))
    assert served.limit[0] < 100
    assert served.batch[0] <= served.limit[0]
    assert served.ttft[0] > 10


@settings(max_examples=40, deadline=None)
@given(deployment, st.floats(1, 32))
def test_prompts_that_share_a_pass_cost_no_more_each(d, prompts):
    w, e, c = setup(d)
    one = prefill_pass(w, e, c.isl, reader(c))
    many = prefill_pass(w, e, c.isl, reader(c), prompts * np.ones(1))
    assert many["busy"][0] <= one["busy"][0] * (1 + 1e-9)
    assert many["alone"][0] == pytest.approx(one["alone"][0])


def test_a_lone_prompt_shares_its_experts_with_idle_ranks_but_not_its_attention():
    d = {"chip": "B200", "model": "DeepSeek-V3", "dtype": "fp8", "framework": "trt", "tp": 1.0, "dp": 8.0, "load": 8.0,
         "isl": 8192.0, "osl": 1024.0}  # fmt: skip
    w, e, c = setup(d)
    spread = prefill_pass(w, e, c.isl, reader(c, c.prefill_ep))
    assert spread["busy"][0] < spread["alone"][0] < 0.8 * 8 * spread["busy"][0]


def test_experts_in_slices_copy_every_token_on_every_chip():
    d = {"chip": "B200", "model": "DeepSeek-V3", "dtype": "fp8", "framework": "trt", "tp": 8.0, "dp": 1.0, "load": 8.0,
         "isl": 8192.0, "osl": 1024.0}  # fmt: skip
    w, e, c = setup(d)
    sliced, spread = (prefill_pass(w, e, c.isl, reader(c, n))["busy"][0] for n in (1.0, 8.0))
    assert spread < sliced


def test_handing_the_cache_over_costs_prefill_time():
    d = {"chip": "B200", "model": "DeepSeek-V3", "dtype": "fp8", "framework": "trt", "tp": 8.0, "dp": 1.0, "load": 64.0,
         "isl": 8192.0, "osl": 1024.0}  # fmt: skip
    w, e, c = setup(d)
    split = replace(c, split=np.ones(1))
    assert serve(w, replace(e, mixing=1.5 * e.mixing), split).ttft[0] > serve(w, e, split).ttft[0]


def test_a_cold_server_keeps_its_first_requests_waiting():
    d = {"chip": "B200", "model": "DeepSeek-V3", "dtype": "fp8", "framework": "trt", "tp": 8.0, "dp": 1.0, "load": 16.0,
         "isl": 1024.0, "osl": 1024.0}  # fmt: skip
    w, e, c = setup(d)
    warm, cold = (serve(w, e, replace(c, cold=share * np.ones(1))) for share in (0.0, 0.1))
    assert cold.ttft[0] - warm.ttft[0] == pytest.approx(0.1 * e.warmup[0] * 5)
    assert cold.rate[0] == warm.rate[0]


def test_tiles_read_again_slow_the_prefill_of_experts_only():
    d = {"chip": "B200", "model": "DeepSeek-V3", "dtype": "fp8", "framework": "trt", "tp": 8.0, "dp": 1.0, "load": 16.0,
         "isl": 8192.0, "osl": 1024.0}  # fmt: skip
    for model, slower in (("DeepSeek-V3", True), ("Llama-3.1-70B", False)):
        w, e, c = setup(d | {"model": model})
        once = prefill_pass(w, replace(e, reuse=1e9), c.isl, reader(c))["busy"][0]
        assert (prefill_pass(w, e, c.isl, reader(c))["busy"][0] > once) == slower


def test_schedulers_that_seldom_look_keep_requests_waiting():
    row = {"data": False, "split": False, "published": True}
    assert look_interval("sglang", "blackwell", concurrency=64, **row) == 30
    assert look_interval("sglang", "blackwell", concurrency=4, **row) == 10
    assert look_interval("sglang", "hopper", concurrency=64, **row) == 1
    assert look_interval("trt", "hopper", concurrency=64, data=True, split=False, published=True) == 60
    assert look_interval("trt", "hopper", concurrency=64, data=True, split=True, published=True) == 1
    assert look_interval("sglang", "blackwell", concurrency=64, **{**row, "published": False}) == 1
    d = {"chip": "B200", "model": "DeepSeek-V3", "dtype": "fp8", "framework": "sglang", "tp": 8.0, "dp": 1.0, "load": 32.0,
         "isl": 1000.0, "osl": 1000.0}  # fmt: skip
    w, e, c = setup(d)
    waits = [serve(w, e, replace(c, interval=n * np.ones(1))).ttft[0] for n in (1.0, 10.0, 30.0)]
    assert waits[0] < waits[1] < waits[2]


def test_stages_hold_more_and_pass_a_token_on_one_after_another():
    d = {"chip": "H100", "model": "Llama-3.1-405B", "dtype": "fp8", "framework": "vllm", "tp": 8.0, "dp": 1.0, "load": 8.0,
         "isl": 2000.0, "osl": 500.0}  # fmt: skip
    one, two = setup(d), setup(d | {"pp": 2.0})
    assert most_sequences(two[0], two[2])[0] > 2.5 * most_sequences(one[0], one[2])[0]
    # A single sequence passes all layers either way; two stages work on two halves of a crowd.
    lone = [decode_step(w, e, np.ones(1), c)["total"][0] for w, e, c in (one, two)]
    assert lone[0] <= lone[1] < 1.1 * lone[0]
    crowd = [serve(w, e, replace(c, concurrency=np.full(1, 64.0))).rate[0] for w, e, c in (one, two)]
    assert crowd[0] < crowd[1] < 2.0 * crowd[0]


def test_long_prompts_are_read_in_passes_and_cached_ones_hardly():
    d = {"chip": "H200", "model": "Llama-3.1-70B", "dtype": "fp8", "framework": "vllm", "tp": 8.0, "dp": 1.0, "load": 1.0,
         "isl": 131072.0, "osl": 500.0}  # fmt: skip
    w, e, c = setup(d)
    whole, tenth = (prefill_pass(w, e, c.isl, reader(c), fresh=share)["alone"][0] for share in (1.0, 0.1))
    short = prefill_pass(w, e, np.full(1, 8192.0), reader(c))["alone"][0]
    assert whole > 16 * short
    assert 0.1 * whole < tenth < 0.35 * whole


def test_the_host_sets_the_pace_of_short_prompts():
    d = {"chip": "B200", "model": "DeepSeek-V3", "dtype": "fp8", "framework": "vllm", "tp": 8.0, "dp": 1.0, "load": 1.0,
         "isl": 64.0, "osl": 500.0}  # fmt: skip
    w, e, c = setup(d)
    alone = prefill_pass(w, e, c.isl, reader(c))["alone"][0]
    assert alone >= 61 * e.eager[0] + 58 * e.eager_gate[0]
    assert prefill_pass(w, replace(e, eager=0.5 * e.eager), c.isl, reader(c))["alone"][0] <= alone


def test_a_stated_acceptance_replaces_the_fitted_one():
    d = {"chip": "B200", "model": "DeepSeek-V3", "dtype": "fp8", "framework": "vllm", "tp": 8.0, "dp": 1.0, "load": 8.0,
         "isl": 1000.0, "osl": 500.0}  # fmt: skip
    w, e, c = setup(d)
    drafting = replace(c, drafts=np.full(1, 3.0))
    rates = [serve(w, e, replace(drafting, gain=np.full(1, gain))).rate[0] for gain in (1.7, 3.0, 4.0)]
    assert rates[0] < rates[1] < rates[2]
    fitted = serve(w, e, drafting).rate[0]
    assert rates[0] < fitted < rates[2]


def test_pages_as_tokens_come_admit_more_than_room_for_the_whole_answer():
    d = {"chip": "H100", "model": "Llama-3.1-70B", "dtype": "fp8", "framework": "vllm", "tp": 2.0, "dp": 1.0}
    w, e, c = setup(d | {"load": 64.0, "isl": 1024.0, "osl": 8192.0})
    whole, pages = most_sequences(w, c)[0], most_sequences(w, replace(c, reserved=0.5))[0]
    assert pages / whole == pytest.approx((1024 + 8192) / (1024 + 4096))
    first, second = serve(w, e, c), serve(w, e, replace(c, reserved=0.5))
    assert second.ttft[0] < first.ttft[0]
    assert second.rate[0] > first.rate[0]
    none = most_sequences(w, replace(c, osl=np.zeros(1)))[0]
    assert whole < pages < none


def test_engines_set_memory_aside_as_their_schedulers_do():
    row = {"chip": "H100", "model": "Llama-3.1-70B", "precision": "fp8", "tp": "2", "isl": "1024", "osl": "8192",
           "concurrency": "64"}  # fmt: skip
    share = {e: arrays([read_configuration({**row, "framework": e})]).reserved[0] for e in ("vllm", "sglang", "trt")}
    assert share["trt"] == 1.0
    assert share["vllm"] == share["sglang"] < 1.0
    # Decoding alone admits nobody: what it holds it holds to the end.
    assert arrays([read_configuration({**row, "framework": "vllm", "phase": "decode"})]).reserved[0] == 1.0


def test_no_server_stands_between_a_static_batch_and_the_chip():
    d = {"chip": "A100", "model": "Llama-3.1-8B", "dtype": "bf16", "framework": "llama.cpp", "tp": 1.0, "dp": 1.0}
    w, e, c = setup(d | {"load": 1.0, "isl": 128.0, "osl": 128.0})
    served, alone = serve(w, e, c), serve(w, e, replace(c, static=np.ones(1)))
    assert served.ttft[0] - alone.ttft[0] == pytest.approx(e.first[0] + e.poll[0] * served.step[0], rel=0.2)
    assert alone.ttft[0] == pytest.approx(prefill_pass(w, e, c.isl, reader(c), fresh=c.fresh)["alone"][0], rel=1e-6)
