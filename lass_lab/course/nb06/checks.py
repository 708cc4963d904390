"""The checks of notebook 06: a low-rank change of a weight, and what it takes to freeze a part of a network."""

from contextlib import suppress
from copy import deepcopy

import torch
from torch import nn

from lass_lab.course.checks import Exercise, Unsolved, ask, normal

check_low_rank = Exercise(
    reference=lambda weight, down, up, alpha: weight + alpha / len(down) * up @ down,
    cases=lambda: [(*normal((6, 4), (2, 4), (6, 2)), 4), (*normal((5, 5), (1, 5), (5, 1)), 8)],
    mistakes={
        "it gives the change alone; the frozen weight stays beside it.": lambda w, d, u, alpha: alpha / len(d) * u @ d,
        "it leaves the scale out: the change counts alpha / rank times.": lambda w, d, u, alpha: w + u @ d,
        "it multiplies by alpha alone; divide by the rank, too.": lambda w, d, u, alpha: w + alpha * u @ d,
        "the rank is the number of rows of `down`; it takes another axis for it.": (
            lambda w, d, u, alpha: w + alpha / d.shape[1] * u @ d
        ),
    },
)


@torch.random.fork_rng(devices=[])
def _after_training(freeze) -> str:
    """What still changes in a part that `freeze` has been called with, while three steps train what is behind it."""
    torch.manual_seed(0)
    part = nn.Sequential(nn.Linear(6, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Dropout(0.5), nn.Linear(8, 8))
    before = deepcopy(part.state_dict())

    def changed() -> list[str]:
        return [name for name, value in part.state_dict().items() if not torch.equal(value, before[name])]

    with suppress(Unsolved):  # it may return nothing
        ask(freeze, part)
    if changed():
        return "freezing changes weights"
    if all(each.requires_grad for each in part.parameters()) and all(each.training for each in part.modules()):
        raise Unsolved
    network = nn.Sequential(part, nn.BatchNorm1d(8), nn.Linear(8, 1))
    optimizer = torch.optim.AdamW([each for each in network.parameters() if each.requires_grad], 0.1)
    for _ in range(3):
        network(torch.randn(16, 6) + 1).square().mean().backward()
        optimizer.step()
    if moved := changed():
        return "statistics change" if "running" in moved[0] else "weights change"
    return "nothing" if torch.equal(part(torch.ones(4, 6)), part(torch.ones(4, 6))) else "answers change"


check_freeze = Exercise(
    reference=lambda part: part.requires_grad_(False).eval(),
    cases=lambda: [()],
    asks=_after_training,
    praise="after three steps of training around it, weights, statistics and answers are the same to the last bit.",
    mistakes={
        "it changes the part's weights; leave them as they are.": lambda part: part[0].reset_parameters(),
        "after three steps, its weights have moved: requires_grad is still true.": lambda part: part.eval(),
        "its statistics moved: in train mode, a batch norm follows the data.": lambda part: part.requires_grad_(False),
        "asked twice, its answers differ: dropout is on.": lambda part: part.requires_grad_(False).eval()[3].train(),
    },
)
