"""Output layers: decoder features to the mask that turns a mixture's spectrogram into an estimate's.

Features are `(batch, channels, frames, bins)`, mask logits `(batch, mask channels, frames, bins)`, masks complex
`(batch, frames, bins)` and at most 1 in size. `HEADS` names them all.
"""

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional

from lass_lab.models.layers import SLOPE

UNIT_FLOOR = 1e-10  # on the squared length of the rotation, as in AudioSep
WIDTH = 512  # channels in the middle of the paper's head


class Head(nn.Module):
    """An output layer: called, it makes mask logits of features; `mask` then makes a mask of those."""

    def mask(self, logits: Tensor) -> Tensor:
        """Mask logits -> complex mask: one channel scales the magnitude; three, AudioSep's, also turn the phase."""
        scale = torch.sigmoid(logits[:, 0])
        if logits.shape[1] == 1:
            return torch.complex(scale, torch.zeros_like(scale))
        across, up = torch.tanh(logits[:, 1]), torch.tanh(logits[:, 2])
        length = (across.square() + up.square()).clamp_min(UNIT_FLOOR).sqrt()
        return torch.complex(scale * across / length, scale * up / length)


class AudioSepHead(Head):
    """AudioSep's output layer: one 1x1 convolution to three mask channels.

    Channel 0 scales the mixture's magnitude (sigmoid); channels 1 and 2 (tanh) point in the direction by which
    its phase is turned (Kong et al., "Decoupling magnitude and phase estimation with deep ResUNet", 2021, eq. 8). With
    one output it is of LASS-Net's kind, which leaves the mixture's phase.
    """

    def __init__(self, channels: int, outputs: int = 3) -> None:
        super().__init__()
        self.conv = nn.Conv2d(channels, outputs, kernel_size=1)

    def forward(self, features: Tensor) -> Tensor:
        """Features -> three channels of mask logits, or one."""
        return self.conv(features)


class SeparableHead(Head):
    """The depthwise separable layer of the paper that this course follows: wide, and no more able than a narrow one.

    A lift to 512 channels, a depthwise 1x1 convolution (one factor a channel) and a pointwise one. There is no
    nonlinearity between the three, so together they are one linear map of `channels` numbers. It is computed as that:
    the kernels are multiplied first, and 512 channels are never laid out over frames and bins. Values and gradients
    are those of the three in a row.

    Args:
        channels: of the features.
        outputs: 1 for a mask on the magnitude alone, as the paper writes it; 3 for AudioSep's, which turns the phase.
    """

    def __init__(self, channels: int, outputs: int = 1) -> None:
        super().__init__()
        self.lift = nn.Conv2d(channels, WIDTH, kernel_size=1)
        self.depthwise = nn.Conv2d(WIDTH, WIDTH, kernel_size=1, groups=WIDTH)
        self.pointwise = nn.Conv2d(WIDTH, outputs, kernel_size=1)

    def kernel(self) -> tuple[Tensor, Tensor]:
        """Weight `(outputs, channels)` and bias `(outputs,)` of the one convolution that the three amount to."""
        lift, depthwise, pointwise = (part.weight.flatten(1) for part in (self.lift, self.depthwise, self.pointwise))
        weight = pointwise @ (depthwise * lift)
        inner = depthwise[:, 0] * self.lift.bias + self.depthwise.bias
        return weight, pointwise @ inner + self.pointwise.bias

    def forward(self, features: Tensor) -> Tensor:
        """Features -> one or three channels of mask logits."""
        with torch.autocast(features.device.type, enabled=False):  # a product of rounded kernels would round twice
            weight, bias = self.kernel()
        return functional.conv2d(features, weight[:, :, None, None].to(features.dtype), bias.to(features.dtype))


class PreservingHead(AudioSepHead):
    """AudioSep's layer and, beside it, a small nonlinear one that starts at zero.

    It begins as exactly the function of the layer whose convolution it takes over, loses nothing of it, and can still
    become what a linear layer cannot (zero-initialised branches: Zhang et al., "Fixup initialization", 2019).
    """

    def __init__(self, channels: int) -> None:
        super().__init__(channels)
        self.lift = nn.Conv2d(channels, 2 * channels, kernel_size=1)
        self.lower = nn.Conv2d(2 * channels, 3, kernel_size=1)

    def take_over(self, head: nn.Module) -> None:
        """Begin as the function of `head`, AudioSep's or one of this kind."""
        if isinstance(head, PreservingHead):
            self.load_state_dict(head.state_dict())
            return
        self.conv.load_state_dict(head.conv.state_dict())
        nn.init.zeros_(self.lower.weight)
        nn.init.zeros_(self.lower.bias)

    def forward(self, features: Tensor) -> Tensor:
        """Features -> three channels of mask logits."""
        return self.conv(features) + self.lower(functional.leaky_relu(self.lift(features), SLOPE))


HEADS: dict[str, Callable[[int], Head]] = {
    "audiosep": AudioSepHead,
    "magnitude": lambda channels: AudioSepHead(channels, outputs=1),
    "paper": SeparableHead,
    "paper-complex": lambda channels: SeparableHead(channels, outputs=3),
    "preserving": PreservingHead,
}
