"""Rooms and microphones: as long as the sound, repeatable, and no louder than they say."""

import numpy as np
import pytest

from authoring.rendering.acoustics import record, room_response
from lass_lab.signal.audio import SAMPLE_RATE

TONE = (0.3 * np.sin(np.arange(SAMPLE_RATE) / 7)).astype(np.float32)


def test_a_recording_is_repeatable_and_as_long_as_the_sound():
    first, again, other = (record(TONE, np.random.default_rng(seed)) for seed in (1, 1, 2))
    assert np.array_equal(first, again) and not np.array_equal(first, other)
    assert first.shape == TONE.shape and first.dtype == np.float32
    assert all(np.isfinite(record(TONE, np.random.default_rng(seed))).all() for seed in range(20))


def test_a_silent_sound_stays_silent():
    silence = np.zeros(SAMPLE_RATE, np.float32)
    assert not any(record(silence, np.random.default_rng(seed)).any() for seed in range(10))


@pytest.mark.parametrize("rt60", [0.2, 1.0])
def test_a_room_has_unit_energy_and_rings_as_long_as_it_is_asked_to(rt60):
    response = room_response(np.random.default_rng(0), rt60=rt60)
    assert np.sum(response**2) == pytest.approx(1)
    decay = 10 * np.log10(np.cumsum(response[::-1] ** 2)[::-1])
    quarter, half = (decay[round(share * rt60 * SAMPLE_RATE)] for share in (0.25, 0.5))
    assert quarter - half == pytest.approx(15, abs=5)  # 60 dB over rt60; the treble, which decays faster, adds to it
