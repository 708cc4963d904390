"""A check says right to what is right, names the typical mistake, and raises for nothing a student may write."""

import math

import numpy as np
import pytest
import torch

from lass_lab.course.checks import Wrong, ask, number, self_check, waveform
from lass_lab.course.nb01 import checks as signal_checks
from lass_lab.course.nb01.checks import check_gain, check_swap, check_window, valley_db
from lass_lab.signal import (
    ideal_ratio_mask,
    istft,
    oracle_estimate,
    sdr,
    sdr_improvement,
    si_sdr,
    stft,
)
from tests.checking import NothingRaises

CHECKS = (check_window, check_swap, check_gain)
each_check = pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)


def raising(error):
    def stub(*_):
        raise error

    return stub


# The framework --------------------------------------------------------------------------------------


class TestNothingRaises(NothingRaises):
    CHECKS = CHECKS


@each_check
def test_an_exercise_left_for_later_is_not_solved_yet(check):
    assert check(raising(NotImplementedError)).sentence.startswith("Not solved yet: ")


@each_check
def test_a_function_that_stops_is_quoted_on_one_line(check):
    verdict = check(raising(ValueError("bad\nluck")))
    assert verdict.sentence.endswith("stops with ValueError: bad luck") and not verdict
    assert "TypeError" in check(lambda: 3).sentence


@each_check
def test_a_value_in_place_of_the_function_is_told(check):
    assert "takes the function itself" in check(3).sentence


def test_a_check_of_a_value_praises_once_and_shows_nothing_more(capsys):
    @self_check
    def check_seven(answer) -> str:
        if number(answer, "seven") != 7:
            raise Wrong("it is another number.")
        return "seven."

    verdict = check_seven(torch.tensor(7))
    assert verdict and verdict.right
    verdict._ipython_display_()
    assert capsys.readouterr().out == "Right: seven.\n"
    assert check_seven(8).sentence == "Not yet: it is another number."


def test_a_student_cannot_spoil_the_data():
    sound = np.ones(3)

    def spoil(values):
        values[:] = 0
        return 1

    ask(spoil, sound)
    assert sound.all()


def test_tensors_and_lists_are_waveforms_too():
    assert waveform(torch.ones(3), 3).dtype == np.float64
    assert waveform([1, 2, 3], 3).tolist() == [1, 2, 3]
    with pytest.raises(Wrong, match=r"gives 3 samples for 4"):
        waveform(np.ones(3), 4)


# Notebook 01: the window ----------------------------------------------------------------------------


def window_for(apart, bins=2.0):
    return 2 ** math.ceil(math.log2(bins * 32_000 / apart))


def test_the_right_windows_part_real_tones_and_half_of_them_do_not():
    assert check_window(window_for)
    assert check_window(lambda apart: np.int64(window_for(apart)))
    for apart in (9.0, 26.2, 37.0, 140.0, 300.0):
        assert valley_db(apart, window_for(apart)) > 2.9
        assert valley_db(apart, window_for(apart) // 2) < 2.9


@pytest.mark.parametrize(
    ("answer", "fault"),
    [
        (lambda apart: window_for(apart) / 32_000, "in seconds?"),
        (lambda apart: window_for(apart) // 4, "would do as a hop"),
        (lambda apart: window_for(apart) // 2, "they look like one"),
        (lambda apart: window_for(apart) * 2, "a shorter one does so too"),
        (lambda apart: 2 * 32_000 / apart, "go on to the next higher one"),
        (lambda apart: 2 ** math.floor(math.log2(2 * 32_000 / apart)), "they look like one"),
        (lambda apart: apart * 2, "no power of two"),
        (lambda apart: 2048, "for every distance"),
    ],
)
def test_a_wrong_window_is_told_why(answer, fault):
    verdict = check_window(answer)
    assert not verdict and fault in verdict.sentence


# Notebook 01: magnitude and phase -------------------------------------------------------------------


def swapped(first, second, power=1, turn=lambda angle: np.exp(1j * angle), hop=320):
    return istft(np.abs(stft(first)) ** power * turn(np.angle(stft(second))), len(first), hop)


def test_a_swap_is_right_in_any_form():
    assert check_swap(swapped)
    assert check_swap(lambda a, b: swapped(a, b).tolist())

    def by_division(first, second):
        other = stft(second)
        return istft(np.abs(stft(first)) * other / np.maximum(np.abs(other), 1e-12), len(first))

    assert check_swap(by_division)


@pytest.mark.parametrize(
    ("answer", "fault"),
    [
        (lambda a, b: swapped(b, a), "the other way round"),
        (lambda a, b: a, "gives the first sound back"),
        (lambda a, b: istft(stft(b), len(b)), "gives the second sound back"),
        (lambda a, b: swapped(a, b, power=2), "that is power"),
        (lambda a, b: istft(np.abs(stft(a)) + 0j, len(a)), "phase is missing"),
        (lambda a, b: swapped(a, b, turn=lambda angle: np.exp(-1j * angle)), "turned backwards"),
        (lambda a, b: swapped(a, b, turn=lambda angle: angle + 0j), "into an exponential"),
        (lambda a, b: istft(np.abs(stft(a)) * stft(b), len(a)), "keeps its own magnitudes"),
        (lambda a, b: swapped(a, b, hop=640), "different hops"),
        (lambda a, b: swapped(a, b, hop=160), "InputError"),
        (lambda a, b: stft(a), "istft makes a waveform"),
        (lambda a, b: swapped(a, b)[:-1], "63,999 samples for 64,000"),
        (lambda a, b: a + b, "dB against the right waveform"),
    ],
)
def test_a_wrong_swap_is_told_why(answer, fault):
    verdict = check_swap(answer)
    assert not verdict and fault in verdict.sentence, verdict.sentence


# Notebook 01: what a binary mask brings -------------------------------------------------------------


def masked(mixture, target, mask=lambda Y, S: np.abs(S) > np.abs(Y - S)):
    spectrum = stft(mixture)
    return istft(mask(spectrum, stft(target)) * spectrum, len(mixture))


def gain(mixture, target, *mask):
    return sdr_improvement(target, masked(mixture, target, *mask), mixture)


def test_the_gain_of_a_binary_mask_is_right_in_any_form():
    assert check_gain(gain)
    assert check_gain(lambda m, t: gain(m, t, lambda Y, S: np.abs(S) ** 2 >= np.abs(Y - S) ** 2))
    assert check_gain(lambda m, t: torch.tensor(gain(m, t)))


@pytest.mark.parametrize(
    ("answer", "fault"),
    [
        (lambda m, t: sdr(t, masked(m, t)), "this is the SDR, not its improvement"),
        (lambda m, t: si_sdr(t, masked(m, t)), "this is SI-SDR"),
        (lambda m, t: sdr(t, m), "mixture's own SDR"),
        (lambda m, t: sdr_improvement(t, m, m), "0 dB everywhere"),
        (lambda m, t: sdr_improvement(masked(m, t), t, m), "changed places"),
        (lambda m, t: gain(m, t, lambda Y, S: np.abs(S) <= np.abs(Y - S)), "keeps the other source"),
        (lambda m, t: gain(m, t, lambda Y, S: np.abs(S) > np.abs(Y)), "compares the target with the mixture"),
        (lambda m, t: gain(m, t, lambda Y, S: S.real > (Y - S).real), "compares real parts"),
        (lambda m, t: gain(m, t, lambda Y, S: ideal_ratio_mask(S, Y - S)), "ideal ratio mask"),
        (lambda m, t: gain(m, t, lambda Y, S: ideal_ratio_mask(S, Y - S, exponent=1.0)), "shares of power"),
        (lambda m, t: sdr_improvement(t, oracle_estimate(m, t, "psm"), m), "phase-sensitive one"),
        (
            lambda m, t: gain(m, t, lambda Y, S: (np.abs(S) > np.abs(Y - S)) * np.exp(-1j * np.angle(Y))),
            "phase has got lost",
        ),
        (lambda m, t: masked(m, t), "one number"),
        (lambda m, t: 10 ** (gain(m, t) / 10), "that you have not heard it gives"),
    ],
)
def test_a_wrong_gain_is_told_why(answer, fault):
    verdict = check_gain(answer)
    assert not verdict and fault in verdict.sentence, verdict.sentence


def test_what_the_checks_use_is_not_in_the_notebook():
    assert len(signal_checks._unseen()) == 3
    for first, second in signal_checks._unseen():
        assert len(first) == len(second) == 64_000
        assert min(np.mean(first**2), np.mean(second**2)) > 1e-5, "a source rests"
