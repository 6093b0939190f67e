"""The shell completes every kind of name."""

import os
import subprocess
import sys
from collections.abc import Callable

import pytest

from chipweir.cli import _common


@pytest.mark.parametrize(
    ("complete", "begun", "expected"),
    [
        (_common.complete_record, "nvidia-h2", "nvidia-h20"),
        (_common.complete_record, "fab-00", "fab-001"),
        (_common.complete_record, "화웨", "화웨이"),
        (_common.complete_chip, "H2", "H20"),
        (_common.complete_country, "m", "MY"),
        (_common.complete_measure, "yie", "yield"),
        (_common.complete_rule, "US-2025", "US-2025-04L/H20-class"),
        (_common.complete_variable, "lag", "lag_months"),
        (_common.complete_lever, "us.q", "us.quota"),
        (_common.complete_scenario, "sea", "sea-licence"),
    ],
)
def test_names_are_completed(complete: Callable[[str], list[str]], begun: str, expected: str) -> None:
    found = complete(begun)
    assert expected in found
    assert all(name.casefold().startswith(begun.casefold()) for name in found)


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("chipweir licence H20 --to M", "MY"),
        ("chipweir explain baseline lag", "lag_months"),
        ("chipweir lic", "licence"),
    ],
)
def test_a_shell_gets_them(words: str, expected: str) -> None:
    count = len(words.split()) - 1
    environment = {
        **os.environ,
        "_CHIPWEIR_COMPLETE": "complete_bash",
        "COMP_WORDS": words,
        "COMP_CWORD": str(count),
    }
    done = subprocess.run(
        [sys.executable, "-m", "chipweir"], env=environment, capture_output=True, text=True, check=False
    )
    assert expected in done.stdout.split(), done.stderr
