"""What stays in float32 under autocast, because it is small and its rounding is heard.

Of what bfloat16 costs AudioSep's network in agreement, most comes from where the signal enters and leaves: the input
convolution, the shortcut of the outermost decoder block, the output layer. They are 1x1 convolutions and few of the
operations; a rounded kernel errs the same way at every frame and bin.
"""

import torch
from torch import Tensor, nn


def in_float32(like: Tensor) -> torch.autocast:
    """A context in which nothing on the device of `like` is cast down."""
    return torch.autocast(like.device.type, enabled=False)


class ExactConv2d(nn.Conv2d):
    """A convolution in float32 under autocast, too. Its result is rounded once, to what autocast works in."""

    def forward(self, features: Tensor) -> Tensor:
        kind = features.device.type
        lowered = torch.get_autocast_dtype(kind) if torch.is_autocast_enabled(kind) else features.dtype
        with in_float32(features):
            return super().forward(features.float()).to(lowered)
