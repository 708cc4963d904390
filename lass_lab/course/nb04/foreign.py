"""Recordings as a studio sends them, made of the shipped duets so that there is something to slice."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import soundfile
import soxr

from lass_lab.datasets import Piece, load_piece
from lass_lab.datasets.layouts import URMP
from lass_lab.datasets.slicing import SliceReport
from lass_lab.signal import SAMPLE_RATE

STUDIO_RATE = 44_100
PIECES = {"01_Joy": "joy", "02_Greensleeves": "greensleeves", "03_Tempus": "tempus"}
REST_S = (9.5, 20.5)  # while the trumpet of the second piece has nothing to play
_SHORT = {name: short for short, name in URMP.items()}


def write_recordings(folder: Path, seconds: float) -> list[Path]:
    """Write the beginnings of three duets to `folder`, each as `write_recording` does; returns their folders.

    The first two have related SoundFonts, the third an unrelated one; the trumpet of the second rests for a while.
    Existing files are overwritten.

    Args:
        seconds: of each piece, or all of it where it is shorter.
    """
    places = []
    for title, name in PIECES.items():
        whole = load_piece(name)
        piece = whole.slice(0, min(seconds, whole.seconds))
        if name == "greensleeves":
            piece.sources["trumpet"] = _rested(piece.sources["trumpet"])
        places.append(write_recording(folder, piece, title))
    return places


def write_recording(folder: Path, piece: Piece, title: str) -> Path:
    """Write a piece as URMP has it, in stereo at 44.1 kHz and 16 bits, and return its own folder in `folder`.

    Each player is nearer to one side; the mean of both channels is the original source.

    Args:
        title: what the files are called, `02_Spring`: such as `AuSep_1_vn_02_Spring.wav`.
    """
    players = [_SHORT[name] for name in piece.sources]
    place = folder / "_".join([title, *players])
    place.mkdir(parents=True, exist_ok=True)
    sides = np.linspace(0.7, 1.3, len(players))
    stems = []
    for number, (short, side, source) in enumerate(zip(players, sides, piece.sources.values(), strict=True), 1):
        raised = soxr.resample(source, SAMPLE_RATE, STUDIO_RATE, quality="VHQ")
        stems.append(np.outer(raised, (2 - side, side)))
        soundfile.write(place / f"AuSep_{number}_{short}_{title}.wav", stems[-1], STUDIO_RATE, "PCM_16")
    soundfile.write(place / f"AuMix_{place.name}.wav", sum(stems), STUDIO_RATE, "PCM_16")
    return place


def rewrite(path: Path, change: Callable[[np.ndarray], np.ndarray]) -> None:
    """Put `change(sound)` in place of a file's sound `(samples, channels)`, in floating point."""
    sound, rate = soundfile.read(path)
    soundfile.write(path, change(sound), rate, "FLOAT")  # only floating point can hold NaN, as broken files do


def report_table(report: SliceReport, folder: Path) -> pd.DataFrame:
    """What a report says about each piece in `folder`: why it was left out, or a warning, or nothing."""
    said: dict[str, list[str]] = {place.name: [] for place in sorted(folder.iterdir())}
    for fault in report.faults:
        said[fault.piece].append(f"left out: {fault.path.name} {fault.what}".replace(str(folder), "..."))
    for note in report.notes:
        name, warning, what = note.partition(": warning: ")
        if warning:
            said[name].append(f"warning: {what}")
    rows = [(name, "; ".join(lines) or "nothing") for name, lines in said.items()]
    return pd.DataFrame(rows, columns=["piece", "what the report says"])


def _rested(source: np.ndarray) -> np.ndarray:
    """The source with a rest in it, faded out and in over a tenth of a second."""
    begin, end = (round(seconds * SAMPLE_RATE) for seconds in REST_S)
    fade = SAMPLE_RATE // 10
    gain = np.interp(np.arange(len(source)), [begin, begin + fade, end - fade, end], [1, 0, 0, 1])
    return source * gain.astype(np.float32)
