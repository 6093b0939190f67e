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
