"""The audio tower of a CLAP in miniature: a sound in, a condition out, in the space the words' projection shares."""

import torch
from torch import Tensor, nn
from torch.nn import functional

from lass_lab.signal.spectral import mel_spectrogram

FLOOR = 1e-10  # on the mel power, under the log


class AudioTower(nn.Module):
    """Log-mel spectrogram, four pooled 3x3 convolutions, the mean over time, and one linear layer.

    CLAP's audio tower (HTSAT-base; Wu et al., 2023) has 28 M parameters, this one half a million. How loud a clip is
    does not matter: its log-mel spectrogram is taken relative to its own mean.

    Args:
        channels: of the four convolutions.
        size: of the condition.
    """

    mels, n_fft, hop = 64, 2048, 640

    def __init__(self, channels: tuple[int, ...] = (32, 64, 128, 128), size: int = 512) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for before, after in zip((1, *channels[:-1]), channels, strict=True):
            layers += [nn.Conv2d(before, after, 3, padding=1, bias=False), nn.BatchNorm2d(after), nn.ReLU()]
            layers += [nn.AvgPool2d(2, ceil_mode=True)]
        self.features = nn.Sequential(*layers)
        self.projection = nn.Linear(channels[-1] * (self.mels >> len(channels)), size)
        self.to(memory_format=torch.channels_last)

    def forward(self, waveforms: Tensor) -> Tensor:
        """Waveforms `(batch, samples)`, 32 kHz -> conditions `(batch, 512)`, each row of length one."""
        power = mel_spectrogram(waveforms.float(), self.mels, self.n_fft, self.hop)
        level = (power + FLOOR).log()
        level = level - level.mean((1, 2), keepdim=True)
        features = self.features(level[:, None].contiguous(memory_format=torch.channels_last))
        pooled = features.mean(2).flatten(1)  # over time; what is left of frequency stays apart
        return functional.normalize(self.projection(pooled), dim=-1)
