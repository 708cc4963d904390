"""Sources made a little unlike themselves, by audiomentations: other instruments, strings, rooms and microphones."""

import random
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache

import numpy as np

from lass_lab.signal.audio import SAMPLE_RATE


def augment(source: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """A source `(samples,)`, detuned by up to half a semitone, filtered, and with faint noise; each by chance.

    The result depends on `source` and `rng` alone and is as long; a silent source stays silent.
    """
    return _changed(_player_and_room(), source, rng)


def colour(source: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """A source `(samples,)`, filtered by a parametric equaliser of seven bands, up to 8 dB either way. As `augment`."""
    return _changed(_equaliser(), source, rng)


def _changed(chain, source: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    if not source.any():
        return source
    with _seeded(int(rng.integers(2**32))):
        changed = chain(samples=np.ascontiguousarray(source, np.float32), sample_rate=SAMPLE_RATE)
    return np.ascontiguousarray(changed[: len(source)], np.float32)


@cache
def _player_and_room():
    from audiomentations import AddGaussianSNR, Compose, PitchShift, SevenBandParametricEQ

    return Compose(
        [
            PitchShift(min_semitones=-0.5, max_semitones=0.5, p=0.5),
            SevenBandParametricEQ(min_gain_db=-6, max_gain_db=6, p=0.7),
            AddGaussianSNR(min_snr_db=30, max_snr_db=50, p=0.3),
        ]
    )


@cache
def _equaliser():
    from audiomentations import SevenBandParametricEQ

    return SevenBandParametricEQ(min_gain_db=-8, max_gain_db=8, p=1.0)


@contextmanager
def _seeded(seed: int) -> Iterator[None]:
    """audiomentations draws from the global generators: within, they are seeded; after it, as they were."""
    python, numpy = random.getstate(), np.random.get_state()
    random.seed(seed)
    np.random.seed(seed)
    try:
        yield
    finally:
        random.setstate(python)
        np.random.set_state(numpy)
