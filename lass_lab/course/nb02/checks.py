"""The check of notebook 02: the contrastive loss."""

import torch
from torch import Tensor
from torch.nn import functional

from lass_lab.course.checks import Exercise
from lass_lab.experiments.contrastive import contrastive_loss


def _batch(pairs: int) -> tuple[Tensor, Tensor, float]:
    """Words and sounds `(pairs, 16)`, unit vectors of which those of one pair are alike, and a temperature."""
    words, noise = torch.randn(2, pairs, 16, generator=torch.Generator().manual_seed(pairs))
    return functional.normalize(words, dim=1), functional.normalize(words + noise, dim=1), 0.1


check_contrastive_loss = Exercise(
    reference=contrastive_loss,
    cases=lambda: [_batch(pairs) for pairs in (3, 8, 25)],
    mistakes={
        "it lets the words choose among the sounds alone; the sounds choose among the words, too.": (
            lambda words, sounds, t: functional.cross_entropy(words @ sounds.T / t, torch.arange(len(words)))
        ),
        "it adds the two directions; the loss is their mean.": lambda *batch: 2 * contrastive_loss(*batch),
        "it leaves the temperature out: divide the similarities by it.": lambda w, s, t: contrastive_loss(w, s, 1.0),
        "it multiplies by the temperature; divide by it.": lambda w, s, t: contrastive_loss(w, s, 1 / t),
        "its sign is wrong: a sure guess should cost little.": lambda *batch: -contrastive_loss(*batch),
    },
)
