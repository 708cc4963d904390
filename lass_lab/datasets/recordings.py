"""Recordings of one piece, read and checked: do they belong together, and is the mixture the sum of the stems?"""

import hashlib
import math
import warnings
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from scipy.signal import correlate

from lass_lab.datasets.layouts import Fault, FoundPiece
from lass_lab.datasets.mixing import PEAK
from lass_lab.signal.audio import SAMPLE_RATE, audio_info, decibels, read_audio
from lass_lab.signal.files import AudioError, AudioWarning, DamageWarning

TRIM_S = 0.05  # stems whose lengths differ by more do not belong together
MOST_LAG_S = 0.25  # by which a stem may lie wrong: encoders' delays are far shorter
EXPLAINED_DB = 3.0  # that the mixture and the sum have to be nearer once stems are moved
MISMATCH_DB = -20.0  # a mixture that differs by more from the sum of its stems was made in another way


@dataclass
class Recording:
    """A piece as it was read.

    stems: for each source float32 (samples,), 32 kHz mono, all of one length; empty where there are faults.
    sample_rates: of the files, in Hz, before resampling. error_db: energy of the mixture minus the sum of the stems,
    against the mixture's; -inf where they are the same, NaN where there is no mixture. faults: why the piece cannot be
    used. notes: what was done to it, and warnings.
    """

    stems: dict[str, np.ndarray] = field(default_factory=dict)
    sample_rates: set[int] = field(default_factory=set)
    error_db: float = math.nan
    faults: list[Fault] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def read_recording(piece: FoundPiece, known: dict[bytes, Path], seconds: float, *, align: bool = False) -> Recording:
    """Read a piece and check it, which must last `seconds`; whatever is wrong stands in the result's faults.

    known: the digest of every file that was read before; this piece's are added. align: move stems that are late or
    early against the mixture to where they belong.
    """
    recording, waveforms = Recording(), {}

    def fail(path: Path, what: str) -> None:
        recording.faults.append(Fault(piece.name, path, what))

    stems = [path for paths in piece.stems.values() for path in paths]
    for path in [*stems, piece.mixture] if piece.mixture else stems:
        try:
            with warnings.catch_warnings(record=True) as caught:
                warnings.simplefilter("always", AudioWarning)
                warnings.simplefilter("error", DamageWarning)
                recording.sample_rates.add(audio_info(path).sample_rate)
                waveforms[path] = read_audio(path)
        except (AudioError, DamageWarning) as error:
            fail(path, str(error).removeprefix(f"{path}: "))
            continue
        recording.notes += [f"warning: {warning.message}" for warning in caught]
        digest = hashlib.sha256(waveforms[path]).digest()
        if np.abs(waveforms[path]).max() < 0.5 / 32768:
            fail(path, "is silent from beginning to end")
        elif (other := known.setdefault(digest, path)) != path:
            fail(path, f"holds the same samples as {other}")
    if recording.faults:
        return recording
    lasts = {path: len(waveforms[path]) / SAMPLE_RATE for path in sorted(stems, key=lambda path: len(waveforms[path]))}
    (first, shortest), (last, longest) = list(lasts.items())[0], list(lasts.items())[-1]
    if longest - shortest > TRIM_S:
        fail(first, f"lasts {shortest:.3f} s, but {last.name} beside it {longest:.3f} s")
    elif shortest < seconds:
        fail(first, f"lasts {shortest:.3f} s, too short for a slice of {seconds:g} s")
    if recording.faults:
        return recording
    if longest > shortest:
        apart = 1000 * (longest - shortest)
        recording.notes.append(f"its stems differ in length by {apart:.1f} ms; all are cut to the shortest")
    for source, paths in piece.stems.items():
        recording.stems[source] = sum(waveforms.pop(path)[: round(shortest * SAMPLE_RATE)] for path in paths)
        if len(paths) > 1:
            recording.notes.append(f"its {len(paths)} stems of '{source}' are summed to one source")
    if piece.mixture:
        mixture = waveforms[piece.mixture]
        if _error_db(*_cut(mixture, sum(recording.stems.values()))) > MISMATCH_DB:
            _find_lags(mixture, recording, align)
        _compare(mixture, sum(recording.stems.values()), recording)
    return recording


def _find_lags(mixture: np.ndarray, recording: Recording, align: bool) -> None:
    """Note which stems are late or early against the mixture, if that explains it; with `align` move them as well."""
    moved, found = dict(recording.stems), {}
    for name, stem in recording.stems.items():
        whole, part = _cut(mixture, stem)
        reach = min(round(MOST_LAG_S * SAMPLE_RATE), len(part) - 1)
        across = correlate(whole, part, method="fft")[len(part) - 1 - reach : len(part) + reach]
        if late := reach - int(np.argmax(across)):
            found[name], moved[name] = late, np.zeros_like(stem)
            moved[name][max(-late, 0) : len(stem) - max(late, 0)] = stem[max(late, 0) : len(stem) - max(-late, 0)]
    before, after = (_error_db(*_cut(mixture, sum(stems.values()))) for stems in (recording.stems, moved))
    if after > before - EXPLAINED_DB:
        return
    for name, late in found.items():
        lag = f"{abs(late)} samples ({1000 * abs(late) / SAMPLE_RATE:.1f} ms) {'late' if late > 0 else 'early'}"
        recording.notes.append(
            f"{'' if align else 'warning: '}'{name}' is {lag}" + ("; moved" if align else "; --align moves it")
        )
    if align:
        recording.stems.update(moved)


def _cut(mixture: np.ndarray, other: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Both `(samples,)` as far as both go, in float64."""
    size = min(len(mixture), len(other))
    return mixture[:size].astype(np.float64), other[:size].astype(np.float64)


def _compare(mixture: np.ndarray, total: np.ndarray, recording: Recording) -> None:
    """How far the mixture is from the sum of the stems, both (samples,); a warning where that is too far."""
    mixture, total = _cut(mixture, total)
    recording.error_db = _error_db(mixture, total)
    if recording.error_db > MISMATCH_DB:
        gain = float(mixture @ total) / max(float(total @ total), 1e-20)
        scaled_db = _error_db(mixture, gain * total)
        only = f" (it is only at another level: {scaled_db:+.1f} dB from {gain:.3f} times the sum)"
        told = f"its mixture is {recording.error_db:+.1f} dB from the sum of its stems, which takes its place"
        recording.notes.append(f"warning: {told}{only if scaled_db < MISMATCH_DB else ''}")


def _error_db(mixture: np.ndarray, total: np.ndarray) -> float:
    return decibels(float(np.sum((mixture - total) ** 2)) / max(float(mixture @ mixture), 1e-20))


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
    if peak > 32767:
        gain = PEAK * 32768 / peak
        steps = rounded(gain)
        notes.append(f"its peak is {peak / 32768:.3f}, so all of it is turned down by {-2 * decibels(gain):.1f} dB")
    return {name: step.astype(np.int32) for name, step in steps.items()}
