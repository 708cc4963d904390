"""The checks of notebooks 02 and 05: the contrastive loss, what 1x1 convolutions in a row amount to, a warm-up."""

from collections.abc import Callable
from functools import partial

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from lass_lab.course.checks import Wrong, ask, number, self_check, tell_mistake
from lass_lab.experiments.contrastive import contrastive_loss
from lass_lab.experiments.training import Schedule

_TEMPERATURE = 0.1


@self_check
def check_contrastive_loss(loss) -> str:
    """Notebook 02: the symmetric cross-entropy of unit vectors, at a temperature."""
    for pairs in (3, 8, 25):
        words, sounds = _pairs(pairs)
        right = float(contrastive_loss(words, sounds, _TEMPERATURE))
        given = number(ask(loss, words, sounds, _TEMPERATURE), "a loss")
        if np.isclose(given, right, rtol=1e-3):
            continue
        tell_mistake(partial(_close, given), _losses_gone_wrong(words, sounds, right))
        raise Wrong(
            f"for {pairs} pairs it gives {given:.3f}, and {right:.3f} is right; guessing would be {np.log(pairs):.3f}."
        )
    return "for 3, 8 and 25 pairs it agrees with the package's."


def _losses_gone_wrong(words: Tensor, sounds: Tensor, right: float) -> dict[str, Callable[[], float]]:
    """What each mistake gives for these pairs."""
    scores, own = words @ sounds.T / _TEMPERATURE, torch.arange(len(words))
    towards, back = float(functional.cross_entropy(scores, own)), float(functional.cross_entropy(scores.T, own))
    loss = partial(contrastive_loss, words, sounds)
    return {
        "it lets the words choose among the sounds alone; the sounds choose among the words, too.": lambda: towards,
        "it lets the sounds choose among the words alone; the words choose among the sounds, too.": lambda: back,
        "it adds the two directions; the loss is their mean.": lambda: towards + back,
        "it leaves the temperature out: divide the likenesses by it.": lambda: float(loss(1.0)),
        "it multiplies by the temperature; divide by it.": lambda: float(loss(1 / _TEMPERATURE)),
        "its sign is wrong: a sure guess should cost little.": lambda: -right,
        "its logarithm has the base 10; take the natural one.": lambda: right / np.log(10),
        "it sums over the pairs; take the mean.": lambda: right * len(words),
    }


def _close(given: float, other: float) -> bool:
    return bool(np.isclose(given, other, rtol=1e-3))


def _pairs(pairs: int) -> tuple[Tensor, Tensor]:
    """Words and sounds `(pairs, 16)`, unit vectors of which those of one pair are alike."""
    generator = torch.Generator().manual_seed(pairs)
    words = torch.randn(pairs, 16, generator=generator)
    sounds = words + torch.randn(pairs, 16, generator=generator)
    return functional.normalize(words, dim=1), functional.normalize(sounds, dim=1)


@self_check
def check_one_matrix(one_matrix) -> str:
    """Notebook 05: the one matrix that a lift, a factor for each channel, and a lowering amount to."""
    rng = np.random.default_rng(5)
    for channels, width, outputs in ((4, 7, 2), (3, 32, 1), (8, 8, 3)):
        lift, factors, lower = (
            rng.normal(size=(width, channels)),
            rng.normal(size=width),
            rng.normal(size=(outputs, width)),
        )
        right = lower @ np.diag(factors) @ lift
        given = np.asarray(ask(one_matrix, lift, factors, lower))
        if given.shape == right.shape and np.allclose(given, right):
            continue
        if given.shape == right.T.shape and np.allclose(given, right.T):
            raise Wrong("it is the transpose: rows are outputs, columns are channels.")
        if given.shape != right.shape:
            raise Wrong(
                f"it gives a matrix of shape {given.shape}; from {channels} channels to {outputs} it is {right.shape}."
            )
        if np.allclose(given, lower @ lift):
            raise Wrong("it leaves the factors out.")
        if np.allclose(given, lower @ (lift + factors[:, None])):
            raise Wrong("it adds the factors; a depthwise convolution multiplies by them.")
        raise Wrong(
            "it gives other numbers than the three steps in a row: a convolution after another is a matrix product."
        )
    return "three layers, one matrix, at each of three sizes."


@self_check
def check_rate(rate) -> str:
    """Notebook 05: the factor on the learning rate at a step: warm-up, plateau, descent."""
    for steps, warmup, descent in ((100, 10, 0.5), (40, 5, 0.25)):
        schedule = Schedule(steps, 1.0, warmup, descent)
        given = [number(ask(rate, step, steps, warmup, descent), "a factor") for step in range(steps)]
        right = [schedule(step) for step in range(steps)]
        wrong = [step for step in range(steps) if not np.isclose(given[step], right[step], atol=1e-6)]
        if not wrong:
            continue
        first, told = wrong[0], f"of {steps} steps, at step {wrong[0]} it gives {given[wrong[0]]:.3f}"
        if max(given) > 1 + 1e-6:
            raise Wrong(f"{told}; it should never be above 1: take the smallest of the three.")
        if first == 0 and given[0] == 0:
            raise Wrong(f"{told}: a step at a rate of zero teaches nothing; count step 0 as the first of the warm-up.")
        part = "the warm-up" if first < warmup else "the plateau" if right[first] == 1 else "the descent"
        raise Wrong(f"{told}, in {part}, where {right[first]:.3f} is right.")
    return "it rises, holds and falls to nothing, at both lengths."
