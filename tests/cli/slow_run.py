"""The command line with a made-up ensemble that takes its time: something to kill."""

import sys
import time
from typing import Any

import conftest
from chipweir import store, world
from chipweir.cli import main
from chipweir.store import _parts


def unhurried(task: Any) -> Any:
    """A part after a second."""
    time.sleep(1.0)
    return conftest.imagined_part(task)


def unhurried_ensemble(*arguments: Any, mapper: store.Mapper, **options: Any) -> Any:
    """The made-up ensemble, a second a scenario."""
    return conftest.imagined_ensemble(*arguments, mapper=lambda function, tasks: mapper(unhurried, tasks), **options)


if __name__ == "__main__":
    _parts.KEEP_AFTER_SECONDS = 0.0
    world.run_ensemble = unhurried_ensemble
    main(sys.argv[1:])
