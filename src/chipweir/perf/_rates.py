"""What one chip of a system reads and writes: prefill and decode rates at a latency limit, at the best layout.

The two numbers from which cost per token, match-ups and the world's table are made. Chips that only read and chips that
only write are the two ends of every deployment; a mix is their weighted harmonic mean.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from chipweir.errors import InputError
from chipweir.perf import _architecture, _hardware
from chipweir.perf._assemble import case, gather
from chipweir.perf._configuration import Configuration, read_configuration
from chipweir.perf._efficiency import Index, Layout, Posterior, efficiencies, group_levels, index, shipped
from chipweir.perf._energy import chip_power, equivalent_flops, serving_power
from chipweir.perf._intervals import spread
from chipweir.perf._offered import DRAFTS
from chipweir.perf._operators import Work, take
from chipweir.perf._plan import Plan, candidates, smallest_group
from chipweir.perf._serving import Case, Reader, decode_step, fits, most_sequences, prefill_pass, tokens_a_step
from chipweir.perf._serving import take as take_cases


# Sequences on each chip worth trying.
BATCHES = (1, 2, 4, 8, 12, 16, 20, 24, 28, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384, 512)
WIDEST_EXPERTS = 144.0
WIDTH_80 = 2.5631


@dataclass(frozen=True)
class Rates:
    """Tokens a second and chip, and how: `decode` at `tpot_s` s a token, `batch` sequences on each of `group` chips.

    `drafted`: whether tokens are drafted by the model's own extra layer. `prefill_w`, `decode_w`: mean power of the
    chip, W. `log_sd_*`: standard deviation of the rate's logarithm. `reason` says why a rate is 0: the limit cannot be
    kept, or the model does not fit.
    """

    prefill: float
    decode: float
    tpot_s: float
    batch: float
    group: float
    dtype: str
    prefill_w: float
    decode_w: float
    log_sd_prefill: float
    log_sd_decode: float
    reason: str = ""
    drafted: bool = False

    def mixed(self, isl: float, osl: float) -> float:
        """Output tokens a second and chip when the same chips read `isl` tokens for every `osl` they write."""
        if self.prefill <= 0 or self.decode <= 0:
            return 0.0
        return 1.0 / (1.0 / self.decode + isl / osl / self.prefill)


def serving_rates(
    chip_or_system: str,
    model: str,
    *,
    tpot_s: float = 0.05,
    isl: float = 4096.0,
    osl: float = 1024.0,
    precision: str = "",
    hardware: _hardware.Hardware | None = None,
    posterior: Posterior | None = None,
) -> Rates:
    """Prefill and decode rates of a chip, or of a chip inside a system (its scale-up domain).

    `precision` empty: as the model is published, on what units the chip has. `hardware` replaces the catalogued
    numbers. Raises `UnknownName` for names and `InputError` for numbers that are not positive.
    """
    if not (tpot_s > 0 and isl > 0 and osl > 0):
        raise InputError(f"latency limit and lengths must be positive, not {tpot_s} s, {isl} and {osl} tokens")
    row = {"phase": "decode", "chip": chip_or_system, "model": model, "precision": precision}
    row |= {"isl": f"{isl:g}", "osl": f"{osl:g}"}
    configuration = read_configuration(row) if hardware is None else _with_hardware(row, hardware)
    posterior = posterior or shipped()
    try:
        plans = replica_plans(configuration)
    except InputError as error:
        return Rates(0.0, 0.0, np.nan, 0.0, 0.0, configuration.dtype, 0.0, 0.0, 0.0, 0.0, str(error))
    prefill, prefill_w = _prefill(configuration, plans, posterior)
    decode = _decode(configuration, plans, posterior, tpot_s)
    sds = [_log_sd(replace(configuration, phase=phase), posterior) for phase in ("prefill", "decode")]
    return replace(decode, prefill=prefill, prefill_w=prefill_w, log_sd_prefill=sds[0], log_sd_decode=sds[1])


def _with_hardware(row: dict[str, str], hardware: _hardware.Hardware) -> Configuration:
    """A configuration on a chip of the user's own making; names are looked up on a catalogued chip first."""
    read = read_configuration({**row, "chip": "NVIDIA H100", "precision": row["precision"] or "bf16"})
    dtype = read.dtype if row["precision"] else _best_dtype(hardware, read.model.native_dtype)
    return replace(read, chip=hardware, dtype=dtype)


def _best_dtype(hardware: _hardware.Hardware, native: str) -> str:
    if native == "fp8" and not hardware.fp8_flops and hardware.int8_flops:
        return "int8"
    return native if native in _hardware.DTYPES else "bf16"


def replica_plans(configuration: Configuration) -> list[Plan]:
    """Layouts of one replica: dense models up to twice the chips that hold them, expert models up to `WIDEST_EXPERTS`.

    Experts spread over many chips cross the scale-up domain where it is small: published deployments decode on 72-320.
    Raises `InputError` with the bytes where no group holds the model.
    """
    context = configuration.isl + configuration.osl
    least = smallest_group(configuration.model, configuration.chip, configuration.dtype, context=context)
    wide = WIDEST_EXPERTS if configuration.model.experts > 0 and configuration.model.total_params > 1e11 else 8.0
    most = max(2.0 * least, wide)
    options = candidates(configuration.model, configuration.chip, configuration.dtype, most, context=context)
    # A dense model too large for one scale-up domain is split over several.
    return [replace(plan, replicas=1.0) for plan in options] or [Plan(float(least), 1.0, 1.0, stated=False)]


@dataclass(frozen=True)
class Trials:
    """n trials of configurations with a plan each, and what the numeric core needs of them.

    `row` [n]: which configuration; `load` [n]: sequences on the replica; `pair` [n]: place in `plans`, which holds the
    plan of every pair of configuration and plan.
    """

    row: np.ndarray
    load: np.ndarray
    pair: np.ndarray
    plans: tuple[Plan, ...]
    work: Work
    cases: Case
    where: Index

    @property
    def chips(self) -> np.ndarray:
        """Chips of the replica [n]."""
        chips: np.ndarray = self.cases.tp * self.cases.dp * self.cases.pp
        return chips

    def at(self, keep: np.ndarray) -> Trials:
        """Trials `keep`."""
        where = {name: [places[keep] for places in columns] for name, columns in self.where.items()}
        return Trials(
            self.row[keep], self.load[keep], self.pair[keep], self.plans, take(self.work, keep),
            take_cases(self.cases, keep), where,
        )  # fmt: skip


def trials(
    configurations: Sequence[Configuration],
    plans: Sequence[Sequence[Plan]],
    form: Layout,
    *,
    phase: str,
    batches: Sequence[Sequence[float]] | None = None,
) -> Trials:
    """Every configuration with each of its `plans`, each drafting or not, each at `batches` sequences a chip (by
    configuration; one trial a plan where none are given). Work and levels are gathered once a configuration."""
    each = [replace(c, phase=phase, plan=options[0]) for c, options in zip(configurations, plans, strict=True)]
    pairs = [
        (row, plan, draft)
        for row, (c, options) in enumerate(zip(each, plans, strict=True))
        for plan in options
        for draft in ((0.0, DRAFTS) if batches is not None and c.model.mtp_layers > 0 else (0.0,))
    ]
    loads = [
        np.array(batches[row], dtype=float) * plan.decode_chips if batches is not None else np.array([plan.dp])
        for row, plan, _ in pairs
    ]
    pair = np.repeat(np.arange(len(pairs)), [len(load) for load in loads])
    row = np.array([row for row, _, _ in pairs])[pair]
    once = case([each[row] for row, _, _ in pairs], [plan for _, plan, _ in pairs], np.ones(len(pairs)))
    once = replace(once, drafts=np.array([draft for _, _, draft in pairs]))
    return Trials(
        row=row, load=np.concatenate(loads), pair=pair, plans=tuple(plan for _, plan, _ in pairs),
        work=take(gather(each), row), cases=take_cases(once, pair), where=levels_at(each, form, row),
    )  # fmt: skip


def levels_at(configurations: Sequence[Configuration], form: Layout, row: np.ndarray) -> Index:
    """Where the levels of configurations `row` [n] stand in the parameter vector."""
    found = index(form, [group_levels(c) for c in configurations])
    return {name: [places[row] for places in columns] for name, columns in found.items()}


def decode_seconds(t: Trials, theta: Any, form: Layout) -> np.ndarray:
    """Seconds per output token [n] (or [d, n] for draws) of replicas that only decode."""
    c, e = t.cases, efficiencies(theta, t.where, form)
    seconds: np.ndarray = decode_step(t.work, e, t.load, c)["total"] / tokens_a_step(e, c)
    return seconds


def prefill_rate(t: Trials, theta: Any, form: Layout) -> np.ndarray:
    """Tokens a second and chip [n] (or [d, n]) of replicas that only read prompts."""
    c, e = t.cases, efficiencies(theta, t.where, form)
    busy = prefill_pass(t.work, e, c.isl, Reader(c.tp, c.dp, c.ep, c.pp), fresh=c.fresh)["busy"]
    rate: np.ndarray = c.isl / busy / t.chips
    return rate


def held(t: Trials) -> np.ndarray:
    """Whether weights and the caches of all sequences fit [n]."""
    enough: np.ndarray = t.load <= most_sequences(t.work, t.cases)
    return enough


def _decode(configuration: Configuration, plans: list[Plan], posterior: Posterior, tpot_s: float) -> Rates:
    tried = trials([configuration], [plans], posterior.form, phase="decode", batches=[BATCHES])
    seconds, enough = decode_seconds(tried, posterior.mean, posterior.form), held(tried)
    kept = seconds <= tpot_s
    rate = tried.load / seconds / tried.chips
    nothing = Rates(0.0, 0.0, np.nan, 0.0, 0.0, configuration.dtype, 0.0, 0.0, 0.0, 0.0)
    if not (enough & kept).any():
        fastest = np.min(np.where(enough, seconds, np.inf))
        reason = f"{tpot_s * 1e3:.3g} ms a token cannot be kept: {fastest * 1e3:.3g} ms at best"
        return replace(nothing, reason=reason if enough.any() else "one sequence's cache does not fit")
    best = int(np.argmax(np.where(enough & kept, rate, -1.0)))
    chips = float(tried.chips[best])
    power = serving_power(
        configuration.chip, configuration.model, configuration.dtype, output_tok_s=rate[best], input_tok_s=0.0,
        batch=tried.load[best], chips=chips, context=configuration.isl + configuration.osl / 2,
    )  # fmt: skip
    return replace(
        nothing, decode=float(rate[best]), tpot_s=float(seconds[best]), batch=float(tried.load[best] / chips),
        group=chips, decode_w=float(power), drafted=bool(tried.cases.drafts[best] > 0),
    )  # fmt: skip


def _prefill(configuration: Configuration, plans: list[Plan], posterior: Posterior) -> tuple[float, float]:
    """Tokens a second and chip of prompts, and mean power in W."""
    tried = trials([configuration], [plans], posterior.form, phase="prefill")
    rate = prefill_rate(tried, posterior.mean, posterior.form)
    best = int(np.argmax(np.where(fits(tried.work, tried.cases), rate, -1.0)))
    model, chip = configuration.model, configuration.chip
    matrices = 2.0 * _architecture.active_matrix_params(model) * rate[best]
    scores = model.prefill_score_flops * configuration.isl / 2 * rate[best]
    flops = equivalent_flops(chip, configuration.dtype, matrices) + scores
    return float(rate[best]), float(chip_power(chip.tdp_w, flops, 0.2 * chip.memory_bandwidth))


def _log_sd(configuration: Configuration, posterior: Posterior) -> float:
    """Standard deviation of the log rate: errors on left-out chips and models, and the gaps of the datasheet."""
    quantity = "input" if configuration.phase == "prefill" else "output"
    low, high = spread(posterior.errors, [configuration], [True], quantity)[0]
    return float(np.hypot((high - low) / WIDTH_80, configuration.chip.spec_log_sd))
