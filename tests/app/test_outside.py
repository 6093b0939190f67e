"""Nothing leaves the machine: everything on every page and in the report is clicked, and no request goes elsewhere."""

from urllib.parse import urlsplit

import pytest
from serving import wait_until
from synthetic_run import synthetic_run


pytestmark = pytest.mark.browser

PAGES = {
    "/?p=weir": ".tile",
    "/?p=weir&tab=flows": ".sankey",
    "/chips": "#c-table table",
    "/rules?r.chip=nvidia-h20&r.to=CN&r.on=2025-05-01": "#r-answer .verdict",
    "/claims": "#k-check",
    "/facts?f.words=910C&f.kind=chips": "#f-found table",
    "/believe": "#b-curve .main-svg",
}
# Those two make the page anew, and what was clicked would be forgotten: they come last.
REMAKING = ("#theme", "#language")
CLICKABLE = (
    "button:not(#language, #theme, [role=tab]), summary, .modebar-btn, input[type=radio], input[type=checkbox]",
    "[role=tab]",
)
# The next few that were not clicked yet, whether they are in sight or not: a chart's buttons show themselves on hover only.
CLICK_NEXT = """([selector, count]) => {
    const next = [...document.querySelectorAll(selector)].filter(each => !each.dataset.clicked).slice(0, count);
    return next.map(each => {
        each.dataset.clicked = "1";
        each.dispatchEvent(new MouseEvent("click", {bubbles: true, cancelable: true, view: window}));
        return each.dataset.title || each.getAttribute("aria-label") || each.textContent.slice(0, 40) || each.name;
    });
}"""
MOST_CLICKS = 600


@pytest.fixture
def watched(browser):
    """A browser context and the addresses outside this machine that anything in it asked for."""
    context, outside = browser.new_context(viewport={"width": 1400, "height": 900}), []

    def seen(address: str) -> None:
        parts = urlsplit(address)
        if parts.scheme not in ("data", "blob", "file", "about") and parts.hostname != "127.0.0.1":
            outside.append(address)

    context.on("request", lambda request: seen(request.url))
    context.on("page", lambda page: seen(page.url))
    context.route(lambda url: urlsplit(url).hostname not in ("127.0.0.1", None, ""), lambda route: route.abort())
    yield context, outside
    context.close()


def click_everything(page) -> list[str]:
    """Click all there is to click, also what appears on the way: everything else first, then the next tab; its names."""
    clicked: list[str] = []
    others, tabs = CLICKABLE
    while names := page.evaluate(CLICK_NEXT, [others, 20]) or page.evaluate(CLICK_NEXT, [tabs, 1]):
        clicked += names
        assert len(clicked) < MOST_CLICKS, clicked[-20:]
        page.wait_for_timeout(150)
    page.wait_for_timeout(500)
    return clicked


def is_offer_to_send(name: str) -> bool:
    return any(word in name.lower() for word in ("share chart", "cloud", "chart studio", "send"))


@pytest.mark.parametrize("path", PAGES)
def test_no_click_on_a_page_asks_anything_of_another_machine(watched, address, path):
    context, outside = watched
    page = context.new_page()
    page.goto(address + path)
    page.wait_for_selector(PAGES[path])
    if page.locator(".plot").count():
        page.wait_for_selector(".modebar-btn", state="attached")
    clicked = click_everything(page)
    for button in REMAKING:
        page.dispatch_event(button, "click")  # whatever dialogue lies over it
        page.wait_for_selector("h1")
    assert outside == []
    if page.locator(".plot").count():
        assert any("Download plot" in name for name in clicked), clicked  # the charts' own buttons were among them
    assert not any(map(is_offer_to_send, clicked)), clicked


def test_no_click_in_a_report_asks_anything_of_another_machine(watched, tmp_path):
    from chipweir.report import write_html

    context, outside = watched
    path = write_html(synthetic_run(), tmp_path / "report.html", lang="ko")
    page = context.new_page()
    page.goto(f"file://{path}?draw")
    page.wait_for_selector(".modebar-btn", state="attached", timeout=60_000)
    wait_until(page, "[...document.querySelectorAll('.plot')].every(node => node.querySelector('.main-svg'))")
    clicked = click_everything(page)
    assert outside == []
    assert sum("Download plot" in name for name in clicked) > 5, clicked
    assert not any(map(is_offer_to_send, clicked)), clicked
