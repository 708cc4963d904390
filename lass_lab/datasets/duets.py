"""The duets: pieces with their stems, 5-second slices of them, and the split that keeps pieces apart."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from torch.utils.data import Dataset

from lass_lab.datasets.manifest import SPLITS, ManifestError, ManifestRow, read_manifest
from lass_lab.signal.audio import audio_info, read_audio
from lass_lab.signal.files import InputError, data_dir

SLICE_S = 5.0
VALIDATION_S = 30.0  # the end of each piece, kept from training for every choice that is made
PARTS = ("train", "validation", "all")

__all__ = [
    "DataError",
    "DuetDataset",
    "ManifestError",
    "Piece",
    "data_dir",
    "list_pieces",
    "load_piece",
    "read_manifest",
]


class DataError(InputError):
    """A piece of the data folder is missing or does not hold what the manifest says."""


@dataclass(frozen=True)
class Piece:
    """One duet. Waveforms are float32 (samples,); the mixture is exactly the sum of the sources.

    queries: for each source the words that name it, the canonical one first.
    """

    name: str
    title: str
    split: str
    mixture: np.ndarray
    sources: dict[str, np.ndarray]
    queries: dict[str, tuple[str, ...]]
    sample_rate: int

    @property
    def seconds(self) -> float:
        """How long the piece lasts."""
        return len(self.mixture) / self.sample_rate

    def slice(self, start_s: float, seconds: float = 5.0) -> Piece:
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

    Raises InputError for another split, ManifestError and DataError as `read_manifest` and `data_dir` do.
    """
    if split is not None and split not in SPLITS:
        raise InputError(f"{split}: no such split; one of {', '.join(SPLITS)}")
    rows = _manifest(data)
    return list(dict.fromkeys(row.piece for row in rows if split in (None, row.split)))


def load_piece(name: str, data: str | Path | None = None) -> Piece:
    """Read a piece by its name; `data` is the data folder, by default the shipped one.

    Raises DataError when there is no such piece, or when its files differ in length or rate from each other
    or from the manifest.
    """
    manifest = _manifest(data)
    rows = [row for row in manifest if row.piece == name]
    if not rows:
        names = dict.fromkeys(row.piece for row in manifest)
        raise DataError(f"{name}: no such piece; one of {', '.join(names)}")
    frames = audio_info(rows[0].mixture).frames
    for path in (rows[0].mixture, *(row.target for row in rows)):
        info = audio_info(path)
        if info.sample_rate != rows[0].sample_rate:
            told = f"the manifest says {rows[0].sample_rate}"
            raise DataError(f"{path}: its rate is {info.sample_rate} Hz, {told}")
        if info.frames != frames or abs(info.frames / info.sample_rate - rows[0].seconds) > 1e-3:
            raise DataError(f"{path}: {info.frames} samples, which is not as long as its piece")
    rate = rows[0].sample_rate
    return Piece(
        name=name,
        title=rows[0].title,
        split=rows[0].split,
        mixture=read_audio(rows[0].mixture, rate),
        sources={row.source: read_audio(row.target, rate) for row in rows},
        queries={row.source: row.queries for row in rows},
        sample_rate=rate,
    )


def _manifest(data: str | Path | None) -> list[ManifestRow]:
    return read_manifest((data_dir() if data is None else Path(data)) / "manifest.csv")


def slice_starts(piece: Piece, part: str, seconds: float = SLICE_S, hop: float | None = None) -> list[float]:
    """Where the slices of a part of a piece begin, in seconds; none where it is too short (see `DuetDataset`)."""
    border = max(piece.seconds - VALIDATION_S, 0.0)
    begin = border if part == "validation" else 0.0
    end = border if part == "train" else piece.seconds
    count = int((end - begin - seconds) / (hop or seconds) + 1 + 1e-9)
    return [begin + index * (hop or seconds) for index in range(max(count, 0))]


class DuetDataset(Dataset):
    """Slices of the pieces of one split, each once for every source in it.

    Item: `mixture` and `target`, float32 (1, samples); `query`, the canonical word for the target; `piece`,
    its name; `start`, seconds into the piece. `part` "validation" is the last 30 s of each piece, "train"
    what comes before, "all" both. Slices begin every `hop` seconds (by default they adjoin), and none reaches
    from "train" into "validation".

    Raises InputError for an unknown split or part, or when no slice fits.
    """

    def __init__(
        self,
        split: str = "train",
        part: str = "all",
        *,
        seconds: float = SLICE_S,
        hop: float | None = None,
        data: str | Path | None = None,
    ) -> None:
        if part not in PARTS:
            raise InputError(f"{part}: no such part; one of {', '.join(PARTS)}")
        self.seconds = seconds
        self.pieces = [load_piece(name, data) for name in list_pieces(split, data)]
        self._items: list[tuple[Piece, float, str]] = []
        for piece in self.pieces:
            starts = slice_starts(piece, part, seconds, hop)
            self._items += [(piece, start, source) for start in starts for source in piece.sources]
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
