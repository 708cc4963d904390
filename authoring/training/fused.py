"""Batch norm, FiLM's shift and leaky ReLU in one, for pretraining on a CPU: memory is touched as seldom as can be.

The forward pass reads the features twice and the backward pass, which recomputes what it needs, twice more. The four
loops are plain PyTorch, made into one kernel each by `torch.compile`. In bfloat16 on two cores, a step of pretraining
takes 17 to 20% less time than with the three run one after the other; one of fine-tuning, whose norms are frozen, 3 to
11% less, which is why the package does without. (`torch.compile` of the plain three gains 10%, after a minute.)
"""

import functools
import shutil
from typing import Any

import torch
from torch import Tensor, nn

from lass_lab.models.layers import SLOPE, ConditionedNorm
from lass_lab.models.weights import native_bfloat16

PAYS_FROM = 200  # steps of training: compiling takes longer than fewer of them save
LANES = 64  # channels are folded up to this width, so that even 8 of them fill a processor's vectors


def can_compile() -> bool:
    """Whether `torch.compile` has what it needs here: a compiler for the CPU's kernels."""
    return any(map(shutil.which, ("g++", "clang++", "cl")))


def pays(steps: int) -> bool:
    """Whether a run of so many steps is done sooner here with fused norms, compilation and all.

    In float32 they take longer than the three one after the other (measured on a core with AVX2).
    """
    on_cpu = not torch.cuda.is_available() and native_bfloat16(torch.device("cpu"))
    return steps >= PAYS_FROM and on_cpu and can_compile()


def fuse_norms(network: nn.Module, fuse: bool = True) -> None:
    """Have every `ConditionedNorm` of a network computed in one, or no longer. Results differ by rounding only.

    The first steps compile and take the longer for it.
    """
    for module in network.modules():
        if isinstance(module, ConditionedNorm):
            vars(module).pop("forward", None)
            if fuse:
                module.forward = functools.partial(_forward, module)


def _forward(module: ConditionedNorm, features: Tensor, condition: Tensor) -> Tensor:
    shift = module.film(condition).expand(len(features), -1)
    return norm_shift_activate(features, shift, module.norm, SLOPE)


def norm_shift_activate(features: Tensor, shift: Tensor, norm: nn.BatchNorm2d, slope: float) -> Tensor:
    """`leaky_relu(norm(features) + shift)`, its gradients, and the norm's running statistics.

    Args:
        features: `(batch, channels, frames, bins)`, in channels_last layout.
        shift: `(batch, channels)`, added after the norm.
        norm: its weights and statistics; batch statistics in train mode, running ones in eval mode.
        slope: of the leaky ReLU below zero.
    """
    return _NormShiftActivate.apply(features, shift, norm.weight, norm.bias, norm, slope)


class _NormShiftActivate(torch.autograd.Function):
    """With x the features, each of n values a channel: z = a x + s, y = z for z > 0, else slope z."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, shift: Tensor, weight: Tensor, bias: Tensor, norm: nn.BatchNorm2d, slope: float):
        x = x.contiguous(memory_format=torch.channels_last)
        rows = _rows(x)
        count = x.numel() // x.shape[1]
        if norm.training:
            total, squares = (_unfold(part, x.shape[1]).sum(0) for part in _kernel(_sums)(rows))
            mean = total / count
            variance = squares / count - mean.square()
            _track(norm, mean, variance * count / max(1, count - 1))
        else:
            mean, variance = norm.running_mean, norm.running_var
        deviation = (variance.clamp_min(0) + norm.eps).rsqrt()
        scale = weight * deviation
        offset = bias - mean * scale + shift.float()
        ctx.save_for_backward(x, scale, offset, mean, deviation)
        ctx.slope, ctx.batch_statistics = slope, norm.training
        folds = rows.shape[2] // x.shape[1]
        return _features(_kernel(_activate)(rows, scale.repeat(folds), offset.repeat(1, folds), slope), x)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor):
        x, scale, offset, mean, deviation = ctx.saved_tensors
        channels, count = x.shape[1], x.numel() // x.shape[1]
        rows, above = _rows(x), _rows(gradient.contiguous(memory_format=torch.channels_last))
        folds = rows.shape[2] // channels
        wide = (scale.repeat(folds), offset.repeat(1, folds))
        sums, products = (_unfold(part, channels) for part in _kernel(_gradient_sums)(rows, above, *wide, ctx.slope))
        total = sums.sum(0)
        of_weight = (products.sum(0) - mean * total) * deviation
        if ctx.batch_statistics:
            slant = -scale * of_weight * deviation / count
            level = -scale * total / count - slant * mean
        else:
            slant = level = torch.zeros_like(scale)
        below = _kernel(_gradient)(rows, above, *wide, slant.repeat(folds), level.repeat(folds), ctx.slope)
        return _features(below, x), sums, of_weight, total, None, None


def _rows(x: Tensor) -> Tensor:
    """Features as `(batch, rows, lanes)`, a view: positions in rows, channels (of several positions) in lanes."""
    batch, channels, frames, bins = x.shape
    folds = 1
    while channels * folds * 2 <= LANES and frames * bins % (folds * 2) == 0:
        folds *= 2
    rows = x.detach().permute(0, 2, 3, 1).reshape(batch, frames * bins // folds, folds * channels)
    torch._dynamo.mark_dynamic(rows, 1)  # one kernel for each number of lanes
    return rows


def _features(rows: Tensor, like: Tensor) -> Tensor:
    """The way back: rows as features of the shape of `like`."""
    return rows.view_as(like.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)


def _unfold(sums: Tensor, channels: int) -> Tensor:
    """Sums over lanes `(batch, lanes)` -> over channels `(batch, channels)`."""
    return sums.unflatten(1, (-1, channels)).sum(1)


def _track(norm: nn.BatchNorm2d, mean: Tensor, variance: Tensor) -> None:
    with torch.no_grad():
        norm.running_mean.lerp_(mean, norm.momentum)
        norm.running_var.lerp_(variance, norm.momentum)
        norm.num_batches_tracked += 1


def _sums(x: Tensor) -> tuple[Tensor, Tensor]:
    x = x.float()
    return x.sum(1), x.square().sum(1)


def _activate(x: Tensor, scale: Tensor, offset: Tensor, slope: float) -> Tensor:
    z = x.float() * scale + offset[:, None]
    return torch.where(z > 0, z, slope * z).to(x.dtype)


def _gradient_sums(x: Tensor, above: Tensor, scale: Tensor, offset: Tensor, slope: float) -> tuple[Tensor, Tensor]:
    x, above = x.float(), above.float()
    above = torch.where(x * scale + offset[:, None] > 0, above, slope * above)
    return above.sum(1), (above * x).sum(1)


def _gradient(
    x: Tensor, above: Tensor, scale: Tensor, offset: Tensor, slant: Tensor, level: Tensor, slope: float
) -> Tensor:
    z, up = x.float() * scale + offset[:, None], above.float()
    return (torch.where(z > 0, up, slope * up) * scale + x.float() * slant + level).to(x.dtype)


@functools.cache
def _kernel(function):
    return torch.compile(function)
