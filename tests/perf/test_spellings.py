"""How people write what a row asks: words of engines, tables and release notes, and what each means."""

import pytest

from chipweir import facts
from chipweir.errors import InputError, UnknownName
from chipweir.perf._cells import number, share, token_count
from chipweir.perf._checkpoint import record_of
from chipweir.perf._configuration import is_training, read_configuration
from chipweir.perf._plan import read_worker
from chipweir.perf._software import year_of
from chipweir.perf._training_rows import training_jobs


ROW = {"chip": "H100", "model": "Llama-3.1-70B", "tp": "8", "isl": "1024", "osl": "512", "concurrency": "16"}


def read(**changes: str):
    return read_configuration({**ROW, **changes})


@pytest.mark.parametrize(
    ("name", "identifier"),
    [
        ("mistralai/Mixtral-8x22B-Instruct-v0.1", "mistral-mixtral-8x22b"),
        ("unsloth/Llama-3.3-70B-Instruct-bnb-4bit", "meta-llama-3.3-70b"),
        ("DeepSeek-R1-UD-Q2_K_XL", "deepseek-r1"),
        ("nvidia/Llama-3_3-Nemotron-Super-49B-v1_5", "nvidia-llama-3.3-nemotron-super-49b"),
    ],
)
def test_releases_and_tunings_inside_a_name(name: str, identifier: str) -> None:
    assert record_of(name, facts.load()).id == identifier


@pytest.mark.parametrize(
    "name", ["DeepSeek-V9", "Llama-9-70B", "Llama-3.1-71B-Instruct", "Mixtral-8x23B-Instruct-v0.1"]
)
def test_another_version_or_size_is_not_the_nearest_one(name: str) -> None:
    with pytest.raises(UnknownName):
        record_of(name, facts.load())


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("DEP16", (None, 1, 16, 16)),
        ("2x DEP4", (2, 1, 4, 4)),
        ("TEP8", (None, 8, None, 8)),
        ("TP8EP8", (None, 8, None, 8)),
        ("--tp-size 8 --dp-size 2", (None, 8, 2, None)),
        ("tensor_parallel_size=4, data_parallel_size=2", (None, 4, 2, None)),
        ("--tensor-parallel-size 8", (None, 8, None, None)),
        ("4xTP8", (4, 8, None, None)),
        ("4x(tp8 ep1 dpattn=False)", (4, 8, None, 1)),
        ("1x(tp1 adp32 mtp1 mep32 bs192)", (1, 1, 32, 32)),
    ],
)
def test_workers_as_engines_spell_them(text: str, expected: tuple[float | None, ...]) -> None:
    worker = read_worker(text)
    assert worker is not None
    assert (worker.count, worker.tp, worker.dp, worker.ep) == expected


@pytest.mark.parametrize(
    ("text", "dtype"),
    [
        ("half", "bf16"), ("float32", "bf16"), ("bitsandbytes", "int4"), ("smoothquant", "int8"), ("w4afp8", "w4a8"),
        ("q4_k_m", "int4"), ("Q8_0", "w8a16"), ("4-bit", "int4"), ("modelopt_fp4", "fp4"),
    ],
)  # fmt: skip
def test_number_formats_as_tools_spell_them(text: str, dtype: str) -> None:
    assert read(precision=text).dtype == dtype


@pytest.mark.parametrize("tool", ["compressed-tensors", "modelopt", "torchao", "auto"])
def test_a_tool_leaves_the_format_to_the_checkpoint(tool: str) -> None:
    assert read(precision=tool, model="Llama-3.1-70B-Instruct-FP8").dtype == "fp8"
    c = read(precision=tool)
    assert c.dtype == "bf16"
    assert any("format not stated" in note for note in c.notes)


@pytest.mark.parametrize(
    ("text", "tokens"),
    [("1,024", 1024), ("~3500", 3500), ("2048-4096", 3072), ("4k-64k mean 32k", 32768), ("2k-4k", 3072), ("128 tokens", 128),
     ("random 1024", 1024), ("2048 (mean)", 2048), ("1M", 1e6), ("3.5k", 3584)],
)  # fmt: skip
def test_lengths_in_words(text: str, tokens: float) -> None:
    assert token_count(text) == tokens


@pytest.mark.parametrize("text", ["many", "0", "-5", "1.2.3", "5 4", "2048-", "4096 bytes", "1,24"])
def test_words_that_are_no_length(text: str) -> None:
    with pytest.raises(InputError, match="isl"):
        token_count(text)


def test_shares_and_open_loads() -> None:
    assert share({"cached_share": "90%"}, "cached_share") == pytest.approx(0.9)
    assert share({"cached_share": "0.9"}, "cached_share") == pytest.approx(0.9)
    with pytest.raises(InputError, match="below 1"):
        share({"cached_share": "100%"}, "cached_share")
    assert number({"concurrency": "max"}, "concurrency") is None
    assert number({"n_chips": "1,024"}, "n_chips") == 1024
    assert read(concurrency="", request_rate="inf").concurrency is None


@pytest.mark.parametrize(
    ("text", "year"),
    [("2025/08/22", 2025.64), ("20250822", 2025.64), ("2025-08-22T10:00:00", 2025.64), ("Aug 2025", 2025.63),
     ("2025-Q3", 2025.62), ("2025H2", 2025.75)],
)  # fmt: skip
def test_dates_in_words(text: str, year: float) -> None:
    assert year_of(text) == pytest.approx(year, abs=0.02)


@pytest.mark.parametrize("text", ["summer", "2025-13", "22nd", "1999-01", "since 2023"])
def test_words_that_are_no_date(text: str) -> None:
    with pytest.raises(InputError, match="date"):
        year_of(text)


@pytest.mark.parametrize(
    ("text", "drafts"),
    [("mtp2", 2), ("mtp=1", 1), ("nextn", 3), ("eagle3", 3), ("speculative k=5", 5), ("eagle, 4 draft tokens", 4)],
)
def test_drafts_in_words(text: str, drafts: float) -> None:
    assert read(spec_decode=text).offered.drafts == drafts


def test_accepted_tokens_in_words() -> None:
    assert read(spec_decode="eagle3 accept length 2.8").offered.gain == pytest.approx(2.8)
    assert read(spec_decode="mtp 3, 100% cpu").offered.drafts == 3


@pytest.mark.parametrize(
    ("text", "name", "count"),
    [
        ("8xH100", "NVIDIA H100 SXM 80GB", 8),
        ("2 x A100-80G", "NVIDIA A100 SXM 80GB", 2),
        ("H100x4", "NVIDIA H100 SXM 80GB", 4),
    ],
)
def test_chips_written_with_their_number(text: str, name: str, count: float) -> None:
    c = read(chip=text, tp="", model="Llama-3.1-8B")
    assert c.chip.name == name
    assert c.n_chips == count
    assert read(chip=text, tp="", n_chips="16").n_chips == 16


@pytest.mark.parametrize("chip", ["rtx 4090", "MLU370-X8", "mi355x"])
def test_an_x_of_the_name_is_no_number(chip: str) -> None:
    assert read(chip=chip, tp="", model="Llama-3.2-3B").n_chips is None


def test_phases_in_other_words() -> None:
    assert read(phase="Inference").phase == "serving"
    assert read(phase="throughput").phase == "serving"
    for word in ("fine-tuning", "SFT", "pretraining", "qlora"):
        assert is_training({"phase": word})
    with pytest.raises(InputError, match="phase 'sorting'"):
        read(phase="sorting")


def test_training_lengths_and_batches_in_tokens() -> None:
    row = {"phase": "training", "chip": "H100", "model": "Llama-3.1-8B", "n_chips": "64"}
    job, _, reasons = training_jobs([row | {"seq_len": "4k", "global_batch": "4M"}, row | {"global_batch": "some"}])
    assert job is not None
    assert job.seq_len[0] == 4096
    assert job.global_batch[0] == pytest.approx(4e6 / 4096)
    assert "global_batch" in reasons[1]
