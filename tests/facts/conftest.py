"""Shared by the tests of the facts room."""

from collections.abc import Callable
from pathlib import Path

import pytest


@pytest.fixture
def overlay(tmp_path: Path) -> Callable[..., Path]:
    """Write files into a directory of a user's own facts: `overlay(chips_csv="id,name\\n...")`."""

    def write(**files: str) -> Path:
        directory = tmp_path / "mine"
        directory.mkdir(exist_ok=True)
        for name, text in files.items():
            stem, _, suffix = name.rpartition("_")
            (directory / f"{stem}.{suffix}").write_text(text, encoding="utf-8")
        return directory

    return write
