"""Values: units normalised, the source's own number kept, several sources of one quantity put in order."""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from functools import cache, partial
from pathlib import Path
from typing import Any, TypeVar

from chipweir.errors import InputError, UnknownName
from chipweir.facts._control import with_derived
from chipweir.facts._facts import rank
from chipweir.facts._known import by_table, known_by, published, since
from chipweir.facts._layers import VALUE_SCHEMAS, Schema, place_of
from chipweir.facts._names import Names
from chipweir.facts._records import Chip, Override, Price, Source, System, Value
from chipweir.facts._tables import Line, Row, build, flag, line_of, number, read_csv, without_value
from chipweir.facts._units import UnitRule, factor


AnyProduct = TypeVar("AnyProduct", Chip, System)
Grouped = Mapping[str, list[tuple[int, Line]]]


class Values:
    """Reads values and remembers what was overridden. With `day`, values known later are not there."""

    def __init__(
        self,
        units: Mapping[str, UnitRule],
        sources: Mapping[str, Source],
        overrides: list[Override],
        names: Names,
        directories: Sequence[Path],
        day: date | None = None,
    ) -> None:
        self.units, self.sources, self.overrides, self.names = units, sources, overrides, names
        self.directories, self.day = directories, day
        self.tables: dict[str, tuple[Callable[[], Grouped], Mapping[str, str]]] = {}

    def value(self, line: Line, unit: str | None = None, as_of: str = "", known: date | None = None) -> Value:
        """The value on `line`: in `unit` where one is wanted and can measure it, else in the canonical unit."""
        row = line.row
        numbers = {column: number(line, column) for column in ("low", "central", "high")}
        if all(bound is None for bound in numbers.values()) and row.get("unit") != "text":
            raise InputError(f"{line.where}: no number: fill low, central or high")
        written = row.get("unit", "")
        rule = self.units.get(written)
        scale, canonical = (rule.factor, rule.unit) if rule else (1.0, written)
        if unit is not None and canonical != unit:
            exact = factor(written, unit, self.units)
            scale, canonical = (exact, unit) if exact is not None else (scale, canonical)
        source = self.sources.get(row.get("source", ""))
        told = published(row, self.sources)
        data = {
            **{column: None if bound is None else bound * scale for column, bound in numbers.items()},
            "unit": canonical,
            "as_of": as_of or row.get("as_of", ""),
            "published": told,
            "known_by": known or known_by(told, as_of, row.get("as_of", "")),
            "source": row.get("source", ""),
            "url": row.get("url", source.url if source else ""),
            "cls": row.get("cls", source.cls if source else "own"),
            "confidence": row.get("confidence", "C"),
            "note": row.get("note", ""),
            "reported": _reported(row),
            "preferred": flag(row, "preferred", line.path, line.place),
            "origin": line.place,
        }
        return build(Value, data, line.path, line.place)

    def reader(self, name: str, model: type[AnyProduct], wanted: Mapping[str, str]) -> Callable[[Line], AnyProduct]:
        """A function that makes a chip or system from its line and the values that stand in the value table."""
        self.tables[name] = cache(partial(self._grouped, VALUE_SCHEMAS[name], wanted)), wanted
        kind = name.removesuffix("s")

        def make(line: Line) -> AnyProduct:
            known = self._of(line.row["id"], *self.tables[name])
            found = with_derived(known) if name == "chips" else {quantity: tuple(v) for quantity, v in known.items()}
            best = {quantity: _measuring(values, wanted[quantity]) for quantity, values in found.items()}
            cells = self.names.added(kind, {**line.row, "origin": line.place})
            dated = {"known_by": since(line.row, found)}
            return build(model, {**cells, **best, **dated, "values": found}, line.path, line.place)

        return make

    def dated(self, name: str) -> Callable[[Row], date]:
        """The day by which the chip or system on a row was known, or any early day where one of its values was."""
        grouped, _ = self.tables[name]
        return lambda row: date.min if row.get("id") in grouped() else since(row, {})

    def _grouped(self, schema: Schema, wanted: Mapping[str, str]) -> Grouped:
        """The lines of the value table by chip or system, each with the layer it stands in."""
        found: dict[str, list[tuple[int, Line]]] = defaultdict(list)
        stated: set[frozenset[tuple[str, str]]] = set()
        for layer, directory in enumerate(self.directories):
            path = directory / schema.file
            if not path.exists():
                continue
            for place, row in read_csv(path, schema.columns, schema.required):
                if row.get("quantity", "") not in wanted:
                    raise UnknownName("quantity", row.get("quantity", ""), wanted, where=f"{path}:{line_of(place)}")
                if len(self.directories) > 1:
                    said = frozenset(row.items())
                    if layer and said in stated:
                        continue
                    stated.add(said)
                if self.day is None or known_by(published(row, self.sources), row.get("as_of", "")) <= self.day:
                    line = Line(path, place_of(path, place, layer), row, layer)
                    found[row.get(schema.key, "")].append((layer, line))
        return dict(found)

    def _of(self, owner: str, grouped: Callable[[], Grouped], wanted: Mapping[str, str]) -> dict[str, list[Value]]:
        """The values of one chip or system by quantity, best first."""
        stacked: dict[str, list[list[Value]]] = {}
        for layer, line in grouped().get(owner, ()):
            quantity = line.row["quantity"]
            stack = stacked.setdefault(quantity, [[] for _ in self.directories])
            stack[layer].append(self.value(line, wanted[quantity]))
        return {quantity: self._settle(f"{owner}.{quantity}", stack) for quantity, stack in stacked.items()}

    def _settle(self, name: str, stacked: list[list[Value]]) -> list[Value]:
        """The values of all layers, best first; a preferred one in a higher layer wins, the displaced is kept."""
        filled = [sorted(values, key=rank) for values in stacked if values]
        winner = filled[0][0]
        for above in filled[1:]:
            if above[0].preferred:
                self.overrides.append(Override(kind="value", id=name, replaced=winner, by=above[0]))
                winner = above[0]
        if len(filled) == 1:
            return filled[0]
        marked = [
            value.model_copy(update={"preferred": value is winner}) for values in reversed(filled) for value in values
        ]
        return sorted(marked, key=rank)

    def unattached(self, owners: Mapping[str, Mapping[str, object]]) -> Mapping[str, tuple[Value, ...]]:
        """Values whose chip or system does not exist."""
        return {
            f"{owner}.{quantity}": tuple(found)
            for name, (grouped, wanted) in self.tables.items()
            for owner in grouped()
            if owner not in owners[name]
            for quantity, found in self._of(owner, grouped, wanted).items()
        }

    def price(self, line: Line) -> Price:
        """A price."""
        since = line.row.get("valid_from") or line.row.get("listed", "")
        value = self.value(line, as_of=since, known=by_table(self.sources)["prices"](line.row))
        cells: dict[str, Any] = {**without_value(line.row), "value": value, "origin": line.place}
        return build(Price, cells, line.path, line.place)


def _measuring(found: Sequence[Value], unit: str) -> Value | None:
    return next((value for value in found if value.unit == unit), None)


def _reported(row: Row) -> str:
    low, central, high = (row.get(column, "") for column in ("low", "central", "high"))
    span = f"{low} to {high}" if low and high else f"at least {low}" if low else f"at most {high}" if high else ""
    numbers = f"{central} ({span})" if central and span else central or span
    return f"{numbers} {row.get('unit', '')}".strip()
