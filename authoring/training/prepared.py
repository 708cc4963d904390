"""Sources made ready to train with: every clip at the training's sample rate, so that no step has to wait for it."""

from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import pandas as pd
import soundfile
import soxr
from tqdm.auto import tqdm

from lass_lab.datasets.manifest import read_table
from lass_lab.datasets.mixing import SourceBank, Sources, list_folders
from lass_lab.experiments.run_facts import cores
from lass_lab.signal.files import atomic_path

SPLITS = ("train", "validation")


def prepare(sources: Sources, out: Path, sample_rate: int) -> Path:
    """Write what the banks have to train and validate with into one, `out`, at that rate; returns `out`.

    Clips that are there already stay, unless their source is newer.

    Raises:
        InputError: as `SourceBank`.
    """
    parts = [SourceBank(folder, split).clips for folder in list_folders(sources) for split in _splits(folder)]
    clips = pd.concat(parts, ignore_index=True)
    folders = {folder: f"{place}" for place, folder in enumerate(clips["folder"].unique())}
    lower = [str(Path(folders[row.folder], row.path).with_suffix(".wav")) for row in clips.itertuples()]
    tasks = [(Path(row.folder, row.path), out / path) for row, path in zip(clips.itertuples(), lower, strict=True)]
    missing = [(whole, low) for whole, low in tasks if not low.exists() or low.stat().st_mtime < whole.stat().st_mtime]
    with ThreadPoolExecutor(cores()) as pool:  # soundfile and soxr let go of the interpreter while they work
        done = pool.map(partial(_lower, sample_rate), missing)
        list(tqdm(done, total=len(missing), unit="clip", desc=f"to {sample_rate} Hz"))
    with atomic_path(out / "sources.csv", force=True) as temporary:
        clips.assign(path=lower, sample_rate=sample_rate).drop(columns="folder").to_csv(temporary, index=False)
    return out


def _splits(folder: Path) -> list[str]:
    there = set(read_table(folder / "sources.csv", ("split",))["split"])
    return [split for split in SPLITS if split in there]


def _lower(sample_rate: int, task: tuple[Path, Path]) -> None:
    source, target = task
    waveform, rate = soundfile.read(source, dtype="float32")
    with atomic_path(target, force=True) as temporary:
        soundfile.write(temporary, soxr.resample(waveform, rate, sample_rate), sample_rate, "PCM_16")
