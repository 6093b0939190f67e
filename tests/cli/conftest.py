"""Runs of the right shape with made-up numbers, so that the commands are tested without the model."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
import xarray as xr

from chipweir import calibration, store, strategy, world
from chipweir.cli import main
from chipweir.world import Scenario


LEVELS = np.array([0.05, 0.25, 0.5, 0.75, 0.95])


class Task(NamedTuple):
    """All members of one scenario, which multiplies the first one's numbers by `factor`."""

    scenario: str
    first: int
    parameters: dict[str, np.ndarray]
    factor: float
    months: int


def imagined_part(task: Task) -> dict[str, np.ndarray]:
    """Made-up compute [member, month, region] of one scenario."""
    draws = task.parameters["luck"][:, None, None]
    growth = np.exp(0.03 * np.arange(task.months))[None, :, None]
    return {"compute": task.factor * draws * growth * np.array([1.0, 4.0])}


def imagined_ensemble(
    scenarios: Sequence[Scenario],
    facts: object,
    members: int,
    seed: int,
    progress: Callable[[float, str], None] | None = None,
    mapper: store.Mapper = map,
    keep_members: bool = False,
    prior: bool = False,
) -> xr.Dataset:
    """Quantiles of a made-up member ensemble in which every scenario multiplies the first one's numbers."""
    factors = [1 + 0.1 * each.series("us.enforcement")[-1] - 0.1 for each in scenarios]
    months = scenarios[0].months.size
    luck = {"luck": np.random.default_rng(seed).lognormal(size=members)}
    tasks = [Task(each.name, 0, luck, f, months) for each, f in zip(scenarios, factors, strict=True)]
    worlds = [part["compute"] for part in mapper(imagined_part, tasks)]
    compute = np.stack([np.quantile(one, LEVELS, axis=0) for one in worlds])
    delta = np.stack([np.quantile(one - worlds[0], LEVELS, axis=0) for one in worlds])
    greater = np.stack([(one > worlds[0]).mean(0) for one in worlds])
    if progress:
        progress(0.5, "half")
    axes = ("scenario", "quantile", "month", "region")
    return xr.Dataset(
        {
            "compute": (axes, compute, {"units": "H100e"}),
            "delta_compute": (axes, delta, {"units": "H100e"}),
            "p_greater_compute": (("scenario", "month", "region"), greater),
        },
        coords={
            "scenario": [each.name for each in scenarios],
            "quantile": LEVELS,
            "month": scenarios[0].months.astype("datetime64[ns]"),
            "region": ["CHN", "USA"],
        },
    )


@pytest.fixture
def imagined(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """The commands with the made-up ensemble in place of the model; returns the directory of runs."""
    monkeypatch.setattr(world, "run_ensemble", imagined_ensemble, raising=False)
    monkeypatch.setattr(strategy, "swings", lambda *arguments: [], raising=False)
    monkeypatch.setattr(calibration, "credibility", lambda *arguments: [], raising=False)
    monkeypatch.setenv("CHIPWEIR_RUNS", str(tmp_path / "runs"))
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.chdir(tmp_path)
    return tmp_path / "runs"


class Called:
    """What a command answered."""

    def __init__(self, code: int, out: str, err: str) -> None:
        self.code, self.out, self.err = code, out, err

    @property
    def json(self) -> Any:
        return json.loads(self.out)


@pytest.fixture
def call(capsys: pytest.CaptureFixture[str]) -> Callable[..., Called]:
    """Run the command line in this process: `call("runs", "list")`."""

    def called(*arguments: str) -> Called:
        capsys.readouterr()
        with pytest.raises(SystemExit) as stop:
            main([*map(str, arguments)])
        out, err = capsys.readouterr()
        return Called(int(stop.value.code or 0), out, err)

    return called
