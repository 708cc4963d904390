"""Loss functions of training: the size of the error, as it is, as a share of the mixture's, or in decibels.

Waveforms are `(batch, 1, samples)`; each loss is a mean over the batch.
"""

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional

from lass_lab.signal.files import InputError

FLOOR_DB = -30.0  # an error further below the mixture than this earns little more
QUIETEST = 1e-10  # energy, under a division

Loss = Callable[[Tensor, Tensor, Tensor], Tensor]


def absolute(estimate: Tensor, target: Tensor, mixture: Tensor) -> Tensor:
    """Mean absolute error of the waveform: AudioSep's loss, and the paper's."""
    return functional.l1_loss(estimate, target)


def relative(estimate: Tensor, target: Tensor, mixture: Tensor) -> Tensor:
    """The same as a share of the mixture's mean magnitude, so that a quiet mixture counts as much as a loud one."""
    error, size = (waveform.abs().flatten(1).mean(1) for waveform in (estimate - target, mixture))
    return (error / size.clamp_min(1e-4)).mean()


def decibels(estimate: Tensor, target: Tensor, mixture: Tensor) -> Tensor:
    """Energy of the error against the mixture's, in dB: what SDR is made of, so each item counts by its own SDR.

    With a floor under it (after Wisdom et al., "What's all the FUSS about free universal sound separation data?",
    2021): without one, silence earns without limit where the query names an absent instrument.
    """
    error, energy = (
        waveform.float().square().flatten(1).mean(1) + QUIETEST for waveform in (estimate - target, mixture)
    )
    return (10 * torch.log10(error / energy + 10 ** (FLOOR_DB / 10))).mean()


LOSSES: dict[str, Loss] = {"l1": absolute, "relative-l1": relative, "decibels": decibels}


def find_loss(name: str) -> Loss:
    """The loss function of that name; raises InputError where there is none."""
    if name not in LOSSES:
        raise InputError(f"loss '{name}': choose one of {', '.join(LOSSES)}")
    return LOSSES[name]
