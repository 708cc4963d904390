"""Long audio in overlapping windows whose weights sum to one, so that nothing is gained or lost at a border.

Window k of length L starts at k (L - O), and O samples later the next one begins to take over. Within the overlap O
a margin on each side is thrown away, because a network sees no context beyond its window's edge; between the margins
the old window's weight falls as 1 - r and the new one's rises as r. The sum is (1 - r) + r = 1 at every sample.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from lass_lab.signal.files import InputError

Separate = Callable[[np.ndarray], np.ndarray]  # a window (..., samples) -> (estimates, ..., samples)


@dataclass(frozen=True)
class Windows:
    """Where windows lie over a mixture, and what each contributes.

    Attributes:
        size: samples of a window.
        overlap: samples shared by two neighbours; at most `size / 2`.
        margin: samples thrown away on each side of the overlap; at most `overlap / 2`.
    """

    size: int
    overlap: int
    margin: int = 0

    @property
    def step(self) -> int:
        return self.size - self.overlap

    def ramp(self) -> np.ndarray:
        """The rising weight over one overlap, `(overlap,)` float32: 0, then sin^2, then 1.

        `ramp + (1 - ramp)` is exactly one in float32 arithmetic up to one rounding.
        """
        fade = self.overlap - 2 * self.margin
        phase = (np.arange(fade) + 0.5) / max(fade, 1) * (np.pi / 2)
        rise = np.sin(phase) ** 2
        return np.concatenate([np.zeros(self.margin), rise, np.ones(self.margin)]).astype(np.float32)


def stream(blocks: Iterable[np.ndarray], windows: Windows, separate: Separate) -> Iterator[np.ndarray]:
    """Yield the estimates block by block, in order; memory depends on the windows and the largest block alone.

    Args:
        blocks: the mixture, float32 `(samples,)` or `(channels, samples)` each; how it is divided changes nothing, and
            its length need not be known.
        windows: the plan.
        separate: what is done to each window, once.

    Yields:
        `(estimates, [channels,] samples)` float32 blocks, whose lengths add up to the mixture's.

    Raises:
        InputError: a mixture without samples. What `blocks` raises passes through.
    """
    rise = windows.ramp()
    tail = None  # the previous window's share of the overlap
    for cut, last in _cuts(blocks, windows):
        # The last one is filled up with silence, unless it is the only one: a second of sound costs a second.
        size = cut.shape[-1]
        silence = 0 if last and tail is None else windows.size - size
        filled = np.concatenate((cut, np.zeros((*cut.shape[:-1], silence), np.float32)), axis=-1)
        block = np.array(separate(filled)[..., :size], dtype=np.float32)
        if tail is not None:
            block[..., : windows.overlap] *= rise
            block[..., : windows.overlap] += tail
        if last:
            yield block
            return
        tail = block[..., windows.step :] * (1 - rise)
        yield block[..., : windows.step]


def _cuts(blocks: Iterable[np.ndarray], windows: Windows) -> Iterator[tuple[np.ndarray, bool]]:
    """The mixture's samples in each window, and whether it is the last one, which may end early."""
    held = np.zeros(0, np.float32)
    for block in blocks:
        held = np.concatenate((held, block), axis=-1) if held.size else block
        while held.shape[-1] > windows.size:  # so there is more to come, and this is not the last
            yield held[..., : windows.size], False
            held = held[..., windows.step :]
    if not held.size:
        raise InputError("mixture: needs at least one sample, has none")
    yield held, True
