"""The checks of notebook 10: where caption and sound point, how far apart they are, and what an ear is to be shown."""

from functools import partial

import numpy as np
from scipy.special import log_softmax, softmax

from lass_lab.course.checks import Exercise
from lass_lab.course.nb10.films import REGIONS
from lass_lab.course.nb10.losses import SCALE, TEACHER_SCALE

SIZE = 24  # of the vectors of the cases
FAINTEST = 1e-10


def _unit(vectors: np.ndarray) -> np.ndarray:
    return vectors / np.linalg.norm(vectors, axis=-1, keepdims=True)


def _film(seed: int, likeness: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Regions, one of them a player's, the player's caption, and a sound that is more or less like it."""
    rng = np.random.default_rng(seed)
    caption, regions = _unit(rng.normal(size=SIZE)), rng.normal(size=(REGIONS, SIZE))
    regions[rng.integers(REGIONS)] = 4 * caption + 0.3 * rng.normal(size=SIZE)
    noise = _unit(rng.normal(size=SIZE))
    return regions, caption, _unit(likeness * caption + (1 - likeness) * noise)


def _cases() -> list[tuple]:
    return [_film(0, 0.5), _film(1, 0.9), _film(2, 0.1)]


def _both(regions, caption, heard, scales=(TEACHER_SCALE, SCALE), unit=_unit, share=softmax) -> np.ndarray:
    return np.stack([share(s * unit(regions) @ vector) for s, vector in zip(scales, (caption, heard), strict=True)])


check_pointing = Exercise(
    reference=_both,
    cases=_cases,
    praise="p and q are right for three films, one of which has a sound that points elsewhere.",
    mistakes={
        "p and q are exchanged: the first row is the caption's.": lambda *film: _both(*film)[::-1],
        "regions differ in length; divide each by its own first.": partial(_both, unit=lambda regions: regions),
        "the scales are missing: 1 / 0.07 for p, 100 for q.": partial(_both, scales=(1.0, 1.0)),
        "both have one scale; the eye that gives p was trained with 1 / 0.07.": partial(_both, scales=(SCALE, SCALE)),
        "these are logarithms; give the shares themselves.": partial(_both, share=log_softmax),
    },
)


def _divergence(regions, caption, heard, cost=lambda p, q: np.exp(p) * (p - q)) -> float:
    return float(np.sum(cost(*_both(regions, caption, heard, share=log_softmax))))


_backwards = partial(_divergence, cost=lambda p, q: np.exp(q) * (q - p))
_crossed = partial(_divergence, cost=lambda p, q: -np.exp(p) * q)

check_trimodal = Exercise(
    reference=_divergence,
    cases=_cases,
    atol=1e-3,
    praise="it is zero where both point alike, and large where the sound points elsewhere.",
    mistakes={
        "it is the other way round: the caption is the teacher, so p stands in front.": _backwards,
        "it is a mean over the regions; a divergence is their sum.": lambda *film: _divergence(*film) / REGIONS,
        "it is the cross-entropy alone; take away what p costs itself.": _crossed,
        "its sign is wrong: no divergence is below zero.": lambda *film: -_divergence(*film),
    },
)


def _pictures(seed: int) -> tuple[np.ndarray, np.ndarray]:
    """A magnitude, some of it below 1, and a mask that is 0 here and there."""
    rng = np.random.default_rng(seed)
    return rng.uniform(0.01, 8, (6, 9)), rng.uniform(0.05, 1, (6, 9)) * (rng.random((6, 9)) < 0.7)


check_masked_log = Exercise(
    reference=lambda magnitude, mask: np.log(mask * magnitude + FAINTEST),
    cases=lambda: [_pictures(seed) for seed in range(3)],
    praise="what the mask takes away is silent in the picture.",
    mistakes={
        "it masks the logarithm: where the mask is 0 that says 'a magnitude of 1', and not silence.": (
            lambda magnitude, mask: mask * np.log(magnitude + FAINTEST)
        ),
        "it shows the mixture, whatever the mask.": lambda magnitude, mask: np.log(magnitude + FAINTEST),
        "it shows what the mask takes away.": lambda magnitude, mask: np.log((1 - mask) * magnitude + FAINTEST),
        "it is no natural logarithm.": lambda magnitude, mask: np.log10(mask * magnitude + FAINTEST),
    },
)
