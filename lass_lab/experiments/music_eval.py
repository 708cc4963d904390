"""AudioSep's own evaluation on MUSIC, for whoever has its files: single mixtures with one target and one query each."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from tqdm.auto import tqdm

from lass_lab.datasets.manifest import check_rows, read_table
from lass_lab.experiments.evaluation import bootstrap
from lass_lab.models import LanguageSeparator
from lass_lab.signal.audio import audio_info, read_audio
from lass_lab.signal.files import InputError
from lass_lab.signal.metrics import sdr, si_sdr

Item = tuple[Path, Path, str]  # a mixture, the target in it, and the words that ask for it


def read_music_eval(table: Path) -> list[Item]:
    """Read AudioSep's `music_eval.csv`, and check the files it stands for.

    Its columns `idx` and `caption` are used: line `idx` has the target `segment-IDX.wav` and the mixture
    `mixture-IDX.wav` beside the table, and `caption` is the query.

    Raises:
        InputError: no such table, a missing column, an empty field, the same `idx` twice, or files that are missing,
            cannot be read, or differ in length or rate from their mixture.
    """
    rows, folder = read_table(table, ("idx", "caption")), table.parent
    check_rows(table, rows, {"idx {idx} stands there twice": rows["idx"].duplicated()})
    pairs = zip(rows["idx"], rows["caption"], strict=True)
    items = [(folder / f"mixture-{idx}.wav", folder / f"segment-{idx}.wav", query) for idx, query in pairs]
    paths = [path for *both, _ in items for path in both]
    if missing := [path.name for path in paths if not path.is_file()]:
        raise InputError(f"{folder}: {len(missing)} of {len(paths)} files missing, the first {missing[0]}")
    for mixture, target, _ in items:
        if audio_info(target)[::2] != audio_info(mixture)[::2]:
            raise InputError(f"{target}: differs in length or rate from {mixture.name}")
    return items


def evaluate_items(separators: Mapping[str, LanguageSeparator], items: Sequence[Item]) -> pd.DataFrame:
    """Measure separators on every mixture that `read_music_eval` lists.

    Returns:
        A row for each separator and item: separator, mixture (its file's name), query, and SDR, SDRi and SI-SDR in dB.

    Raises InputError: a file that cannot be read.
    """
    rows = []
    for path, target_path, query in tqdm(items, desc="mixtures"):
        mixture, target = read_audio(path), read_audio(target_path)
        before = sdr(target, mixture)
        for name, separator in separators.items():
            estimate = separator.separate(mixture, query, progress=False)
            after = sdr(target, estimate)
            rows.append((name, path.name, query, after, after - before, si_sdr(target, estimate)))
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
