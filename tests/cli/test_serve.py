"""`serve` from the command line: it says how far warming up is, and opens a browser only where somebody sits before it."""

import sys

import pytest

from chipweir.app import _serve
from chipweir.cli import app as command


@pytest.fixture
def served(monkeypatch):
    """`serve` without a model and without serving; what was opened in a browser."""
    opened = []

    def serve(_host, _port, *, ready, tell, **_options):
        for share in (0.0, 0.5, 1.0):
            tell(share, "compiling")
        ready("http://127.0.0.1:8050/")

    monkeypatch.setattr(_serve, "serve", serve)
    monkeypatch.setattr(command.webbrowser, "open", opened.append)
    return opened


@pytest.mark.parametrize(
    ("options", "seen", "opens"),
    [
        ((), True, True),
        ((), False, False),
        (("--no-browser",), True, False),
        (("--json",), True, False),
    ],
)
def test_a_browser_is_opened_for_who_sits_there(call, served, monkeypatch, options, seen, opens):
    monkeypatch.setattr(command, "_has_browser", lambda: seen)
    answer = call("serve", *options)
    assert answer.code == 0
    assert "http://127.0.0.1:8050/" in answer.out
    assert served == (["http://127.0.0.1:8050/"] if opens else [])
    assert ("warming up" in answer.err) == ("--json" not in options)


def test_without_a_screen_or_a_terminal_there_is_no_browser(monkeypatch):
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True, raising=False)
    for name in ("DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(name, raising=False)
    assert not command._has_browser()
    monkeypatch.setenv("DISPLAY", ":0")
    assert command._has_browser()
    monkeypatch.setattr(sys.stdout, "isatty", lambda: False, raising=False)
    assert not command._has_browser()


def test_warming_up_tells_every_stage_in_order(monkeypatch):
    told = []

    class Warm:
        def quick(self, *_scenarios):
            told.append("answered")

    monkeypatch.setattr(_serve, "simulate_pair", lambda *_: None)
    monkeypatch.setattr("chipweir.library.keep_compiled", lambda: None)
    _serve.warm_up(Warm(), lambda share, _text: told.append(share))
    shares = [each for each in told if each != "answered"]
    assert shares == sorted(shares)
    assert shares[-1] == 1.0
    assert told.count("answered") == 2
    assert told[0] != "answered"
