"""What the looker can do, on duets of clips that it never heard, each number with an interval."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
import torch
from scipy.signal import resample_poly
from torch.nn import functional

from lass_lab.course.nb10.duets import SAMPLE_RATE, Clips, Cut, scene
from lass_lab.course.nb10.looker import Looker
from lass_lab.course.nb10.losses import SCALE, pointing
from lass_lab.datasets import heldout_captions, list_pieces, load_piece
from lass_lab.datasets.mixing import match_energy
from lass_lab.experiments.evaluation import bootstrap
from lass_lab.models.sentence_encoder import SentenceEncoder
from lass_lab.signal.metrics import sdr_improvement

SECONDS = 2.54
ASKS = ("by sight", "film a second late", "by name", "by other words", "by nothing")
Pair = tuple[Cut, Cut]


def pairs(clips: Clips, number: int, seed: int = 1) -> list[Pair]:
    """Duets of two instruments, seeded."""
    rng = np.random.default_rng(seed)
    return [clips.duet(rng, round(SECONDS * SAMPLE_RATE)) for _ in range(number)]


def twins(clips: Clips, number: int, seed: int = 1) -> list[Pair]:
    """Duets of two clips of one instrument."""
    rng, found = np.random.default_rng(seed), []
    while len(found) < number:
        look = str(rng.choice(clips.looks))
        first, second = clips.duet(rng, round(SECONDS * SAMPLE_RATE), [look, look])
        found += [(first, second)] if first.clip != second.clip else []
    return found


def trumpets(clips: Clips, number: int, seed: int = 1) -> list[Pair]:
    """A trumpet and a violin, from the duet that is kept for testing; they move to the notes of some other clips."""
    rng, piece = np.random.default_rng(seed), load_piece(list_pieces("test")[0])
    sources = {name: resample_poly(piece.sources[name], 1, 4).astype(np.float32) for name in ("trumpet", "violin")}
    size, found = round(SECONDS * SAMPLE_RATE), []
    for start in rng.integers(len(sources["violin"]) - size, size=number):
        cuts = [source[start : start + size] for source in sources.values()]
        cuts[1] = match_energy(cuts[1], cuts[0], 0.0)
        notes = [clips.notes[rng.integers(len(clips.notes))] for _ in cuts]
        found.append(tuple(Cut(-1, *each) for each in zip(sources, cuts, notes, strict=True)))
    return found


def answers(looker: Looker, encoder: SentenceEncoder, duets: Sequence[Pair], seed: int = 1) -> pd.DataFrame:
    """Ask for both players of every duet in every way of `ASKS`.

    By sight, the condition is the region of the film of both in which the player stands.

    Returns:
        One row an answer: duet, look, ask, SDRi (dB), and points: whether the estimate points to its player's cell.
    """
    rng, rows = np.random.default_rng(seed), []
    for number, duet in enumerate(duets):
        acted = scene(rng, *duet)
        with torch.no_grad():
            film, late = (looker.eye(torch.from_numpy(acted.film(SECONDS, shift))) for shift in (0.0, 1.0))
        others = [str(rng.choice(heldout_captions(cut.look))) for cut in duet]
        said = encoder([cut.look for cut in duet] + others)
        cells = [player.cell for player in acted.players]
        conditions = torch.cat([film[cells], late[cells], said, torch.zeros(2, said.shape[1])])
        mixture = torch.from_numpy(sum(cut.samples for cut in duet))
        estimates = looker.separate(mixture.expand(len(conditions), -1), functional.normalize(conditions, dim=-1))
        with torch.no_grad():
            pointed = pointing(film, looker.ear(estimates), SCALE).argmax(-1)
        for place, estimate in enumerate(estimates.numpy()):
            cut, ask = duet[place % 2], ASKS[place // 2]
            gain = sdr_improvement(cut.samples, estimate, mixture.numpy())
            rows.append((number, cut.look, ask, gain, int(pointed[place]) == cells[place % 2]))
    return pd.DataFrame(rows, columns=["duet", "look", "ask", "SDRi", "points"])


def summary(values: pd.Series, duets: pd.Series) -> tuple[float, float, float]:
    """Mean over duets, and its 95% bootstrap interval: the two answers of a duet are no two trials."""
    means = values.astype(float).groupby(duets).mean().to_numpy()
    return float(means.mean()), *bootstrap(means)


def summaries(table: pd.DataFrame, column: str = "SDRi") -> pd.DataFrame:
    """For each way of asking: mean, low, high, and duets, of a table as `answers` gives it."""
    rows = {
        ask: (*summary(part[column], part["duet"]), part["duet"].nunique())
        for ask, part in table.groupby("ask", sort=False)
    }
    return pd.DataFrame(rows, index=["mean", "low", "high", "duets"]).T
