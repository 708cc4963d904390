"""Measuring separators: separators x pieces x queries into one tidy table, and what may be concluded from it."""

from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from tqdm.auto import tqdm

from lass_lab.datasets.duets import VALIDATION_S, Piece, list_pieces, load_piece
from lass_lab.datasets.instruments import TAUGHT
from lass_lab.datasets.mixing import MixtureDataset, MixtureRecipe, SourceBank, audible
from lass_lab.models import LanguageSeparator
from lass_lab.models.separator import MARGIN_S, OVERLAP_S, WINDOW_S
from lass_lab.models.sharing import share_out
from lass_lab.models.streaming import Windows, stream
from lass_lab.signal.audio import SAMPLE_RATE, decibels
from lass_lab.signal.files import InputError
from lass_lab.signal.metrics import sdr, si_sdr, spectral_correlation, spectral_mse
from lass_lab.signal.spectral import oracle_estimate

METRICS: dict[str, Callable[[np.ndarray, np.ndarray], float]] = {
    "SDR": sdr,
    "SI-SDR": si_sdr,
    "correlation": spectral_correlation,
    "MSE": spectral_mse,
}
SECONDS = 5.0  # of a slice
DECIMALS = {"SDR": 2, "SDRi": 2, "SI-SDR": 2, "correlation": 4, "MSE": 6}  # in tables as text
FLOOR = "mixture"  # the separator that does nothing: every other must beat it
SUBTRACTION, CONSISTENT = ", by subtraction", ", consistent"  # what `evaluate` adds to a separator's name
ORACLES = {"ideal ratio mask": "irm", "phase-sensitive mask": "psm"}  # masks made from the answer: the ceilings
RANDOM_PAIRS = MixtureRecipe(aligned=0.0, absent=0.0, level_db=0.0, heldout_captions=True)
ORACLE_STFT = 2048, 640  # window and hop in samples: the tiny separator's
COLUMNS = ["separator", "piece", "split", "source", "query", "extent", "start_s", "metric", "value"]


def evaluate(
    separators: Mapping[str, LanguageSeparator],
    pieces: Sequence[str | Piece],
    queries: Mapping[str, Sequence[str]] | None = None,
    *,
    longest: float | None = None,
    oracles: bool = False,
    consistent: bool = False,
    metrics: Collection[str] = tuple(METRICS),
    progress: bool = True,
) -> pd.DataFrame:
    """Measure every separator on every piece by every query, whole and by slices of five seconds.

    Slices in which the target is silent are left out: their SDR says nothing.

    Where a piece has two sources and each is asked for by one query, every separator has a second floor: "NAME, by
    subtraction" is the mixture minus NAME's estimate of the other source. Where the mixture is the sum of the two, its
    SDR is the SDRi of that estimate, and its SDRi the estimate's SDR.

    Args:
        separators: name -> separator. The mixture itself stands in the table as the separator "mixture".
        pieces: names or pieces.
        queries: source -> queries that ask for it; None asks by each source's name.
        longest: use only so many seconds of each piece.
        oracles: add the separators "ideal ratio mask" and "phase-sensitive mask", which are made from the true sources
            over the whole piece, with the tiny separator's STFT: what a mask on the mixture's magnitude could reach.
            One that also turns the phase, as AudioSep's does, could in principle pass them.
        consistent: add "NAME, consistent": the same estimates, corrected so that they and a residual add up (see
            `share_out`). What that gains is no gain of the network.
        metrics: which of `METRICS` to measure, SDR among them; SDRi comes with it. Those of spectra take longest.

    Returns:
        One row a number: separator, piece, split, source, query, extent ("piece" or "slice"), start_s, metric ("SDR",
        "SDRi" and "SI-SDR" in dB, "correlation", "MSE"), value. SDR is the plain energy ratio, AudioSep's definition.

    Raises:
        InputError: an unknown piece, or a source that a piece does not have.
    """
    rows = []
    for piece in [open_piece(piece, longest) for piece in pieces]:
        wanted = queries or {source: [source] for source in piece.sources}
        asked = [(source, query) for source, words in wanted.items() for query in words]
        if unknown := wanted.keys() - piece.sources.keys():
            raise InputError(f"piece {piece.name}: has no source '{sorted(unknown)[0]}'")
        words = [query for _, query in asked]
        answers = {FLOOR: [piece.mixture] * len(words)}
        others = len(asked) == 2 == len(piece.sources) == len(wanted)
        for name, separator in tqdm(separators.items(), desc=piece.name, disable=not progress):
            answers[name] = separator.separate(piece.mixture, words, progress=False)
            if consistent:
                answers[name + CONSISTENT] = _consistent(answers[name], piece.mixture)
            if others:
                answers[name + SUBTRACTION] = [piece.mixture - each for each in answers[name][::-1]]
        for name, kind in ORACLES.items() if oracles else ():
            known = {
                source: oracle_estimate(piece.mixture, piece.sources[source], kind, *ORACLE_STFT) for source in wanted
            }
            answers[name] = [known[source] for source, _ in asked]
        for name, found in answers.items():
            for (source, query), estimate in zip(asked, found, strict=True):
                key = (name, piece.name, piece.split, source, query)
                rows += [(*key, *row) for row in _measure(piece.sources[source], estimate, piece.mixture, metrics)]
    return pd.DataFrame(rows, columns=COLUMNS)


def _consistent(estimates: np.ndarray, mixture: np.ndarray) -> np.ndarray:
    """Estimates `(queries, samples)` shared out in windows, as the separator does it to the windows of its own."""
    windows = Windows(*(round(part * SAMPLE_RATE) for part in (WINDOW_S, OVERLAP_S, MARGIN_S)))
    together = np.concatenate((mixture[None], estimates)).astype(np.float32)
    return np.concatenate(list(stream([together], windows, lambda cut: share_out(cut[1:], cut[0]))), axis=-1)


def open_piece(piece: str | Piece, longest: float | None = None) -> Piece:
    """A piece by its name or as it is, cut to its first `longest` seconds where it lasts longer.

    Raises InputError for an unknown name.
    """
    piece = piece if isinstance(piece, Piece) else load_piece(piece)
    return piece if longest is None or longest >= piece.seconds else piece.slice(0, longest)


def validation_pieces() -> list[Piece]:
    """The last 30 s of each training piece: all choices are made on them."""
    pieces = [load_piece(name) for name in list_pieces("train")]
    return [piece.slice(piece.seconds - VALIDATION_S, VALIDATION_S) for piece in pieces]


def _measure(target: np.ndarray, estimate: np.ndarray, mixture: np.ndarray, metrics: Collection[str]) -> list[tuple]:
    """Rows (extent, start_s, metric, value) for the whole and for each slice."""
    size = round(SECONDS * SAMPLE_RATE)
    extents = [("piece", slice(0, len(target)))]
    extents += [("slice", slice(start, start + size)) for start in range(0, len(target) - size + 1, size)]
    rows = []
    for extent, cut in extents:
        if extent == "slice" and not audible(target[cut]):
            continue
        values = {name: METRICS[name](target[cut], estimate[cut]) for name in metrics}
        values["SDRi"] = values["SDR"] - sdr(target[cut], mixture[cut])
        rows += [(extent, cut.start / SAMPLE_RATE, name, value) for name, value in values.items()]
    return rows


def summarise(table: pd.DataFrame) -> pd.DataFrame:
    """One row for each separator, piece, source, query and metric: the piece's value, and its slices' mean.

    The interval is the 95% percentile bootstrap over slices (Efron & Tibshirani, 1993, ch. 13). It says how far the
    mean would move with other slices of the same piece, and nothing about other pieces.

    Returns:
        Columns separator, piece, source, query, metric, value (whole piece), mean, low, high (over slices; NaN where
        there are none), slices.
    """
    keys = ["separator", "piece", "source", "query", "metric"]
    whole = table[table["extent"] == "piece"].set_index(keys)["value"]
    slices = {key: group.to_numpy() for key, group in table[table["extent"] == "slice"].groupby(keys)["value"]}
    rows = []
    for key, value in whole.items():
        values = slices.get(key, np.empty(0))
        told = (values.mean(), *bootstrap(values)) if len(values) else (np.nan,) * 3
        rows.append((*key, value, *told, len(values)))
    return pd.DataFrame(rows, columns=[*keys, "value", "mean", "low", "high", "slices"])


def bootstrap(values: np.ndarray, seed: int = 0) -> tuple[float, float]:
    """95% percentile bootstrap interval of the mean of `values` `(n,)`, from 2000 resamples.

    Not `scipy.stats.bootstrap`, which refuses a single value: a piece may have one audible slice.
    """
    means = np.random.default_rng(seed).choice(values, (2000, len(values))).mean(axis=1)
    low, high = np.percentile(means, [2.5, 97.5])
    return float(low), float(high)


def evaluate_mixtures(
    separator: LanguageSeparator,
    sources: str | Path,
    *,
    instruments: Sequence[str] = TAUGHT,
    pairs: int = 200,
    recipe: MixtureRecipe = RANDOM_PAIRS,
    seconds: float = SECONDS,
    seed: int = 2,
    progress: bool = True,
) -> pd.DataFrame:
    """Measure on mixtures drawn from the test split of rendered sources, asked for in held-out phrasings.

    Every mixture is asked for one of its sources and then for the other: two rows, of the `pairs` rows in all.

    Returns:
        One row a mixture: instrument, query, mixture_sdr and sdr in dB, sdri (their difference), and level, the
        estimate's energy against the mixture's in dB (what counts where the query names an absent instrument).
    """
    drawn = MixtureDataset(SourceBank(sources, "test", instruments), pairs, seconds, recipe, seed)
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
    return decibels(energies[0] / energies[1])
