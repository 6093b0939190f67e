"""Each page's main task in headless Chromium: both languages, phone and desktop, light and dark."""

import time
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import expect
from serving import wait_until


pytestmark = pytest.mark.browser

AXE = Path(__import__("axe_playwright_python").__file__).parent / "axe.min.js"
SIZES = {"phone": (360, 780), "desktop": (1440, 900)}
PAGES = {
    "/": ".tile",
    "/chips": "#c-table table",
    "/rules": "#r-answer .verdict",
    "/claims": "#k-check",
    "/facts": "#f-found table",
    "/strategy": "#y-answer .main-svg",
    "/believe": "#b-curve .main-svg",
}


# A reader's language, screen and theme; every page's main task is done in each.
READERS = [("en", "desktop", "light"), ("ko", "phone", "dark")]
each_reader = pytest.mark.parametrize(("lang", "size", "theme"), READERS)


def address(path, **query):
    return path + ("?" + "&".join(f"{key}={value}" for key, value in query.items()) if query else "")


def wait_for_tiles(page):
    page.wait_for_selector(".tile")
    page.wait_for_selector(".slot:not([hidden]) .main-svg")


def lever(page, name):
    """A lever that is not among the first, found by its name."""
    page.locator(".lever-find").fill(name)
    return page.locator(f'[data-lever="{name}"]')


def raise_enforcement(page):
    """One step up by keyboard; the slider."""
    lever(page, "us.enforcement")
    slider = page.locator('[data-lever="us.enforcement"] input[type=range]')
    slider.focus()
    page.keyboard.press("ArrowRight")
    return slider


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("lang", ["en", "ko"])
@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("path", PAGES)
def test_every_page_fits_and_speaks(open_page, path, size, lang, theme):
    page = open_page(address(path, lang=lang, theme=theme), *SIZES[size])
    page.wait_for_selector(PAGES[path])
    assert page.locator("html").get_attribute("lang") == lang
    assert page.evaluate("document.documentElement.dataset.mantineColorScheme") == theme
    assert page.evaluate("document.documentElement.scrollWidth") <= SIZES[size][0]
    heading = page.locator("h1").first.inner_text()
    assert any("가" <= char <= "힣" for char in heading) == (lang == "ko")


@pytest.mark.parametrize("path", PAGES)
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_no_serious_accessibility_findings(open_page, path, theme):
    page = open_page(address(path, theme=theme))
    page.wait_for_selector(PAGES[path])
    page.wait_for_timeout(500)
    page.evaluate(AXE.read_text(encoding="utf-8"))
    found = page.evaluate("axe.run(document, {exclude: [['.js-plotly-plot']]}).then(r => r.violations)")
    bad = [
        f"{item['id']}: {item['help']} {[node['target'] for node in item['nodes']][:3]}"
        for item in found
        if item["impact"] in ("serious", "critical")
    ]
    assert not bad, "\n".join(bad)


@each_reader
def test_a_lever_moved_by_keyboard_changes_numbers_and_address(open_page, lang, size, theme):
    page = open_page(address("/", lang=lang, theme=theme), *SIZES[size])
    wait_for_tiles(page)
    before = page.locator(".tile").first.inner_text()
    raise_enforcement(page)
    wait_until(page, "document.querySelector('.tile .tile-change') !== null")
    wait_until(page, "location.href.includes('s.us.enforcement=1.1')")
    assert page.locator(".tile").first.inner_text() != before
    expect(page.locator("#why")).to_contain_text("1.1")


def test_a_shared_link_restores_the_state(open_page):
    page = open_page("/")
    wait_for_tiles(page)
    raise_enforcement(page)
    lever(page, "us.allowed_products.h20-class").get_by_label("denied").check()
    page.get_by_role("tab", name="Market").click()
    wait_until(page, "location.search.includes('tab=market')")
    wait_until(page, "document.querySelector('.tile .tile-change') !== null")
    link, tile = page.url, page.locator(".tile").first.inner_text()
    other = open_page(link[link.index("/?") :])
    wait_for_tiles(other)
    assert other.locator('[data-lever="us.enforcement"] input[type=range]').input_value() == "1.1"
    assert other.locator('[data-lever="us.allowed_products.h20-class"]').get_by_label("denied").is_checked()
    assert other.get_by_role("tab", name="Market").get_attribute("aria-selected") == "true"
    assert other.locator(".tile").first.inner_text() == tile


def test_back_and_reset(open_page):
    page = open_page("/")
    wait_for_tiles(page)
    slider = raise_enforcement(page)
    wait_until(page, "location.search.includes('s.us.enforcement')")
    page.locator('[data-lever="us.enforcement"] .lever-reset').click()
    wait_until(page, "!location.search.includes('s.us.enforcement')")
    page.go_back()
    wait_until(page, "location.search.includes('s.us.enforcement')")
    wait_until(page, "document.querySelector('[data-lever=\"us.enforcement\"] input[type=range]').value === '1.1'")
    page.locator("#reset-all").click()
    wait_until(page, "!location.search.includes('s.us.enforcement')")
    expect(slider).to_have_value("1")
    expect(page.locator(".lever.changed")).to_have_count(0)


def two_steps(page):
    """A lever raised, then a tab chosen: each a step of its own. Returns the lever's slider."""
    wait_for_tiles(page)
    slider = raise_enforcement(page)
    wait_until(page, "location.search.includes('s.us.enforcement=1.1')")
    page.get_by_role("tab", name="Market").click()
    wait_until(page, "location.search.includes('tab=market')")
    return slider


def settle(page):
    """Wait until no step through the history is under way: the address has stood still for half a second."""
    page.evaluate(
        "() => new Promise((done) => { let last = location.href, still = 0; const look = setInterval(() => {"
        " still = location.href === last ? still + 1 : 0; last = location.href;"
        " if (still >= 10) { clearInterval(look); done(); } }, 50); })"
    )


def test_back_undoes_one_move_and_a_choice_of_tab_and_year(open_page):
    page = open_page("/")
    slider = two_steps(page)
    page.go_back()
    expect(page.get_by_role("tab", name="Compute")).to_have_attribute("aria-selected", "true")
    expect(slider).to_have_value("1.1")
    page.go_back()
    expect(slider).to_have_value("1")
    expect(page.locator(".tile .tile-change")).to_have_count(0)
    for _ in range(3):  # faster than anything is rendered; wherever that ends, lever and address agree
        page.evaluate(
            "history.forward(); setTimeout(() => history.back(), 15); setTimeout(() => history.forward(), 30)"
        )
        settle(page)
        while "s.us.enforcement=1.1" in page.url:
            expect(slider).to_have_value("1.1")
            page.go_back()
            settle(page)
        expect(slider).to_have_value("1")
    page.go_forward()
    expect(slider).to_have_value("1.1")
    assert "s.us.enforcement=1.1" in page.url
    assert "tab=" not in page.url


def test_back_is_no_step_of_ones_own_however_late_the_choices_come(open_page):
    page = open_page("/")
    slider = two_steps(page)
    page.evaluate(
        "() => { const now = dash_clientside.set_props;"
        " dash_clientside.set_props = (...told) => setTimeout(() => now(...told), 900); }"
    )
    steps = page.evaluate("history.length")
    page.go_back()
    expect(page.get_by_role("tab", name="Compute")).to_have_attribute("aria-selected", "true")
    page.wait_for_timeout(300)
    assert page.evaluate("history.length") == steps
    assert "tab=market" not in page.url
    page.go_forward()
    expect(page.get_by_role("tab", name="Market")).to_have_attribute("aria-selected", "true")
    expect(slider).to_have_value("1.1")
    page.get_by_role("tab", name="Supply").click()  # one of one's own, after all
    wait_until(page, "location.search.includes('tab=supply')")


def test_a_dragged_slider_shows_numbers_on_its_way_and_is_one_step_of_history(open_page):
    page = open_page("/")
    wait_for_tiles(page)
    slider = lever(page, "us.enforcement").locator("input[type=range]")
    slider.scroll_into_view_if_needed()
    box = slider.bounding_box()
    middle = box["y"] + box["height"] / 2
    page.mouse.move(box["x"] + box["width"] / 3 + 2, middle)
    page.mouse.down()
    page.mouse.move(box["x"] + 0.7 * box["width"], middle, steps=4)
    expect(page.locator(".tile .tile-change").first).to_be_visible()
    assert "s.us.enforcement" not in page.url
    page.mouse.up()
    wait_until(page, "location.search.includes('s.us.enforcement=2')")
    page.go_back()
    wait_until(page, "!location.search.includes('s.us.enforcement')")


def test_a_lever_left_to_the_law_rests_until_it_is_taken(open_page):
    page = open_page("/")
    wait_for_tiles(page)
    row = lever(page, "us.threshold_tpp")
    expect(row.locator("input[type=range]")).to_be_disabled()
    expect(row.locator("input[type=range]")).to_have_value("3")
    row.get_by_label("as the law stands").uncheck()
    wait_until(page, "location.search.includes('s.us.threshold_tpp=4800')")
    row.locator(".lever-reset").click()
    wait_until(page, "!location.search.includes('s.us.threshold_tpp')")
    expect(row.get_by_label("as the law stands")).to_be_checked()


def test_a_server_that_fails_is_named_and_the_page_goes_on(open_page):
    page = open_page("/")
    wait_for_tiles(page)
    before = page.locator(".tile").first.inner_text()
    page.route("**/answer?*", lambda route: route.fulfill(body="no JSON"))
    raise_enforcement(page)
    expect(page.locator("#message .problem")).to_contain_text("The server could not answer")
    assert page.locator(".tile").first.inner_text() == before
    page.unroute("**/answer?*")
    page.keyboard.press("ArrowRight")
    expect(page.locator(".tile .tile-change").first).to_be_visible()
    expect(page.locator("#message .problem")).to_have_count(0)


def test_a_preset_sets_the_levers(open_page):
    page = open_page("/?p=weir")
    wait_for_tiles(page)
    assert page.locator('[data-lever="us.allowed_products.h20-class"]').get_by_label("licence", exact=True).is_checked()
    assert "Weir against Current rules" in page.locator("#status").inner_text()
    assert page.locator(".lever.changed").count() == 0


@each_reader
def test_a_reader_arrives_at_questions_findings_and_six_levers(open_page, lang, size, theme):
    page = open_page(address("/", lang=lang, theme=theme), *SIZES[size])
    wait_for_tiles(page)
    assert page.locator(".questions[open] li a").count() >= 4
    assert 4 <= page.locator("#findings li").count() <= 8
    assert page.locator(".lever:visible").count() == 6
    boxes = [page.locator(each).first.bounding_box()["y"] for each in ("#findings", ".tile", ".plot", ".lever")]
    assert boxes[:3] == sorted(boxes[:3])
    if size == "phone":
        assert boxes[3] > boxes[2], "charts come before levers"
    gloss = page.locator(".gloss")
    gloss.locator("summary").click()
    expect(gloss.locator("p")).to_contain_text("8")
    assert "H100" in page.locator(".tile-unit").first.get_attribute("title")
    first = page.locator(".questions li a").first
    words = first.inner_text()
    first.click()
    wait_until(page, "location.search.includes('s.us.allowed_products.h20-class')")
    wait_for_tiles(page)
    assert page.locator(".lever.changed").count() > 0
    assert words in page.content()
    assert not page.locator(".questions").evaluate("node => node.open")


@pytest.mark.parametrize("size", SIZES)
def test_the_words_on_a_lever_cover_nothing(open_page, size):
    page = open_page("/", *SIZES[size])
    wait_for_tiles(page)
    row = page.locator(".lever:has(.lever-range)").first
    row.scroll_into_view_if_needed()
    row.locator(".lever-help").click()
    words, slider = row.locator(".lever-text").bounding_box(), row.locator(".lever-range").bounding_box()
    assert words["y"] + words["height"] <= slider["y"] + 1
    middle = slider["x"] + slider["width"] / 2, slider["y"] + slider["height"] / 2
    page.mouse.click(*middle)  # what lies on top would take the click
    wait_until(page, "location.search.includes('s.')")
    row.locator(".lever-help").click()
    expect(row.locator(".lever-text")).to_be_hidden()


def test_a_lever_is_found_and_nothing_found_is_said(open_page):
    page = open_page("/")
    wait_for_tiles(page)
    field = page.locator(".lever-find")
    field.fill("malaysia")
    shown = page.locator(".lever:visible").all_inner_texts()
    assert shown
    assert all("Malaysia" in text for text in shown)
    field.fill("zzzz")
    expect(page.locator(".lever:visible")).to_have_count(0)
    expect(page.locator(".lever-finder .note")).to_contain_text("0")
    field.fill("")
    expect(page.locator(".lever:visible")).to_have_count(6)


@each_reader
def test_a_chart_is_taken_away_in_four_forms_and_has_an_address(open_page, lang, size, theme, tmp_path):
    page = open_page(address("/", p="weir", lang=lang, theme=theme), *SIZES[size])
    wait_for_tiles(page)
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    tools = page.locator(".chart-tools").first
    for kind, ending in (("CSV", ".csv"), ("PNG", ".png"), ("SVG", ".svg")):
        with page.expect_download() as waiting:
            tools.get_by_text(kind, exact=True).click()
        assert waiting.value.suggested_filename == f"chipweir-compute{ending}"
        path = tmp_path / f"chart{ending}"
        waiting.value.save_as(path)
        assert path.stat().st_size > 2_000
    tools.locator("button").last.click()
    wait_until(page, "document.querySelector('.chart-tools .note').textContent.length > 3")
    code = page.evaluate("navigator.clipboard.readText()")
    assert code.startswith('<figure><img src="data:image/svg+xml')
    assert "Chipweir" in code[code.index("<figcaption>") :]
    tools.locator("a").first.click()
    page.wait_for_selector(".single .slot:not([hidden]) .main-svg")
    wait_until(page, "location.search.includes('chart=compute')")
    expect(page.locator(".slot:not([hidden])")).to_have_count(1)
    expect(page.locator(".tile:visible")).to_have_count(0)
    page.locator(".chart-tools a").first.click()
    page.wait_for_selector(".tile:visible")
    assert "chart=" not in page.url


def test_facts_turn_pages_and_the_address_keeps_the_place(open_page):
    page = open_page("/facts?f.words=h20&f.order=newest&f.page=2")
    page.wait_for_selector("#f-found table")
    expect(page.locator("#f-found .note")).to_contain_text("51 to 100")
    second = page.locator("#f-found tbody th").first.inner_text()
    page.locator("#f-page button", has_text="3").click()
    expect(page.locator("#f-found .note")).to_contain_text("101 to")
    wait_until(page, "location.search.includes('f.page=3')")
    assert page.locator("#f-found tbody th").first.inner_text() != second
    page.locator("#f-words").fill("h200")
    expect(page.locator("#f-found .note")).to_contain_text(" 1 to ")
    wait_until(page, "!location.search.includes('f.page')")


def test_titles_follow_the_page(open_page):
    page = open_page("/")
    wait_for_tiles(page)
    assert page.title() == "Current rules · Chipweir"
    page.get_by_role("link", name="Facts").click()
    wait_until(page, "document.title === 'Facts · Chipweir'")


def test_a_number_unfolds(open_page):
    page = open_page("/")
    wait_for_tiles(page)
    page.locator(".tile").first.click()
    page.wait_for_selector("#made-numbers table")
    assert "Chinese compute in use" in page.locator("#made-numbers").inner_text()


def test_the_year_moves_tiles_and_flows(open_page):
    page = open_page("/?tab=flows&p=weir")
    page.wait_for_selector(".sankey")
    before = page.locator(".tile").first.inner_text()
    page.locator("#year [role=slider]").focus()
    page.keyboard.press("ArrowLeft")
    wait_until(page, "location.search.includes('y=2029')")
    expect(page.locator(".gtitle", has_text="2029").first).to_be_visible()
    assert page.locator(".tile").first.inner_text() != before


@pytest.mark.parametrize(("button", "ending"), [("#get-yaml", ".yaml"), ("#get-csv", ".csv"), ("#get-report", ".html")])
def test_everything_can_be_taken_away(open_page, button, ending, tmp_path):
    page = open_page("/?p=weir&lang=ko")
    wait_for_tiles(page)
    with page.expect_download(timeout=60_000) as waiting:
        page.locator(button).click()
    path = tmp_path / waiting.value.suggested_filename
    waiting.value.save_as(path)
    assert path.suffix == ending
    assert path.stat().st_size > 200


def test_an_address_that_is_wrong_says_so_and_shows_the_rest(open_page):
    page = open_page("/?s.us.enforcment=2&lang=xx")
    wait_for_tiles(page)
    shown = page.locator(".problem").all_inner_texts()
    assert any("us.enforcement" in text for text in shown)
    assert any("language" in text for text in shown)


def test_a_deleted_run_in_a_link_is_named(open_page):
    page = open_page("/?run=20260101-000000-gone")
    page.wait_for_selector("#message .problem")
    assert "20260101-000000-gone" in page.locator("#message").inner_text()


def test_a_view_is_saved_to_the_run_store_and_shown_again(open_page, monkeypatch, tmp_path):
    monkeypatch.setenv("CHIPWEIR_RUNS", str(tmp_path))
    monkeypatch.setattr("chipweir.app._saved.FULL_MEMBERS", 4)
    page = open_page("/?p=weir")
    wait_for_tiles(page)
    page.locator("summary", has_text="Save to the run store").click()
    page.locator("#save-name").fill("weir")
    page.locator("#save").click()
    wait_until(page, "document.querySelector('#save-state').innerText.includes('no preset')")
    page.locator("#save-name").fill("my-weir")
    page.locator("#save").click()
    link = page.wait_for_selector("#save-state a", timeout=120_000)
    identifier = link.inner_text()
    assert (tmp_path / identifier / "report.html").stat().st_size > 100_000
    link.click()
    wait_until(page, "location.search.includes('run=')")
    wait_until(page, "document.querySelector('#status').innerText.includes('4 members')")


def test_saving_can_be_given_up(open_page, monkeypatch, tmp_path):
    def slow(_scenarios, _facts, _members, _seed, progress):
        while True:
            time.sleep(0.05)
            progress(0.1, "")

    monkeypatch.setenv("CHIPWEIR_RUNS", str(tmp_path))
    monkeypatch.setattr("chipweir.world.run_ensemble", slow)
    page = open_page("/?p=weir")
    wait_for_tiles(page)
    page.locator("summary", has_text="Save to the run store").click()
    expect(page.locator("#save-cancel")).to_be_hidden()
    page.locator("#save-name").fill("my-weir")
    page.locator("#save").click()
    page.locator("#save-cancel").click()
    expect(page.locator("#save-state")).to_have_text("cancelled")
    expect(page.locator("#save-cancel")).to_be_hidden()
    assert list(tmp_path.iterdir()) == []


@each_reader
def test_a_shipment_is_decided(open_page, lang, size, theme):
    page = open_page(f"/rules?r.chip=nvidia-h20&r.to=CN&r.on=2025-05-01&lang={lang}&theme={theme}", *SIZES[size])
    page.wait_for_selector("#r-answer .verdict")
    needed, free = {"en": ("needs a licence", "no licence needed"), "ko": ("허가 필요", "허가 불필요")}[lang]
    assert needed in page.locator("#r-answer").inner_text()
    page.locator("#r-on").fill("2023-12-01")
    page.locator("#r-ask").click()
    wait_until(page, "free => document.querySelector('#r-answer').innerText.includes(free)", arg=free)
    wait_until(page, "location.href.includes('r.on=2023-12-01')")  # the address follows the answer
    page.locator("#r-on").fill("someday")
    page.locator("#r-ask").click()
    page.wait_for_selector("#r-answer .problem")


def test_a_table_of_shipments_is_answered(open_page):
    page = open_page("/rules")
    page.wait_for_selector("#r-upload input[type=file]", state="attached")
    table = b"chip,to,date\nnvidia-h20,CN,2025-05-01\nfoo,CN,\n"
    page.set_input_files("#r-upload input[type=file]", {"name": "a.csv", "mimeType": "text/csv", "buffer": table})
    page.wait_for_selector("#r-batch table")
    assert "unknown chip 'foo'" in page.locator("#r-batch").inner_text()
    with page.expect_download() as waiting:
        page.locator("#r-save").click()
    assert waiting.value.suggested_filename == "chipweir-licences.csv"


def test_a_file_that_is_no_table_is_named(open_page):
    page = open_page("/rules")
    page.wait_for_selector("#r-upload input[type=file]", state="attached")
    broken = {"name": "a.csv", "mimeType": "text/csv", "buffer": bytes(range(256)) * 8}
    page.set_input_files("#r-upload input[type=file]", broken)
    expect(page.locator("#r-batch .problem")).to_contain_text("not text in UTF-8")


@each_reader
def test_an_article_is_checked(open_page, lang, size, theme):
    page = open_page(address("/claims", lang=lang, theme=theme), *SIZES[size])
    page.wait_for_selector("#k-check")
    assert not page.locator("#k-tools").is_visible()
    page.locator("#k-text").fill("엔비디아 H100의 메모리는 141GB다.")
    page.locator("#k-check").click()
    page.wait_for_selector("mark.claim.contradicted", timeout=30_000)
    assert {"ko": "모순", "en": "contradicted"}[lang] in page.locator("#k-result").inner_text()
    slot = page.get_by_label("item", exact=True)
    slot.fill("nvidia-h200-sxm")
    page.locator("#k-again").click()
    page.wait_for_selector("mark.claim.consistent", timeout=30_000)
    with page.expect_download() as waiting:
        page.locator("#k-brief").click()
    assert waiting.value.suggested_filename.endswith(".md")


@each_reader
def test_facts_are_found(open_page, lang, size, theme):
    page = open_page(f"/facts?f.words=910C&f.kind=chips&lang={lang}&theme={theme}", *SIZES[size])
    page.wait_for_selector("#f-found table")
    assert "huawei-ascend-910c" in page.locator("#f-found").inner_text()
    with page.expect_download() as waiting:
        page.locator("#f-save").click()
    assert waiting.value.suggested_filename == "chipweir-facts.csv"


@each_reader
def test_chips_are_compared_and_matched(open_page, lang, size, theme):
    page = open_page(address("/chips", lang=lang, theme=theme), *SIZES[size])
    page.wait_for_selector("#c-table table")
    page.wait_for_selector("#c-plane .main-svg")
    page.locator("#c-match").click()
    page.wait_for_selector("#c-matched table", timeout=60_000)
    assert "CloudMatrix" in page.locator("#c-matched").inner_text()
    told = page.locator("#c-matched .findings li")
    assert told.count() == 3
    assert "80" in told.first.inner_text()
    page.goto(page.url)  # the address asks the same
    page.wait_for_selector("#c-matched table", timeout=60_000)


def test_the_theme_is_remembered(open_page):
    page = open_page("/")
    wait_for_tiles(page)
    page.locator("#theme").click()
    wait_until(page, "document.documentElement.dataset.mantineColorScheme === 'dark'")
    page.goto(page.url.split("?")[0])
    expect(page.locator("html")).to_have_attribute("data-mantine-color-scheme", "dark")


def test_the_report_draws_every_figure_from_a_file(browser, tmp_path):
    from synthetic_run import synthetic_run

    from chipweir.report import write_html

    path = write_html(synthetic_run(), tmp_path / "report.html", lang="ko")
    page = browser.new_page()
    errors = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.goto(f"file://{path}?draw")
    wait_until(
        page, "[...document.querySelectorAll('.plot')].every(node => node.querySelector('.main-svg'))", timeout=60_000
    )
    page.locator("#theme").click()
    page.locator("[data-chooser] input").fill("2028")
    wait_until(page, "document.querySelector('#flows .gtitle').textContent.includes('2028')")
    assert not errors
    page.close()


@pytest.fixture
def small_world(monkeypatch, tmp_path):
    """Long work of the pages on made-up numbers; everything between the button and the numbers is the product's."""
    import imagined_world

    from chipweir.calibration import _credibility
    from chipweir.calibration._observations import logs
    from chipweir.strategy._cells import Cells

    def predicted(_inputs, parameters, rows, _mapper):
        members = len(next(iter(parameters.values())))
        return logs(rows)[0] + np.random.default_rng(1).normal(0, 0.3, (members, len(rows)))

    monkeypatch.setenv("CHIPWEIR_RUNS", str(tmp_path))
    monkeypatch.setattr(Cells, "run", imagined_world.run)
    monkeypatch.setattr(_credibility, "predict", predicted)
    monkeypatch.setattr(_credibility, "echoes", lambda *_arguments: [])


@each_reader
def test_advice_is_run_on_the_page(open_page, small_world, lang, size, theme):
    page = open_page(address("/strategy", lang=lang, theme=theme), *SIZES[size])
    page.wait_for_selector("#y-answer .main-svg", timeout=120_000)
    page.locator("#y-actor").click()
    page.get_by_role("option", name={"en": "United States", "ko": "미국"}[lang]).click()
    page.locator("#y-run").click()
    expect(page.locator("#y-cancel")).to_be_visible()
    expect(page.locator("#y-answer")).to_contain_text("chipweir advise us --futures 16", timeout=120_000)
    expect(page.locator("#y-cancel")).to_be_hidden()
    expect(page.locator("#y-state")).to_have_text("")
    page.wait_for_selector("#y-answer .main-svg", timeout=120_000)
    assert page.evaluate("document.documentElement.scrollWidth") <= SIZES[size][0]


@each_reader
def test_published_figures_are_compared_on_the_page(open_page, small_world, lang, size, theme):
    page = open_page(address("/believe", lang=lang, theme=theme), *SIZES[size])
    page.wait_for_selector("#b-curve .main-svg", timeout=120_000)
    page.locator("#b-run").click()
    expect(page.locator("#b-figures table")).to_be_visible(timeout=120_000)
    expect(page.locator("#b-figures")).to_contain_text("80")
    expect(page.locator("#b-cancel")).to_be_hidden()
    assert page.locator("#b-figures tbody tr").count() > 200
    assert page.evaluate("document.documentElement.scrollWidth") <= SIZES[size][0]


def test_long_work_on_a_page_can_be_given_up(open_page, small_world, monkeypatch):
    from chipweir.app import _strategy_page

    def endless(_actor, _futures, job):
        while True:
            job.report(0.25)
            time.sleep(0.05)

    monkeypatch.setattr(_strategy_page, "advice", endless)
    page = open_page("/strategy")
    page.wait_for_selector("#y-answer .main-svg", timeout=120_000)
    page.locator("#y-run").click()
    expect(page.locator("#y-state")).to_contain_text("25%")
    page.locator("#y-cancel").click()
    expect(page.locator("#y-state")).to_contain_text("cancelled")
    expect(page.locator("#y-cancel")).to_be_hidden()


CUT = """() => [...document.querySelectorAll('.js-plotly-plot')].filter(plot => plot.offsetParent).flatMap(plot => {
  const box = plot.getBoundingClientRect();
  return [...plot.querySelectorAll('svg text')].filter(text => {
    const own = text.getBoundingClientRect();
    return own.width > 1 && (own.right > box.right + 1 || own.left < box.left - 1);
  }).map(text => text.textContent);
})"""


@pytest.mark.parametrize("lang", ["en", "ko"])
@pytest.mark.parametrize(
    "path", ["/", "/?tab=market", "/?tab=flows", "/?tab=supply", "/strategy", "/believe", "/chips"]
)
def test_a_telephone_shows_every_text_of_a_chart_whole(open_page, path, lang):
    page = open_page(path + ("&" if "?" in path else "?") + f"lang={lang}", 390, 900)
    page.wait_for_selector(".js-plotly-plot .main-svg >> visible=true", timeout=120_000)
    page.wait_for_timeout(1500)
    assert page.evaluate(CUT) == []


@pytest.mark.parametrize("width", [390, 1440, 1920])
def test_labels_of_flows_do_not_touch(open_page, width):
    page = open_page("/?tab=flows&year=2030", width, 900)
    page.wait_for_selector(".sankey .node-label", timeout=120_000)
    page.wait_for_timeout(500)
    boxes = page.evaluate(
        "[...document.querySelectorAll('.sankey .node-label')].map(t => t.getBoundingClientRect())"
        ".filter(b => b.width > 1).map(b => [b.left, b.top, b.right, b.bottom])"
    )
    assert len(boxes) >= 6
    for i, (left, top, right, bottom) in enumerate(boxes):
        for other in boxes[i + 1 :]:
            across = min(right, other[2]) - max(left, other[0])
            down = min(bottom, other[3]) - max(top, other[1])
            assert across <= 0 or down <= 2, "letters may meet the line below, not lie on its letters"
