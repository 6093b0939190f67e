"""List the locked dependencies with their licences in docs/dependencies.md, as the installed packages state them."""

import re
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path


ROOT = Path(__file__).parents[1]
LINE = re.compile(r"^([a-z0-9][a-z0-9._-]*)==([^ ;\\]+)(?: *; *([^\\]+))?", re.MULTILINE)
HEAD = """# Dependencies

What `requirements.lock` pins, with the licence that each package states of itself (made by `.ci/lock`). CI runs with these
versions; `pip install` without the lock takes any within the ranges of pyproject.toml. `.ci/release` adds the components
(SBOM, CycloneDX) to a release and asks a database of known weaknesses (pip-audit) where one can be reached.

| package | version | licence | only where |
|---|---|---|---|
"""


def licence(name: str) -> str:
    """What a package says of its licence: the expression, else the short text, else the classifiers."""
    try:
        stated = distribution(name).metadata
    except PackageNotFoundError:
        return "not installed here"
    text = stated.get("License-Expression") or stated.get("License") or ""
    if text and len(text) < 60 and "\n" not in text and text.upper() != "UNKNOWN":
        return text
    named = [line.rpartition(" :: ")[2] for line in stated.get_all("Classifier") or () if line.startswith("License ::")]
    return ", ".join(named) or "see the package"


def main() -> None:
    """Write the page."""
    lock = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    rows = [
        f"| {name} | {version} | {licence(name)} | {(marker or '').strip()} |"
        for name, version, marker in LINE.findall(lock)
    ]
    (ROOT / "docs" / "dependencies.md").write_text(HEAD + "\n".join(rows) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
