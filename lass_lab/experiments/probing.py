"""All probes of separators at once: those in `probes`, and what they answer to wrong, absent and recorded queries."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd
from tqdm.auto import tqdm

from lass_lab.datasets.duets import Piece, list_pieces
from lass_lab.datasets.mixing import audible
from lass_lab.experiments.evaluation import SECONDS, level_db, open_piece
from lass_lab.experiments.probes import find_bank, forgetting, out_of_domain, paraphrases, probe_table
from lass_lab.models import LanguageSeparator
from lass_lab.signal.audio import SAMPLE_RATE
from lass_lab.signal.files import InputError
from lass_lab.signal.metrics import sdr, sdr_improvement, si_sdr

ABSENT = ("piano", "flute", "tuba", "marimba")


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
