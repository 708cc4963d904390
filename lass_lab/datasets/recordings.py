"""Recordings of one piece, read and checked: do they belong together, and is the mixture the sum of the stems?"""

from __future__ import annotations

import hashlib
import math
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from lass_lab.datasets.layouts import Fault, FoundPiece
from lass_lab.datasets.mixing import PEAK, audible
from lass_lab.signal.audio import SAMPLE_RATE, AudioError, audio_info, read_audio

TRIM_S = 0.05  # stems whose lengths differ by more do not belong together
MISMATCH_DB = -20.0  # a mixture that differs by more from the sum of its stems was made in another way
FULL_SCALE = 32767


@dataclass
class Recording:
    """A piece as it was read.

    Attributes:
        stems: for each source float32 (samples,), 32 kHz mono, all of one length; empty where there are faults.
        sample_rates: of the files, in Hz, before resampling.
        error_db: energy of the mixture minus the sum of the stems, against the mixture's; -inf where they are the same,
            None where there is no mixture.
        faults: why the piece cannot be used.
        notes: what was done to it, and warnings.
    """

    stems: dict[str, np.ndarray] = field(default_factory=dict)
    sample_rates: set[int] = field(default_factory=set)
    error_db: float | None = None
    faults: list[Fault] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def read_recording(piece: FoundPiece, heard: dict[bytes, Path], seconds: float) -> Recording:
    """Read a piece and check it; whatever is wrong stands in the result's faults.

    Args:
        piece: where its files lie.
        heard: the digest of every file that was read before; this piece's are added.
        seconds: of a slice, the least that a piece must last.
    """
    recording, waveforms = Recording(), {}
    stems = [path for paths in piece.stems.values() for path in paths]
    for path in [*stems, piece.mixture] if piece.mixture else stems:
        try:
            recording.sample_rates.add(audio_info(path).sample_rate)
            waveforms[path] = read_audio(path)
        except AudioError as error:
            recording.faults.append(Fault(piece.name, path, str(error).removeprefix(f"{path}: ")))
            continue
        digest = hashlib.sha256(waveforms[path]).digest()
        if np.abs(waveforms[path]).max() < 0.5 / 32768:
            recording.faults.append(Fault(piece.name, path, "is silent from beginning to end"))
        elif (other := heard.setdefault(digest, path)) != path:
            recording.faults.append(Fault(piece.name, path, f"holds the same samples as {other}"))
    if not recording.faults:
        _check_lengths(piece, {path: len(waveforms[path]) / SAMPLE_RATE for path in waveforms}, seconds, recording)
    if recording.faults:
        return recording
    end = min(len(waveforms[path]) for path in stems)
    for source, paths in piece.stems.items():
        recording.stems[source] = sum(waveforms.pop(path)[:end] for path in paths)
        if len(paths) > 1:
            recording.notes.append(f"its {len(paths)} stems of '{source}' are summed to one source")
        if not _heard_somewhere(recording.stems[source], seconds):
            recording.notes.append(f"warning: '{source}' is so soft that each of its slices counts as silent")
    if piece.mixture:
        _compare(waveforms[piece.mixture], sum(recording.stems.values()), recording)
    return recording


def _check_lengths(piece: FoundPiece, lasts: dict[Path, float], seconds: float, recording: Recording) -> None:
    """Do the stems, which last so many seconds each, end together? A fault where they do not, a note where nearly."""
    stems = sorted((path for path in lasts if path != piece.mixture), key=lasts.get)
    shortest, longest = lasts[stems[0]], lasts[stems[-1]]
    if longest - shortest > TRIM_S:
        what = f"lasts {shortest:.3f} s, but {stems[-1].name} beside it {longest:.3f} s"
        recording.faults.append(Fault(piece.name, stems[0], what))
    elif shortest < seconds:
        what = f"lasts {shortest:.3f} s, too short for a slice of {seconds:g} s"
        recording.faults.append(Fault(piece.name, stems[0], what))
    elif longest > shortest:
        apart = 1000 * (longest - shortest)
        recording.notes.append(f"its stems differ in length by {apart:.1f} ms; all are cut to the shortest")
    if piece.mixture and abs(lasts[piece.mixture] - shortest) > TRIM_S:
        told = f"its mixture lasts {lasts[piece.mixture]:.3f} s, its stems {shortest:.3f} s"
        recording.notes.append(f"warning: {told}")


def _heard_somewhere(waveform: np.ndarray, seconds: float) -> bool:
    size = round(seconds * SAMPLE_RATE)
    return any(audible(waveform[start : start + size]) for start in range(0, len(waveform) - size + 1, size))


def _compare(mixture: np.ndarray, total: np.ndarray, recording: Recording) -> None:
    """How far the mixture is from the sum of the stems, both (samples,); a warning where that is too far."""
    size = min(len(mixture), len(total))
    mixture, total = mixture[:size].astype(np.float64), total[:size].astype(np.float64)
    recording.error_db = _ratio_db(mixture - total, mixture)
    if recording.error_db > MISMATCH_DB:
        told = f"its mixture is {recording.error_db:+.1f} dB from the sum of its stems, which takes its place"
        gain = float(mixture @ total) / max(float(total @ total), 1e-20)
        turned = _ratio_db(mixture - gain * total, mixture)
        only = f" (it is only at another level: {turned:+.1f} dB from {gain:.3f} times the sum)"
        recording.notes.append(f"warning: {told}{only if turned < MISMATCH_DB else ''}")


def _ratio_db(error: np.ndarray, reference: np.ndarray) -> float:
    energy = float(error @ error)
    return 10 * math.log10(energy / max(float(reference @ reference), 1e-20)) if energy else -math.inf


def quantised(stems: dict[str, np.ndarray], notes: list[str]) -> dict[str, np.ndarray]:
    """Stems (samples,) as int32 in 16-bit steps, and last their sum, "mixture".

    Where any of them would clip, all are turned down by one gain, to a peak of 0.9, and a note says so.
    """

    def rounded(gain: float) -> dict[str, np.ndarray]:
        # Whole numbers, exact in float32 as far as 16 bits go; a floating-point file may hold any, so no integers yet.
        steps = {name: np.rint(stem * np.float32(32768 * gain)) for name, stem in stems.items()}
        return {**steps, "mixture": sum(steps.values())}

    steps = rounded(1.0)
    peak = max(float(np.abs(step).max()) for step in steps.values())
    if peak > FULL_SCALE:
        gain = PEAK * 32768 / peak
        steps = rounded(gain)
        notes.append(f"its peak is {peak / 32768:.3f}, so all of it is turned down by {-20 * math.log10(gain):.1f} dB")
    return {name: step.astype(np.int32) for name, step in steps.items()}
