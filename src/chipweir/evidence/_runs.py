"""What the model says about pairs of scenarios: from stored runs, or from ones simulated for the purpose."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from chipweir.errors import InputError


if TYPE_CHECKING:
    import xarray as xr

    from chipweir.evidence._scenarios import Tag


# The month at which pairs are compared (the first that a run reaches), and the labels of outputs with a further axis.
_MONTHS = ("2028-12", "2027-12", "2030-12")
_LABELS = {"region": "CHN", "ecosystem": "cuda"}


@dataclass(frozen=True)
class Results:
    """Results of an ensemble and where they come from."""

    dataset: "xr.Dataset"
    source: str


def open_runs(names: Iterable[Path]) -> tuple[Results, ...]:
    """Stored runs by path, id or `latest`. Raises `InputError` where there is none or one is damaged."""
    from chipweir import store

    opened = []
    for name in names:
        run = store.find_run(str(name), store.runs_directory(None))
        opened.append(Results(run.results, f"run {run.id}"))
    return tuple(opened)


def stored_runs() -> tuple[Results, ...]:
    """All whole runs of the default directory, newest first; none where it does not exist."""
    from chipweir import store

    directory = store.runs_directory(None)
    if not directory.is_dir():
        return ()
    runs, _ = store.list_runs(directory)
    return tuple(Results(run.results, f"run {run.id}") for run in reversed(runs))


def simulate_pairs(tags: Sequence["Tag"], members: int, known: Any, seed: int = 1) -> tuple[Results, ...]:
    """Ensembles for every pair that isolates a claim of `tags`, one for each reference scenario. Takes minutes."""
    from chipweir.evidence._scenarios import mechanisms, settings_of
    from chipweir.world import load_scenario, run_ensemble

    if members < 2:
        raise InputError(f"--simulate needs at least 2 members, got {members}")
    groups: dict[str, dict[str, Any]] = {}
    for tag in tags:
        mechanism = mechanisms().get(tag.mechanism)
        if mechanism is None or not mechanism.a or not mechanism.isolates:
            continue
        group = groups.setdefault(mechanism.a, {mechanism.a: load_scenario(mechanism.a)})
        if mechanism.levers:
            group[tag.b] = load_scenario(mechanism.a).with_settings(settings_of(mechanism), tag.b)
        else:
            group[mechanism.b] = load_scenario(mechanism.b)
    return tuple(
        Results(run_ensemble(list(group.values()), known, members, seed), f"simulated, {members} members, seed {seed}")
        for group in groups.values()
        if len(group) > 1
    )


def difference(results: Sequence[Results], a: str, b: str, outcome: str) -> dict[str, Any] | None:
    """`b` minus `a` for an outcome, member by member: median, 80 % interval (`wide`: 90 %) and the share of members in which
    it is above zero, from the first results that hold the pair. None where none does."""
    from chipweir.strategy import differences, holds_pair

    for one in results:
        data = one.dataset
        names = {str(name) for name in data["scenario"].values}
        if not {a, b} <= names or not holds_pair(data, a, b) or f"delta_{outcome}" not in data:
            continue
        labels = {axis: label for axis, label in _LABELS.items() if axis in data[outcome].dims}
        found = differences(data, a, b, outcome, _MONTHS, **labels)
        best = next((row for month in _MONTHS for row in found if row.month == month), None)
        if best is not None:
            return {
                "median": best.median,
                "low": best.p80[0],
                "high": best.p80[1],
                "wide": best.p90,
                "share_up": 0.5 if best.p_greater is None else best.p_greater,
                "unit": best.unit,
                "window": best.month,
                "source": one.source,
            }
    return None
