"""Audio files in and out: every recording is checked here, made mono and brought to 32 kHz, or left in its own form.

FFmpeg decodes (see `decoding`), soxr resamples, soundfile (libsndfile) encodes.
"""

import math
import os
import warnings
from collections.abc import Iterable, Iterator
from io import FileIO
from pathlib import Path

import numpy as np
import soundfile
import soxr

from lass_lab.signal.files import AudioError, AudioInfo, AudioWarning, atomic_path

SAMPLE_RATE = 32_000  # Hz, everywhere inside the package

_SUBTYPES = {".wav": "PCM_16", ".flac": "PCM_16", ".ogg": "VORBIS", ".mp3": "MPEG_LAYER_III"}
_FINER = {".wav": ("PCM_24", "PCM_32", "FLOAT", "DOUBLE"), ".flac": ("PCM_24",)}  # that a format can keep
_BITS = {"PCM_16": 16, "PCM_24": 24, "PCM_32": 32}
_BYTES = {"PCM_16": 2, "PCM_24": 3, "PCM_32": 4, "FLOAT": 4, "DOUBLE": 8}  # of a sample in a WAV file
MOST_LOST_DB = 6.0  # where channels are mixed to one
LARGEST_WAV = 2**32 - 2**16  # bytes of samples that a WAV file's header can count
WRITE_BLOCK = 65_536  # samples at a time; libsndfile's Vorbis encoder puts a whole write on its stack


def decibels(power: float) -> float:
    """`10 log10` of a power or of a ratio of two; -inf for 0. Of an amplitude or a ratio of two, take it twice."""
    return 10 * math.log10(power) if power else -math.inf


def amplitude(level_db: float) -> float:
    """The factor on samples that a level or gain in dB stands for: `10 ** (level_db / 20)`."""
    return 10 ** (level_db / 20)


def audio_info(path: str | os.PathLike[str]) -> AudioInfo:
    """What a recording says of itself. Raises AudioError as `read_audio`, for what shows without decoding it."""
    from lass_lab.signal.decoding import opened  # and with it FFmpeg, only where a file is read

    with opened(as_path(path)) as recording:
        return recording.info


def as_path(path: str | bytes | os.PathLike[str]) -> Path:
    """A path as it is meant: `~` is the home folder. Raises AudioError where it is none."""
    try:
        given = Path(os.fsdecode(path))
    except TypeError as error:
        raise AudioError(f"{type(path).__name__}: is no path, and recordings are files") from error
    try:
        return given.expanduser()
    except RuntimeError:  # nobody of that name: a file's own begins with a tilde
        return given


def read_audio(path: str | os.PathLike[str]) -> np.ndarray:
    """A recording as one checked waveform: float32 `(samples,)` at 32 kHz, at least one sample, all finite.

    Whatever FFmpeg decodes. Channels are averaged (see `mixed_down`); any other rate is resampled by soxr at its best
    quality (VHQ, linear phase). Nothing is clipped: a lossy or floating-point file may pass 1.0 a little, as it does in
    the file. What a damaged file lacks is told in a `DamageWarning`.

    Raises:
        AudioError: missing, a folder, unreadable, not audio, without samples, NaN, infinite or beyond `LOUDEST`.
    """
    return mixed_down(np.concatenate(list(read_blocks(path)), axis=-1), path)


def mixed_down(waveform: np.ndarray, name: str | os.PathLike[str]) -> np.ndarray:
    """The mean of all channels, `(channels, samples)` -> `(samples,)`; of what would mostly be lost in it the loudest.

    Channels that have nothing in common lose 3 dB where there are two. Beyond `MOST_LOST_DB`, where they cancel or most
    are empty, an `AudioWarning` that begins with `name` says so.
    """
    mean = waveform.mean(axis=0, dtype=np.float64).astype(np.float32)
    powers, left = np.mean(np.square(waveform, dtype=np.float64), axis=1), np.mean(np.square(mean, dtype=np.float64))
    lost = decibels(powers.mean() / left) if left else math.inf
    if not powers.any() or lost <= MOST_LOST_DB:
        return mean
    told = f"{name}: {lost:.0f} dB are lost where its {len(waveform)} channels are mixed; the loudest alone is taken"
    warnings.warn(told, AudioWarning, stacklevel=3)
    return waveform[powers.argmax()].copy()


def read_blocks(path: str | os.PathLike[str], *, sample_rate: int | None = SAMPLE_RATE) -> Iterator[np.ndarray]:
    """The waveform that `read_audio` gives with all its channels, in blocks `(channels, samples)`: memory stays flat.

    `sample_rate` is in Hz; None is the file's own.

    Raises:
        AudioError: as `read_audio`; a fault further on, such as NaN, only once the blocks before it are out.
    """
    from lass_lab.signal.decoding import opened

    path = as_path(path)
    with opened(path) as recording:
        rate = recording.info.sample_rate
        yield from recording_at(sample_rate or rate, path, recording.blocks(), rate)


def recording_at(
    wanted: int, path: str | os.PathLike[str], blocks: Iterable[np.ndarray], rate: int
) -> Iterator[np.ndarray]:
    """Blocks of a recording, `resampled` from its rate to the wanted one. Raises AudioError where none is left."""
    block = None
    for block in resampled(blocks, rate, wanted):
        yield block
    if block is None:
        raise AudioError(f"{path}: too short, none of its samples at {rate} Hz is left at {wanted} Hz")


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


def write_audio(path: str | os.PathLike[str], waveform: np.ndarray, *, force: bool = False) -> float:
    """Write a waveform as WAV or FLAC, OGG (Vorbis) or MP3; never wraps and never clips.

    At 32 kHz, WAV and FLAC with 16 bits. A waveform whose peak passes 1.0 is scaled as a whole to a peak of 1.0, with
    an `AudioWarning` that says by how much. Samples are rounded to the nearest step; +1.0, for which there is none,
    becomes the highest one. The file is written beside its place and moved in; missing folders are made.

    `waveform` is a real floating-point `(samples,)` or `(channels, samples)`, at least one sample, an array or a tensor
    on the CPU. Returns the gain in dB that was applied: negative where the waveform had to be scaled, otherwise 0.0.

    Raises:
        AudioError: another suffix, a wrong shape or type, NaN or infinite.
        InputError: `path` exists and `force` is False, or cannot be written.
    """
    path = as_path(path)
    check_suffix(path)
    samples = checked_waveform(waveform, path, channels=True)
    with atomic_path(path, force) as temporary:
        frames = np.atleast_2d(samples).T
        blocks = (frames[start : start + WRITE_BLOCK] for start in range(0, len(frames), WRITE_BLOCK))
        return encode(path, temporary, blocks, float(np.abs(samples).max()), *frames.shape)


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
    frames: int,
    channels: int = 1,
    like: AudioInfo | None = None,
) -> float:
    """Write checked blocks to `temporary`, which is to become `path`, scaled as one where their peak passes 1.0.

    `blocks` are floating-point `(samples, channels)`, at most `WRITE_BLOCK` samples each and `frames` together, `peak`
    is the highest magnitude in all of them. Where they are written `like` a recording, they have its sample rate, and
    as many bits, or floating point, which is never scaled, where it has more than 16 bits and the format can keep them.
    Returns the gain in dB that was applied; where it is not 0.0, an `AudioWarning` says so. Raises AudioError where the
    disk does not take the file, or the format not so many channels.
    """
    suffix = path.suffix.lower()
    subtype = like.subtype if like and like.subtype in _FINER.get(suffix, ()) else _SUBTYPES[suffix]
    rate = like.sample_rate if like else SAMPLE_RATE
    large = suffix == ".wav" and frames * channels * _BYTES[subtype] > LARGEST_WAV
    form = "RF64" if large else suffix[1:].upper()  # of WAV, with sizes of 64 bits
    loud = peak > 1 and subtype not in ("FLOAT", "DOUBLE")
    gain_db = -2 * decibels(peak) if loud else 0.0
    if loud:
        message = f"{path}: peak {peak:.4g} is above full scale; all of it is scaled by {gain_db:.2f} dB"
        warnings.warn(message, AudioWarning, stacklevel=3)
    try:
        with _Told(temporary, "w+") as disk:
            with soundfile.SoundFile(disk, "w", rate, channels, subtype, format=form) as file:
                for samples in blocks:
                    if loud:  # rounding may leave the peak one float above 1
                        samples = np.clip(samples / peak, -1, 1)
                    file.write(_rounded(samples, _BITS[subtype]) if subtype in _BITS else samples)
            if disk.fault:
                raise disk.fault
    except OSError as error:
        raise AudioError(f"{path}: cannot be written ({error.strerror})") from error
    except (soundfile.LibsndfileError, AssertionError) as error:  # the latter is soundfile's, of a write cut short
        if disk.fault and not isinstance(disk.fault, OSError):
            raise disk.fault from None
        if not disk.fault and isinstance(error, AssertionError):
            raise
        why = (
            disk.fault.strerror if disk.fault else f"{error.error_string.strip()} with {channels} channels at {rate} Hz"
        )
        raise AudioError(f"{path}: cannot be written ({why})") from error
    return gain_db


class _Told(FileIO):
    """A file for libsndfile that keeps its first fault, an interrupt among them.

    Of one in its last write, as it closes a file, libsndfile says nothing; others would be printed and passed over.
    """

    fault: BaseException | None = None

    def write(self, data: bytes) -> int:
        done = 0
        try:
            while done < len(data):
                done += super().write(data[done:])
        except BaseException as error:
            self.fault = self.fault or error
        return done


def checked_waveform(waveform: np.ndarray, name: str | os.PathLike[str], *, channels: bool = False) -> np.ndarray:
    """The waveform as a NumPy array `(samples,)`, float64 where it was that and float32 otherwise, once checked.

    It may be an array, a sequence, or a tensor, and with `channels` also `(channels, samples)`. Raises
    AudioError, which calls it `name`, where it has other dimensions, is empty, not floating-point, NaN or infinite.
    """
    if hasattr(waveform, "detach"):  # a tensor, perhaps with a gradient, in low precision or on a GPU
        waveform = waveform.detach().cpu()
        waveform = waveform.float() if waveform.is_floating_point() and waveform.element_size() < 4 else waveform
    samples = np.asarray(waveform)
    if not 1 <= samples.ndim <= 1 + channels or not samples.size:
        shapes = "(samples,) or (channels, samples)" if channels else "(samples,)"
        raise AudioError(f"{name}: needs a waveform of shape {shapes}, was given {samples.shape}")
    if not np.issubdtype(samples.dtype, np.floating):
        scaled = f"; divide by {-np.iinfo(samples.dtype).min}" if samples.dtype.kind == "i" else ""
        raise AudioError(f"{name}: needs a waveform of floating-point numbers, was given {samples.dtype}{scaled}")
    with np.errstate(over="ignore"):  # what the narrower type cannot hold becomes infinite, and is refused
        samples = samples.astype(np.float64 if samples.dtype == np.float64 else np.float32, copy=False)
    if not np.isfinite(samples).all():
        raise AudioError(f"{name}: holds NaN or infinite samples")
    return np.require(samples, requirements="CW")  # PyTorch takes none that run backwards or may not be written


def _rounded(samples: np.ndarray, bits: int) -> np.ndarray:
    # libsndfile rounds down for WAV, which adds half a step of offset, and to the nearest for FLAC.
    steps = np.clip(np.rint(samples.astype(np.float64) * 2 ** (bits - 1)), -(2 ** (bits - 1)), 2 ** (bits - 1) - 1)
    return steps.astype(np.int16) if bits == 16 else steps.astype(np.int32) << (32 - bits)
