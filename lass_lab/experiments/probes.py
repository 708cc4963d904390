"""What a score on the duets does not tell: other words, wrong and absent queries, what was forgotten, other sounds.

Each probe is a function of a separator's name, the separator and what to measure on; `probe` runs them all. Every one
gives the same tidy table, a row a number: separator, probe, detail, metric ("SDR", "SDRi", "SI-SDR" or "level", all in
dB), value, low and high, n. `n` says how many values the number sums up; 1 is a value by itself. `low` and `high` are
the 95% bootstrap interval of a mean over a random draw; a mean of three chosen phrasings has none.
"""

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
from tqdm.auto import tqdm

from lass_lab.datasets.captions import heldout_captions
from lass_lab.datasets.duets import VALIDATION_S, Piece, data_dir, list_pieces, load_piece
from lass_lab.datasets.mixing import SourceBank, audible
from lass_lab.experiments.evaluation import bootstrap, evaluate_mixtures, level_db, open_piece
from lass_lab.experiments.text_tables import aligned
from lass_lab.models import LanguageSeparator
from lass_lab.models.querynet import Query
from lass_lab.signal.audio import SAMPLE_RATE
from lass_lab.signal.files import InputError
from lass_lab.signal.metrics import sdr, sdr_improvement, si_sdr

# Taught instruments of many families, none of them in the duets: what fine-tuning on the duets may unlearn.
FORGETTING = ("cello", "flute", "oboe", "clarinet", "french horn", "piano", "acoustic guitar", "marimba")
ABSENT = ("piano", "flute", "tuba", "marimba")
COLUMNS = ["separator", "probe", "detail", "metric", "value", "low", "high", "n"]


def probe(
    separators: Mapping[str, LanguageSeparator],
    *,
    piece: str | Piece | None = None,
    longest: float | None = None,
    bank: str | Path | None = None,
    pairs: int = 50,
    pair_seconds: float = 5.0,
    progress: bool = True,
) -> pd.DataFrame:
    """Every probe of every separator, on the same recordings and the same random mixtures.

    Args:
        separators: name -> separator.
        piece: the duet to measure on; None takes the first of the test split.
        longest: use only so many seconds of each piece.
        bank, pairs, pair_seconds: of the probe for forgetting; see there.

    Returns:
        The module's table.

    Raises:
        InputError: no separator, an unknown piece, or a bank that is missing or lacks an instrument.
    """
    if not separators:
        raise InputError("probes: need a separator, and were given none")
    duet = open_piece(piece or list_pieces("test")[0], longest)
    foreign = [open_piece(name, longest) for name in list_pieces("out-of-domain")]
    clips = query_clips(list_pieces("train")[0])
    bank = _bank(bank, "test", FORGETTING)  # now, not after minutes
    probes = (
        partial(paraphrases, piece=duet, progress=False),
        partial(wrong_query, piece=duet, progress=False),
        partial(absent_instruments, piece=duet, progress=False),
        partial(forgetting, bank=bank, pairs=pairs, seconds=pair_seconds, progress=False),
        partial(out_of_domain, pieces=foreign, progress=False),
        partial(audio_queries, piece=duet, clips=clips, progress=False),
    )
    runs = [(name, separator, run) for name, separator in separators.items() for run in probes]
    bar = tqdm(runs, desc="probes", disable=not progress)
    return pd.concat([run(name, separator) for name, separator, run in bar], ignore_index=True)


def paraphrases(
    name: str,
    separator: LanguageSeparator,
    piece: str | Piece,
    *,
    longest: float | None = None,
    progress: bool = True,
) -> pd.DataFrame:
    """SDRi for each source by its canonical word and by the phrasings that no training sees; their mean and worst.

    Raises InputError: an unknown piece, or a source of it without captions.
    """
    piece = open_piece(piece, longest)
    words = {source: (source, *heldout_captions(source)) for source in piece.sources}
    asked = [(source, query) for source, queries in words.items() for query in queries]
    gains = dict(zip(asked, _gains(separator, piece, asked, progress), strict=True))
    rows = []
    for source, (_, *heldout) in words.items():
        values = [gains[source, query] for query in heldout]
        rows += [(f'{source}: "{query}"', "SDRi", gains[source, query]) for query in words[source]]
        rows.append((f"{source}: mean of the held-out", "SDRi", np.mean(values), len(values)))
        rows.append((f"{source}: worst of the held-out", "SDRi", min(values), len(values)))
    return _table(name, "paraphrases", rows)


def wrong_query(
    name: str,
    separator: LanguageSeparator,
    piece: str | Piece,
    *,
    longest: float | None = None,
    progress: bool = True,
) -> pd.DataFrame:
    """How much of the source that was not asked for comes: SDR and SI-SDR of each query's estimate against the others.

    The lower the SI-SDR the better; above 0 dB the estimate is mostly the wrong source. By SDR silence scores 0 dB, and
    what is above is nearer to the wrong source than silence. Raises InputError: an unknown piece.
    """
    piece = open_piece(piece, longest)
    estimates = separator.separate(piece.mixture, list(piece.sources), progress=_bar(progress))
    rows = [
        (f'"{asked}" against the {source}', metric, measure(waveform, estimate))
        for asked, estimate in zip(piece.sources, estimates, strict=True)
        for source, waveform in piece.sources.items()
        if source != asked
        for metric, measure in (("SDR", sdr), ("SI-SDR", si_sdr))
    ]
    return _table(name, "wrong query", rows)


def absent_instruments(
    name: str,
    separator: LanguageSeparator,
    piece: str | Piece,
    instruments: Sequence[str] = ABSENT,
    *,
    longest: float | None = None,
    progress: bool = True,
) -> pd.DataFrame:
    """Level of the estimate against the mixture (dB) for each instrument that does not play, and their mean.

    The lower the better: the right answer is silence. Raises InputError: an unknown piece, or an instrument that plays
    in it.
    """
    piece = open_piece(piece, longest)
    if playing := [instrument for instrument in instruments if instrument in piece.sources]:
        raise InputError(f"{piece.name}: the {playing[0]} plays in it, so it cannot stand for an absent instrument")
    estimates = separator.separate(piece.mixture, list(instruments), progress=_bar(progress))
    levels = [level_db(estimate, piece.mixture) for estimate in estimates]
    rows = [(f'"{query}"', "level", level) for query, level in zip(instruments, levels, strict=True)]
    return _table(name, "absent instrument", [*rows, ("mean", "level", np.mean(levels), len(levels))])


def forgetting(
    name: str,
    separator: LanguageSeparator,
    bank: str | Path | None = None,
    *,
    pairs: int = 50,
    seconds: float = 5.0,
    instruments: Sequence[str] = FORGETTING,
    split: str = "test",
    seed: int = 2,
    progress: bool = True,
) -> pd.DataFrame:
    """SDRi on random pairs of other instruments, asked for in held-out phrasings: each instrument's mean, and the mean.

    The interval is over mixtures, each the mean of its two queries (two queries of one mixture are no independent
    draws). It says nothing about other clips of these instruments.

    Args:
        bank: a folder of sources; None takes the one that ships.
        pairs: mixtures, each asked for its one source and then for the other. The same seed draws the same ones.
        seconds: length of a mixture.

    Raises:
        InputError: no bank, or one that lacks an instrument in that split.
    """
    bank = _bank(bank, split, instruments)
    table = evaluate_mixtures(
        separator, bank, split=split, instruments=instruments, pairs=2 * pairs, seconds=seconds, seed=seed,
        progress=progress,
    )  # fmt: skip
    mixtures = table["sdri"].to_numpy().reshape(pairs, 2).mean(axis=1)
    drawn = table.groupby("instrument")["sdri"].agg(["mean", "size"])
    rows = [(each, "SDRi", *drawn.loc[each]) for each in instruments if each in drawn.index]
    return _table(name, "forgetting", [*rows, ("mean", "SDRi", mixtures.mean(), pairs, *bootstrap(mixtures))])


def out_of_domain(
    name: str,
    separator: LanguageSeparator,
    pieces: Sequence[str | Piece] | None = None,
    *,
    longest: float | None = None,
    progress: bool = True,
) -> pd.DataFrame:
    """SDR and SDRi of each source on pieces that sound unlike those trained on; None takes all of that split.

    Raises InputError: an unknown piece.
    """
    rows = []
    for piece in [open_piece(piece, longest) for piece in pieces or list_pieces("out-of-domain")]:
        estimates = separator.separate(piece.mixture, list(piece.sources), progress=_bar(progress))
        for (source, waveform), estimate in zip(piece.sources.items(), estimates, strict=True):
            rows.append((f"{piece.name}: {source}", "SDR", sdr(waveform, estimate)))
            rows.append((f"{piece.name}: {source}", "SDRi", sdr_improvement(waveform, estimate, piece.mixture)))
    return _table(name, "out of domain", rows)


def audio_queries(
    name: str,
    separator: LanguageSeparator,
    piece: str | Piece,
    clips: Mapping[str, np.ndarray] | None = None,
    *,
    longest: float | None = None,
    progress: bool = True,
) -> pd.DataFrame:
    """SDRi where each source is asked for by a sound like it and not by words.

    Args:
        clips: source -> a clip `(samples,)`, 32 kHz; None takes those of the first training piece.

    Raises:
        InputError: an unknown piece, a source that it lacks, or a clip that cannot be a query.
    """
    piece = open_piece(piece, longest)
    asked = list((query_clips(list_pieces("train")[0]) if clips is None else clips).items())
    if unknown := [source for source, _ in asked if source not in piece.sources]:
        raise InputError(f"piece {piece.name}: has no source '{unknown[0]}'")
    gains = _gains(separator, piece, asked, progress)
    rows = [(f"{source}, by a clip of it", "SDRi", gain) for (source, _), gain in zip(asked, gains, strict=True)]
    return _table(name, "audio query", rows)


def query_clips(piece: str | Piece, seconds: float = 5.0) -> dict[str, np.ndarray]:
    """A clip `(samples,)` of each source of a piece to ask by: the loudest of its adjoining slices of `seconds`.

    Raises InputError: an unknown piece, or a source that cannot be heard in any slice.
    """
    piece = open_piece(piece)
    size = round(seconds * SAMPLE_RATE)
    clips = {}
    for source, waveform in piece.sources.items():
        slices = [waveform[start : start + size] for start in range(0, len(waveform) - size + 1, size)]
        clip = max(slices, key=lambda cut: float(np.sum(np.square(cut))), default=np.zeros(1, np.float32))
        if not audible(clip):
            raise InputError(f"piece {piece.name}: its {source} cannot be heard in any slice of {seconds:g} s")
        clips[source] = clip
    return clips


def format_probes(table: pd.DataFrame) -> str:
    """The table as text, all in dB: a paragraph a probe, a line a detail, a column a separator.

    Four separators of short names fit into 120 characters.
    """
    names = list(dict.fromkeys(table["separator"]))
    lines: list[tuple[str, ...]] = [("", "dB", *names)]
    for title, of_probe in table.groupby("probe", sort=False):
        lines += [("",), (title,)]
        for (detail, metric), group in of_probe.groupby(["detail", "metric"], sort=False):
            values = group.set_index("separator").reindex(names)
            lines.append((f"  {detail}", metric, *(f"{value:.2f}" for value in values["value"])))
            if values["low"].notna().any():
                interval = (f"{low:.2f} to {high:.2f}" for low, high in zip(values["low"], values["high"], strict=True))
                lines.append(("    95% interval", metric, *interval))
    return aligned(lines, left=2)


def _gains(
    separator: LanguageSeparator, piece: Piece, asked: Sequence[tuple[str, Query]], progress: bool
) -> list[float]:
    """SDRi for each (source, query)."""
    estimates = separator.separate(piece.mixture, [query for _, query in asked], progress=_bar(progress))
    return [
        sdr_improvement(piece.sources[source], estimate, piece.mixture)
        for (source, _), estimate in zip(asked, estimates, strict=True)
    ]


def _bar(progress: bool) -> bool | None:
    return None if progress else False  # None: the separator shows its bar for what takes long


def _bank(folder: str | Path | None, split: str, instruments: Sequence[str]) -> Path:
    """The bank's folder, once it is known to hold every instrument."""
    bank = SourceBank(data_dir() / "sources" if folder is None else folder, split, instruments)
    if missing := [instrument for instrument in instruments if instrument not in bank.rows]:
        raise InputError(f"{bank.folders[0] / 'sources.csv'}: holds no {missing[0]} in the split '{split}'")
    return bank.folders[0]


def _table(name: str, probe: str, rows: Sequence[tuple]) -> pd.DataFrame:
    """Rows (detail, metric, value) and, where they are known, n, low and high, as the module's table."""
    filled = []
    for detail, metric, value, *more in rows:
        n, low, high = (*more, *(1, np.nan, np.nan)[len(more) :])
        filled.append((name, probe, detail, metric, float(value), float(low), float(high), int(n)))
    return pd.DataFrame(filled, columns=COLUMNS)


def validation_pieces(data: str | Path | None = None) -> list[Piece]:
    """The last 30 s of each training piece: what every choice is made on."""
    data = data or data_dir()
    pieces = [load_piece(name, data) for name in list_pieces("train", data)]
    return [piece.slice(piece.seconds - VALIDATION_S, VALIDATION_S) for piece in pieces]


def balance(
    separator: LanguageSeparator,
    pieces: list[Piece],
    bank: str | Path | None = None,
    *,
    pairs: int = 50,
    progress: bool = True,
) -> dict[str, float]:
    """What fine-tuning is for and what it may cost: SDR (dB) for each source of the pieces, and of others' their SDRi.

    Returns:
        Each source's SDR, the mean over pieces; others, low and high: SDRi of eight other instruments with its interval
        (`probes.forgetting`).
    """
    kept = forgetting("", separator, bank, pairs=pairs, progress=progress).query("detail == 'mean'").iloc[0]
    return mean_sdrs(separator, pieces) | {"others": kept["value"], "low": kept["low"], "high": kept["high"]}


def mean_sdrs(separator: LanguageSeparator, pieces: list[Piece]) -> dict[str, float]:
    """SDR for each source, the mean over pieces."""
    found: dict[str, list[float]] = {}
    for piece in pieces:
        estimates = separator.separate(piece.mixture, list(piece.sources), progress=False)
        for (source, waveform), estimate in zip(piece.sources.items(), estimates, strict=True):
            found.setdefault(source, []).append(sdr(waveform, estimate))
    return {source: float(np.mean(values)) for source, values in found.items()}
