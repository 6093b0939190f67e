"""Classification: numbers in, control paragraph out. It depends on the item and the rule version in force only."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from fractions import Fraction
from typing import Any

from chipweir.i18n import _, language
from chipweir.rules._asked import Item
from chipweir.rules._book import Book, Paragraph, shipped, spoken
from chipweir.rules._circuits import LOGIC, MEMORY, Circuit, Goods, goods, kind_label
from chipweir.rules._numbers import OPERATORS, shown
from chipweir.rules._records import Classification, Margin, Step, altered
from chipweir.rules._when import Test, Way
from chipweir.rules._words import day


STRICTNESS = {"none": 0, "b": 1, "a": 2, "c": 2, "4E091": 2}
_VARIED = ("tpp", "pd", "io_gbps", "mbd", "training_ops")
_PARAGRAPHS = {"none": "not_3A090", "b": "3A090.b", "a": "3A090.a", "c": "3A090.c", "4E091": "4E091"}
_NUDGE = Fraction(1, 10**12)


def truth(test: Test, numbers: Mapping[str, Any]) -> bool | None:
    """One comparison; None where the number is not known."""
    quantity, sign, literal = test
    value = numbers.get(quantity)
    return None if value is None else OPERATORS[sign](value, literal)


def all_of(tests: tuple[Test, ...], numbers: Mapping[str, Any]) -> bool | None:
    """Three-valued and: False beats unknown."""
    found: bool | None = True
    for test in tests:
        one = truth(test, numbers)
        if one is False:
            return False
        if one is None:
            found = None
    return found


def any_of(ways: tuple[Way, ...], numbers: Mapping[str, Any]) -> bool | None:
    """Three-valued or: True beats unknown."""
    found: bool | None = False
    for way in ways:
        one = all_of(way.tests, numbers)
        if one:
            return True
        if one is None:
            found = None
    return found


def meets(paragraph: Paragraph, numbers: Mapping[str, Any]) -> bool | None:
    """Whether a circuit meets a paragraph and no carve-out takes it out again."""
    inside = any_of(paragraph.any_of, numbers)
    if inside is False or paragraph.unless is None:
        return inside
    out = all_of(paragraph.unless.tests, numbers)
    if out:
        return False
    return None if out is None else inside


def _applies(paragraph: Paragraph, kind: str) -> bool:
    if paragraph.paragraph == "c":
        return kind in MEMORY
    if paragraph.paragraph == "4E091":
        return kind == "model_weights"
    return kind in LOGIC


def possible_classes(paragraphs: tuple[Paragraph, ...], kind: str, numbers: Mapping[str, Any]) -> frozenset[str]:
    """The classes a circuit may be of; more than one where a number that matters is missing."""
    found: set[str] = set()
    for paragraph in paragraphs:
        if not _applies(paragraph, kind):
            continue
        inside = meets(paragraph, numbers)
        if inside is not False:
            found.add(paragraph.paragraph)
        if inside:
            return frozenset(found)
    return frozenset(found | {"none"})


def _steps(paragraph: Paragraph, circuit: Circuit, prefix: str) -> list[Step]:
    """The tests of one paragraph on one circuit, in order."""
    steps = []
    sources, trust = paragraph.sources, paragraph.confidence
    ways = [*paragraph.any_of, *([paragraph.unless] if paragraph.unless else [])]
    for way in ways:
        is_carve_out = way is paragraph.unless
        for quantity, sign, literal in way.tests:
            value = circuit.numbers.get(quantity)
            outcome = truth(Test(quantity, sign, literal), circuit.numbers)
            text = f"{prefix}{quantity} {shown(value)} {sign} {shown(literal)}"
            name = spoken(way, "name")
            label = _("carve-out {name}", name=name) if is_carve_out else name
            steps.append(
                Step("classification", paragraph.id, text, _word(outcome), value, sign, literal, sources, trust, label)
            )
    return steps


def _word(outcome: bool | None) -> str:
    return "unknown" if outcome is None else "yes" if outcome else "no"


def _way_met(paragraph: Paragraph, numbers: Mapping[str, Any]) -> str:
    met = [spoken(way, "name") or _("all tests") for way in paragraph.any_of if all_of(way.tests, numbers)]
    return "+".join(met)


_OUTSIDE = ("3A991", "4A994", "EAR99")


def stated_classes(eccn: str) -> frozenset[str] | None:
    """The classes a control number stated by the exporter stands for; None for one that is not modelled."""
    number, _dot, rest = eccn.partition(".")
    last = eccn.rsplit(".", 1)[-1]
    if number in ("3A090", "4A090"):
        return frozenset({rest[0]}) if rest[:1] in ("a", "b", "c") else frozenset({"a", "b"})
    if rest.startswith("z"):  # the paragraphs of other entries that carry what meets 3A090 or 4A090
        return frozenset({last}) if last in ("a", "b") else frozenset({"a", "b"})
    if number == "4E091":
        return frozenset({"4E091"})
    return frozenset({"none"}) if number in _OUTSIDE else None


def classify_goods(
    stuff: Goods, on: date, book: Book, *, trace: bool = True, margins: bool | None = None
) -> Classification:
    """Classify resolved goods; a computer by its worst circuit."""
    wanted = trace, trace if margins is None else margins
    if not stuff.catalogued:
        held = _classified_once(stuff, on, book, *wanted)
    else:
        key = ("of the catalogue", id(stuff.circuits), wanted, language(), book.period(on))
        kept: tuple[Any, Classification] | None = book.remembered(key)
        if kept is None or kept[0] is not stuff.circuits:
            kept = stuff.circuits, _classified_once(stuff, on, book, *wanted)
            book.remember(key, kept)
        held = kept[1]
    return altered(held, on=on, assumptions=(*stuff.assumptions, *held.assumptions), as_of=book.as_of)


def _classified_once(stuff: Goods, on: date, book: Book, trace: bool, measured: bool) -> Classification:
    """The class of goods with these numbers under the paragraphs of a day, kept for all goods like them."""
    paragraphs = book.current_paragraphs(on)
    circuits = tuple((circuit.name, *circuit.numbers.values()) for circuit in stuff.circuits)
    computers = tuple(on >= since for since in book.computers.values())
    rules = tuple(p.id for p in paragraphs)
    key = ("classified", trace, measured, language(), stuff.kind, stuff.name, stuff.eccn, circuits, rules, computers)
    held: Classification | None = book.remembered(key)
    if held is None:
        held = _classified(stuff, on, book, paragraphs, trace, measured)
        book.remember(key, held)
    return held


def _classified(
    stuff: Goods, on: date, book: Book, paragraphs: tuple[Paragraph, ...], trace: bool, measured: bool
) -> Classification:
    """As `classify_goods`; apart from `on` and the assumptions the same for all days of one version of the rules."""
    applied = [paragraph for paragraph in paragraphs if _applies(paragraph, stuff.kind)]
    per_circuit = [possible_classes(paragraphs, stuff.kind, circuit.numbers) for circuit in stuff.circuits]
    possible = _worst(per_circuit)
    stated, said = _by_statement(stuff, possible, applied)
    if stated is not None:
        return replace(stated, on=on)
    steps: list[Step] = []
    if trace:
        for circuit in dict.fromkeys(circuit.name for circuit in stuff.circuits):
            first = next(c for c in stuff.circuits if c.name == circuit)
            prefix = f"{circuit}: " if stuff.kind == "server" else ""
            for paragraph in applied:
                steps += _steps(paragraph, first, prefix)
                if meets(paragraph, first.numbers):
                    break
        if not applied:
            text = _("no paragraph reaches this kind: {kind}", kind=kind_label(stuff.kind))
            steps.append(Step("classification", "none", text, "no"))
    leading = _leading(stuff, per_circuit)
    eccn, basis, way = _label(stuff, on, book, possible, applied, leading.numbers)
    if trace:
        steps.append(Step("classification", basis or "none", stuff.name, eccn, note=way))
    missing = _missing(possible, applied, stuff.circuits)
    margins = _margins(leading, stuff.kind, paragraphs, book) if measured and len(possible) == 1 and applied else ()
    return Classification(
        eccn, on, leading.numbers.get("tpp"), leading.numbers.get("pd"), possible, way, basis, missing, tuple(steps),
        margins, said, stuff.name,
    )  # fmt: skip


def _by_statement(
    stuff: Goods, possible: frozenset[str], applied: list[Paragraph]
) -> tuple[Classification | None, tuple[str, ...]]:
    """The class by the control number that the exporter states, where no numbers decide; else what to say of it."""
    if stuff.eccn is None:
        return None, ()
    stated = stated_classes(stuff.eccn)
    if stuff.kind in LOGIC | MEMORY | {"model_weights"} and len(possible) == 1:
        if stated != possible:
            return None, (_("stated as {eccn}; the numbers decide", eccn=stuff.eccn),)
        return None, ()
    in_force = {paragraph.paragraph for paragraph in applied}
    classes = frozenset(c if c in in_force else "none" for c in stated or {"none"})
    if stuff.kind not in LOGIC | MEMORY | {"model_weights"}:
        classes = frozenset({"n/a"})
    text = _("control number {eccn} as stated by the exporter", eccn=stuff.eccn)
    step = Step("classification", stuff.eccn, text, stuff.eccn)
    found = Classification(
        stuff.eccn, date.min, None, None, classes, way=text, basis=stuff.eccn, trace=(step,), name=stuff.name,
        assumptions=(_("classification taken from the control number stated, not from numbers"),),
    )  # fmt: skip
    return found, ()


def _worst(per_circuit: list[frozenset[str]]) -> frozenset[str]:
    if len(per_circuit) == 1:
        return per_circuit[0]
    least = max(min(STRICTNESS[c] for c in classes) for classes in per_circuit)
    return frozenset(c for classes in per_circuit for c in classes if STRICTNESS[c] >= least)


def _leading(stuff: Goods, per_circuit: list[frozenset[str]]) -> Circuit:
    def rank(pair: tuple[Circuit, frozenset[str]]) -> tuple[int, Fraction]:
        circuit, classes = pair
        return max(STRICTNESS[c] for c in classes), circuit.numbers.get("tpp") or Fraction(0)

    return max(zip(stuff.circuits, per_circuit, strict=True), key=rank)[0]


def _label(
    stuff: Goods, on: date, book: Book, possible: frozenset[str], applied: list[Paragraph], numbers: Mapping[str, Any]
) -> tuple[str, str, str]:
    """ECCN, rule id and the way it is met."""
    if stuff.kind not in LOGIC and stuff.kind not in MEMORY and stuff.kind != "model_weights":
        return "n/a", "", _("outside advanced computing")
    if len(possible) > 1:
        classes = ", ".join(sorted(possible, key=STRICTNESS.__getitem__))
        return "undetermined", "", _("possible: {classes}", classes=classes)
    (found,) = possible
    if found == "none" and stuff.kind == "model_weights":
        return "n/a", "", _("not 4E091")
    if found == "none":
        return "not_3A090", applied[0].id if applied else "", _why_out(applied, numbers)
    paragraph = next(p for p in applied if p.paragraph == found)
    way = _way_met(paragraph, numbers)
    if stuff.kind != "server":
        return paragraph.eccn, paragraph.id, way
    computer = f"4A090.{found}"
    if on < book.computers.get(computer, on):
        text = _("{way}; no {computer} yet: the .z paragraphs follow the circuits inside", way=way, computer=computer)
        return paragraph.eccn, paragraph.id, text
    return computer, paragraph.id, _("{way} by the worst circuit inside", way=way)


def _why_out(applied: list[Paragraph], numbers: Mapping[str, Any]) -> str:
    for paragraph in applied:
        if (
            paragraph.unless
            and any_of(paragraph.any_of, numbers) is not False
            and all_of(paragraph.unless.tests, numbers)
        ):
            return spoken(paragraph.unless, "name")
    return ""


def _missing(possible: frozenset[str], applied: list[Paragraph], circuits: tuple[Circuit, ...]) -> tuple[str, ...]:
    if len(possible) < 2:
        return ()
    missing: dict[str, None] = {}
    for circuit in circuits:
        for paragraph in applied:
            for way in paragraph.any_of:
                if all_of(way.tests, circuit.numbers) is None:
                    for quantity, _, _ in way.tests:
                        if circuit.numbers.get(quantity) is None:
                            missing[_asked(quantity, circuit)] = None
    return tuple(missing)


def _asked(quantity: str, circuit: Circuit) -> str:
    if quantity == "mem_plus_io_gbps":
        return "io_gbps" if circuit.numbers.get("io_gbps") is None else "mem_bw_gbps"
    if quantity != "pd":
        return quantity
    return "die_mm2" if circuit.numbers.get("area") is None else "tpp"


def varied(numbers: Mapping[str, Any], quantity: str, value: Fraction) -> dict[str, Any]:
    """The numbers with one changed; performance density follows TPP while the die stays as it is, a sum its parts."""
    changed = {**numbers, quantity: value}
    memory, links = changed.get("mem_bw_gbps"), changed.get("io_gbps")
    if quantity in ("mem_bw_gbps", "io_gbps") and memory is not None and links is not None:
        changed["mem_plus_io_gbps"] = memory + links
    if quantity == "tpp" and numbers.get("pd") is not None and numbers["tpp"]:
        changed["pd"] = numbers["pd"] * value / numbers["tpp"]
    return changed


def _margins(circuit: Circuit, kind: str, paragraphs: tuple[Paragraph, ...], book: Book) -> tuple[Margin, ...]:
    """What would flip the class: for each quantity and direction the nearest threshold, smallest change first."""
    key = (
        "margins",
        language(),
        tuple(p.id for p in paragraphs),
        kind,
        tuple(circuit.numbers.get(q) for q in (*_VARIED, "data_centre")),
    )
    held: tuple[Margin, ...] | None = book.remembered(key)
    if held is not None:
        return held
    present = possible_classes(paragraphs, kind, circuit.numbers)
    found: list[Margin] = []
    tests = [
        test
        for p in paragraphs
        if _applies(p, kind)
        for way in (*p.any_of, *([p.unless] if p.unless else []))
        for test in way.tests
    ]
    for quantity in _VARIED:
        value = circuit.numbers.get(quantity)
        if value is None:
            continue
        lines = {(literal, sign) for name, sign, literal in tests if name == quantity and isinstance(literal, Fraction)}
        density = circuit.numbers.get("pd")
        if quantity == "tpp" and density:  # on the same die, TPP moves density too
            lines |= {
                (x * value / density, sign) for name, sign, x in tests if name == "pd" and isinstance(x, Fraction)
            }
        above = sorted((line for line in lines if line[0] >= value), key=lambda line: (line[0], line[1]))
        below = sorted((line for line in lines if line[0] <= value), key=lambda line: (-line[0], line[1]))
        for direction, ordered in ((1, above), (-1, below)):
            margin = _first_flip(circuit, kind, paragraphs, present, quantity, value, ordered, direction)
            if margin is not None:
                found.append(margin)
    found = [margin for margin in found if not _shadow(margin, found, circuit.numbers)]
    found.sort(key=lambda margin: margin.relative)
    book.remember(key, tuple(found))
    return tuple(found)


def _shadow(margin: Margin, found: list[Margin], numbers: Mapping[str, Any]) -> bool:
    """Whether a TPP margin only restates a density margin: the same line, reached by the same relative change."""
    return margin.quantity == "tpp" and any(
        other.quantity == "pd"
        and other.becomes == margin.becomes
        and other.threshold * numbers["tpp"] == margin.threshold * numbers["pd"]
        for other in found
    )


def _first_flip(
    circuit: Circuit, kind: str, paragraphs: tuple[Paragraph, ...], present: frozenset[str], quantity: str,
    value: Fraction, lines: list[tuple[Fraction, str]], direction: int,
) -> Margin | None:  # fmt: skip
    for threshold, sign in lines:
        reached = threshold * (1 + direction * _NUDGE)
        becomes = possible_classes(paragraphs, kind, varied(circuit.numbers, quantity, reached))
        if becomes != present:
            label = _(" or ").join(_PARAGRAPHS[name] for name in sorted(becomes, key=STRICTNESS.__getitem__))
            return Margin(quantity, value, sign, threshold, label)
    return None


def classify(
    item: Item | str | Mapping[str, Any], on: date | str | None = None, rules: Book | None = None
) -> Classification:
    """The control paragraph of `item` (a name, a mapping or an `Item`) on a day (today by default).

    TPP is the highest over precisions of dense TOPS times bit length, summed over the dies of a package; performance
    density is TPP over the area of the non-planar logic dies in mm2. Raises `InputError` or `UnknownName`.
    """
    moment = date.today() if on is None else day(on, "on")
    return classify_goods(goods(Item.of(item)), moment, rules or shipped())
