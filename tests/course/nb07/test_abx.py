"""The listening test keeps its secret, plays everything at one level, counts, and says what a guesser would get."""

import re

import numpy as np
import pytest

from lass_lab.course.nb07.abx import abx_p_value, abx_test
from lass_lab.signal import InputError
from tests.course.controls import control, sounds, text

pytestmark = pytest.mark.usefixtures("shell")
TIME = np.arange(8 * 32_000) / 32_000
LOW = (0.2 * np.sin(2 * np.pi * 300 * TIME)).astype(np.float32)
HIGH = (0.02 * np.sin(2 * np.pi * 1100 * TIME)).astype(np.float32)
NAMES = ("the low one", "the high one")


@pytest.fixture
def test():
    return abx_test(LOW, HIGH, names=NAMES, trials=4, seed=3)


def pages(test):
    """The trial that waits, and the result of the last."""
    sound, _, result = test.widget.children
    return sound.outputs[-1]["data"]["text/html"], result.value


def answer(test, right=True):
    """Tell X by its pitch."""
    tones = {letter: np.abs(np.fft.rfft(sound[:100_000])).argmax() for letter, sound in sounds(pages(test)[0]).items()}
    x = "A" if abs(tones["X"] - tones["A"]) < abs(tones["X"] - tones["B"]) else "B"
    control(test, f"X is {x if right else 'BA'['AB'.index(x)]}").click()
    return x


@pytest.mark.parametrize(
    ("right", "trials", "p"), [(0, 5, 1), (5, 5, 1 / 32), (4, 5, 6 / 32), (8, 10, 56 / 1024), (5, 10, 0.623)]
)
def test_the_p_value_is_what_a_guesser_gets(right, trials, p):
    assert abx_p_value(right, trials) == pytest.approx(p, abs=1e-3)


def test_right_and_wrong_answers_are_counted_and_the_p_value_follows(test):
    for right in (True, True, False):
        answer(test, right)
    sound, result = map(text, pages(test))
    assert "Wrong: X was" in result and "2 of 3 right" in result
    assert "probability of 0.500" in result and "go on to the end" in result
    assert "Trial 4 of 4." in sound


def test_the_planned_trials_end_it_and_only_then_it_says_who_was_who(test):
    assert list(sounds(test.still.data)) == ["A", "B"] and "Let somebody else play A or B" in test.still.data
    for _ in range(4):
        assert "low one" not in "".join(pages(test)) + test.still.data
        x = answer(test)
    sound, result = map(text, pages(test))
    assert all(control(test, f"X is {letter}").disabled for letter in "AB")
    assert "All 4 trials are done. A was the low one, B was the high one." in sound
    assert f"Right: X was {x}" in result and "probability of 0.062" in result


def test_the_page_does_not_tell_what_x_is_and_both_letters_come_up(test):
    secrets, excerpts = set(), set()
    for _ in range(4):
        page, _ = pages(test)
        sources = re.findall('src="([^"]+)"', page)
        assert len(sources) == 3 == len(set(sources)) and len({len(source) for source in sources}) == 1
        assert re.findall('aria-label="([^"]+)"', page) == ["A", "B", "X"]
        excerpts.add(sources[0])
        secrets.add(answer(test))
    assert secrets == {"A", "B"} and len(excerpts) == 4


@pytest.mark.parametrize("factor", [1, 1e-4])
def test_excerpts_are_taken_where_both_can_be_heard_and_soft_ones_made_as_loud(factor):
    half = factor * LOW
    half[: len(half) // 2] = 0
    test = abx_test(half, HIGH, names=NAMES, trials=3)
    for _ in range(3):
        for each in sounds(pages(test)[0]).values():
            assert 10 * np.log10(np.mean(each**2)) == pytest.approx(-23, abs=0.2)
        answer(test)


@pytest.mark.parametrize(("a", "fault"), [(LOW[1:], "255,999 and 256,000 samples"), (0 * LOW, "never sound together")])
def test_what_cannot_be_compared_is_refused(a, fault):
    with pytest.raises(InputError, match=fault):
        abx_test(a, LOW, names=NAMES)
