"""The listening test keeps its secret, plays everything at one level, counts, and says what a guesser would get."""

import re

import nbformat
import numpy as np
import pytest
from nbclient import NotebookClient

from lass_lab.course.nb07.abx import abx_p_value, abx_test
from lass_lab.signal import InputError

pytestmark = pytest.mark.usefixtures("shell")
TIME = np.arange(3 * 32_000) / 32_000
LOW = (0.2 * np.sin(2 * np.pi * 300 * TIME)).astype(np.float32)
HIGH = (0.02 * np.sin(2 * np.pi * 1100 * TIME)).astype(np.float32)
KERNEL = """
import numpy as np

from lass_lab.course.nb07.abx import abx_test

time = np.arange(32_000) / 32_000
test = abx_test(np.sin(2000 * time), np.sin(3000 * time), seconds=0.5, trials=2)
test
"""


@pytest.fixture
def test():
    return abx_test(LOW, HIGH, names=("the low one", "the high one"), trials=4, seconds=1, seed=3)


def answer(test, right=True):
    (test.a if test._deck.x_is_a == right else test.b).click()


def words(widget):
    return re.sub(r"<[^>]*>", " ", widget.value)


def level(waveform):
    return 10 * np.log10(np.mean(np.square(waveform, dtype=np.float64)))


@pytest.mark.parametrize(
    ("right", "trials", "p"), [(0, 0, 1), (0, 5, 1), (5, 5, 1 / 32), (4, 5, 6 / 32), (8, 10, 56 / 1024), (5, 10, 0.623)]
)
def test_the_p_value_is_what_a_guesser_gets(right, trials, p):
    assert abx_p_value(right, trials) == pytest.approx(p, abs=1e-3)


@pytest.mark.parametrize(("right", "trials"), [(3, 2), (-1, 2), (0, -1)])
def test_counts_that_cannot_be_are_refused(right, trials):
    with pytest.raises(InputError, match="right: there cannot be"):
        abx_p_value(right, trials)


def test_right_and_wrong_answers_are_counted_and_the_p_value_follows(test):
    assert test.p_value == 1 and test.right == 0
    for right in (True, True, False):
        answer(test, right)
    assert test.answers == [True, True, False] and test.right == 2
    assert test.p_value == pytest.approx(abx_p_value(2, 3))
    assert "Wrong: X was" in words(test.result) and "2 of 3 right" in words(test.result)
    assert "probability of 0.500" in words(test.result) and "go on to the end" in words(test.result)
    assert "Trial 4 of 4." in words(test.sound)


def test_the_planned_trials_end_it_and_only_then_it_says_who_was_who(test):
    for _ in range(4):
        assert "low one" not in test.sound.value + test.result.value + test.still.data
        answer(test)
    assert test.a.disabled and test.b.disabled
    assert "All 4 trials are done. A was the low one, B was the high one." in " ".join(words(test.sound).split())
    assert "Right: X was" in words(test.result) and "probability of 0.062" in words(test.result)
    test.a.click()
    assert len(test.answers) == 4


def test_x_is_one_of_the_two_at_the_same_level_and_in_a_new_place(test):
    starts = set()
    for _ in range(4):
        heard = test._deck.heard
        assert {round(level(each), 3) for each in heard.values()} == {-23.0}
        tones = {name: np.abs(np.fft.rfft(each)).argmax() for name, each in heard.items()}
        assert tones["X"] == tones["A" if test._deck.x_is_a else "B"] and tones["A"] != tones["B"]
        starts.add(heard["A"][0])
        answer(test)
    assert len(starts) > 1


def test_the_page_does_not_tell_what_x_is(test):
    for _ in range(4):
        sounds = re.findall('src="([^"]+)"', test.sound.value)
        assert len(sounds) == 3 == len(set(sounds)) and len({len(sound) for sound in sounds}) == 1
        told = " ".join(re.sub('src="[^"]+"', "", test.sound.value + repr(test)).split())
        assert "x_is_a" not in told and "X is A" not in re.sub(r"description='X is A'", "", told)
        assert re.findall('aria-label="([^"]+)"', test.sound.value) == ["A", "B", "X"]
        answer(test)


def test_both_letters_come_up_and_the_seed_decides():
    def secrets(seed):
        test = abx_test(LOW, HIGH, trials=12, seconds=0.5, seed=seed)
        drawn = []
        for _ in range(12):
            drawn.append(test._deck.x_is_a)
            test.a.click()
        return drawn

    assert secrets(1) == secrets(1) != secrets(2)
    assert 0 < sum(secrets(1)) < 12


def test_what_stays_without_a_kernel_is_a_and_b_and_what_to_do(test):
    page = test.still.data
    assert re.findall('aria-label="([^"]+)"', page) == ["A", "B"]
    assert "Let somebody else play A or B" in page


def test_the_buttons_say_what_they_do(test):
    assert [each.description for each in (test.a, test.b)] == ["X is A", "X is B"]
    assert all("answer this trial" in each.tooltip for each in (test.a, test.b))


def test_excerpts_are_taken_where_both_can_be_heard():
    half = LOW.copy()
    half[: len(half) // 2] = 0
    test = abx_test(half, HIGH, trials=6, seconds=0.5)
    for _ in range(6):
        assert level(test._deck.heard["A"]) == pytest.approx(-23)
        answer(test)


def test_estimates_that_are_soft_throughout_are_played_at_the_same_level():
    test = abx_test(LOW * 1e-4, HIGH, trials=1, seconds=0.5)
    assert {round(level(each), 3) for each in test._deck.heard.values()} == {-23.0}


def test_a_short_sound_is_played_whole():
    test = abx_test(LOW[:16_000], HIGH[:16_000])
    assert len(test._deck.heard["X"]) > 14_000


@pytest.mark.parametrize(
    ("a", "b", "options", "fault"),
    [
        (LOW[1:], LOW, {}, "have 95,999 and 96,000 samples"),
        (0 * LOW, LOW, {}, "never sound together"),
        (np.full(9, np.nan), LOW, {}, "^A: "),
        (LOW, LOW, {"trials": 0}, "needs a trial or more"),
        (LOW, LOW, {"seconds": 6}, "not 10 of 6 s"),
    ],
)
def test_what_cannot_be_compared_is_refused(a, b, options, fault):
    with pytest.raises(InputError, match=fault):
        abx_test(a, b, **options)


def test_in_a_kernel_the_widgets_hold_the_trial_and_the_page_keeps_a_and_b():
    cells = [nbformat.v4.new_code_cell(cell) for cell in (KERNEL, "test.a.click()")]
    notebook = nbformat.v4.new_notebook(cells=cells)
    NotebookClient(notebook, timeout=60, kernel_name="python3").execute()
    first, quiet = (cell.outputs for cell in notebook.cells)
    assert not quiet
    assert "Without a running kernel" in first[-1]["data"]["text/html"]
    state = notebook.metadata.widgets["application/vnd.jupyter.widget-state+json"]["state"]
    pages = [widget["state"]["value"] for widget in state.values() if widget["model_name"] == "HTMLModel"]
    assert any("Trial 2 of 2" in page for page in pages) and any("X was" in page for page in pages)
