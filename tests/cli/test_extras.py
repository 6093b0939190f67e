"""What an extra brings is named, with the line that installs it, where it is missing."""

import subprocess
import sys
from pathlib import Path

import pytest

from chipweir.cli import EXTRAS


def without(package: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """The command line in a process in which `package` cannot be imported."""
    script = f"import sys; sys.modules[{package!r}] = None; from chipweir.cli import main; main({list(arguments)!r})"
    return subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)


@pytest.mark.parametrize(
    ("package", "arguments"),
    [
        ("dash", ("serve",)),
        ("mcp", ("mcp",)),
        ("trafilatura", ("check", "article.html")),
    ],
)
def test_a_missing_extra_is_one_line(package: str, arguments: tuple[str, ...], tmp_path: Path) -> None:
    page = tmp_path / "article.html"
    page.write_text("<html><body><p>Huawei made 1.6 million dies in 2025.</p></body></html>", encoding="utf-8")
    answer = without(package, *(str(page) if each == page.name else each for each in arguments))
    assert answer.returncode == 2
    assert answer.stdout == ""
    assert f"pip install 'chipweir[{EXTRAS[package]}]'" in answer.stderr
    assert answer.stderr.count("\n") == 1


def test_the_core_answers_without_any_extra() -> None:
    blocked = "; ".join(f"sys.modules[{name!r}] = None" for name in EXTRAS)
    script = f"import sys; {blocked}; from chipweir.cli import main; main(['licence', 'H20', '--to', 'CN'])"
    answer = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert "H20" in answer.stdout, answer.stderr
