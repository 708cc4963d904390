"""Audio files written block by block, several side by side, in memory that does not depend on their length."""

import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryFile
from typing import BinaryIO

import numpy as np

from lass_lab.signal.audio import SAMPLE_RATE, WRITE_BLOCK, AudioError, encode, encoding
from lass_lab.signal.files import atomic_path


def write_blocks(
    paths: Sequence[str | os.PathLike[str]],
    blocks: Iterable[np.ndarray],
    sample_rate: int = SAMPLE_RATE,
    *,
    force: bool = False,
    subtype: str | None = None,
) -> list[float]:
    """Write mono waveforms of one length, each to its own file, as `write_audio` would write them.

    Whether a waveform would clip is known at its end alone. Until then each stands as it is in a file without a name in
    the folder it goes to, which takes 4 bytes a sample and goes with the process, however that ends. The files are
    moved in together, once all of them are whole.

    Args:
        paths: where to, one for each waveform; missing folders are made.
        blocks: floating-point `(len(paths), samples)`; how many samples may change from block to block.
        sample_rate, force, subtype: as for `write_audio`.

    Returns:
        For each file the gain in dB that was applied, with an `AudioWarning` where it is not 0.0.

    Raises:
        AudioError, InputError: as `write_audio`, or no block at all; nothing is left then. What `blocks` raises passes
            through.
    """
    paths = [Path(path) for path in paths]
    subtypes = [encoding(path, sample_rate, subtype) for path in paths]
    peaks = None
    with ExitStack() as stack:
        temporaries = [stack.enter_context(atomic_path(path, force)) for path in paths]
        stores = [stack.enter_context(_store(path)) for path in paths]
        for block in blocks:
            highest = np.abs(block).max(axis=1)  # NaN where there is one
            peaks = highest if peaks is None else np.maximum(peaks, highest)
            for path, store, row, peak in zip(paths, stores, block, peaks, strict=True):
                if not np.isfinite(peak):
                    raise AudioError(f"{path}: holds NaN or infinite samples")
                with _faults_named(path):
                    store.write(row.astype(np.float32, copy=False).tobytes())
                    store.flush()
        if peaks is None:
            raise AudioError(f"{paths[0]}: needs a waveform, was given none")
        return [
            encode(path, temporary, _stored(store), float(peak), sample_rate, kind)
            for path, temporary, store, peak, kind in zip(paths, temporaries, stores, peaks, subtypes, strict=True)
        ]


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


def _stored(store: BinaryIO) -> Iterator[np.ndarray]:
    """A waveform from its store, `(samples,)` float32, in blocks of at most `WRITE_BLOCK` samples."""
    store.seek(0)
    while content := store.read(4 * WRITE_BLOCK):
        yield np.frombuffer(content, np.float32)


@contextmanager
def _faults_named(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise AudioError(f"{path}: cannot be written ({error.strerror})") from error
