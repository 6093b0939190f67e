"""Runs of the page in the run store: kept under a name, shown again by a link."""

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from chipweir.app._engine import FULL_MEMBERS, SEED, Answer
from chipweir.app._jobs import Job
from chipweir.app._state import View, reference_of, scenario_of
from chipweir.errors import InputError
from chipweir.i18n import _


if TYPE_CHECKING:
    import xarray as xr

_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,50}")


def save(view: View, name: str, job: Job) -> str:
    """Run scenario A and scenario B (as `name`) with the full ensemble, store them, and return the run's id.

    Raises `InputError` for a name that can't be one, or where the store can't be written.
    """
    from chipweir import facts, store, world

    if not _NAME.fullmatch(name) or name in world.preset_names():
        raise InputError(_("give a name of a-z, 0-9 and hyphens that is no preset's"))
    first, second = reference_of(view), scenario_of(view).model_copy(update={"name": name})
    directory = store.runs_directory()
    store.prepare(directory)
    known = facts.load()
    results = world.run_ensemble((first, second), known, FULL_MEMBERS, SEED, job.report)
    rules = store.code_digest("chipweir.rules")
    made = store.manifest((first, second), known.digest, rules, FULL_MEMBERS, SEED, ["chipweir", "serve"])
    stored = store.write_run(directory, results, made, lambda folder, full: _fill(folder, full, results, view.lang))
    return str(stored.id)


def _fill(folder: Path, made: Mapping[str, Any], results: "xr.Dataset", lang: str) -> None:
    from chipweir.report import headline_table, write_html

    cells = [cell.as_dict() for cell in headline_table(results, lang)]
    (folder / "headline.json").write_text(json.dumps(cells, ensure_ascii=False), encoding="utf-8")
    attributed = results.assign_attrs(manifest=json.dumps(made, ensure_ascii=False))
    write_html(attributed, folder / "report.html", lang=lang, extras={"command": f"chipweir run --from {made['id']}"})


def stored_answer(identifier: str) -> Answer:
    """The first two scenarios of a stored run. Raises `InputError` where it is gone or damaged."""
    from chipweir import store

    run = store.find_run(identifier, store.runs_directory())
    results = run.results
    names = [str(name) for name in results["scenario"].values]
    members = int(run.manifest.get("members", 0))
    return Answer(results, (names[0], names[min(1, len(names) - 1)]), members, 0.0)
