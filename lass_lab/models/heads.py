"""Output layers: decoder features to the mask that turns a mixture's spectrogram into an estimate's."""

import torch
from torch import Tensor, nn

UNIT_FLOOR = 1e-10  # on the squared length of the rotation, as in AudioSep


class AudioSepHead(nn.Module):
    """AudioSep's output layer: one 1x1 convolution to three mask channels.

    Channel 0 scales the mixture's magnitude (sigmoid); channels 1 and 2 (tanh) point in the direction by which
    its phase is turned (Kong et al., "Decoupling magnitude and phase estimation with deep ResUNet", 2021, eq. 8).
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(channels, 3, kernel_size=1)

    def forward(self, features: Tensor) -> Tensor:
        """Features `(batch, channels, frames, bins)` -> mask logits `(batch, 3, frames, bins)`."""
        return self.conv(features)

    def mask(self, logits: Tensor) -> Tensor:
        """Mask logits `(batch, 3, frames, bins)` -> complex mask `(batch, frames, bins)`, at most 1 in size."""
        scale = torch.sigmoid(logits[:, 0])
        across, up = torch.tanh(logits[:, 1]), torch.tanh(logits[:, 2])
        length = (across.square() + up.square()).clamp_min(UNIT_FLOOR).sqrt()
        return torch.complex(scale * across / length, scale * up / length)
