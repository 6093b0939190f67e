"""Known public figures beside what the model says: reproduced, or why not.

`anchors()` computes every row from the catalogue and the shipped posteriors; `markdown()` writes the document:

    python -m chipweir.perf._anchors > docs/perf-anchors.md
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from chipweir.facts import Facts, load
from chipweir.perf import _architecture, _hardware
from chipweir.perf._cost import api_price, margin, rental_price, system_owning_cost, token_cost
from chipweir.perf._edge import edge_chip, edge_hour, edge_table, edge_use, mixed_power
from chipweir.perf._match import match
from chipweir.perf._rates import Rates, serving_rates
from chipweir.perf._training import (
    LAYOUT_FIELDS,
    Posterior,
    TrainingEstimate,
    TrainingJob,
    goodput,
    model_keys,
    shipped_posterior,
    training_batch,
)
from chipweir.perf._training_rows import MOST_AGE, QUANTILE_80
from chipweir.perf._worth import worth


@dataclass(frozen=True)
class Anchor:
    """One public figure: published value and source, ours with an 80 % interval, and what to think of it."""

    topic: str
    quantity: str
    unit: str
    published: float
    source: str
    modelled: float
    low: float
    high: float
    comment: str = ""

    @property
    def verdict(self) -> str:
        """ "reproduced" within 10 %, "inside" the interval, else "missed" with the ratio."""
        if math.isnan(self.published):
            return ""
        ratio = self.modelled / self.published
        if 1 / 1.1 <= ratio <= 1.1:
            return "reproduced"
        return "inside the interval" if self.low <= self.published <= self.high else f"missed by {ratio:.2f} x"


def anchors() -> list[Anchor]:
    """All rows, in the order of the document."""
    facts = load()
    makers: tuple[Callable[[Facts], list[Anchor]], ...] = (
        training_anchors,
        serving_anchors,
        match_anchors,
        memory_anchors,
        price_anchors,
        rank_anchors,
    )
    return [row for make in makers for row in make(facts)]


def _exact(
    topic: str, quantity: str, unit: str, published: float, source: str, value: float, comment: str = ""
) -> Anchor:
    return Anchor(topic, quantity, unit, published, source, value, value, value, comment)


def _spread(
    topic: str, quantity: str, unit: str, published: float, source: str, value: float, log_sd: float, comment: str = ""
) -> Anchor:
    factor = math.exp(QUANTILE_80 * log_sd)
    return Anchor(topic, quantity, unit, published, source, value, value / factor, value * factor, comment)


def pretraining(
    model: str,
    chip: str,
    chips: float,
    dtype: str,
    batch: float,
    seq_len: float,
    posterior: Posterior | None = None,
    age: float = 0.0,
    **layout: float,
) -> TrainingEstimate:
    """One pretraining job, layout searched where not given; `age`: years its software precedes that of mid-2026."""
    return training_batch(
        TrainingJob(
            hardware=_hardware.stack([_hardware.hardware(chip)]),
            model=_architecture.stack([_architecture.architecture(model)]),
            chips=np.array([chips]),
            global_batch=np.array([batch]),
            seq_len=np.array([seq_len]),
            dtype=np.array([dtype]),
            mode=np.array(["pretrain"]),
            age=age,
            **{name: np.array([layout.get(name, math.nan)]) for name in LAYOUT_FIELDS},
        ),
        posterior,
    )


def training_anchors(facts: Facts) -> list[Anchor]:
    """DeepSeek-V3, Kimi K2, a GPT-4-class run."""
    rows = []
    source = "DeepSeek-V3 report (arXiv 2412.19437), table 1"
    fitted = shipped_posterior()
    [model] = model_keys(_architecture.stack([_architecture.architecture("DeepSeek-V3")]))
    groups = {k: v for k, v in fitted.offsets.items() if k not in ("chip:nvidia-h800-sxm", f"model:{model}")}
    # No tensor parallelism, 16 stages, 64 expert ranks; a pipeline fed from both ends halves the bubble (DualPipe).
    recipe = {"tp": 1.0, "pp": 16.0, "ep": 64.0, "virtual": 2.0}
    for posterior, words in (
        (fitted, "kernels for experts as of 2024; this run is among the fitted ones"),
        (replace(fitted, offsets=groups), "offsets of the chip and of the model left out"),
    ):
        one = pretraining("DeepSeek-V3", "NVIDIA H800", 2048, "fp8", 15360, 4096, posterior, MOST_AGE, **recipe)
        hours = 14.8e12 / float(one.tokens_s_chip[0]) / 3600 / 1e6
        rows.append(
            _spread(
                "training",
                "DeepSeek-V3, pretraining on 14.8T tokens",
                "M H800-hours",
                2.664,
                source,
                hours,
                float(one.log_sd[0]),
                words,
            )
        )
    share = 2.788 / 2.664
    first = rows[0]
    rows.append(
        replace(
            first,
            quantity="DeepSeek-V3, whole run",
            published=2.788,
            modelled=first.modelled * share,
            low=first.low * share,
            high=first.high * share,
            comment="context extension (0.119M) and post-training (0.005M) taken in the published proportion",
        )
    )
    return rows + _run_anchors(facts)


def _run_anchors(facts: Facts) -> list[Anchor]:
    rows = []
    flop = 6 * 32e9 * 15.5e12
    arithmetic = "6 N D with 32e9 active parameters and 15.5e12 tokens (Kimi K2 report), 40 % MFU"
    rows.append(_exact("training", "Kimi K2, compute", "FLOP", 3.0e24, arithmetic, flop))
    hours = flop / (0.4 * 148e12) / 3600
    rows.append(_exact("training", "Kimi K2 on H20 at 40 % MFU", "M H20-hours", 14.0, arithmetic, hours / 1e6))
    rows.append(_exact("training", "the same on 10,000 H20", "days", 58.0, arithmetic, hours / 1e4 / 24))
    one = pretraining("Kimi-K2", "NVIDIA H20", 10_000.0, "fp8", 16384.0, 4096.0)
    days = 15.5e12 / float(one.tokens_s_chip[0]) / 1e4 / 86400 / float(goodput(1e4))
    rows.append(
        _spread(
            "training",
            "the same, modelled in FP8 with failures",
            "days",
            math.nan,
            "",
            days,
            float(one.log_sd[0]),
            f"modelled MFU {float(one.mfu[0]):.0%} of the 16-bit peak: FP8 counts double, attention is extra",
        )
    )
    gpt = "2.1e25 FLOP (Epoch AI) at 40 % of 2,250 TFLOP/s"
    hours = 2.1e25 / (0.4 * 2.25e15) / 3600
    rows.append(_exact("training", "GPT-4-class run on B200", "M B200-hours", 6.5, gpt, hours / 1e6))
    rental = rental_price(facts, "NVIDIA B200", "2025-09-01")
    rows.append(
        _exact(
            "training",
            "the same in money",
            "M USD",
            23.0,
            "6.5M hours at about 3.5 USD",
            hours / 1e6 * rental.value.best,
            f"rental of {rental.value.best:.2f} USD an hour ({rental.provider}, {rental.valid_from}) instead of 3.5",
        )
    )
    one = pretraining("DeepSeek-V3", "NVIDIA B200", 8192.0, "fp8", 15360.0, 4096.0)
    hours = 2.1e25 / float(one.flops_chip[0]) / 3600 / float(goodput(8192))
    rows.append(
        _spread(
            "training",
            "the same, modelled as an expert model on 8,192 B200",
            "M B200-hours",
            math.nan,
            "",
            hours / 1e6,
            float(one.log_sd[0]),
            f"modelled MFU {float(one.mfu[0]):.0%} of the 16-bit peak, failures included",
        )
    )
    return rows


# Share of DeepSeek's input tokens found in its cache on the day it published its rates.
CACHE_HITS = 0.563


def serving_anchors(facts: Facts) -> list[Anchor]:
    """DeepSeek's own serving, CloudMatrix 384."""
    rows = []
    source = "deepseek-ai/open-infra-index, day 6 (27 February 2025)"
    rates = serving_rates("NVIDIA H800", "DeepSeek-V3", tpot_s=0.05, isl=4500, osl=1000)
    note = (
        f"56 % of the input found in cache; {rates.group:.0f} chips decode together, {rates.batch:.0f} sequences each"
    )
    rows.append(
        _spread(
            "serving",
            "DeepSeek-V3/R1, prefill of an 8-GPU H800 node",
            "tokens/s",
            73_700,
            source,
            rates.prefill * 8 / (1 - CACHE_HITS),
            rates.log_sd_prefill,
            note,
        )
    )
    rows.append(
        _spread(
            "serving",
            "DeepSeek-V3/R1, decode of an 8-GPU H800 node",
            "tokens/s",
            14_800,
            source,
            rates.decode * 8,
            rates.log_sd_decode,
            f"a day's mean with load that varies, 20-22 tokens/s a user; ours at 50 ms a token, {_drafting(rates)}",
        )
    )
    source = "CloudMatrix384 paper (arXiv 2506.12708)"
    rates = serving_rates("CloudMatrix 384", "DeepSeek-R1", tpot_s=0.05, isl=4096, osl=1024, precision="int8")
    rows.append(
        _spread(
            "serving",
            "DeepSeek-R1 on CloudMatrix 384, prefill per NPU",
            "tokens/s",
            6_688,
            source,
            rates.prefill,
            rates.log_sd_prefill,
            "4,096-token prompts, INT8, expert load perfectly balanced in theirs",
        )
    )
    rows.append(
        _spread(
            "serving",
            "DeepSeek-R1 on CloudMatrix 384, decode per NPU",
            "tokens/s",
            1_943,
            source,
            rates.decode,
            rates.log_sd_decode,
            f"below 50 ms a token, theirs with one drafted token; ours {_drafting(rates)}",
        )
    )
    return rows


def _drafting(rates: Rates) -> str:
    return "with drafting" if rates.drafted else "without drafting"


def match_anchors(facts: Facts) -> list[Anchor]:
    """CloudMatrix 384 against GB200 NVL72."""
    found = match("CloudMatrix 384", "GB200 NVL72", "DeepSeek-V3.1")
    source = "press comparisons of July 2025 (SemiAnalysis, Reuters); catalogue"
    wanted = {
        "chips": 384 / 72,
        "bf16 peak": 1.7,
        "memory": 3.6,
        "memory bandwidth": 2.1,
        "power": 4.0,
    }
    rows = [
        _spread("match", f"CloudMatrix 384 / NVL72, {name}", "ratio", value, source, found.measure(name).ratio, 0.05)
        for name, value in wanted.items()
    ]
    for name in ("training", "prefill", "decode"):
        row = found.measure(name)
        rows.append(
            _spread(
                "match",
                f"CloudMatrix 384 / NVL72, {name} of DeepSeek-V3.1",
                "ratio",
                math.nan,
                "",
                row.ratio,
                row.log_sd,
                f"per watt {row.per_watt:.2f}",
            )
        )
    return rows


def memory_anchors(facts: Facts) -> list[Anchor]:
    """KV cache of Seed-OSS-36B."""
    model = _architecture.architecture("Seed-OSS-36B")
    per_token = float(_architecture.kv_bytes(model, 1.0))
    whole = float(_architecture.kv_bytes(model, 524_288.0))
    h20 = _hardware.hardware("NVIDIA H20")
    source = "2 x 64 layers x 8 heads x 128 x 2 B"
    fits = "does not fit" if whole > h20.memory_bytes else "fits"
    return [
        _exact("memory", "Seed-OSS-36B, KV cache in BF16", "B/token", 262_144, source, per_token),
        _exact(
            "memory",
            "the same at 512K tokens",
            "GB",
            137.4,
            source,
            whole / 1e9,
            f"{fits} one H20 ({float(h20.memory_bytes) / 1e9:.0f} GB), before 72 GB of weights",
        ),
    ]


PRICE_DAY = "2025-09-06"
# Output tokens for each input token in DeepSeek's published day: 168 billion written, 608 billion read.
OUTPUT_PER_INPUT = 168 / 608


@dataclass(frozen=True)
class ServingCost:
    """Serving on one kind of chip: USD an hour and whence, USD per million tokens, margin at list price."""

    chip: str
    usd_hour: float
    basis: str
    input: float
    output: float
    all_in_output: float
    margin: float
    log_sd: float
    rates: Rates


def serving_cost(facts: Facts, chip: str, model: str = "DeepSeek-V3.1", day: str = PRICE_DAY) -> ServingCost:
    """Cost of a million tokens on rented chips where a rent is recorded, on owned ones in China otherwise."""
    rates = serving_rates(chip, model, tpot_s=0.05, isl=4096, osl=1024)
    try:
        price = rental_price(facts, chip, day)
        hour, basis, price_sd = price.value.best, f"rented, {price.valid_from}", 0.15
    except ValueError:
        owned = system_owning_cost(facts, chip, rates.decode_w, country="CN")
        hour, basis, price_sd = owned.total, "owned in China, 5 years", owned.log_sd
    cost = token_cost(hour, rates.prefill, rates.decode, cache_hits=CACHE_HITS)
    reading, writing = (api_price(facts, model, metric, day) for metric in ("input", "output"))
    hit = api_price(facts, model, "cached_input", day)
    assert reading is not None
    assert writing is not None
    paid = reading.value.best if hit is None else (1 - CACHE_HITS) * reading.value.best + CACHE_HITS * hit.value.best
    left = float(margin(paid, writing.value.best, cost, output_per_input=OUTPUT_PER_INPUT))
    everything = float(cost.output + cost.input / OUTPUT_PER_INPUT)
    log_sd = math.hypot(rates.log_sd_decode, price_sd)
    return ServingCost(chip, hour, basis, float(cost.input), float(cost.output), everything, left, log_sd, rates)


def price_anchors(facts: Facts) -> list[Anchor]:
    """The modelled cost of serving, beside what is published."""
    rows = []
    # 226.75 nodes of 8 H800 at 2 USD an hour for a day in which 168 billion tokens were written.
    own = serving_cost(facts, "NVIDIA H800")
    source = "open-infra-index, day 6: 87,072 USD for 168 billion tokens"
    rows.append(
        _spread(
            "price",
            "DeepSeek-V3/R1 on H800, all cost per token written",
            "USD/M tokens",
            87_072 / 168e3,
            source,
            own.all_in_output,
            own.log_sd,
            "608 billion tokens read for the 168 billion written, 56 % of them from cache",
        )
    )
    for chip in ("NVIDIA H800", "NVIDIA H20", "CloudMatrix 384"):
        cost = serving_cost(facts, chip)
        comment = (
            f"{cost.usd_hour:.2f} USD an hour ({cost.basis}); input {cost.input:.3f} after cache hits; "
            f"gross margin at list price {cost.margin:.0%}"
        )
        rows.append(
            _spread(
                "price",
                f"DeepSeek-V3.1 on {chip}, cost of output",
                "USD/M tokens",
                math.nan,
                "",
                cost.output,
                cost.log_sd,
                comment,
            )
        )
    return rows


DECODES = (("DeepSeek-V3", 4096.0, 0.05), ("Llama-3.1-70B", 4096.0, 0.03), ("Llama-3.1-70B", 16384.0, 0.02))


def rank_anchors(facts: Facts) -> list[Anchor]:
    """H20: low in training, high in decode that memory bounds, among data-centre chips that were shipped."""
    chips = [c for c in facts.chips.values() if c.data_centre and c.status in ("shipped", "ended", "cloud-only")]
    table = worth(chips)
    place = table.products.index("nvidia-h20")
    source = f"rank among {len(chips)} shipped data-centre chips; 1 is best"

    def row(quantity: str, values: np.ndarray) -> Anchor:
        rank = float((values > values[place]).sum()) + 1
        return _exact("rank", f"H20, rank in {quantity}", "", math.nan, "", rank, source)

    rows = [row("training", table.training_flops)]
    for model, isl, tpot_s in DECODES:
        rates = np.array([serving_rates(c.id, model, isl=isl, tpot_s=tpot_s).decode for c in chips])
        rows.append(row(f"decode of {model}, {isl:.0f} tokens, {tpot_s * 1e3:.0f} ms a token", rates))
    return rows


def _number(value: float) -> str:
    if math.isnan(value):
        return ""
    if value >= 1e6 or 0 < abs(value) < 1e-3:
        return f"{value:.2e}"
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"


def markdown(rows: list[Anchor] | None = None) -> str:
    """The document, of `anchors()`."""
    lines = [
        "# Known figures beside the model",
        "",
        "Written by `python -m chipweir.perf._anchors`; a test keeps it equal to what the code says.",
        "Intervals are 80 %. A row without a published figure is ours alone.",
        "",
        "| topic | quantity | unit | published | modelled | 80 % interval | verdict | comment |",
        "|---|---|---|---:|---:|---|---|---|",
    ]
    for row in anchors() if rows is None else rows:
        interval = "" if row.low == row.high else f"{_number(row.low)} – {_number(row.high)}"
        source = f" Source: {row.source}." if row.source else ""
        cells = (
            row.topic,
            row.quantity,
            row.unit,
            _number(row.published),
            _number(row.modelled),
            interval,
            row.verdict,
            (row.comment[:1].upper() + row.comment[1:] + "." if row.comment else "") + source,
        )
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join([*lines, "", *_edge_lines()]) + "\n"


def _edge_lines() -> list[str]:
    """Section on chips of old processes."""
    lines = [
        "## Chips of 28, 14 and 7 nm with LPDDR memory",
        "",
        "Chips of 150 mm² with 16 GB at 68 GB/s, models in 4 bits, at most 100 ms a token, 512 tokens in and 256 out,",
        "owned in China for 4 years. Densities and wafer prices: `chipweir.perf._edge.PROCESSES`. Prices are bills of",
        "material doubled, without the cost of design. Fine means at most four chips.",
        "",
        "| process | chip | model | chips | ms/token | tokens/s a chip | W a chip | J/token | USD/M tokens | verdict |",
        "|---|---|---|---:|---:|---:|---:|---:|---:|---|",
    ]
    for row in edge_table():
        chip = f"{row['chip_usd']:.0f} USD, {row['chip_w']:.0f} W, {row['cameras']:.0f} cameras"
        cells = [row["process"], chip, row["model"]]
        if row["chips"]:
            cells += [
                f"{row['chips']:.0f}",
                f"{row['tpot_s'] * 1e3:.0f}",
                f"{row['tokens_s_chip']:.1f}",
                f"{row['power_w']:.0f}",
                f"{row['joules_per_token']:.2f}",
                f"{row['usd_per_million']:.3f}",
                row["verdict"],
            ]
        else:
            cells += [""] * 6 + [f"no: {row['reason']}"]
        lines.append("| " + " | ".join(cells) + " |")
    return [*lines, "", *_edge_summary()]


def _edge_summary() -> list[str]:
    """What a data-centre chip needs for the same small model, and what old processes change."""
    facts = load()
    rates = serving_rates("NVIDIA H20", "Llama-3.1-8B", tpot_s=0.1, isl=512, osl=256, precision="fp8")
    tokens = rates.mixed(512, 256)
    owned = system_owning_cost(facts, "NVIDIA H20", mixed_power(rates, 512, 256), country="CN")
    chip = edge_chip("28")
    use = edge_use(chip, "Llama-3.1-8B")
    hour = edge_hour(chip, use.power_w)
    return [
        f"An H20 serves the same 8B model (FP8, loaded to the same limit) at {tokens:,.0f} tokens/s,"
        f" {mixed_power(rates, 512, 256) / tokens:.3f} J and {owned.total / 3600 / tokens * 1e6:.3f} USD per million"
        f" tokens; the 28 nm chip needs {use.joules_per_token:.2f} J and {use.usd_per_million:.3f} USD"
        f" ({hour:.3f} USD an hour). Decode speed comes from memory, which all three processes share: a newer process"
        " adds cameras and prompt speed, hardly tokens. Old processes do for cameras and models up to about 8B, and"
        " cannot serve large ones: the weights of 70B pass through LPDDR too slowly and those of 671B do not fit.",
    ]


if __name__ == "__main__":
    print(markdown(), end="")
