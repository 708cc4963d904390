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


def decibels_and_spectra(estimate: Tensor, target: Tensor, mixture: Tensor) -> Tensor:
    """`decibels`, and beside it the mean absolute error of complex spectra at three resolutions, also in dB.

    Spectra weigh what is faint more than energies do (after Yamamoto et al., "Parallel WaveGAN", 2020, whose losses
    are of magnitudes; of complex spectra the phase counts, too).
    """
    total = decibels(estimate, target, mixture)
    for n_fft in (512, 1024, 2048):
        window = torch.hann_window(n_fft, device=estimate.device)
        error, size = (
            torch.stft(
                waveform.flatten(0, 1).float(),
                n_fft,
                n_fft // 4,
                window=window,
                pad_mode="constant",
                return_complex=True,
            )
            for waveform in (estimate - target, mixture)
        )
        # The root's slope at zero is infinite: a floor keeps it finite.
        error, size = ((each.abs().square() + QUIETEST).sqrt().flatten(1).mean(1) for each in (error, size))
        total = total + 20 / 3 * torch.log10(error / size + 10 ** (FLOOR_DB / 20)).mean()
    return total


LOSSES: dict[str, Loss] = {
    "l1": absolute,
    "relative-l1": relative,
    "decibels": decibels,
    "decibels-and-spectra": decibels_and_spectra,
}


def find_loss(name: str) -> Loss:
    """The loss function of that name; raises InputError where there is none."""
    if name not in LOSSES:
        raise InputError(f"loss '{name}': choose one of {', '.join(LOSSES)}")
    return LOSSES[name]
