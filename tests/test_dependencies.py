"""The lock holds what pyproject.toml asks for, with checksums, and the page of dependencies what the lock holds.

Where one of these fails after pyproject.toml changed, run `.ci/lock`.
"""

import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version


ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
LOCK = (ROOT / "requirements.lock").read_text(encoding="utf-8")
PIN = re.compile(r"^([A-Za-z0-9._-]+)==([^ ;\\\n]+)(.*?)(?=^\S|\Z)", re.MULTILINE | re.DOTALL)
# Some are pinned twice, for older and newer versions of Python.
PINS = [(canonicalize_name(name), Version(version), rest) for name, version, rest in PIN.findall(LOCK)]
ASKED = [
    Requirement(line)
    for lines in (PROJECT["dependencies"], *PROJECT["optional-dependencies"].values())
    for line in lines
    if not line.startswith("chipweir")
]


@pytest.mark.parametrize("asked", ASKED, ids=str)
def test_the_lock_holds_a_version_within_the_range(asked):
    versions = [version for name, version, _rest in PINS if name == canonicalize_name(asked.name)]
    assert versions
    assert all(asked.specifier.contains(version, prereleases=True) for version in versions)


def test_every_pin_has_checksums():
    assert len(PINS) > 100
    assert [name for name, _version, rest in PINS if "--hash=sha256:" not in rest] == []


def test_the_page_of_dependencies_is_that_of_the_lock():
    page = (ROOT / "docs" / "dependencies.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| ([a-z0-9][a-z0-9._-]*) \| (\d\S*) \|", page, re.MULTILINE)
    assert {(canonicalize_name(name), Version(version)) for name, version in rows} == {pin[:2] for pin in PINS}


def test_the_container_has_the_versions_of_the_lock_file() -> None:
    lines = (ROOT / "Dockerfile").read_text(encoding="utf-8")
    assert "COPY pyproject.toml README.md LICENSE requirements.lock" in lines
    assert "install --no-cache-dir -c constraints.txt" in lines
