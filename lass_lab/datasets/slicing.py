"""Recordings with stems, made into a data folder that can be trusted: checked, sliced, and split by piece."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from tqdm.auto import tqdm

from lass_lab.datasets.duets import VALIDATION_S, slice_spans
from lass_lab.datasets.layouts import READABLE, Fault, find_pieces
from lass_lab.datasets.manifest import COLUMNS as MANIFEST_COLUMNS
from lass_lab.datasets.manifest import MANIFEST, staged, write_piece, write_table
from lass_lab.datasets.mixing import audible
from lass_lab.datasets.recordings import quantised, read_recording
from lass_lab.signal.audio import SAMPLE_RATE, decibels
from lass_lab.signal.files import InputError, refuse_existing

SLICES = "slices.csv"
COLUMNS = ("piece", "split", "part", "mixture", "target", "query", "start_s", "seconds", "silent", "level_db")


@dataclass(frozen=True)
class SliceReport:
    """What `slice_folder` did: `str(report)` tells all of it.

    pieces: a row for each piece as it was taken: piece, split, seconds, sources, sample_rates (of its files, in Hz,
    before resampling) and mixture_error_db (energy of the mixture minus the sum of the stems, against the mixture's;
    -inf where they are the same, NaN where there was no mixture). slices: rows of slices.csv. silent: those whose
    target is below -45 dB. faults: why pieces were left out. notes: what was done to the others.
    """

    out: Path
    pieces: pd.DataFrame
    slices: int
    silent: int
    faults: tuple[Fault, ...]
    notes: tuple[str, ...]

    def __str__(self) -> str:
        width = self.pieces["piece"].str.len().max()
        lines = [f"{self.out}: {len(self.pieces)} piece(s), {self.slices} slices, of which {self.silent} are silent"]
        for row in self.pieces.itertuples():
            rates, sources = " and ".join(f"{rate} Hz" for rate in row.sample_rates), ", ".join(row.sources)
            told = f"mixture {row.mixture_error_db:+.1f} dB from the sum of"
            if not math.isfinite(row.mixture_error_db):
                told = "no mixture, the sum of" if math.isnan(row.mixture_error_db) else "mixture is the sum of"
            lines.append(f"  {row.piece:{width}}  {row.split:5}  {row.seconds:7.1f} s  {rates}  {told}: {sources}")
        if self.notes:
            lines += ["", "Notes:", *(f"  {note}" for note in self.notes)]
        if self.faults:
            left = sorted({fault.piece for fault in self.faults})
            lines += ["", f"Left out: {', '.join(left)}", *(f"  {fault}" for fault in self.faults)]
        return "\n".join(lines)


def slice_folder(
    folder: str | Path,
    out: str | Path,
    *,
    seconds: float = 5.0,
    test: Sequence[str] = (),
    align: bool = False,
    force: bool = False,
) -> SliceReport:
    """Make a data folder of the pieces in `folder`, in the shape of the shipped one, and `slices.csv` in it.

    Stems become 32 kHz mono in 16 bits, and each mixture exactly their sum; where that would clip, the whole piece is
    turned down. A piece with a fault is left out, and the report names every fault of every piece. Files with the same
    samples are a fault, as a copy in another split would be a leak; other takes of one piece are not noticed. A stem
    that is late or early against the mixture is noted, and with `align` moved.

    `slices.csv` has a row for each slice of each source. Slices adjoin: in a piece to train with, from the start on
    ("train") and, for its last 30 s, from that border on ("validation"); none reaches across it. A rest shorter than a
    slice is in none. A piece too short for both parts only trains, and one that `test` names is only tested on.

    Raises:
        InputError: no such folder, nothing in it that can be used, a name in `test` that is no piece, slices that do
            not last up to 30 s, `out` inside `folder`, or (without `force`) files that are there already.
    """
    folder, out = Path(folder), Path(out)
    if not 1 / SAMPLE_RATE <= seconds <= VALIDATION_S:
        raise InputError(f"seconds: a slice cannot last {seconds:g} s; {VALIDATION_S:g} s at most")
    found, faults = find_pieces(folder)
    if not found and not faults:
        raise InputError(f"{folder}: holds no recordings ({', '.join(READABLE)})")
    names = sorted({piece.name for piece in found} | {fault.piece for fault in faults})
    if unknown := [name for name in test if name not in names]:
        raise InputError(f"{unknown[0]}: no such piece to test on; one of {', '.join(names)}")
    if out.resolve().is_relative_to(folder.resolve()) or folder.resolve().is_relative_to(out.resolve() / "duets"):
        raise InputError(f"{out}: would be written among the recordings in {folder}; choose another folder")
    refuse_existing((out / MANIFEST, out / SLICES, *(out / "duets" / piece.name for piece in found)), force)
    known: dict[bytes, Path] = {}
    pieces, notes, manifest, slices = [], [], [], []
    with staged(out, force) as stage:
        for piece in tqdm(found, desc="slicing", unit="piece", disable=None):
            split = "test" if piece.name in test else "train"
            recording = read_recording(piece, known, seconds, align=align)
            faults += recording.faults
            if recording.faults:
                continue
            stems = quantised(recording.stems, recording.notes)
            rows = write_piece(stage, piece.name, piece.name.replace("_", " "), split, stems)
            spans = list(slice_spans(len(stems["mixture"]), split, seconds))
            if spans[-1][0] == "train":
                recording.notes.append(f"too short to keep {VALIDATION_S:g} s for validation: all of it trains")
            notes += [f"{piece.name}: {note}" for note in recording.notes]
            manifest += rows
            slices += [row for span in spans for row in _slice_rows(stems, rows, *span, seconds)]
            row = {"piece": piece.name, "split": split, "seconds": len(stems["mixture"]) / SAMPLE_RATE}
            row |= {"sources": tuple(recording.stems), "sample_rates": tuple(sorted(recording.sample_rates))}
            pieces.append(row | {"mixture_error_db": recording.error_db})
        if not pieces:
            more = f" (and {len(faults) - 1} more)" if len(faults) > 1 else ""
            raise InputError(f"{folder}: no piece can be used; {faults[0]}{more}")
        write_table(stage / SLICES, COLUMNS, slices)
        write_table(stage / MANIFEST, MANIFEST_COLUMNS, manifest)
    splits = {row["split"] for row in pieces}
    notes += [f"there is no piece to {split} with" for split in ("train", "test") if split not in splits]
    silent = sum(row["silent"] == "true" for row in slices)
    return SliceReport(out, pd.DataFrame(pieces), len(slices), silent, tuple(faults), tuple(notes))


def _slice_rows(stems: dict, rows: Sequence[dict], part: str, start: int, seconds: float) -> Iterator[dict]:
    """The rows of slices.csv of one slice, from the rows of the manifest."""
    for row in rows:
        cut = stems[row["source"]][start : start + round(seconds * SAMPLE_RATE)] / 32768
        yield row | {
            "part": part,
            "target": row["target_path"],
            "start_s": f"{start / SAMPLE_RATE:.6f}",
            "seconds": f"{seconds:g}",
            "silent": "false" if audible(cut) else "true",
            "level_db": f"{decibels(float(np.mean(np.square(cut)))):.2f}",
        }
