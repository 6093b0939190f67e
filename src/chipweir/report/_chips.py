"""Chips as the rules see them: points in the plane of performance and density, and their legal history."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import date
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np

from chipweir.facts import performance_density
from chipweir.i18n import _
from chipweir.report import _numbers
from chipweir.report._labels import N_
from chipweir.report.figures._rules import ChipPoint, Region


if TYPE_CHECKING:
    from chipweir.facts import Chip, Facts

SPECS = {
    "bf16_tflops": N_("16-bit, TFLOP/s"),
    "fp8_tflops": N_("8-bit float, TFLOP/s"),
    "int8_tops": N_("8-bit integer, TOP/s"),
    "fp4_tflops": N_("4-bit, TFLOP/s"),
    "memory_gb": N_("Memory, GB"),
    "memory_gbs": N_("Memory bandwidth, GB/s"),
    "scaleup_gbs": N_("Scale-up link, GB/s one way"),
    "scaleup_domain": N_("Chips in a scale-up domain"),
    "tdp_w": N_("Power, W"),
    "die_mm2": N_("Die area, mm²"),
    "hbm_stacks": N_("HBM stacks"),
    "price_usd": N_("Price, US dollars"),
}
MAIN_CHIPS = (
    "nvidia-a800-sxm",
    "nvidia-h800-sxm",
    "nvidia-h20",
    "nvidia-h100-sxm",
    "nvidia-h200",
    "nvidia-b200",
    "amd-mi308x",
)


def total_processing_performance(chip: "Chip") -> float | None:
    """TPP: the most of bits x dense TOPS over the precisions known (ECCN 3A090, technical note 2); None if none is."""
    return None if chip.tpp is None else chip.tpp.best


def points(chips: Iterable["Chip"]) -> list[ChipPoint]:
    """The chips whose performance is known as points of the plane."""
    made = []
    for chip in chips:
        performance = total_processing_performance(chip)
        if performance:
            made.append(ChipPoint(chip.name, performance, performance_density(chip), chip.maker_country))
    return made


_SEVERITY = {"a": 4, "b": 3}


def regions_on(day: date) -> list[Region]:
    """The control regions of the plane on a day, from the dated control paragraphs.

    Ways that test more than performance and density (the interconnect test of 2022) are drawn by those two alone and
    say so in their name.
    """
    from chipweir import rules

    found = []
    for paragraph in rules.shipped().paragraphs:
        if not paragraph.since <= day <= paragraph.until or paragraph.paragraph not in _SEVERITY:
            continue
        for way in paragraph.any_of:
            bounds: dict[str, list[float | None]] = {"tpp": [0.0, None], "pd": [0.0, None]}
            others = []
            for quantity, sign, threshold in way.tests:
                if quantity not in bounds:
                    others.append(quantity)
                else:
                    bounds[quantity][0 if sign in (">=", ">") else 1] = float(threshold)
            name = paragraph.eccn + (f" ({', '.join(others)})" if others else "")
            tpp, density = bounds["tpp"], bounds["pd"]
            region = Region(
                name, (tpp[0] or 0.0, tpp[1]), (density[0] or 0.0, density[1]), _SEVERITY[paragraph.paragraph]
            )
            found.append(region)
    # What paragraph a takes by performance alone is not paragraph b's.
    alone = min((r.tpp[0] for r in found if r.severity == _SEVERITY["a"] and r.density == (0.0, None)), default=None)
    return [
        replace(r, tpp=(r.tpp[0], alone)) if r.severity == _SEVERITY["b"] and r.tpp[1] is None else r for r in found
    ]


def legal_rows(
    facts: "Facts", names: Sequence[str], destinations: Sequence[str], months: np.ndarray
) -> tuple[list[str], np.ndarray]:
    """Row names and licence states (row, month; indices of `rules.STATUSES`) of each chip for each destination.

    A row is called by its chip alone where there is one destination, which the title says.
    """
    from chipweir import rules

    chips = [facts.chip(name) for name in names]
    engine: Any = rules
    found = engine.availability(chips, list(destinations), months)
    status = np.asarray(found.law)
    rows, states = [], []
    for p, chip in enumerate(chips):
        for d, destination in enumerate(destinations):
            rows.append(chip.name if len(destinations) == 1 else f"{chip.name} → {destination}")
            states.append(status[:, p, d])
    return rows, np.array(states)


def h100e_text() -> str:
    """What an H100e is, with two chips as examples."""
    h20, b200 = _in_h100s()
    return _(
        "H100e: computing power counted in NVIDIA H100 chips. A chip counts by its dense 8-bit arithmetic against that of "
        "one H100, so an H20 is {h20} and a B200 {b200}. Memory, links and software are not in it.",
        h20=_numbers.number(h20, 2), b200=_numbers.number(b200, 2),
    )  # fmt: skip


@cache
def _in_h100s() -> tuple[float, float]:
    from chipweir import facts, perf

    known = facts.load()
    found = perf.worth([known.chip("nvidia-h20"), known.chip("nvidia-b200")]).h100e
    return float(found[0]), float(found[1])
