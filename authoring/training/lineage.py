"""Where this separator comes from: LASS-Net, the first of its kind, and what was changed since, a step at a time."""

import json
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import lightning
import numpy as np
import pandas as pd

from authoring.pages import write
from authoring.training.model_card import measure
from authoring.training.pretraining import PretrainingRecipe, pretrain
from lass_lab.course.nb03.lineage import EXCERPT_S, NUMBERS, QUERY
from lass_lab.datasets.duets import list_pieces, load_piece
from lass_lab.datasets.mixing import MixtureRecipe, Sources, list_folders
from lass_lab.experiments.evaluation import RANDOM_PAIRS
from lass_lab.experiments.run_facts import hardware, run_facts
from lass_lab.models import LanguageSeparator, ResUNet, load_separator
from lass_lab.models.heads import scaling_mask
from lass_lab.signal import write_audio
from lass_lab.signal.metrics import sdr_improvement

HISTORY = "history.json"  # how each was trained, and for how long
INSTRUMENTS = ("violin", "cello", "acoustic guitar", "piano", "flute", "clarinet", "trombone", "vibraphone")
RECIPE = PretrainingRecipe(  # few instruments, so that a short run can learn them
    steps=3000, batch=8, peak_rate=2e-3, sample_rate=12_000, loss="relative-l1", contrastive=None,
    instruments=INSTRUMENTS, mixtures=MixtureRecipe(),  # asked by words alone: the first system knows no sounds
)  # fmt: skip


@dataclass(frozen=True)
class System:
    """One step of the line.

    Attributes:
        name: in tables.
        query_rate: learning rate of a transformer as query network, trained along with the rest; 0: the shipped query
            network, a CLAP in miniature, trained beforehand.
        head: "magnitude" keeps the mixture's phase, "audiosep" turns it.
    """

    name: str
    query_rate: float
    head: str

    def recipe(self) -> PretrainingRecipe:
        """The recipe, which is the same for all but for the system's own choices."""
        return replace(RECIPE, query_rate=self.query_rate, network=replace(RECIPE.network, head=self.head))

    def start(self) -> LanguageSeparator | None:
        """The shipped query network with a random separation network; None where both begin at random."""
        if self.query_rate:
            return None
        lightning.seed_everything(RECIPE.seed, verbose=False)
        query_network = load_separator("tiny", device="cpu").query_network
        return LanguageSeparator(query_network, ResUNet(self.recipe().network))


# Liu et al., "Separate What You Describe", 2022, and what AudioSep (2023) has in place of its transformer and mask.
SYSTEMS = (
    System("LASS-Net", query_rate=1e-3, head="magnitude"),
    System("with words learnt from sounds", query_rate=0.0, head="magnitude"),
    System("and with a mask that turns the phase", query_rate=0.0, head="audiosep"),
)
UNTURNED = "the same mask, its turn left out"  # the last system once more, with nothing trained anew
TRIALS = {
    "pairs, words it was taught": replace(RANDOM_PAIRS, heldout_captions=False),
    "pairs, other words": RANDOM_PAIRS,
    "two voices of one score": replace(RANDOM_PAIRS, aligned=1.0),
}


def lineage(sources: Sources, run: Path, out: Path, pairs: int = 200) -> pd.DataFrame:
    """Train every system of the line from a random start, by one recipe and for the same steps, and measure each.

    The last one is measured once more with the turn of its mask left out, which tells what the turn is worth.

    Args:
        sources: as for `pretrain`; measured on the test split of the first.
        run: a folder for all of the runs, one each; one that was killed is resumed.
        out: folder for what the course shows: numbers.csv, history.json, and of each system an excerpt of the held-out
            duet, in OGG Vorbis.
        pairs: mixtures a trial.

    Returns:
        One row a system and trial: system, trial, mean, low, high (SDRi in dB, 95% bootstrap over mixtures), mixtures;
        and `UNTURNED` in all trials. The last trial is the violin of the held-out duet, one number without an interval.

    Raises:
        InputError: as `pretrain`.
    """
    piece = load_piece(list_pieces("test")[0])
    first = list_folders(sources)[0]
    tables, history = [], []

    def measured(separator: LanguageSeparator, name: str) -> np.ndarray:
        """Keep its numbers in every trial, and return its estimate of the violin in the held-out duet."""
        rows = measure(separator, first, pairs, trials=TRIALS, instruments=RECIPE.instruments)
        estimate = separator.separate(piece.mixture, QUERY, progress=False)
        gain = sdr_improvement(piece.sources[QUERY], estimate, piece.mixture)
        rows.loc[len(rows)] = (f"{QUERY} of the held-out duet", *[round(gain, 2)] * 3, 1)
        rows.insert(0, "system", name)
        tables.append(rows)
        return estimate

    for number, system in enumerate(SYSTEMS):
        folder, recipe = run / f"system-{number}", system.recipe()
        pretrain(sources, folder, recipe, start=system.start()).save_pretrained(folder)
        separator = load_separator(folder)
        estimate = measured(separator, system.name)
        start, length = (round(seconds * piece.sample_rate) for seconds in EXCERPT_S)
        write_audio(out / f"system-{number}.ogg", estimate[start : start + length], force=True)
        history.append({"system": system.name, "hardware": hardware(), "recipe": asdict(recipe)} | run_facts(folder))
    separator.network.head.mask = scaling_mask  # the first channel of its logits alone
    measured(separator, UNTURNED)
    table = pd.concat(tables, ignore_index=True)
    write(out, {NUMBERS: table, HISTORY: json.dumps(history, indent=1) + "\n"}, force=True)
    return table
