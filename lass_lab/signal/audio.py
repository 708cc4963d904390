"""Audio files in and out: every recording is checked here, made mono and brought to 32 kHz.

soundfile (libsndfile) decodes and encodes, soxr resamples.
"""

import math
import os
import warnings
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from io import FileIO
from pathlib import Path
from typing import NamedTuple

import numpy as np
import soundfile
import soxr

from lass_lab.signal.files import InputError, atomic_path

SAMPLE_RATE = 32_000  # Hz, everywhere inside the package

_SUBTYPES = {".wav": "PCM_16", ".flac": "PCM_16", ".ogg": "VORBIS", ".mp3": "MPEG_LAYER_III"}
LOUDEST = 1e10  # of a sample; full scale is 1, and from some 1e15 on float32 cannot hold a spectrum's energy
WRITE_BLOCK = 65_536  # samples, also at a time when read; libsndfile's Vorbis encoder puts a whole write on its stack


class AudioError(InputError):
    """A recording cannot be read, or a waveform cannot be written; the message names the file and why."""


class AudioWarning(UserWarning):
    """A waveform was changed before it was written; the message says how."""


class AudioInfo(NamedTuple):
    """What a file holds, before any conversion: rate in Hz, channels, and frames (samples per channel)."""

    sample_rate: int
    channels: int
    frames: int


def decibels(power: float) -> float:
    """`10 log10` of a power or of a ratio of two; -inf for 0. Of an amplitude or a ratio of two, take it twice."""
    return 10 * math.log10(power) if power else -math.inf


def amplitude(level_db: float) -> float:
    """The factor on samples that a level or gain in dB stands for: `10 ** (level_db / 20)`."""
    return 10 ** (level_db / 20)


def audio_info(path: str | os.PathLike[str]) -> AudioInfo:
    """What the header of a recording says. Raises AudioError as `read_audio`, for what shows without decoding it."""
    with _opened(Path(path)) as file:
        return AudioInfo(file.samplerate, file.channels, file.frames)


def read_audio(path: str | os.PathLike[str]) -> np.ndarray:
    """A recording as one checked waveform: float32 `(samples,)` at 32 kHz, at least one sample, all finite.

    WAV, FLAC, OGG, MP3 and whatever else libsndfile knows. Channels are averaged; any other rate is resampled
    by soxr at its best quality (VHQ, linear phase). Nothing is clipped: a lossy or floating-point file may
    pass 1.0 a little, as it does in the file.

    Raises:
        AudioError: missing, a folder, unreadable, not audio, without samples, NaN, infinite or beyond `LOUDEST`.
    """
    return np.concatenate(list(read_blocks(path)))


def read_blocks(path: str | os.PathLike[str]) -> Iterator[np.ndarray]:
    """The waveform that `read_audio` gives, sample for sample, in blocks `(samples,)`: memory stays flat.

    Raises:
        AudioError: as `read_audio`; a fault further on, such as NaN, only once the blocks before it are out.
    """
    path = Path(path)
    with _opened(path) as file:
        rate, read, given, last = file.samplerate, 0, 0, False
        resampler = None if rate == SAMPLE_RATE else soxr.ResampleStream(rate, SAMPLE_RATE, 1, quality="VHQ")
        while not last:
            frames = file.read(WRITE_BLOCK, dtype="float32", always_2d=True)
            last = not len(frames)
            finite = np.isfinite(frames).all(axis=1)
            if not finite.all():
                where = (read + np.argmin(finite)) / rate
                raise AudioError(f"{path}: holds NaN or infinite samples, the first at {where:.3f} s")
            if (peak := float(np.abs(frames).max(initial=0))) > LOUDEST:
                raise AudioError(f"{path}: has a peak of {peak:.3g}, where full scale is 1")
            block = frames.mean(axis=1, dtype=np.float64).astype(np.float32)
            if resampler:
                block = resampler.resample_chunk(block, last=last)
            if block.size:
                yield block
            read, given = read + len(frames), given + block.size
        if not given:
            raise AudioError(f"{path}: too short, {read} samples at {rate} Hz are none at {SAMPLE_RATE} Hz")


def write_audio(path: str | os.PathLike[str], waveform: np.ndarray, *, force: bool = False) -> float:
    """Write a mono waveform at 32 kHz as WAV or FLAC (16 bits), OGG (Vorbis) or MP3; never wraps and never clips.

    A waveform whose peak passes 1.0 is scaled as a whole to a peak of 1.0, with an `AudioWarning` that says
    by how much. 16-bit samples are rounded to steps of 1/32768; +1.0, for which there is no step, becomes the
    highest one. The file is written beside its place and moved in; missing folders are made.

    `waveform` is a real floating-point `(samples,)`, at least one sample, NumPy array or tensor on the CPU. Returns the
    gain in dB that was applied: negative where the waveform had to be scaled, otherwise 0.0.

    Raises:
        AudioError: another suffix, a wrong shape or type, NaN or infinite.
        InputError: `path` exists and `force` is False, or cannot be written.
    """
    path = Path(path)
    check_suffix(path)
    samples = checked_waveform(waveform, path)
    with atomic_path(path, force) as temporary:
        blocks = (samples[start : start + WRITE_BLOCK] for start in range(0, len(samples), WRITE_BLOCK))
        return encode(path, temporary, blocks, float(np.abs(samples).max()))


def check_suffix(path: Path) -> None:
    """Raises AudioError where `write_audio` knows no format for that suffix."""
    if path.suffix.lower() not in _SUBTYPES:
        kind = path.suffix.lower() or "a file without a suffix"
        raise AudioError(f"{path}: cannot write {kind}; use {', '.join(_SUBTYPES)}")


def encode(path: Path, temporary: Path, blocks: Iterable[np.ndarray], peak: float) -> float:
    """Write checked blocks to `temporary`, which is to become `path`, scaled as one where their peak passes 1.0.

    `blocks` are floating-point `(samples,)`, at most `WRITE_BLOCK` samples each, and `peak` is the highest magnitude in
    all of them. Returns the gain in dB that was applied; where it is not 0.0, an `AudioWarning` says so. Raises
    AudioError where the disk does not take the file.
    """
    gain_db = -2 * decibels(peak) if peak > 1 else 0.0
    if peak > 1:
        message = f"{path}: peak {peak:.4g} is above full scale; all of it is scaled by {gain_db:.2f} dB"
        warnings.warn(message, AudioWarning, stacklevel=3)
    suffix, faults = path.suffix.lower(), []
    subtype = _SUBTYPES[suffix]
    try:
        with temporary.open("w+b", buffering=0) as disk:
            told = _Told(disk, faults)
            with soundfile.SoundFile(told, "w", SAMPLE_RATE, 1, subtype, format=suffix[1:].upper()) as file:
                for samples in blocks:
                    if peak > 1:  # rounding may leave the peak one float above 1
                        samples = np.clip(samples / peak, -1, 1)
                    file.write(_rounded(samples) if subtype == "PCM_16" else samples)
            if faults:
                raise faults[0]
    except OSError as error:
        raise AudioError(f"{path}: cannot be written ({error.strerror})") from error
    except (soundfile.LibsndfileError, AssertionError) as error:  # the latter is soundfile's, of a write cut short
        if not faults:
            raise
        raise AudioError(f"{path}: cannot be written ({faults[0].strerror})") from error
    return gain_db


class _Told:
    """A file for libsndfile that keeps the faults: of one in its last write, as it closes a file, it says nothing."""

    def __init__(self, file: FileIO, faults: list[OSError]) -> None:
        self._file, self._faults = file, faults
        self.seek, self.tell, self.readinto = file.seek, file.tell, file.readinto

    def write(self, data: bytes) -> int:
        done = 0
        try:
            while done < len(data):
                done += self._file.write(data[done:])
        except OSError as error:
            self._faults.append(error)
        return done


def checked_waveform(waveform: np.ndarray, name: str | os.PathLike[str]) -> np.ndarray:
    """The waveform as a NumPy array `(samples,)`, float64 where it was that and float32 otherwise, once checked.

    It may be an array, a sequence, or a tensor on the CPU. Raises AudioError, which calls it `name`, where it is not
    one-dimensional, empty, not floating-point, NaN or infinite.
    """
    samples = np.asarray(waveform)
    if samples.ndim != 1 or not samples.size:
        raise AudioError(f"{name}: needs a waveform of shape (samples,), was given {samples.shape}")
    if not np.issubdtype(samples.dtype, np.floating):
        raise AudioError(f"{name}: needs a waveform of floating-point numbers, was given {samples.dtype}")
    with np.errstate(over="ignore"):  # what the narrower type cannot hold becomes infinite, and is refused
        samples = samples.astype(np.float64 if samples.dtype == np.float64 else np.float32, copy=False)
    if not np.isfinite(samples).all():
        raise AudioError(f"{name}: holds NaN or infinite samples")
    return samples


@contextmanager
def _opened(path: Path) -> Iterator[soundfile.SoundFile]:
    try:
        if path.is_dir():
            raise AudioError(f"{path}: is a folder, not an audio file")
        if not path.exists():
            raise AudioError(f"{path}: no such file")
        if not os.access(path, os.R_OK):
            raise AudioError(f"{path}: may not be read (permission denied)")
        if not path.stat().st_size:
            raise AudioError(f"{path}: is empty (0 bytes)")
    except OSError as error:  # a name that is too long, or a folder on the way to it that is locked
        raise AudioError(f"{path}: cannot be read ({error.strerror})") from error
    try:
        with soundfile.SoundFile(path) as file:
            if not file.frames:
                raise AudioError(f"{path}: holds no samples")
            yield file
    except soundfile.LibsndfileError as error:
        raise AudioError(f"{path}: cannot be read as audio ({error.error_string.strip().rstrip('.')})") from error
    except TypeError as error:  # soundfile's answer to headerless .raw
        raise AudioError(f"{path}: cannot be read as audio (raw samples without a header)") from error


def _rounded(samples: np.ndarray) -> np.ndarray:
    # libsndfile rounds down for WAV, which adds half a step of offset, and to the nearest for FLAC.
    return np.clip(np.rint(samples.astype(np.float64) * 32768), -32768, 32767).astype(np.int16)
