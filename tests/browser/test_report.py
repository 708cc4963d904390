"""The report of a run can be heard, read in light and dark, used by keyboard and printed, and so can a comparison."""

import matplotlib.pyplot as plt
import pytest
from playwright.sync_api import expect

from lass_lab.course import ledger
from lass_lab.course.report import report
from tests.browser.senses import assert_sounds, cut_off, grave_faults, press_play, tab_through
from tests.made_runs import made_run
from tests.made_separators import Known


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """Which page -> its address, as a double click opens it."""
    folder = tmp_path_factory.mktemp("report")
    plt.switch_backend("agg")
    with made_run(folder) as run, pytest.MonkeyPatch.context() as patch:
        # What they answer is no matter here, and half of the mixture is quickly had.
        patch.setattr(report, "load_separator", lambda _: Known(lambda mixture, query: mixture / 2))
        ledger.record("03_baseline", "SDRi of the violin", 7.25678, "dB")
        page = report.write_report(run, longest=10, pairs=2)
        compared = report.compare_reports((run, page.with_suffix(".json")), folder / "compared.html")
    return {"report": page.as_uri(), "comparison": compared.as_uri()}


both = pytest.mark.parametrize("which", ["report", "comparison"])
light_and_dark = pytest.mark.parametrize("scheme", ["light", "dark"])


def test_every_player_sounds(written, page):
    page.goto(written["report"])
    players = page.locator(".lass-player").all()
    assert len(players) == 2
    for player in players:
        assert_sounds(player, press_play)


@both
@light_and_dark
def test_nothing_keeps_anybody_from_reading_it(written, page, which, scheme):
    page.emulate_media(color_scheme=scheme)
    page.goto(written[which])
    assert grave_faults(page) == []


@both
def test_it_is_dark_where_the_browser_is(written, page, which):
    page.goto(written[which])
    grounds = []
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        grounds.append(page.locator("body").evaluate("body => getComputedStyle(body).backgroundColor"))
    assert grounds == ["rgb(255, 255, 255)", "rgb(21, 24, 27)"]


@both
def test_the_keyboard_reaches_links_tables_and_players(written, page, which):
    page.goto(written[which])
    assert tab_through(page, "a, button, [tabindex='0']", 200) == set()
    page.goto(written[which])
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the report")).to_be_in_viewport()
    page.keyboard.press("Enter")
    expect(page.locator("#main")).to_be_focused()


@both
def test_it_fits_on_a_phone(written, page, which):
    page.set_viewport_size({"width": 360, "height": 780})
    page.goto(written[which])
    assert page.evaluate("document.documentElement.scrollWidth") <= 360


@both
def test_it_can_be_printed(written, page, which):
    page.emulate_media(color_scheme="dark")
    page.goto(written[which])
    assert cut_off(page) == []
    expect(page.locator(".lass-player").locator("visible=true")).to_have_count(0)
    if which == "report":
        expect(page.get_by_text("The players are in the file that this was printed from.")).to_be_visible()
