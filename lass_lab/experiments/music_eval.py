"""AudioSep's own evaluation on MUSIC, for whoever has its files: single mixtures with one target and one query each."""

from collections.abc import Mapping, Sequence

import pandas as pd
from tqdm.auto import tqdm

from lass_lab.datasets.layouts import EvaluationItem
from lass_lab.experiments.evaluation import bootstrap
from lass_lab.models import LanguageSeparator
from lass_lab.signal.audio import read_audio
from lass_lab.signal.metrics import sdr, si_sdr

COLUMNS = ["separator", "mixture", "query", "SDR", "SDRi", "SI-SDR"]


def evaluate_items(
    separators: Mapping[str, LanguageSeparator], items: Sequence[EvaluationItem], *, progress: bool = True
) -> pd.DataFrame:
    """Measure separators on single mixtures.

    Args:
        separators: name -> separator.
        items: as `layouts.read_music_eval` gives them.
        progress: show a progress bar.

    Returns:
        A row for each separator and item: separator, mixture (its file's name), query, and SDR (the plain energy
        ratio, AudioSep's definition), SDRi and SI-SDR in dB.

    Raises:
        InputError: a file that cannot be read.
    """
    rows = []
    for item in tqdm(items, desc="mixtures", disable=not progress):
        mixture, target = read_audio(item.mixture), read_audio(item.target)
        before = sdr(target, mixture)
        for name, separator in separators.items():
            estimate = separator.separate(mixture, item.query, progress=False)
            after = sdr(target, estimate)
            rows.append((name, item.mixture.name, item.query, after, after - before, si_sdr(target, estimate)))
    return pd.DataFrame(rows, columns=COLUMNS)


def summarise_items(table: pd.DataFrame) -> pd.DataFrame:
    """Means by query, and their mean: "all", in which every query counts the same, as in AudioSep's table.

    Returns:
        Columns separator, query, SDRi and its 95% bootstrap interval over mixtures (low, high; none for "all"),
        SI-SDR, mixtures.
    """
    rows = []
    for name, of_separator in table.groupby("separator", sort=False):
        means = []
        for query, group in of_separator.groupby("query", sort=True):
            interval = bootstrap(group["SDRi"].to_numpy())
            means.append((group["SDRi"].mean(), group["SI-SDR"].mean()))
            rows.append((name, query, means[-1][0], *interval, means[-1][1], len(group)))
        sdri, scale_free = (sum(column) / len(means) for column in zip(*means, strict=True))
        rows.append((name, "all", sdri, float("nan"), float("nan"), scale_free, len(of_separator)))
    return pd.DataFrame(rows, columns=["separator", "query", "SDRi", "low", "high", "SI-SDR", "mixtures"])
