"""From written to played: a player's dynamics, articulation, ornaments and inexactness; range and chords.

Times are in beats as long as music is written (`Event`), in seconds once it is played (`Note`).
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from lass_lab.datasets.instruments import Instrument


@dataclass(frozen=True)
class Event:
    """A written note: where it begins and how long it lasts in beats, and its MIDI pitch."""

    beat: float
    length: float
    pitch: int

    @property
    def end(self) -> float:
        return self.beat + self.length


@dataclass(frozen=True)
class Note:
    """A played note: start and duration in seconds, MIDI pitch and velocity (1-127)."""

    start_s: float
    duration_s: float
    pitch: int
    velocity: int


def perform(
    line: Sequence[Event],
    tempo: float,
    steps: list[int],
    rng: np.random.Generator,
    *,
    phrase_beats: float,
    ornaments: float | None = None,
) -> list[Note]:
    """Play a line: each phrase has dynamics and an articulation of its own, each note small random deviations.

    tempo in beats per minute. `ornaments` is the chance that a note of a beat or more gets a trill or a grace
    note; by default one player in three uses them.
    """
    if ornaments is None:
        ornaments = 0.25 if rng.random() < 1 / 3 else 0.0
    second = 60.0 / tempo
    notes: list[Note] = []
    phrase, level, arc, share = -1, 80.0, 0.0, 1.0
    for event in line:
        if int(event.beat // phrase_beats) != phrase:
            phrase = int(event.beat // phrase_beats)
            level, arc = rng.uniform(58, 102), rng.uniform(-4, 22)
            share = float(rng.choice((1.05, 1.0, 0.92, 0.75, 0.5), p=(0.3, 0.25, 0.2, 0.15, 0.1)))
        where = (event.beat % phrase_beats) / phrase_beats
        accent = 5 if abs(event.beat - round(event.beat)) < 1e-6 else 0
        velocity = int(np.clip(level + arc * math.sin(math.pi * where) + accent + rng.normal(0, 4), 25, 124))
        start = max(event.beat * second + rng.normal(0, 0.010), 0.0)
        duration = max(event.length * second * share * rng.uniform(0.95, 1.03), 0.07)
        note = Note(start, duration, event.pitch, velocity)
        if event.length >= 1 and duration > 0.35 and rng.random() < ornaments:
            notes.extend(_ornament(note, steps, rng))
        else:
            notes.append(note)
    return notes


def _ornament(note: Note, steps: list[int], rng: np.random.Generator) -> list[Note]:
    above = next(pitch for pitch in steps if pitch > note.pitch)
    if rng.random() < 0.5:
        grace = Note(note.start_s, 0.08, above, max(note.velocity - 8, 1))
        return [grace, replace(note, start_s=note.start_s + 0.08, duration_s=note.duration_s - 0.08)]
    period = float(rng.uniform(0.09, 0.14))
    turns = max(int(min(note.duration_s * 0.7, 1.2) / period) // 2 * 2, 2)
    trill = [
        Note(note.start_s + i * period, period * 1.02, above if i % 2 else note.pitch, note.velocity)
        for i in range(turns)
    ]
    rest = note.duration_s - turns * period
    return [*trill, replace(note, start_s=note.start_s + turns * period, duration_s=max(rest, 0.08))]


def fit_to_range(notes: Sequence[Note], instrument: Instrument, rng: np.random.Generator) -> list[Note]:
    """Move a voice by octaves into a random register of the instrument, and fold in what still sticks out."""
    middle = float(np.median([note.pitch for note in notes]))
    margin = min(5.0, (instrument.high - instrument.low) / 4)
    wanted = rng.uniform(instrument.low + margin, instrument.high - margin)
    shift = 12 * round((wanted - middle) / 12)
    return [replace(note, pitch=_fold(note.pitch + shift, instrument.low, instrument.high)) for note in notes]


def _fold(pitch: int, low: int, high: int) -> int:
    if pitch < low:
        return low + (pitch - low) % 12
    return min(pitch, high - (high - pitch) % 12)


def add_chords(
    notes: Sequence[Note], key: Sequence[int], instrument: Instrument, rng: np.random.Generator
) -> list[Note]:
    """Thicken the longer notes with one or two notes of the key a third apart below, within the range."""
    thick = list(notes)
    for note in notes:
        if note.duration_s < 0.25 or rng.random() < 0.4:
            continue
        below = [pitch for pitch in range(note.pitch - 12, note.pitch) if pitch % 12 in key][::-1]
        for pitch in below[1 : 2 * int(rng.integers(1, 3)) : 2]:
            if pitch >= instrument.low:
                thick.append(replace(note, pitch=pitch, velocity=max(note.velocity - 10, 1)))
    return sorted(thick, key=lambda note: (note.start_s, note.pitch))


def cut(notes: Sequence[Note], seconds: float) -> list[Note]:
    """The notes that begin before `seconds` (less a little), shortened to end by then."""
    return [
        replace(note, duration_s=min(note.duration_s, seconds - note.start_s))
        for note in notes
        if note.start_s < seconds - 0.1
    ]
