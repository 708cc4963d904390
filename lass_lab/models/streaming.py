"""Long audio in overlapping windows whose weights sum to one, so that nothing is gained or lost at a border.

Window k of length L starts at k (L - O), and O samples later the next one begins to take over. Within the overlap O
a margin on each side is thrown away, because a network hears no context beyond its window's edge; between the margins
the old window's weight falls as 1 - r and the new one's rises as r. The sum is (1 - r) + r = 1 at every sample.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from lass_lab.signal.files import InputError

Read = Callable[[int, int], np.ndarray]  # (start, stop) in samples -> mixture (stop - start,)
Separate = Callable[[np.ndarray], np.ndarray]  # (windows, samples) -> (windows, estimates, samples)


@dataclass(frozen=True)
class Windows:
    """Where windows lie over `length` samples, and what each contributes.

    Attributes:
        length: samples of the whole mixture.
        size: samples of a window.
        overlap: samples shared by two neighbours.
        margin: samples thrown away on each side of the overlap; at most `overlap / 2`.
    """

    length: int
    size: int
    overlap: int
    margin: int = 0

    def __post_init__(self) -> None:
        if self.length < 1:
            raise InputError(f"mixture: needs at least one sample, has {self.length}")
        if not 0 <= 2 * self.margin <= self.overlap <= self.size // 2 or self.size < 1:
            raise InputError(
                f"windows: size {self.size}, overlap {self.overlap} and margin {self.margin} do not fit: "
                "0 <= 2 margin <= overlap <= size / 2"
            )

    @property
    def step(self) -> int:
        return self.size - self.overlap

    @property
    def count(self) -> int:
        """Windows needed: the fewest whose union holds every sample."""
        return 1 + max(0, -(-(self.length - self.size) // self.step))

    def ramp(self) -> np.ndarray:
        """The rising weight over one overlap, `(overlap,)` float32: 0, then sin^2, then 1.

        `ramp + (1 - ramp)` is exactly one in float32 arithmetic up to one rounding.
        """
        fade = self.overlap - 2 * self.margin
        phase = (np.arange(fade) + 0.5) / max(fade, 1) * (np.pi / 2)
        rise = np.sin(phase) ** 2
        return np.concatenate([np.zeros(self.margin), rise, np.ones(self.margin)]).astype(np.float32)


def stream(read: Read, windows: Windows, separate: Separate, batch: int = 1) -> Iterator[np.ndarray]:
    """Yield the estimates block by block, in order; memory depends on the windows alone.

    Args:
        read: gives the mixture's samples between two positions.
        windows: the plan.
        separate: what is done to a batch of windows; each window passes through it once.
        batch: windows a call.

    Yields:
        `(estimates, samples)` float32 blocks, whose lengths add up to `windows.length`.
    """
    rise = windows.ramp()
    tail = None  # the previous window's share of the overlap
    for first in range(0, windows.count, batch):
        indices = range(first, min(first + batch, windows.count))
        for index, estimate in zip(indices, separate(_cut(read, windows, indices)), strict=True):
            start = index * windows.step
            stop = min(start + windows.size, windows.length)
            block = np.array(estimate[:, : stop - start], dtype=np.float32)
            if tail is not None:
                block[:, : windows.overlap] *= rise
                block[:, : windows.overlap] += tail
            if index == windows.count - 1:
                yield block
                return
            tail = block[:, windows.step :] * (1 - rise)
            yield block[:, : windows.step]


def _cut(read: Read, windows: Windows, indices: range) -> np.ndarray:
    """Windows `(len(indices), size)`; the last one is filled up with silence."""
    # One window for the whole mixture needs no filling up: a second of sound costs a second.
    size = windows.size if windows.count > 1 else windows.length
    cut = np.zeros((len(indices), size), dtype=np.float32)
    for row, index in enumerate(indices):
        start = index * windows.step
        stop = min(start + size, windows.length)
        cut[row, : stop - start] = read(start, stop)
    return cut
