"""Three systems, from LASS-Net on, trained by one recipe (data/lineage): to look at and to listen to."""

import numpy as np
import pandas as pd

from lass_lab.datasets import list_pieces, load_piece
from lass_lab.signal.audio import read_audio
from lass_lab.signal.files import data_dir

EXCERPT_S = (20.0, 6.0)  # start and length, in seconds, of the excerpt of the held-out duet
QUERY = "violin"


def lineage_table() -> pd.DataFrame:
    """The systems from LASS-Net on, a row each, and what each of them reaches: SDRi in dB with its 95% interval."""
    rows = pd.read_csv(data_dir() / "lineage" / "numbers.csv")
    rows["text"] = [
        f"{row.mean:.1f}" + (f" [{row.low:.1f}, {row.high:.1f}]" if row.mixtures > 1 else "")
        for row in rows[["mean", "low", "high", "mixtures"]].itertuples()
    ]
    table = rows.pivot(index="system", columns="trial", values="text")
    return table.loc[rows["system"].unique(), rows["trial"].unique()]


def lineage_sounds() -> dict[str, np.ndarray]:
    """The violin of the held-out duet: the mixture, what each system makes of it, and the true one, for `players`."""
    piece = load_piece(list_pieces("test")[0]).slice(*EXCERPT_S)
    paths = sorted((data_dir() / "lineage").glob("system-*.ogg"))
    estimates = {name: read_audio(path) for name, path in zip(lineage_table().index, paths, strict=False)}
    return {"mixture": piece.mixture, **estimates, f"the true {QUERY}": piece.sources[QUERY]}
