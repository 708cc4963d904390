"""How well a separator hears: separators x pieces x queries into one tidy table, and what may be concluded from it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
from tqdm.auto import tqdm

from lass_lab.datasets.duets import Piece, load_piece
from lass_lab.datasets.instruments import TAUGHT
from lass_lab.datasets.mixing import MixtureDataset, MixtureRecipe, SourceBank, audible
from lass_lab.models import LanguageSeparator
from lass_lab.signal.audio import SAMPLE_RATE
from lass_lab.signal.files import InputError
from lass_lab.signal.metrics import sdr, si_sdr, spectral_correlation, spectral_mse
from lass_lab.signal.spectral import oracle_estimate

Metric = Callable[[np.ndarray, np.ndarray], float]
METRICS: dict[str, Metric] = {
    "SDR": sdr,
    "SI-SDR": si_sdr,
    "correlation": spectral_correlation,
    "MSE": spectral_mse,
}
DECIMALS = {"SDR": 2, "SDRi": 2, "SI-SDR": 2, "correlation": 4, "MSE": 6}  # in tables as text
FLOOR = "mixture"  # the separator that does nothing: what every other must beat
ORACLES = {"ideal ratio mask": "irm", "phase-sensitive mask": "psm"}  # those that know the answer: the ceilings
RANDOM_PAIRS = MixtureRecipe(aligned=0.0, absent=0.0, level_db=0.0, heldout_captions=True)
COLUMNS = ["separator", "piece", "split", "source", "query", "extent", "start_s", "metric", "value"]


def evaluate(
    separators: Mapping[str, LanguageSeparator],
    pieces: Sequence[str | Piece],
    queries: Mapping[str, Sequence[str]] | None = None,
    *,
    seconds: float = 5.0,
    longest: float | None = None,
    oracles: bool = False,
    n_fft: int = 2048,
    hop: int = 640,
    progress: bool = True,
) -> pd.DataFrame:
    """Measure every separator on every piece by every query, whole and slice by slice.

    Args:
        separators: name -> separator. The mixture itself stands in the table as the separator "mixture".
        pieces: names or pieces.
        queries: source -> queries that ask for it; None asks by each source's name.
        seconds: length of a slice. Slices in which the target cannot be heard are left out: their SDR is about nothing.
        longest: use only so many seconds of each piece.
        oracles: add the separators "ideal ratio mask" and "phase-sensitive mask", which are made from the true sources
            over the whole piece: what a mask on the mixture's magnitude could reach. One that also turns the phase, as
            AudioSep's does, could in principle pass them.
        n_fft, hop: of the oracles' STFT, in samples; the tiny separator's unless told.

    Returns:
        One row a number: separator, piece, split, source, query, extent ("piece" or "slice"), start_s, metric ("SDR",
        "SDRi" and "SI-SDR" in dB, "correlation", "MSE"), value. SDR is the plain energy ratio, AudioSep's definition.

    Raises:
        InputError: an unknown piece, a source that a piece does not have, or a separator by the name of the floor or
            of an oracle.
    """
    if taken := [name for name in separators if name in (FLOOR, *ORACLES)]:
        raise InputError(f"separator '{taken[0]}': the table has one of that name already; call it something else")
    rows = []
    for piece in [open_piece(piece, longest) for piece in pieces]:
        asked = [
            (source, query)
            for source in (queries or piece.sources)
            for query in (queries[source] if queries else [source])
        ]
        if unknown := {source for source, _ in asked} - set(piece.sources):
            raise InputError(f"piece {piece.name}: has no source '{sorted(unknown)[0]}'")
        words = [query for _, query in asked]
        estimates = {FLOOR: [piece.mixture] * len(words)}
        for name, separator in tqdm(separators.items(), desc=piece.name, disable=not progress):
            estimates[name] = separator.separate(piece.mixture, words, progress=False)
        for name, kind in ORACLES.items() if oracles else ():
            known = {
                source: oracle_estimate(piece.mixture, piece.sources[source], kind, n_fft, hop)
                for source in dict.fromkeys(source for source, _ in asked)
            }
            estimates[name] = [known[source] for source, _ in asked]
        for name, found in estimates.items():
            for (source, query), estimate in zip(asked, found, strict=True):
                key = (name, piece.name, piece.split, source, query)
                rows += [(*key, *row) for row in _measure(piece.sources[source], estimate, piece.mixture, seconds)]
    return pd.DataFrame(rows, columns=COLUMNS)


def open_piece(piece: str | Piece, longest: float | None = None) -> Piece:
    """A piece by its name or as it is, cut to its first `longest` seconds where it lasts longer.

    Raises InputError for an unknown name.
    """
    piece = piece if isinstance(piece, Piece) else load_piece(piece)
    if longest is None or longest >= piece.seconds:
        return piece
    stop = round(longest * SAMPLE_RATE)
    sources = {name: waveform[:stop] for name, waveform in piece.sources.items()}
    return replace(piece, mixture=piece.mixture[:stop], sources=sources)


def _measure(target: np.ndarray, estimate: np.ndarray, mixture: np.ndarray, seconds: float) -> list[tuple]:
    """Rows (extent, start_s, metric, value) for the whole and for each slice."""
    size = round(seconds * SAMPLE_RATE)
    extents = [("piece", 0, len(target))]
    extents += [("slice", start, start + size) for start in range(0, len(target) - size + 1, size)]
    rows = []
    for extent, start, stop in extents:
        cut = slice(start, stop)
        if extent == "slice" and not audible(target[cut]):
            continue
        values = {name: metric(target[cut], estimate[cut]) for name, metric in METRICS.items()}
        values["SDRi"] = values["SDR"] - sdr(target[cut], mixture[cut])
        rows += [(extent, start / SAMPLE_RATE, name, value) for name, value in values.items()]
    return rows


def summarise(table: pd.DataFrame, *, resamples: int = 2000, seed: int = 0) -> pd.DataFrame:
    """One row for each separator, piece, source, query and metric: the piece's value, and its slices' mean.

    The interval is the 95% percentile bootstrap over slices (Efron & Tibshirani, 1993, ch. 13). It says how far the
    mean would move with other slices of the same piece, and nothing about other pieces.

    Returns:
        Columns separator, piece, source, query, metric, value (whole piece), mean, low, high (over slices), slices.
    """
    keys = ["separator", "piece", "source", "query", "metric"]
    whole = table[table["extent"] == "piece"].set_index(keys)["value"]
    rows = []
    for key, group in table[table["extent"] == "slice"].groupby(keys, sort=False):
        values = group["value"].to_numpy()
        rows.append((*key, whole.get(key, np.nan), values.mean(), *bootstrap(values, resamples, seed), len(values)))
    return pd.DataFrame(rows, columns=[*keys, "value", "mean", "low", "high", "slices"])


def format_summary(summary: pd.DataFrame) -> str:
    """The summary as text: a row for each separator, piece and query, a column for each metric of the whole piece.

    SDRi also carries its slices' mean and 95% interval.
    """
    keys = ["piece", "source", "query", "separator"]
    wide = summary.pivot_table(index=keys, columns="metric", values="value", sort=False)
    gain = summary[summary["metric"] == "SDRi"].set_index(keys)
    wide["SDRi by slice [95%]"] = gain.apply(
        lambda row: f"{row['mean']:.2f} [{row['low']:.2f}, {row['high']:.2f}]", axis=1
    )
    order = ["SDR", "SDRi", "SI-SDR", "correlation", "MSE", "SDRi by slice [95%]"]
    formatters = {name: f"{{:.{count}f}}".format for name, count in DECIMALS.items()}
    return wide.reset_index()[[*keys, *order]].to_string(index=False, formatters=formatters)


def bootstrap(values: np.ndarray, resamples: int = 2000, seed: int = 0) -> tuple[float, float]:
    """95% percentile bootstrap interval of the mean of `values` `(n,)`."""
    rng = np.random.default_rng(seed)
    means = rng.choice(values, (resamples, len(values))).mean(axis=1)
    low, high = np.percentile(means, [2.5, 97.5])
    return float(low), float(high)


def evaluate_mixtures(
    separator: LanguageSeparator,
    sources: str | Path,
    *,
    split: str = "test",
    instruments: Sequence[str] = TAUGHT,
    pairs: int = 200,
    recipe: MixtureRecipe = RANDOM_PAIRS,
    seconds: float = 5.0,
    seed: int = 2,
    progress: bool = True,
) -> pd.DataFrame:
    """Measure on mixtures of taught instruments drawn from rendered sources, asked for in held-out phrasings.

    Every mixture is asked for one of its sources and then for the other: two rows, of the `pairs` rows in all.

    Returns:
        One row a mixture: instrument, query, mixture_sdr and sdr in dB, sdri (their difference), and level, the
        estimate's energy against the mixture's in dB (what counts where the query names what is not there).
    """
    drawn = MixtureDataset(SourceBank(sources, split, instruments), pairs, seconds, recipe, seed)
    rows = []
    for item in tqdm(drawn, desc="mixtures", disable=not progress):
        mixture, target = item["mixture"][0].numpy(), item["target"][0].numpy()
        estimate = separator.separate(mixture, item["query"], progress=False)
        before, after = sdr(target, mixture), sdr(target, estimate)
        rows.append((item["instrument"], item["query"], before, after, after - before, level_db(estimate, mixture)))
    return pd.DataFrame(rows, columns=["instrument", "query", "mixture_sdr", "sdr", "sdri", "level"])


def level_db(estimate: np.ndarray, mixture: np.ndarray) -> float:
    """The energy of an estimate against the mixture's, in dB; both `(samples,)`, silence counted as -100 dB."""
    energies = [max(float(np.mean(np.square(waveform))), 1e-10) for waveform in (estimate, mixture)]
    return 10 * float(np.log10(energies[0] / energies[1]))
