"""Work in a child: its answers, and an end to it when it takes too long or too much."""

import os
import subprocess
import sys
import textwrap

import pytest

from chipweir.reading import Confined, Overrun


MB = 2**20


@pytest.fixture
def confined(tmp_path, monkeypatch):
    """Confined functions of a module that the child can import; closed at the end."""
    (tmp_path / "hostile_work.py").write_text(
        textwrap.dedent(
            """
            import os, re, time

            def double(value): return value * 2
            def who(_value): return [os.getpid(), os.getcwd(), sorted(os.environ)]
            def fails(value): raise ValueError(value)
            def sleeps(seconds): time.sleep(seconds); return "woke"
            def in_c(count): return bool(re.match("(a*)*b", "a" * count))
            def takes(megabytes): return len(bytearray(megabytes * 2**20))
            def prints(_value): os.write(1, b"x" * 100); print("y"); return "quiet"
            def dies(_value): os._exit(3)
            """
        )
    )
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    made = []

    def make(name, seconds=20.0, memory=400 * MB):
        made.append(Confined(f"hostile_work:{name}", seconds, memory))
        return made[-1]

    yield make
    for each in made:
        each.close()


def test_a_child_answers_again_and_again(confined):
    double = confined("double")
    assert double({"a": 1}["a"]) == 2
    assert double("가") == "가가"
    assert double([None, 1.5]) == [None, 1.5, None, 1.5]


def test_one_child_is_kept_and_is_not_this_process(confined, monkeypatch):
    monkeypatch.setenv("CHIPWEIR_TOKEN", "secret")
    who = confined("who")
    first, _, environment = who(None)
    assert who(None)[0] == first != os.getpid()
    assert "CHIPWEIR_TOKEN" not in environment


def test_a_failure_is_told_by_its_kind_and_the_child_lives_on(confined):
    fails = confined("fails")
    with pytest.raises(Overrun, match=r"^ValueError$"):
        fails("secret words")
    child = fails._child.pid
    with pytest.raises(Overrun):
        fails(1)
    assert fails._child.pid == child


@pytest.mark.parametrize(("name", "argument"), [("sleeps", 600), ("in_c", 60)])
def test_what_takes_too_long_is_stopped_even_inside_c(confined, name, argument):
    work = confined(name, seconds=1.5)
    with pytest.raises(Overrun, match=r"more than 1.5 seconds"):
        work(argument)
    assert work._child is None
    assert work(0) in ("woke", False)  # a new child


@pytest.mark.skipif(sys.platform != "linux", reason="the system does not limit memory")
def test_what_takes_too_much_memory_is_stopped(confined):
    takes = confined("takes")
    assert takes(50) == 50 * MB
    with pytest.raises(Overrun, match="more than 400 MB"):
        takes(900)
    assert takes(1) == MB


def test_what_breaks_down_or_prints_disturbs_nobody(confined):
    with pytest.raises(Overrun, match="broke down"):
        confined("dies")(None)
    assert confined("prints")(None) == "quiet"


def test_a_module_in_the_working_directory_is_not_taken_for_one_of_ours(confined, tmp_path, monkeypatch):
    trap = tmp_path / "elsewhere"
    trap.mkdir()
    (trap / "json.py").write_text("raise SystemExit('taken over')")
    (trap / "chipweir.py").write_text("raise SystemExit('taken over')")
    monkeypatch.chdir(trap)
    assert confined("double")(1) == 2


@pytest.mark.skipif(sys.platform == "win32", reason="there are no alarms")
def test_a_child_ends_by_itself_when_whoever_asked_is_gone(tmp_path):
    script = (
        "import os, threading, time\nfrom chipweir.reading import Confined\n"
        "work = Confined('time:sleep', 1.0, 400 << 20)\n"
        "def show():\n    while work._child is None: time.sleep(0.01)\n"
        "    print(work._child.pid, flush=True); time.sleep(0.5); os._exit(1)\n"
        "threading.Thread(target=show).start()\nwork(600)\n"
    )
    asked = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=False)
    child = int(asked.stdout)

    def there() -> bool:
        try:
            os.kill(child, 0)
            with open(f"/proc/{child}/stat") as stat:
                return stat.read().split()[2] != "Z"
        except (ProcessLookupError, FileNotFoundError):
            return False

    import time

    for _ in range(200):
        if not there():
            break
        time.sleep(0.1)
    assert not there()
