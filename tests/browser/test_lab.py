"""In JupyterLab a student types a query and hears the answer, moves a slider, answers a trial, and comes back later."""

import re

import pytest
from playwright.sync_api import expect

from tests.browser.lab import Notebook, running_lab
from tests.browser.senses import assert_sounds, click_play


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    with running_lab(tmp_path_factory.mktemp("lab")) as address:
        yield address


def test_a_typed_query_is_answered_by_a_player_that_sounds(lab, page, look):
    notebook = Notebook(page, lab, "00_welcome")
    notebook.run_all()
    bench = notebook.output("query_bench(separator")
    assert bench.locator(".lass-face").count() == 1, "the still answer, and no other yet"
    bench.get_by_placeholder("name a sound").fill("a trumpet, please")
    bench.get_by_role("button", name="separate").click()
    answered = bench.get_by_role("group", name="player: mixture, estimate for “a trumpet, please”")
    answered.wait_for()
    expect(bench.get_by_role("button", name="separate", exact=True)).to_be_enabled()
    look(page, "query-bench")
    assert_sounds(answered, click_play)


def test_a_slider_draws_another_spectrogram(lab, page, look):
    notebook = Notebook(page, lab, "01_stft_and_mel")
    notebook.run_all()
    explorer = notebook.output("spectrogram_explorer(sounds)")
    picture = explorer.locator(".jupyter-widgets img")
    explorer.locator(".widget-hslider").filter(has=page.get_by_text("window", exact=True)).get_by_role("slider").focus()
    page.keyboard.press("ArrowRight")
    expect(picture).to_have_count(1)
    before = picture.get_attribute("src")
    page.keyboard.press("ArrowRight")
    expect(picture).not_to_have_attribute("src", before)
    expect(explorer.locator(".jupyter-widgets figcaption")).to_contain_text("each column sees 256 ms")
    look(page, "explorer")


def test_an_answered_trial_is_counted(lab, page, look):
    notebook = Notebook(page, lab, "07_evaluation")
    notebook.run_all()
    trials = notebook.output("abx_test(*violins")
    assert_sounds(trials.get_by_role("group", name="player: A, B, X"), click_play)
    trials.get_by_role("button", name="X is A").click()
    expect(trials.get_by_role("status")).to_have_text(re.compile(r"X was [AB]\. [01] of 1 right"))
    trials.get_by_role("button", name="X is B").click()
    expect(trials.get_by_role("status")).to_have_text(re.compile(r"X was [AB]\. [012] of 2 right"))
    expect(trials.get_by_text("Trial 3 of 10.")).to_be_visible()
    look(page, "abx")


def test_after_a_restart_the_ledger_is_still_there(lab, page, look):
    first = Notebook(page, lab, "01_stft_and_mel")
    first.restart_and_run_all()
    welcome = Notebook(page, lab, "00_welcome")
    welcome.restart_and_run_all()
    expect(welcome.output("ledger.read()")).to_contain_text("done 01 STFT and mel")
    look(page, "ledger")
