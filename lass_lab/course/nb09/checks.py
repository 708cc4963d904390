"""The checks of notebook 09: the memory that training needs, and a gradient that several processes share."""

from collections.abc import Callable
from functools import partial
from itertools import accumulate, pairwise

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from lass_lab.course.checks import Wrong, ask, number, numbers, self_check, tell_mistake

KINDS = (
    (torch.float32, False, 7),
    (torch.float32, False, 0),
    (torch.bfloat16, True, 5),
)  # with amsgrad? how many rows are frozen?


@self_check
def check_training_bytes(training_bytes) -> str:
    """Notebook 09: bytes of weights, gradients and AdamW's moments, against what torch really holds."""
    for kind, amsgrad, rows in KINDS:
        learning, frozen, right = _held(kind, amsgrad, rows)
        each = kind.itemsize
        given = number(ask(training_bytes, learning, frozen, each, amsgrad), "a number of bytes")
        if np.isclose(given, right):
            continue
        tell_mistake(partial(np.isclose, given), _miscounted(learning, frozen, each, amsgrad))
        told = f"{learning} parameters that learn and {frozen} that are frozen, {each} bytes each"
        raise Wrong(f"for {told}{', with amsgrad' if amsgrad else ''}, torch holds {right:,} bytes, not {given:,.0f}.")
    return "three networks, and each time what torch really holds after a step of AdamW, to the byte."


@self_check
def check_mean_gradient(mean_gradient) -> str:
    """Notebook 09: the gradient of a whole batch, from the gradients of its unequal parts."""
    for seed, shares in enumerate(((5, 4, 3), (6, 2), (1, 9, 2, 4))):
        parts, right = _gradients(seed, shares)
        items = np.array(shares)
        given = numbers(ask(mean_gradient, parts, items), "a gradient")
        if given.shape != right.shape:
            raise Wrong(
                f"it gives an array of shape {given.shape}; a gradient of {right.size} numbers goes out as it came in."
            )
        if np.allclose(given, right):
            continue
        weighted = items @ parts
        mistakes = {
            "it adds the gradients; the loss is a mean, and so is its gradient.": parts.sum(axis=0),
            "it takes the plain mean; a process that heard more items counts for more.": parts.mean(axis=0),
            "it forgets to divide by the number of items.": weighted,
            "it divides by the number of processes; divide by the number of items.": weighted / len(parts),
        }
        for sentence, wrong in mistakes.items():
            if np.allclose(given, wrong):
                raise Wrong(sentence)
        raise Wrong(f"with shares of {', '.join(map(str, shares))} items it is not the gradient of the whole batch.")
    return "three times, the gradient that one process would have found with the whole batch."


def _miscounted(learning: int, frozen: int, each: int, amsgrad: bool) -> dict[str, Callable[[], int]]:
    """What each mistake comes to, in bytes."""
    moments = 3 if amsgrad else 2
    all_parts = 2 + moments  # weight and gradient beside them
    right = frozen + all_parts * learning
    third = (
        "it forgets that amsgrad keeps a third moment." if amsgrad else "it has a third moment; only amsgrad keeps one."
    )
    short = "it is one number short for each parameter that learns: weight, gradient and two moments are four."
    numbers = {
        "it counts bits; a byte has eight.": 8 * right,
        "it forgets AdamW's moments.": frozen + 2 * learning,
        "it forgets the frozen parameters; their weights are in memory, too.": all_parts * learning,
        "it forgets the weights themselves.": (1 + moments) * learning,
        "it treats frozen parameters as if they learnt; they have no gradients and no moments.": (
            all_parts * (frozen + learning)
        ),
        "it counts gradients for frozen parameters; they have none.": right + frozen,
        "it counts moments for frozen parameters; the optimiser is not given them.": right + moments * frozen,
        third: right - learning if amsgrad else right + learning,
        short: frozen + 3 * learning,
    }
    wrong = {"it counts numbers; each of them takes several bytes.": right}
    wrong |= {sentence: each * count for sentence, count in numbers.items()}
    return {sentence: partial(int, count) for sentence, count in wrong.items()}


def _held(kind: torch.dtype, amsgrad: bool, rows: int) -> tuple[int, int, int]:
    """Parameters that learn, parameters that are frozen, and the bytes that torch holds after one step."""
    width = rows or 6
    still = nn.Linear(6, rows, dtype=kind).requires_grad_(False) if rows else nn.Identity()
    learning = nn.Linear(width, 11, dtype=kind)
    optimizer = torch.optim.AdamW(learning.parameters(), amsgrad=amsgrad)
    with torch.enable_grad():
        learning(still(torch.ones(2, 6, dtype=kind))).sum().backward()
    optimizer.step()
    tensors = [*still.parameters(), *learning.parameters(), *(p.grad for p in learning.parameters())]
    for parameter, state in optimizer.state.items():  # beside the moments it counts the steps
        tensors += [value for value in state.values() if value.shape == parameter.shape]
    learnt, frozen = (sum(p.numel() for p in part.parameters()) for part in (learning, still))
    return learnt, frozen, sum(tensor.nbytes for tensor in tensors)


def _gradients(seed: int, shares: tuple[int, ...]) -> tuple[np.ndarray, np.ndarray]:
    """Gradients of the mean error over each share `(processes, numbers)`, and over all items `(numbers,)`."""
    rng = torch.Generator().manual_seed(seed)
    inputs, targets = (torch.randn(sum(shares), size, generator=rng, dtype=torch.float64) for size in (6, 3))
    weight = torch.randn(3, 6, generator=rng, dtype=torch.float64).requires_grad_()

    def gradient(part: slice) -> np.ndarray:
        with torch.enable_grad():
            loss = functional.l1_loss(functional.linear(inputs[part], weight), targets[part])
            return torch.autograd.grad(loss, weight)[0].flatten().numpy()

    borders = pairwise(accumulate(shares, initial=0))
    return np.stack([gradient(slice(*border)) for border in borders]), gradient(slice(None))
