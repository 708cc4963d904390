"""The check of notebook 02: the contrastive loss."""

from collections.abc import Callable
from functools import partial

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from lass_lab.course.checks import Wrong, ask, number, self_check, tell_mistake
from lass_lab.experiments.contrastive import contrastive_loss

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
