"""Duets to see and to hear: clips of a bank, their notes, and mixtures of two of them, at 8 kHz."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.signal import resample_poly

from lass_lab.course.nb10.films import Scene, stage
from lass_lab.datasets.mixing import TRIES, SourceBank, audible, match_energy
from lass_lab.signal.files import InputError, data_dir

SAMPLE_RATE = 8000
HEARD = ("violin", "acoustic guitar", "clarinet", "trombone")
SPEEDS = (
    (5, 16),
    (5, 18),
    (1, 4),
    (2, 9),
    (1, 5),
)  # up, down from 32 kHz: four to two semitones lower, as it is, higher
GAIN_DB = 5.0  # by which the two of a duet are set apart at most, either way


@dataclass(frozen=True)
class Cut:
    """Some seconds of a clip: its number, samples at 8 kHz, and its notes as `films.Player` takes them."""

    clip: int
    look: str
    samples: np.ndarray
    notes: np.ndarray


class Clips:
    """The clips of a split of a bank, in memory; those to train with also faster and slower.

    Args:
        split: "train", "validation" or "test".
        folder: a bank with a notes.csv, by default the one that ships.

    Attributes:
        looks: of each clip, the instrument.
        notes: of each clip, `(notes, 3)`: onset and end in seconds, and MIDI pitch.
    """

    def __init__(self, split: str, folder: Path | None = None) -> None:
        folder = folder or data_dir() / "sources"
        bank = SourceBank(folder, split, HEARD)
        table = pd.read_csv(folder / "notes.csv")
        self.looks = list(bank.clips["instrument"])
        self.notes = [
            table.loc[table["path"] == path, ["onset", "end", "pitch"]].to_numpy() for path in bank.clips["path"]
        ]
        self._played = []
        for row, seconds in enumerate(bank.clips["seconds"]):
            clip = bank.read(row, 0, round(seconds * bank.sample_rate))
            speeds = SPEEDS if split == "train" else SPEEDS[2:3]
            self._played.append(
                [(down / up / 4, resample_poly(clip, up, down).astype(np.float32)) for up, down in speeds]
            )

    def cut(self, rng: np.random.Generator, look: str, samples: int) -> Cut:
        """A random cut of one of the instrument's clips, at a random speed, from where it can be heard."""
        clips = [number for number, name in enumerate(self.looks) if name == look]
        for _ in range(TRIES):
            clip = int(rng.choice(clips))
            speed, played = self._played[clip][rng.integers(len(self._played[clip]))]
            start = int(rng.integers(len(played) - samples))
            cut = played[start : start + samples]
            if audible(cut):
                times = self.notes[clip][:, :2] / speed - start / SAMPLE_RATE
                return Cut(clip, look, cut, np.column_stack([times, self.notes[clip][:, 2]]))
        raise InputError(f"{TRIES} cuts of '{look}' in a row were silent")

    def duet(self, rng: np.random.Generator, samples: int, looks: Sequence[str] | None = None) -> tuple[Cut, Cut]:
        """Two cuts, of two instruments where none are named, of about one loudness; their sum is the mixture."""
        first, second = (
            self.cut(rng, str(look), samples) for look in (rng.permutation(HEARD)[:2] if looks is None else looks)
        )
        louder = match_energy(second.samples, first.samples, rng.uniform(-GAIN_DB, GAIN_DB))
        return first, Cut(second.clip, second.look, louder, second.notes)


def scene(rng: np.random.Generator, *cuts: Cut) -> Scene:
    """A stage with these players on it."""
    return stage(rng, [cut.look for cut in cuts], [cut.notes for cut in cuts])
