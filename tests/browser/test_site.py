"""The site can be heard, read in light and dark, used by keyboard, printed, searched and followed from page to page."""

import shutil

import pytest
from playwright.sync_api import expect

from authoring.publishing import notebooks, site
from lass_lab.course.profile import PROFILES
from tests.browser.senses import assert_sounds, cut_off, grave_faults, press_play, tab_through

RAN = "00_welcome"
PAGES = ("index", f"notebooks/{RAN}", "notebooks/01_stft_and_mel", "notebooks/solutions/01_stft_and_mel", "glossary")
PAGES += ("notation", "reading", "instructors", "search")


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """The site's address on disk, with {page}: the first notebook as it ran, the others as they are committed."""
    folder = tmp_path_factory.mktemp("site")
    run = folder / "run"
    run.mkdir()
    for name in site.course_names():
        shutil.copy(notebooks.NOTEBOOKS / name, run)
    (run / f"{RAN}.ipynb").unlink()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LASS_LAB_RUNS", str(folder / "runs"))
        notebooks.run(notebooks.NOTEBOOKS / f"{RAN}.ipynb", run, PROFILES["ci"])
    site.gather(run, folder / "work" / "pages")
    site.make_site(folder / "work", folder / "site")
    return f"{(folder / 'site').as_uri()}/{{page}}.html"


def open_page(page, made, name, scheme="light"):
    page.emulate_media(color_scheme=scheme, reduced_motion="reduce")  # colours at rest, not on their way
    page.goto(made.format(page=name))


def test_every_player_sounds(made, page):
    open_page(page, made, f"notebooks/{RAN}")
    players = page.locator(".lass-player").all()
    assert len(players) > 4
    for player in players:
        assert_sounds(player, press_play)


@pytest.mark.parametrize("name", PAGES)
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nothing_keeps_anybody_from_reading_it(made, page, name, scheme):
    open_page(page, made, name, scheme)
    expect(page.locator("html")).to_have_attribute("data-theme", scheme)
    assert grave_faults(page) == []


def test_the_keyboard_reaches_links_and_players(made, page):
    open_page(page, made, f"notebooks/{RAN}")
    players = ".lass-face button, .lass-face [role='slider']"
    assert tab_through(page, f"main a, {players}, .bd-sidebar-primary a", 400) == set()


@pytest.mark.parametrize("name", ["index", f"notebooks/{RAN}"])
def test_it_fits_on_a_phone(made, page, name):
    page.set_viewport_size({"width": 360, "height": 780})
    open_page(page, made, name)
    assert page.evaluate("document.documentElement.scrollWidth") <= 360


@pytest.mark.parametrize("name", ["index", f"notebooks/{RAN}", "notebooks/01_stft_and_mel", "instructors"])
def test_it_can_be_printed(made, page, name):
    open_page(page, made, name, "dark")
    assert cut_off(page) == []
    expect(page.locator("html")).to_have_attribute("data-theme", "light")  # pale letters would be lost on paper
    expect(page.locator("audio, .lass-face").locator("visible=true")).to_have_count(0)


def test_the_arrows_lead_on_and_back(made, page):
    open_page(page, made, f"notebooks/{RAN}")
    page.locator("a.right-next").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("01 STFT and mel")
    page.locator("a.left-prev").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("00 Welcome")
