"""Saved runs and long jobs on a server that others use too: whose they are, how many, and who finds them."""

import re
import threading

import pytest
from synthetic_run import synthetic_run

from chipweir import store, world
from chipweir.app import _jobs, _saved
from chipweir.app._jobs import Job, Jobs
from chipweir.app._kept import Kept
from chipweir.app._saved import save, stored_answer
from chipweir.app._state import View, read_view
from chipweir.errors import InputError, UnknownName


@pytest.fixture
def runs(tmp_path, monkeypatch):
    """A run store, and an ensemble that costs nothing."""
    monkeypatch.setenv("CHIPWEIR_RUNS", str(tmp_path))

    def made_up(scenarios, *_args):
        run = synthetic_run().sel(scenario=["baseline", "weir"])
        return run.assign_coords(scenario=[each.name for each in scenarios]).drop_attrs(deep=False)

    monkeypatch.setattr(world, "run_ensemble", made_up)
    monkeypatch.setattr(_saved, "_fill", lambda *_args: None)
    return tmp_path


def saved(name, owner=""):
    return save(View(preset="weir"), name, Job("job"), owner)


def test_a_saved_run_ends_in_a_secret_and_says_whose_it_is(runs):
    first, second = saved("mine-a", "visitor-one"), saved("mine-a", "visitor-one")
    assert re.fullmatch(r".*-[0-9a-f]{20}", first)
    assert first.rpartition("-")[2] != second.rpartition("-")[2]
    mark = store.find_run(first, runs).manifest["saved_by"]
    assert mark == store.find_run(second, runs).manifest["saved_by"]
    assert "visitor-one" not in mark
    assert mark != store.find_run(saved("mine-b", "visitor-two"), runs).manifest["saved_by"]
    assert read_view(f"run={first}").run == first


def test_others_find_a_run_by_its_whole_id_alone(runs):
    identifier = saved("mine-a", "one")
    own = saved("mine-b")
    assert stored_answer(identifier, private=False).names == ("baseline", "mine-a")
    assert stored_answer(identifier[:-1]).names == ("baseline", "mine-a")  # one's own store, by its beginning
    for guess in (identifier[:-1], identifier[:20], identifier.rpartition("-")[0], "latest"):
        with pytest.raises(UnknownName) as found:
            stored_answer(guess, private=False)
        assert identifier not in str(found.value)
        assert own not in str(found.value)


def test_others_do_not_find_runs_of_the_command_line(runs):
    secret = "0123456789abcdef0123"
    scenario = world.load_scenario("baseline")
    made = store.manifest([scenario], "f" * 64, "0" * 64, 4, 1, ["chipweir", "run"])
    run = store.write_run(runs, synthetic_run().sel(scenario=["baseline"]).drop_attrs(deep=False), made, None, secret)
    assert stored_answer(run.id).names == ("baseline", "baseline")
    with pytest.raises(UnknownName):
        stored_answer(run.id, private=False)


def test_a_visitor_has_a_quota_and_all_together_too(runs, monkeypatch):
    monkeypatch.setattr(_saved, "MOST_RUNS_OF_ONE", 2)
    monkeypatch.setattr(_saved, "MOST_RUNS", 3)
    saved("a", "one"), saved("b", "one")
    with pytest.raises(InputError, match="you have saved 2 runs"):
        saved("c", "one")
    saved("d", "two")
    with pytest.raises(InputError, match="3 runs are saved"):
        saved("e", "three")
    saved("f")  # whose store it is has no quota


def test_the_page_of_an_open_server_hands_on_who_asks(monkeypatch):
    """The wiring: the owner reaches `save`, and strangers' runs are asked for as a stranger."""
    from serving import made_up

    from chipweir.app import _server as server
    from chipweir.app import create_app
    from chipweir.app._engine import Engine

    told, asked = [], []
    monkeypatch.setattr(server, "save", lambda view, name, job, owner: told.append(owner) or "20260101-000000-x")
    monkeypatch.setattr("chipweir.app._answers.stored_answer", lambda run, private: asked.append(private) or 1 / 0)
    for options, expected_owner, private in (({}, "", True), ({"behind_proxy": True}, "visitor-7", False)):
        client = create_app(Engine(made_up), hosts=None, **options).server.test_client(use_cookies=False)
        headers = {"Cookie": "chipweir-visitor=visitor-7"}
        body = {
            "output": "..save-state.children...save-job.data...save-tick.disabled..",
            "outputs": [
                {"id": "save-state", "property": "children"},
                {"id": "save-job", "property": "data"},
                {"id": "save-tick", "property": "disabled"},
            ],
            "inputs": [
                {"id": "save", "property": "n_clicks", "value": 1},
                {"id": "save-tick", "property": "n_intervals", "value": 0},
            ],
            "state": [
                {"id": "save-name", "property": "value", "value": "mine-a"},
                {"id": "view", "property": "data", "value": ""},
                {"id": "save-job", "property": "data", "value": None},
            ],
            "changedPropIds": ["save.n_clicks"],
        }
        before = len(told)
        assert client.post("/_dash-update-component", json=body, headers=headers).status_code == 200
        for _ in range(500):
            if len(told) > before:
                break
            threading.Event().wait(0.01)
        assert told[-1] == expected_owner
        client.application.config.update(PROPAGATE_EXCEPTIONS=True)
        with pytest.raises(ZeroDivisionError):
            client.get("/answer?run=20260101-000000-x", headers=headers)
        assert asked[-1] is private


def test_a_job_is_its_visitors_alone():
    visitor = ["one"]
    jobs = Jobs(who=lambda: visitor[0])
    gate = threading.Event()
    identifier = jobs.start(lambda job: gate.wait(20) and job.report(0.5))
    visitor[0] = "two"
    assert jobs.get(identifier) is None
    jobs.cancel(identifier)
    visitor[0] = "one"
    assert not jobs.get(identifier).cancelled.is_set()
    gate.set()


def test_one_visitor_has_some_of_the_jobs_and_all_have_a_bound():
    visitor = ["one"]
    jobs = Jobs(most=3, who=lambda: visitor[0], most_of_one=2)
    gate = threading.Event()
    for _ in range(2):
        jobs.start(lambda job: gate.wait(20))
    with pytest.raises(InputError, match="you have other"):
        jobs.start(lambda job: None)
    visitor[0] = "two"
    jobs.start(lambda job: gate.wait(20))
    with pytest.raises(InputError, match="busy"):
        jobs.start(lambda job: None)
    gate.set()


def test_finished_results_are_kept_within_bytes(monkeypatch):
    monkeypatch.setattr(_jobs, "RESULT_BYTES", 2_500)
    jobs, found = Jobs(), []
    for _ in range(4):
        identifier = jobs.start(lambda job: "x" * 1_000)
        job = jobs.get(identifier)
        while not job.finished:
            threading.Event().wait(0.005)
        found.append(identifier)
    assert [jobs.get(each) is not None for each in found] == [False, False, True, True]


def test_what_is_kept_stays_within_its_bound():
    kept = Kept(100, len)
    for number in range(50):
        kept.put(number, b"x" * (number % 30))
        assert kept.bytes <= 100
    assert kept.bytes == sum(len(kept.get(number) or b"") for number in range(50))
    kept.put("large", b"x" * 101)
    assert kept.get("large") is None


def test_what_several_ask_for_at_once_is_made_once():
    kept, made, gate = Kept(1_000, len), [], threading.Event()

    def make():
        made.append(1)
        gate.wait(20)
        return b"value"

    found = []
    threads = [threading.Thread(target=lambda: found.append(kept.made("key", make))) for _ in range(6)]
    for thread in threads:
        thread.start()
    gate.set()
    for thread in threads:
        thread.join(20)
    assert (found, made) == ([b"value"] * 6, [1])


def test_what_fails_is_not_remembered():
    kept = Kept(1_000, len)
    with pytest.raises(ZeroDivisionError):
        kept.made("key", lambda: 1 / 0)
    assert kept.made("key", lambda: b"good") == b"good"
