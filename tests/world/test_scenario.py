"""Scenario files: what they mean, and one clear line for each way to get one wrong."""

import json
from importlib import resources
from pathlib import Path

import jsonschema
import numpy as np
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from chipweir.errors import InputError, UnknownName
from chipweir.world import (
    DEFAULT_RUN,
    Scenario,
    levers,
    load_scenario,
    parse_scenario,
    preset_names,
    resolved_scenario,
    scenario_schema,
)


MONTHS = ["2026-11", "2026-12", "2027-06"]


def test_the_presets_are_there_and_the_default_run_comes_first() -> None:
    assert preset_names()[:4] == DEFAULT_RUN == ("baseline", "blockade", "weir", "open")
    assert set(preset_names()[4:]) == {"sea-licence", "hbm-cut", "glut", "forecast"}


@pytest.mark.parametrize("name", preset_names())
def test_a_preset_is_named_described_and_has_an_effect_only_after_the_cut_off(name: str) -> None:
    scenario, baseline = load_scenario(name), load_scenario("baseline")
    assert scenario.name == name
    assert scenario.title
    assert scenario.description
    assert scenario.warnings() == []
    assert (scenario.start, scenario.end, scenario.months.size) == ("2022-01", "2032-12", 132)
    for setting in scenario.levers.keys() | baseline.levers.keys():
        history = scenario.months < np.datetime64("2026-12")
        np.testing.assert_array_equal(scenario.series(setting)[history], baseline.series(setting)[history])


@pytest.mark.parametrize("name", preset_names())
def test_a_resolved_scenario_stands_alone(name: str) -> None:
    scenario = load_scenario(name)
    again = parse_scenario(scenario.to_yaml(), "again.yaml")
    assert again == scenario
    assert again.digest == scenario.digest
    assert Scenario(**json.loads(json.dumps(scenario.model_dump()))) == scenario


def test_the_shipped_schema_is_the_one_the_code_makes_and_fits_every_preset() -> None:
    world = resources.files("chipweir.world")
    shipped = json.loads((world / "scenario.schema.json").read_text(encoding="utf-8"))
    assert shipped == scenario_schema()
    jsonschema.Draft202012Validator.check_schema(shipped)
    validator = jsonschema.Draft202012Validator(shipped)
    for name in preset_names():
        text = (world / "presets" / f"{name}.yaml").read_text(encoding="utf-8")
        plain = yaml.load(text, yaml.BaseLoader)
        validator.validate(plain | {"levers": load_scenario(name).levers, "events": plain.get("events") == "true"})
        validator.validate(yaml.safe_load(load_scenario(name).to_yaml()))
    for bad in (
        {"levls": {}},
        {"levers": {"us": {"enforcment": 1}}},
        {"levers": {"us": {"enforcement": -1}}},
        {"levers": {"us": {"quota": {"h20-class": -5}}}},
        {"levers": {"china": {"import_stance": "opn"}}},
        {"end": "2032-13"},
    ):
        with pytest.raises(jsonschema.ValidationError):
            validator.validate(bad)


def test_weir_lets_older_chips_flow_and_not_the_best() -> None:
    weir = load_scenario("weir")
    allowed = {"free": 0.0, "licence": 2.0, "denied": 4.0}
    for product_class, status in {
        "h20-class": "licence",
        "h200-class": "licence",
        "blackwell-class": "denied",
        "rubin-class": "denied",
    }.items():
        series = weir.product_series("us.allowed_products", "some-chip", product_class, MONTHS)
        np.testing.assert_array_equal(series, [np.nan, allowed[status], allowed[status]])
    np.testing.assert_array_equal(
        weir.product_series("us.fee_share", "x", "h200-class", MONTHS, law=0.1), [0.1, 0.25, 0.25]
    )


def test_a_plain_value_holds_for_the_whole_run_and_a_series_from_its_months() -> None:
    scenario = parse_scenario("levers: {us: {enforcement: 2}, demand.us_capex: {2026-12: 1.5, 2027-06: 0.5}}")
    np.testing.assert_array_equal(scenario.series("us.enforcement", MONTHS), [2, 2, 2])
    np.testing.assert_array_equal(scenario.series("demand.us_capex", MONTHS), [1, 1.5, 0.5])
    np.testing.assert_array_equal(scenario.series("us.location_verification", MONTHS), [0, 0, 0])
    assert scenario.series("us.enforcement").shape == scenario.months.shape


def test_law_stays_open_for_the_rules_to_fill() -> None:
    scenario = parse_scenario("levers: {us.threshold_tpp: {2026-12: 2400, 2027-06: law}}")
    np.testing.assert_array_equal(scenario.series("us.threshold_tpp", MONTHS), [np.nan, 2400, np.nan])
    np.testing.assert_array_equal(scenario.series("us.threshold_tpp", MONTHS, law=4800), [4800, 2400, 4800])
    by_month = np.array([1.0, 2.0, 3.0])
    np.testing.assert_array_equal(scenario.series("us.threshold_tpp", MONTHS, law=by_month), [1, 2400, 3])


def test_the_more_special_product_outranks_the_more_general() -> None:
    scenario = parse_scenario("levers: {us.quota: {all: 10, h20-class: {2026-12: 20}, h200-class: law}}")
    assert list(scenario.product_series("us.quota", "x", "h20-class", MONTHS)) == [10, 20, 20]
    assert list(scenario.product_series("us.quota", "x", "rubin-class", MONTHS)) == [10, 10, 10]
    assert list(scenario.product_series("us.quota", "x", "h200-class", MONTHS, law=7)) == [7, 7, 7]
    assert list(parse_scenario("levers: {us.quota: 5}").product_series("us.quota", "x", "h20-class", MONTHS)) == [
        5,
        5,
        5,
    ]


def test_chips_are_named_by_id_or_alias() -> None:
    scenario = parse_scenario("levers: {us.quota: {H20: 5, nvidia-next-2028: 7}}")
    assert scenario.levers.items() >= {"us.quota.nvidia-h20": 5, "us.quota.nvidia-next-2028": 7}.items()


def test_a_date_alone_switches_on() -> None:
    scenario = parse_scenario(
        "levers: {us: {hub_licence: {MYS: 2026-12, THA: 2027-06-01}, location_verification: yes}}"
    )
    assert list(scenario.series("us.hub_licence.MYS", MONTHS, law=0)) == [0, 1, 1]
    assert list(scenario.series("us.hub_licence.THA", MONTHS, law=0)) == [0, 0, 1]
    assert list(scenario.series("us.location_verification", MONTHS)) == [1, 1, 1]


def test_a_child_takes_over_from_its_first_month(tmp_path: Path) -> None:
    (tmp_path / "parent.yaml").write_text("levers: {us.enforcement: {2025-01: 2, 2027-01: 3}, us.quota: {all: 5}}")
    child = tmp_path / "child.yaml"
    child.write_text("extends: parent.yaml\nlevers: {us.enforcement: {2026-12: 0.5}, us.quota: {h20-class: 1}}")
    scenario = load_scenario(child)
    assert scenario.name == "child"
    months = ["2024-12", "2026-11", "2026-12", "2028-01"]
    assert list(scenario.series("us.enforcement", months)) == [1, 2, 0.5, 0.5]
    assert scenario.levers["us.quota.all"] == 5
    assert scenario.levers["us.quota.h20-class"] == 1
    assert "china.domestic_share_floor" in scenario.levers, "the parent extends baseline without saying so"
    child.write_text("extends: parent.yaml\nlevers: {us.enforcement: 1}")
    assert load_scenario(child).levers["us.enforcement"] == 1


def test_a_dated_series_over_a_plain_value_keeps_it_before() -> None:
    scenario = parse_scenario("levers: {us.enforcement: 2}").with_settings({"us.enforcement": {"2026-12": 3}})
    assert list(scenario.series("us.enforcement", MONTHS)) == [2, 3, 3]


def test_extends_null_is_the_bare_law() -> None:
    assert parse_scenario("extends: null\nname: bare").levers == {}


def test_settings_by_hand_are_checked_like_a_file() -> None:
    weir = load_scenario("weir")
    stricter = weir.with_settings({"us.enforcement": 3, "us": {"quota": {"h20-class": 0}}}, name="stricter")
    assert (stricter.name, stricter.levers["us.enforcement"], stricter.levers["us.quota.h20-class"]) == (
        "stricter",
        3,
        0,
    )
    assert weir.levers.get("us.enforcement") is None
    assert stricter.digest != weir.digest
    with pytest.raises(InputError, match="out of range"):
        weir.with_settings({"us.enforcement": 4})


def test_files_that_extend_one_another_in_a_circle_are_refused(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("extends: b.yaml")
    (tmp_path / "b.yaml").write_text("extends: ./a.yaml")
    with pytest.raises(InputError, match=r"extends itself \(a.yaml -> b.yaml -> a.yaml\)"):
        load_scenario(tmp_path / "a.yaml")
    (tmp_path / "c.yaml").write_text("extends: c.yaml")
    with pytest.raises(InputError, match="extends itself"):
        load_scenario(tmp_path / "c.yaml")


def test_rule_overlays_are_read_at_once_and_inherited(tmp_path: Path) -> None:
    ended = {"rule": "US-2025-04L", "from": "2027-01-01"}
    enacted = {"instrument": "US-2025-07P", "from": "2027-01-01"}
    (tmp_path / "overlay.yaml").write_text("title: more\nend: [{rule: US-2025-04L, from: 2027-01-01}]\n")
    (tmp_path / "parent.yaml").write_text("rules: [overlay.yaml]")
    child = "extends: parent.yaml\nrules: [{enact: [{instrument: US-2025-07P, from: 2027-01-01}]}]"
    (tmp_path / "child.yaml").write_text(child)
    scenario = load_scenario(tmp_path / "child.yaml")
    assert scenario.rules == [{"title": "more", "end": [ended]}, {"enact": [enacted]}]
    assert parse_scenario(scenario.to_yaml()).rules == scenario.rules
    assert resolved_scenario(scenario.model_dump(), "manifest") == scenario


@pytest.mark.parametrize(
    ("record", "message"),
    [
        ([], "a scenario is a mapping"),
        ({1: 2}, "a scenario is a mapping"),
        ({"name": "x", "rules": ["overlay.yaml"]}, "written out, not files"),
        ({"name": "x", "rules": [{"foo": 1}]}, "unknown key 'foo'"),
        ({"name": "x", "levers": {"us.enforcement": 9}}, "9 is out of range"),
        ({"name": "../x"}, "name"),
        ({"name": "x", "id": 3}, "unknown scenario key 'id'"),
        ({"name": "x", "end": 3}, "'3' is not a month"),
    ],
)
def test_a_resolved_scenario_is_checked_like_a_file(record: object, message: str) -> None:
    with pytest.raises(InputError, match=message):
        resolved_scenario(record, "manifest.json")


def test_a_setting_that_can_have_no_effect_is_a_warning() -> None:
    scenario = parse_scenario("name: late\nend: 2026-06\nlevers: {us.enforcement: {2027-01: 2}}")
    assert scenario.warnings() == ["late: us.enforcement is set only after the scenario's end (2026-06)"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "levers:\n  us:\n    enforcment: 2",
            "unknown lever 'us.enforcment' in f.yaml:3; did you mean us.enforcement",
        ),
        (
            "levers: {us.enforcement: -1}",
            "f.yaml:1: us.enforcement: -1 is out of range; give a number from 0 to 3",
        ),
        (
            "levers: {us.quota: {h20-class: -5}}",
            "us.quota.h20-class: -5 is out of range; give a number from 0 to 1000000",
        ),
        (
            "levers:\n  us.enforcement:\n    2027-01: 1\n    2026-01: 2",
            "f.yaml:4: .*2026-01 comes after 2027-01; put",
        ),
        ("levers: {us.enforcement: {2027-01: 1, 2027-01-15: 2}}", "2027-01 is given twice"),
        ("levers: {us.enforcement: {2027-13: 1}}", "'2027-13' is not a month such as 2026-12"),
        ("levers: {us.enforcement: {2026-01: 1, x: 3}}", "'x' is not a month"),
        ("levers: {us.enforcement: {}}", "us.enforcement has no value"),
        ("levers: {us.enforcement: law}", "'law' is not a number from 0 to 3"),
        ("levers: {us.enforcement: .nan}", "f.yaml:1: .nan is no number"),
        ("levers: {us.enforcement: .inf}", "f.yaml:1: .inf is no number"),
        ("levers: {us.enforcement: yes}", "'yes' is not a number"),
        ("levers: {us.enforcement: '2'}", "'2' is not a number"),
        ("levers: {us.enforcement: [1, 2]}", "is not a number"),
        ("levers: {us.location_verification: 0.5}", "give true or false"),
        ("levers: {us.enforcement: 1, us: {enforcement: 2}}", "us.enforcement is set twice"),
        ("levers: {china.import_stance: opn}", "'opn' is none of open, discouraged, conditional, blocked, law"),
        ("levers: {us.hub_licence.VNM: 1}", "unknown lever 'us.hub_licence.VNM'"),
        ("levers: {us.quota: {nvidia-h2x0: 5}}", "unknown chip or class 'nvidia-h2x0' in f.yaml:1; did you mean"),
        ("levers: {us.quota: {h20class: 5}}", "did you mean h20-class"),
        ("levers: {us.quota.: 5}", "unknown chip or class ''"),
        ("levers: {us.quota: {H20: 5, nvidia-h20: 6}}", "us.quota.nvidia-h20 is set twice"),
        ("levers: {us.quota: {nvidia-rtx-4090: 5}}", "nvidia-rtx-4090 is not among the products of the model"),
        ("levers: {us.hub_licence: 2026-12}", "unknown lever 'us.hub_licence'"),
        ("levers: {us: 4}", "unknown lever 'us'"),
        ("levers: 4", "levers takes a mapping"),
        ("levls: {}", "unknown scenario key 'levls' in f.yaml:1; did you mean levers"),
        ("name: A B", "f.yaml:1: name: "),
        ("title: 3", "f.yaml:1: title: "),
        ("name: x\nname: y", "f.yaml:2: 'name' is given twice"),
        ("start: 2022-13", "'2022-13' is not a month"),
        ("end: 2021-01", "2021-01 is outside 2022-01 to"),
        ("\nstart: 2030-01\nend: 2025-01", r"f.yaml:3: end \(2025-01\) must be later than start"),
        ("extends: blokade", "unknown scenario 'blokade' in f.yaml; did you mean blockade"),
        ("extends: [a]", "extends takes a preset's name"),
        ("extends: nofile.yaml", "cannot read scenario file nofile.yaml: no such file"),
        ("rules: [nofile.yaml]", "cannot read rule overlay file nofile.yaml"),
        ("rules: overlay.yaml", "rules takes a list"),
        ("rules: [3]", "a rule overlay is a file's path or a mapping"),
        ("a: b: c", "f.yaml:1: not valid YAML"),
        ("[1]", "a mapping of keys to values is expected"),
        ("? [a]\n: 3", "a key must be a plain word"),
        ("levers: &a {us: *a}", "aliases"),
        ("rules: [{foo: 1}]", "f.yaml:1: unknown key 'foo'"),
        ("notes: !!python/name:os.system x", "not valid YAML"),
    ],
)
def test_bad_input_is_one_clear_line(text: str, message: str) -> None:
    with pytest.raises(InputError, match=message) as caught:
        parse_scenario(text, "f.yaml")
    assert "\n" not in str(caught.value)


def test_a_file_that_is_no_text_or_no_file_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "binary.yaml").write_bytes(b"\xff\xfe\x00\x01")
    (tmp_path / "folder.yaml").mkdir()
    for name, message in {
        "binary.yaml": "not text in UTF-8",
        "folder.yaml": "is a directory",
        "none.yaml": "no such",
    }.items():
        with pytest.raises(InputError, match=message):
            load_scenario(tmp_path / name)
    with pytest.raises(UnknownName, match="did you mean blockade"):
        load_scenario("blockad")


KEYS = st.sampled_from(["us", "quota", "all", "2026-12", "levers", "x", "enforcement"])
TREES = st.recursive(
    st.none() | st.booleans() | st.floats() | st.text(max_size=8),
    lambda leaf: st.lists(leaf, max_size=3) | st.dictionaries(KEYS, leaf, max_size=3),
)


@given(TREES)
@settings(max_examples=200, deadline=None)
def test_any_tree_is_a_scenario_or_bad_input(tree: object) -> None:
    try:
        outcome = str(parse_scenario(yaml.safe_dump({"levers": tree}), "f.yaml").digest)
    except InputError as error:
        outcome = str(error)
    assert outcome
    assert "\n" not in outcome


@given(
    st.dictionaries(st.dates().map(lambda day: f"{2022 + day.year % 11}-{day.month:02}"), st.floats(0, 3), min_size=1),
    st.dictionaries(st.dates().map(lambda day: f"{2022 + day.year % 11}-{day.month:02}"), st.floats(0, 3), min_size=1),
)
@settings(max_examples=50, deadline=None)
def test_layers_compose_month_by_month(parent: dict[str, float], child: dict[str, float]) -> None:
    base = parse_scenario("extends: null").with_settings({"us.enforcement": dict(sorted(parent.items()))})
    both = base.with_settings({"us.enforcement": dict(sorted(child.items()))})
    first = min(child)
    for month, before, after in zip(
        both.months, base.series("us.enforcement"), both.series("us.enforcement"), strict=True
    ):
        in_force = [value for start, value in sorted(child.items()) if start <= str(month)]
        assert after == (in_force[-1] if str(month) >= first else before)


@pytest.mark.parametrize("name", levers())
def test_every_lever_takes_its_ends_and_refuses_what_lies_beyond(name: str) -> None:
    lever = levers()[name]
    scenario = load_scenario("baseline")
    for end in lever.extremes():
        assert scenario.with_settings({name: end}).series(name)[0] == lever.code(end)
    if lever.kind == "number":
        for beyond in (lever.minimum - 1e-6, lever.maximum + 1e-6):
            with pytest.raises(InputError, match="out of range"):
                scenario.with_settings({name: beyond})
