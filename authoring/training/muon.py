"""Muon: steps whose directions are all equally long, for the kernels; AdamW for all else.

Jordan et al., "Muon: An optimizer for hidden layers in neural networks", 2024; the factor on the rate, with which one
rate serves both, is that of Liu et al., "Muon is scalable for LLM training", 2025. PyTorch's own takes matrices alone.
"""

from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor, nn

QUINTIC = (3.4445, -4.7750, 2.0315)  # coefficients of the iteration; steep at zero, near one from 0.7 to 1.2
ROUNDS = 5
MOMENTUM = 0.95


class Muon(torch.optim.AdamW):
    """One optimiser for both: groups with `kernels=True` hold parameters of two dimensions or more, for Muon."""

    def __init__(self, groups: Iterable[dict[str, Any]]) -> None:
        super().__init__(({"kernels": False} | group for group in groups), weight_decay=0.0)

    def __setstate__(self, state: dict[str, Any]) -> None:
        torch.optim.Optimizer.__setstate__(self, state)  # AdamW's own looks for a count of steps, which kernels lack

    @torch.no_grad()
    def step(self, closure: Callable[[], Tensor] | None = None) -> Tensor | None:
        """A step of every parameter that has a gradient; Lightning's closure computes them."""
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        for group in self.param_groups:
            if group["kernels"]:
                for kernel in group["params"]:
                    self._step_kernel(kernel, group["lr"])
        super().step()
        return loss

    def _step_kernel(self, kernel: nn.Parameter, rate: float) -> None:
        """One step of a kernel, seen as a matrix of its first dimension by all others."""
        if kernel.grad is None:
            return
        gradient, kernel.grad = kernel.grad, None  # AdamW passes over what has none
        average = self.state[kernel].setdefault("momentum", torch.zeros_like(gradient))
        average.lerp_(gradient, 1 - MOMENTUM)
        matrix = gradient.lerp(average, MOMENTUM).flatten(1)  # Nesterov's look ahead
        step = orthogonalised(matrix).view(kernel.shape)
        kernel.add_(step, alpha=-0.2 * rate * max(matrix.shape) ** 0.5)


def orthogonalised(matrix: Tensor) -> Tensor:
    """A matrix with its singular values brought near 1 (0.7 to 1.2), by Newton and Schulz's iteration.

    Each round multiplies the matrix by a polynomial of its products with itself. Those are square, and small where a
    kernel's matrix is long: the rounds are gone through with them alone, which costs much less.
    """
    a, b, c = QUINTIC
    wide = matrix if len(matrix) <= len(matrix.T) else matrix.T
    wide = wide / wide.norm().clamp_min(1e-7)
    products = wide @ wide.T
    factor = one = torch.eye(len(wide), dtype=wide.dtype, device=wide.device)
    for _ in range(ROUNDS):
        polynomial = a * one + b * products + c * products @ products
        factor = polynomial @ factor
        products = polynomial @ products @ polynomial
    wide = factor @ wide
    return wide if len(matrix) <= len(matrix.T) else wide.T
