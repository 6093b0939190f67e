"""Option sets, choices of others and criteria: data files in both languages, read and checked before anything runs.

An option file is a scenario file with `actor:` and `option:`. It may set levers that the world is still to get
(`planned_levers.csv`): these are read, checked against their range, used by the processes of this room, and named wherever
the world does not know them, never dropped silently.
"""

import csv
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any

from chipweir import reading
from chipweir.errors import InputError, UnknownName
from chipweir.i18n import language


if TYPE_CHECKING:
    import numpy as np

    from chipweir.world import Scenario

ACTORS = ("korea", "us", "china")
Text = Mapping[str, str]
"""One text in every language, by its code."""
Setting = float | str | dict[str, float | str]


@dataclass(frozen=True)
class PlannedLever:
    """A lever that options already set and the world is still to get."""

    name: str
    unit: str
    minimum: float
    maximum: float
    default: float
    title: Text


@dataclass(frozen=True)
class Rated:
    """A number with the source or prior behind it."""

    value: float
    source: str


@dataclass(frozen=True)
class Option:
    """What an actor may choose: a scenario of the world, settings that the world does not know yet, and what goes with it.

    `adaptive`: settings that hold only under a choice of others, by its name. `responses`: stated priors of how others
    answer. `costs`: KRW tn a year. `judged`: values of the criteria that no process gives.
    """

    name: str
    actor: str
    title: Text
    reason: Text
    proposed_by: str
    bound: bool
    scenario: "Scenario"
    planned: Mapping[str, Setting]
    adaptive: Mapping[str, Mapping[str, Setting]] = field(default_factory=dict)
    responses: Mapping[str, Rated] = field(default_factory=dict)
    costs: tuple[Mapping[str, Any], ...] = ()
    judged: Mapping[str, Rated] = field(default_factory=dict)
    sources: tuple[str, ...] = ()

    def under(self, choice: "Choice") -> "Scenario":
        """The world's scenario of this option under a choice of others."""
        from chipweir.world import find_lever

        own = {
            name: value for name, value in self.adaptive.get(choice.name, {}).items() if name not in planned_levers()
        }
        merged = {**choice.levers, **own}
        for name in merged:
            find_lever(name)
        return self.scenario.with_settings(merged, name=f"{self.name}-{choice.name}") if merged else self.scenario

    def series(self, name: str, years: "Sequence[int] | np.ndarray", choice: str = "") -> "np.ndarray":
        """A setting's mean over each year `[Y]`, planned or known to the world, its default where it is not set."""
        import numpy as np

        setting = self.setting(name, choice)
        months = np.array([[f"{year}-{month:02}" for month in range(1, 13)] for year in years])
        values = np.full(months.shape, default_of(name))
        for month, value in _steps(setting):
            values[months >= month] = _number(value)
        mean: np.ndarray = values.mean(axis=1)
        return mean

    def setting(self, name: str, choice: str = "") -> Setting | None:
        """The setting of a lever under a choice of others; None where it is left at its default."""
        base = self.planned.get(name, self.scenario.levers.get(name))
        own = self.adaptive.get(choice, {}).get(name)
        if own is None or not isinstance(own, dict):
            return base if own is None else own
        before = {month: value for month, value in _steps(base) if month < min(own)}
        return {**before, **own}

    def unknown_to_world(self) -> list[str]:
        """Names of the settings that the world does not know yet, where they differ from their default."""
        return [name for name, setting in self.planned.items() if _moves(name, setting)]

    def without(self, name: str) -> "Option":
        """This option with one lever back at its default."""
        from dataclasses import replace

        planned = {key: value for key, value in self.planned.items() if key != name}
        levers = {key: value for key, value in self.scenario.levers.items() if key != name}
        adaptive = {
            choice: {key: value for key, value in settings.items() if key != name}
            for choice, settings in self.adaptive.items()
        }
        return replace(
            self, planned=planned, adaptive=adaptive, scenario=self.scenario.model_copy(update={"levers": levers})
        )

    def set_levers(self) -> list[str]:
        """Levers that this option itself sets, whatever it extends."""
        from chipweir.world import load_scenario

        parent = load_scenario("baseline").levers
        own = [name for name, value in self.scenario.levers.items() if parent.get(name) != value]
        return list(dict.fromkeys([*own, *self.planned, *(n for s in self.adaptive.values() for n in s)]))


@dataclass(frozen=True)
class Choice:
    """What others do: levers of theirs over every option, its prior probability, and what it multiplies in the draws."""

    name: str
    title: Text
    prior: float
    source: str
    levers: Mapping[str, Setting]
    multiply: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Criterion:
    """What options are judged by. `up` is +1 where more is better, -1 where less is; `threshold` NaN where there is none.

    A computed criterion names a `process` of this room or a `variable` of the world; a judged one has neither.
    """

    name: str
    title: Text
    unit: Text
    up: float
    threshold: float
    what: Text
    why: str
    judged: bool
    process: str = ""
    variable: str = ""
    select: Mapping[str, str] = field(default_factory=dict)
    at: int | None = None
    present_value: bool = False
    scale: float = 1.0


@dataclass(frozen=True)
class Criteria:
    """The criteria of an actor, its years and its discount rate."""

    actor: str
    first: int
    last: int
    rate: float
    computed: tuple[Criterion, ...]
    judged: tuple[Criterion, ...]


def say(text: Text) -> str:
    """A text in the language in force."""
    return text.get(language()) or text["en"]


@cache
def planned_levers() -> Mapping[str, PlannedLever]:
    """The levers that the world is still to get; a name that it already knows is left out."""
    from chipweir.world import levers

    rows = csv.DictReader(_data("planned_levers.csv").splitlines())
    return {
        row["name"]: PlannedLever(
            name=row["name"],
            unit=row["unit"],
            minimum=float(row["minimum"]),
            maximum=float(row["maximum"]),
            default=float(row["default"]),
            title={"en": row["title"], "ko": row["korean_name"]},
        )
        for row in rows
        if row["name"] not in levers()
    }


def default_of(name: str) -> float:
    """The default of a lever, planned or known; NaN where that is the law."""
    from chipweir.world import find_lever

    if name in planned_levers():
        return planned_levers()[name].default
    lever, _product = find_lever(name)
    return float(lever.code(lever.default))


@cache
def shipped_options(actor: str) -> tuple[Option, ...]:
    """The shipped options of an actor; those that hold nothing but settings the world does not know are left out.

    Raises `UnknownName`.
    """
    if actor not in ACTORS:
        raise UnknownName("actor", actor, ACTORS)
    folder = resources.files("chipweir.strategy") / "data" / "options" / actor
    files = sorted((file for file in folder.iterdir() if file.name.endswith(".yaml")), key=lambda file: file.name)
    found = [read_option(file.read_text(encoding="utf-8"), file.name) for file in files]
    order = {"korea": ("partner", "third-way", "hedge", "china-first", "sovereign", "managed", "pooled")}.get(
        actor, ("stand",)
    )
    rank = {name: place for place, name in enumerate(order)}
    return tuple(sorted(found, key=lambda option: (rank.get(option.name, len(rank)), option.name)))


def empty_options(options: Iterable[Option]) -> list[Option]:
    """Options that the world cannot tell from the baseline yet, and for which this room has no process either."""
    from chipweir.world import load_scenario

    same = load_scenario("baseline").digest
    return [
        each for each in options if each.scenario.digest == same and each.unknown_to_world() and each.actor != "korea"
    ]


def load_options(path: Path) -> tuple[Option, ...]:
    """Options from a file, or from every YAML file of a folder. Raises `InputError` naming file and key."""
    files = sorted([*path.glob("*.yaml"), *path.glob("*.yml")]) if path.is_dir() else [path]
    if not files:
        raise InputError(f"{path} holds no option files (*.yaml)")
    found = [read_option(reading.read_text(file, "option file"), str(file)) for file in files]
    names = [each.name for each in found]
    for name in names:
        if names.count(name) > 1:
            raise InputError(f"{path}: two options are called '{name}'")
    return tuple(found)


def read_option(text: str, where: str) -> Option:
    """One option from YAML text; `where` is its file, beside which what it extends is looked for."""
    from chipweir.world import parse_scenario

    tree = _mapping(text, where)
    actor = tree.pop("actor", None)
    block = tree.pop("option", None)
    if actor not in ACTORS:
        raise InputError(f"{where}: actor must be one of {', '.join(ACTORS)}, not {actor!r}")
    if not isinstance(block, dict):
        raise InputError(f"{where}: an option file has a mapping 'option:' with title and reason")
    allowed = ("title", "reason", "proposed_by", "bound", "start", "responses", "costs", "judged", "if")
    for key in block:
        if key not in allowed:
            raise UnknownName("option key", str(key), allowed, where=where)
    known, planned = _split(_branch(tree, "levers", where), where)
    tree.pop("levers", None)
    scenario = parse_scenario(reading.dump_yaml({**tree, "levers": known}), where)
    adaptive = {}
    conditions = _branch(block, "if", where)
    for choice in conditions:
        mine, others = _split(_branch(conditions, choice, f"{where}: if"), f"{where}: if {choice}")
        adaptive[str(choice)] = {**mine, **others}
    return Option(
        name=scenario.name,
        actor=actor,
        title=_text(block.get("title") or scenario.title or scenario.name, f"{where}: title"),
        reason=_text(block.get("reason") or scenario.description or scenario.name, f"{where}: reason"),
        proposed_by=str(block.get("proposed_by", "")),
        bound=bool(block.get("bound", False)),
        scenario=scenario,
        planned=planned,
        adaptive=adaptive,
        responses=_rated(_branch(block, "responses", where), f"{where}: responses"),
        costs=_costs(block.get("costs"), f"{where}: costs"),
        judged=_rated(_branch(block, "judged", where), f"{where}: judged"),
        sources=tuple(scenario.sources),
    )


@cache
def shipped_choices(actor: str) -> tuple[Choice, ...]:
    """What others may do while the options of an actor run."""
    return read_choices(_data(f"futures/{actor}.yaml"), f"futures/{actor}.yaml")


def read_choices(text: str, where: str) -> tuple[Choice, ...]:
    """Choices of others from YAML text. Raises `InputError` where their priors do not sum to 1."""
    tree = _branch(_mapping(text, where), "choices", where)
    found = tuple(_choice(name, _branch(tree, name, where), f"{where}: {name}") for name in tree)
    total = sum(choice.prior for choice in found)
    if not found or not math.isclose(total, 1.0, abs_tol=1e-6):
        raise InputError(f"{where}: the priors of the choices sum to {total:g}, not 1")
    return found


def _choice(name: str, entry: Mapping[str, Any], where: str) -> Choice:
    factors = _branch(entry, "multiply", where)
    return Choice(
        name=name,
        title=_text(entry.get("title", name), where),
        prior=_amount(entry, "prior", where),
        source=str(entry.get("source", "")),
        levers=_split(_branch(entry, "levers", where), where)[0],
        multiply={key: _amount(factors, key, f"{where}: multiply") for key in factors},
    )


@cache
def shipped_criteria(actor: str) -> Criteria:
    """The criteria of an actor."""
    return read_criteria(_data(f"criteria/{actor}.yaml"), f"criteria/{actor}.yaml")


def read_criteria(text: str, where: str) -> Criteria:
    """Criteria from YAML text. Raises `InputError` naming the key."""
    tree = _mapping(text, where)
    entries = _branch(tree, "criteria", where)
    found = [_criterion(name, _branch(entries, name, where), f"{where}: {name}") for name in entries]
    if not found:
        raise InputError(f"{where}: no criteria")
    return Criteria(
        actor=str(tree.get("actor", "")),
        first=_year(tree, "first", where, 2027),
        last=_year(tree, "last", where, 2032),
        rate=_amount(_branch(tree, "discount", where), "rate", f"{where}: discount", 0.045),
        computed=tuple(each for each in found if not each.judged),
        judged=tuple(each for each in found if each.judged),
    )


def _criterion(name: str, entry: Mapping[str, Any], where: str) -> Criterion:
    better = entry.get("better")
    if better not in ("more", "less"):
        raise InputError(f"{where}: better must be more or less, not {better!r}")
    judged = entry.get("kind", "computed") == "judged"
    if not judged and bool(entry.get("process")) == bool(entry.get("variable")):
        raise InputError(f"{where}: a computed criterion names a process or a variable")
    at = entry.get("at")
    if entry.get("variable") and at is None and not entry.get("present_value"):
        raise InputError(f"{where}: a variable of the world needs a year (at: 2030) or present_value: true")
    return Criterion(
        name=name,
        title=_text(entry.get("title", name), where),
        unit=_text(entry.get("unit", ""), where),
        up=1.0 if better == "more" else -1.0,
        threshold=_amount(entry, "threshold", where, math.nan),
        what=_text(entry.get("what", entry.get("title", name)), where),
        why=str(entry.get("why", "")),
        judged=judged,
        process=str(entry.get("process", "")),
        variable=str(entry.get("variable", "")),
        select={key: str(value) for key, value in _branch(entry, "select", where).items()},
        at=None if at is None else _year(entry, "at", where, 0),
        present_value=bool(entry.get("present_value", False)),
        scale=_amount(entry, "scale", where, 1.0),
    )


def _data(name: str) -> str:
    file = resources.files("chipweir.strategy") / "data"
    for part in name.split("/"):
        file = file / part
    return file.read_text(encoding="utf-8")


def _mapping(text: str, where: str) -> dict[str, Any]:
    tree = reading.parse_yaml(text, where).data
    if not isinstance(tree, dict):
        raise InputError(f"{where}: a mapping of keys to values is expected")
    return tree


def _branch(tree: Mapping[str, Any], key: str, where: str) -> dict[str, Any]:
    """The mapping under a key; empty where there is none."""
    found = tree.get(key)
    if found is None:
        return {}
    if not isinstance(found, dict):
        raise InputError(f"{where}: {reading.clean(key)} must be a mapping of names to values")
    return found


def _amount(tree: Mapping[str, Any], key: str, where: str, default: float | None = None) -> float:
    """The number under a key."""
    found = tree.get(key, default)
    if isinstance(found, bool) or not isinstance(found, int | float):
        raise InputError(f"{where}: {reading.clean(key)} must be a number, not {reading.clean(repr(found))}")
    return float(found)


def _year(tree: Mapping[str, Any], key: str, where: str, default: int) -> int:
    """The year under a key."""
    found = _amount(tree, key, where, default)
    if found != default and not (found.is_integer() and 1900 <= found <= 2200):
        raise InputError(f"{where}: {key} must be a year such as 2030, not {found:g}")
    return int(found)


def _split(given: Mapping[str, Any], where: str) -> tuple[dict[str, Any], dict[str, Setting]]:
    """Levers of the world (as written, for its own reader) and planned ones (checked here), by dotted name."""
    known: dict[str, Any] = {}
    planned: dict[str, Setting] = {}
    for name, value in _flat(given, ""):
        if name in planned_levers():
            planned[name] = _checked(planned_levers()[name], value, f"{where}: {name}")
        else:
            known[name] = value
    return known, planned


def _flat(given: Mapping[str, Any], prefix: str) -> Iterable[tuple[str, Any]]:
    """Dotted names of planned levers pulled out of the tree; branches of the world's levers stay as they are."""
    heads = {name.rpartition(".")[0] for name in planned_levers()}
    for key, value in given.items():
        name = f"{prefix}{key}"
        if isinstance(value, Mapping) and name in heads:
            yield from _flat(value, f"{name}.")
        else:
            yield name, value


def _checked(lever: PlannedLever, value: Any, where: str) -> Setting:
    steps = {str(month)[:7]: each for month, each in value.items()} if isinstance(value, Mapping) else {"": value}
    for month, each in steps.items():
        if isinstance(each, bool) or not isinstance(each, int | float) or not lever.minimum <= each <= lever.maximum:
            raise InputError(
                f"{where}: {each!r} is not a number from {lever.minimum:g} to {lever.maximum:g} ({lever.unit})"
            )
        if month and not (len(month) == 7 and month[4] == "-" and month[5:].isdigit() and 1 <= int(month[5:]) <= 12):
            raise InputError(f"{where}: '{month}' is not a month such as 2026-12")
    if "" in steps:
        return float(steps[""])
    return {month: float(each) for month, each in sorted(steps.items())}


def _steps(setting: Setting | None) -> list[tuple[str, float | str]]:
    if setting is None:
        return []
    return sorted(setting.items()) if isinstance(setting, dict) else [("", setting)]


def _number(value: float | str) -> float:
    return float(value) if isinstance(value, int | float) else math.nan


def _moves(name: str, setting: Setting) -> bool:
    return any(value != planned_levers()[name].default for _month, value in _steps(setting))


def _text(given: Any, where: str) -> Text:
    if isinstance(given, Mapping) and "en" in given:
        return {str(key): str(value) for key, value in given.items()}
    if isinstance(given, str):
        return {"en": given, "ko": given}
    raise InputError(f"{where}: a text is a string, or a mapping with en and ko")


def _rated(given: Mapping[str, Any], where: str) -> dict[str, Rated]:
    found = {}
    for name, entry in given.items():
        if not isinstance(entry, Mapping) or "value" not in entry or not str(entry.get("source", "")).strip():
            raise InputError(f"{where}: {name} needs a value and a source (or 'prior (ours)')")
        found[name] = Rated(_amount(entry, "value", f"{where}: {name}"), str(entry["source"]))
    return found


def _costs(given: Any, where: str) -> tuple[Mapping[str, Any], ...]:
    if given is not None and not isinstance(given, list):
        raise InputError(f"{where}: a list of costs is expected")
    return tuple(_cost(entry, where) for entry in given or ())


def _cost(given: Any, where: str) -> Mapping[str, Any]:
    if not isinstance(given, Mapping) or not {"what", "krw_tn_year", "source"} <= set(given):
        raise InputError(f"{where}: a cost has what, krw_tn_year and source")
    return {
        "what": _text(given["what"], where),
        "krw_tn_year": _amount(given, "krw_tn_year", where),
        "source": str(given["source"]),
    }
