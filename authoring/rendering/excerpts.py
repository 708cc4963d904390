"""A small bank of sources cut from a large one, for rehearsal in fine-tuning and for measuring what it forgets."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd
import soundfile

from lass_lab.datasets.instruments import TAUGHT
from lass_lab.datasets.mixing import SourceBank
from lass_lab.signal.audio import SAMPLE_RATE, read_audio
from lass_lab.signal.files import InputError, atomic_path

EXCERPTS = {"train": 2, "test": 1}  # clips an instrument and SoundFont in the bank that ships
COMPRESSION = 0.8  # of OGG Vorbis; 0 is the largest file


def excerpt_sources(
    bank: str | Path,
    out: str | Path,
    *,
    clips: Mapping[str, int] = EXCERPTS,
    seconds: float = 12.0,
    force: bool = False,
) -> Path:
    """Write a small bank to `out`, for fine-tuning to rehearse with and for measuring what it forgets.

    Of each taught instrument, SoundFont and split the first `clips[split]` clips, each cut to where it is loudest; in
    OGG Vorbis, about 45 kbit/s, which is 25 dB from the original. The same layout: out/sources.csv and its clips.

    Raises InputError: no bank, a split that has too few clips, or (without `force`) files that are there already.
    """
    out, parts = Path(out), []
    for split, count in clips.items():
        large = SourceBank(bank, split, TAUGHT)
        parts.append(large.clips.groupby(["instrument", "soundfont"], sort=True).head(count))
        if len(parts[-1]) < count * large.clips.groupby(["instrument", "soundfont"]).ngroups:
            raise InputError(f"{bank}: holds fewer than {count} clips of an instrument in its split '{split}'")
    table = pd.concat(parts, ignore_index=True).drop(columns="folder")
    for row, path in enumerate(table["path"]):
        waveform = loudest(read_audio(Path(bank) / path), seconds)
        table.loc[row, ["path", "seconds"]] = str(Path(path).with_suffix(".ogg")), len(waveform) / SAMPLE_RATE
        with atomic_path(out / table.at[row, "path"], force) as temporary:
            soundfile.write(
                temporary, waveform, SAMPLE_RATE, format="OGG", subtype="VORBIS", compression_level=COMPRESSION
            )
    with atomic_path(out / "sources.csv", force) as temporary:
        table.to_csv(temporary, index=False)
    return out / "sources.csv"


def loudest(waveform: np.ndarray, seconds: float) -> np.ndarray:
    """The `seconds` of it with the most energy, among those that begin on a whole second: (samples,) -> (samples,)."""
    size = round(seconds * SAMPLE_RATE)
    starts = range(0, max(len(waveform) - size, 0) + 1, SAMPLE_RATE)
    start = max(starts, key=lambda begin: float(np.sum(np.square(waveform[begin : begin + size]))))
    return waveform[start : start + size]
