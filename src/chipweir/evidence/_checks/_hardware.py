"""Checks of chips, systems and language models: counts, ratios, specifications, comparisons, sizes, scores."""

import math
import re
from functools import lru_cache
from typing import Any

from chipweir.evidence._checks._context import Context
from chipweir.evidence._frames import Claim
from chipweir.evidence._verdict import (
    Evidence,
    Number,
    Status,
    Text,
    Verdict,
    compare,
    decide,
    open_slots,
    value_evidence,
)


# Attributes by which chips and systems are set against each other: name, unit, whether more is better.
SYSTEM_ATTRIBUTES = (
    ("bf16_pflops", "PFLOP/s", True),
    ("fp8_pflops", "PFLOP/s", True),
    ("fp4_pflops", "PFLOP/s", True),
    ("mem_tb", "TB", True),
    ("mem_tbs", "TB/s", True),
    ("scaleup_total_tbs", "TB/s", True),
    ("power_kw", "kW", False),
)
CHIP_ATTRIBUTES = (
    ("bf16_tflops", "TFLOP/s", True),
    ("fp8_tflops", "TFLOP/s", True),
    ("fp4_tflops", "TFLOP/s", True),
    ("memory_gb", "GB", True),
    ("memory_gbs", "GB/s", True),
    ("tdp_w", "W", False),
)
_MEANT = {
    "memory": ("mem_tb", "memory_gb"),
    "power": ("power_kw", "tdp_w"),
    "bandwidth": ("mem_tbs", "memory_gbs"),
    "compute": ("bf16_pflops", "bf16_tflops", "fp8_pflops", "fp8_tflops", "fp4_pflops", "fp4_tflops"),
    "training": ("bf16_pflops", "bf16_tflops", "fp8_pflops", "fp8_tflops"),
    "inference": ("mem_tbs", "memory_gbs"),
}


def missing(claim: Claim, *names: str) -> Verdict | None:
    """A verdict that asks for what is needed, None where all is there."""
    lacking = open_slots(claim, names)
    if not lacking:
        return None
    return Verdict(
        "not_checkable",
        lacking[0],
        dict.fromkeys(lacking, "not_checkable"),
        text=Text("missing_slots", {"slots": tuple(lacking)}),
        change=Text("change_slot", {"slot": lacking[0]}),
    )


def count_of_chips(context: Context, thing: str) -> tuple[float, str, bool] | None:
    """How many chips a system has: as the article says, else as the fact base does; with the source's id."""
    for claim in context.claims_about("chip_count", "system", thing):
        return context.value(claim), claim.id, True
    system = context.facts.systems.get(thing)
    return None if system is None else (float(system.n_chips), system.id, False)


def check_chip_count(claim: Claim, context: Context) -> Verdict:
    """Chips in a system against the system's record."""
    if (gap := missing(claim, "system")) is not None:
        return gap
    system = context.facts.systems.get(claim.value("system"))
    if system is None:
        return Verdict(
            "unsupported",
            "system",
            text=Text("no_fact", {"what": context.name(claim.value("system"))}),
            change=Text("change_fact"),
        )
    status = compare(context.claimed(claim), (system.n_chips, system.n_chips), 0.0)
    chip = claim.value("chip")
    slots: dict[str, Status] = {"figure": status}
    known = {system.chip, system.maker, *_lines(context, system.chip)}
    if chip and chip in context.facts.chips and chip not in known:
        slots["chip"] = "contradicted"
    status, slot = decide(slots)
    evidence = Evidence(
        "system",
        system.id,
        f"{system.name}: {system.n_chips} x {context.name(system.chip)}; {system.scaleup_fabric}",
        as_of=system.release,
        supports=status == "consistent",
    )
    return Verdict(
        status,
        slot,
        slots,
        (
            Number("claimed", context.value(claim), "chip"),
            Number("chips in the system", system.n_chips, "chip", source=system.id),
        ),
        (evidence,),
        Text(
            "compared",
            {
                "claimed": Number("", context.value(claim), "chip"),
                "known": Number("", system.n_chips, "chip"),
                "what": context.name(system.id),
            },
        ),
        Text("change_fact"),
        tuple(_rack_note(system)),
    )


def _lines(context: Context, chip: str) -> set[str]:
    return {e.id for e in context.facts.entities.values() if e.kind == "product-line" and chip.startswith(e.id)}


def racks_of(system: Any) -> int | None:
    """How many racks a system fills, where its record says so."""
    match = re.search(r"(\d+) (?:racks|cabinets)", f"{system.scaleup_fabric} {system.note}")
    return int(match.group(1)) if match else None


def name_of_system(system: Any) -> str:
    """A system's name as people say it."""
    return str(system.name).split(" / ")[0]


def _rack_note(system: Any) -> list[Text]:
    racks = racks_of(system)
    return [Text("racks", {"system": name_of_system(system), "racks": float(racks)})] if racks and racks > 1 else []


def check_count_ratio(claim: Claim, context: Context) -> Verdict:
    """A ratio of chip counts against the quotient of the counts."""
    if (gap := missing(claim, "more", "fewer")) is not None:
        return gap
    more, fewer = (count_of_chips(context, str(claim.value(name))) for name in ("more", "fewer"))
    if more is None or fewer is None:
        return Verdict(
            "unsupported",
            "more",
            text=Text("no_fact", {"what": context.name(claim.value("more" if more is None else "fewer"))}),
            change=Text("change_fact"),
        )
    names = ("more", "fewer")
    if more[0] < fewer[0] and context.value(claim) > 1 and claim.slots["more"].by == "discourse":
        # Both systems come from the words before: which of them has more chips is for the figure to say.
        more, fewer, names = fewer, more, ("fewer", "more")
    quotient = more[0] / fewer[0]
    status = compare(context.claimed(claim), (quotient, quotient), 0.01)
    numbers = (
        Number(context.name(claim.value(names[0])), more[0], "chip", source=more[1]),
        Number(context.name(claim.value(names[1])), fewer[0], "chip", source=fewer[1]),
        Number("ratio", quotient, "ratio", source="arithmetic"),
        Number("claimed", context.value(claim), "ratio"),
    )
    notes = [
        note
        for thing in ("more", "fewer")
        if (record := context.facts.systems.get(claim.value(thing))) is not None
        for note in _rack_note(record)
    ]
    dies = [_dies(context, str(claim.value(name))) for name in names]
    if dies[0] and dies[1]:
        notes.append(Text("die_ratio", {"more": dies[0], "fewer": dies[1], "ratio": dies[0] / dies[1]}))
    evidence = Evidence(
        "arithmetic", "quotient", f"{more[0]:g} / {fewer[0]:g} = {quotient:.2f}", supports=status == "consistent"
    )
    return Verdict(
        status,
        "figure",
        {"figure": status},
        numbers,
        (evidence,),
        Text(
            "quotient",
            {
                "a": Number("", more[0], "chip"),
                "b": Number("", fewer[0], "chip"),
                "ratio": Number("", quotient, "ratio"),
                "claimed": Number("", context.value(claim), "ratio"),
            },
        ),
        Text("change_counts"),
        tuple(notes),
    )


def _dies(context: Context, thing: str) -> float | None:
    system = context.facts.systems.get(thing)
    chip = context.facts.chips.get(system.chip) if system is not None else None
    return (
        system.n_chips * chip.dies_per_package.best
        if system is not None and chip is not None and chip.dies_per_package is not None
        else None
    )


def record_of(context: Context, thing: str) -> Any:
    """The chip or system with this id, None if there is none."""
    return context.facts.systems.get(thing) or context.facts.chips.get(thing)


def ratios(context: Context, item: str, against: str) -> list[tuple[str, float, float, float, str]]:
    """For each attribute both have a value of the same unit for: name, ratio item/against with its range, and unit."""
    a, b = record_of(context, item), record_of(context, against)
    if a is None or b is None or type(a) is not type(b):
        return []
    table = SYSTEM_ATTRIBUTES if item in context.facts.systems else CHIP_ATTRIBUTES
    result = []
    for name, unit, _ in table:
        x, y = getattr(a, name), getattr(b, name)
        if x is None or y is None or not y.interval[0] or not x.best:  # what a chip cannot do is no ratio
            continue
        result.append((name, x.best / y.best, x.interval[0] / y.interval[1], x.interval[1] / y.interval[0], unit))
    return result


def check_comparison(claim: Claim, context: Context) -> Verdict:
    """Two chips or systems set against each other without a figure: the ratio of every attribute both records hold."""
    if (gap := missing(claim, "item", "against")) is not None:
        return gap
    item, against = str(claim.value("item")), str(claim.value("against"))
    found = ratios(context, item, against)
    if not found:
        return Verdict(
            "not_checkable",
            "item",
            text=Text("no_ratio", {"a": context.name(item), "b": context.name(against)}),
            change=Text("change_fact"),
            command=_match(context, item, against),
        )
    attribute, direction = claim.value("attribute"), claim.value("direction")
    modelled = modelled_ratios(item, against) if attribute == "performance" else []
    found += [row for row in modelled if row[0] not in {other[0] for other in found}]
    if attribute == "efficiency":
        found = [row for row in _per_watt(found) if row[0].startswith(_MEANT["compute"])]
    meant = [row for row in found if row[0] in _MEANT.get(attribute, ())] or found
    holds = [row for row in meant if _holds(row[0], row[1], attribute, direction)]
    numbers = tuple(Number(row[0], row[1], "ratio", row[2], row[3], "arithmetic") for row in found)
    if not meant:
        return Verdict("unsupported", "attribute", text=Text("nothing_found"))
    status: Status = "consistent" if len(holds) == len(meant) else "imprecise" if holds else "contradicted"
    slot = "attribute" if status != "consistent" else "direction"
    scope = re.search(r"일부|특정|몇몇|certain|some\b|部分|某些", context.page.words(claim.sentence))
    if status == "imprecise" and attribute == "performance":
        status = "consistent" if scope else "imprecise"
        slot = "scope"
    evidence = [_pair_evidence(context, item, against, row) for row in found if row not in modelled]
    evidence += [Evidence("perf", f"{item}/{against}", f"{row[0]}: {row[4]}") for row in modelled if row in found]
    return Verdict(
        status,
        slot,
        {slot: status},
        numbers,
        tuple(evidence),
        Text(
            "comparison",
            {
                "a": context.name(item),
                "b": context.name(against),
                "holds": tuple(_ratio_text(r) for r in holds) or ("-",),
                "fails": tuple(_ratio_text(r) for r in meant if r not in holds) or ("-",),
            },
        ),
        Text("change_metric"),
        tuple(n for n in [_watt_note(found)] if n),
        _match(context, item, against),
    )


@lru_cache(maxsize=32)
def _matched(item: str, against: str) -> tuple[tuple[str, float, float, float, str], ...]:
    from chipweir.errors import InputError
    from chipweir.perf import match

    try:
        rows = match(item, against, _MATCHED_ON).measures
    except InputError:
        return ()
    result = []
    for row in rows:
        if row.quantity in _MODELLED and math.isfinite(row.ratio) and row.ratio > 0:
            spread = math.exp(1.2816 * row.log_sd) if math.isfinite(row.log_sd) else 1.0
            words = f"{row.a:.4g} against {row.b:.4g} {row.unit}, {_MATCHED_ON}; {row.note}".rstrip("; ")
            result.append((_MODELLED[row.quantity], row.ratio, row.ratio / spread, row.ratio * spread, words))
    return tuple(result)


# What the performance model adds to datasheets, on which language model.
_MATCHED_ON = "deepseek-v3"
_MODELLED = {
    "fp8 peak": "fp8_pflops",
    "fp4 peak": "fp4_pflops",
    "training": "training",
    "prefill": "prefill",
    "decode": "decode",
}


def modelled_ratios(item: str, against: str) -> list[tuple[str, float, float, float, str]]:
    """Ratios by the performance model: formats one side lacks, training, prefill and decode, with 80 % intervals."""
    return list(_matched(item, against))


def _ratio_text(row: tuple[str, float, float, float, str]) -> Text:
    return Text("attribute_ratio", {"attribute": row[0], "ratio": Number("", row[1], "ratio")})


def _holds(name: str, ratio: float, attribute: str | None, direction: str | None) -> bool:
    better = ratio
    if attribute == "performance" and name in {"power_kw", "tdp_w"}:
        return direction != "more" or ratio < 1
    if direction == "equal":
        return 0.7 <= better <= 1.5
    return better < 1 if direction == "less" else better > 1


_PER_WATT = " per W"


def _watt_note(found: list[tuple[str, float, float, float, str]]) -> Text | None:
    by = {row[0]: row[1] for row in found}
    power = by.get("power_kw") or by.get("tdp_w")
    compute = by.get("bf16_pflops") or by.get("bf16_tflops")
    if not power or not compute:
        return None
    return Text("per_watt", {"compute": compute, "power": power, "per_watt": compute / power})


def _pair_evidence(context: Context, item: str, against: str, row: tuple[str, float, float, float, str]) -> Evidence:
    a, b = record_of(context, item), record_of(context, against)
    x, y = (getattr(record, row[0].removesuffix(_PER_WATT)) for record in (a, b))
    kind: Any = "system" if item in context.facts.systems else "chip"
    return value_evidence(
        kind, f"{item}/{against}", f"{row[0]}: {x.best:g} {row[4]} against {y.best:g} {row[4]}", x, context.facts
    )


def _match(context: Context, item: str, against: str) -> str:
    both = record_of(context, item) is not None and record_of(context, against) is not None
    return f"chipweir match {item} {against} --model deepseek-v3" if both else ""


_POWER = frozenset({"tdp_w", "power_kw"})
_OF_WORK = frozenset({*_MEANT["compute"], *_MEANT["bandwidth"]})


def _per_watt(found: list[tuple[str, float, float, float, str]]) -> list[tuple[str, float, float, float, str]]:
    """Ratios of compute and bandwidth for each watt; none where the power of one of the two is unknown."""
    power = next((row for row in found if row[0] in _POWER), None)
    if power is None:
        return []
    return [
        (f"{name}{_PER_WATT}", value / power[1], low / power[3], high / power[2], unit)
        for name, value, low, high, unit in found
        if name in _OF_WORK
    ]
