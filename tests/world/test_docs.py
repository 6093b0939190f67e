"""The page of parameters is the table of parameters."""

from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

from chipweir.world import parameters


DOCS = Path(__file__).parents[2] / "docs"


def test_the_page_of_parameters_is_generated_from_the_table() -> None:
    spec = spec_from_file_location("generate", DOCS / "generate.py")
    assert spec is not None
    assert spec.loader is not None
    generate = module_from_spec(spec)
    spec.loader.exec_module(generate)
    page = (DOCS / "parameters.md").read_text(encoding="utf-8")
    assert page == generate.parameters_page(), "run: python docs/generate.py parameters"
    assert all(f"`{name}`" in page for name in parameters())
