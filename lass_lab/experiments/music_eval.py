"""AudioSep's own evaluation on MUSIC, for whoever has its files: single mixtures with one target and one query each."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
from tqdm.auto import tqdm

from lass_lab.datasets.manifest import check_rows, read_table
from lass_lab.experiments.evaluation import bootstrap
from lass_lab.models import LanguageSeparator
from lass_lab.signal.audio import audio_info, read_audio
from lass_lab.signal.files import InputError
from lass_lab.signal.metrics import sdr, si_sdr


class EvaluationItem(NamedTuple):
    """One line of music_eval.csv: a mixture, the target in it, and the words that ask for it."""

    mixture: Path
    target: Path
    query: str


def read_music_eval(table: str | Path, audio_folder: str | Path) -> list[EvaluationItem]:
    """Read AudioSep's `music_eval.csv`, and check the files it stands for.

    Its columns `idx` and `caption` are used: line `idx` has the target `segment-IDX.wav` and the mixture
    `mixture-IDX.wav` in `audio_folder`, and `caption` is the query.

    Raises:
        InputError: no such table or folder, a missing column, an empty field, the same `idx` twice, or files that are
            missing, cannot be read, or differ in length or rate from their mixture.
    """
    table, folder = Path(table), Path(audio_folder)
    if not folder.is_dir():
        raise InputError(f"{folder}: no such folder")
    rows = read_table(table, ("idx", "caption"))
    check_rows(table, rows, {"idx {idx} stands there twice": rows["idx"].duplicated()})
    pairs = zip(rows["idx"], rows["caption"], strict=True)
    items = [
        EvaluationItem(folder / f"mixture-{idx}.wav", folder / f"segment-{idx}.wav", query) for idx, query in pairs
    ]
    paths = [path for item in items for path in (item.mixture, item.target)]
    if missing := [path.name for path in paths if not path.is_file()]:
        raise InputError(f"{folder}: {len(missing)} of {len(paths)} files missing, the first {missing[0]}")
    for item in items:
        if audio_info(item.target)[::2] != audio_info(item.mixture)[::2]:
            raise InputError(f"{item.target}: differs in length or rate from {item.mixture.name}")
    return items


def evaluate_items(separators: Mapping[str, LanguageSeparator], items: Sequence[EvaluationItem]) -> pd.DataFrame:
    """Measure separators on every mixture that `read_music_eval` lists.

    Returns:
        A row for each separator and item: separator, mixture (its file's name), query, and SDR, SDRi and SI-SDR in dB.

    Raises InputError: a file that cannot be read.
    """
    rows = []
    for item in tqdm(items, desc="mixtures"):
        mixture, target = read_audio(item.mixture), read_audio(item.target)
        before = sdr(target, mixture)
        for name, separator in separators.items():
            estimate = separator.separate(mixture, item.query, progress=False)
            after = sdr(target, estimate)
            rows.append((name, item.mixture.name, item.query, after, after - before, si_sdr(target, estimate)))
    return pd.DataFrame(rows, columns=["separator", "mixture", "query", "SDR", "SDRi", "SI-SDR"])


def summarise_items(table: pd.DataFrame) -> pd.DataFrame:
    """Means by query of what `evaluate_items` gives, and their mean: "all", in which every query counts the same.

    Returns:
        Columns separator, query, SDRi and its 95% bootstrap interval over mixtures (low, high; none for "all"),
        SI-SDR, mixtures.
    """
    rows = []
    for name, measured in table.groupby("separator", sort=False):
        means = measured.groupby("query")[["SDRi", "SI-SDR"]].mean()
        for query, group in measured.groupby("query"):
            gain, scale_free = means.loc[query]
            rows.append((name, query, gain, *bootstrap(group["SDRi"].to_numpy()), scale_free, len(group)))
        gain, scale_free = means.mean()
        rows.append((name, "all", gain, np.nan, np.nan, scale_free, len(measured)))
    return pd.DataFrame(rows, columns=["separator", "query", "SDRi", "low", "high", "SI-SDR", "mixtures"])
