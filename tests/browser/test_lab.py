"""In JupyterLab a student asks, drops a file, draws a mask, answers a trial, and comes back later."""

import base64
import re

import pytest
from playwright.sync_api import expect

from lass_lab.course.quiz import questions
from lass_lab.datasets import data_dir
from tests.browser.lab import Notebook, running_lab
from tests.browser.senses import assert_sounds, click_play

# A file in the hand, as the browser gives it to whatever it is dropped on.
FILE = """([name, data]) => {
    const held = new DataTransfer();
    held.items.add(new File([Uint8Array.from(atob(data), letter => letter.charCodeAt(0))], name));
    return held;
}"""


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    with running_lab(tmp_path_factory.mktemp("lab")) as address:
        yield address


def test_a_typed_query_is_answered_by_a_player_that_sounds(lab, page):
    notebook = Notebook(page, lab, "00_welcome")
    notebook.run_all()
    bench = notebook.output("query_bench(separator")
    assert bench.locator(".lass-face").count() == 1, "the still answer, and no other yet"
    bench.get_by_placeholder("name a sound").fill("a trumpet, please")
    bench.get_by_role("button", name="separate").click()
    answered = bench.get_by_role("group", name="player: mixture, estimate for “a trumpet, please”")
    answered.wait_for()
    expect(bench.get_by_role("button", name="separate", exact=True)).to_be_enabled()
    assert_sounds(answered, click_play)
    # JupyterLab's own shortcuts would make a heading of the cell.
    answered.get_by_role("slider").focus()
    page.keyboard.press("2")
    expect(answered.get_by_role("button", name="estimate for")).to_have_attribute("aria-pressed", "true")
    expect(bench).to_be_visible()

    mine = notebook.output("your_recording(separator)")
    place, recording = mine.locator(".lass-drop"), data_dir() / "duets" / "tempus" / "mixture.flac"
    dropped = page.evaluate_handle(FILE, [recording.name, base64.b64encode(recording.read_bytes()).decode()])
    place.dispatch_event("drop", {"dataTransfer": dropped})
    heard = mine.get_by_role("group", name="player: mixture, estimate for “violin”")
    heard.wait_for()
    expect(place).to_contain_text(f"{recording.name}:")
    assert_sounds(heard, click_play)

    first = questions("00")[0]
    asked = notebook.output(first.ask)  # whose code is folded away
    for choice, why in first.choices.items():
        asked.get_by_role("radio", name=choice, exact=True).check()
        verdict = "Right:" if choice == first.right else "No:"
        expect(asked.get_by_role("status")).to_have_text(f"{verdict} {why}")


def test_a_slider_draws_another_spectrogram(lab, page):
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

    painter = notebook.output("mask_painter(excerpt")
    area = painter.locator(".lass-sends .lass-draw")
    expect(area).to_have_count(1)
    expect(painter.locator("figcaption", has_text="1 box cut").locator("visible=true")).to_have_count(1)
    box, axes = area.locator("img").bounding_box(), map(float, area.get_attribute("data-axes").split())
    left, right, low, high = axes
    for place, move in ((0.2, page.mouse.down), (0.4, page.mouse.up)):
        x, y = left + place * (right - left), low + place * (high - low)
        page.mouse.move(box["x"] + x * box["width"], box["y"] + (1 - y) * box["height"], steps=4)
        move()
    expect(painter.locator(".lass-sends")).to_contain_text("2 boxes cut")
    expect(painter.locator(".lass-sends")).to_contain_text("SDR against the true trumpet: your boxes")


def test_an_answered_trial_is_counted(lab, page):
    notebook = Notebook(page, lab, "07_evaluation")
    notebook.run_all()
    trials = notebook.output("abx_test(*(violins")
    assert_sounds(trials.get_by_role("group", name="player: A, B, X"), click_play)
    trials.get_by_role("button", name="X is A").click()
    expect(trials.get_by_role("status")).to_have_text(re.compile(r"X was [AB]\. [01] of 1 right"))
    trials.get_by_role("button", name="X is B").click()
    expect(trials.get_by_role("status")).to_have_text(re.compile(r"X was [AB]\. [012] of 2 right"))
    expect(trials.get_by_text("Trial 3 of 10.")).to_be_visible()


def test_after_a_restart_the_ledger_is_still_there(lab, page):
    first = Notebook(page, lab, "01_stft_and_mel")
    first.restart_and_run_all()
    welcome = Notebook(page, lab, "00_welcome")
    welcome.restart_and_run_all()
    expect(welcome.output("ledger.read()")).to_contain_text("done 01_stft_and_mel")
