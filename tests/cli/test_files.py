"""Every file that a command takes, hostile: one line that names it, exit code 2, and nothing was simulated."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from chipweir import world
from chipweir.strategy._cells import Cells


LAUGHS = "a: &a [x, x, x]\n" + "".join(
    f"{n}: &{n} [*{p}, *{p}, *{p}]\n" for p, n in zip("abcdefgh", "bcdefghi", strict=True)
)
KINDS: dict[str, bytes] = {
    "aliases": LAUGHS.encode(),
    "deep": b"[" * 5_000,
    "deep mappings": b"{a: " * 3_000,
    "digits": b'{"name": ' + b"9" * 5_000 + b"}",
    "values": b"x: [" + b"1," * 60_000 + b"1]\n",
    "a cell without end": b'variable,operation,start,end,central\n"' + b"x" * 1_500_000,
    "control": b"name: \x1b[31mred\n",
    "no text": b"name: caf\xe9\n",
    "NUL": b"na\0me: x\n",
    "tag": b"!!python/object/apply:os.system [ls]\n",
    "list": b"- 1\n- 2\n",
}
COMMANDS = {
    "scenario": ("run", "own.yaml"),
    "scenario of explore": ("explore", "lag_months", "--scenario", "own.yaml"),
    "scenario of leverage": ("leverage", "--scenario", "own.yaml"),
    "scenario of forecast": ("forecast", "own.yaml"),
    "options": ("advise", "korea", "--options", "own.yaml"),
    "choices": ("advise", "korea", "--choices", "own.yaml"),
    "criteria": ("advise", "korea", "--criteria", "own.yaml"),
    "weights": ("advise", "korea", "--weights", "own.yaml"),
    "menu": ("game", "--menu", "own.yaml"),
    "observations": ("calibrate", "--observations", "own.csv"),
    "later observations": ("backtest", "--observations", "own.csv"),
    "forecast": ("backtest", "--forecast", "own.csv"),
    "datasheet": ("estimate", "DeepSeek-V3", "--on", "own.yaml"),
    "checkpoint": ("estimate", "own.json", "--on", "H100"),
    "trained checkpoint": ("train", "own.json"),
}


@pytest.fixture(autouse=True)
def _nothing_is_simulated(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def simulated(*_arguments: Any, **_options: Any) -> None:
        raise AssertionError("simulated")

    monkeypatch.setattr(Cells, "run", simulated)
    monkeypatch.setattr(world, "run_ensemble", simulated)
    monkeypatch.setenv("CHIPWEIR_RUNS", str(tmp_path / "runs"))
    monkeypatch.chdir(tmp_path)


def test_no_message_holds_what_a_terminal_obeys(call: Callable[..., Any], tmp_path: Path) -> None:
    (tmp_path / "own.csv").write_text("name: \x1b[31mred\nx\n", encoding="utf-8")
    for arguments in (("licence", "--batch", "own.csv"), ("facts", "show", "\x1b[2Jh20"), ("run", "\x9b2J.yaml")):
        answer = call(*arguments)
        assert answer.code == 2
        assert answer.err.strip().isprintable(), arguments
        assert "\N{REPLACEMENT CHARACTER}" in answer.err, arguments


@pytest.mark.parametrize("command", COMMANDS)
def test_a_hostile_file_is_refused_in_one_line(command: str, call: Callable[..., Any], tmp_path: Path) -> None:
    arguments = COMMANDS[command]
    (name,) = (word for word in arguments if word.startswith("own."))
    for kind, content in KINDS.items():
        (tmp_path / name).write_bytes(content)
        answer = call(*arguments)
        assert answer.code == 2, (kind, answer.out[:200])
        (line,) = answer.err.splitlines()
        assert line.startswith("chipweir: "), (kind, line)
        assert name in line, (kind, line)
        assert len(line) < 400, (kind, line)
        assert line.isprintable(), (kind, line)
        assert answer.out == "", kind
    assert sorted(path.name for path in tmp_path.iterdir()) == [name], "nothing is left behind"
