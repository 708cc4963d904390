"""A player of recorded notes: in tune, in time, as long as asked, and natural at both ends."""

import numpy as np
import pytest

from authoring.recordings.player import Player, Recording
from authoring.rendering.performance import Note
from lass_lab.datasets.instruments import INSTRUMENTS
from lass_lab.signal.audio import SAMPLE_RATE


def recorded(pitch, seconds=1.0, level=0.3):
    """A tone with an attack of 50 ms and a release of 200 ms."""
    time = np.arange(round(seconds * SAMPLE_RATE)) / SAMPLE_RATE
    shape = np.minimum(1, time / 0.05) * np.clip((seconds - time) / 0.2, 0, 1)
    hertz = 440 * 2 ** ((pitch - 69) / 12)
    return Recording((level * shape * np.sin(2 * np.pi * hertz * time)).astype(np.float32), float(pitch))


def player(name="violin", pitches=range(55, 90, 2), **kind):
    return Player(INSTRUMENTS[name], tuple(recorded(pitch, **kind) for pitch in pitches))


def pitch_of(sound):
    spectrum = np.abs(np.fft.rfft(sound * np.hanning(len(sound)), 8 * len(sound)))
    return 69 + 12 * np.log2(np.argmax(spectrum) * SAMPLE_RATE / (8 * len(sound)) / 440)


@pytest.mark.parametrize("pitch", [55, 62, 69, 88])
def test_a_note_has_its_pitch_whichever_recording_it_is_made_of(pitch):
    for seed in range(4):
        sound = player().play([Note(0.2, 1.0, pitch, 80)], 2.0, np.random.default_rng(seed))
        held = sound[round(0.4 * SAMPLE_RATE) : round(1.1 * SAMPLE_RATE)]
        assert pitch_of(held) == pytest.approx(pitch, abs=0.6)


@pytest.mark.parametrize("seconds", [0.2, 0.9, 4.0])
def test_a_sustained_note_sounds_as_long_as_it_is_written(seconds):
    sound = player().play([Note(0.5, seconds, 69, 80)], 6.0, np.random.default_rng(1))
    assert len(sound) == 6 * SAMPLE_RATE
    level = [np.sqrt(np.mean(part**2)) for part in sound.reshape(-1, SAMPLE_RATE // 20)]
    sounding = np.flatnonzero(np.array(level) > 0.2 * max(level)) / 20
    assert sounding[0] == pytest.approx(0.5, abs=0.06)
    assert sounding[-1] - sounding[0] == pytest.approx(seconds, abs=0.25)
    assert np.diff(sounding).max() < 0.11  # no hole where a recording was too short


def test_the_same_seed_gives_the_same_samples_and_louder_notes_are_louder():
    notes = [Note(0.1, 0.5, 69, 60), Note(1.0, 0.5, 69, 110)]
    first, again = (player().play(notes, 2.0, np.random.default_rng(3)) for _ in range(2))
    assert np.array_equal(first, again)
    soft, loud = (np.abs(part).max() for part in np.split(first, [round(0.8 * SAMPLE_RATE)]))
    assert loud > 2 * soft


def test_a_plucked_note_rings_on_from_its_own_recording():
    plucked = player("harp", seconds=2.0)
    assert np.abs(plucked.play([Note(0.0, 0.1, 69, 80)], 2.0, np.random.default_rng(0))).max() > 0.05
