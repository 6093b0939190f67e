from collections.abc import Iterator

import imagined_world
import pytest

from chipweir import facts
from chipweir.strategy import (
    Advice,
    Experiments,
    Order,
    advise,
    run_experiments,
    shipped_choices,
    shipped_criteria,
    shipped_options,
)
from chipweir.strategy._cells import Cells


@pytest.fixture
def imagined(monkeypatch: pytest.MonkeyPatch) -> None:
    """Worlds that are made up."""
    monkeypatch.setattr(Cells, "run", imagined_world.run)


@pytest.fixture(scope="session")
def korea(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Experiments]:
    """Korea's options in 60 draws of a made-up world."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Cells, "run", imagined_world.run)
        order = Order("korea", shipped_options("korea"), shipped_choices("korea"), shipped_criteria("korea"), 60, 1)
        yield run_experiments(order, facts.load(), tmp_path_factory.mktemp("runs"))


@pytest.fixture(scope="session")
def advice(korea: Experiments) -> Advice:
    return advise(korea)
