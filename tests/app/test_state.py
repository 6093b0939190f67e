import pytest
from hypothesis import given
from hypothesis import strategies as st

from chipweir import world
from chipweir.app._levers import controls
from chipweir.app._state import TABS, View, read_view, reference_of, scenario_of
from chipweir.report._levers import effective


def _value(control):
    lever = control.lever
    if lever.kind == "choice":
        return st.sampled_from([*lever.choices, *(["law"] if lever.default == "law" else [])])
    if lever.kind == "bool":
        return st.sampled_from([0.0, 1.0])
    numbers = st.integers(0, 100).map(lambda i: lever.minimum + (lever.maximum - lever.minimum) * i / 100)
    return numbers.map(lambda x: float(f"{x:.10g}"))


SETTINGS = st.lists(st.sampled_from(controls()), unique_by=lambda c: c.name, max_size=6).flatmap(
    lambda chosen: st.tuples(*(st.tuples(st.just(c.name), _value(c)) for c in chosen))
)


@given(
    lang=st.sampled_from(["en", "ko"]),
    preset=st.sampled_from(world.preset_names()),
    tab=st.sampled_from(TABS),
    year=st.integers(2022, 2032),
    settings=SETTINGS,
)
def test_an_address_restores_the_view(lang, preset, tab, year, settings):
    view = View(lang=lang, preset=preset, tab=tab, year=year, settings=tuple(sorted(settings)))
    found = read_view("?" + view.query())
    assert found == view
    assert found.problems == ()
    assert scenario_of(found).digest == scenario_of(view).digest


@given(st.text(max_size=300))
def test_any_text_as_an_address_gives_a_view_and_never_an_error(text):
    view = read_view("?" + text)
    assert scenario_of(view).name
    assert reference_of(view).name
    assert read_view("?" + view.query()).query() == view.query()


@pytest.mark.parametrize(
    ("query", "complaint"),
    [
        ("lang=fr", "language"),
        ("p=blockad", "blockade"),
        ("s.us.enforcment=2", "us.enforcement"),
        ("s.us.enforcement=1e99", "out of range"),
        ("s.us.enforcement=nan", "number"),
        ("s.us.allowed_products.h20-class=maybe", "none of"),
        ("from=2026-13", "month"),
        ("y=3000", "2022"),
        ("tab=secrets", "tab"),
        ("x=" + "9" * 10_000, "too long"),
    ],
)
def test_what_an_address_gets_wrong_is_named(query, complaint):
    view = read_view(query)
    assert len(view.problems) == 1
    assert complaint in view.problems[0]
    assert view.settings == ()


def test_changes_hold_from_their_month_on():
    view = View(settings=(("us.enforcement", 2.0),), start="2027-01")
    scenario = scenario_of(view)
    assert scenario.name == "mine"
    assert effective(scenario, "us.enforcement", "2026-12") == 1.0
    assert effective(scenario, "us.enforcement", "2027-01") == 2.0


def test_a_preset_without_changes_is_itself():
    assert scenario_of(View(preset="weir")) == world.load_scenario("weir")


def test_the_preset_shows_in_the_controls():
    weir = world.load_scenario("weir")
    assert effective(weir, "us.allowed_products.h20-class", "2026-12") == "licence"
    assert effective(weir, "us.allowed_products.blackwell-class", "2026-12") == "denied"
    assert effective(world.load_scenario("baseline"), "us.quota.h20-class", "2026-12") == "law"
    assert effective(weir, "us.quota.h20-class", "2026-12") == 1_000_000


def test_every_lever_has_a_control():
    assert {control.lever.name for control in controls()} == set(world.levers())


def test_questions_of_other_pages_travel_in_the_address():
    view = View().ask(r_chip="nvidia-h20", r_to="CN", r_hq="")
    assert read_view(view.query()).asked("r.chip") == "nvidia-h20"
    assert read_view(view.query()).asked("r.hq") == ""


def test_every_choice_of_a_lever_has_a_word():
    from chipweir.report._levers import CHOICES

    for control in controls():
        assert set(control.lever.choices) <= set(CHOICES), control.name
