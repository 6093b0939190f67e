"""What of the model an observation is compared with: arithmetic on its variables, month by month or by year.

`hbm_by_vendor[vendor=micron] / hbm_by_vendor` names variables with labels of their dimensions: several labels joined by
`+` and dimensions left out are summed over.
"""

import ast
import operator
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt

from chipweir.errors import InputError, UnknownName
from chipweir.world import coordinates, variables


FloatArray = npt.NDArray[np.float64]
Kept = Mapping[str, npt.NDArray[Any]]

_NAME = re.compile(r"(?P<name>[a-z][a-z0-9_]*)(?:\[(?P<labels>[^\]]*)\])?")
_OPERATORS: Mapping[type, Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
}


@dataclass(frozen=True)
class Quantity:
    """A checked expression. `axis` is month or year, `variables` the outputs it reads."""

    text: str
    axis: str
    variables: tuple[str, ...]
    tree: ast.expr
    parts: Mapping[str, tuple[str, tuple[Any, ...]]]

    def of(self, kept: Kept) -> FloatArray:
        """Its value for every member, `[member, month or year]`."""
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.asarray(_value(self.tree, {name: _read(kept, *part) for name, part in self.parts.items()}))


@lru_cache(maxsize=512)
def quantity(text: str, where: str = "") -> Quantity:
    """The quantity that `text` writes. Raises `InputError` or `UnknownName` saying where."""
    known = {row["name"]: row for row in variables()}
    parts: dict[str, tuple[str, tuple[Any, ...]]] = {}
    axes = set()

    def stand_in(found: re.Match[str]) -> str:
        row = known.get(found["name"])
        if row is None:
            raise UnknownName("variable", found["name"], known, where)
        axes.add(row["axis"] or "month")
        name = f"_{len(parts)}"
        parts[name] = (found["name"], _place(row, found["labels"] or "", where))
        return name

    try:
        tree = ast.parse(_NAME.sub(stand_in, text.strip()), mode="eval").body
    except SyntaxError:
        raise InputError(
            f"{where}: '{text}' is no arithmetic on variables, such as china_units[purchase=domestic]"
        ) from None
    if len(axes) != 1:
        raise InputError(f"{where}: '{text}' mixes variables by month and by year")
    names = tuple(dict.fromkeys(name for name, _ in parts.values()))
    return Quantity(text, axes.pop(), names, tree, parts)


def _place(row: Mapping[str, str], labels: str, where: str) -> tuple[Any, ...]:
    """Places along each dimension of a variable."""
    dims = row["dims"].split()
    given = dict(part.split("=", 1) for part in labels.split() if "=" in part)
    for dim in given:
        if dim not in dims:
            raise UnknownName(f"dimension of {row['name']}", dim, dims, where)
    axes, found = coordinates(), []
    for dim in dims:
        names = list(axes[dim])
        chosen = given[dim].split("+") if dim in given else names
        for label in chosen:
            if label not in names:
                raise UnknownName(dim, label, names, where)
        found.append(tuple(names.index(label) for label in chosen))
    return tuple(found)


def _read(kept: Kept, name: str, places: tuple[Any, ...]) -> FloatArray:
    values = np.asarray(kept[name])
    for place in reversed(places):
        values = values[..., list(place)].sum(-1) if len(place) > 1 else values[..., place[0]]
    return values.astype(float)


def _value(node: ast.expr, parts: Mapping[str, FloatArray]) -> Any:
    if isinstance(node, ast.Name) and node.id in parts:
        return parts[node.id]
    if isinstance(node, ast.Constant) and isinstance(node.value, int | float):
        return float(node.value)
    if isinstance(node, ast.BinOp) and type(node.op) in _OPERATORS:
        return _OPERATORS[type(node.op)](_value(node.left, parts), _value(node.right, parts))
    raise InputError("only + - * /, numbers and variables may stand in a quantity")
