"""A playground on synthetic runs, in a thread of its own; and Chromium, where there is one."""

import sys
from pathlib import Path

import pytest


sys.path.insert(0, str(Path(__file__).parents[1] / "report"))

from serving import made_up, running


@pytest.fixture(scope="session")
def engine():
    from chipweir.app._engine import Engine

    return Engine(made_up)


@pytest.fixture(scope="session")
def app(engine):
    from chipweir.app import create_app

    return create_app(engine)


@pytest.fixture(scope="session")
def address(engine):
    """Where the synthetic playground listens."""
    from chipweir.app._guard import Guard
    from chipweir.app._serve import make_front
    from chipweir.app._server import LOOPBACK

    with running(make_front(engine, Guard(hosts=LOOPBACK))) as port:
        yield f"http://127.0.0.1:{port}"


@pytest.fixture
def open_page(browser, address):
    """Open a page of the playground; fails at the end if the browser reported an error."""
    contexts, errors = [], []

    def opened(path="/", width=1400, height=900):
        context = browser.new_context(viewport={"width": width, "height": height}, accept_downloads=True)
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
        page.goto(address + path)
        return page

    yield opened
    found = list(errors)  # what closing a page cuts off is no error of the page
    for context in contexts:
        context.close()
    assert not found, found
