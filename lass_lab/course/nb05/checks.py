"""The checks of notebooks 05 and 06: 1x1 convolutions in a row, a warm-up, what stands still, a low-rank change."""

import copy
from collections.abc import Callable

import numpy as np
import torch
from torch import nn

from lass_lab.course.checks import Unsolved, Wrong, ask, number, numbers, self_check
from lass_lab.experiments.training import Schedule


@self_check
def check_one_matrix(one_matrix) -> str:
    """Notebook 05: the one matrix that a lift, a factor for each channel, and a lowering amount to."""
    rng = np.random.default_rng(5)
    for channels, width, outputs in ((4, 7, 2), (3, 32, 1), (8, 8, 3)):
        shapes = ((width, channels), (width,), (outputs, width))
        lift, factors, lower = (rng.normal(size=shape) for shape in shapes)
        right = lower @ np.diag(factors) @ lift
        given = numbers(ask(one_matrix, lift, factors, lower), "a matrix")
        if _same(given, right):
            continue
        if _same(given, right.T):
            raise Wrong("it is the transpose: rows are outputs, columns are channels.")
        if given.shape != right.shape:
            raise Wrong(
                f"it gives a matrix of shape {given.shape}; from {channels} channels to {outputs} it is {right.shape}."
            )
        if _same(given, lower @ lift):
            raise Wrong("it leaves the factors out.")
        if _same(given, lower @ (lift + factors[:, None])):
            raise Wrong("it adds the factors; a depthwise convolution multiplies by them.")
        raise Wrong(
            "it gives other numbers than the three steps in a row: a convolution after another is a matrix product."
        )
    return "three layers, one matrix, at each of three sizes."


@self_check
def check_rate(rate) -> str:
    """Notebook 05: the factor on the learning rate at a step: warm-up, plateau, descent."""
    for steps, warmup, descent in ((100, 10, 0.5), (40, 5, 0.25)):
        schedule = Schedule(steps, 1.0, warmup, descent)
        given = [number(ask(rate, step, steps, warmup, descent), "a factor") for step in range(steps)]
        right = [schedule(step) for step in range(steps)]
        wrong = [step for step in range(steps) if not np.isclose(given[step], right[step], atol=1e-6)]
        if not wrong:
            continue
        first, told = wrong[0], f"of {steps} steps, at step {wrong[0]} it gives {given[wrong[0]]:.3f}"
        if max(given) > 1 + 1e-6:
            raise Wrong(f"{told}; it should never be above 1: take the smallest of the three.")
        if first == 0 and given[0] == 0:
            raise Wrong(f"{told}: a step at a rate of zero teaches nothing; count step 0 as the first of the warm-up.")
        part = "the warm-up" if first < warmup else "the plateau" if right[first] == 1 else "the descent"
        raise Wrong(f"{told}, in {part}, where {right[first]:.3f} is right.")
    return "it rises, holds and falls to nothing, at both lengths."


@self_check
def check_freeze(freeze) -> str:
    """Notebook 06: hold a part of a network still, through training steps of the whole."""
    network = _Pair()
    before = copy.deepcopy(network)
    try:
        freeze(network.still)
    except NotImplementedError as error:
        raise Unsolved from error
    except Exception as error:
        raise Wrong(f"it stops with {type(error).__name__}: {' '.join(str(error).split())}") from error
    untouched = all(parameter.requires_grad for parameter in network.still.parameters())
    if untouched and all(part.training for part in network.still.modules()):
        raise Unsolved
    if not all(
        torch.equal(*pair) for pair in zip(network.state_dict().values(), before.state_dict().values(), strict=True)
    ):
        raise Wrong("it changes the part's weights; it should leave them as they are.")
    _train(network)
    parameters, buffers = _moved(network.still, before.still)
    if parameters:
        raise Wrong(f"after three steps of training, its {parameters[0]} has moved: requires_grad is still true.")
    if buffers:
        raise Wrong(
            f"no gradient reached it, and yet its {buffers[0]} moved: in train mode, a batch norm follows the data."
        )
    example = torch.ones(4, 6)
    if not torch.equal(network.still(example), network.still(example)):
        raise Wrong("asked twice, the part gives two answers: in train mode, dropout still throws dice.")
    return "after three steps of training around it, weights, statistics and answers are the same to the last bit."


@self_check
def check_low_rank(low_rank) -> str:
    """Notebook 06: the weight that a frozen one and a low-rank map beside it amount to."""
    rng = np.random.default_rng(6)
    for outputs, inputs, rank, alpha in ((6, 4, 2, 4), (5, 5, 1, 8), (3, 8, 2, 2)):
        weight, down, up = (rng.normal(size=shape) for shape in ((outputs, inputs), (rank, inputs), (outputs, rank)))
        change = up @ down
        given = numbers(ask(low_rank, weight, down, up, alpha), "a matrix")
        if _same(given, weight + alpha / rank * change):
            continue
        if given.shape != weight.shape:
            raise Wrong(f"it gives a matrix of shape {given.shape}; the weight has the shape {weight.shape}.")
        mistakes = {
            "it gives the change alone; the frozen weight stays beside it.": alpha / rank * change,
            "it leaves the scale out: the change counts alpha / rank times.": weight + change,
            "it multiplies by alpha alone; divide by the rank, so that a larger rank is no larger step.": weight
            + alpha * change,
            "it divides by alpha; the scale is alpha / rank.": weight + rank / alpha * change,
            "its change has the wrong sign.": weight - alpha / rank * change,
        }
        for sentence, wrong in mistakes.items():
            if _same(given, wrong):
                raise Wrong(sentence)
        raise Wrong("it gives other numbers than the frozen weight and the two thin maps together.")
    return "at three sizes, one matrix does what the frozen weight and the maps beside it do."


class _Pair(nn.Module):
    """A part that is to stand still, with dropout and a batch norm, and one that learns behind it."""

    def __init__(self) -> None:
        super().__init__()
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(0)
            self.still = nn.Sequential(nn.Linear(6, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Dropout(0.5), nn.Linear(8, 8))
            self.learning = nn.Sequential(nn.Linear(8, 8), nn.BatchNorm1d(8), nn.Linear(8, 1))


def _train(network: _Pair) -> None:
    """Three steps of AdamW, the weight decay of which would move whatever has a gradient."""
    learning = [parameter for parameter in network.parameters() if parameter.requires_grad]
    optimizer = torch.optim.AdamW(learning, 0.1)
    for step in range(3):
        batch = torch.randn(16, 6, generator=torch.Generator().manual_seed(step)) + 1
        network.learning(network.still(batch)).square().mean().backward()
        optimizer.step()
        optimizer.zero_grad()


def _moved(part: nn.Module, before: nn.Module) -> tuple[list[str], list[str]]:
    """Names of the parameters and of the buffers that are no longer the same."""

    def changed(values: Callable) -> list[str]:
        old = dict(values(before))
        return [name for name, value in values(part) if not torch.equal(value, old[name])]

    return changed(lambda module: module.named_parameters()), changed(lambda module: module.named_buffers())


def _same(given: np.ndarray, right: np.ndarray) -> bool:
    return given.shape == right.shape and np.allclose(given, right)
