"""From an item as stated to the integrated circuits that classification looks at, each with its numbers."""

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from chipweir.errors import InputError, UnknownName
from chipweir.i18n import _
from chipweir.rules._chips import ControlledChip, find
from chipweir.rules._numbers import exact, shown
from chipweir.rules._records import Item
from chipweir.rules._words import flag, vocabulary


LOGIC = frozenset({"chip", "server", "logic_die"})
MEMORY = frozenset({"hbm_stack", "hbm1_stack", "hbm2_stack", "hbm2e_stack", "hbm3_stack", "hbm3e_stack", "hbm4_stack"})
PLANAR_LIMIT_NM = 16  # logic at 16/14 nm or below is FinFET or GAA


@dataclass(frozen=True, slots=True)
class Circuit:
    """One packaged IC (or die, memory stack, model) with exact numbers; None where not known."""

    name: str
    numbers: Mapping[str, Any]
    chip: str | None = None
    maker: str | None = None
    maker_country: str | None = None
    us_available: bool | None = None
    count: Fraction = Fraction(1)


@dataclass(frozen=True, slots=True)
class Goods:
    """What an item comes down to."""

    kind: str
    name: str
    circuits: tuple[Circuit, ...]
    quantity: Fraction
    assumptions: tuple[str, ...]


def goods(item: Item) -> Goods:
    """Resolve names, sum dies, derive TPP and performance density. Raises `InputError` for contradictions."""
    notes: list[str] = []
    kind = _kind(item)
    if item.contains is not None:
        return _computer(item, notes)
    chip = _named(item)
    if isinstance(chip, Item):
        return goods(chip)
    circuit = _circuit(item, chip, kind, notes)
    quantity = exact(item.quantity, "item, quantity")
    return Goods(kind, item.name or circuit.name, (circuit,), quantity, tuple(notes))


def _kind(item: Item) -> str:
    if item.contains is not None:
        return "server"
    if item.spec is not None:
        if item.spec in MEMORY and item.tpp is not None:
            return "chip"
        return item.spec
    if item.chip is None and item.tpp is None and item.modes is None:
        if item.training_ops is not None or item.weights is not None or item.fine_tune_ops is not None:
            return "model_weights"
        if item.mbd is not None:
            return "hbm_stack"
        if (
            item.tpp_per_ic is None
            and item.dies is None
            and (item.node_nm is not None or item.transistors_bn is not None)
        ):
            return "logic_die"
    return "chip"


def _named(item: Item) -> ControlledChip | Item | None:
    """The catalogue chip, or, where the name is a system's, an item that contains its chips."""
    if item.chip is None:
        return None
    try:
        return find(item.chip)
    except UnknownName as unknown:
        from chipweir import facts

        try:
            system = facts.load().system(item.chip)
        except InputError:
            raise unknown from None
        chips = system.n_chips.best if hasattr(system.n_chips, "best") else system.n_chips
        inside = {"chip": system.chip, "quantity": int(chips or 1)}
        return Item(contains=(inside,), quantity=item.quantity, dc=item.dc, name=system.name)


def _computer(item: Item, notes: list[str]) -> Goods:
    if not item.contains:
        raise InputError("item, contains: the list is empty; name at least one IC, or say spec: chip")
    if item.chip is not None:
        notes.append(f"classified by what it contains; the name {item.chip[:40]} is not looked up")
    circuits: list[Circuit] = []
    for number, entry in enumerate(item.contains, 1):
        where = f"item, contains, entry {number}"
        part = dict(entry) if isinstance(entry, Mapping) else entry
        if isinstance(part, dict):
            for name in ("count", "n", "qty"):
                if name in part:
                    part["quantity"] = part.pop(name)
        inner = goods(Item.of(part, where))
        notes.extend(inner.assumptions)
        circuits += [
            Circuit(c.name, c.numbers, c.chip, c.maker, c.maker_country, c.us_available, c.count * inner.quantity)
            for c in inner.circuits
        ]
    if item.dc is not None:
        circuits = [
            Circuit(
                c.name, {**c.numbers, "data_centre": item.dc}, c.chip, c.maker, c.maker_country, c.us_available, c.count
            )
            for c in circuits
        ]
    distinct = list(dict.fromkeys(circuit.name for circuit in circuits))
    name = item.name or f"server with {', '.join(distinct)}"
    return Goods("server", name, tuple(circuits), exact(item.quantity, "item, quantity"), tuple(dict.fromkeys(notes)))


def _number(item: Item, name: str, chip: ControlledChip | None, held: str | None = None) -> Fraction | None:
    value = getattr(item, name)
    if value is None and chip is not None:
        value = getattr(chip, held or name)
    return None if value is None else exact(value, f"item, {name}")


def _circuit(item: Item, chip: ControlledChip | None, kind: str, notes: list[str]) -> Circuit:
    tpp, area = _processing(item, chip, notes)
    numbers: dict[str, Any] = {
        "tpp": tpp,
        "pd": _density(item, tpp, area),
        "area": area,
        "io_gbps": _number(item, "io_gbps", chip),
        "mem_bw_gbps": _number(item, "mem_bw_gbps", chip),
    }
    io, memory = numbers["io_gbps"], numbers["mem_bw_gbps"]
    numbers["mem_plus_io_gbps"] = io + memory if io is not None and memory is not None else None
    for name in ("node_nm", "transistors_bn"):
        numbers[name] = _number(item, name, None)
    numbers["non_planar"] = item.non_planar if item.non_planar is not None else _non_planar(numbers["node_nm"])
    numbers["has_hbm"] = item.has_hbm
    numbers["data_centre"] = _data_centre(item, chip, kind, notes)
    if kind in MEMORY:
        numbers["mbd"] = _stack_density(item, kind, notes)
        numbers["co_packaged_with_processor"] = bool(item.co_packaged_with_processor)
    if kind == "model_weights":
        numbers.update(_model(item, notes))
    if chip is not None and chip.inferred and numbers["tpp"] is None:
        notes.append(
            f"{chip.name}: TPP not published; inferred to be designed to stay outside 3A090, which decides nothing here"
        )
    if chip is not None and chip.guess is not None and numbers["tpp"] is None:
        guess = shown(exact(chip.guess, "tpp"))
        notes.append(
            f"{chip.name}: TPP not known well; estimates of low confidence give {guess}, which decides nothing here"
        )
    available = item.us_available_2026_01_15
    if available is None and chip is not None:
        available = chip.us_available == "yes"
    return Circuit(
        item.name or (chip.name if chip else _described(kind, tpp)), numbers, chip.id if chip else None,
        item.maker or (chip.maker if chip else None), item.maker_country or (chip.maker_country if chip else None),
        available,
    )  # fmt: skip


def _described(kind: str, tpp: Fraction | None) -> str:
    return (
        f"{kind.replace('_', ' ')} of TPP {shown(tpp)}" if kind in LOGIC and tpp is not None else kind.replace("_", " ")
    )


def _non_planar(node: Fraction | None) -> bool | None:
    return None if node is None else node <= PLANAR_LIMIT_NM


def _data_centre(item: Item, chip: ControlledChip | None, kind: str, notes: list[str]) -> bool:
    if item.dc is not None:
        return item.dc
    if chip is not None and chip.dc is not None:
        return chip.dc
    if kind in LOGIC:
        notes.append(_("not stated whether designed or marketed for data centres: taken as a data-centre item"))
    return True


def _processing(item: Item, chip: ControlledChip | None, notes: list[str]) -> tuple[Fraction | None, Fraction | None]:
    """TPP of the packaged IC and its applicable die area in mm2."""
    area = _number(item, "die_mm2", chip)
    if item.tpp is not None:
        return exact(item.tpp, "item, tpp"), area
    if item.tpp_per_ic is not None:
        return exact(item.tpp_per_ic, "item, tpp_per_ic"), area
    if isinstance(item.dies, tuple):
        rates, summed = _sum_of_dies(item.dies)
        if rates is not None and item.modes is None:
            return rates, area if item.die_mm2 is not None else summed
        area = area if item.die_mm2 is not None else summed
    if item.modes is not None:
        count = (
            exact(item.dies, "item, dies", least=1)
            if item.dies is not None and not isinstance(item.dies, tuple)
            else Fraction(1)
        )
        rates_by_bits = _modes(item.modes, "item, modes")
        if count > 1:
            notes.append(f"modes are of one die and summed over {count} dies")
        return max((count * rate * bits for bits, rate in rates_by_bits.items()), default=None), area
    if item.dies is not None and not isinstance(item.dies, tuple):
        exact(item.dies, "item, dies", least=1)
    return (exact(chip.tpp, "tpp") if chip is not None and chip.tpp is not None else None), area


def _modes(modes: Any, where: str) -> dict[Fraction, Fraction]:
    """Dense rate in TOPS by bit length; several processing units at one bit length add up."""
    if not isinstance(modes, list | tuple):
        raise InputError(f"{where}: expected a list of {{tops, bits}}, got {str(modes)[:60]!r}")
    rates: dict[Fraction, Fraction] = {}
    for number, mode in enumerate(modes, 1):
        place = f"{where}, entry {number}"
        if not isinstance(mode, Mapping) or not {"tops", "bits"} <= set(mode):
            raise InputError(f"{place}: expected {{tops, bits}}, got {str(mode)[:60]!r}")
        for key in mode:
            if key not in ("tops", "bits", "name", "sparse"):
                raise UnknownName("mode field", str(key), ("tops", "bits", "name", "sparse"), where=place)
        if flag(mode.get("sparse"), f"{place}, sparse"):
            continue  # sparse rates are not used
        bits = exact(mode["bits"], f"{place}, bits", least=1)
        rates[bits] = max(rates.get(bits, Fraction(0)), exact(mode["tops"], f"{place}, tops"))
    return rates


def _sum_of_dies(dies: tuple[Any, ...]) -> tuple[Fraction | None, Fraction | None]:
    """TPP (highest over precisions of the sum over dies) and area of the non-planar logic dies."""
    total: dict[Fraction, Fraction] = {}
    stated = Fraction(0)
    area: Fraction | None = Fraction(0)
    known = False
    for number, die in enumerate(dies, 1):
        place = f"item, dies, entry {number}"
        if not isinstance(die, Mapping):
            raise InputError(f"{place}: expected a mapping with tpp or modes and die_mm2, got {str(die)[:60]!r}")
        allowed = ("tpp", "modes", "die_mm2", "planar", "node_nm", "logic", "name")
        for key in die:
            if key not in allowed:
                raise UnknownName("die field", str(key), allowed, where=place)
        if die.get("modes") is not None:
            rates = {bits: rate * bits for bits, rate in _modes(die["modes"], f"{place}, modes").items()}
        elif die.get("tpp") is not None:
            stated += exact(die["tpp"], f"{place}, tpp")
            known, rates = True, {}
        else:
            rates = {}
        known = known or bool(rates)
        for bits, rate in rates.items():
            total[bits] = total.get(bits, Fraction(0)) + rate
        area = _add_area(area, die, place)
    return (stated + max(total.values(), default=Fraction(0)) if known else None), area


def _add_area(area: Fraction | None, die: Mapping[str, Any], place: str) -> Fraction | None:
    planar = flag(die.get("planar"), f"{place}, planar")
    if planar is None and die.get("node_nm") is not None:
        planar = exact(die["node_nm"], f"{place}, node_nm") > PLANAR_LIMIT_NM
    if planar or flag(die.get("logic"), f"{place}, logic") is False or area is None:
        return area
    return None if die.get("die_mm2") is None else area + exact(die["die_mm2"], f"{place}, die_mm2")


def _density(item: Item, tpp: Fraction | None, area: Fraction | None) -> Fraction | None:
    """Performance density; None where the area is unknown or no die is on a non-planar node."""
    if item.pd is not None:
        return exact(item.pd, "item, pd")
    return tpp / area if tpp is not None and area else None


def _stack_density(item: Item, kind: str, notes: list[str]) -> Fraction | None:
    if item.mbd is not None:
        return exact(item.mbd, "item, mbd")
    if item.mem_bw_gbps is not None and item.die_mm2 is not None and exact(item.die_mm2, "item, die_mm2"):
        return exact(item.mem_bw_gbps, "item, mem_bw_gbps") / exact(item.die_mm2, "item, die_mm2")
    known = vocabulary()["hbm_density"].get(kind)
    if known is None:
        return None
    notes.append(f"memory bandwidth density not stated: {known['value']} GB/s per mm2 taken ({known['note']})")
    return exact(known["value"], "mbd")


def _model(item: Item, notes: list[str]) -> dict[str, Any]:
    """Training operations that count: those of the model, or of a fine-tune above its own line."""
    operations = None if item.training_ops is None else exact(item.training_ops, "item, training_ops")
    if item.fine_tune_ops is not None:
        tuned = exact(item.fine_tune_ops, "item, fine_tune_ops")
        base = exact(item.base_training_ops or operations or 0, "item, base_training_ops")
        line = max(Fraction(25) * 10**24, base / 4)
        notes.append(f"fine-tune of a published model: counts only above {shown(line)} operations")
        operations = (
            (base + tuned if tuned > line else Fraction(0)) if base else (operations if tuned > line else Fraction(0))
        )
    weights, capable = item.weights, item.more_capable_than_best_open
    if weights is None:
        notes.append(_("not stated whether the weights are published: taken as closed"))
        weights = "closed"
    if capable is None:
        notes.append(_("not stated whether more capable than the best published model: taken as more capable"))
        capable = True
    return {"training_ops": operations, "weights": weights, "more_capable_than_best_open": capable}
