"""What numbers are called, in words that the catalogue of texts translates."""

from collections.abc import Mapping


QUANTITIES: Mapping[str, str] = {
    "output_tok_s_chip": "output tokens/s per chip",
    "total_tok_s_chip": "all tokens/s per chip",
    "input_tok_s_chip": "input tokens/s per chip",
    "ttft_ms": "ms to the first token",
    "tpot_ms": "ms per output token",
    "power_w_chip": "W per chip",
    "j_per_output_token": "J per output token",
    "tokens_s_chip_train": "training tokens/s per chip",
    "step_time_s": "s per step",
    "tflops_chip": "TFLOP/s per chip",
    "mfu": "model FLOPs utilisation",
    "usd_per_chip_hour": "dollars per chip and hour",
    "usd_per_million_output": "dollars per million output tokens",
    "usd_per_million_tokens": "dollars per million tokens",
}
"""What the quantities of an estimate are called, with their units."""
