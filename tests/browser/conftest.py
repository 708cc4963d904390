"""A browser without a window, and what it looks at; `make browser-test` runs these tests, `make test` does not."""

import os
import shutil
from importlib.util import find_spec
from pathlib import Path

import pytest

from lass_lab.course.profile import CHECKOUT

PROGRAMS = ("chromium", "chromium-browser", "google-chrome")
NEEDED = ("playwright", "axe_playwright_python", "sphinx")
NO_PREVIEW = "Failed to fetch"  # what the site's search does without, where the site is opened from disk
PATIENCE_MS = 60_000  # for what takes a moment, on a computer that has other things to do
LOOKS = CHECKOUT / "build" / "browser"


def find_browser() -> str | None:
    """The program to start: LASS_LAB_BROWSER, Chromium or Chrome where it is installed, else playwright's own."""
    from playwright.sync_api import sync_playwright

    if chosen := os.environ.get("LASS_LAB_BROWSER"):
        return shutil.which(chosen)
    if found := next(filter(None, map(shutil.which, PROGRAMS)), None):
        return found
    with sync_playwright() as playwright:
        own = playwright.chromium.executable_path
    return own if Path(own).is_file() else None


def pytest_configure(config):
    if missing := [name for name in NEEDED if find_spec(name) is None]:
        raise pytest.UsageError(f"{', '.join(missing)}: not installed; run: make browser-test")
    if (program := find_browser()) is None:
        raise pytest.UsageError(
            "no Chromium or Chrome here: install one ('apt install chromium'), name it in LASS_LAB_BROWSER, or run: "
            ".venv/bin/playwright install --only-shell chromium"
        )
    config.browser = program


@pytest.fixture(scope="session")
def browser(pytestconfig):
    from playwright.sync_api import expect, sync_playwright

    expect.set_options(timeout=PATIENCE_MS)
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=pytestconfig.browser)
        yield running
        running.close()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    """Keep what the browser showed as a test failed."""
    report = yield
    if report.failed and call.when == "call" and "page" in item.funcargs:
        item.funcargs["page"].screenshot(path=LOOKS / f"failed-{item.name.replace('/', '-')}.png")
    return report


@pytest.fixture
def page(browser):
    """An empty tab that asks no network but this computer's; the test fails where its page raises an error."""
    with browser.new_context(viewport={"width": 1280, "height": 900}) as context:
        context.set_default_timeout(PATIENCE_MS)
        context.route(lambda address: not address.startswith(("http://127.0.0.1", "file:", "data:", "blob:")), refuse)
        tab = context.new_page()
        faults = []
        tab.on("pageerror", lambda error: faults.append(str(error)))
        yield tab
        assert set(faults) <= {NO_PREVIEW}


def refuse(route):
    route.abort()
