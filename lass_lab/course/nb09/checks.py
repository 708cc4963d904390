"""The checks of notebook 09: the memory that training needs, and a gradient that several processes share."""

import numpy as np
import torch
from torch import nn

from lass_lab.course.checks import Exercise, normal


def _held(learning: int, frozen: int, bytes_each: int, amsgrad: bool) -> int:
    """The bytes that torch really holds after a step of AdamW."""
    kind = {2: torch.bfloat16, 4: torch.float32}[bytes_each]
    weights, fixed = nn.Parameter(torch.ones(learning, dtype=kind)), torch.ones(frozen, dtype=kind)
    optimizer = torch.optim.AdamW([weights], amsgrad=amsgrad)
    (weights.sum() + fixed.sum()).backward()
    optimizer.step()
    moments = [value for value in optimizer.state[weights].values() if value.shape == weights.shape]  # not the steps
    return sum(tensor.nbytes for tensor in (weights, weights.grad, fixed, *moments))


def _bytes(learning: int, frozen: int, bytes_each: int, amsgrad: bool) -> int:
    return bytes_each * (frozen + (5 if amsgrad else 4) * learning)


check_training_bytes = Exercise(
    reference=_held,
    cases=lambda: [(88, 42, 4, False), (77, 0, 4, False), (66, 30, 2, True)],
    praise="three networks, and each time what torch really holds after a step of AdamW, to the byte.",
    mistakes={
        "it counts numbers; each takes several bytes.": lambda n, still, each, amsgrad: _bytes(n, still, 1, amsgrad),
        "it forgets AdamW's moments.": lambda n, still, each, amsgrad: each * (still + 2 * n),
        "it forgets amsgrad's third moment.": lambda n, still, each, amsgrad: _bytes(n, still, each, False),
        "it forgets the weights of frozen parameters.": lambda n, still, each, amsgrad: _bytes(n, 0, each, amsgrad),
        "frozen parameters have no gradients and no moments.": (
            lambda n, still, each, amsgrad: _bytes(n + still, 0, each, amsgrad)
        ),
    },
)

check_mean_gradient = Exercise(
    reference=lambda gradients, items: np.average(gradients, axis=0, weights=items),
    cases=lambda: [(*normal((len(items), 18)), np.array(items)) for items in ((5, 4, 3), (6, 2), (1, 9, 2, 4))],
    mistakes={
        "it adds the gradients; the loss is a mean, and so is its gradient.": lambda gradients, items: sum(gradients),
        "a process with more items counts for more.": lambda gradients, items: gradients.mean(axis=0),
        "it forgets to divide by the number of items.": lambda gradients, items: items @ gradients,
        "divide by the number of items, not of processes.": lambda gradients, items: items @ gradients / len(items),
    },
)
