"""The table of levers: complete, consistent, and the one source of the documentation."""

import math
from pathlib import Path

import numpy as np
import pytest

from chipweir import facts
from chipweir.errors import UnknownName
from chipweir.world import LAW, assemble, control_class, find_lever, labels, lever_table, levers, load_scenario


@pytest.mark.parametrize("name", levers())
def test_every_lever_is_whole(name: str) -> None:
    lever = levers()[name]
    assert lever.name == name
    assert lever.kind in {"number", "bool", "choice"}
    assert lever.minimum < lever.maximum
    assert lever.default == LAW or lever.minimum <= lever.code(lever.default) <= lever.maximum
    assert (lever.kind == "choice") == bool(lever.choices)
    for text in (lever.title, lever.actor, lever.group, lever.unit, lever.description):
        assert text.strip() == text != ""
    for text in (lever.korean_name, lever.korean_description):
        assert any("가" <= letter <= "힣" for letter in text)


def test_the_levers_the_actors_have() -> None:
    assert {lever.actor for lever in levers().values()} == {"US", "China", "hubs", "Korea", "technology", "demand"}
    for hub in labels().hubs:
        assert {f"hubs.enforcement.{hub}", f"us.hub_licence.{hub}"} <= levers().keys()


def test_codes_are_those_of_the_rules() -> None:
    assert levers()["us.allowed_products"].choices == {
        "free": 0,
        "licence": 2,
        "case_by_case": 3,
        "denied": 4,
    }
    assert levers()["china.import_stance"].choices == {"open": 0, "discouraged": 1, "conditional": 2, "blocked": 3}
    assert math.isnan(levers()["us.quota"].code(LAW))


def test_names_lead_to_levers() -> None:
    assert find_lever("us.quota") == (levers()["us.quota"], "all")
    assert find_lever("us.quota.nvidia-h20") == (levers()["us.quota"], "nvidia-h20")
    assert find_lever("us.enforcement") == (levers()["us.enforcement"], "")
    for wrong in ("us.enforcement.h20", "us", "", "quota"):
        with pytest.raises(UnknownName):
            find_lever(wrong)
    with pytest.raises(UnknownName, match=r"did you mean demand.us_capex"):
        find_lever("demand.uscapex")


@pytest.mark.parametrize(
    ("tpp", "bandwidth", "expected"),
    [
        (2_368, 4_000, "h20-class"),  # H20
        (4_992, 2_039, "h200-class"),  # A100
        (15_832, 4_800, "h200-class"),  # H200
        (20_919, 6_000, "h200-class"),  # MI325X, 81 TPP below the line
        (28_000, 4_000, "blackwell-class"),  # B30A
        (36_000, 8_000, "blackwell-class"),  # B200
        (16_000, 6_500, "blackwell-class"),  # within the TPP line, on the bandwidth line
        (60_000, 8_000, "blackwell-class"),  # GB300
        (140_000, 22_000, "rubin-class"),
    ],
)
def test_classes_follow_the_lines_of_the_rules(tpp: float, bandwidth: float, expected: str) -> None:
    assert control_class(tpp, bandwidth) == expected


def assembled(setting: dict[str, object]) -> list[np.ndarray]:
    import jax

    inputs = assemble(load_scenario("baseline").with_settings(setting), facts.load())
    return [np.asarray(leaf) for leaf in jax.tree.leaves(inputs)]


def test_a_performance_line_frees_what_lies_below_and_denies_the_rest() -> None:
    months = load_scenario("baseline").months
    scenario = load_scenario("baseline").with_settings({"us.threshold_tpp": {"2027-01": 3000}})
    quota = np.asarray(assemble(scenario, facts.load()).months.market.quota)
    after = int(np.flatnonzero(months == np.datetime64("2027-01"))[0])
    h20, b200 = (labels().products.index(name) for name in ("nvidia-h20", "nvidia-b200"))
    assert quota[after, h20] > 1e11
    assert quota[after, b200] == 0
    np.testing.assert_array_equal(
        quota[:after], np.asarray(assemble(load_scenario("baseline"), facts.load()).months.market.quota)[:after]
    )


@pytest.mark.slow
@pytest.mark.parametrize("name", levers())
def test_every_lever_moves_something(name: str) -> None:
    low, high = (assembled({name: end}) for end in levers()[name].extremes())
    assert any(not np.array_equal(one, other) for one, other in zip(low, high, strict=True))


def test_the_documentation_prints_this_table() -> None:
    documentation = (Path(__file__).parents[2] / "docs" / "scenarios.md").read_text(encoding="utf-8")
    assert lever_table() in documentation
    assert all(f"`{name}`" in lever_table("ko") for name in levers())
