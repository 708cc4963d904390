"""One query's norm, FiLM's shift and leaky ReLU when nothing is trained: fewer passes over the features.

With running statistics and one condition for all of a batch, norm and shift are one factor and one offset a channel.
Before a convolution they are a batch norm whose bias holds the shift; after one they are part of its kernel and bias.
Either way the leaky ReLU is the only pass left beside, and works in place. On a CPU, where a pass over the features of
an outer block costs about as much as its convolution, that is what there is to gain.
"""

from torch import Tensor, nn
from torch.nn import functional


def norm_shift_activate(features: Tensor, shift: Tensor, norm: nn.BatchNorm2d, slope: float) -> Tensor:
    """`leaky_relu(norm(features) + shift)` with the norm's running statistics.

    Args:
        features: `(batch, channels, frames, bins)`.
        shift: `(channels,)`, the same for all of the batch.
        norm: its weights and running statistics.
        slope: of the leaky ReLU below zero.
    """
    bias = norm.bias + shift
    features = functional.batch_norm(features, norm.running_mean, norm.running_var, norm.weight, bias, eps=norm.eps)
    return functional.leaky_relu_(features, slope)


def conv_norm_shift_activate(
    features: Tensor, conv: nn.Conv2d, shift: Tensor, norm: nn.BatchNorm2d, slope: float
) -> Tensor:
    """`leaky_relu(norm(conv(features)) + shift)` with the norm's running statistics, for a `conv` without bias.

    Arguments and shapes as `norm_shift_activate`; features and result have `conv`'s channels.
    """
    scale = norm.weight * (norm.running_var + norm.eps).rsqrt()
    bias = norm.bias - norm.running_mean * scale + shift
    features = functional.conv2d(features, conv.weight * scale[:, None, None, None], bias, padding=conv.padding)
    return functional.leaky_relu_(features, slope)
