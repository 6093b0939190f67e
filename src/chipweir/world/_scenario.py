"""Scenario files: dated settings of levers over a baseline, read from YAML and checked before anything runs.

A file speaks only of what it changes. It extends another (the preset `baseline` unless it says otherwise); a plain
value replaces the parent's for the whole run, a dated series takes over from its first month on.
"""

import json
import re
from collections.abc import Mapping, Sequence
from functools import cache
from hashlib import sha256
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from chipweir import reading
from chipweir.errors import InputError, UnknownName
from chipweir.world._levers import (
    LAW,
    PRODUCT_CLASSES,
    Lever,
    find_lever,
    is_month,
    levers,
    parse_month,
    product_ids,
    setting_name,
)


if TYPE_CHECKING:
    import numpy as np


# The last month for which products and beliefs are declared (the tables' last rows are carried on flat).
FIRST_MONTH, LAST_MONTH = "2022-01", "2035-12"
_MONTH_PATTERN = r"^\d{4}-(0[1-9]|1[0-2])$"
DEFAULT_RUN = ("baseline", "blockade", "weir", "open")
_PARENT = "baseline"

Setting = float | str | dict[str, float | str]
"""A plain value, or values by the month from which each holds."""


class ProductPlan(BaseModel):
    """What a scenario says of a product: when it is sold, how many are made, and, for a new one, what it is like."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    start: str | None = Field(
        default=None, pattern=_MONTH_PATTERN, description="First month of sales, such as 2026-06."
    )
    end: str | None = Field(default=None, pattern=_MONTH_PATTERN, description="Last month in which it is made.")
    units_per_year: float | None = Field(
        default=None, gt=0, le=2e7, description="Units made a year, as far as parts allow."
    )
    basis: str | None = Field(default=None, description="Chip of the facts whose datasheet a new product has.")
    scale: float = Field(default=1.0, gt=0, le=100, description="Worth of a new product relative to its basis.")
    price_usd: float | None = Field(default=None, gt=0, le=1e7, description="List price of a new product, USD.")


class Scenario(BaseModel):
    """A resolved scenario: needs no other file. `levers` is flat, by dotted name; the rest is at default."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(pattern=r"^[a-z0-9][a-z0-9-]*$", max_length=60, description="Short name: a-z, 0-9 and hyphens.")
    title: str = Field(default="", description="A line for tables and figures.")
    description: str = Field(default="", description="What happens in this scenario and why one would ask.")
    extends: str | None = Field(default=None, description="A preset or a file beside this one; null for none.")
    start: str = Field(default=FIRST_MONTH, description="First month simulated, such as 2022-01.")
    end: str = Field(default="2032-12", description="Last month simulated, such as 2032-12.")
    levers: dict[str, Setting] = Field(default={}, description="What this scenario changes.")
    events: bool = Field(default=False, description="Whether policy events are drawn (as in `forecast`).")
    products: dict[str, ProductPlan] = Field(
        default={}, description="Products that this scenario brings, dates or orders, by their name."
    )
    rules: list[dict[str, Any]] = Field(
        default=[], description="Rule overlays: files beside this one, or written here."
    )
    notes: list[str] = Field(default=[], description="Remarks on the settings.")
    sources: list[str] = Field(default=[], description="Where the settings come from.")

    @property
    def months(self) -> "np.ndarray":
        """Every month of the run as `datetime64[M]`."""
        import numpy as np

        return np.arange(np.datetime64(self.start, "M"), np.datetime64(self.end, "M") + 1)

    def series(self, lever: str, months: "Sequence[Any] | np.ndarray | None" = None, law: Any = None) -> "np.ndarray":
        """The lever's number in each month (shape `[month]`, the lever's unit; choices as their codes).

        Months left to the rules take `law` (a number or an array over months), or NaN where none is given. For a lever
        set by product, `lever` ends in a class or product id and only that setting and `all` count.
        """
        record, product = find_lever(lever)
        return self._layered(record, ("all", product) if record.by_product else ("",), months, law)

    def product_series(
        self,
        lever: str,
        product: str,
        product_class: str,
        months: "Sequence[Any] | np.ndarray | None" = None,
        law: Any = None,
    ) -> "np.ndarray":
        """As `series`, for one product: its own setting outranks that of its class, which outranks `all`."""
        record, _ = find_lever(f"{lever}.{product}")
        return self._layered(record, ("all", product_class, product), months, law)

    def named_series(
        self, lever: str, products: Sequence[str], months: "Sequence[Any] | np.ndarray | None" = None
    ) -> "np.ndarray":
        """What the settings of these products or classes alone say in each month, later ones over earlier; NaN for none."""
        record, _ = find_lever(lever)
        return self._layered(record, products, months, None)

    def _layered(self, lever: Lever, products: Sequence[str], months: Any, law: Any) -> "np.ndarray":
        import numpy as np

        axis = self.months if months is None else np.asarray(months, dtype="datetime64[M]")
        values = np.full(axis.shape, lever.code(lever.default))
        for product in products:
            for month, value in _steps(self.levers.get(setting_name(lever, product))):
                from_then_on = axis >= np.datetime64(month, "M") if month else np.ones(axis.shape, dtype=bool)
                values[from_then_on] = lever.code(value)
        return values if law is None else np.where(np.isnan(values), law, values)

    def with_settings(self, settings: Mapping[str, object], name: str | None = None) -> "Scenario":
        """This scenario with more settings laid over it (dotted lever name to value or dated series)."""
        own = _read_levers(settings, (), _Place("settings", {}))
        merged = merge_settings(self.levers, own, self.start)
        return self.model_copy(update={"levers": merged, "name": name or self.name})

    def to_yaml(self) -> str:
        """The scenario as a file that stands alone; reading it back gives an equal record."""
        return reading.dump_yaml(self.model_dump())

    @property
    def digest(self) -> str:
        """SHA-256 of everything that can change a result."""
        content = self.model_dump(include={"start", "end", "levers", "rules", "events", "products"})
        return sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()

    def warnings(self) -> list[str]:
        """Settings that cannot have any effect, one line each."""
        late = [name for name, setting in self.levers.items() if all(m > self.end for m, _ in _steps(setting))]
        return [f"{self.name}: {name} is set only after the scenario's end ({self.end})" for name in late]


def load_scenario(name: str | Path) -> Scenario:
    """A preset by its name, or a YAML file by its path. Raises `InputError` and `UnknownName` with file and line."""
    text, place = _source(str(name), None)
    return _resolve(text, place, ())


def parse_scenario(text: str, where: str = "scenario") -> Scenario:
    """A scenario from YAML text; relative files are looked for in the working directory."""
    return _resolve(text, where, ())


def resolved_scenario(record: object, where: str) -> Scenario:
    """A scenario from what `model_dump` gave, checked as a file would be; it may name no other file. Raises `InputError`."""
    if not isinstance(record, dict) or not all(isinstance(key, str) for key in record):
        raise InputError(f"{where}: a scenario is a mapping of keys to values")
    if not all(isinstance(entry, dict) for entry in record.get("rules") or ()):
        raise InputError(f"{where}: the rules of a resolved scenario are written out, not files")
    unknown = next((key for key in record if key not in Scenario.model_fields), None)
    if unknown is not None:
        raise UnknownName("scenario key", unknown, Scenario.model_fields, where=where)
    return _record(dict(record), _Place(where, {}), None)


@cache
def preset_names() -> tuple[str, ...]:
    """Names of the shipped scenarios: the four of the default run first."""
    folder = resources.files("chipweir.world") / "presets"
    names = sorted(file.name.removesuffix(".yaml") for file in folder.iterdir() if file.name.endswith(".yaml"))
    first = [name for name in DEFAULT_RUN if name in names]
    return (*first, *(name for name in names if name not in first))


def merge_settings(parent: Mapping[str, Setting], own: Mapping[str, Setting], start: str) -> dict[str, Setting]:
    """`own` over `parent`: a plain value replaces, a dated series takes over from its first month on.

    What is said of `all` products takes over from what the parent says of classes and chips too.
    """
    merged = dict(parent)
    for name, setting in own.items():
        whole = name.removesuffix(".all")
        if whole != name:
            for other in [known for known in parent if known.startswith(f"{whole}.") and known not in own]:
                merged[other] = _taken_over(parent[other], setting, start)
        merged[name] = _taken_over(parent[name], setting, start) if name in parent else setting
    return merged


def _taken_over(parent: Setting, own: Setting, start: str) -> Setting:
    """`parent` until `own` begins, `own` from then on."""
    if not isinstance(own, dict):
        return own
    first = min(own)
    return {**{month or start: value for month, value in _steps(parent) if (month or start) < first}, **own}


def scenario_schema() -> dict[str, Any]:
    """The JSON Schema of a scenario file, for editors; made from the record and the table of levers."""
    schema = Scenario.model_json_schema()
    properties = schema["properties"]
    properties["levers"] = _lever_schema()
    properties["rules"]["items"] = {"type": ["string", "object"]}
    for listed in ("notes", "sources"):
        properties[listed] = {**properties[listed], "type": ["array", "string"]}
    for month in ("start", "end"):
        properties[month]["pattern"] = r"^\d{4}-(0[1-9]|1[0-2])$"
    properties["extends"]["default"] = _PARENT
    schema["required"] = []
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **schema,
        "title": "Chipweir scenario",
        "description": "Dated settings of levers over a baseline.",
    }


class _Place:
    """Where a piece of a file stands, so that an error can say so."""

    def __init__(self, file: str, lines: Mapping[tuple[str, ...], int]) -> None:
        self.file, self.lines = file, lines

    def __call__(self, *path: str) -> str:
        for length in range(len(path), 0, -1):
            if path[:length] in self.lines:
                return f"{self.file}:{self.lines[path[:length]]}"
        return self.file


def _steps(setting: Setting | None) -> list[tuple[str, float | str]]:
    """A setting as (month, value) pairs in order; the month is "" where it holds from the beginning."""
    if setting is None:
        return []
    return sorted(setting.items()) if isinstance(setting, dict) else [("", setting)]


def _source(name: str, beside: str | None) -> tuple[str, str]:
    """Text and place of a preset or file. A path is taken relative to the file `beside`, if any."""
    if name in preset_names():
        file = resources.files("chipweir.world") / "presets" / f"{name}.yaml"
        return file.read_text(encoding="utf-8"), name
    path = Path(name)
    if path.suffix not in {".yaml", ".yml"} and "/" not in name:
        raise UnknownName("scenario", name, preset_names(), where=beside or "")
    if beside is not None and not path.is_absolute() and beside not in preset_names():
        path = Path(beside).parent / path
    return reading.read_text(path, "scenario file"), str(path)


def _resolve(text: str, file: str, chain: tuple[str, ...]) -> Scenario:
    key = file if file in preset_names() else str(Path(file).resolve())
    if key in chain:
        raise InputError(f"{file}: extends itself ({' -> '.join(Path(link).name for link in (*chain, key))})")
    tree, place = _parse(text, file)
    for name in tree:
        if name not in Scenario.model_fields:
            raise UnknownName("scenario key", name, Scenario.model_fields, where=place(name))
    parent_name = tree.pop("extends", None if key == _PARENT else _PARENT)
    parent = None
    if parent_name is not None:
        if not isinstance(parent_name, str):
            raise InputError(f"{place('extends')}: extends takes a preset's name or a file's path")
        parent = _resolve(*_source(parent_name, file), (*chain, key))
    tree.setdefault("name", Path(file).stem.lower().replace("_", "-").replace(" ", "-"))
    return _record(tree, place, parent)


def _record(tree: dict[str, Any], place: _Place, parent: Scenario | None) -> Scenario:
    """The record of a parsed file over its resolved parent."""
    inherited = parent.model_dump(include={"start", "end", "events"}) if parent else {}
    for bound in ("start", "end"):
        if bound in tree:
            tree[bound] = _bound(tree[bound], place(bound))
    for listed in ("notes", "sources"):
        if isinstance(tree.get(listed), str):
            tree[listed] = [tree[listed]]
    given = tree.pop("levers", None) or {}
    own = _read_levers(given, (), place)
    overlays = _overlays(tree.pop("rules", None), place, parent.rules if parent else [])
    try:
        scenario = Scenario(**{**inherited, **tree})
    except ValidationError as error:
        first = error.errors()[0]
        path = tuple(str(part) for part in first["loc"])
        raise InputError(f"{place(*path)}: {'.'.join(path)}: {first['msg'].lower()}") from None
    if scenario.start >= scenario.end:
        raise InputError(f"{place('end')}: end ({scenario.end}) must be later than start ({scenario.start})")
    merged = merge_settings(parent.levers if parent else {}, own, scenario.start)
    inherited_products = parent.products if parent else {}
    return scenario.model_copy(
        update={
            "levers": merged,
            "rules": [*(parent.rules if parent else []), *overlays],
            "products": {**inherited_products, **scenario.products},
        }
    )


def _bound(given: object, where: str) -> str:
    month = parse_month(given, where)
    if not FIRST_MONTH <= month <= LAST_MONTH:
        raise InputError(f"{where}: {month} is outside {FIRST_MONTH} to {LAST_MONTH}")
    return month


def _overlays(given: object, place: _Place, before: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Rule overlays as plain data, to be laid over those `before`: a file is read now, so that the record needs no other
    file, and what no rule can be made of is refused now."""
    if not given:
        return []
    if not isinstance(given, list):
        raise InputError(f"{place('rules')}: rules takes a list of overlay files or overlays")
    from chipweir import rules

    overlays, book = [], rules.with_overlays(before)
    for number, entry in enumerate(given):
        where = place("rules", str(number))
        if isinstance(entry, str):
            base = Path(place.file).parent if place.file not in preset_names() else Path()
            entry = reading.read_yaml(base / entry, "rule overlay file").data
        if not isinstance(entry, dict):
            raise InputError(f"{where}: a rule overlay is a file's path or a mapping")
        try:
            book = rules.with_overlays([entry], book)
        except InputError as error:
            raise InputError(f"{where}: {error}") from None
        overlays.append(entry)
    return overlays


def _read_levers(given: object, prefix: tuple[str, ...], place: _Place) -> dict[str, Setting]:
    """Nested or dotted settings as a flat mapping of checked ones."""
    if not isinstance(given, Mapping):
        raise InputError(
            f"{place('levers', *prefix)}: {'.'.join(prefix) or 'levers'} takes a mapping of levers to values"
        )
    flat: dict[str, Setting] = {}
    for key, value in given.items():
        path = (*prefix, str(key))
        dotted = ".".join(path)
        if _is_branch(dotted, value):
            found = _read_levers(value, path, place)
        else:
            lever, product = _find(dotted, place("levers", *path))
            found = {setting_name(lever, product): _read_setting(lever, dotted, value, path, place)}
        for name in found:
            if name in flat:
                raise InputError(f"{place('levers', *path)}: {name} is set twice")
        flat |= found
    return flat


def _is_branch(dotted: str, value: object) -> bool:
    """Whether a key leads to levers or products below it, not to a value or a dated series."""
    if not isinstance(value, Mapping) or not value or any(is_month(key) for key in value):
        return False
    table = levers()
    return (dotted in table and table[dotted].by_product) or any(name.startswith(f"{dotted}.") for name in table)


def _find(dotted: str, where: str) -> tuple[Lever, str]:
    try:
        lever, product = find_lever(dotted)
    except UnknownName as error:
        raise UnknownName("lever", dotted, error.suggestions, where=where) from None
    if lever.by_product and product not in (*PRODUCT_CLASSES, *product_ids()):
        product = _product_of_chip(product, where)
    return lever, product


def _product_of_chip(name: str, where: str) -> str:
    """The model's product that an alias of a chip speaks of."""
    from chipweir import facts

    try:
        chip = facts.load().chip(name).id
    except UnknownName as error:
        known = [*PRODUCT_CLASSES, *product_ids(), *error.suggestions]
        raise UnknownName("chip or class", name, known, where=where) from None
    if chip not in product_ids():
        raise InputError(
            f"{where}: {chip} is not among the products of the model, so the setting would do nothing; to bring it, name it "
            "under products: with a start and units_per_year"
        )
    return chip


def _read_setting(lever: Lever, dotted: str, value: object, path: tuple[str, ...], place: _Place) -> Setting:
    where = f"{place('levers', *path)}: {dotted}"
    if lever.kind == "bool" and isinstance(value, str) and is_month(value):
        return {parse_month(value, where): 1.0}
    if not isinstance(value, Mapping):
        return lever.value(value, where)
    series: dict[str, float | str] = {}
    for key, step in value.items():
        here = f"{place('levers', *path, str(key))}: {dotted}"
        month = parse_month(key, here)
        if series and month <= max(series):
            order = "is given twice" if month in series else f"comes after {max(series)}; put dates in order"
            raise InputError(f"{here}: {month} {order}")
        series[month] = lever.value(step, f"{here} from {month}")
    if not series:
        raise InputError(f"{where} has no value")
    return series


def _parse(text: str, file: str) -> tuple[dict[str, Any], _Place]:
    """YAML text as plain data with the line of every key. Raises `InputError` for what is no mapping."""
    found = reading.parse_yaml(text, file)
    if not isinstance(found.data, dict | None):
        raise InputError(f"{file}: a mapping of keys to values is expected")
    return found.data or {}, _Place(file, found.lines)


def _lever_schema() -> dict[str, Any]:
    """Schema of the `levers` mapping: nested by the parts of the names; dotted names are allowed too."""
    root: dict[str, Any] = _branch()
    for lever in levers().values():
        value = _value_schema(lever)
        dated = {"type": "object", "patternProperties": {r"^\d{4}-\d{2}": value}, "additionalProperties": False}
        leaf: dict[str, Any] = {"anyOf": [value, dated], "description": f"{lever.description} [{lever.unit}]"}
        if lever.by_product:
            leaf["anyOf"].append({"type": "object", "additionalProperties": {"anyOf": [value, dated]}})
            root["patternProperties"][f"^{re.escape(lever.name)}\\."] = {"anyOf": [value, dated]}
        root["properties"][lever.name] = leaf
        branch = root
        *parents, last = lever.name.split(".")
        for part in parents:
            branch = branch["properties"].setdefault(part, _branch())
        branch["properties"][last] = leaf
    return root


def _branch() -> dict[str, Any]:
    return {"type": "object", "properties": {}, "patternProperties": {}, "additionalProperties": False}


def _value_schema(lever: Lever) -> dict[str, Any]:
    law = [LAW] if lever.default == LAW else []
    if lever.kind == "choice":
        return {"enum": [*lever.choices, *law]}
    if lever.kind == "bool":
        on_from = {"type": "string", "pattern": r"^\d{4}-\d{2}"}
        return {"anyOf": [{"type": "boolean"}, {"enum": [0, 1, *law]}, on_from]}
    number = {"type": "number", "minimum": lever.minimum, "maximum": lever.maximum}
    return {"anyOf": [number, {"enum": law}]} if law else number
