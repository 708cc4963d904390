"""The checks of notebook 04 say right to what is right, and name the typical mistake."""

import numpy as np
import pytest
import torch

from lass_lab.course.nb04 import checks as dataset_checks
from lass_lab.course.nb04.checks import check_heard_at, check_mix, check_split
from lass_lab.signal import sdr
from tests.checking import NothingRaises


class TestNothingRaises(NothingRaises):
    CHECKS = (check_heard_at, check_split, check_mix)


# Where a tone is heard ------------------------------------------------------------------------------


def folded(hertz, rate):
    return abs(hertz - rate * round(hertz / rate))


def test_where_a_tone_is_heard_is_right_in_any_form():
    assert check_heard_at(folded)
    assert check_heard_at(lambda hertz, rate: min(hertz % rate, -hertz % rate))
    assert check_heard_at(lambda hertz, rate: np.float32(folded(hertz, rate)))


@pytest.mark.parametrize(
    ("answer", "fault"),
    [
        (lambda f, r: f, "its own frequency"),
        (lambda f, r: min(f, r / 2), "they turn round there"),
        (lambda f, r: f if f < r / 2 else 0, "that is what a filter does"),
        (lambda f, r: r - f, "it mirrors low tones, too"),
        (lambda f, r: f % r, "which may still lie above half the rate"),
        (lambda f, r: f % (r / 2), "repeat after the whole rate"),
        (lambda f, r: f if f <= r / 2 else r - f, "take the absolute value"),
        (lambda f, r: f if f <= r / 2 else abs(r - f), "have turned round again"),
        (lambda f, r: folded(f, r) / 1000, "measured, the tone is at"),
    ],
)
def test_a_wrong_frequency_is_told_why(answer, fault):
    verdict = check_heard_at(answer)
    assert not verdict and fault in verdict.sentence, verdict.sentence


# The split ------------------------------------------------------------------------------------------


def by_piece(pieces, share):
    owners, tested = np.asarray(pieces), np.zeros(len(pieces), dtype=bool)
    for piece in np.random.default_rng(0).permutation(np.unique(owners)):
        if tested.mean() >= share:
            break
        tested |= owners == piece
    return tested


def by_slice(pieces, share):
    return np.random.default_rng(0).random(len(pieces)) < share


def first_slices(pieces, share):
    return np.arange(len(pieces)) < share * len(pieces)


def of_the_pieces(pieces, share):
    """A share of the pieces, the short ones first, however many slices they hold."""
    names, sizes = np.unique(pieces, return_counts=True)
    chosen = names[np.argsort(sizes)][: max(1, round(share * len(names)))]
    return np.isin(pieces, chosen)


def test_a_split_by_piece_is_right_whatever_the_order():
    assert check_split(by_piece)
    assert check_split(lambda pieces, share: by_piece(pieces, share).tolist())
    for seed in range(20):

        def shuffled(pieces, share, seed=seed):
            order = np.random.default_rng(seed).permutation(np.unique(pieces))
            number = next(n for n in range(1, len(order)) if np.isin(pieces, order[:n]).mean() >= share)
            return np.isin(pieces, order[:number])

        assert check_split(shuffled)


@pytest.mark.parametrize(
    ("answer", "fault"),
    [
        (by_slice, "tested slices are of pieces that also train"),
        (first_slices, "tested slices are of pieces that also train"),
        (lambda pieces, share: ~by_piece(pieces, share), "is it the other way round?"),
        (of_the_pieces, "pieces differ in length: count slices"),
        (lambda pieces, share: np.asarray(pieces) != pieces[0], "stop as soon as the share is reached"),
        (lambda pieces, share: [True] * len(pieces), "puts all on one side"),
        (
            lambda pieces, share: np.flatnonzero(by_piece(pieces, share)),
            "one for each slice, and gives an array of shape",
        ),
        (lambda pieces, share: by_piece(pieces, share).astype(int), "True for the slices to test on"),
    ],
)
def test_a_wrong_split_is_told_why(answer, fault):
    verdict = check_split(answer)
    assert not verdict and fault in verdict.sentence, verdict.sentence


# The mixture ----------------------------------------------------------------------------------------


def mixed(target, other, sdr_db, root=np.sqrt, level=lambda db: 10 ** (-db / 20)):
    return target + root(np.sum(target**2) / np.sum(other**2)) * level(sdr_db) * other


def test_a_mixture_at_a_level_is_right_in_any_form():
    assert check_mix(mixed)
    assert check_mix(lambda t, o, db: mixed(t, -o, db).tolist())
    assert check_mix(lambda t, o, db: torch.from_numpy(mixed(t, o, db)))


@pytest.mark.parametrize(
    ("answer", "fault"),
    [
        (lambda t, o, db: mixed(t, o, -db), "the other way round"),
        (lambda t, o, db: mixed(t, o, db, level=lambda db: 10 ** (-db / 10)), "decibels count twice"),
        (lambda t, o, db: mixed(t, o, db, level=lambda db: 10 ** (-db / 40)), "decibels count half"),
        (lambda t, o, db: t + o, "plain sum"),
        (lambda t, o, db: mixed(t, o, 0), "whatever SDR is asked for"),
        (lambda t, o, db: t + 10 ** (-db / 20) * o, "bring both to one energy first"),
        (lambda t, o, db: mixed(t, o, db, root=lambda ratio: ratio**-0.5), "the wrong way round"),
        (lambda t, o, db: mixed(t, o, db, root=lambda ratio: ratio), "needs a square root"),
        (
            lambda t, o, db: t + np.abs(t).max() / np.abs(o).max() * 10 ** (-db / 20) * o,
            "it matches peaks",
        ),
        (lambda t, o, db: 10 ** (db / 20) * t + o, "leave the target alone"),
        (lambda t, o, db: 0.5 * mixed(t, o, db), "0.50 times as loud"),
        (lambda t, o, db: mixed(o, t, -db), "leave the target alone"),
        (lambda t, o, db: t, "the other source is not in it"),
        (lambda t, o, db: o, "the target is not in it"),
        (lambda t, o, db: np.clip(mixed(t, o, db), -0.02, 0.02), "more than the two sources"),
        (lambda t, o, db: mixed(t, o, db)[:-1], "and gives 63,999"),
        (lambda t, o, db: np.stack([t, o]), "should give one waveform"),
        (lambda t, o, db: mixed(t, o, db + 1), "asked for 6 dB"),
    ],
)
def test_a_wrong_mixture_is_told_why(answer, fault):
    verdict = check_mix(answer)
    assert not verdict and fault in verdict.sentence, verdict.sentence


def test_what_the_check_mixes_sounds():
    for target, other in dataset_checks._unseen():
        assert len(target) == len(other) == 64_000
        assert min(np.mean(target**2), np.mean(other**2)) > 1e-5, "a source rests"
        assert abs(sdr(target, target + other)) > 0.5, "the levels happen to be the same"
