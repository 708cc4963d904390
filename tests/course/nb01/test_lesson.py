"""Of the ideal masks the freest is the best."""

import numpy as np

from lass_lab.course.nb01.lesson import ideal_masks
from lass_lab.signal import istft, sdr, stft

TIME = np.arange(16_000) / 32_000
TONE = (0.3 * np.sin(2 * np.pi * 1000 * TIME)).astype(np.float32)
RANDOM = np.random.default_rng(0)


def test_freer_masks_come_nearer_and_none_amplifies():
    other = RANDOM.normal(0, 0.1, len(TONE)).astype(np.float32)
    mixture = stft(TONE + other)
    masks = ideal_masks(mixture, stft(TONE))
    assert all(np.abs(mask).max() <= 1 + 1e-6 for mask in masks.values())
    assert set(np.unique(masks["binary mask"])) == {False, True}
    scores = {kind: sdr(TONE, istft(mask * mixture, len(TONE))) for kind, mask in masks.items()}
    assert max(scores, key=scores.get) == "mask with phase"
    assert scores["phase-sensitive mask"] > max(scores["binary mask"], scores["ratio mask"])
