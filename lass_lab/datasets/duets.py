"""The duets: pieces with their stems, 5-second slices of them, and the split that keeps pieces apart."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from torch.utils.data import Dataset

from lass_lab.datasets.manifest import MANIFEST, SPLITS, read_manifest
from lass_lab.signal.audio import SAMPLE_RATE, read_audio
from lass_lab.signal.files import InputError, data_dir

SLICE_S = 5.0
VALIDATION_S = 30.0  # the end of each piece, kept from training for every choice that is made
PARTS = ("train", "validation", "all")


@dataclass(frozen=True)
class Piece:
    """One duet. Waveforms are float32 (samples,) at 32 kHz; the mixture is exactly the sum of the sources.

    queries: for each source the words that name it, the canonical one first.
    """

    name: str
    title: str
    split: str
    mixture: np.ndarray
    sources: dict[str, np.ndarray]
    queries: dict[str, tuple[str, ...]]
    sample_rate: int = SAMPLE_RATE

    @property
    def seconds(self) -> float:
        """How long the piece lasts."""
        return len(self.mixture) / self.sample_rate

    def slice(self, start_s: float, seconds: float = SLICE_S) -> Piece:
        """The piece from `start_s` on, `seconds` long. Raises InputError when that is not all inside it."""
        start, length = round(start_s * self.sample_rate), round(seconds * self.sample_rate)
        if start < 0 or length < 1 or start + length > len(self.mixture):
            wanted = f"{seconds:g} s from {start_s:g} s on"
            raise InputError(f"{self.name}: {wanted} do not fit into its {self.seconds:.1f} s")
        cut = slice(start, start + length)
        sources = {name: waveform[cut] for name, waveform in self.sources.items()}
        return replace(self, mixture=self.mixture[cut], sources=sources)


def list_pieces(split: str | None = None, data: str | Path | None = None) -> list[str]:
    """Names of the pieces of a split ("train", "test", "out-of-domain"), or of all, in the manifest's order.

    Raises InputError for another split, or as `read_manifest` and `data_dir` do.
    """
    if split is not None and split not in SPLITS:
        raise InputError(f"{split}: no such split; one of {', '.join(SPLITS)}")
    rows = read_manifest(Path(data or data_dir()) / MANIFEST)
    return list(rows.loc[(rows["split"] == split) | (split is None), "piece"].unique())


def load_piece(name: str, data: str | Path | None = None) -> Piece:
    """Read a piece by its name; `data` is the data folder, by default the shipped one.

    Raises InputError when there is no such piece, or when a file of it is not as long as the manifest says, or as
    `read_manifest`, `read_audio` and `data_dir` do.
    """
    manifest = read_manifest(Path(data or data_dir()) / MANIFEST)
    rows = manifest[manifest["piece"] == name]
    if rows.empty:
        raise InputError(f"{name}: no such piece; one of {', '.join(manifest['piece'].unique())}")
    first = rows.iloc[0]
    waveforms = {path: read_audio(path) for path in (first["mixture"], *rows["target_path"])}
    mixture = waveforms[first["mixture"]]
    for path, waveform in waveforms.items():
        if len(waveform) != len(mixture) or abs(len(waveform) / SAMPLE_RATE - first["seconds"]) > 1e-3:
            raise InputError(f"{path}: {len(waveform)} samples, which is not as long as its piece")
    sources = {source: waveforms[path] for source, path in zip(rows["source"], rows["target_path"], strict=True)}
    queries = dict(zip(rows["source"], rows["queries"], strict=True))
    return Piece(name, first["title"], first["split"], mixture, sources, queries)


def slice_spans(samples: int, split: str, seconds: float) -> Iterator[tuple[str, int]]:
    """The slices of a piece of `samples`: for each its part ("train", "validation", "test") and its first sample."""
    size, border = round(seconds * SAMPLE_RATE), samples - round(VALIDATION_S * SAMPLE_RATE)
    if split == "train" and border >= size:
        parts = (("train", 0, border), ("validation", border, samples))
    else:
        parts = ((split, 0, samples),)
    for part, begin, end in parts:
        for start in range(begin, end - size + 1, size):
            yield part, start


def slice_starts(piece: Piece, part: str, seconds: float = SLICE_S) -> list[float]:
    """Where the slices of a part of a piece begin, in seconds; none where it is too short (see `DuetDataset`)."""
    spans = slice_spans(len(piece.mixture), "all" if part == "all" else "train", seconds)
    return [start / SAMPLE_RATE for found, start in spans if found == part]


class DuetDataset(Dataset):
    """Slices of the pieces of one split, each once for every source in it.

    Item: `mixture` and `target`, float32 (1, samples); `query`, the canonical word for the target; `piece`,
    its name; `start`, seconds into the piece. `part` "validation" is the last 30 s of each piece, "train"
    what comes before (all of a piece too short for both), "all" both. Slices adjoin, and none reaches from "train" into
    "validation".

    Raises InputError for an unknown split or part, or when no slice fits.
    """

    def __init__(
        self, split: str = "train", part: str = "all", *, seconds: float = SLICE_S, data: str | Path | None = None
    ) -> None:
        if part not in PARTS:
            raise InputError(f"{part}: no such part; one of {', '.join(PARTS)}")
        self.seconds = seconds
        self.pieces = [load_piece(name, data) for name in list_pieces(split, data)]
        slices = [(piece, start) for piece in self.pieces for start in slice_starts(piece, part, seconds)]
        self._items = [(piece, start, source) for piece, start in slices for source in piece.sources]
        if not self._items:
            raise InputError(f"{split}: no slice of {seconds:g} s in its part '{part}'")

    def __len__(self) -> int:
        return len(self._items)

    def __getitem__(self, index: int) -> dict[str, torch.Tensor | str | float]:
        piece, start, source = self._items[index]
        cut = piece.slice(start, self.seconds)
        return {
            "mixture": torch.from_numpy(cut.mixture)[None],
            "target": torch.from_numpy(cut.sources[source])[None],
            "query": piece.queries[source][0],
            "piece": piece.name,
            "start": start,
        }
