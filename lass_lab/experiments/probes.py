"""What a score on the duets does not say: other words, wrong and absent ones, clips, forgetting, unfamiliar sounds.

Each probe is a function of a separator's name, the separator and what to measure on. Every one gives the same table, a
row a number: separator, probe, detail, metric ("SDR", "SDRi", "SI-SDR" or "level", all in dB), value, low and high, n.
`n` says how many values the number sums up; 1 is a value by itself. `low` and `high` are the 95% bootstrap interval of
a mean over a random draw; a mean of three chosen phrasings has none.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from tqdm.auto import tqdm

from lass_lab.datasets.captions import heldout_captions
from lass_lab.datasets.duets import Piece, data_dir, list_pieces
from lass_lab.datasets.mixing import SourceBank, audible
from lass_lab.experiments.evaluation import SECONDS, bootstrap, evaluate, evaluate_mixtures, level_db, open_piece
from lass_lab.models import LanguageSeparator
from lass_lab.signal.audio import SAMPLE_RATE
from lass_lab.signal.files import InputError
from lass_lab.signal.metrics import sdr, sdr_improvement, si_sdr

# Taught instruments of many families, none of them in the duets: what fine-tuning on the duets may unlearn.
FORGETTING = ("cello", "flute", "oboe", "clarinet", "french horn", "piano", "acoustic guitar", "marimba")
ABSENT = ("piano", "flute", "tuba", "marimba")  # from the duets
COLUMNS = ["separator", "probe", "detail", "metric", "value", "low", "high", "n"]


def probe(
    separators: Mapping[str, LanguageSeparator],
    *,
    piece: Piece | None = None,
    longest: float | None = None,
    bank: str | Path | None = None,
    pairs: int = 50,
    progress: bool = True,
) -> pd.DataFrame:
    """Every probe of every separator, on the same recordings and the same random mixtures.

    Args:
        separators: name -> separator.
        piece: the duet to measure on; by default the first of the test split.
        longest: use only so many seconds of each piece.
        bank, pairs: for the probe for forgetting; see there.

    Raises:
        InputError: a bank that is missing or lacks an instrument, or a piece without the sources of the shipped duets.
    """
    duet = open_piece(piece or list_pieces("test")[0], longest)
    clips = query_clips(open_piece(list_pieces("train")[0]))
    find_bank(bank)  # now, not after minutes
    tables = []
    for name, separator in tqdm(separators.items(), desc="probes", disable=not progress):
        tables += [
            paraphrases(name, separator, duet),
            wrong_query(name, separator, duet),
            absent_instruments(name, separator, duet),
            forgetting(name, separator, bank, pairs=pairs, progress=False),
            out_of_domain(name, separator, longest=longest),
            audio_queries(name, separator, duet, clips),
        ]
    return pd.concat(tables, ignore_index=True)


def paraphrases(name: str, separator: LanguageSeparator, piece: Piece, *, longest: float | None = None) -> pd.DataFrame:
    """SDRi for each source by its canonical word and by the phrasings held out from training; their mean and worst.

    Raises InputError: a source without captions.
    """
    words = {source: [source, *heldout_captions(source)] for source in piece.sources}
    table = evaluate({name: separator}, [piece], words, longest=longest, metrics=("SDR",), progress=False)
    found = table.query("separator == @name and extent == 'piece' and metric == 'SDRi'")
    rows = []
    for source, gains in found.set_index("query").groupby("source", sort=False)["value"]:
        rows += [(f'{source}: "{query}"', "SDRi", gain) for query, gain in gains.items()]
        heldout = gains.iloc[1:]
        rows.append((f"{source}: mean of the held-out", "SDRi", heldout.mean(), len(heldout)))
        rows.append((f"{source}: worst of the held-out", "SDRi", heldout.min(), len(heldout)))
    return probe_table(name, "paraphrases", rows)


def forgetting(
    name: str,
    separator: LanguageSeparator,
    bank: str | Path | None = None,
    *,
    pairs: int = 50,
    seed: int = 2,
    progress: bool = True,
) -> pd.DataFrame:
    """SDRi on random pairs of other instruments, asked for in held-out phrasings: each instrument's mean, and the mean.

    The interval is over mixtures, each the mean of its two queries (two queries of one mixture are no independent
    draws). It says nothing about other clips of these instruments.

    Args:
        bank: a folder of sources, whose test split is used; None takes the one that ships.
        pairs: mixtures, each asked for its one source and then for the other. The same seed draws the same ones.

    Raises:
        InputError: no bank, or one that lacks an instrument.
    """
    drawn = {"instruments": FORGETTING, "pairs": 2 * pairs, "seed": seed}
    table = evaluate_mixtures(separator, find_bank(bank), progress=progress, **drawn)
    mixtures = table["sdri"].to_numpy().reshape(pairs, 2).mean(axis=1)
    found = table.groupby("instrument")["sdri"].agg(["mean", "size"])
    rows = [(each, "SDRi", *found.loc[each]) for each in FORGETTING if each in found.index]
    return probe_table(name, "forgetting", [*rows, ("mean", "SDRi", mixtures.mean(), pairs, *bootstrap(mixtures))])


def out_of_domain(name: str, separator: LanguageSeparator, *, longest: float | None = None) -> pd.DataFrame:
    """SDR and SDRi of each source on the pieces of the split "out-of-domain", which sound unlike those trained on."""
    table = evaluate({name: separator}, list_pieces("out-of-domain"), longest=longest, metrics=("SDR",), progress=False)
    found = table.query("separator == @name and extent == 'piece' and metric in ('SDR', 'SDRi')")
    rows = [(f"{row.piece}: {row.source}", row.metric, row.value) for row in found.itertuples()]
    return probe_table(name, "out of domain", rows)


def wrong_query(name: str, separator: LanguageSeparator, piece: Piece) -> pd.DataFrame:
    """Leakage of the other source: SDR and SI-SDR of each query's estimate against the sources not asked for.

    The lower the SI-SDR the better; above 0 dB the estimate is mostly the wrong source. By SDR silence scores 0 dB, and
    what is above is nearer to the wrong source than silence.
    """
    estimates = separator.separate(piece.mixture, list(piece.sources), progress=False)
    rows = [
        (f'"{asked}" against the {source}', metric, measure(waveform, estimate))
        for asked, estimate in zip(piece.sources, estimates, strict=True)
        for source, waveform in piece.sources.items()
        if source != asked
        for metric, measure in (("SDR", sdr), ("SI-SDR", si_sdr))
    ]
    return probe_table(name, "wrong query", rows)


def absent_instruments(name: str, separator: LanguageSeparator, piece: Piece) -> pd.DataFrame:
    """Level of the estimate against the mixture (dB) for each of `ABSENT` that does not play, and their mean.

    The lower the better: the right answer is silence.
    """
    queries = [instrument for instrument in ABSENT if instrument not in piece.sources]
    levels = [
        level_db(estimate, piece.mixture) for estimate in separator.separate(piece.mixture, queries, progress=False)
    ]
    rows = [(f'"{query}"', "level", level) for query, level in zip(queries, levels, strict=True)]
    return probe_table(name, "absent instrument", [*rows, ("mean", "level", np.mean(levels), len(levels))])


def audio_queries(
    name: str, separator: LanguageSeparator, piece: Piece, clips: Mapping[str, np.ndarray]
) -> pd.DataFrame:
    """SDRi where each source is asked for by a sound like it: a clip `(samples,)`, 32 kHz, as `query_clips` gives.

    Raises InputError: a source that the piece lacks, or a clip that cannot be a query.
    """
    if unknown := [source for source in clips if source not in piece.sources]:
        raise InputError(f"piece {piece.name}: has no source '{unknown[0]}'")
    estimates = separator.separate(piece.mixture, list(clips.values()), progress=False)
    rows = [
        (f"{source}, by a clip of it", "SDRi", sdr_improvement(piece.sources[source], estimate, piece.mixture))
        for source, estimate in zip(clips, estimates, strict=True)
    ]
    return probe_table(name, "audio query", rows)


def query_clips(piece: Piece) -> dict[str, np.ndarray]:
    """A clip `(samples,)` of each source of a piece to ask by: the loudest of its adjoining slices of five seconds.

    Raises InputError: a source that is silent in every slice.
    """
    size = round(SECONDS * SAMPLE_RATE)
    clips = {}
    for source, waveform in piece.sources.items():
        slices = [waveform[start : start + size] for start in range(0, len(waveform) - size + 1, size)]
        clip = max(slices, key=lambda cut: float(np.sum(np.square(cut))), default=np.zeros(1, np.float32))
        if not audible(clip):
            raise InputError(f"piece {piece.name}: its {source} is silent in every slice of {SECONDS:g} s")
        clips[source] = clip
    return clips


def find_bank(folder: str | Path | None) -> Path:
    """The bank's folder, by default the one that ships. Raises InputError where it lacks one of `FORGETTING`."""
    folder = data_dir() / "sources" if folder is None else Path(folder)
    bank = SourceBank(folder, "test", FORGETTING)
    if missing := [instrument for instrument in FORGETTING if instrument not in bank.rows]:
        raise InputError(f"{folder / 'sources.csv'}: holds no {missing[0]} in the split 'test'")
    return folder


def probe_table(name: str, probe: str, rows: Sequence[tuple]) -> pd.DataFrame:
    """Rows (detail, metric, value) and, where they are known, n, low and high, as the module's table."""
    filled = [(name, probe, *row, *(1, np.nan, np.nan)[len(row) - 3 :]) for row in rows]
    table = pd.DataFrame(filled, columns=["separator", "probe", "detail", "metric", "value", "n", "low", "high"])
    return table[COLUMNS].astype({"value": float, "n": int})
