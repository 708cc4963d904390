"""Mixtures made on the fly from single sources: every epoch different, every epoch repeatable."""

import copy
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import soundfile
import torch
from torch.utils.data import Dataset

from lass_lab.datasets.augmentation import equalise
from lass_lab.datasets.captions import heldout_captions, training_captions
from lass_lab.datasets.instruments import INSTRUMENTS
from lass_lab.datasets.manifest import check_rows, read_table
from lass_lab.signal.audio import SAMPLE_RATE, amplitude
from lass_lab.signal.files import InputError

Sources = str | os.PathLike[str] | Sequence[str | os.PathLike[str]]  # a bank's folder, or several banks' used as one

AUDIBLE_RMS = amplitude(-45)  # a cut of a source below this counts as silent
GAIN_DB = 10.0  # a mixture's sources are brought to one energy, and then set apart by up to this, either way
TRIES = 20
QUERY_S = 2.54  # of a sound that serves as a query
ENERGY_RATIO = (0.02, 50.0)  # AudioSep's clamp on the energy-matching ratio
PEAK = 0.9  # a mixture that would clip is scaled to this peak


class SourceBank:
    """Clips of single sources on disk, as authoring renders them: `sources.csv` and audio files.

    Several folders are used as one bank. A split is "train", "validation" or "test"; `instruments` are all where None.

    Raises:
        InputError: a folder has no `sources.csv`, it cannot be read, lacks a column or a value, or holds no clip of the
            split. A clip that cannot be read is named when it is.
    """

    def __init__(self, folders: Sources, split: str, instruments: Sequence[str] | None = None) -> None:
        self.folders = list_folders(folders)
        self.clips = pd.concat([_clips(folder, split, instruments) for folder in self.folders], ignore_index=True)
        self.rows = {name: group.index.to_numpy() for name, group in self.clips.groupby("instrument")}
        self.instruments = sorted(self.rows)
        voices = self.clips.drop_duplicates(["folder", "score", "instrument"])
        scores = voices.groupby(["folder", "score"]).groups.values()
        self.scores = [rows.to_numpy() for rows in scores if len(rows) > 1]

    def __str__(self) -> str:
        return ", ".join(map(str, self.folders))

    def read(self, row: int, start: int, samples: int) -> np.ndarray:
        """Samples `(samples,)` float32 of one clip from `start` on; silence past its end."""
        path = Path(self.clips.at[row, "folder"]) / self.clips.at[row, "path"]
        try:
            return soundfile.read(path, samples, start, dtype="float32", fill_value=0.0)[0]
        except soundfile.LibsndfileError as error:
            raise InputError(f"{path}: cannot be read as audio ({error.error_string.strip()})") from error

    def cut(self, rng: np.random.Generator, instrument: str, samples: int) -> np.ndarray:
        """A random cut `(samples,)` of one of the instrument's clips, from where it can be heard."""
        for _ in range(TRIES):
            row = rng.choice(self.rows[instrument])
            cut = self.read(row, self.draw_start(rng, row, samples), samples)
            if audible(cut):
                return cut
        raise InputError(f"{self}: {TRIES} cuts of '{instrument}' in a row were silent")

    def draw_start(self, rng: np.random.Generator, row: int, samples: int) -> int:
        """Where a cut of `samples` of that clip may begin."""
        return int(rng.integers(max(1, int(self.clips.at[row, "seconds"] * SAMPLE_RATE) - samples)))


def list_folders(sources: Sources) -> list[Path]:
    """The folders of a bank, or of several."""
    return [Path(each) for each in ([sources] if isinstance(sources, str | os.PathLike) else sources)]


def _clips(folder: Path, split: str, instruments: Sequence[str] | None) -> pd.DataFrame:
    """The rows of one bank's `sources.csv`, and the bank's folder as a column more."""
    path = folder / "sources.csv"
    if not path.is_file():
        raise InputError(f"{path}: no such file; make the sources with: python -m authoring render sources")
    table = read_table(path, ("path", "instrument", "score", "split", "seconds"))
    seconds = pd.to_numeric(table["seconds"], errors="coerce")
    impossible = ~seconds.between(0, 1e6, inclusive="neither")
    check_rows(path, table, {"column 'seconds' must be a number above 0, not '{seconds}'": impossible})
    table = table.assign(seconds=seconds, folder=str(folder))
    chosen = table[(table["split"] == split) & table["instrument"].isin(instruments or table["instrument"])]
    if chosen.empty:
        raise InputError(f"{path}: holds no clip of the split '{split}'")
    return chosen


class PairDataset(Dataset):
    """Mixtures of two sources, each of which stands twice: asked for its first source, and then for its second.

    What differs between the two can only come from the query, which is therefore learnt much sooner. Items depend on
    the seed, the epoch and their number alone, however they are divided among workers, processes or resumed runs.

    A subclass has `_pair(number)`, which gives the names of a mixture's two sources, the sources `(samples,)`, and the
    generator for what is left to draw; and `_query(generator, names, asked)`, which gives the instrument to ask for and
    the words or the sound to ask with. Where that is not the instrument whose turn it is, the target is silence.
    """

    def __init__(self, recipe, seconds: float, seed: int, epoch: int = 0) -> None:
        self.recipe, self.seed, self.epoch = recipe, seed, epoch
        self.samples = round(seconds * SAMPLE_RATE)
        self._key, self._made = None, None  # the mixture made last: the next item is most often of the same one

    def _item(self, number: int, asked: int) -> dict:
        """That mixture, asked for its first (0) or second (1) source."""
        if self._key != (key := (number, self.seed, self.epoch)):
            self._made, self._key = self._pair(number), key
        names, sources, rng = self._made
        rng = copy.deepcopy(rng)
        mixture, target = sum(sources), sources[asked]
        if (peak := float(np.abs(mixture).max())) > 1:
            mixture, target = (waveform * np.float32(PEAK / peak) for waveform in (mixture, target))
        level = np.float32(amplitude(-rng.uniform(0, self.recipe.level_db)))
        instrument, query = self._query(rng, names, asked)
        if instrument != names[asked]:
            target = np.zeros_like(target)
        return {
            "mixture": torch.from_numpy(mixture * level)[None],
            "target": torch.from_numpy(target * level)[None],
            "query": query,
            "instrument": instrument,
        }


@dataclass(frozen=True)
class MixtureRecipe:
    """How the mixtures of a MixtureDataset are drawn.

    Attributes:
        aligned: share of mixtures made of two voices of one score (same key, same beat: the hard kind).
        distractors: share of mixtures whose second source comes from the dataset's bank of distractors: an instrument
            of another family, which is never asked for (an absent one is in its place), to teach rejection.
        absent: share whose query names an instrument that does not play; their target is silence.
        level_db: the whole mixture is turned down by up to this.
        sounds: share of queries that are a sound of the instrument, not words for it.
        equalised: share of sources that are filtered, so that they sound less alike.
        heldout_captions: draw queries from the phrasings held out from training.
    """

    aligned: float = 0.25
    distractors: float = 0.0
    absent: float = 0.05
    level_db: float = 12.0
    sounds: float = 0.0
    equalised: float = 0.0
    heldout_captions: bool = False


class MixtureDataset(PairDataset):
    """Mixtures of two sources of a bank, with a query for one of them.

    Item: `mixture` and `target`, float32 `(1, samples)`; `query`, words or a sound `(samples,)`; `instrument`, whom
    it names. AudioSep's own mixer seeds by batch index and so repeats its gains every epoch; this one does not.
    There are `size` items; without a bank of `distractors` none of the recipe's are drawn.
    """

    def __init__(
        self,
        bank: SourceBank,
        size: int,
        seconds: float = 2.0,
        recipe: MixtureRecipe | None = None,
        seed: int = 0,
        epoch: int = 0,
        distractors: SourceBank | None = None,
    ) -> None:
        super().__init__(recipe or MixtureRecipe(), seconds, seed, epoch)
        self.bank, self.size, self.distractors = bank, size, distractors

    def __len__(self) -> int:
        return self.size

    def __getitem__(self, index: int) -> dict:
        if not 0 <= index < self.size:
            raise IndexError(index)
        return self._item(*divmod(index, 2))

    def _pair(self, number: int) -> tuple[list[str], list[np.ndarray], np.random.Generator]:
        rng = np.random.default_rng((self.seed, self.epoch, number))
        names, (first, second) = self._draw(rng)
        if share := self.recipe.equalised:
            first, second = (equalise(each, rng) if rng.random() < share else each for each in (first, second))
        return names, [first, match_energy(second, first, rng.uniform(-GAIN_DB, GAIN_DB))], rng

    def _draw(self, rng: np.random.Generator) -> tuple[list[str], list[np.ndarray]]:
        """Two instruments and their sources."""
        if self.distractors and rng.random() < self.recipe.distractors:
            name = str(rng.choice(self.bank.instruments))
            family = INSTRUMENTS[name].family
            others = [other for other in self.distractors.instruments if INSTRUMENTS[other].family != family]
            other = str(rng.choice(others))
            cuts = [self.bank.cut(rng, name, self.samples), self.distractors.cut(rng, other, self.samples)]
            return [name, other], cuts
        if self.bank.scores and rng.random() < self.recipe.aligned:
            for _ in range(TRIES):
                rows = rng.permutation(self.bank.scores[rng.integers(len(self.bank.scores))])[:2]
                start = self.bank.draw_start(rng, rows[0], self.samples)
                sources = [self.bank.read(row, start, self.samples) for row in rows]
                if all(map(audible, sources)):
                    return [self.bank.clips.at[row, "instrument"] for row in rows], sources
        rng.random()  # decides nothing; without it a seed would not give the mixtures that the shipped weights saw
        names = [str(name) for name in rng.choice(self.bank.instruments, 2, replace=False)]
        return names, [self.bank.cut(rng, name, self.samples) for name in names]

    def _query(self, rng: np.random.Generator, names: list[str], asked: int) -> tuple[str, str | torch.Tensor]:
        name = names[asked]
        if rng.random() < self.recipe.absent or name not in self.bank.rows:
            name = str(rng.choice([other for other in self.bank.instruments if other not in names]))
        captions = heldout_captions if self.recipe.heldout_captions else training_captions
        words = str(rng.choice(captions(name)))
        if rng.random() >= self.recipe.sounds:
            return name, words
        return name, torch.from_numpy(self.bank.cut(rng, name, round(QUERY_S * SAMPLE_RATE)))


def collate(items: Sequence[dict]) -> dict:
    """Items of a PairDataset as a batch: waveforms stacked, `query` and `instrument` as lists."""
    batch = {key: [item[key] for item in items] for key in items[0]}
    return batch | {key: torch.stack(batch[key]) for key in ("mixture", "target")}


def audible(waveform: np.ndarray) -> bool:
    """Whether a source's cut has a level (RMS) above -45 dB of full scale."""
    return float(np.sqrt(np.mean(np.square(waveform)))) > AUDIBLE_RMS


def match_energy(source: np.ndarray, target: np.ndarray, gain_db: float = 0.0) -> np.ndarray:
    """`source`, scaled to the target's energy (ratio clamped to 0.02...50, as in AudioSep), then by a gain in dB."""
    ratio = np.sum(np.square(target)) / max(np.sum(np.square(source)), 1e-10)
    return source * np.float32(np.sqrt(np.clip(ratio, *ENERGY_RATIO)) * amplitude(gain_db))
