"""The ways back from pictures keep pitch and length, and the freest mask is the best."""

import numpy as np
import pytest

from lass_lab.course.nb01.lesson import griffin_lim, ideal_masks, sound_of_mel
from lass_lab.signal import istft, mel_spectrogram, sdr, stft

TIME = np.arange(16_000) / 32_000
TONE = (0.3 * np.sin(2 * np.pi * 1000 * TIME)).astype(np.float32)
RANDOM = np.random.default_rng(0)


@pytest.mark.parametrize(
    "back",
    [lambda: griffin_lim(np.abs(stft(TONE)), len(TONE)), lambda: sound_of_mel(mel_spectrogram(TONE), len(TONE))],
    ids=["magnitudes", "mel bands"],
)
def test_a_tone_comes_back_at_its_pitch_and_level_the_same_each_time(back):
    sound = back()
    assert sound.shape == TONE.shape and np.array_equal(sound, back())
    assert abs(2 * np.abs(np.fft.rfft(sound)).argmax() - 1000) < 60, "a mel band there is about that wide"
    assert 0.3 < np.mean(sound**2) / np.mean(TONE**2) < 3


def test_freer_masks_come_nearer_and_none_amplifies():
    other = RANDOM.normal(0, 0.1, len(TONE)).astype(np.float32)
    mixture = stft(TONE + other)
    masks = ideal_masks(mixture, stft(TONE))
    assert all(np.abs(mask).max() <= 1 + 1e-6 for mask in masks.values())
    assert set(np.unique(masks["binary mask"])) == {False, True}
    scores = {kind: sdr(TONE, istft(mask * mixture, len(TONE))) for kind, mask in masks.items()}
    assert max(scores, key=scores.get) == "mask with phase"
    assert scores["phase-sensitive mask"] > max(scores["binary mask"], scores["ratio mask"])
