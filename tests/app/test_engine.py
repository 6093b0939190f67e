import threading
import time

import pytest
import xarray as xr

from chipweir import world
from chipweir.app._engine import _QUIET_S, FULL_MEMBERS, QUICK_MEMBERS, Busy, Engine
from chipweir.app._jobs import Jobs
from chipweir.errors import InputError


BASE, WEIR = world.load_scenario("baseline"), world.load_scenario("weir")


class Counting:
    def __init__(self, seconds=0.0):
        self.asked, self.at_once, self.most, self.seconds = [], 0, 0, seconds
        self.lock = threading.Lock()

    def __call__(self, first, second, members, _wait):
        with self.lock:
            self.asked.append((first.name, second.name, members))
            self.at_once += 1
            self.most = max(self.most, self.at_once)
        time.sleep(self.seconds)
        with self.lock:
            self.at_once -= 1
        return xr.Dataset(attrs={"members": members})


def test_an_answer_is_remembered():
    simulate = Counting()
    engine = Engine(simulate)
    assert engine.quick(BASE, WEIR) is engine.quick(BASE, WEIR)
    assert simulate.asked == [("baseline", "weir", QUICK_MEMBERS)]


def test_the_same_question_at_the_same_time_is_simulated_once():
    simulate = Counting(0.2)
    engine = Engine(simulate)
    threads = [threading.Thread(target=engine.quick, args=(BASE, WEIR)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(simulate.asked) == 1


def test_moves_take_turns():
    simulate = Counting(0.05)
    engine = Engine(simulate)
    others = [BASE.with_settings({"us.enforcement": value / 10}) for value in range(6)]
    threads = [threading.Thread(target=engine.quick, args=(BASE, other)) for other in others]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(simulate.asked) == 6
    assert simulate.most == 1


def test_refining_waits_for_quiet_and_then_serves_as_the_best_known():
    engine = Engine(Counting())
    engine.quick(BASE, WEIR)
    assert engine.full(BASE, WEIR) is None
    assert engine.best_known(BASE, WEIR).members == QUICK_MEMBERS
    time.sleep(_QUIET_S + 0.1)
    assert engine.full(BASE, WEIR).members == FULL_MEMBERS
    assert engine.best_known(BASE, WEIR).members == FULL_MEMBERS


def test_a_refinement_holds_while_levers_move():
    steps = []

    def simulate(_first, _second, members, wait):
        for _step in range(3 if members == FULL_MEMBERS else 1):
            wait()
            steps.append((members, time.monotonic()))
            time.sleep(0.1)
        return xr.Dataset()

    engine = Engine(simulate)
    refining = threading.Thread(target=engine.full, args=(BASE, WEIR))
    refining.start()
    time.sleep(0.15)
    moved = time.monotonic()
    engine.quick(BASE, BASE.with_settings({"us.enforcement": 0.3}))
    refining.join()
    assert [members for members, _at in steps].count(FULL_MEMBERS) == 3
    assert all(at < moved + 0.01 or at > moved + 0.9 * _QUIET_S for members, at in steps if members == FULL_MEMBERS)


def test_too_many_in_line_are_told_so():
    engine = Engine(Counting(0.5), waiting=2)
    threads = [
        threading.Thread(target=engine.quick, args=(BASE, BASE.with_settings({"us.enforcement": value})))
        for value in (0.1, 0.2)
    ]
    for thread in threads:
        thread.start()
    time.sleep(0.1)
    with pytest.raises(Busy, match="try again"):
        engine.quick(BASE, WEIR)
    for thread in threads:
        thread.join()
    engine.quick(BASE, WEIR)


def test_a_failure_is_told_and_not_remembered():
    calls = []

    def simulate(_first, _second, members, _wait):
        calls.append(members)
        if len(calls) == 1:
            raise InputError("no such thing")
        return xr.Dataset()

    engine = Engine(simulate)
    with pytest.raises(InputError, match="no such thing"):
        engine.quick(BASE, WEIR)
    assert engine.quick(BASE, WEIR).members == QUICK_MEMBERS


def test_only_so_many_answers_are_kept():
    simulate = Counting()
    engine = Engine(simulate, remembered=2)
    for value in (0.1, 0.2, 0.3):
        engine.quick(BASE, BASE.with_settings({"us.enforcement": value}))
    engine.quick(BASE, BASE.with_settings({"us.enforcement": 0.1}))
    assert len(simulate.asked) == 4


def _wait(job):
    deadline = time.monotonic() + 5
    while not job.finished:
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_a_job_reports_and_ends():
    jobs = Jobs()
    job = jobs.get(jobs.start(lambda job: job.report(0.5) or "made"))
    _wait(job)
    assert (job.result, job.error, job.done) == ("made", "", 1.0)


def test_a_job_can_be_cancelled():
    jobs = Jobs()

    def work(job):
        while True:
            job.report(0.1)
            time.sleep(0.01)

    identifier = jobs.start(work)
    jobs.cancel(identifier)
    job = jobs.get(identifier)
    _wait(job)
    assert job.error == "cancelled"


def test_a_job_that_fails_says_why_without_a_traceback():
    jobs = Jobs()

    def bad_input(job):
        raise InputError("line 3 is odd")

    first, second = jobs.get(jobs.start(bad_input)), jobs.get(jobs.start(lambda job: 1 / 0))
    _wait(first)
    _wait(second)
    assert first.error == "line 3 is odd"
    assert "ZeroDivisionError" in second.error


def test_jobs_are_limited():
    jobs = Jobs(most=1)
    gate = threading.Event()
    jobs.start(lambda job: gate.wait(5))
    with pytest.raises(InputError, match="busy"):
        jobs.start(lambda job: None)
    gate.set()
