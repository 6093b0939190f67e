"""Mechanisms that are claimed of the contest: for each a pair of worlds, what moves, by how much, and why.

The table (`data/mechanisms.yaml`) states a sign and a range before anything runs; measuring a mechanism says whether the
model keeps to it. A mechanism that the model has not is in the table too, and says so.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import yaml

from chipweir.errors import InputError, UnknownName
from chipweir.strategy._cells import Cells, Members, Plan, Progress, unit_of
from chipweir.strategy._spread import spread


if TYPE_CHECKING:
    from chipweir.facts import Facts
    from chipweir.store import Mapper
    from chipweir.world import Scenario

FloatArray = npt.NDArray[np.float64]

SIGNS = ("up", "down", "none")
FEW = 64
"""Members with which a pair is measured where nothing else is asked for."""
NO_CHANGE = 0.02
"""Median change, as a share, up to which a claim of no effect holds."""


@dataclass(frozen=True)
class Quantity:
    """A reported variable at labels in a year, times `scale`, or over another quantity of the same member (`of`)."""

    variable: str
    select: Mapping[str, str]
    year: int
    scale: float = 1.0
    unit: str = ""
    of: "Quantity | None" = None

    def read(self, world: Members) -> FloatArray:
        """Its value in every member `[M]`."""
        own = world.at(self.year, self.variable, **self.select) * self.scale
        if self.of is None:
            return own
        below = self.of.read(world)
        with np.errstate(divide="ignore", invalid="ignore"):
            found: FloatArray = np.where(below > 0, own / below, np.nan)
        return found

    @property
    def name(self) -> str:
        own = " ".join([self.variable, *(f"{dim}={label}" for dim, label in self.select.items())])
        return own if self.of is None else f"{own} / {self.of.name}"

    @property
    def units(self) -> str:
        """Its unit; none for a quantity over another of the same unit."""
        if self.unit:
            return self.unit
        own = unit_of(self.variable)
        if self.of is None:
            return own
        return "1" if unit_of(self.of.variable) == own else f"{own} per {unit_of(self.of.variable)}"


@dataclass(frozen=True)
class Expected:
    """What is expected of a quantity: its median change, `by` ratio or difference, has a `sign`, within `low` to `high`."""

    quantity: Quantity
    by: str
    sign: str
    low: float
    high: float


@dataclass(frozen=True)
class Level:
    """A published size beside which one of the two worlds stands: `low` to `high` at the median."""

    world: str
    quantity: Quantity
    low: float
    high: float
    published: str


@dataclass(frozen=True)
class Mechanism:
    """A claimed mechanism. `modelled` is False where the model has none; then there is no pair and `why` says what is
    missing. `claims` are the ids under which articles state it; `a`, `b` a scenario's name and levers laid over it."""

    id: str
    title: Mapping[str, str]
    why: Mapping[str, str]
    claims: tuple[str, ...]
    modelled: bool
    a: tuple[str, Mapping[str, Any]] = ("", {})
    b: tuple[str, Mapping[str, Any]] = ("", {})
    outcomes: tuple[Expected, ...] = ()
    reason: Mapping[str, str] | None = None
    level: Level | None = None

    @property
    def command(self) -> str:
        """The one command that measures it; empty where there is nothing to measure."""
        return f"chipweir mechanism {self.id}" if self.modelled else ""

    def scenarios(self) -> "tuple[Scenario, Scenario]":
        """A and B. Raises `InputError` for what is not modelled."""
        if not self.modelled:
            raise InputError(f"{self.id} is not modelled: {self.why['en']}")
        return _scenario(self.a, f"{self.id}-a"), _scenario(self.b, f"{self.id}-b")


def _scenario(side: tuple[str, Mapping[str, Any]], name: str) -> "Scenario":
    from chipweir.world import load_scenario

    base = load_scenario(side[0])
    return base.with_settings(dict(side[1]), name=name) if side[1] else base


@cache
def mechanisms() -> Mapping[str, Mechanism]:
    """The shipped mechanisms by id."""
    text = (resources.files("chipweir.strategy") / "data" / "mechanisms.yaml").read_text(encoding="utf-8")
    return {str(name): _mechanism(str(name), entry) for name, entry in yaml.safe_load(text).items()}


def find_mechanism(name: str) -> Mechanism:
    """A mechanism by its id, or by an id of a claim that states it. Raises `UnknownName`."""
    known = mechanisms()
    if name in known:
        return known[name]
    for each in known.values():
        if name in each.claims:
            return each
    raise UnknownName("mechanism", name, known)


def _mechanism(name: str, entry: Mapping[str, Any]) -> Mechanism:
    title, why, claims = entry["title"], entry["why"], tuple(entry.get("claims") or ())
    if entry.get("none"):
        return Mechanism(name, title, why, claims, modelled=False)
    sides = {side: (str(entry[side]["scenario"]), dict(entry[side].get("set") or {})) for side in ("a", "b")}
    level = entry.get("level")
    return Mechanism(
        name,
        title,
        why,
        claims,
        modelled=True,
        a=sides["a"],
        b=sides["b"],
        outcomes=tuple(_expected(each, f"mechanisms.yaml: {name}") for each in entry["outcomes"]),
        reason=entry["range"],
        level=None
        if level is None
        else Level(level["scenario"], _quantity(level), float(level["low"]), float(level["high"]), level["published"]),
    )


def _expected(entry: Mapping[str, Any], where: str) -> Expected:
    if entry["sign"] not in SIGNS or entry["by"] not in ("ratio", "difference"):
        raise InputError(f"{where}: a change is up, down or none, by ratio or difference")
    return Expected(_quantity(entry), entry["by"], entry["sign"], float(entry["low"]), float(entry["high"]))


def _quantity(entry: Mapping[str, Any], year: int = 0) -> Quantity:
    when = int(entry.get("year", year))
    below = entry.get("of")
    return Quantity(
        str(entry["variable"]),
        dict(entry.get("select") or {}),
        when,
        float(entry.get("scale", 1.0)),
        str(entry.get("unit", "")),
        None if below is None else _quantity(below, when),
    )


def mechanism_cells(chosen: Sequence[Mechanism], facts: "Facts", directory: Path, members: int, seed: int) -> Cells:
    """The worlds of these mechanisms, those that several share once."""
    return Cells([each for one in chosen for each in one.scenarios()], facts, members, seed, directory)


def mechanism_cost(chosen: Sequence[Mechanism], facts: "Facts", directory: Path, members: int, seed: int) -> Plan:
    """What measuring would simulate."""
    return mechanism_cells(chosen, facts, directory, members, seed).plan


def measure_mechanisms(
    chosen: Sequence[Mechanism],
    facts: "Facts",
    directory: Path,
    members: int = FEW,
    seed: int = 1,
    mapper: "Mapper" = map,
    progress: Progress | None = None,
) -> list[dict[str, Any]]:
    """Each mechanism on paired draws, for JSON: per outcome both medians, the median change with its 80 and 90 % intervals,
    the share of members in which B is higher, what was expected, and whether it holds. Raises `InputError` for one that is
    not modelled."""
    worlds = mechanism_cells(chosen, facts, directory, members, seed).run(mapper, progress)
    found = []
    for one in chosen:
        a, b = (worlds[scenario.digest] for scenario in one.scenarios())
        found.append(_document(one, a, b, members, seed))
    return found


def _document(one: Mechanism, a: Members, b: Members, members: int, seed: int) -> dict[str, Any]:
    rows = [_row(expected, a, b) for expected in one.outcomes]
    level = None
    if one.level is not None:
        values = one.level.quantity.read(a if one.level.world == "a" else b)
        read = spread(values)
        level = {
            "quantity": one.level.quantity.name,
            "unit": one.level.quantity.units,
            "year": one.level.quantity.year,
            **read,
            "published": one.level.published,
            "plausible": [one.level.low, one.level.high],
            "holds": bool(one.level.low <= read["p50"] <= one.level.high),
        }
    return {
        "id": one.id,
        "title": dict(one.title),
        "why": dict(one.why),
        "range": dict(one.reason or {}),
        "claims": list(one.claims),
        "modelled": True,
        "a": {"scenario": one.a[0], "set": dict(one.a[1])},
        "b": {"scenario": one.b[0], "set": dict(one.b[1])},
        "outcomes": rows,
        "level": level,
        "holds": all(row["holds"] for row in rows) and (level is None or level["holds"]),
        "members": members,
        "seed": seed,
        "command": one.command,
    }


def _row(expected: Expected, a: Members, b: Members) -> dict[str, Any]:
    before, after = expected.quantity.read(a), expected.quantity.read(b)
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = np.where(before != 0, after / before, np.nan)
    change = ratio if expected.by == "ratio" else after - before
    found = spread(change)
    middle = found["p50"]
    still = 1.0 if expected.by == "ratio" else 0.0
    moved = middle - still
    known = np.isfinite(after) & np.isfinite(before)
    greater = float(np.mean((after > before)[known] + 0.5 * (after == before)[known]))
    if expected.sign == "none":
        right = abs(float(np.nanmedian(ratio)) - 1) <= NO_CHANGE
    else:
        right = moved > 0 if expected.sign == "up" else moved < 0
    return {
        "quantity": expected.quantity.name,
        "unit": expected.quantity.units,
        "year": expected.quantity.year,
        "by": expected.by,
        "a": float(np.nanmedian(before)),
        "b": float(np.nanmedian(after)),
        **found,
        "p_greater": greater,
        "expected": expected.sign,
        "plausible": [expected.low, expected.high],
        "sign_holds": bool(right),
        "holds": bool(right and expected.low <= middle <= expected.high),
    }


def mechanism_sentences(found: Mapping[str, Any], language: str) -> list[str]:
    """What a measured mechanism says, in one language: each outcome in a sentence, then why."""
    from chipweir.i18n import _, filled, use_language
    from chipweir.strategy._sentences import number, percent

    with use_language(language):
        lines = []
        for row in found["outcomes"]:
            text = (
                _("{quantity} in {year}: from {a} to {b} {unit} at the median, a factor of {p50} ({p10} to {p90}); B is "
                  "higher in {share} of the draws.")
                if row["by"] == "ratio"
                else _("{quantity} in {year}: from {a} to {b} {unit} at the median, a change of {p50} ({p10} to {p90}); B "
                       "is higher in {share} of the draws.")
            )  # fmt: skip
            numbers = {key: number(row[key]) for key in ("a", "b", "p50", "p10", "p90")}
            unit = "" if row["unit"] == "1" else row["unit"]
            told = filled(
                text, quantity=row["quantity"], year=row["year"], unit=unit, share=percent(row["p_greater"]), **numbers
            ).replace("  ", " ")
            if not row["holds"]:
                words = {"up": _("up"), "down": _("down"), "none": _("no change")}
                text = _("This is not what was expected ({sign}, {low} to {high}).")
                low, high = (number(bound) for bound in row["plausible"])
                told += " " + filled(text, sign=words[row["expected"]], low=low, high=high)
            lines.append(told)
        if found["level"]:
            level = found["level"]
            text = _("{quantity} in {year}: {p50} {unit} ({p10} to {p90}); published: {published}.")
            numbers = {key: number(level[key]) for key in ("p50", "p10", "p90")}
            said = {key: level[key] for key in ("quantity", "year", "unit", "published")}
            lines.append(filled(text, **said, **numbers))
        lines.append(found["why"][language])
    return lines
