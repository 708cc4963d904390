"""The checks of notebook 05: 1x1 convolutions in a row, the FiLM layer, and the loss in decibels."""

from functools import partial

import numpy as np
import torch

from lass_lab.course.checks import Exercise, normal
from lass_lab.experiments.losses import decibels

check_one_matrix = Exercise(
    reference=lambda lift, factors, lower: lower @ np.diag(factors) @ lift,
    cases=lambda: [normal((7, 4), (7,), (2, 7)), normal((32, 3), (32,), (1, 32)), normal((8, 8), (8,), (3, 8))],
    mistakes={
        "it leaves the factors out.": lambda lift, factors, lower: lower @ lift,
        "it adds the factors; multiply by them.": lambda lift, factors, lower: lower @ (lift + factors[:, None]),
        "rows are outputs, columns are channels.": lambda lift, factors, lower: (lower @ np.diag(factors) @ lift).T,
    },
)


def _film(features, condition, weight, bias):
    return features + (condition @ weight.T + bias)[:, :, None, None]


check_film = Exercise(
    reference=_film,
    # All of one size, so that what is added along the wrong axes goes through, and is told.
    cases=lambda: [
        tuple(torch.from_numpy(each).float() for each in normal((n, n, n, n), (n, n), (n, n), (n,))) for n in (3, 4)
    ],
    praise="each channel of each item is moved by its own number, at all times and frequencies alike.",
    mistakes={
        "it adds the shift along frames and bins; it belongs to items and channels: [:, :, None, None].": (
            lambda features, condition, weight, bias: features + (condition @ weight.T + bias)
        ),
        "it leaves the bias out.": lambda features, condition, weight, bias: _film(features, condition, weight, 0),
        "the weight is (channels, condition size): multiply the condition by its transpose.": (
            lambda features, condition, weight, bias: _film(features, condition, weight.T, bias)
        ),
        "it multiplies the features; AudioSep's FiLM only adds to them.": (
            lambda features, condition, weight, bias: features * (condition @ weight.T + bias)[:, :, None, None]
        ),
        "every item has a condition of its own; it takes the first one for all.": (
            lambda features, condition, weight, bias: _film(features, condition[:1], weight, bias)
        ),
    },
)


def _decibels(estimate, target, mixture, times=10, floor=1e-3, whole=lambda target, mixture: mixture):
    error, energy = (each.square().mean((1, 2)) for each in (estimate - target, whole(target, mixture)))
    return times * torch.log10(error / energy + floor).mean()


def _over_the_batch(estimate, target, mixture):
    return 10 * torch.log10((estimate - target).square().mean() / mixture.square().mean() + 1e-3)


def _batch() -> tuple[torch.Tensor, ...]:
    """Estimates, targets and mixtures: a loud item that goes badly, a quiet one, and one that is nearly right."""
    target, other, noise = (torch.from_numpy(each).float() for each in normal((3, 1, 400), (3, 1, 400), (3, 1, 400)))
    loud, wrong = torch.tensor([0.5, 0.01, 0.1]), torch.tensor([0.8, 0.2, 1e-4])
    target, other = (loud[:, None, None] * each for each in (target, 0.7 * other))
    return target + (loud * wrong)[:, None, None] * noise, target, target + other


check_decibels = Exercise(
    reference=decibels,
    cases=lambda: [_batch(), tuple(each[:2] for each in _batch())],
    praise="each item counts by its own decibels, however loud it is.",
    mistakes={
        "the mean over the batch comes last: the loudest item would decide alone.": _over_the_batch,
        "the floor is missing: an item that is nearly right earns without end.": partial(_decibels, floor=0.0),
        "it divides by the target's energy; divide by the mixture's.": partial(
            _decibels, whole=lambda target, mixture: target
        ),
        "energies take 10 times the logarithm; 20 is for magnitudes.": partial(_decibels, times=20),
        "it rises as the estimate gets better; a loss has to fall.": partial(_decibels, times=-10),
    },
)
