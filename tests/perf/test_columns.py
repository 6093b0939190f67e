import pytest

from chipweir.errors import InputError
from chipweir.perf._batch import predict_rows
from chipweir.perf._measured import read_rows


RUN = {
    "date": "20251014-120312", "backend": "vllm", "model_id": "Qwen/Qwen3-32B", "num_prompts": "320",
    "request_rate": "inf", "max_concurrency": "32", "completed": "320", "total_input_tokens": "163840",
    "total_output_tokens": "327680", "output_throughput": "1400", "mean_ttft_ms": "410", "median_ttft_ms": "300",
    "mean_tpot_ms": "21", "median_tpot_ms": "20.5", "tensor_parallel_size": "2",
}  # fmt: skip
VLLM = ",".join(RUN) + "\n" + ",".join(RUN.values()) + "\n"
LLAMA = """gpu_info,model_filename,model_type,n_prompt,n_gen,test_time,avg_ns,avg_ts,stddev_ts
NVIDIA GeForce RTX 4090,models/Meta-Llama-3-8B-Instruct-Q4_K_M.gguf,llama 8B,512,0,2025-05-01T10:00:00Z,1,6000,10
NVIDIA GeForce RTX 4090,models/Meta-Llama-3-8B-Instruct-Q4_K_M.gguf,llama 8B,0,128,2025-05-01T10:00:00Z,1,125,1
"""
GENAI = """Metric,avg,min,max
Time To First Token (ms),180.2,100,300
Inter Token Latency (ms),11.4,10,13
Output Sequence Length (tokens),512.00,1,1
Input Sequence Length (tokens),"1,024.00",1,1

Metric,Value
Output Token Throughput (per sec),"1,340.1"
"""


def rows(tmp_path, text, **stated):
    path = tmp_path / "bench.csv"
    path.write_text(text, encoding="utf-8")
    return read_rows(path, stated)


def test_a_serving_client_counts_the_whole_deployment_and_the_run_s_own_lengths(tmp_path):
    [row] = rows(tmp_path, VLLM, chip="H100")
    assert (row["isl"], row["osl"], row["concurrency"], row["date"]) == ("512", "1024", "32", "2025-10-14")
    assert (row["output_tok_s_chip"], row["tpot_ms"], row["ttft_ms"]) == ("700", "20.5", "300")
    assert row["stat"] == "median"
    assert "request_rate" not in row
    [answer] = predict_rows([row])
    assert answer["plan"]["tp"] == 2


def test_llama_bench_reads_and_writes_apart(tmp_path):
    reading, writing = rows(tmp_path, LLAMA)
    assert float(reading["ttft_ms"]) == pytest.approx(512 / 6000 * 1e3, rel=1e-4)
    assert "tpot_ms" not in reading
    assert writing["tpot_ms"] == "8"
    answers = predict_rows([reading, writing])
    assert all(answer["plan"]["chips"] == 1 for answer in answers)
    # Weights of 4 bits pass through the memory once a token: 4 GB at 1 TB/s.
    assert answers[1]["predictions"]["tpot_ms"]["p50"] > 4.0


def test_genai_perf_is_one_run_whose_set_up_is_said_beside(tmp_path):
    [row] = rows(tmp_path, GENAI, model="Llama-3.1-8B", chip="H100", concurrency="16")
    assert (row["isl"], row["osl"], row["tpot_ms"], row["output_tok_s_chip"]) == ("1024.00", "512.00", "11.4", "1340.1")
    assert "predictions" in predict_rows([row])[0]


def test_a_row_of_a_client_that_names_no_chip_is_a_reason(tmp_path):
    [row] = rows(tmp_path, VLLM)
    assert "no chip given" in predict_rows([row])[0]["reason"]


def test_a_table_of_nobody_is_refused(tmp_path):
    with pytest.raises(InputError, match="needs columns 'model' and 'chip'"):
        rows(tmp_path, "a,b\n1,2\n")


def test_what_a_file_says_wins_over_what_is_said_beside(tmp_path):
    [row] = rows(tmp_path, VLLM, chip="H100", model="Llama-3.1-8B", concurrency="16")
    assert (row["model"], row["concurrency"]) == ("Qwen/Qwen3-32B", "32")
    reading, _ = rows(tmp_path, LLAMA, concurrency="16", chip="H100")
    assert (reading["concurrency"], reading["chip"]) == ("1", "NVIDIA GeForce RTX 4090")


def test_headings_as_people_write_them(tmp_path):
    text = (
        "Model,GPU,# GPUs,TP,Concurrency,Input tokens,Output tokens,Output tok/s,TTFT (ms),TPOT (ms)\n"
        'Qwen3-32B,H100,4,4,64,1024,512,"6,000",250,9\n'
    )
    [row] = rows(tmp_path, text)
    said = {"model": "Qwen3-32B", "chip": "H100", "tp": "4", "concurrency": "64", "isl": "1024", "osl": "512"}
    assert said.items() <= row.items()
    assert (row["output_tok_s_chip"], row["ttft_ms"], row["tpot_ms"]) == ("1500", "250", "9")
    assert "predictions" in predict_rows([row])[0]


def test_a_column_of_ours_is_never_renamed(tmp_path):
    [row] = rows(tmp_path, "model,chip,GPU,isl\nQwen3-32B,H100,A100,512\n")
    assert (row["chip"], row["isl"]) == ("H100", "512")


def test_aiperf_spells_its_metrics_otherwise(tmp_path):
    [row] = rows(tmp_path, GENAI.replace("Time To", "Time to"), model="Llama-3.1-8B", chip="H100", concurrency="16")
    assert row["ttft_ms"] == "180.2"


def test_llama_bench_at_a_depth_starts_from_a_full_cache(tmp_path):
    head, *lines = LLAMA.strip().split("\n")
    deep = "\n".join([f"{head},n_depth", *(f"{line},8192" for line in lines)]) + "\n"
    plain, there = predict_rows(rows(tmp_path, LLAMA)), predict_rows(rows(tmp_path, deep))
    assert there[1]["predictions"]["tpot_ms"]["p50"] > 1.02 * plain[1]["predictions"]["tpot_ms"]["p50"]
    assert there[0]["predictions"]["ttft_ms"]["p50"] > 1.02 * plain[0]["predictions"]["ttft_ms"]["p50"]
