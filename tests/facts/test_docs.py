"""The tables in the documentation are those of the code."""

import re
import shlex
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

import pytest

from chipweir import facts
from chipweir.cli import main
from chipweir.facts import _verify  # noqa: F401  (registers the checks)
from chipweir.facts._checks import CHECKS
from chipweir.facts._show import KINDS, records


DOCUMENT = Path(__file__).parents[2] / "docs" / "facts.md"


def block(name: str) -> str:
    found = re.search(rf"<!-- {name}:.*?-->\n(.*?)<!-- end -->", DOCUMENT.read_text(encoding="utf-8"), re.DOTALL)
    assert found, f"docs/facts.md has no block '{name}'"
    return found[1]


def rows(heads: tuple[str, str], cells: list[tuple[str, object]]) -> str:
    lines = [heads, ("---", "---"), *cells]
    return "".join(f"| {one} | {two} |\n" for one, two in lines).replace("| --- | --- |", "|---|---|")


def test_the_page_of_measures_is_generated_from_the_table() -> None:
    spec = spec_from_file_location("generate", DOCUMENT.with_name("generate.py"))
    assert spec is not None
    assert spec.loader is not None
    generate = module_from_spec(spec)
    spec.loader.exec_module(generate)
    page = DOCUMENT.with_name("measures.md").read_text(encoding="utf-8")
    assert page == generate.measures_page(), "run: python docs/generate.py measures"
    assert all(f"`{name}`" in page for name in facts.load().measures)


def test_the_commands_of_the_page_work(capsys: pytest.CaptureFixture[str]) -> None:
    commands = re.findall(r"^\$ chipweir (.+)$", DOCUMENT.read_text(encoding="utf-8"), re.MULTILINE)
    assert len(commands) >= 10
    for command in commands:
        with pytest.raises(SystemExit) as stopped:
            main(shlex.split(command))
        assert stopped.value.code in (0, None), command
        assert capsys.readouterr().out, command


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
