"""What the full-size model needs, and whether it is here (notebook 09)."""

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.multiprocessing.reductions import StorageWeakRef
from torch.utils.flop_counter import FlopCounterMode

from lass_lab.models import ResUNet, ResUNetConfig
from lass_lab.signal import SAMPLE_RATE


def operations(config: ResUNetConfig, seconds: float) -> int:
    """Floating-point operations of a separation network for a mixture of so many seconds, by one query.

    Counted on shapes alone, without computing anything: those of its convolutions and linear layers, where a
    multiplication and an addition are two.
    """
    _, run = _shapes_alone(config, seconds)
    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        run()
    return counter.get_total_flops()


def kept_on_paper(config: ResUNetConfig, seconds: float) -> int:
    """`kept_for_backward` of a separation network in float32, for each mixture of a batch, holding none of it."""
    # Of two: with one condition for all, norm and shift are folded, and less is kept than training keeps.
    return kept_for_backward(*_shapes_alone(config, seconds, mixtures=2)) // 2


def kept_for_backward(network: nn.Module, run: Callable[[], Tensor]) -> int:
    """Bytes that a forward pass keeps for the backward pass, besides the weights and buffers of `network`.

    Args:
        run: the forward pass; what it returns is kept as well.
    """
    counted = {_storage(tensor) for tensor in (*network.parameters(), *network.buffers())}
    kept = 0

    def keep(tensor: Tensor) -> Tensor:
        nonlocal kept
        if (storage := _storage(tensor)) not in counted:  # several tensors may look at one piece of memory
            counted.add(storage)
            kept += tensor.untyped_storage().nbytes()
        return tensor

    with torch.enable_grad(), torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
        result = run()  # held until all is counted: memory that is freed would be given out again
    del result
    return kept


def _storage(tensor: Tensor) -> int:
    return StorageWeakRef(tensor.untyped_storage()).cdata


def _shapes_alone(config: ResUNetConfig, seconds: float, mixtures: int = 1) -> tuple[ResUNet, Callable[[], Tensor]]:
    """A network that has shapes and no memory, and its forward pass."""
    frames = round(seconds * SAMPLE_RATE) // config.hop + 1
    with torch.device("meta"):
        network = ResUNet(config).eval()
        magnitude = torch.empty(mixtures, 1, frames, config.n_fft // 2 + 1)
        condition = torch.empty(mixtures, config.condition_size)
    return network, lambda: network.logits(magnitude, condition)
