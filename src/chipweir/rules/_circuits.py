"""From an item as stated to the integrated circuits that classification looks at, each with its numbers."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import lru_cache
from operator import attrgetter
from typing import Any

from chipweir.errors import InputError, UnknownName
from chipweir.i18n import _, language
from chipweir.rules._asked import ITEM_FIELDS, Item, process
from chipweir.rules._chips import ControlledChip
from chipweir.rules._identify import identify
from chipweir.rules._numbers import exact, shown
from chipweir.rules._parties import seat_of
from chipweir.rules._places import land
from chipweir.rules._words import N_, flag, folded, is_word, vocabulary


LOGIC = frozenset({"chip", "server", "logic_die"})
MEMORY = frozenset({"hbm_stack", "hbm1_stack", "hbm2_stack", "hbm2e_stack", "hbm3_stack", "hbm3e_stack", "hbm4_stack"})
MATERIALS = frozenset(
    ("gallium", "germanium", "antimony", "superhard_material", "graphite", "tungsten", "tellurium", "bismuth",
     "molybdenum", "indium", "rare_earths", "rare_earth_magnets", "rare_earth_products")
)  # fmt: skip
PLANAR_LIMIT_NM = 16  # logic at 16/14 nm or below is FinFET or GAA


KIND_LABELS = {
    "chip": N_("chip"), "server": N_("server"), "logic_die": N_("logic die"), "hbm_stack": N_("HBM stack"),
    "hbm1_stack": N_("HBM1 stack"), "hbm2_stack": N_("HBM2 stack"), "hbm2e_stack": N_("HBM2E stack"),
    "hbm3_stack": N_("HBM3 stack"), "hbm3e_stack": N_("HBM3E stack"), "hbm4_stack": N_("HBM4 stack"),
    "model_weights": N_("model weights"), "fab_tool": N_("chipmaking tool"), "technology": N_("technology"),
    "software": N_("software"), "gallium": N_("gallium"), "germanium": N_("germanium"), "antimony": N_("antimony"),
    "superhard_material": N_("superhard material"), "graphite": N_("graphite"), "tungsten": N_("tungsten"),
    "tellurium": N_("tellurium"), "bismuth": N_("bismuth"), "molybdenum": N_("molybdenum"), "indium": N_("indium"),
    "rare_earths": N_("rare earths"), "rare_earth_magnets": N_("rare-earth magnets"),
    "rare_earth_products": N_("product with rare earths"),
}  # fmt: skip


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
    """What an item comes down to. `dc` is a server's own data-centre flag, `eccn` the classification stated for the item.

    Of a chip that is only named (`catalogued`), the circuits are one and the same object for all shipments.
    """

    kind: str
    name: str
    circuits: tuple[Circuit, ...]
    quantity: Fraction
    assumptions: tuple[str, ...]
    dc: bool | None = None
    eccn: str | None = None
    catalogued: bool = False

    @property
    def for_data_centres(self) -> bool:
        """Whether anything in it is designed or marketed for data centres, or the whole is."""
        return self.dc is True or any(circuit.numbers.get("data_centre") for circuit in self.circuits)


def goods(item: Item) -> Goods:
    """Resolve names, sum dies, derive TPP and performance density. Raises `InputError` for contradictions."""
    if item.chip is not None and _others(item) == _NOTHING_ELSE:
        from chipweir import facts

        named = _by_name(item.chip, language(), facts.load())
        notes = list(named.assumptions)
        return Goods(named.kind, named.name, named.circuits, _quantity(item, notes), tuple(notes), catalogued=True)
    return _goods(item)


_OTHERS = tuple(name for name in ITEM_FIELDS if name not in ("chip", "quantity"))
_others = attrgetter(*_OTHERS)
_NOTHING_ELSE = (None,) * len(_OTHERS)


@lru_cache(maxsize=4096)
def _by_name(name: str, spoken: str, known: object) -> Goods:
    """What a name stands for, with what is to be said of it in one language."""
    del spoken, known
    return _goods(Item(chip=name, quantity=1))


def _goods(item: Item) -> Goods:
    notes: list[str] = []
    kind = _kind(item)
    if item.contains is not None:
        return _computer(item, notes)
    chip = _named(item, notes)
    if isinstance(chip, Item):
        return _goods(chip)
    if kind == "fab_tool" and item.eccn is None:
        notes.append(
            _("control number of the tool not stated: taken to be one of 3B001, 3B002, 3B090 or 3B991 to 3B994")
        )
    circuit = _circuit(item, chip, kind, notes)
    return Goods(kind, item.name or circuit.name, (circuit,), _quantity(item, notes), tuple(notes), eccn=item.eccn)


def _quantity(item: Item, notes: list[str]) -> Fraction:
    if item.quantity is None:
        notes.append(_("quantity not stated: one unit taken"))
        return Fraction(1)
    return exact(item.quantity, "item, quantity")


def _kind(item: Item) -> str:
    if item.contains is not None:
        return "server"
    if item.spec is not None:
        if item.spec in MEMORY and item.tpp is not None:
            return "chip"
        return item.spec
    if item.eccn is not None and item.chip is None:
        return _kind_of_number(item)
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


def _kind_of_number(item: Item) -> str:
    """What an item is that is only described by its control number."""
    assert item.eccn is not None
    if item.eccn.startswith("3B"):
        return "fab_tool"
    if item.eccn.startswith("3A090.c"):
        return "hbm_stack"
    if item.eccn.startswith(("4A", "5A992", "5A002", "5A004")):
        return "server"
    return {"D": "software", "E": "technology"}.get(item.eccn[1:2], "chip") if item.eccn != "4E091" else "model_weights"


_PROCESSING = ("tpp", "modes", "dies", "tpp_per_ic", "eccn")


def _named(item: Item, notes: list[str]) -> ControlledChip | Item | None:
    """The catalogue chip, or an item that stands for the name: a system's chips, a kind of goods ('hbm3e').

    A name that nothing answers to is a label where the numbers are stated.
    """
    if item.chip is None:
        return None
    stated = any(getattr(item, field) is not None for field in _PROCESSING)
    try:
        return identify(item.chip, item.maker, notes)
    except InputError as unknown:
        if stated:
            label = item.chip.strip()[:60]
            notes.append(
                _("{name} names no one chip of the catalogue: answered from the numbers stated, the name is a label",
                  name=label)
            )  # fmt: skip
            return None
        if not isinstance(unknown, UnknownName):
            raise
        if is_word("item_kinds", item.chip):
            return replace(item, chip=None, spec=item.chip)
        return _system(item, unknown)


def _system(item: Item, unknown: UnknownName) -> Item:
    from chipweir import facts

    try:
        system = facts.load().system(item.chip or "")
    except InputError:
        raise unknown from None
    chips = system.n_chips.best if hasattr(system.n_chips, "best") else system.n_chips
    inside = {"chip": system.chip, "quantity": int(chips or 1)}
    return Item(contains=(inside,), quantity=item.quantity, dc=item.dc, name=system.name)


def _computer(item: Item, notes: list[str]) -> Goods:
    if not item.contains:
        raise InputError("item, contains: the list is empty; name at least one IC, or say spec: chip")
    if item.chip is not None:
        notes.append(_("classified by what it contains; the name {name} is not looked up", name=item.chip[:40]))
    circuits: list[Circuit] = []
    for number, entry in enumerate(item.contains, 1):
        where = f"item, contains, entry {number}"
        part = dict(entry) if isinstance(entry, Mapping) else entry
        if isinstance(part, dict):
            if "n" in part:
                part["quantity"] = part.pop("n")
            part.setdefault("quantity", 1)
        held = Item.of(part, where)
        inner = goods(held if held.quantity is not None else replace(held, quantity=1))
        notes.extend(inner.assumptions)
        circuits += [
            Circuit(c.name, c.numbers, c.chip, c.maker, c.maker_country, c.us_available, c.count * inner.quantity)
            for c in inner.circuits
        ]
    if item.dc is not None and any(circuit.numbers.get("data_centre") != item.dc for circuit in circuits):
        notes.append(_("a server's own data-centre flag does not change what its chips are"))
    distinct = list(dict.fromkeys(circuit.name for circuit in circuits))
    name = item.name or _("server with {chips}", chips=", ".join(distinct))
    quantity = _quantity(item, notes)
    return Goods("server", name, tuple(circuits), quantity, tuple(dict.fromkeys(notes)), item.dc, item.eccn)


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
    if chip is not None:
        notes += _overridden(item, chip, numbers)
    if kind in MEMORY:
        numbers["mbd"], numbers["mbd_stated"] = _stack_density(item, kind, notes)
        numbers["co_packaged_with_processor"] = bool(item.co_packaged_with_processor)
        if item.co_packaged_with_processor is None:
            notes.append(_("not stated whether co-packaged with a processor: taken as a stack by itself"))
    if kind == "model_weights":
        numbers.update(_model(item, notes))
    if chip is not None and chip.inferred and numbers["tpp"] is None:
        notes.append(
            _("{name}: TPP not published; inferred to be designed to stay outside 3A090, which decides nothing here",
              name=chip.name)
        )  # fmt: skip
    if chip is not None and chip.guess is not None and numbers["tpp"] is None:
        notes.append(
            _("{name}: TPP not known well; estimates of low confidence give {tpp}, which decides nothing here",
              name=chip.name, tpp=shown(exact(chip.guess, "tpp")))
        )  # fmt: skip
    available = item.us_available_2026_01_15
    if available is None and chip is not None:
        available = chip.us_available == "yes"
    maker = item.maker or (_name_of_maker(chip) if chip else None)
    seat = item.maker_country or (chip.maker_country if chip else None) or (seat_of(maker) if maker else None)
    label = item.name or (chip.name if chip else item.chip.strip()[:60] if item.chip else _described(item, kind, tpp))
    return Circuit(label, numbers, chip.id if chip else None, maker, land(seat) if seat else None, available)


_HELD = {"tpp": "tpp", "area": "die_mm2", "io_gbps": "io_gbps", "mem_bw_gbps": "mem_bw_gbps"}
_SAME = Fraction(1, 100)  # datasheets are rounded


def _overridden(item: Item, chip: ControlledChip, numbers: Mapping[str, Any]) -> Iterator[str]:
    """What is stated of a chip of the catalogue and is not what the catalogue gives: it is taken, and said."""
    for quantity, field in _HELD.items():
        held, taken = getattr(chip, field), numbers[quantity]
        if held is not None and taken is not None and abs(taken - exact(held, field)) > _SAME * exact(held, field):
            yield _("{name}: {field} taken as stated, {taken}; the catalogue gives {held}",
                    name=chip.name, field=field, taken=shown(taken), held=shown(exact(held, field)))  # fmt: skip
    if item.dc is not None and chip.dc is not None and item.dc != chip.dc:
        said = _("stated to be designed or marketed for data centres; the catalogue says that it is not") if item.dc else (
            _("stated not to be designed or marketed for data centres; the catalogue says that it is"))  # fmt: skip
        yield f"{chip.name}: {said}"


def _name_of_maker(chip: ControlledChip) -> str:
    """The maker as the chip's own name writes it, else its identifier in words."""
    words = chip.name.split()
    for count in range(1, len(words)):
        if folded("".join(words[:count])) == folded(chip.maker):
            return " ".join(words[:count])
    return chip.maker.replace("-", " ").title()


def _described(item: Item, kind: str, tpp: Fraction | None) -> str:
    label = kind_label(kind)
    if kind in LOGIC and tpp is not None:
        return _("{kind} of TPP {tpp}", kind=label, tpp=shown(tpp))
    return f"{label} {item.eccn}" if item.eccn else label


def kind_label(kind: str) -> str:
    """What a kind of goods is called."""
    return _(KIND_LABELS.get(kind, kind.replace("_", " ")))


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
            notes.append(_("modes are of one die and summed over {count} dies", count=count))
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
        die = _die(die, place)
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


_DIE_FIELDS = ("tpp", "modes", "die_mm2", "planar", "node_nm", "logic", "name")
_DIE_WORDS = {"mm2": "die_mm2", "area_mm2": "die_mm2", "area": "die_mm2", "node": "node_nm", "process": "node_nm"}


def _die(given: Mapping[str, Any], place: str) -> dict[str, Any]:
    """A die under the fields' own names; a node may be written as finfet, gaa or planar."""
    die: dict[str, Any] = {}
    for key, value in given.items():
        name = key if key in _DIE_FIELDS else _DIE_WORDS.get(str(key), "")
        if not name or name in die:
            raise UnknownName("die field", str(key), _DIE_FIELDS, where=place)
        die[name] = value
    if isinstance(die.get("node_nm"), str):
        node, non_planar = process(die["node_nm"], f"{place}, node")
        die["node_nm"] = node
        if non_planar is not None:
            die.setdefault("planar", not non_planar)
    return die


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


def _stack_density(item: Item, kind: str, notes: list[str]) -> tuple[Fraction | None, bool]:
    """GB/s per mm2, and whether it is stated; what is taken for a generation decides on control, never on an exception."""
    if item.mbd is not None:
        return exact(item.mbd, "item, mbd"), True
    if item.mem_bw_gbps is not None and item.die_mm2 is not None and exact(item.die_mm2, "item, die_mm2"):
        return exact(item.mem_bw_gbps, "item, mem_bw_gbps") / exact(item.die_mm2, "item, die_mm2"), True
    known = vocabulary()["hbm_density"].get(kind)
    if known is None:
        return None, False
    notes.append(_("memory bandwidth density not stated: {value} GB/s per mm2 taken for the generation",
                   value=known["value"]))  # fmt: skip
    return exact(known["value"], "mbd"), False


def _model(item: Item, notes: list[str]) -> dict[str, Any]:
    """Training operations that count: those of the model, or of a fine-tune above its own line."""
    operations = None if item.training_ops is None else exact(item.training_ops, "item, training_ops")
    if item.fine_tune_ops is not None:
        tuned = exact(item.fine_tune_ops, "item, fine_tune_ops")
        base = exact(item.base_training_ops or operations or 0, "item, base_training_ops")
        line = max(Fraction(25) * 10**24, base / 4)
        notes.append(_("fine-tune of a published model: counts only above {line} operations", line=shown(line)))
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
