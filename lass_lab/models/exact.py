"""What stays in float32 under autocast, because it is small and its rounding is heard.

Of what bfloat16 costs AudioSep's network in agreement, most comes from where the signal enters and leaves: the input
convolution, the shortcut of the outermost decoder block, the output layer. They are 1x1 convolutions and few of the
operations; a rounded kernel errs the same way at every frame and bin.
"""

from contextlib import AbstractContextManager, nullcontext

import torch
from torch import Tensor, nn


def in_float32(like: Tensor) -> AbstractContextManager:
    """A context in which nothing on the device of `like` is cast down."""
    kind = like.device.type
    return torch.autocast(kind, enabled=False) if torch.amp.is_autocast_available(kind) else nullcontext()


class ExactConv2d(nn.Conv2d):
    """A convolution in float32 under autocast, too. Its result is rounded once, to what autocast works in."""

    def forward(self, features: Tensor) -> Tensor:
        kind, lowered = features.device.type, features.dtype
        if torch.amp.is_autocast_available(kind) and torch.is_autocast_enabled(kind):
            lowered = torch.get_autocast_dtype(kind)
        with in_float32(features):
            return super().forward(features.float()).to(lowered)
