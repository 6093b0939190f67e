import threading
import time

import pytest
import xarray as xr

from chipweir import world
from chipweir.app._engine import _QUIET_S, FIRST_MEMBERS, FULL_MEMBERS, QUICK_MEMBERS, WORKERS, Asker, Busy, Engine
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


def test_a_move_waits_for_a_worker():
    simulate = Counting(0.05)
    engine = Engine(simulate)
    others = [BASE.with_settings({"us.enforcement": value / 10}) for value in range(6)]
    for answer in [engine.answer(BASE, other) for other in others]:
        answer.result(20)
    assert len(simulate.asked) == 6
    assert simulate.most <= WORKERS


def test_one_visitor_alone_gets_the_interactive_ensemble_and_many_get_a_first_look():
    engine = Engine(Counting(0.1))
    assert engine.answer(BASE, WEIR).result(20).members == QUICK_MEMBERS
    others = [BASE.with_settings({"us.enforcement": value / 10}) for value in range(6)]
    answers = [engine.answer(BASE, other, Asker("here", str(n), True)) for n, other in enumerate(others)]
    members = [answer.result(20).members for answer in answers]
    assert members[:4] == [FIRST_MEMBERS] * 4


def test_answers_are_refined_in_turn_and_the_best_known_is_served():
    engine = Engine(Counting(0.05))
    others = [BASE.with_settings({"us.enforcement": value / 10}) for value in range(4)]
    firsts = [engine.answer(BASE, other, Asker("here", str(n), True)) for n, other in enumerate(others)]
    assert firsts[0].result(20).members == FIRST_MEMBERS
    better = engine.better(BASE, others[0], FIRST_MEMBERS).result(20)
    assert better.members == QUICK_MEMBERS
    assert engine.answer(BASE, others[0]).result(0).members == QUICK_MEMBERS
    assert engine.better(BASE, others[0], better.members).result(20).members == FULL_MEMBERS
    assert engine.answer(BASE, others[0]).result(0).members == FULL_MEMBERS


def test_a_refinement_holds_while_levers_move():
    steps = []

    def simulate(_first, _second, members, wait):
        for _step in range(3 if members == FULL_MEMBERS else 1):
            wait()
            steps.append((members, time.monotonic()))
            time.sleep(0.1)
        return xr.Dataset()

    engine = Engine(simulate)
    engine.answer(BASE, WEIR).result(20)
    refined = engine.better(BASE, WEIR, QUICK_MEMBERS)
    while (FULL_MEMBERS in [members for members, _at in steps]) is False:
        time.sleep(0.01)
    moved = time.monotonic()
    engine.answer(BASE, BASE.with_settings({"us.enforcement": 0.3})).result(20)
    refined.result(20)
    full = [at for members, at in steps if members == FULL_MEMBERS]
    assert len(full) == 3
    # The step that was under way when the lever moved went on; the next waited until none had moved for a moment.
    assert full[1] > moved + 0.9 * _QUIET_S


def test_too_many_in_line_are_told_so():
    gate = threading.Event()

    def simulate(_first, _second, members, _wait):
        gate.wait(20)
        return xr.Dataset(attrs={"members": members})

    engine = Engine(simulate, waiting=2)
    moves = [BASE.with_settings({"us.enforcement": value / 10}) for value in range(1, WORKERS + 3)]
    under_way = [engine.answer(BASE, move) for move in moves[:WORKERS]]
    while len(engine._first):
        time.sleep(0.01)
    waiting = [engine.answer(BASE, move) for move in moves[WORKERS:]]
    with pytest.raises(Busy, match="try again"):
        engine.answer(BASE, WEIR)
    gate.set()
    for answer in under_way + waiting:
        answer.result(20)
    assert engine.answer(BASE, WEIR).result(20)


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


def test_answers_are_kept_within_a_bound_of_bytes():
    simulate = Counting()
    engine = Engine(simulate, remembered=2_500)  # an empty answer counts as a thousand
    for value in (0.1, 0.2, 0.3):
        engine.quick(BASE, BASE.with_settings({"us.enforcement": value}))
    engine.quick(BASE, BASE.with_settings({"us.enforcement": 0.1}))
    assert len(simulate.asked) == 4


def _wait(job):
    deadline = time.monotonic() + 5
    while not job.finished:
        assert time.monotonic() < deadline
        time.sleep(0.01)


@pytest.mark.parametrize("sent", [[1], {"a": 1}, 7, None, "no such", ""])
def test_what_is_no_id_of_a_job_is_no_job(sent):
    jobs = Jobs()
    assert jobs.get(sent) is None
    jobs.cancel(sent)


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
