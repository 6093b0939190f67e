"""What-ifs: a fact, a value of a chip or system, or a price laid over what is known, with no file written."""

import hashlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from chipweir.errors import InputError, UnknownName
from chipweir.facts._control import FORMULA, with_derived
from chipweir.facts._facts import Facts
from chipweir.facts._records import CHIP_UNITS, SYSTEM_UNITS, Chip, Override, System, Value


SOURCE = "what-if"
_DIGITS = r"(?:\d{1,3}(?:,\d{3})+|\d+)?(?:\.\d+)?(?:[eE][-+]?\d+)?"
_TIMES = re.compile(rf"[x×*]\s*(?P<factor>{_DIGITS})")
_PERCENT = re.compile(rf"(?P<percent>[-+]{_DIGITS})\s*%")
_PLAIN = re.compile(rf"(?P<number>[-+]?{_DIGITS})\s*(?P<unit>.*)")


def changed(facts: Facts, changes: Mapping[str, str]) -> Facts:
    """`facts` with each of `changes` (id or `chip.quantity` to `x1.5`, `+10%`, `90000`, `90000 USD`) laid over it.

    A factor moves the whole range; a number replaces it. A bare number is in the unit in which the row is written. What
    was replaced stands in `Facts.overrides`. Raises `UnknownName` for an id that nothing has, `InputError` for a text
    that is no number or a unit that cannot measure the quantity.
    """
    for identifier, text in changes.items():
        facts = _laid(facts, identifier.strip(), str(text).strip())
    told = "".join(f"{identifier}={text}\n" for identifier, text in sorted(changes.items()))
    digest = hashlib.sha256(f"{facts.digest}\n{told}".encode()).hexdigest()
    return replace(facts, digest=digest, changes=dict(changes))


def _laid(facts: Facts, identifier: str, text: str) -> Facts:
    for table in ("facts", "prices"):
        records: Mapping[str, Any] = getattr(facts, table)
        if identifier in records:
            old = records[identifier]
            new = old.model_copy(update={"value": _value(facts, identifier, old.value, text), "origin": SOURCE})
            return _with(facts, table, {**records, identifier: new}, identifier, old, new)
    owner, _, quantity = identifier.rpartition(".")
    for table, units in (("chips", CHIP_UNITS), ("systems", SYSTEM_UNITS)):
        products: Mapping[str, Chip | System] = getattr(facts, table)
        if owner in products and quantity in units:
            return _product(facts, table, products, owner, quantity, text)
    raise UnknownName("fact, price or value", identifier, _known(facts, owner, quantity))


def _product(
    facts: Facts, table: str, products: Mapping[str, Chip | System], owner: str, quantity: str, text: str
) -> Facts:
    product = products[owner]
    found = product.alternatives(quantity)
    if not found:
        known = ", ".join(product.values)
        raise InputError(f"what-if {owner}.{quantity}: no value is known to change; {owner} has {known}")
    value = _value(facts, f"{owner}.{quantity}", found[0], text)
    others = tuple(other.model_copy(update={"preferred": False}) for other in found)
    values = {**product.values, quantity: (value, *others)}
    if isinstance(product, Chip):
        values = with_derived({**values, "tpp": [v for v in values.get("tpp", ()) if v.source != FORMULA]})
    best = {name: known[0] for name, known in values.items() if known and name in ("tpp", quantity)}
    new = product.model_copy(update={**best, "values": values})
    return _with(facts, table, {**products, owner: new}, f"{owner}.{quantity}", found[0], value)


def _with(facts: Facts, table: str, records: Mapping[str, Any], identifier: str, old: Any, new: Any) -> Facts:
    laid = Override(kind="what-if", id=identifier, replaced=old, by=new)
    tables: dict[str, Any] = {table: records, "overrides": (*facts.overrides, laid)}
    return replace(facts, **tables)


def _value(facts: Facts, identifier: str, old: Value, text: str) -> Value:
    numbers = _numbers(facts, identifier, old, text)
    note = f"what-if {text} of {old.reported}"
    ours = {"source": SOURCE, "url": "", "cls": "own", "confidence": "D", "published": "", "origin": SOURCE}
    return old.model_copy(update={**numbers, **ours, "note": note, "reported": text, "preferred": True})


def _numbers(facts: Facts, identifier: str, old: Value, text: str) -> dict[str, float | None]:
    if found := _TIMES.fullmatch(text):
        return _scaled(identifier, old, _float(identifier, text, found["factor"]))
    if found := _PERCENT.fullmatch(text):
        return _scaled(identifier, old, 1 + _float(identifier, text, found["percent"]) / 100)
    found = _PLAIN.fullmatch(text)
    number = _float(identifier, text, found["number"] if found else "")
    written = (found["unit"] if found else "") or _written(old)
    return {"low": None, "central": number * _factor(facts, identifier, written, old.unit), "high": None}


def _scaled(identifier: str, old: Value, factor: float) -> dict[str, float | None]:
    if factor < 0:
        raise InputError(f"what-if {identifier}: a factor of {factor:g} would turn the sign; write the number itself")
    bounds = {name: getattr(old, name) for name in ("low", "central", "high")}
    return {name: None if bound is None else bound * factor for name, bound in bounds.items()}


def _float(identifier: str, text: str, cell: str) -> float:
    try:
        number = float(cell.replace(",", ""))
    except ValueError:
        number = float("nan")
    if number != number or abs(number) == float("inf"):
        raise InputError(f"what-if {identifier}: '{text}' is no number; write 90000, 90000 USD, x1.5, +10% or -10%")
    return number


def _written(old: Value) -> str:
    """The unit in which the row states its number: what follows the number in `reported`."""
    found = re.fullmatch(r"(?:at least |at most )?[^ ]+(?: to [^ ]+)?(?: \([^)]*\))? (.+)", old.reported)
    return found[1] if found else old.unit


def _factor(facts: Facts, identifier: str, written: str, wanted: str) -> float:
    from chipweir.facts._units import factor

    scale = factor(written, wanted, facts.units)
    if scale is None:
        raise InputError(
            f"what-if {identifier}: '{written}' cannot be turned into {wanted or 'a pure number'}; "
            f"write the number in {wanted or 'no unit'} or leave the unit out"
        )
    return scale


def _known(facts: Facts, owner: str, quantity: str) -> Iterator[str]:
    yield from facts.facts
    yield from facts.prices
    for table in (facts.chips, facts.systems):
        if owner in table:
            yield from (f"{owner}.{name}" for name in table[owner].values)
        yield from (f"{key}.{quantity}" for key, product in table.items() if quantity in product.values)
