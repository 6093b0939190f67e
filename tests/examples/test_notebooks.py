"""The notebooks run as they stand, from their first cell to their last, and are kept without outputs."""

from pathlib import Path

import nbformat
import pytest


NOTEBOOKS = sorted((Path(__file__).parents[2] / "examples" / "notebooks").glob("*.ipynb"))


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_notebooks_are_valid_and_hold_no_outputs(path: Path) -> None:
    book = nbformat.read(path, as_version=4)
    nbformat.validate(book)
    code = [cell for cell in book.cells if cell.cell_type == "code"]
    assert book.cells[0].cell_type == "markdown"
    assert code
    for cell in code:
        assert not cell.outputs
        assert cell.execution_count is None
        compile(cell.source, path.name, "exec")


@pytest.mark.slow
@pytest.mark.timeout(1500)
@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_notebooks_run(path: Path, tmp_path: Path) -> None:
    from nbclient import NotebookClient

    book = nbformat.read(path, as_version=4)
    for cell in book.cells:
        cell.source = cell.source.replace("MEMBERS = 64", "MEMBERS = 16")
    NotebookClient(book, timeout=1200, kernel_name="python3", resources={"metadata": {"path": str(tmp_path)}}).execute()
    results = [cell for cell in book.cells if cell.cell_type == "code" and cell.outputs]
    assert len(results) >= 2
