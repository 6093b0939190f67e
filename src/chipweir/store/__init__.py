"""Runs on disk: one directory a run, written beside its final place, flushed and renamed: it is whole or not there.

A run holds `results.zarr`, `manifest.json` (everything that made it, with a checksum of every file), `headline.json`,
`scenarios/*.yaml`, `report.html` and, where a user brought facts, `facts/`. There is no central catalogue to damage:
the directories are the catalogue. What is finished of a long ensemble waits in `.unfinished-*` for the next call.
"""

from chipweir.store._disk import prepare, runs_directory, writing
from chipweir.store._manifest import code_digest, identity, manifest
from chipweir.store._package import About, Column, write_package
from chipweir.store._parts import Mapper, Part, Resuming, resuming, unfinished, unfinished_runs
from chipweir.store._runs import (
    Run,
    dataset_digest,
    delete_run,
    delete_unfinished,
    export_run,
    find_identity,
    find_run,
    list_runs,
    read_dataset,
    run_path,
    write_dataset,
    write_run,
)


__all__ = [
    "About",
    "Column",
    "Mapper",
    "Part",
    "Resuming",
    "Run",
    "code_digest",
    "dataset_digest",
    "delete_run",
    "delete_unfinished",
    "export_run",
    "find_identity",
    "find_run",
    "identity",
    "list_runs",
    "manifest",
    "prepare",
    "read_dataset",
    "resuming",
    "run_path",
    "runs_directory",
    "unfinished",
    "unfinished_runs",
    "write_dataset",
    "write_package",
    "write_run",
    "writing",
]
