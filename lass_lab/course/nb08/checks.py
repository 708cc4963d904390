"""The checks of notebook 08: weights between two networks, and which separators no other one beats."""

from collections.abc import Callable
from copy import deepcopy

import numpy as np
import torch
from torch import Tensor

from lass_lab.course.checks import Exercise, Wrong, ask, expect


def _sum(before: dict[str, Tensor], after: dict[str, Tensor], of_before: float, of_after: float) -> dict[str, Tensor]:
    return {name: of_before * before[name] + of_after * after[name] for name in before}


def _weights_between(between, share: float) -> np.ndarray:
    """The weights that `between` finds for two networks, in a row."""
    before, after = ({"norm": torch.arange(4.0) + first, "conv": torch.eye(3) - first} for first in (0, 3))
    kept = deepcopy(before)
    given = ask(between, before, after, share)
    if not isinstance(given, dict) or set(given) != set(kept):
        raise Wrong("it should give a dictionary, as it takes two, with the same names.")
    if not all(name in before and torch.equal(before[name], kept[name]) for name in kept):
        raise Wrong("it changes a network that it was given; make new tensors.")
    return np.concatenate([expect(given[name], value).ravel() for name, value in kept.items()])


check_between = Exercise(
    reference=lambda before, after, share: _sum(before, after, 1 - share, share),
    cases=lambda: [(share,) for share in (0.25, 0.0, 1.0, 0.7)],
    asks=_weights_between,
    praise="at four shares, every number is on the straight line between the two, and neither network was changed.",
    mistakes={
        "at 0 it should be the network before, at 1 the one after.": lambda b, a, share: _sum(b, a, share, 1 - share),
        "it takes the middle, whatever the share.": lambda b, a, share: _sum(b, a, 0.5, 0.5),
        "what one network gains in share the other loses.": lambda b, a, share: _sum(b, a, 1, share),
        "it takes a share of the one after alone.": lambda b, a, share: _sum(b, a, 0, share),
    },
)


def _scores(seed: int, size: int) -> tuple[np.ndarray, np.ndarray]:
    gained, kept = np.random.default_rng(seed).integers(0, 8, (2, size)).astype(float)
    gained[1], kept[1] = gained[0], kept[0]  # a tie beats nobody
    return gained, kept


def _front(beats: Callable[[float, float], bool]) -> Callable[[np.ndarray, np.ndarray], list[bool]]:
    """What marks those that none beats; `beats` is told how much more another one gained and kept."""
    return lambda gained, kept: [not any(map(beats, gained - x, kept - y)) for x, y in np.stack([gained, kept]).T]


check_unbeaten = Exercise(
    reference=_front(lambda *more: min(more) >= 0 and max(more) > 0),
    cases=lambda: [_scores(0, 6), _scores(1, 9), _scores(2, 12)],
    mistakes={
        "it looks at how much was gained alone.": lambda gained, kept: gained == gained.max(),
        "it looks at how much was kept alone.": lambda gained, kept: kept == kept.max(),
        "as good at one and better at the other beats, too.": _front(lambda *more: min(more) > 0),
        "it marks none, as each beats itself; a winner is better at something.": _front(lambda *more: min(more) >= 0),
    },
)
