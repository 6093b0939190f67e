"""Derivations: a cell of a table as an expression over facts and priors, so that a number is written once.

A cell may say

- `fab-004`, `nvidia-h20.tdp_w`: a fact, or the preferred value of a chip or system, with its range;
- `price(nvidia-h20)`, `price(nvidia-h20, 2025-06)`: a list price in force (on a day);
- `prior(15, 19, 20)`: a belief of ours (5th percentile, median, 95th percentile), in the unit of the cell or, within a
  product, a pure number; a fourth argument names another unit;
- `monthly(obs-921)`: what a fact says of a period, spread evenly over its months;
- `usd(dem-013, 2025-06)`: money of another currency at the rate of that month;
- `bounds(fab-001, fab-004, fab-006)`: three expressions as low, central and high;
- `spread(fab-072, 1.2)`, `spread(fab-072, 1.1, 1.3)`: the central value with a stated prior factor below and above;
- `known(fab-064, obs-234, prior(60, 70, 80))`: the first; as of an earlier day, the first of them that was known then;
- `mean(a, b)`, `sum(a, b)`; numbers and `+ - * /`.

A minus stands between blanks, for ids carry hyphens. Ranges combine as independent: the distance of a result's bound is
the root of the sum of squares of what each fact or prior moves it (in logs where all is positive).
"""

import ast
import math
import operator
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cache
from typing import TYPE_CHECKING, Any

from chipweir.errors import InputError, UnknownName
from chipweir.facts._units import unit_registry


if TYPE_CHECKING:
    from chipweir.facts._facts import Facts
    from chipweir.facts._records import Value

Dimension = tuple[tuple[str, float], ...]

# An id (`fab-004`, `nvidia-h20.tdp_w`), or a month or day; a lone word is a function's name.
_TOKEN = re.compile(
    r"(?P<date>\b(?:19|20)\d{2}-\d{2}(?:-\d{2})?\b)|(?<![\w.])(?P<id>[a-z][a-z0-9]*(?:[-+.][a-z0-9_]+)+)|(?P<text>'[^']*'|\"[^\"]*\")"
)
_OPERATORS: Mapping[type, Callable[[float, float], float]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
}
_NUMBER = ()


@dataclass(frozen=True)
class Term:
    """A leaf of an expression: a fact, a chip's value, a price or a prior, in the unit it is stated in."""

    name: str
    kind: str
    low: float
    central: float
    high: float
    unit: str

    @property
    def uncertain(self) -> bool:
        """Whether low and high differ."""
        return self.low < self.high


@dataclass(frozen=True)
class Derived:
    """What a cell comes to, in `unit`: the median and the 5th and 95th percentile, and the leaves behind it.

    `slopes` are the elasticities d ln central / d ln leaf, in the order of `terms`.
    """

    expression: str
    unit: str
    low: float
    central: float
    high: float
    terms: tuple[Term, ...] = ()
    slopes: tuple[float, ...] = ()

    @property
    def facts(self) -> tuple[str, ...]:
        """Ids of the facts and values it rests on."""
        return tuple(term.name for term in self.terms if term.kind != "prior")


@dataclass(frozen=True)
class _Amount:
    """A number on its way: a function of the leaves' values in base units, and its dimension; None where any will do."""

    of: Callable[[list[float]], float]
    dimension: Dimension | None


def derive(cell: str, facts: "Facts", unit: str = "", where: str = "") -> Derived:
    """What the expression `cell` comes to in `unit` ("" a pure number).

    Raises `InputError` naming `where` for a missing fact, a term of another dimension, or what is no expression.
    """
    reader = _Reader(facts, unit, where or f"cell '{cell}'")
    amount, bounds = reader.read(cell)
    scale_of, (scale, wanted) = reader.scale, reader.measured(unit)
    for part in (amount, *(bounds or ())):
        if part.dimension is not None and part.dimension != wanted:
            raise InputError(
                f"{reader.where}: '{cell}' is in {_say(part.dimension)}, which is no {unit or 'pure number'}"
            )
    terms = reader.terms
    at = [term.central * scale_of(term.unit) for term in terms]
    ends = [(term.low * scale_of(term.unit), term.high * scale_of(term.unit)) for term in terms]
    central = amount.of(at)
    low, high = _range(amount, at, ends) if bounds is None else (bounds[0].of(at), bounds[1].of(at))
    if not all(map(math.isfinite, (low, central, high))):
        raise InputError(f"{reader.where}: '{cell}' is no finite number")
    if facts.changes or facts.overrides:  # what one fact is said to be may pass the bound that another gave
        low, high = min(low, central), max(high, central)
    if not low <= central <= high:
        raise InputError(
            f"{reader.where}: '{cell}' gives {low / scale:g}, {central / scale:g}, {high / scale:g}: not in order"
        )
    return Derived(cell, unit, low / scale, central / scale, high / scale, tuple(terms), _slopes(amount, at, central))


def references(cell: str) -> tuple[str, ...]:
    """The ids that the expression `cell` names, in order."""
    return tuple(found["id"] for found in _TOKEN.finditer(cell) if found["id"])


def _range(amount: _Amount, at: list[float], ends: list[tuple[float, float]]) -> tuple[float, float]:
    """Bounds from the leaves' own bounds, one leaf moved at a time, distances added in squares."""
    central = amount.of(at)
    moved = [
        [amount.of([*at[:i], end, *at[i + 1 :]]) for end in pair] for i, pair in enumerate(ends) if pair[0] < pair[1]
    ]
    if central > 0 and all(value > 0 for pair in moved for value in pair):
        logs = [[math.log(value / central) for value in pair] for pair in moved]
        return tuple(central * math.exp(side) for side in _sides(logs))  # type: ignore[return-value]
    return tuple(central + side for side in _sides([[value - central for value in pair] for pair in moved]))  # type: ignore[return-value]


def _sides(changes: list[list[float]]) -> tuple[float, float]:
    down = math.sqrt(sum(min(0.0, *pair) ** 2 for pair in changes))
    return -down, math.sqrt(sum(max(0.0, *pair) ** 2 for pair in changes))


def _slopes(amount: _Amount, at: list[float], central: float) -> tuple[float, ...]:
    if not central:
        return tuple(0.0 for _ in at)
    step = 1e-4
    up, down = (
        [amount.of([*at[:i], value * (1 + sign * step), *at[i + 1 :]]) for i, value in enumerate(at)]
        for sign in (1, -1)
    )
    return tuple((above - below) / (2 * step * central) for above, below in zip(up, down, strict=True))


class _Reader:
    """Reads one cell: the leaves met, each once, and the amount they make."""

    def __init__(self, facts: "Facts", unit: str, where: str) -> None:
        self.facts, self.unit, self.where = facts, unit, where
        self.terms: list[Term] = []
        self.names: dict[str, str] = {}

    def read(self, cell: str) -> tuple[_Amount, tuple[_Amount, _Amount] | None]:
        """The cell's amount and, where it states them, its bounds."""
        tree = self._parse(cell)
        if isinstance(tree, ast.Call) and isinstance(tree.func, ast.Name):
            if tree.func.id == "bounds":
                low, central, high = (self._at_top(part) for part in self._arguments(tree, 3, 3))
                return central, (low, high)
            if tree.func.id == "spread":
                inner, *factors = self._arguments(tree, 2, 3)
                below, above = (self._number(factors[0]), self._number(factors[-1]))
                if min(below, above) < 1:
                    raise InputError(f"{self.where}: spread takes factors of at least 1, not {min(below, above):g}")
                central = self._at_top(inner)
                return central, (_times(central, 1 / below), _times(central, above))
        return self._at_top(tree), None

    def measured(self, unit: str) -> tuple[float, Dimension]:
        """Factor to base units and dimension of a unit as sources write it, or as pint reads it."""
        rule = self.facts.units.get(unit)
        factor, dimension = _measured(unit if rule is None else rule.unit, self.where)
        return factor * (1.0 if rule is None else rule.factor), dimension

    def scale(self, unit: str) -> float:
        """Factor from a unit to base units."""
        return self.measured(unit)[0]

    def _parse(self, cell: str) -> ast.expr:
        def stand_in(found: re.Match[str]) -> str:
            if found["text"]:
                return found[0]
            name = f"_{len(self.names)}"
            self.names[name] = found[0]
            return name

        try:
            return ast.parse(_TOKEN.sub(stand_in, cell.strip()), mode="eval").body
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            raise InputError(
                f"{self.where}: '{cell}' is no expression of facts and priors, such as fab-004 * 0.9"
            ) from None

    def _at_top(self, node: ast.expr) -> _Amount:
        """An amount that a bare number or prior gives in the unit of the cell."""
        if (number := _literal(node)) is not None:
            scale, dimension = self.measured(self.unit)
            return _Amount(lambda at: scale * number, dimension)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "prior":
            return self._prior(node, self.unit)
        return self._amount(node)

    def _amount(self, node: ast.expr) -> _Amount:
        if (number := _literal(node)) is not None:
            return _Amount(lambda at: number, _NUMBER)
        if isinstance(node, ast.Name):
            return self._named(node.id)
        if isinstance(node, ast.BinOp) and type(node.op) in _OPERATORS:
            return self._combined(node)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            return self._call(node)
        raise InputError(f"{self.where}: only + - * /, numbers, ids and functions may stand in a cell")

    def _combined(self, node: ast.BinOp) -> _Amount:
        left, right = self._amount(node.left), self._amount(node.right)
        apply = _OPERATORS[type(node.op)]

        def of(at: list[float]) -> float:
            try:
                return apply(left.of(at), right.of(at))
            except ZeroDivisionError:
                raise InputError(f"{self.where}: division by zero") from None

        if isinstance(node.op, ast.Add | ast.Sub):
            if left.dimension != right.dimension:
                raise InputError(
                    f"{self.where}: {_say(left.dimension)} and {_say(right.dimension)} cannot be added; a prior in another "
                    "unit names it: prior(1, 2, 3, 'USD')"
                )
            return _Amount(of, left.dimension)
        sign = 1 if isinstance(node.op, ast.Mult) else -1
        return _Amount(of, _product(left.dimension or _NUMBER, right.dimension or _NUMBER, sign))

    def _call(self, node: ast.Call) -> _Amount:
        name = node.func.id if isinstance(node.func, ast.Name) else ""
        if name == "prior":
            return self._prior(node, "")
        if name in ("sum", "mean"):
            parts = [self._amount(part) for part in self._arguments(node, 1, 99)]
            if len({part.dimension for part in parts}) > 1:
                raise InputError(f"{self.where}: {name} takes amounts of one dimension")
            share = 1.0 if name == "sum" else 1 / len(parts)
            return _Amount(lambda at: share * math.fsum(part.of(at) for part in parts), parts[0].dimension)
        if name == "known":
            return self._known(self._arguments(node, 2, 9))
        if name == "price":
            words = [self._word(part) for part in self._arguments(node, 1, 2)]
            return self._price(words[0], words[1] if words[1:] else None)
        if name == "monthly":
            (inner,) = self._arguments(node, 1, 1)
            return self._monthly(self._word(inner))
        if name == "usd":
            inner, day = self._arguments(node, 2, 2)
            return self._in_dollars(self._amount(inner), self._word(day))
        raise UnknownName(
            "function",
            name,
            ("prior", "price", "monthly", "usd", "known", "bounds", "spread", "mean", "sum"),
            self.where,
        )

    def _known(self, parts: list[ast.expr]) -> _Amount:
        """The first of `parts`; as of a day on which it was not known yet, the first that was."""
        if self.facts.as_of is None:
            return self._amount(parts[0])
        before = len(self.terms)
        for part in parts[:-1]:
            try:
                return self._amount(part)
            except InputError:  # a fact that is not there, or a chip without that value or price
                del self.terms[before:]
        return self._amount(parts[-1])

    def _named(self, stand_in: str) -> _Amount:
        name = self.names.get(stand_in)
        if name is None:
            raise InputError(f"{self.where}: '{stand_in}' is no id; ids look like fab-004 or nvidia-h20.tdp_w")
        fact = self.facts.facts.get(name)
        if fact is not None:
            return self._leaf(name, "fact", fact.value)
        owner, _, quantity = name.rpartition(".")
        record = self.facts.chips.get(owner) or self.facts.systems.get(owner)
        found = record.alternatives(quantity) if record is not None else ()
        if not found:
            known = (
                [*self.facts.facts, *self.facts.chips] if record is None else [f"{owner}.{q}" for q in record.values]
            )
            raise UnknownName("fact", name, known, self.where)
        return self._leaf(name, "value", found[0])

    def _leaf(self, name: str, kind: str, value: "Value") -> _Amount:
        low, high = value.interval
        return self._term(Term(name, kind, low, value.best, high, value.unit))

    def _term(self, term: Term) -> _Amount:
        if not math.isfinite(term.central):
            raise InputError(f"{self.where}: {term.name} states no number")
        known = [i for i, other in enumerate(self.terms) if other.name == term.name and other.kind != "prior"]
        place = known[0] if known else len(self.terms)
        if not known:
            self.terms.append(term)
        return _Amount(lambda at: at[place], self.measured(term.unit)[1])

    def _prior(self, node: ast.Call, unit: str) -> _Amount:
        arguments = self._arguments(node, 3, 4)
        low, central, high = (self._number(part) for part in arguments[:3])
        if not low <= central <= high:
            raise InputError(f"{self.where}: prior({low:g}, {central:g}, {high:g}) is not in order: low, central, high")
        given = self._word(arguments[3]) if len(arguments) == 4 else unit
        return self._term(Term(f"prior({low:g}, {central:g}, {high:g})", "prior", low, central, high, given))

    def _price(self, chip: str, on: str | None) -> _Amount:
        record = self.facts.chips.get(chip) or self.facts.systems.get(chip)
        if record is None:
            raise UnknownName("chip", chip, [*self.facts.chips, *self.facts.systems], self.where)
        value = record.price(on) if on is not None and hasattr(record, "price") else record.price_usd
        if value is None:
            raise InputError(f"{self.where}: the facts know no list price of {chip}; write prior(low, central, high)")
        return self._leaf(f"{chip}.price_usd", "value", value)

    def _monthly(self, name: str) -> _Amount:
        fact = self.facts.facts.get(name)
        if fact is None:
            raise UnknownName("fact", name, self.facts.facts, self.where)
        amount = self._leaf(name, "fact", fact.value)
        months = (fact.end - fact.start).days + 1
        whole = max(round(months / 30.4375), 1)
        month, time = self.measured("month")
        dimension = _product(amount.dimension or _NUMBER, time, -1)
        return replace(_times(amount, 1 / (whole * month)), dimension=dimension)

    def _in_dollars(self, amount: _Amount, on: str) -> _Amount:
        code = _currency(amount.dimension)
        if code is None:
            raise InputError(f"{self.where}: usd() takes an amount in a currency")
        rate = self.facts.convert(1.0, code, "USD", on)
        start, target = self.measured(code)[1], self.measured("USD")[1]
        dimension = _product(_product(amount.dimension or _NUMBER, start, -1), target, 1)
        return replace(_times(amount, rate), dimension=dimension)

    def _arguments(self, node: ast.Call, least: int, most: int) -> list[ast.expr]:
        if node.keywords or not least <= len(node.args) <= most:
            wanted = str(least) if least == most else f"{least} to {most}"
            name = node.func.id if isinstance(node.func, ast.Name) else "a function"
            raise InputError(f"{self.where}: {name} takes {wanted} arguments, not {len(node.args)}")
        return node.args

    def _number(self, node: ast.expr) -> float:
        number = _literal(node)
        if number is None:
            raise InputError(f"{self.where}: a plain number is expected in a prior or spread")
        return number

    def _word(self, node: ast.expr) -> str:
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            return node.value
        if isinstance(node, ast.Name) and node.id in self.names:
            return self.names[node.id]
        raise InputError(f"{self.where}: an id, a month such as 2025-06 or a unit in quotes is expected")


def _times(amount: _Amount, factor: float) -> _Amount:
    return _Amount(lambda at: factor * amount.of(at), amount.dimension)


def _literal(node: ast.expr) -> float | None:
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        inner = _literal(node.operand)
        return None if inner is None else -inner
    if isinstance(node, ast.Constant) and isinstance(node.value, int | float) and not isinstance(node.value, bool):
        return float(node.value)
    return None


@cache
def _measured(unit: str, where: str) -> tuple[float, Dimension]:
    """Factor to base units and dimension of a unit that pint knows. Raises `InputError` naming `where` for others."""
    try:
        base: Any = unit_registry().Quantity(1.0, unit).to_base_units()
    except Exception:
        raise InputError(f"{where}: unit '{unit}' is unknown") from None
    return float(base.magnitude), tuple(sorted((str(k), float(v)) for k, v in base.dimensionality.items()))


def _product(left: Dimension, right: Dimension, sign: int) -> Dimension:
    powers = dict(left)
    for name, power in right:
        powers[name] = powers.get(name, 0.0) + sign * power
    return tuple(sorted((name, power) for name, power in powers.items() if power))


def _currency(dimension: Dimension | None) -> str | None:
    found = [name for name, _ in dimension or () if name.startswith("[money_")]
    return found[0].removeprefix("[money_").rstrip("]").upper() if found else None


def _say(dimension: Dimension | None) -> str:
    words = [f"{name.strip('[]')}{'' if power == 1 else f'^{power:g}'}" for name, power in dimension or ()]
    return " x ".join(words) or "pure numbers"
