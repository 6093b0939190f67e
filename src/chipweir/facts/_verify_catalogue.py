"""Checks of chips, systems, prices and names: arithmetic between their numbers, and conventions that must not mix."""

from collections import defaultdict
from collections.abc import Iterator
from itertools import pairwise

from chipweir.facts._checks import check
from chipweir.facts._facts import Facts
from chipweir.facts._known import dated
from chipweir.facts._names import normalise
from chipweir.facts._records import Chip, Price, System, Value


Findings = Iterator[tuple[str, str, str]]
_PARTS = (
    ("bf16_pflops", "half_tflops", 1e-3),
    ("fp8_pflops", "fp8_tflops", 1e-3),
    ("fp4_pflops", "fp4_tflops", 1e-3),
    ("mem_tb", "memory_gb", 1e-3),
    ("mem_tbs", "memory_gbs", 1e-3),
    ("scaleup_total_tbs", "scaleup_gbs", 2e-3),
)
_SPARSE = {
    "bf16_sparse_tflops": ("half_tflops",), "fp8_sparse_tflops": ("fp8_tflops", "fp8_acc16_tflops"),
    "fp4_sparse_tflops": ("fp4_tflops",), "int8_sparse_tops": ("int8_tops",), "int4_sparse_tops": ("int4_tops",),
}  # fmt: skip
_CONVENTIONAL = (
    "bf16_tflops", "fp16_tflops", "fp8_tflops", "fp4_tflops", "int8_tops", "scaleup_gbs", "memory_gbs", "die_mm2",
    "tdp_w", "dies_per_package",
)  # fmt: skip
CURRENCIES = {"api": ("USD/megatoken", "CNY/megatoken", "KRW/megatoken"), "gpu_rental": ("USD/chip/hour",),
              "tco": ("USD/chip/hour",), "power": ("kW/chip",), "chip_price": ("USD", "CNY", "KRW"),
              "server_price": ("USD", "CNY", "KRW")}  # fmt: skip


def _settled(facts: Facts) -> set[str]:
    """Ids (`chip.quantity`, fact ids) that some conflict names: their disagreement is decided and told."""
    return {
        reference
        for conflict in facts.conflicts.values()
        for reference in (*conflict.about, *(fact for side in conflict.values for fact in side.facts))
    }


@check
def system_sums(facts: Facts) -> Findings:
    """A system's peak, memory, bandwidth and links are its number of chips times the chip's, within 12 percent."""
    for system in facts.systems.values():
        chip = facts.chips.get(system.chip)
        if chip is None:
            continue
        for whole, part, scale in _PARTS:
            total, single = getattr(system, whole), getattr(chip, part)
            if total is None or single is None or not single.best:
                continue
            expected = system.n_chips * single.best * scale
            if abs(total.best / expected - 1) > 0.12:
                message = f"{whole} is {total.best:g}, but {system.n_chips} x {chip.id} make {expected:g} {total.unit}"
                yield f"{system.id}.{whole}", total.origin, message


@check
def system_power(facts: Facts) -> Findings:
    """A system draws at least 85 percent of the design power of its chips, and at most four times it."""
    for system in facts.systems.values():
        chip = facts.chips.get(system.chip)
        if chip is None or chip.tdp_w is None or system.power_kw is None:
            continue
        chips = system.n_chips * chip.tdp_w.interval[0] / 1e3
        if not 0.85 * chips <= system.power_kw.interval[1] <= 4 * max(chips, 0.25):
            message = f"power_kw is {system.power_kw.best:g}, but its chips alone make {chips:g} kW"
            yield f"{system.id}.power_kw", system.power_kw.origin, message


@check
def parts_of_packages(facts: Facts) -> Findings:
    """A record that is one die of a package holds the package's number over its dies, within 5 percent."""
    for chip in facts.chips.values():
        package = facts.chips.get(chip.part_of)
        if package is None or package.dies_per_package is None:
            if chip.part_of and package is None:
                yield chip.id, chip.origin, f"part of '{chip.part_of}', which does not exist"
            continue
        dies = package.dies_per_package.best
        for quantity in ("half_tflops", "int8_tops", "memory_gb", "memory_gbs", "die_mm2"):
            one, whole = getattr(chip, quantity), getattr(package, quantity)
            if one is not None and whole is not None and abs(one.best * dies / whole.best - 1) > 0.05:
                message = f"{quantity} is {one.best:g} a die, but {package.id} has {whole.best:g} in {dies:g} dies"
                yield f"{chip.id}.{quantity}", one.origin, message


@check
def format_ratios(facts: Facts) -> Findings:
    """Halving the bits of a number format doubles the peak, or leaves it, or (FP4) trebles it; it never lowers it."""
    for chip in facts.chips.values():
        eights = [v for v in (chip.fp8_tflops, chip.fp8_acc16_tflops) if v is not None]
        eight = max(eights, key=lambda value: value.best, default=None)
        pairs = (
            ("half_tflops", chip.half_tflops, "fp8_tflops", chip.fp8_tflops, 2.6),
            ("fp8_tflops", eight, "fp4_tflops", chip.fp4_tflops, 4.1 if chip.marketed == "consumer" else 3.5),
        )
        for wide, upper, narrow, lower, most in pairs:
            if upper is None or lower is None:
                continue
            ratio = lower.best / upper.best
            if not 0.97 <= ratio <= most:
                message = f"{narrow} is {ratio:.2f} times {wide}; between 1 and {most:g} was expected"
                yield f"{chip.id}.{narrow}", lower.origin, message


@check
def processing_performance(facts: Facts) -> Findings:
    """A total processing performance that somebody states is the highest of (dense rate x bits), within 1 percent."""
    settled = _settled(facts)
    for chip in facts.chips.values():
        known = chip.alternatives("tpp")
        derived = next((value for value in known if value.cls == "derived"), None)
        for value in known:
            if derived is None or value is derived or f"{chip.id}.tpp" in settled:
                continue
            low, high = derived.interval
            if not 0.99 * low <= value.best <= 1.01 * high:
                message = f"tpp is {value.best:g}, but the rates give {derived.best:g} ({derived.note})"
                yield f"{chip.id}.tpp", value.origin, message


@check
def conventions(facts: Facts) -> Findings:
    """Sources of one number do not differ by a factor of two (sparse, accumulation, both directions, dies) unsettled."""
    if facts.as_of is not None:
        return  # what settles a disagreement bears no date, so that earlier views have none of it
    settled = _settled(facts)
    for chip in facts.chips.values():
        for quantity in _CONVENTIONAL:
            known = chip.alternatives(quantity)
            for value in known[1:]:
                ratio = value.best / known[0].best
                mixed = any(abs(ratio / factor - 1) < 0.02 for factor in (0.25, 0.5, 2.0, 4.0))
                if mixed and f"{chip.id}.{quantity}" not in settled:
                    message = f"{quantity} is {known[0].best:g} and {value.best:g}: two conventions under one name?"
                    yield f"{chip.id}.{quantity}", value.origin, message


@check
def sparsity(facts: Facts) -> Findings:
    """A sparse peak is twice the dense one of the same format, within 3 percent."""
    for chip in facts.chips.values():
        for quantity, dense in _SPARSE.items():
            sparse = getattr(chip, quantity)
            rates = [value for name in dense if (value := getattr(chip, name)) is not None]
            if sparse is not None and rates and not any(abs(sparse.best / (2 * v.best) - 1) <= 0.03 for v in rates):
                stated = " and ".join(f"{value.best:g}" for value in rates)
                yield f"{chip.id}.{quantity}", sparse.origin, f"{quantity} is {sparse.best:g}, dense {stated}"


@check
def accumulation(facts: Facts) -> Findings:
    """FP16 accumulation is as fast as FP32 accumulation or twice as fast, never slower."""
    for chip in facts.chips.values():
        for quantity, base in (("fp16_acc16_tflops", chip.half_tflops), ("fp8_acc16_tflops", chip.fp8_tflops)):
            fast = getattr(chip, quantity)
            if fast is not None and base is not None and not 0.99 <= fast.best / base.best <= 2.03:
                yield f"{chip.id}.{quantity}", fast.origin, f"{quantity} is {fast.best:g}, with FP32 {base.best:g}"


@check
def directions(facts: Facts) -> Findings:
    """Input and output together are both directions of the scale-up link, with or without the host's and the network's."""
    for chip in facts.chips.values():
        both, one = chip.io_gbs, chip.scaleup_gbs
        if both is None or one is None or both.cls == "derived":
            continue
        least, most = 1.94 * one.best, 2 * one.best + 330
        if not least <= both.interval[1] or not both.interval[0] <= most:
            message = f"io_gbs is {both.best:g}, but one direction of the link is {one.best:g}"
            yield f"{chip.id}.io_gbs", both.origin, message


@check
def die_arithmetic(facts: Facts) -> Findings:
    """Packages hold whole dies, each within one lithography field, and a memory stack holds 3 to 64 GB."""
    for chip in facts.chips.values():
        dies, area = chip.dies_per_package, chip.die_mm2
        if dies and dies.best != round(dies.best):
            yield f"{chip.id}.dies_per_package", dies.origin, f"{dies.best:g} dies in a package"
        if dies and area and area.best / dies.best > 860 and dies.best > 0:
            message = f"{area.best / dies.best:.0f} mm2 a die is more than a lithography field (858 mm2)"
            yield f"{chip.id}.die_mm2", area.origin, message
        computing, one = chip.compute_dies, chip.compute_die_mm2
        if computing and one and area and computing.best * one.best > 1.01 * area.best:
            message = f"{computing.best:g} dies of {one.best:g} mm2 are more than the package's {area.best:g} mm2"
            yield f"{chip.id}.compute_die_mm2", one.origin, message
        stacks, memory = chip.hbm_stacks, chip.memory_gb
        if stacks and memory and stacks.best > 0 and not 3 <= memory.best / stacks.best <= 64:
            message = f"{memory.best / stacks.best:.1f} GB a stack"
            yield f"{chip.id}.memory_gb", memory.origin, message


@check
def lives(facts: Facts) -> Findings:
    """A chip is announced before it is released and released before it ends."""
    for chip in facts.chips.values():
        marks = [(mark, dates) for mark in (chip.announced, chip.release, chip.ended) if (dates := dated(mark))]
        for (earlier, first), (later, second) in pairwise(marks):
            if first.start > second.end:
                yield chip.id, chip.origin, f"{earlier} is not before {later}"


@check
def preferences(facts: Facts) -> Findings:
    """Where the sources of a number differ exactly one value is preferred; a preferred value has a rule in its conflict."""
    for record in _measured(facts):
        for quantity in record.values:
            if quantity == "tpp":
                continue
            for found in _rivals(record, quantity):
                marked = sum(value.preferred for value in found)
                if len(found) > 1 and marked != 1:
                    message = f"{len(found)} values and {marked} of them preferred"
                    yield f"{record.id}.{quantity}", found[0].origin, message
    for conflict in facts.conflicts.values():
        if bool(conflict.preferred) != bool(conflict.rule):
            yield conflict.id, conflict.origin, "a preferred value needs a rule, and a rule a preferred value"


def _measured(facts: Facts) -> Iterator[Chip | System]:
    yield from facts.chips.values()
    yield from facts.systems.values()


def _rivals(record: Chip | System, quantity: str) -> list[list[Value]]:
    """Values that speak of the same thing: all of a quantity, prices of one date."""
    groups: dict[str, list[Value]] = defaultdict(list)
    for value in record.alternatives(quantity):
        groups[value.as_of if quantity == "price_usd" else ""].append(value)
    return list(groups.values())


@check
def choices(facts: Facts) -> Findings:
    """A number of ours that is preferred lies within what the sources beside it say."""
    if facts.as_of is not None:
        return  # what settles a disagreement bears no date, so that earlier views have none of it
    settled = _settled(facts)
    for record in _measured(facts):
        for quantity in record.values:
            first, *others = record.alternatives(quantity)
            sourced = [value.interval for value in others if value.cls not in ("own", "derived")]
            if first.cls not in ("own", "derived") or not sourced or quantity in ("tpp", "price_usd"):
                continue
            low, high = min(low for low, _ in sourced), max(high for _, high in sourced)
            if not 0.995 * low <= first.best <= 1.005 * high and f"{record.id}.{quantity}" not in settled:
                message = f"{first.best:g} is preferred, but the sources say {low:g} to {high:g}"
                yield f"{record.id}.{quantity}", first.origin, message


@check
def price_units(facts: Facts) -> Findings:
    """A price is in a currency of its kind and above zero, except tokens that are free."""
    for price in facts.prices.values():
        if price.value.unit not in CURRENCIES[price.kind]:
            message = f"a price of kind {price.kind} in '{price.value.unit}'; {' or '.join(CURRENCIES[price.kind])} is"
            yield price.id, price.origin, f"{message} wanted"
        if price.value.interval[0] < 0 or (price.value.best == 0 and price.kind != "api"):
            yield price.id, price.origin, f"a price of {price.value.reported}"


@check
def price_order(facts: Facts) -> Findings:
    """In one price list cached input costs no more than input, and input no more than output."""
    lists: dict[tuple[str, ...], dict[str, Price]] = defaultdict(dict)
    for price in facts.prices.values():
        if price.kind == "api":
            when = price.valid_from or price.listed
            key = (price.item, price.provider, when, price.region, price.value.unit, price.value.source)
            lists[key][price.metric] = price
    for group in lists.values():
        for lower, upper in (("cached_input", "input"), ("input", "output")):
            cheap, dear = group.get(lower), group.get(upper)
            if cheap and dear and cheap.value.best > dear.value.best * 1.0001:
                message = f"{lower} costs {cheap.value.best:g}, {upper} {dear.value.best:g}"
                yield cheap.id, cheap.origin, message


@check
def names(facts: Facts) -> Findings:
    """A line of the index names something that is there; what may mean several things, or is one character, is flagged."""
    tables = {"chip": facts.chips, "system": facts.systems, "model": facts.models, "entity": facts.entities,
              "country": facts.countries}  # fmt: skip
    said: dict[tuple[str, str], set[str]] = defaultdict(set)
    plain: dict[tuple[str, str], str] = {}
    for name in facts.names:
        key = (str(name.kind), normalise(name.name))
        said[key].add(name.id)
        if name.id not in tables[name.kind]:
            yield name.name, name.origin, f"names the {name.kind} '{name.id}', which does not exist"
        if name.flag not in ("also", "context"):
            plain[key] = name.origin
        if len(key[1]) == 1 and name.flag != "context":
            yield name.name, name.origin, "one character is a name in context only: flag it `context`"
    for key, identifiers in said.items():
        if len(identifiers) > 1 and key in plain:
            yield key[1], plain[key], f"means {', '.join(sorted(identifiers))}, yet is not flagged `also`"
