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

from lass_lab.datasets.captions import heldout_captions, training_captions
from lass_lab.datasets.instruments import ALIKE, EVERYDAY, INSTRUMENTS, VOICES
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
    `sample_rate` is that of the clips: 32,000 Hz, unless a column of the tables says that they were made lower.

    Raises:
        InputError: a folder has no `sources.csv`, it cannot be read, lacks a column or a value, or holds no clip of the
            split; the folders' rates differ. A clip that cannot be read is named when it is.
    """

    def __init__(self, folders: Sources, split: str, instruments: Sequence[str] | None = None) -> None:
        self.folders = list_folders(folders)
        self.clips = pd.concat([_clips(folder, split, instruments) for folder in self.folders], ignore_index=True)
        rates = self.clips["sample_rate"].unique()
        if len(rates) > 1:
            raise InputError(f"{self}: clips of different rates, {' and '.join(map(str, rates))} Hz")
        self.sample_rate = int(rates[0])
        self.rows = {name: group.index.to_numpy() for name, group in self.clips.groupby("instrument")}
        kinds = self.clips.groupby(["instrument", "recorded"])
        self._made = {key: group.index.to_numpy() for key, group in kinds}
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
            cut, rate = soundfile.read(path, samples, start, dtype="float32", fill_value=0.0)
        except soundfile.LibsndfileError as error:
            raise InputError(f"{path}: cannot be read as audio ({error.error_string.strip()})") from error
        if rate != self.sample_rate or cut.ndim > 1:
            kind = "stereo or more" if cut.ndim > 1 else "mono"
            raise InputError(f"{path}: is {kind} at {rate} Hz; a bank's clips are mono, here at {self.sample_rate} Hz")
        return cut

    def cut(self, rng: np.random.Generator, instrument: str, samples: int, recorded: float = 0.5) -> np.ndarray:
        """A random cut `(samples,)` of one of the instrument's clips, from where it can be heard.

        Of an instrument that was both recorded and rendered, `recorded` is the chance of a recording.
        """
        for _ in range(TRIES):
            row = rng.choice(self._made.get((instrument, bool(rng.random() < recorded)), self.rows[instrument]))
            cut = self.read(row, self.draw_start(rng, row, samples), samples)
            if audible(cut):
                return cut
        raise InputError(f"{self}: {TRIES} cuts of '{instrument}' in a row were silent")

    def draw_start(self, rng: np.random.Generator, row: int, samples: int) -> int:
        """Where a cut of `samples` of that clip may begin."""
        return int(rng.integers(max(1, int(self.clips.at[row, "seconds"] * self.sample_rate) - samples)))


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
    table["recorded"] = table["recorded"].astype(str) == "True" if "recorded" in table else False
    table["sample_rate"] = table["sample_rate"].astype(int) if "sample_rate" in table else SAMPLE_RATE
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

    def __init__(self, recipe, seconds: float, seed: int, epoch: int = 0, sample_rate: int = SAMPLE_RATE) -> None:
        self.recipe, self.seed, self.epoch = recipe, seed, epoch
        self.samples = round(seconds * sample_rate)
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
        distractors: share of mixtures whose second source comes from the dataset's bank of distractors: something
            unlike the first, which is never asked for (an absent one is in its place), to teach rejection.
        third: share of mixtures with a third source, of either bank, which is not asked for.
        voices, everyday: shares of the sources that are a voice, or an everyday sound; the others are instruments.
        recorded: share of recordings among the sources that were both recorded and rendered.
        absent: share whose query names an instrument that does not play; their target is silence.
        level_db: the whole mixture is turned down by up to this.
        sounds: share of queries that are a sound of the instrument, not words for it.
        heldout_captions: draw queries from the phrasings held out from training.
    """

    aligned: float = 0.25
    distractors: float = 0.0
    third: float = 0.0
    voices: float = 0.0
    everyday: float = 0.0
    recorded: float = 0.5
    absent: float = 0.05
    level_db: float = 12.0
    sounds: float = 0.0
    heldout_captions: bool = False


class MixtureDataset(PairDataset):
    """Mixtures of two sources of a bank or three, with a query for one of the first two.

    Item: `mixture` and `target`, float32 `(1, samples)` at the bank's rate; `query`, words or a sound at 32 kHz
    `(samples,)`; `instrument`, whom it names. AudioSep's own mixer seeds by batch index and so repeats its gains every
    epoch; this one does not.

    Args:
        bank: the sources that are asked for.
        size: number of items.
        seconds, recipe, seed, epoch: what decides them.
        distractors: sources that are never asked for; without it none of the recipe's are drawn.
        sounds: the bank that sounds as queries are cut from, at 32 kHz; by default `bank`.
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
        sounds: SourceBank | None = None,
    ) -> None:
        super().__init__(recipe or MixtureRecipe(), seconds, seed, epoch, bank.sample_rate)
        self.bank, self.size, self.distractors, self.sounds = bank, size, distractors, sounds or bank
        kinds = (tuple(INSTRUMENTS), VOICES, EVERYDAY)
        self._kinds = [[name for name in bank.instruments if name in kind] for kind in kinds]

    def __len__(self) -> int:
        return self.size

    def __getitem__(self, index: int) -> dict:
        if not 0 <= index < self.size:
            raise IndexError(index)
        return self._item(*divmod(index, 2))

    def _pair(self, number: int) -> tuple[list[str], list[np.ndarray], np.random.Generator]:
        rng = np.random.default_rng((self.seed, self.epoch, number))
        names, sources = self._draw(rng)
        if rng.random() < self.recipe.third:
            bank = self.distractors if self.distractors and rng.random() < 0.5 else self.bank
            names.append(self._draw_name(rng, names, bank))
            sources.append(bank.cut(rng, names[-1], self.samples, self.recipe.recorded))
        first, *others = sources
        gains = [rng.uniform(-GAIN_DB, GAIN_DB) for _ in others]
        return names, [first, *(match_energy(each, first, gain) for each, gain in zip(others, gains, strict=True))], rng

    def _draw(self, rng: np.random.Generator) -> tuple[list[str], list[np.ndarray]]:
        """Two names and their sources."""
        distracts = self.distractors and rng.random() < self.recipe.distractors
        if not distracts and self.bank.scores and rng.random() < self.recipe.aligned:
            for _ in range(TRIES):
                rows = rng.permutation(self.bank.scores[rng.integers(len(self.bank.scores))])[:2]
                names = [self.bank.clips.at[row, "instrument"] for row in rows]
                start = self.bank.draw_start(rng, rows[0], self.samples)
                sources = [self.bank.read(row, start, self.samples) for row in rows]
                if not alike(*names) and all(map(audible, sources)):
                    return names, sources
        banks = [self.bank, self.distractors if distracts else self.bank]
        names = []
        for bank in banks:
            names.append(self._draw_name(rng, names, bank))
        cuts = [
            bank.cut(rng, name, self.samples, self.recipe.recorded) for bank, name in zip(banks, names, strict=True)
        ]
        return names, cuts

    def _draw_name(self, rng: np.random.Generator, others: Sequence[str], bank: SourceBank) -> str:
        """A name of the bank, unlike those that are there already; of distractors, also of another family."""
        if bank is self.bank:
            shares = [0.0, self.recipe.voices, self.recipe.everyday]
            shares[0] = 1 - sum(shares)
            found = np.array([share * bool(names) for share, names in zip(shares, self._kinds, strict=True)])
            kinds = self._kinds if found.any() else [bank.instruments]  # the recipe asks for nothing that is there
            among = kinds[rng.choice(len(kinds), p=found / found.sum() if found.any() else None)]
        else:
            families = {INSTRUMENTS[name].family for name in others if name in INSTRUMENTS}
            among = [
                name for name in bank.instruments if name not in INSTRUMENTS or INSTRUMENTS[name].family not in families
            ]
        for some in (among, bank.instruments):
            if fitting := [name for name in some if not any(alike(name, other) for other in others)]:
                return str(rng.choice(fitting))
        raise InputError(f"{bank}: holds nothing that is unlike {' and '.join(others)}")

    def _query(self, rng: np.random.Generator, names: list[str], asked: int) -> tuple[str, str | torch.Tensor]:
        name = names[asked]
        if rng.random() < self.recipe.absent or name not in self.bank.rows:
            name = self._draw_name(rng, names, self.bank)
        captions = heldout_captions if self.recipe.heldout_captions else training_captions
        words = str(rng.choice(captions(name)))
        if rng.random() >= self.recipe.sounds:
            return name, words
        return name, torch.from_numpy(self.sounds.cut(rng, name, round(QUERY_S * SAMPLE_RATE)))


def alike(name: str, other: str) -> bool:
    """Whether two names are one, or of sounds so near that a word for the one also fits the other."""
    return name == other or any(name in group and other in group for group in ALIKE)


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
