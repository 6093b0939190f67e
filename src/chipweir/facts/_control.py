"""Numbers of a chip that follow from others: total processing performance, performance density, interconnect, dies.

The definitions are those of note 1 and 2 to 3A090 (15 CFR part 774, supplement 1): total processing performance is the
highest, over the formats, of the dense rate in 10^12 operations a second times the bit length of the operation; any
accumulation counts, sparsity does not. TF32 is left out: its bit length is disputed and it never leads where another
format is known. Performance density is total processing performance over the area of the dies on non-planar processes.
"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from chipweir.facts._records import Value


if TYPE_CHECKING:
    from chipweir.facts._records import Chip


BITS = {
    "fp32_tflops": 32, "bf16_tflops": 16, "fp16_tflops": 16, "fp16_acc16_tflops": 16, "fp8_tflops": 8,
    "fp8_acc16_tflops": 8, "int8_tops": 8, "fp4_tflops": 4, "int4_tops": 4,
}  # fmt: skip
FORMULA = "computed-total-processing-performance-highest-of-dense"


def with_derived(values: Mapping[str, Sequence[Value]]) -> dict[str, tuple[Value, ...]]:
    """Sourced values by quantity with the derived ones among them, the one to use first.

    A total processing performance that somebody states stays beside the derived one and wins only if marked preferred.
    """
    found = {quantity: tuple(known) for quantity, known in values.items()}
    derived = total_processing_performance(found)
    if derived is not None:
        stated = found.get("tpp", ())
        chosen = tuple(value for value in stated if value.preferred)
        found["tpp"] = (*chosen, derived, *(value for value in stated if not value.preferred))
    return found


def total_processing_performance(values: Mapping[str, Sequence[Value]]) -> Value | None:
    """The highest dense rate times bits over the formats with a known rate, bit x 10^12/s; None if none is known."""
    rates = {quantity: values[quantity][0] for quantity in BITS if values.get(quantity)}
    if not rates:
        return None
    leader = max(
        rates, key=lambda quantity: (rates[quantity].best * BITS[quantity], -"ABCD".index(rates[quantity].confidence))
    )
    rate, bits = rates[leader], BITS[leader]
    low = max(value.interval[0] * BITS[quantity] for quantity, value in rates.items())
    high = max(value.interval[1] * BITS[quantity] for quantity, value in rates.items())
    exact = rate.best * bits
    return Value(
        low=low if low != high else None,
        central=exact if rate.central is not None else None,
        high=high if low != high else None,
        unit="bit*TOP/s",
        as_of=rate.as_of,
        published=rate.published,
        known_by=rate.known_by,
        source=FORMULA,
        cls="derived",
        confidence=rate.confidence,
        note=f"{leader} {rate.best:g} x {bits} bit",
        reported=f"{exact:g} bit*TOP/s",
        origin=rate.origin,
    )


def performance_density(chip: "Chip") -> float | None:
    """Total processing performance over the area of all dies, bit x 10^12/s/mm2; None where either is unknown."""
    if chip.tpp is None or chip.die_mm2 is None or not chip.die_mm2.best:
        return None
    return chip.tpp.best / chip.die_mm2.best


def interconnect(chip: "Chip") -> Value | None:
    """Bytes in and out together, GB/s: as stated (`io_gbs`), else both directions of the scale-up link alone."""
    if chip.io_gbs is not None or chip.scaleup_gbs is None:
        return chip.io_gbs
    link = chip.scaleup_gbs
    twice = {name: None if (n := getattr(link, name)) is None else 2 * n for name in ("low", "central", "high")}
    return link.model_copy(update={**twice, "cls": "derived", "note": "both directions of the scale-up link"})


def compute_dies(chip: "Chip") -> Value | None:
    """Dies that compute in one package: as stated where kinds of dies are mixed, else all dies of the package."""
    return chip.compute_dies if chip.compute_dies is not None else chip.dies_per_package


def compute_die_area(chip: "Chip") -> Value | None:
    """Area of one computing die, mm2: as stated where kinds of dies are mixed, else the package's area over its dies."""
    if chip.compute_die_mm2 is not None or chip.die_mm2 is None:
        return chip.compute_die_mm2
    dies = chip.dies_per_package.best if chip.dies_per_package is not None else 1.0
    if dies <= 1 or chip.compute_dies is not None:
        return chip.die_mm2 if dies <= 1 else None
    whole = chip.die_mm2
    one = {name: None if (n := getattr(whole, name)) is None else n / dies for name in ("low", "central", "high")}
    return whole.model_copy(update={**one, "cls": "derived", "note": f"{whole.best:g} mm2 over {dies:g} dies"})
