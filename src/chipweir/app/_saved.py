"""Runs of the page in the run store: kept under a name, shown again by a link."""

import json
import re
import secrets
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

from chipweir.app._engine import FULL_MEMBERS, SEED, Answer
from chipweir.app._jobs import Job
from chipweir.app._state import View, reference_of, scenario_of
from chipweir.errors import InputError, UnknownName
from chipweir.i18n import _


if TYPE_CHECKING:
    import xarray as xr

_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,50}")
MOST_RUNS_OF_ONE, MOST_RUNS = 20, 500
_SECRET_BYTES = 10
_SECRET = re.compile(rf"-[0-9a-f]{{{2 * _SECRET_BYTES}}}$")


def save(view: View, name: str, job: Job, owner: str = "") -> str:
    """Run scenario A and scenario B (as `name`) with the full ensemble, store them, and return the run's id.

    `owner` is the visitor of a server that others use too: only so many runs of one visitor, and of all, are kept there.
    Raises `InputError` for a name that can't be one, beyond that quota, or where the store can't be written.
    """
    from chipweir import facts, store, world

    if not _NAME.fullmatch(name) or name in world.preset_names():
        raise InputError(_("give a name of a-z, 0-9 and hyphens that is no preset's"))
    first, second = reference_of(view), scenario_of(view).model_copy(update={"name": name})
    directory = store.runs_directory()
    store.prepare(directory)
    mark = _mark(owner)
    if owner:
        _check_quota(mark, directory)
    known = facts.load()
    results = world.run_ensemble((first, second), known, FULL_MEMBERS, SEED, job.report)
    rules = store.code_digest("chipweir.rules")
    made = store.manifest((first, second), known.digest, rules, FULL_MEMBERS, SEED, ["chipweir", "serve"])
    stored = store.write_run(
        directory,
        results,
        {**made, "saved_by": mark},
        lambda folder, full: _fill(folder, full, results, view.lang),
        secrets.token_hex(_SECRET_BYTES),
    )
    return str(stored.id)


def _mark(owner: str) -> str:
    """What a run tells of who saved it: the same for the same visitor, and nothing that a reader could come in with."""
    return sha256(f"chipweir run of {owner}".encode()).hexdigest()[:16] if owner else "this machine"


def _check_quota(mark: str, directory: Path) -> None:
    from chipweir import store

    saved = [run.manifest["saved_by"] for run in store.list_runs(directory)[0] if "saved_by" in run.manifest]
    if saved.count(mark) >= MOST_RUNS_OF_ONE:
        raise InputError(_("you have saved {count} runs here; no more are kept", count=MOST_RUNS_OF_ONE))
    if len(saved) >= MOST_RUNS:
        raise InputError(_("{count} runs are saved here; no more are kept", count=MOST_RUNS))


def _fill(folder: Path, made: Mapping[str, Any], results: "xr.Dataset", lang: str) -> None:
    from chipweir.report import headline_table, write_html

    cells = [cell.as_dict() for cell in headline_table(results, lang)]
    (folder / "headline.json").write_text(json.dumps(cells, ensure_ascii=False), encoding="utf-8")
    attributed = results.assign_attrs(manifest=json.dumps(made, ensure_ascii=False))
    write_html(attributed, folder / "report.html", lang=lang, extras={"command": f"chipweir run --from {made['id']}"})


def stored_answer(identifier: str, private: bool = True) -> Answer:
    """The first two scenarios of a stored run. Raises `InputError` where it is gone or damaged.

    Where others use the server too (not `private`), a run is found by its whole id alone, which can't be guessed, and only
    one that was saved from a page.
    """
    from chipweir import store

    directory = store.runs_directory()
    if not private and not (_SECRET.search(identifier) and (directory / identifier).is_dir()):
        raise UnknownName("run", identifier, ())  # no word of those that are there
    run = store.find_run(identifier, directory)
    if not private and "saved_by" not in run.manifest:
        raise UnknownName("run", identifier, ())
    results = run.results
    names = [str(name) for name in results["scenario"].values]
    members = int(run.manifest.get("members", 0))
    return Answer(results, (names[0], names[min(1, len(names) - 1)]), members, 0.0)
