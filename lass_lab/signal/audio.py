"""Audio files in and out: every recording is checked here, made mono and brought to 32 kHz, or left in its own form.

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
_FINER = {".wav": ("PCM_24", "PCM_32", "FLOAT", "DOUBLE"), ".flac": ("PCM_24",)}  # that a format can keep
_BITS = {"PCM_16": 16, "PCM_24": 24, "PCM_32": 32}
LOUDEST = 1e10  # of a sample; full scale is 1, and from some 1e15 on float32 cannot hold a spectrum's energy
WRITE_BLOCK = 65_536  # samples, also at a time when read; libsndfile's Vorbis encoder puts a whole write on its stack


class AudioError(InputError):
    """A recording cannot be read, or a waveform cannot be written; the message names the file and why."""


class AudioWarning(UserWarning):
    """A waveform was changed before it was written; the message says how."""


class AudioInfo(NamedTuple):
    """What a file holds, before any conversion: rate in Hz, channels, frames (samples per channel), and how a sample is
    coded, in libsndfile's words ("PCM_24", "FLOAT", ...)."""

    sample_rate: int
    channels: int
    frames: int
    subtype: str = ""


def decibels(power: float) -> float:
    """`10 log10` of a power or of a ratio of two; -inf for 0. Of an amplitude or a ratio of two, take it twice."""
    return 10 * math.log10(power) if power else -math.inf


def amplitude(level_db: float) -> float:
    """The factor on samples that a level or gain in dB stands for: `10 ** (level_db / 20)`."""
    return 10 ** (level_db / 20)


def audio_info(path: str | os.PathLike[str]) -> AudioInfo:
    """What the header of a recording says. Raises AudioError as `read_audio`, for what shows without decoding it."""
    with _opened(Path(path)) as file:
        return AudioInfo(file.samplerate, file.channels, file.frames, file.subtype)


def read_audio(path: str | os.PathLike[str], *, mono: bool = True) -> np.ndarray:
    """A recording as one checked waveform: float32 `(samples,)` at 32 kHz, at least one sample, all finite.

    WAV, FLAC, OGG, MP3 and whatever else libsndfile knows. Channels are averaged, or with `mono=False` all kept,
    `(channels, samples)`; any other rate is resampled by soxr at its best quality (VHQ, linear phase). Nothing is
    clipped: a lossy or floating-point file may pass 1.0 a little, as it does in the file.

    Raises:
        AudioError: missing, a folder, unreadable, not audio, without samples, NaN, infinite or beyond `LOUDEST`.
    """
    return np.concatenate(list(read_blocks(path, mono=mono)), axis=-1)


def read_blocks(
    path: str | os.PathLike[str], *, mono: bool = True, sample_rate: int | None = SAMPLE_RATE
) -> Iterator[np.ndarray]:
    """The waveform that `read_audio` gives, sample for sample, in blocks: memory stays flat.

    Args:
        path: of the recording.
        mono: blocks `(samples,)`; else `(channels, samples)`.
        sample_rate: in Hz; None is the file's own.

    Raises:
        AudioError: as `read_audio`; a fault further on, such as NaN, only once the blocks before it are out.
    """
    path = Path(path)
    with _opened(path) as file:
        blocks = (
            frames.mean(axis=1, dtype=np.float64).astype(np.float32) if mono else frames.T
            for frames in _frames(path, file)
        )
        yield from recording_at(sample_rate or file.samplerate, path, blocks, file.samplerate)


def recording_at(
    wanted: int, path: str | os.PathLike[str], blocks: Iterable[np.ndarray], rate: int
) -> Iterator[np.ndarray]:
    """Blocks of a recording, `resampled` from its rate to the wanted one. Raises AudioError where none is left."""
    block = None
    for block in resampled(blocks, rate, wanted):
        yield block
    if block is None:
        raise AudioError(f"{path}: too short, none of its samples at {rate} Hz is left at {wanted} Hz")


def _frames(path: Path, file: soundfile.SoundFile) -> Iterator[np.ndarray]:
    """What an open file holds, `(frames, channels)` at a time, checked."""
    read = 0
    while len(frames := file.read(WRITE_BLOCK, dtype="float32", always_2d=True)):
        finite = np.isfinite(frames).all(axis=1)
        if not finite.all():
            where = (read + np.argmin(finite)) / file.samplerate
            raise AudioError(f"{path}: holds NaN or infinite samples, the first at {where:.3f} s")
        if (peak := float(np.abs(frames).max())) > LOUDEST:
            raise AudioError(f"{path}: has a peak of {peak:.3g}, where full scale is 1")
        read += len(frames)
        yield frames


def resampled(blocks: Iterable[np.ndarray], rate: int, wanted: int) -> Iterator[np.ndarray]:
    """Blocks `(..., samples)` at one rate in Hz as such at another, without seams, and none of them empty."""
    if rate == wanted:
        yield from (block for block in blocks if block.shape[-1])
        return
    stream, shape = None, ()
    for block in blocks:
        if stream is None:
            shape = block.shape[:-1]
            stream = soxr.ResampleStream(rate, wanted, math.prod(shape), quality="VHQ")
        rows = stream.resample_chunk(np.ascontiguousarray(block.reshape(-1, block.shape[-1]).T))
        if len(rows):
            yield rows.T.reshape(*shape, -1)
    if stream is not None:
        rows = stream.resample_chunk(np.zeros((0, math.prod(shape)), np.float32), last=True)
        if len(rows):
            yield rows.T.reshape(*shape, -1)


def write_audio(
    path: str | os.PathLike[str], waveform: np.ndarray, *, like: AudioInfo | None = None, force: bool = False
) -> float:
    """Write a waveform as WAV or FLAC, OGG (Vorbis) or MP3; never wraps and never clips.

    At 32 kHz, WAV and FLAC with 16 bits; or at the sample rate of the recording that it is `like`, and with as many
    bits, or in floating point, where that recording has more than 16 bits and the format can keep them.

    A waveform whose peak passes 1.0 is scaled as a whole to a peak of 1.0, with an `AudioWarning` that says by how
    much; in floating point it stays as it is. Samples are rounded to the nearest step; +1.0, for which there is none,
    becomes the highest one. The file is written beside its place and moved in; missing folders are made.

    `waveform` is a real floating-point `(samples,)` or `(channels, samples)`, at least one sample, an array or a tensor
    on the CPU. Returns the gain in dB that was applied: negative where the waveform had to be scaled, otherwise 0.0.

    Raises:
        AudioError: another suffix, a wrong shape or type, NaN or infinite.
        InputError: `path` exists and `force` is False, or cannot be written.
    """
    path = Path(path)
    check_suffix(path)
    samples = checked_waveform(waveform, path, channels=True)
    with atomic_path(path, force) as temporary:
        frames = np.atleast_2d(samples).T
        blocks = (frames[start : start + WRITE_BLOCK] for start in range(0, len(frames), WRITE_BLOCK))
        return encode(path, temporary, blocks, float(np.abs(samples).max()), frames.shape[1], like)


def check_suffix(path: Path) -> None:
    """Raises AudioError where `write_audio` knows no format for that suffix."""
    if path.suffix.lower() not in _SUBTYPES:
        kind = path.suffix.lower() or "a file without a suffix"
        raise AudioError(f"{path}: cannot write {kind}; use {', '.join(_SUBTYPES)}")


def encode(
    path: Path,
    temporary: Path,
    blocks: Iterable[np.ndarray],
    peak: float,
    channels: int = 1,
    like: AudioInfo | None = None,
) -> float:
    """Write checked blocks to `temporary`, which is to become `path`, scaled as one where their peak passes 1.0.

    `blocks` are floating-point `(samples, channels)`, at most `WRITE_BLOCK` samples each, `peak` is the highest
    magnitude in all of them, and `like` is as in `write_audio`. Returns the gain in dB that was applied; where it is
    not 0.0, an `AudioWarning` says so. Raises AudioError where the disk does not take the file.
    """
    suffix, faults = path.suffix.lower(), []
    subtype = like.subtype if like and like.subtype in _FINER.get(suffix, ()) else _SUBTYPES[suffix]
    rate = like.sample_rate if like else SAMPLE_RATE
    loud = peak > 1 and subtype not in ("FLOAT", "DOUBLE")
    gain_db = -2 * decibels(peak) if loud else 0.0
    if loud:
        message = f"{path}: peak {peak:.4g} is above full scale; all of it is scaled by {gain_db:.2f} dB"
        warnings.warn(message, AudioWarning, stacklevel=3)
    try:
        with temporary.open("w+b", buffering=0) as disk:
            told = _Told(disk, faults)
            with soundfile.SoundFile(told, "w", rate, channels, subtype, format=suffix[1:].upper()) as file:
                for samples in blocks:
                    if loud:  # rounding may leave the peak one float above 1
                        samples = np.clip(samples / peak, -1, 1)
                    file.write(_rounded(samples, _BITS[subtype]) if subtype in _BITS else samples)
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


def checked_waveform(waveform: np.ndarray, name: str | os.PathLike[str], *, channels: bool = False) -> np.ndarray:
    """The waveform as a NumPy array `(samples,)`, float64 where it was that and float32 otherwise, once checked.

    It may be an array, a sequence, or a tensor on the CPU, and with `channels` also `(channels, samples)`. Raises
    AudioError, which calls it `name`, where it has other dimensions, is empty, not floating-point, NaN or infinite.
    """
    samples = np.asarray(waveform)
    if not 1 <= samples.ndim <= 1 + channels or not samples.size:
        shapes = "(samples,) or (channels, samples)" if channels else "(samples,)"
        raise AudioError(f"{name}: needs a waveform of shape {shapes}, was given {samples.shape}")
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


def _rounded(samples: np.ndarray, bits: int) -> np.ndarray:
    # libsndfile rounds down for WAV, which adds half a step of offset, and to the nearest for FLAC.
    steps = np.clip(np.rint(samples.astype(np.float64) * 2 ** (bits - 1)), -(2 ** (bits - 1)), 2 ** (bits - 1) - 1)
    return steps.astype(np.int16) if bits == 16 else steps.astype(np.int32) << (32 - bits)
