"""A separator that learns nothing and remembers everything, to show what a leak is worth."""

from collections.abc import Sequence

import numpy as np

from lass_lab.datasets import Piece
from lass_lab.signal import ideal_ratio_mask, istft, mel_spectrogram, stft

HOP = 640


class Memoriser:
    """Keeps the ideal mask of every frame it is shown; to separate, it looks up the most similar frame.

    Args:
        slices: what to remember, with their sources.
        source: the name of the source that it separates.
    """

    def __init__(self, slices: Sequence[Piece], source: str) -> None:
        self.looks = np.concatenate([look(piece.mixture) for piece in slices])
        self.masks = np.concatenate([_mask(piece, source) for piece in slices])

    def find(self, mixture: np.ndarray) -> np.ndarray:
        """For each frame of a mixture `(samples,)` the number of the remembered frame that looks most like it."""
        squares = np.square(self.looks).sum(axis=1)
        return (squares - 2 * look(mixture) @ self.looks.T).argmin(axis=1)  # (a - b)^2, without its constant b^2

    def separate(self, mixture: np.ndarray) -> np.ndarray:
        """The estimate `(samples,)` for a mixture `(samples,)`: its frames, through the masks of those found."""
        return istft(self.masks[self.find(mixture)] * stft(mixture, hop=HOP), len(mixture), HOP)


def look(waveform: np.ndarray) -> np.ndarray:
    """What each frame of a waveform `(samples,)` looks like, `(frames, 64)`: logarithmic levels in mel bands."""
    levels = np.log(mel_spectrogram(waveform, hop=HOP) + 1e-6)
    return levels - levels.mean()  # whatever the volume


def _mask(piece: Piece, source: str) -> np.ndarray:
    target = stft(piece.sources[source], hop=HOP)
    return ideal_ratio_mask(target, stft(piece.mixture, hop=HOP) - target)
