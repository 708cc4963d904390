"""What recipes are chosen by: mixtures of the pack's performances, speech and everyday sounds, none of them trained on.

Two real sounds of one loudness each; each separator answers for both, in plain words.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd

from authoring.recordings.pack import read_pack, read_sound
from lass_lab.datasets.instruments import EVERYDAY, INSTRUMENTS
from lass_lab.datasets.mixing import alike, match_energy
from lass_lab.experiments.evaluation import bootstrap, level_db
from lass_lab.models import LanguageSeparator
from lass_lab.signal.audio import SAMPLE_RATE
from lass_lab.signal.metrics import sdr_improvement

SECONDS = 3.0  # of a mixture
LIBRARIES = ("medley_solos_db",)  # of performances
SPEECH = ("librosa",)
# The table's names of what is played, spoken or heard -> what the separator knows it as.
KNOWN_AS = {"distorted electric guitar": "electric guitar", "female singer": "singing voice"}
ABSENT = ("accordion", "harp", "marimba", "tuba", "cello", "banjo")  # asked for where they are not
REAL, SPOKEN, HEARD, NOWHERE = "real performances", "speech from music", "an everyday sound from music", "absent"


@dataclass(frozen=True)
class Real:
    """A real sound: what it is known as, the words that ask for it, and its waveform `(samples,)` at 32 kHz."""

    name: str
    query: str
    waveform: np.ndarray


def real_mixtures(pack: Path, pairs: int) -> list[tuple[str, tuple[Real, Real]]]:
    """`pairs` pairs for each trial: REAL, of different instruments; SPOKEN and HEARD, of which the second is music."""
    played, spoken, heard = _performances(pack), _speech(pack), _everyday(pack)
    rng = np.random.default_rng(5)
    drawn = []
    for trial, firsts in ((REAL, played), (SPOKEN, spoken), (HEARD, heard)):
        for _ in range(pairs):
            first = firsts[rng.integers(len(firsts))]
            others = [each for each in played if not alike(each.name, first.name)]
            if trial != REAL:  # where nobody is sure to keep quiet, a singer would be asked for by "speech" as well
                others = [each for each in others if each.name in INSTRUMENTS]
            drawn.append((trial, (first, others[rng.integers(len(others))])))
    return drawn


def choose_by(separator: LanguageSeparator, pack: Path, *, pairs: int) -> pd.DataFrame:
    """Measure a separator on the real mixtures.

    Returns:
        One row an answer: trial, name, sdri (dB; for the trial "absent" the estimate's level under the mixture's).
    """
    rows = []
    for number, (trial, (first, second)) in enumerate(real_mixtures(pack, pairs)):
        sources = first.waveform, match_energy(second.waveform, first.waveform)
        mixture = sources[0] + sources[1]
        absent = ABSENT[number % len(ABSENT)]
        asked = [first.query, second.query, *([absent] if trial == REAL else [])]
        estimates = separator.separate(mixture, asked, progress=False)
        answers = zip((first, second)[: 2 if trial == REAL else 1], sources, estimates, strict=False)
        for real, source, estimate in answers:
            rows.append((trial, real.name, sdr_improvement(source, estimate, mixture)))
        if trial == REAL:
            rows.append((NOWHERE, absent, level_db(estimates[-1], mixture)))
    return pd.DataFrame(rows, columns=["trial", "name", "sdri"])


def summary(table: pd.DataFrame) -> pd.DataFrame:
    """One row a trial: mean, low, high (95% bootstrap over answers), above (share of answers over 0 dB), answers."""
    rows = []
    for trial, group in table.groupby("trial", sort=False):
        values = group["sdri"].to_numpy()
        rows.append((trial, values.mean(), *bootstrap(values), np.mean(values > 0), len(values)))
    return pd.DataFrame(rows, columns=["trial", "mean", "low", "high", "above", "answers"])


@cache
def _performances(pack: Path) -> list[Real]:
    return [
        Real(KNOWN_AS.get(row.instrument, row.instrument), row.instrument, _cut(pack, row.path))
        for row in _solos(LIBRARIES).itertuples()
    ]


@cache
def _speech(pack: Path) -> list[Real]:
    size = round(SECONDS * SAMPLE_RATE)
    found = []
    for row in _solos(SPEECH).itertuples():
        waveform = read_sound(pack, row.path)
        starts: Sequence[int] = range(0, len(waveform) - size + 1, size)
        found += [Real("speech", "a person speaking", waveform[start : start + size]) for start in starts]
    return found


@cache
def _everyday(pack: Path) -> list[Real]:
    rows = [row for row in _solos(("esc10",)).itertuples() if row.instrument in EVERYDAY]
    return [Real(row.instrument, row.instrument, _cut(pack, row.path)) for row in rows]


def _solos(libraries: Sequence[str]) -> pd.DataFrame:
    table = read_pack("solo")
    return table[table["library"].isin(libraries)]


def _cut(pack: Path, path: str) -> np.ndarray:
    """The loudest 3 s of a file, or all of a shorter one with silence after it."""
    waveform, size = read_sound(pack, path), round(SECONDS * SAMPLE_RATE)
    padded = np.pad(waveform, (0, max(0, size - len(waveform))))
    energy = np.concatenate(([0.0], np.cumsum(np.square(padded, dtype=np.float64))))
    start = int(np.argmax(energy[size:] - energy[:-size]))
    return padded[start : start + size]
