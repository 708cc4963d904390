"""Layers of the separation network: batch norms conditioned on the query through FiLM, and convolutions kept exact.

With running statistics and one condition for all of a batch, norm and shift are one factor and one offset a channel.
Before a convolution they are a batch norm whose bias holds the shift; after one they are part of its kernel and bias.
Either way the leaky ReLU is the only pass over the features left beside, and works in place. On a CPU, separating in
bfloat16 takes three quarters of the time so.
"""

from contextlib import AbstractContextManager, nullcontext

import torch
from torch import Tensor, nn
from torch.nn import functional

MOMENTUM = 0.01  # of every batch norm's running statistics
SLOPE = 0.01  # of the leaky ReLU below zero


class ConditionedNorm(nn.Module):
    """Batch norm, plus a shift read off the condition, then leaky ReLU.

    FiLM (Perez et al., 2018) in its additive form: one linear layer gives the shift beta for each channel, the
    same over time and frequency. Features `(batch, channels, frames, bins)`, condition `(batch, condition_size)`, or
    `(1, condition_size)` for all of the batch.
    """

    folds = True  # norm and shift into one factor and offset, where they are that

    def __init__(self, channels: int, condition_size: int) -> None:
        super().__init__()
        self.norm = nn.BatchNorm2d(channels, momentum=MOMENTUM)
        self.film = nn.Linear(condition_size, channels)

    def forward(self, features: Tensor, condition: Tensor) -> Tensor:
        if self.is_affine(condition):
            norm, bias = self.norm, self.norm.bias + self.shift(condition)
            features = functional.batch_norm(
                features, norm.running_mean, norm.running_var, norm.weight, bias, eps=norm.eps
            )
            return functional.leaky_relu_(features, SLOPE)
        beta = self.film(condition)[:, :, None, None]
        return functional.leaky_relu(self.norm(features) + beta, SLOPE)

    def after(self, conv: nn.Conv2d, features: Tensor, condition: Tensor) -> Tensor:
        """What `forward` makes of `conv(features)`, for a `conv` without bias."""
        if not self.is_affine(condition):
            return self(conv(features), condition)
        scale, offset = self.affine(condition)
        features = functional.conv2d(features, conv.weight * scale[:, None, None, None], offset, padding=conv.padding)
        return functional.leaky_relu_(features, SLOPE)

    def is_affine(self, condition: Tensor) -> bool:
        """Whether norm and shift are one factor and one offset a channel, whatever the features."""
        return self.folds and len(condition) == 1 and not self.norm.training

    def affine(self, condition: Tensor) -> tuple[Tensor, Tensor]:
        """Factor and offset, `(channels,)` each, of a norm and a shift that are one (see `is_affine`)."""
        scale = self.norm.weight * (self.norm.running_var + self.norm.eps).rsqrt()
        return scale, self.norm.bias - self.norm.running_mean * scale + self.shift(condition)

    def shift(self, condition: Tensor) -> Tensor:
        """The one condition's beta, `(channels,)`, in float32."""
        with in_float32(condition):
            return self.film(condition.float())[0]


class FrequencyLayers(nn.Module):
    """Two linear layers over frequency beside the features: what a 3x3 convolution cannot see, the whole spectrum.

    TDF, the time-distributed fully connected layers of Choi et al. ("Investigating U-Nets with various intermediate
    blocks for spectrogram-based singing voice separation", 2020), here behind a conditioned norm: from the lowest
    `bins` to an eighth of them and back, the same for all channels and frames. They begin as nothing.
    """

    SQUEEZE = 8
    FEWEST = 4  # numbers that the bins are squeezed to

    def __init__(self, channels: int, bins: int, condition_size: int) -> None:
        super().__init__()
        self.bins = bins
        self.norm = ConditionedNorm(channels, condition_size)
        narrow = max(bins // self.SQUEEZE, self.FEWEST)
        self.squeeze = nn.Linear(bins, narrow, bias=False)
        self.expand = nn.Linear(narrow, bins, bias=False)

    def forward(self, features: Tensor, condition: Tensor) -> Tensor:
        """Features `(batch, channels, frames, bins or more)` -> the same, with what was added to the lowest bins.

        Without gradients the features themselves are added to.
        """
        low = features[..., : self.bins]
        # Channels are innermost in memory, and a linear layer wants bins there: turned once on the way in and out.
        if self.norm.is_affine(condition):
            scale, offset = (each[:, None].to(features.dtype) for each in self.norm.affine(condition))
            seen = torch.addcmul(offset, low.transpose(1, 2).contiguous(), scale)
            seen = functional.leaky_relu_(seen, SLOPE)
        else:
            seen = self.norm(low, condition).transpose(1, 2).contiguous()
        added = self.expand(functional.leaky_relu(self.squeeze(seen), SLOPE))
        added = added.transpose(1, 2).contiguous(memory_format=torch.channels_last)
        if torch.is_grad_enabled():
            return features + functional.pad(added, (0, features.shape[-1] - self.bins))
        features[..., : self.bins] += added
        return features


def in_float32(like: Tensor) -> AbstractContextManager:
    """A context in which autocast is off on the device of `like`."""
    kind = like.device.type
    return torch.autocast(kind, enabled=False) if torch.amp.is_autocast_available(kind) else nullcontext()


class ExactConv2d(nn.Conv2d):
    """A convolution in float32 under autocast, too. Its result is rounded once, to what autocast works in.

    Of what bfloat16 costs AudioSep's network in agreement, most comes from where the signal enters and leaves: the
    input convolution, the shortcut of the outermost decoder block, the output layer. They are 1x1 convolutions and few
    of the operations; a rounded kernel errs the same way at every frame and bin.
    """

    def forward(self, features: Tensor) -> Tensor:
        kind, dtype = features.device.type, features.dtype
        if torch.amp.is_autocast_available(kind) and torch.is_autocast_enabled(kind):
            dtype = torch.get_autocast_dtype(kind)
        with in_float32(features):
            if self.in_channels > 1 or torch.is_grad_enabled():
                return super().forward(features.float()).to(dtype)
            # Of one channel a factor and an offset for each output: a CPU's convolution takes six times as long for it.
            scaled = torch.addcmul(self.bias, features.float()[:, 0, :, :, None], self.weight[:, 0, 0, 0])
            return scaled.movedim(-1, 1).to(dtype)
