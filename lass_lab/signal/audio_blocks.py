"""Audio files read and written block by block, several side by side, in memory that does not depend on their length."""

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryFile
from typing import BinaryIO

import numpy as np

from lass_lab.signal.audio import (
    SAMPLE_RATE,
    WRITE_BLOCK,
    as_path,
    audio_info,
    check_suffix,
    encode,
    read_blocks,
    recording_at,
    resampled,
)
from lass_lab.signal.files import AudioError, AudioInfo, atomic_path


def write_blocks(
    paths: Sequence[str | os.PathLike[str]],
    blocks: Iterable[np.ndarray],
    *,
    like: AudioInfo | None = None,
    together: bool = False,
    force: bool = False,
) -> list[float]:
    """Write waveforms of one length, each to its own file, as `write_audio` would write them.

    Whether a waveform would clip is known at its end alone. Until then each stands as it is in a file without a name in
    the folder it goes to, which takes 4 bytes a sample and goes with the process, however that ends. The files are
    moved in together, once all of them are whole: none can be listened to before.

    Args:
        paths: where to, one for each waveform; missing folders are made.
        blocks: floating-point `(len(paths), samples)` or `(len(paths), channels, samples)`; how many samples may change
            from block to block.
        like: as for `encode`.
        together: one gain for all files, so that what adds up still does.
        force: as for `write_audio`.

    Returns:
        For each file the gain in dB that was applied, with an `AudioWarning` where it is not 0.0.

    Raises:
        AudioError, InputError: as `write_audio`, or no block at all; nothing is left then. What `blocks` raises passes
            through.
    """
    paths = [as_path(path) for path in paths]
    for path in paths:
        check_suffix(path)
    peaks, channels = None, 1
    with ExitStack() as stack:
        temporaries = [stack.enter_context(atomic_path(path, force)) for path in paths]
        stores = [stack.enter_context(_store(path)) for path in paths]
        for block in blocks:
            block = block.reshape(len(block), -1, block.shape[-1])
            highest, channels = np.abs(block).max(axis=(1, 2)), block.shape[1]  # NaN where there is one
            peaks = highest if peaks is None else np.maximum(peaks, highest)
            for path, store, row, peak in zip(paths, stores, block, peaks, strict=True):
                if not np.isfinite(peak):
                    raise AudioError(f"{path}: holds NaN or infinite samples")
                with _faults_named(path):
                    store.write(row.T.astype(np.float32, copy=False).tobytes())
                    store.flush()
        if peaks is None:
            raise AudioError(f"{paths[0]}: needs a waveform, was given none")
        if together:
            peaks = np.full_like(peaks, peaks.max())
        frames = stores[0].tell() // (4 * channels)
        return [
            encode(path, temporary, _stored(store, channels), float(peak), frames, channels, like)
            for path, temporary, store, peak in zip(paths, temporaries, stores, peaks, strict=True)
        ]


def beside(
    separate: Callable[[Iterator[np.ndarray]], Iterable[np.ndarray]], path: str | os.PathLike[str]
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Estimates of a recording, at its own sample rate and of its own length, beside the recording itself.

    It is decoded once: what is handed to `separate`, at 32 kHz, is held until its estimates come. What lies above
    16 kHz is in no estimate, and so in what they lack to the recording.

    Args:
        separate: blocks `(channels, samples)` -> blocks `(estimates, channels, samples)`, both at 32 kHz.
        path: of the recording.

    Yields:
        Blocks `(estimates, channels, samples)` and `(channels, samples)`, equally long, in memory that stays flat.

    Raises:
        AudioError: as `read_blocks`.
    """
    rate, held = audio_info(path).sample_rate, deque()
    heard = (held.append(block) or block for block in read_blocks(path, sample_rate=None))
    waiting = block = None
    for block in resampled(separate(recording_at(SAMPLE_RATE, path, heard, rate)), SAMPLE_RATE, rate):
        waiting = np.concatenate([each for each in (waiting, *held) if each is not None], axis=-1)
        held.clear()
        size = min(block.shape[-1], waiting.shape[-1])  # the last block may be a sample or two longer, by rounding
        yield block[..., :size], waiting[..., :size]
        waiting = waiting[..., size:]
    if lacking := waiting.shape[-1]:  # or shorter
        yield np.zeros((*block.shape[:-1], lacking), np.float32), waiting


@contextmanager
def _store(path: Path) -> Iterator[BinaryIO]:
    """A file without a name beside `path`."""
    with _faults_named(path):
        file = TemporaryFile(dir=path.parent)  # noqa: SIM115 - closed below
    try:
        yield file
    finally:
        with suppress(OSError):  # what a full disk did not take; it is of no use any more
            file.close()


def _stored(store: BinaryIO, channels: int) -> Iterator[np.ndarray]:
    """A waveform from its store, `(samples, channels)` float32, in blocks of at most `WRITE_BLOCK` samples."""
    store.seek(0)
    while content := store.read(4 * channels * WRITE_BLOCK):
        yield np.frombuffer(content, np.float32).reshape(-1, channels)


@contextmanager
def _faults_named(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise AudioError(f"{path}: cannot be written ({error.strerror})") from error
