"""Sources made a little unlike themselves, by audiomentations: other instruments, strings, rooms and microphones."""

import random
from functools import cache

import numpy as np

from lass_lab.signal.audio import SAMPLE_RATE


def augment(source: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """A source `(samples,)`, detuned by up to half a semitone, filtered, and with faint noise; each by chance.

    The result depends on `source` and `rng` alone and is as long; a silent source stays silent.
    """
    return _changed("augment", source, rng)


def equalise(source: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """A source `(samples,)`, filtered by a parametric equaliser of seven bands, up to 8 dB either way. As `augment`."""
    return _changed("equalise", source, rng)


def _changed(chain: str, source: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    if not source.any():
        return source
    transform, seed = _chains()[chain], int(rng.integers(2**32))
    python, numpy = random.getstate(), np.random.get_state()
    random.seed(seed)  # audiomentations draws from the global generators; after it they are as they were
    np.random.seed(seed)
    try:
        changed = transform(np.ascontiguousarray(source, np.float32), SAMPLE_RATE)
    finally:
        random.setstate(python)
        np.random.set_state(numpy)
    return np.ascontiguousarray(changed[: len(source)], np.float32)


@cache
def _chains() -> dict:
    from audiomentations import AddGaussianSNR, Compose, PitchShift, SevenBandParametricEQ

    pitch = PitchShift(min_semitones=-0.5, max_semitones=0.5, p=0.5)
    filtered = SevenBandParametricEQ(min_gain_db=-6, max_gain_db=6, p=0.7)
    noise = AddGaussianSNR(min_snr_db=30, max_snr_db=50, p=0.3)
    return {
        "augment": Compose([pitch, filtered, noise]),
        "equalise": SevenBandParametricEQ(min_gain_db=-8, max_gain_db=8, p=1.0),
    }
