"""A player made of recorded single notes: natural attacks and releases, legato, and a pitch that is never quite still.

Every note is one recording, chosen at random among those of about its pitch and loudness, and read at the speed that
gives its pitch. A sampler repeats itself; this repeats only what the player recorded twice.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.ndimage import map_coordinates, uniform_filter1d

from authoring.rendering.performance import Note
from lass_lab.datasets.instruments import Instrument
from lass_lab.signal.audio import SAMPLE_RATE, amplitude

NEAR = 1.0  # semitones beyond the nearest recording's within which others are chosen from, too
SEAM_S = 0.04  # over which one stretch of a recording passes into the next
LEGATO_GAP_S = 0.05  # notes that begin sooner after the last can be slurred
LEGATO_INTERVAL = 9  # semitones that a slur spans at most
VELOCITY_DB = 0.25  # a MIDI velocity is so many dB from the next


@dataclass(frozen=True)
class Recording:
    """One recorded note: its waveform `(samples,)` at 32 kHz, and its pitch as a MIDI number with its fraction."""

    waveform: np.ndarray
    pitch: float

    @cached_property
    def level(self) -> float:
        """The loudest 50 ms, RMS."""
        return float(self._envelope.max())

    @cached_property
    def attack(self) -> int:
        """The sample from where the note has its level, within 6 dB."""
        return int(np.argmax(self._envelope > self.level / 2))

    @cached_property
    def release(self) -> int:
        """The sample from where the note dies away: after it, it never comes within 9 dB of its level again."""
        return len(self.waveform) - int(np.argmax(self._envelope[::-1] > self.level * amplitude(-9)))

    @cached_property
    def _envelope(self) -> np.ndarray:
        power = uniform_filter1d(np.square(self.waveform, dtype=np.float64), SAMPLE_RATE // 20, mode="constant")
        return np.sqrt(np.maximum(power, 1e-20))


@dataclass(frozen=True)
class Player:
    """One musician's recorded notes.

    Attributes:
        instrument: which is played.
        notes: what was recorded, in any order.
    """

    instrument: Instrument
    notes: tuple[Recording, ...]

    @property
    def range(self) -> tuple[int, int]:
        """The lowest and the highest MIDI note that were recorded."""
        pitches = [note.pitch for note in self.notes]
        return round(min(pitches)), round(max(pitches))

    def play(self, notes: Sequence[Note], seconds: float, rng: np.random.Generator) -> np.ndarray:
        """What those notes sound like, float32 `(round(seconds * 32000),)`, dry. The same `rng` gives the same samples.

        Where the instrument is blown or bowed, three clips in five are slurred: notes that follow at once begin without
        an attack, overlap the one before, and glide in from its pitch.
        """
        hand = _Hand(self.instrument, seconds, rng)
        slurs = self.instrument.sustained and rng.random() < 0.6
        sound = np.zeros(round((seconds + 8) * SAMPLE_RATE), np.float32)
        before = None
        for note in sorted(notes, key=lambda note: note.start_s):
            slurred = slurs and before is not None and _follows(before, note)
            tone = self._tone(note, before.pitch if slurred else None, hand, rng)
            start = round((note.start_s - (SEAM_S / 2 if slurred else 0)) * SAMPLE_RATE)
            start = max(start, 0)
            sound[start : start + len(tone)] += tone[: len(sound) - start]
            before = note
        return sound[: round(seconds * SAMPLE_RATE)]

    def _tone(self, note: Note, slurred_from: int | None, hand: "_Hand", rng: np.random.Generator) -> np.ndarray:
        recording = self._choose(note, rng)
        start = recording.attack if slurred_from is not None else 0
        steps = hand.steps(note, recording.pitch, slurred_from)  # samples of the recording for each of the tone
        held = float(np.sum(steps))
        source = _held(recording, start, round(held), self.instrument.sustained, rng)
        final = np.full(max(0, int((len(source) - held) / steps[-1])), steps[-1])
        places = np.cumsum(np.concatenate((steps, final)))
        tone = map_coordinates(source, places[None], order=3, mode="constant")
        target = amplitude(-20 + VELOCITY_DB * (note.velocity - 80))
        tone *= target / recording.level
        if slurred_from is not None:
            _fade(tone, SEAM_S, rising=True)
        if not self.instrument.sustained and rng.random() < 0.7:  # damped: a hand, a damper, the next note's finger
            end, decay = len(steps), rng.uniform(0.03, 0.15) * SAMPLE_RATE
            tone[end:] *= np.exp(-np.arange(len(tone) - end) / decay)
        _fade(tone, 0.02, rising=False)
        return tone.astype(np.float32)

    def _choose(self, note: Note, rng: np.random.Generator) -> Recording:
        """A recording of about that pitch, of about that loudness among those, and long enough where one is."""
        apart = np.array([abs(each.pitch - note.pitch) for each in self.notes])
        near = [self.notes[index] for index in np.flatnonzero(apart <= apart.min() + NEAR)]
        needed = min(note.duration_s, 1.2) * SAMPLE_RATE
        long = [each for each in near if each.release - each.attack >= needed] or near
        ranked = sorted(long, key=lambda each: each.level)
        place = note.velocity / 127 * (len(ranked) - 1) + rng.normal(0, 0.3 * len(ranked))
        return ranked[int(np.clip(round(place), 0, len(ranked) - 1))]


class _Hand:
    """How one clip is intoned: a tuning, a slow random walk of a few cents, and vibrato of changing depth."""

    def __init__(self, instrument: Instrument, seconds: float, rng: np.random.Generator) -> None:
        count = round((seconds + 8) * 100)
        self.tuning = rng.normal(0, 8)
        drift = np.cumsum(rng.normal(0, 0.6, count)) if instrument.sustained else np.zeros(count)
        self.drift = drift - uniform_filter1d(drift, 800)  # a walk that keeps coming home
        self.depth = instrument.vibrato * rng.uniform(0, 1.0)  # recorded notes often have a vibrato of their own
        self.rate = rng.uniform(4.3, 6.8)
        self.rng = rng

    def steps(self, note: Note, recorded: float, slurred_from: int | None) -> np.ndarray:
        """The reading speed for each sample of a note while it is held."""
        count = max(1, round(note.duration_s * SAMPLE_RATE))
        time = np.arange(count) / SAMPLE_RATE
        cents = np.interp(note.start_s + time, np.arange(len(self.drift)) / 100, self.drift) + self.tuning
        cents += 100 * (note.pitch - recorded)
        if self.depth:
            cents += self.rng.normal(0, 4)
            onset = np.clip((time - self.rng.uniform(0.1, 0.4)) / 0.4, 0, 1)
            wave = np.sin(2 * np.pi * self.rate * self.rng.uniform(0.93, 1.07) * time + self.rng.uniform(0, 2 * np.pi))
            cents += self.depth * self.rng.uniform(0.3, 1.2) * onset * wave
        if slurred_from is not None:
            cents += 100 * (slurred_from - note.pitch) * np.exp(-time / self.rng.uniform(0.008, 0.035))
        return np.exp2(cents / 1200)


def _follows(before: Note, note: Note) -> bool:
    gap = note.start_s - (before.start_s + before.duration_s)
    return abs(gap) < LEGATO_GAP_S and 0 < abs(note.pitch - before.pitch) <= LEGATO_INTERVAL


def _held(recording: Recording, start: int, held: int, sustained: bool, rng: np.random.Generator) -> np.ndarray:
    """The recording from `start`, held for so many samples, and then its own release.

    A sustained note that was recorded too short goes on from a random place in its steady part, as often as needed;
    one that is let go sooner passes into its release.
    """
    waveform = recording.waveform
    if not sustained:
        return waveform[start:]
    seam = round(SEAM_S * SAMPLE_RATE)
    body, tail = waveform[start : recording.release], waveform[max(start, recording.release - seam) :]
    steady = recording.attack + (recording.release - recording.attack) // 4
    while len(body) < held and recording.release - steady > 4 * seam:
        again = int(rng.integers(steady, (steady + recording.release) // 2))
        body = _joined(body, waveform[again : recording.release], seam)
    return _joined(body[: max(held, 2 * seam)], tail, seam)


def _joined(first: np.ndarray, second: np.ndarray, seam: int) -> np.ndarray:
    """One after the other, crossfaded over `seam` samples at constant power."""
    seam = min(seam, len(first), len(second))
    angle = np.linspace(0, np.pi / 2, seam, dtype=np.float32)
    middle = first[len(first) - seam :] * np.cos(angle) + second[:seam] * np.sin(angle)
    return np.concatenate((first[: len(first) - seam], middle, second[seam:]))


def _fade(tone: np.ndarray, seconds: float, *, rising: bool) -> None:
    count = min(len(tone), round(seconds * SAMPLE_RATE))
    ramp = np.linspace(0, 1, count)
    if rising:
        tone[:count] *= ramp
    else:
        tone[len(tone) - count :] *= ramp[::-1]
