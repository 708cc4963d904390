"""A small seeded composer: a key, a chord a bar, a melody made of motifs, and counterpoint to go with it.

Nothing here makes sound. A *line* is a list of `Event`s in beats; `performance.perform` turns a line into
`Note`s in seconds. The same seed gives the same notes.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from authoring.rendering.performance import Event, Note, cut, perform

MODES = {
    "major": (0, 2, 4, 5, 7, 9, 11),
    "minor": (0, 2, 3, 5, 7, 8, 10),
    "dorian": (0, 2, 3, 5, 7, 9, 10),
    "mixolydian": (0, 2, 4, 5, 7, 9, 10),
}
# Which chords (scale degrees from 0) may follow which: common practice, with repeats as weights.
_FOLLOWS = {0: (3, 4, 5, 1, 3, 4), 1: (4, 4, 3), 3: (4, 0, 1, 4), 4: (0, 0, 5, 3), 5: (3, 1, 4)}
# Ways to fill one beat, for beats that split in two and in three.
_CELLS = {
    2: ((1,), (1,), (1 / 2, 1 / 2), (1 / 2, 1 / 2), (3 / 4, 1 / 4), (1 / 2, 1 / 4, 1 / 4), (1 / 4,) * 4),
    3: ((1,), (2 / 3, 1 / 3), (2 / 3, 1 / 3), (1 / 3,) * 3),
}
_CONSONANT = (0, 3, 4, 7, 8, 9)  # semitones, within the octave
_PERFECT = (0, 7)


@dataclass(frozen=True)
class Score:
    """Voices that belong together (each a list of `Note`s), and the pitch classes of their key."""

    voices: tuple[tuple[Note, ...], ...]
    key: tuple[int, ...]


def ladder(tonic: int, mode: str) -> list[int]:
    """Every MIDI pitch of the key, lowest first; tonic is a pitch class (0 is C)."""
    classes = {(tonic + step) % 12 for step in MODES[mode]}
    return [pitch for pitch in range(128) if pitch % 12 in classes]


def compose(seed: int | Sequence[int], seconds: float, voices: int = 2) -> Score:
    """Music for `voices` players in one key and tempo, about as long as asked and never longer.

    The first voice is a melody made of motifs; each further one is counterpoint to those before it.
    """
    rng = np.random.default_rng(seed)
    tonic = int(rng.integers(12))
    mode = str(rng.choice(list(MODES), p=(0.45, 0.35, 0.1, 0.1)))
    beats, split = ((2, 2), (3, 2), (4, 2), (4, 2), (2, 3))[rng.integers(5)]
    tempo = float(rng.uniform(60, 150)) / (1.3 if split == 3 else 1.0)
    bars = math.ceil(seconds * tempo / 60 / beats) + 1
    chords = progression(bars, rng)
    steps = ladder(tonic, mode)
    lines = [melody(steps, tonic, chords, beats, split, rng)]
    while len(lines) < voices:
        centre = 67 - 7 * len(lines) * int(rng.choice((-1, 1)))
        lines.append(counterpoint(lines, steps, rng, beats=beats, split=split, centre=centre))
    played = [perform(line, tempo, steps, rng, phrase_beats=4 * beats) for line in lines]
    key = tuple(sorted({pitch % 12 for pitch in steps}))
    return Score(tuple(tuple(cut(notes, seconds - 0.05)) for notes in played), key)


def progression(bars: int, rng: np.random.Generator) -> list[int]:
    """One chord a bar, as scale degrees from 0; every fourth bar closes on the fifth or the first."""
    chords = [0]
    for bar in range(1, bars):
        chords.append(int(rng.choice((0, 4))) if bar % 4 == 3 else int(rng.choice(_FOLLOWS[chords[-1]])))
    return chords


def bar_rhythm(beats: int, split: int, calm: float, rng: np.random.Generator) -> list[float]:
    """Note lengths in beats that fill one bar; `calm` is the chance that a note fills two beats."""
    lengths: list[float] = []
    left = beats
    while left:
        if left >= 2 and rng.random() < calm:
            lengths.append(2.0)
            left -= 2
        else:
            lengths.extend(_CELLS[split][rng.integers(len(_CELLS[split]))])
            left -= 1
    return lengths


def melody(
    steps: list[int], tonic: int, chords: list[int], beats: int, split: int, rng: np.random.Generator
) -> list[Event]:
    """Four-bar phrases of recurring motifs, mostly stepwise; motifs begin on chord notes, a rest follows."""
    motifs = [_motif(beats, split, rng) for _ in range(3)]
    form = ((0, 0, 1), (0, 1, 0), (0, 1, 2), (0, 0, 0))[rng.integers(4)]
    home = min(range(len(steps)), key=lambda i: (steps[i] % 12 != tonic, abs(steps[i] - 67)))
    place, line = home, []
    for bar, chord in enumerate(chords):
        start = float(bar * beats)
        place = _chord_tone(place + round((home - place) * 0.3), home, chord)
        if bar % 4 == 3:
            hold = beats - (0.5 if split == 2 else 1 / 3) * int(rng.integers(1, 3))
            line.append(Event(start, max(hold, 0.5), steps[place]))
            continue
        rhythm, moves = motifs[form[bar % 4]]
        if rng.random() < 0.35:
            moves = [*moves[:-1], int(rng.integers(-3, 4))]
        beat = start
        for length, move in zip(rhythm, moves, strict=True):
            line.append(Event(beat, length, steps[place]))
            beat += length
            place = int(np.clip(place + move, home - 8, home + 8))
    return line


def _motif(beats, split, rng) -> tuple[list[float], list[int]]:
    rhythm = bar_rhythm(beats, split, 0.25, rng)
    moves = rng.choice((-4, -2, -1, 0, 1, 2, 4), size=len(rhythm), p=(0.04, 0.12, 0.3, 0.08, 0.3, 0.12, 0.04))
    return rhythm, [int(move) for move in moves]


def _chord_tone(place: int, home: int, chord: int) -> int:
    near = range(place - 3, place + 4)
    return min(near, key=lambda i: ((i - home - chord) % 7 not in (0, 2, 4), abs(i - place)))


def counterpoint(
    others: Sequence[Sequence[Event]],
    steps: list[int],
    rng: np.random.Generator,
    *,
    beats: int,
    split: int,
    centre: int,
) -> list[Event]:
    """A further voice to go with those given, as long as the first of them.

    The rule: move when the others hold and hold when they move; on the beat sound a consonance with every
    other voice; prefer contrary motion, small steps and imperfect consonances; no parallel fifths or octaves.
    The voice stays within nine semitones of `centre` (MIDI pitch); one in ten notes of up to a beat is left out.
    """
    total = max(event.end for event in others[0])
    candidates = [pitch for pitch in steps if abs(pitch - centre) <= 9]
    line: list[Event] = []
    before, before_others = min(candidates, key=lambda pitch: abs(pitch - centre)), [None] * len(others)
    for bar in range(math.ceil(total / beats - 1e-6)):
        start = float(bar * beats)
        busy = sum(start <= event.beat < start + beats for event in others[0]) / beats
        beat = start
        for length in bar_rhythm(beats, split, 0.5 if busy > 1.4 else 0.1, rng):
            sounding = [_sounding(other, beat) for other in others]
            on_beat = abs(beat - round(beat)) < 1e-6
            noise = rng.random(len(candidates))
            costs = [
                _cost(pitch, before, sounding, before_others, on_beat) + abs(pitch - centre) / 20 + extra
                for pitch, extra in zip(candidates, noise, strict=True)
            ]
            pitch = candidates[int(np.argmin(costs))]
            length = min(length, total - beat)
            if length > 0.05 and not (length <= 1 and rng.random() < 0.1):
                line.append(Event(beat, length, pitch))
                before, before_others = pitch, sounding
            beat += length
    return line


def _sounding(line: Sequence[Event], beat: float) -> int | None:
    return next((event.pitch for event in line if event.beat - 1e-6 <= beat < event.end - 1e-6), None)


def _cost(pitch, before, sounding, before_others, on_beat) -> float:
    move = pitch - before
    cost = 0.15 * max(abs(move) - 2, 0) + (0.8 if move == 0 else 0.0)
    for other, other_before in zip(sounding, before_others, strict=True):
        if other is None:
            continue
        interval = abs(pitch - other) % 12
        if interval not in _CONSONANT:
            cost += 4.0 if on_beat else 1.0
        elif interval in _PERFECT:
            cost += 0.6
        if other_before is None:
            continue
        other_move = other - other_before
        if move * other_move < 0:
            cost -= 0.7
        if move and interval in _PERFECT and abs(before - other_before) % 12 == interval and other_move:
            cost += 5.0
    return cost


def vary(line: Sequence[Event], steps: list[int], rng: np.random.Generator, chance: float) -> list[Event]:
    """Break up notes of a beat or more, each with that chance: half of it, then a step towards the next."""
    varied = []
    for event, after in zip(line, [*line[1:], None], strict=True):
        if event.length >= 1 and after is not None and event.pitch in steps and rng.random() < chance:
            way = np.sign(after.pitch - event.pitch) or rng.choice((-1, 1))
            half = event.length / 2
            passing = steps[steps.index(event.pitch) + int(way)]
            varied += [replace(event, length=half), Event(event.beat + half, half, passing)]
        else:
            varied.append(event)
    return varied
