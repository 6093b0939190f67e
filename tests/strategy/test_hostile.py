"""What users write for this room, broken at each of its places: one line, or it is read."""

import random
from copy import deepcopy
from importlib import resources
from typing import Any

import pytest

from chipweir.errors import InputError
from chipweir.reading import dump_yaml, parse_yaml
from chipweir.strategy import read_choices, read_criteria, read_option


DATA = resources.files("chipweir.strategy") / "data"
FILES = {
    "options/korea/hedge.yaml": read_option,
    "options/korea/partner.yaml": read_option,
    "futures/korea.yaml": read_choices,
    "criteria/korea.yaml": read_criteria,
}
ODD = (None, True, -1, 1.5, 10**39, "", "2027-13", [], ["x"], {}, {"x": {"y": []}}, [{"x": 1}])
_ABSENT = object()


def places(tree: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Paths of all keys and items."""
    inner = tree.items() if isinstance(tree, dict) else enumerate(tree) if isinstance(tree, list) else ()
    return [found for key, value in inner for found in ((*path, key), *places(value, (*path, key)))]


def broken(tree: Any, path: tuple[Any, ...], value: Any) -> Any:
    """A copy with another value at a place, or without the place."""
    made = deepcopy(tree)
    node = made
    for key in path[:-1]:
        node = node[key]
    if value is _ABSENT:
        del node[path[-1]]
    else:
        node[path[-1]] = value
    return made


@pytest.mark.parametrize("name", FILES)
def test_a_file_broken_at_any_place_is_one_line(name: str) -> None:
    tree = parse_yaml((DATA / name).read_text(encoding="utf-8"), name).data
    rng = random.Random(name)
    everywhere = places(tree)
    refusals = []
    for path in rng.sample(everywhere, min(80, len(everywhere))):
        for value in (_ABSENT, "x", rng.choice(ODD)):
            try:
                FILES[name](dump_yaml(broken(tree, path, value)), "own.yaml")
            except InputError as error:
                refusals.append((path, value, str(error)))
    assert len(refusals) > 20
    assert not [each for each in refusals if "own.yaml" not in each[2] or "\n" in each[2]]
