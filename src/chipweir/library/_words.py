"""What numbers are called, in words that the catalogue of texts translates."""

from collections.abc import Mapping

from chipweir.i18n import N_


QUANTITIES: Mapping[str, str] = {
    "output_tok_s_chip": N_("output tokens/s per chip"),
    "total_tok_s_chip": N_("all tokens/s per chip"),
    "input_tok_s_chip": N_("input tokens/s per chip"),
    "ttft_ms": N_("ms to the first token"),
    "tpot_ms": N_("ms per output token"),
    "power_w_chip": N_("W per chip"),
    "j_per_output_token": N_("J per output token"),
    "tokens_s_chip_train": N_("training tokens/s per chip"),
    "step_time_s": N_("s per step"),
    "tflops_chip": N_("TFLOP/s per chip"),
    "mfu": N_("model FLOPs utilisation"),
    "usd_per_chip_hour": N_("dollars per chip and hour"),
    "usd_per_million_output": N_("dollars per million output tokens"),
    "usd_per_million_tokens": N_("dollars per million tokens"),
}
"""What the quantities of an estimate are called, with their units."""

MATCHED: Mapping[str, str] = {
    "chips": N_("chips"),
    "bf16 peak": N_("16-bit peak"),
    "fp8 peak": N_("8-bit float peak"),
    "fp4 peak": N_("4-bit peak"),
    "int8 peak": N_("8-bit integer peak"),
    "memory": N_("memory"),
    "memory bandwidth": N_("memory bandwidth"),
    "scale-up bandwidth": N_("scale-up bandwidth"),
    "training": N_("training"),
    "prefill": N_("prefill"),
    "decode": N_("decode"),
    "power": N_("power"),
    "capital": N_("capital"),
}
"""What the measures of a match are called."""

FIELDS: Mapping[str, str] = {
    "known_by": N_("known by"), "maker": N_("maker"), "maker_country": N_("maker's country"), "country": N_("country"),
    "architecture": N_("architecture"), "announced": N_("announced"), "release": N_("release"), "ended": N_("ended"),
    "status": N_("status"), "status_note": N_("on its status"), "node": N_("process node"), "foundry": N_("foundry"),
    "memory_type": N_("memory type"), "scaleup": N_("scale-up link"), "software": N_("software"),
    "ecosystem": N_("ecosystem"), "cuda_compatibility": N_("CUDA compatibility"), "fp8": N_("8-bit floats"),
    "ue8m0": N_("UE8M0 format"), "marketed": N_("marketed for"), "market": N_("market"), "aliases": N_("other names"),
    "source": N_("source"), "note": N_("note"), "origin": N_("file and line"), "kind": N_("kind"), "parent": N_("part of"),
    "entity": N_("entity"), "measure": N_("measure"), "item": N_("item"), "start": N_("from"), "end": N_("until"),
    "nature": N_("nature"), "unit": N_("unit"), "dims": N_("respects"), "definition": N_("definition"),
}  # fmt: skip
"""What the fields of a record are called."""

SPECIFICATIONS: Mapping[str, str] = {
    "fp32_tflops": N_("32-bit"), "tf32_tflops": N_("TF32"), "bf16_tflops": N_("16-bit (BF16)"),
    "fp16_tflops": N_("16-bit (FP16)"), "fp8_tflops": N_("8-bit float"), "fp4_tflops": N_("4-bit float"),
    "int8_tops": N_("8-bit integer"), "int4_tops": N_("4-bit integer"), "memory_gb": N_("memory"),
    "memory_gbs": N_("memory bandwidth"), "scaleup_gbs": N_("scale-up bandwidth"),
    "scaleup_domain": N_("chips in a scale-up domain"), "scaleout_gbps": N_("network bandwidth"),
    "io_gbs": N_("bandwidth of all links"), "tdp_w": N_("power"), "die_mm2": N_("die area"),
    "dies_per_package": N_("dies in the package"), "hbm_stacks": N_("HBM stacks"), "price_usd": N_("price"),
    "tpp": N_("total processing performance"), "bf16_pflops": N_("16-bit, whole system"),
    "fp8_pflops": N_("8-bit float, whole system"), "fp4_pflops": N_("4-bit float, whole system"),
    "mem_tb": N_("memory, whole system"), "mem_tbs": N_("memory bandwidth, whole system"),
    "scaleup_total_tbs": N_("scale-up bandwidth, whole system"), "power_kw": N_("power, whole system"),
}  # fmt: skip
"""What the quantities of a datasheet are called."""

CLASSES: Mapping[str, str] = {
    "official": N_("official"), "company": N_("company"), "analyst": N_("analyst"), "press": N_("press"),
    "derived": N_("derived"), "own": N_("own"),
}  # fmt: skip
"""Who stands behind a number."""

KINDS: Mapping[str, str] = {
    "chips": N_("chips"), "systems": N_("systems"), "models": N_("language models"), "entities": N_("entities"),
    "countries": N_("countries"), "measures": N_("measures"), "facts": N_("facts"), "events": N_("events"),
    "prices": N_("prices"), "sources": N_("sources"), "conflicts": N_("conflicts"),
}  # fmt: skip
"""Kinds of records."""
