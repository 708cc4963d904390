"""What a score on the duets does not say: other words, forgetting, unfamiliar sounds; more probes are in `probing`.

Each probe is a function of a separator's name, the separator and what to measure on. Every one gives the same table, a
row a number: separator, probe, detail, metric ("SDR", "SDRi", "SI-SDR" or "level", all in dB), value, low and high, n.
`n` says how many values the number sums up; 1 is a value by itself. `low` and `high` are the 95% bootstrap interval of
a mean over a random draw; a mean of three chosen phrasings has none.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from lass_lab.datasets.captions import heldout_captions
from lass_lab.datasets.duets import Piece, data_dir, list_pieces
from lass_lab.datasets.mixing import SourceBank
from lass_lab.experiments.evaluation import bootstrap, evaluate, evaluate_mixtures, mean_sdrs
from lass_lab.models import LanguageSeparator
from lass_lab.signal.files import InputError

# Taught instruments of many families, none of them in the duets: what fine-tuning on the duets may unlearn.
FORGETTING = ("cello", "flute", "oboe", "clarinet", "french horn", "piano", "acoustic guitar", "marimba")
COLUMNS = ["separator", "probe", "detail", "metric", "value", "low", "high", "n"]


def paraphrases(name: str, separator: LanguageSeparator, piece: Piece, *, longest: float | None = None) -> pd.DataFrame:
    """SDRi for each source by its canonical word and by the phrasings held out from training; their mean and worst.

    Raises InputError: a source without captions.
    """
    words = {source: [source, *heldout_captions(source)] for source in piece.sources}
    table = evaluate({name: separator}, [piece], words, longest=longest, progress=False)
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
    table = evaluate({name: separator}, list_pieces("out-of-domain"), longest=longest, progress=False)
    found = table.query("separator == @name and extent == 'piece' and metric in ('SDR', 'SDRi')")
    rows = [(f"{row.piece}: {row.source}", row.metric, row.value) for row in found.itertuples()]
    return probe_table(name, "out of domain", rows)


def balance(
    separator: LanguageSeparator, pieces: Sequence[Piece], *, pairs: int = 50, progress: bool = True
) -> dict[str, float]:
    """What fine-tuning is for and what it may cost: SDR (dB) of each source of the pieces, and SDRi of others.

    Returns:
        Each source's SDR, the mean over pieces; others, low and high: SDRi of eight other instruments with its interval
        (`forgetting`).
    """
    kept = forgetting("", separator, pairs=pairs, progress=progress).iloc[-1]
    return mean_sdrs(separator, pieces) | {"others": kept["value"], "low": kept["low"], "high": kept["high"]}


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
