"""The checks of notebook 08: weights between two networks, and which separators no other one beats."""

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

from lass_lab.course.checks import Wrong, ask, self_check, tell_mistake, truths
from lass_lab.course.nb08.tradeoff import unbeaten


@self_check
def check_between(between) -> str:
    """Notebook 08: the weights at a share of the way from one network to another."""
    before, after = _weights(0), _weights(1)
    kept = [{name: value.clone() for name, value in weights.items()} for weights in (before, after)]
    for share in (0.25, 0.0, 1.0, 0.7):
        given = ask(between, before, after, share)
        if not isinstance(given, dict) or not all(isinstance(value, Tensor) for value in given.values()):
            raise Wrong("it should give a dictionary of tensors, as it takes two.")
        if set(given) != set(before):
            raise Wrong(f"it gives {len(given)} tensors for {len(before)}: each name of the one has its tensor.")
        if any(
            not torch.equal(value, old[name])
            for weights, old in zip((before, after), kept, strict=True)
            for name, value in weights.items()
        ):
            raise Wrong("it changes a network that it was given; make new tensors.")
        mistakes = {
            "at a share of 0 it should be the network before, at 1 the one after: the shares are exchanged.": 1 - share,
            "it takes the middle, whatever the share.": 0.5,
        }
        if _like(given, before, after, share):
            continue
        for sentence, other in mistakes.items():
            if _like(given, before, after, other):
                raise Wrong(sentence)
        if all(torch.allclose(given[name], before[name] + share * after[name]) for name in before):
            raise Wrong("it adds to what was there; what one network gains in share the other loses.")
        if all(torch.allclose(given[name], share * after[name]) for name in before):
            raise Wrong("it takes the share of the one after alone; the rest comes from the one before.")
        raise Wrong(f"at a share of {share:g} its numbers are not on the straight line between the two.")
    return "at four shares, every number is on the straight line between the two, and neither network was changed."


@self_check
def check_unbeaten(answer) -> str:
    """Notebook 08: which of several separators are beaten by none, at two things at once."""
    for seed, size in ((0, 6), (1, 9), (2, 12)):
        gained, kept = np.random.default_rng(seed).integers(0, 8, (2, size)).astype(float)
        gained[1], kept[1] = gained[0], kept[0]  # a tie beats nobody
        given = truths(ask(answer, gained, kept), size, "separator", "those that no other one beats").tolist()
        right = list(unbeaten(np.stack([gained, kept], axis=1)))
        if given == right:
            continue
        tell_mistake(given.__eq__, _misjudged(gained, kept, right))
        first = next(place for place in range(size) if given[place] != right[place])
        told = "is beaten by none" if right[first] else "is beaten by another"
        raise Wrong(f"of {size} separators, the one that gained {gained[first]:g} and kept {kept[first]:g} {told}.")
    return "three times, it marks exactly those that no other one beats."


def _misjudged(gained: np.ndarray, kept: np.ndarray, right: list[bool]) -> dict[str, Callable[[], list[bool]]]:
    """What each mistake marks."""

    def judged(beats: Callable[[np.ndarray, np.ndarray], np.ndarray]) -> list[bool]:
        more, keeps = gained - gained[:, None], kept - kept[:, None]  # what each column has more than each row
        return list(~(beats(more, keeps) & ~np.eye(len(gained), dtype=bool)).any(axis=1))

    return {
        "it looks at one of the two alone, how much was gained.": lambda: list(gained == gained.max()),
        "it looks at one of the two alone, how much was kept.": lambda: list(kept == kept.max()),
        "it marks those that are beaten; mark the others.": lambda: [not value for value in right],
        "it asks of the winner to be better at both; as good at one and better at the other beats, too.": (
            lambda: judged(lambda more, keeps: (more > 0) & (keeps > 0))
        ),
        "two that are alike beat each other in it; a winner is better at one thing at least.": (
            lambda: judged(lambda more, keeps: (more >= 0) & (keeps >= 0))
        ),
    }


def _weights(seed: int) -> dict[str, Tensor]:
    generator = torch.Generator().manual_seed(seed)
    shapes = {"norm.weight": (4,), "conv.weight": (3, 4), "head.bias": (3,)}
    return {name: torch.randn(shape, generator=generator) for name, shape in shapes.items()}


def _like(given: dict[str, Tensor], before: dict[str, Tensor], after: dict[str, Tensor], share: float) -> bool:
    right = {name: torch.lerp(before[name], after[name], share) for name in before}
    return all(
        given[name].shape == value.shape and torch.allclose(given[name].float(), value, atol=1e-5)
        for name, value in right.items()
    )
