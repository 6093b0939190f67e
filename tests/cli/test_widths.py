"""Tables on narrow terminals: whatever the width, every number that a wide one shows is there, whole."""

import re
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from chipweir import strategy
from chipweir.cli import _tables


WIDTHS = (80, 120)
WIDE = 2_000
KINDS = ("chips", "systems", "models", "entities", "countries", "facts", "events", "prices", "sources", "conflicts")
PLAIN = [
    *(("facts", "list", kind) for kind in KINDS),
    ("facts", "list"),
    ("facts", "query", "SELECT id, memory_gb, 4000 AS thousands, bf16_tflops * 1e9 AS large, name FROM chips"),
    ("rules", "list", "--on", "2026-01-15"),
    ("rules", "list", "--on", "2026-01-15", "--lang", "ko"),
    ("levers",),
    ("levers", "--lang", "ko"),
    ("scenarios", "list"),
    ("match", "Ascend 910C", "H100", "--model", "DeepSeek-V3"),
    ("estimate", "DeepSeek-V3", "--on", "H200", "--chips", "8", "--operators"),
    ("estimate", "--batch", "batch.csv"),
]
SHOWN = [("facts", "show", name) for name in ("nvidia-h20", "huawei", "GB200 NVL72", "shi-047")]
STORED = [
    ("runs", "list"),
    ("runs", "show", "latest"),
    ("compare", "latest", "baseline", "weir"),
    ("compare", "latest", "baseline", "weir", "--lang", "ko"),
    ("run", "--check"),
]


def numbers(text: str) -> Counter[str]:
    """Words with digits, such as 4,000, 1.2M or nvidia-h20; addresses and checksums may be broken at the end of a line."""
    words = (word for word in text.split() if any(letter.isdigit() for letter in word))
    return Counter(word for word in words if cell_len(word) <= _tables.LONGEST_NUMBER)


def compare_widths(run: Callable[[], Any], monkeypatch: pytest.MonkeyPatch, *, only_tables: bool) -> None:
    monkeypatch.setenv("COLUMNS", str(WIDE))
    wide = run()
    assert wide.out, wide.err
    for width in WIDTHS:
        monkeypatch.setenv("COLUMNS", str(width))
        narrow = run()
        lost = numbers(wide.out) - numbers(narrow.out)
        assert not lost, (width, lost.most_common(5))
        if only_tables:
            over = [line for line in narrow.out.splitlines() if cell_len(line) > width]
            assert not over, (width, over[:2])


@pytest.mark.parametrize("command", PLAIN, ids=" ".join)
def test_every_number_is_whole(
    command: tuple[str, ...], call: Callable[..., Any], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "batch.csv").write_text("id,model,chip,chips\nabc,DeepSeek-V3,H200,8\ndef,Llama 3.1 70B,H100,4000\n")
    only_tables = command[0] in ("levers", "scenarios", "facts")
    compare_widths(lambda: call(*command), monkeypatch, only_tables=only_tables)


@pytest.mark.parametrize("command", SHOWN, ids=" ".join)
def test_a_record_keeps_its_numbers(
    command: tuple[str, ...], call: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    compare_widths(lambda: call(*command), monkeypatch, only_tables=False)


@pytest.mark.parametrize("command", STORED, ids=" ".join)
def test_stored_runs_keep_theirs(
    command: tuple[str, ...], imagined: Path, call: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    outcome = strategy.Outcome(
        "units", "nothing is lost", "world", 1e-8, 3.2e-9, "us.enforcement=2.25", 412, passed=True
    )
    monkeypatch.setattr(strategy, "run_checks", lambda *_arguments, **_options: [outcome])
    call("run", "baseline", "weir", "--members", "40", "--no-report")
    compare_widths(lambda: call(*command), monkeypatch, only_tables=command[:2] != ("runs", "show"))


CELLS = st.one_of(
    st.floats(allow_nan=False, allow_infinity=False).map(lambda value: f"{value:,.6g}"),
    st.integers(-(10**12), 10**12).map(lambda value: f"{value:,}"),
    st.text(st.characters(codec="utf-8", categories=("L", "Nd", "Po", "Zs")), max_size=60),
    st.sampled_from(
        ["4,000", "1.2M … 3.4M\n(0.1M … 9.9M)", "화웨이 어센드 910C 칩", "https://example.org/" + "x" * 80]
    ),
)


@given(rows=st.lists(st.lists(CELLS, min_size=5, max_size=5), min_size=1, max_size=6), width=st.integers(60, 140))
def test_no_table_loses_a_digit(rows: list[list[str]], width: int) -> None:
    import io
    from contextlib import redirect_stdout

    with pytest.MonkeyPatch.context() as patch:
        texts = {}
        for columns in (width, WIDE):
            patch.setenv("COLUMNS", str(columns))
            with redirect_stdout(io.StringIO()) as out:
                _tables.show(("name", "#first", "second", "#third", "note"), rows, "table")
            texts[columns] = out.getvalue()
    letters = {columns: Counter(re.sub(r"[\s─]", "", text)) for columns, text in texts.items()}
    assert not letters[WIDE] - letters[width]
    short = {word for row in rows for cell in row for word in cell.split() if re.fullmatch(r"[\d.,e+-]{1,24}", word)}
    assert all(word in texts[width] for word in short)
