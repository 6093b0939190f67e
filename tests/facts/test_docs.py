"""The tables in the documentation are those of the code."""

import re
from pathlib import Path

import pytest

from chipweir import facts
from chipweir.facts._show import KINDS, records
from chipweir.facts._verify import CHECKS


DOCUMENT = Path(__file__).parents[2] / "docs" / "facts.md"


def block(name: str) -> str:
    found = re.search(rf"<!-- {name}:.*?-->\n(.*?)<!-- end -->", DOCUMENT.read_text(encoding="utf-8"), re.DOTALL)
    assert found, f"docs/facts.md has no block '{name}'"
    return found[1]


def rows(heads: tuple[str, str], cells: list[tuple[str, object]]) -> str:
    lines = [heads, ("---", "---"), *cells]
    return "".join(f"| {one} | {two} |\n" for one, two in lines).replace("| --- | --- |", "|---|---|")


@pytest.mark.parametrize("name", ["counts", "checks"])
def test_tables(name: str) -> None:
    loaded = facts.load()
    wanted = {
        "counts": rows(("kind", "records"), [(kind, len(records(loaded, kind))) for kind in KINDS]),
        "checks": rows(
            ("check", "what must hold"), [(check, (f.__doc__ or "").strip()) for check, f in CHECKS.items()]
        ),
    }
    assert block(name) == wanted[name], f"replace the block '{name}' in docs/facts.md by:\n{wanted[name]}"
