"""The documentation: built strictly in both languages, no dead link, nothing fetched from elsewhere, tutorials that run."""

import os
import re
import subprocess
import sys
from pathlib import Path
from urllib.parse import unquote, urldefrag, urljoin, urlparse

import pytest
from bs4 import BeautifulSoup


ROOT = Path(__file__).parents[2]
TUTORIALS = sorted((ROOT / "docs" / "tutorials").glob("*.md"))
_BLOCK = re.compile(r"^```python\n(.*?)^```", re.MULTILINE | re.DOTALL)


def blocks(path: Path, *, slow: bool) -> list[str]:
    """The Python of a page: what simulates is marked `# slow`."""
    found = _BLOCK.findall(path.read_text(encoding="utf-8"))
    return [block for block in found if block.startswith("# slow") == slow]


@pytest.mark.parametrize("page", [*TUTORIALS, ROOT / "docs" / "library.md"], ids=lambda path: path.stem)
def test_tutorials_run(page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    names: dict[str, object] = {}
    for block in blocks(page, slow=False):
        exec(compile(block, page.name, "exec"), names)


@pytest.mark.slow
@pytest.mark.parametrize("page", [page for page in TUTORIALS if blocks(page, slow=True)], ids=lambda path: path.stem)
def test_tutorials_that_simulate_run(page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    names: dict[str, object] = {}
    for block in blocks(page, slow=True):
        exec(compile(block, page.name, "exec"), names)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    target = tmp_path_factory.mktemp("site") / "docs"
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", str(target)]
    done = subprocess.run(
        command, cwd=ROOT, env={**os.environ, "NO_MKDOCS_2_WARNING": "1"}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return target


def _pages(site: Path) -> dict[str, BeautifulSoup]:
    return {
        "/" + path.relative_to(site).as_posix().removesuffix("index.html"): BeautifulSoup(
            path.read_bytes(), "html.parser"
        )
        for path in site.rglob("*.html")
        if path.name != "404.html"
    }


@pytest.mark.slow
def test_the_site_is_whole(site: Path) -> None:
    pages = _pages(site)
    assert {"/", "/ko/", "/reference/variables/", "/ko/reference/variables/", "/reference/python/"} <= set(pages)
    assert "정책" in pages["/ko/"].get_text()
    assert "지역별 사용 연산" in pages["/ko/reference/variables/"].get_text()
    anchors = {place: {tag["id"] for tag in page.find_all(id=True)} for place, page in pages.items()}
    dead: list[tuple[str, str]] = []
    fetched: list[tuple[str, str]] = []
    for place, page in pages.items():
        for tag in page.find_all("a", href=True):
            target, fragment = urldefrag(urljoin(f"https://here{place}", tag["href"]))
            path = unquote(urlparse(target).path)
            if urlparse(target).netloc != "here":
                continue
            there = path if path.endswith("/") else f"{path}/" if f"{path}/" in pages else path
            known = there in pages or (site / path.lstrip("/")).is_file()
            if not known or (fragment and there in anchors and unquote(fragment) not in anchors[there]):
                dead.append((place, tag["href"]))
        fetched += [
            (place, each[name])
            for tag, name in (("script", "src"), ("img", "src"), ("link", "href"), ("iframe", "src"))
            for each in page.find_all(tag)
            if str(each.get(name, "")).startswith(("http", "//")) and "canonical" not in (each.get("rel") or ())
        ]
    assert not dead, dead[:10]
    assert not fetched, fetched[:10]
