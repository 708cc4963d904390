"""The checks of notebook 03 say right to what is right, and name the typical mistake."""

import numpy as np

from lass_lab.course.nb03.checks import check_beats_silence, check_mask
from tests.checking import NothingRaises, RightAndWrong


def share_of(size):
    return 1 / (1 + np.exp(-size))


def direction_of(across, up):
    return np.tanh(across) + 1j * np.tanh(up)


def right_mask(size, across, up):
    direction = direction_of(across, up)
    return share_of(size) * direction / np.abs(direction)


def unsqueezed_direction(size, across, up):
    return share_of(size) * np.exp(1j * np.angle(across + 1j * up))


def right_beats(gained, before):
    return before + gained > 0


def all_but_the_first(gained, before):
    return right_beats(gained, before) ^ (np.arange(len(gained)) == 0)


RIGHT = [
    (check_mask, right_mask),
    (check_mask, lambda s, a, u: share_of(s) * np.exp(1j * np.arctan2(np.tanh(u), np.tanh(a)))),
    (check_beats_silence, right_beats),
    (check_beats_silence, lambda gained, before: [bool(g > -b) for g, b in zip(gained, before, strict=True)]),
]
WRONG = [
    (check_mask, lambda s, a, u: share_of(s) * direction_of(a, u), "divide it by its own length"),
    (check_mask, lambda s, a, u: share_of(s), "leaves the mixture's phase"),
    (check_mask, lambda s, a, u: right_mask(s, a, u) / share_of(s), "the direction alone"),
    (check_mask, lambda s, a, u: s * right_mask(s, a, u) / share_of(s), "through a sigmoid"),
    (check_mask, unsqueezed_direction, "go through tanh"),
    (check_mask, lambda s, a, u: right_mask(s, u, a), "they are exchanged"),
    (check_mask, lambda s, a, u: right_mask(s, a, u).conj(), "turns the wrong way"),
    (check_mask, lambda s, a, u: 0.5 * right_mask(s, a, u), "away from the network's own"),
    (check_mask, lambda s, a, u: right_mask(s, a, u)[:2], "of the shape of a channel"),
    (check_mask, lambda s, a, u: np.full_like(right_mask(s, a, u), np.nan), "divided by zero"),
    (check_beats_silence, lambda gained, before: gained > 0, "what does silence get?"),
    (check_beats_silence, lambda gained, before: before + gained <= 0, "mark the others"),
    (check_beats_silence, lambda gained, before: gained > before, "minus the mixture's SDR"),
    (check_beats_silence, lambda gained, before: before > 0, "the mixture alone"),
    (check_beats_silence, all_but_the_first, "that of silence is 0"),
    (check_beats_silence, lambda gained, before: [True], "one for each estimate"),
]


class TestRightAndWrong(RightAndWrong):
    RIGHT, WRONG = RIGHT, WRONG


class TestNothingRaises(NothingRaises):
    CHECKS = (check_mask, check_beats_silence)
