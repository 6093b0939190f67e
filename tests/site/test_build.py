"""A small site as a reader has it: opened from the disk in Chromium, with nothing asked of the network."""

import json
from datetime import date
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import expect

from chipweir import site
from chipweir.cli import main
from chipweir.errors import InputError
from chipweir.i18n import LANGUAGES
from chipweir.site._build import MARK


# The site is built once for all of them.
pytestmark = pytest.mark.timeout(1500)

AXE = Path(__import__("axe_playwright_python").__file__).parent / "axe.min.js"
FILES = ("index.html", "chips.html", "rules.html", "facts.html", "believe.html")
MOVES = [("us.enforcement", 3.0), ("us.hbm_control", 2.0), ("technology.smic_yield", 1.25)]


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """The site's folder, and what it was told while it was built."""
    told = []
    plan = site.plan(("baseline", "blockade"), MOVES, together=4)
    target = tmp_path_factory.mktemp("site") / "here"
    made = site.build(target, 16, 1, lambda share, text: told.append((share, text)), cases=plan,
                      chips=["nvidia-h20", "nvidia-b200"], today=date(2026, 11, 28))  # fmt: skip
    return made, told


@pytest.fixture
def open_file(browser, built):
    """Open a page of the site from the disk, offline; what it asks of the network or does wrong fails the test."""
    contexts, wrong = [], []

    def opened(name, width=1300, height=900):
        context = browser.new_context(viewport={"width": width, "height": height}, offline=True, accept_downloads=True)
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.on("console", lambda message: wrong.append(message.text) if message.type == "error" else None)
        page.on(
            "request",
            lambda each: wrong.append(each.url) if not each.url.startswith(("file:", "data:", "blob:")) else None,
        )
        page.goto(f"file://{built[0].path}/{name}")
        if "/" in name:
            page.wait_for_function("document.body.dataset.ready")
        return page

    yield opened
    found = list(wrong)
    for context in contexts:
        context.close()
    assert not found, found


def cells(page, outcome):
    return [" ".join(text.split()) for text in page.locator(f'tr[data-outcome="{outcome}"] td b').all_inner_texts()]


@pytest.mark.slow
def test_progress_is_told_and_the_folder_is_small_and_whole(built):
    made, told = built
    shares = [share for share, _text in told]
    assert shares == sorted(shares)
    assert shares[0] == 0 and shares[-1] > 0.9  # noqa: PT018
    assert made.size < 15e6
    assert json.loads((made.path / MARK).read_text())["members"] == 16
    assert {path.name for path in (made.path / "ko").iterdir()} == set(FILES)
    assert not list(made.path.parent.glob(".here-*"))


@pytest.mark.slow
@pytest.mark.browser
@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("width", [380, 1300])
def test_every_page_opens_from_the_disk_fits_and_speaks(open_file, lang, name, width):
    page = open_file(f"{lang}/{name}", width)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    heading = page.locator("h1").inner_text()
    assert any("가" <= char <= "힣" for char in heading) == (lang == "ko")
    page.evaluate(AXE.read_text(encoding="utf-8"))
    found = page.evaluate("axe.run({exclude: [['.js-plotly-plot']]}, {preload: false}).then(r => r.violations)")
    bad = [f"{each['id']}: {[node['target'] for node in each['nodes']][:3]}" for each in found
           if each["impact"] in ("serious", "critical")]  # fmt: skip
    assert not bad, bad


@pytest.mark.slow
@pytest.mark.browser
def test_the_first_page_leads_to_both_languages(open_file):
    page = open_file("index.html")
    page.get_by_role("link", name="English").click()
    page.wait_for_function("document.body.dataset.ready")
    assert page.locator("html").get_attribute("lang") == "en"


@pytest.mark.slow
@pytest.mark.browser
def test_a_lever_alone_shows_what_was_simulated(open_file, built):
    page = open_file("en/index.html#a=baseline&b=baseline&year=2030")
    before = cells(page, "smuggled_units")
    assert before[2] == "no difference"
    page.get_by_label("US enforcement against diversion").select_option("3")
    page.wait_for_function("document.body.dataset.ready === '2'")
    after = cells(page, "smuggled_units")
    assert after[0] == before[0]
    assert after[2].startswith("−")
    expect(page.locator("#emulated")).to_be_hidden()
    assert "us.enforcement=3" in page.url
    # The numbers are those of the ensemble, member by member.
    from chipweir import facts

    plan = site.plan(("baseline",), MOVES[:1], together=0)
    grid = site.simulate(plan, facts.load(), 16, 1, lambda share, text: None)
    base, moved = (grid.values[case]["smuggled_units"][:, grid.years.index(2030)] for case in plan.alone)
    shown = page.evaluate("document.querySelector('tr[data-outcome=smuggled_units] td:nth-of-type(2) b').textContent")
    assert _read(shown) == pytest.approx(float(np.median(moved)), rel=0.01)
    assert _read(after[2]) == pytest.approx(float(np.median(moved - base)), rel=0.06)


def _read(text):
    factor = {"K": 1e3, "M": 1e6, "B": 1e9}.get(text[-1], 1)
    return float(text.rstrip("KMB").replace("−", "-").replace("+", "").replace(",", "")) * factor


@pytest.mark.slow
@pytest.mark.browser
def test_several_levers_show_the_measured_error_and_an_address_restores_them(open_file):
    page = open_file("en/index.html#a=baseline&b=blockade&year=2028&us.enforcement=3&technology.smic_yield=1.25")
    expect(page.locator("#emulated")).to_be_visible()
    assert "±" in page.locator('tr[data-outcome="compute"] .error').inner_text()
    assert page.get_by_label("Yield of Chinese 7 nm lines").input_value() == "1.25"
    assert page.locator("#findings li").count() >= 2
    assert page.locator("#chart-compute .main-svg").count() > 0
    with page.expect_download() as download:
        page.locator("#save").click()
    assert "Chinese compute in use" in Path(download.value.path()).read_text(encoding="utf-8-sig")
    page.locator("#reset").click()
    page.wait_for_function("document.body.dataset.ready === '2'")
    expect(page.locator("#emulated")).to_be_hidden()


@pytest.mark.slow
@pytest.mark.browser
def test_rules_and_facts_answer(open_file):
    page = open_file("ko/rules.html")
    page.locator("#day").fill("2023-01-01")
    page.get_by_role("button", name="허가 불필요").first.click()
    expect(page.locator("#answer li[aria-current]")).to_have_count(1)
    expect(page.locator("#unverified")).to_be_hidden()
    facts_page = open_file("ko/facts.html")
    facts_page.locator("#search").fill("SMIC 수율")
    expect(facts_page.locator("tbody tr").first).to_be_visible()
    chips_page = open_file("en/chips.html")
    chips_page.locator("#search").fill("H20")
    expect(chips_page.locator("tbody tr").first).to_contain_text("H20")
    chips_page.get_by_role("button", name="TPP").click()
    assert chips_page.locator('th[aria-sort="ascending"]').count() == 1


@pytest.mark.parametrize("lang", LANGUAGES)
def test_a_folder_with_other_things_is_left_alone(tmp_path, capsys, lang):
    (tmp_path / "mine.txt").write_text("mine")
    with pytest.raises(SystemExit) as stopped:
        main(["site", "build", str(tmp_path), "--lang", lang])
    assert stopped.value.code == 2
    said = capsys.readouterr().err
    assert str(tmp_path) in said
    assert ("다른 것" in said) == (lang == "ko")
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


def test_members_out_of_range_and_a_file_are_refused(tmp_path):
    with pytest.raises(InputError, match="8 to 1000"):
        site.build(tmp_path / "new", 3)
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="is a file"):
        site.build(tmp_path / "file")
