"""Audio files written block by block, several side by side, in memory that does not depend on their length."""

import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, suppress
from pathlib import Path
from tempfile import TemporaryFile

import numpy as np

from lass_lab.signal.audio import SAMPLE_RATE, WRITE_BLOCK, AudioError, checked_waveform, encode, encoding
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

    Whether a waveform would clip is known at its end alone. Until then all of them stand as they are in one file
    without a name in the folder of the first, which takes 4 bytes a sample and goes with the process, however that
    ends. The files are moved in together, once all of them are whole.

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
    with ExitStack() as stack:
        temporaries = [stack.enter_context(atomic_path(path, force)) for path in paths]
        store = stack.enter_context(_Store(paths))
        for block in blocks:
            store.add(block)
        gains_db = []
        for row, (path, temporary) in enumerate(zip(paths, temporaries, strict=True)):
            waveform, peak = store.waveform(row), store.peaks[row]
            gains_db.append(encode(path, temporary, waveform, peak, sample_rate, subtypes[row]))
        return gains_db


class _Store:
    """Blocks of several float32 waveforms on the disk, from which each waveform can be read by itself."""

    def __init__(self, paths: list[Path]) -> None:
        self.paths = paths
        self.peaks = [0.0] * len(paths)
        self._blocks: list[tuple[int, int]] = []  # where each begins in the file, in bytes, and its samples
        try:
            self._file = TemporaryFile(dir=paths[0].parent)  # noqa: SIM115 - closed in __exit__
        except OSError as error:
            raise self._fault(error) from error

    def __enter__(self) -> "_Store":
        return self

    def __exit__(self, *_: object) -> None:
        with suppress(OSError):  # what a full disk did not take; it is of no use any more
            self._file.close()

    def add(self, block: np.ndarray) -> None:
        rows = [checked_waveform(row, path) for row, path in zip(block, self.paths, strict=True)]
        peaks = (float(np.abs(row).max()) for row in rows)
        self.peaks = [max(pair) for pair in zip(self.peaks, peaks, strict=True)]
        try:
            self._blocks.append((self._file.tell(), len(rows[0])))
            for row in rows:
                self._file.write(row.astype(np.float32, copy=False).tobytes())
            self._file.flush()
        except OSError as error:
            raise self._fault(error) from error

    def waveform(self, row: int) -> Iterator[np.ndarray]:
        """One waveform, `(samples,)` float32, in blocks of at most `WRITE_BLOCK` samples."""
        if not self._blocks:
            raise AudioError(f"{self.paths[row]}: needs a waveform, was given none")
        for begins, samples in self._blocks:
            self._file.seek(begins + 4 * row * samples)
            for start in range(0, samples, WRITE_BLOCK):
                yield np.frombuffer(self._file.read(4 * min(WRITE_BLOCK, samples - start)), np.float32)

    def _fault(self, error: OSError) -> AudioError:
        return AudioError(f"{self.paths[0]}: cannot be written ({error.strerror})")
