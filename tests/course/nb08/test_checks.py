"""The checks of notebook 08 say right to what is right, and name the typical mistake."""

import numpy as np
import torch

from lass_lab.course.nb08.checks import check_between, check_unbeaten
from tests.checking import NothingRaises, RightAndWrong


def right_between(before, after, share):
    return {name: (1 - share) * before[name] + share * after[name] for name in before}


def in_place(before, after, share):
    return {name: value.lerp_(after[name], share) for name, value in before.items()}


def right_unbeaten(gained, kept):
    return [
        not any((g >= mine) & (k >= own) & ((g > mine) | (k > own)) for g, k in zip(gained, kept, strict=True))
        for mine, own in zip(gained, kept, strict=True)
    ]


def better_at_both(gained, kept):
    return [not np.any((gained > g) & (kept > k)) for g, k in zip(gained, kept, strict=True)]


def alike_beat_each_other(gained, kept):
    return [np.sum((gained >= g) & (kept >= k)) == 1 for g, k in zip(gained, kept, strict=True)]


RIGHT = [(check_between, right_between), (check_unbeaten, right_unbeaten)]
WRONG = [
    (check_between, lambda b, a, share: right_between(a, b, share), "exchanged"),
    (check_between, lambda b, a, share: right_between(b, a, 0.5), "the middle, whatever"),
    (check_between, lambda b, a, share: {name: b[name] + share * a[name] for name in b}, "what one network gains"),
    (check_between, lambda b, a, share: {name: share * a[name] for name in b}, "the rest comes from"),
    (check_between, lambda b, a, share: {name: torch.lerp(b[name], a[name], share**2) for name in b}, "straight line"),
    (check_between, lambda b, a, share: {"head.bias": b["head.bias"]}, "1 tensors for 3"),
    (check_between, in_place, "make new tensors"),
    (check_between, lambda b, a, share: list(b.values()), "a dictionary of tensors"),
    (check_unbeaten, lambda gained, kept: gained == gained.max(), "one of the two alone"),
    (check_unbeaten, lambda gained, kept: kept == kept.max(), "one of the two alone"),
    (check_unbeaten, lambda gained, kept: [not value for value in right_unbeaten(gained, kept)], "mark the others"),
    (check_unbeaten, better_at_both, "as good at one"),
    (check_unbeaten, alike_beat_each_other, "two that are alike"),
    (check_unbeaten, lambda gained, kept: np.arange(len(gained)) == 3, "is beaten by"),
    (check_unbeaten, lambda gained, kept: [True], "truth values, one for each separator"),
]


class TestRightAndWrong(RightAndWrong):
    RIGHT, WRONG = RIGHT, WRONG


class TestNothingRaises(NothingRaises):
    CHECKS = (check_between, check_unbeaten)
