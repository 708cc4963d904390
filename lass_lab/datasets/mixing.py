"""Mixtures made on the fly from single sources: every epoch different, every epoch repeatable."""

import copy
import os
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import soundfile
import torch
from torch.utils.data import Dataset

from lass_lab.datasets.augmentation import colour
from lass_lab.datasets.captions import heldout_captions, training_captions
from lass_lab.datasets.instruments import INSTRUMENTS
from lass_lab.signal.audio import SAMPLE_RATE
from lass_lab.signal.files import InputError

Sources = str | os.PathLike[str] | Sequence[str | os.PathLike[str]]  # a bank's folder, or several banks' used as one

AUDIBLE_RMS = 10 ** (-45 / 20)  # a cut of a source below this holds nothing to hear
TRIES = 20
QUERY_S = 2.54  # of a sound that serves as a query
ENERGY_RATIO = (0.02, 50.0)  # AudioSep's clamp on the energy-matching ratio
PEAK = 0.9  # a mixture that would clip is scaled to this peak


@dataclass(frozen=True)
class MixtureRecipe:
    """How a mixture is drawn.

    Attributes:
        gain_db: sources are brought to one energy, and then set apart by up to this, either way.
        aligned: share of mixtures made of two voices of one score (same key, same beat: the hard kind).
        third: share of the others that hold three sources instead of two.
        strange: share of mixtures whose second source comes from the dataset's bank of strangers: an instrument of
            another family that is never asked for, so that the separator learns to reject what it has no word for.
            In its place an absent instrument is asked for.
        absent: share whose query names an instrument that does not play; their target is silence.
        level_db: the whole mixture is turned down by up to this.
        sounds: share of queries that are a sound of the instrument, not words for it.
        coloured: share of sources that are filtered, so that they sound less alike.
        heldout_captions: draw queries from the phrasings held out from training.
    """

    gain_db: float = 10.0
    aligned: float = 0.25
    third: float = 0.0
    strange: float = 0.0
    absent: float = 0.05
    level_db: float = 12.0
    sounds: float = 0.0
    coloured: float = 0.0
    heldout_captions: bool = False


def list_folders(sources: Sources) -> list[Path]:
    """The folders of a bank, or of several."""
    return [Path(each) for each in ([sources] if isinstance(sources, str | os.PathLike) else sources)]


class SourceBank:
    """Clips of single sources on disk, as authoring renders them: `sources.csv` and WAV files.

    Args:
        folders: the bank, or several that are used as one.
        split: "train", "validation" or "test".
        instruments: use only these; None for all.

    Raises:
        InputError: a folder has no `sources.csv`, it cannot be read, lacks a column or a value, or holds no clip of the
            split; a clip that cannot be read is named when it is.
    """

    def __init__(self, folders: Sources, split: str, instruments: Sequence[str] | None = None) -> None:
        self.folders = list_folders(folders)
        self.clips = pd.concat([_clips(folder, split, instruments) for folder in self.folders], ignore_index=True)
        self.rows = {name: group.index.to_numpy() for name, group in self.clips.groupby("instrument")}
        self.instruments = sorted(self.rows)
        voices = self.clips.drop_duplicates(["folder", "score", "instrument"])
        scores = voices.groupby(["folder", "score"]).groups.values()
        self.scores = [rows.to_numpy() for rows in scores if len(rows) > 1]

    def read(self, row: int, start: int, samples: int) -> np.ndarray:
        """Samples `(samples,)` float32 of one clip from `start` on; silence past its end."""
        path = Path(self.clips.at[row, "folder"]) / str(self.clips.at[row, "path"])
        try:
            return soundfile.read(path, samples, start, dtype="float32", fill_value=0.0)[0]
        except soundfile.LibsndfileError as error:
            raise InputError(f"{path}: cannot be read as audio ({error.error_string.strip()})") from error

    def __str__(self) -> str:
        return ", ".join(map(str, self.folders))

    def frames(self, row: int) -> int:
        return int(self.clips.at[row, "seconds"] * SAMPLE_RATE)

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
        return int(rng.integers(max(1, self.frames(row) - samples)))


class Last:
    """What was made last, for the next item, which is most often of the same mixture."""

    def __init__(self) -> None:
        self._key: tuple = ()
        self._made: tuple = ()

    def __call__(self, make: Callable[..., tuple], *key: Hashable) -> tuple:
        """`make(key[0])`, or what it gave for the same key just before; a generator as it was then."""
        if self._key != key:
            self._made, self._key = make(key[0]), key
        return tuple(copy.deepcopy(part) if isinstance(part, np.random.Generator) else part for part in self._made)


class MixtureDataset(Dataset):
    """Mixtures of two or three sources with a query for one of them.

    Item: `mixture` and `target`, float32 `(1, samples)`; `query`, words or a sound `(samples,)`; `instrument`, whom
    it names. Items are a function of (seed, epoch, index) alone, so that a resumed run hears what an unbroken one
    would have heard. AudioSep's own mixer seeds by batch index and so repeats its gains every epoch; this one does not.

    Every mixture stands twice, one after the other, asked for its first source and then for its second: what differs
    between the two can only come from the query, which is therefore learnt much sooner.
    """

    def __init__(
        self,
        bank: SourceBank,
        size: int,
        seconds: float = 2.0,
        recipe: MixtureRecipe | None = None,
        seed: int = 0,
        epoch: int = 0,
        strangers: SourceBank | None = None,
    ) -> None:
        self.bank, self.size, self.seed, self.epoch, self.strangers = bank, size, seed, epoch, strangers
        self.samples = round(seconds * SAMPLE_RATE)
        self.recipe = recipe or MixtureRecipe()
        self._last = Last()

    def __len__(self) -> int:
        return self.size

    def __getitem__(self, index: int) -> dict:
        if not 0 <= index < self.size:
            raise IndexError(index)
        mixture_index, asked = divmod(index, 2)
        names, sources, level, rng = self._last(self._sources, mixture_index, self.seed, self.epoch)
        mixture, target = prevent_clipping(sum(sources), sources[asked])
        instrument = names[asked]
        if rng.random() < self.recipe.absent or instrument not in self.bank.rows:
            instrument = str(rng.choice([name for name in self.bank.instruments if name not in names]))
            target = np.zeros_like(target)
        return {
            "mixture": torch.from_numpy(mixture * level)[None],
            "target": torch.from_numpy(target * level)[None],
            "query": self._query(rng, instrument),
            "instrument": instrument,
        }

    def _sources(self, mixture_index: int) -> tuple[list[str], list[np.ndarray], np.float32, np.random.Generator]:
        """Who plays, their sources as mixed, the mixture's level, and the generator for what is left to draw."""
        rng = np.random.default_rng((self.seed, self.epoch, mixture_index))
        names, sources = self._draw(rng)
        if self.recipe.coloured:
            sources = [colour(source, rng) if rng.random() < self.recipe.coloured else source for source in sources]
        gains = [self._gain(rng) for _ in sources[1:]]
        sources[1:] = [match_energy(other, sources[0], gain) for other, gain in zip(sources[1:], gains, strict=True)]
        return names, sources, np.float32(10 ** (-rng.uniform(0, self.recipe.level_db) / 20)), rng

    def _query(self, rng: np.random.Generator, instrument: str) -> str | torch.Tensor:
        captions = heldout_captions if self.recipe.heldout_captions else training_captions
        words = str(rng.choice(captions(instrument)))
        if rng.random() >= self.recipe.sounds:
            return words
        return torch.from_numpy(self.bank.cut(rng, instrument, round(QUERY_S * SAMPLE_RATE)))

    def _gain(self, rng: np.random.Generator) -> float:
        return rng.uniform(-self.recipe.gain_db, self.recipe.gain_db)

    def _draw(self, rng: np.random.Generator) -> tuple[list[str], list[np.ndarray]]:
        """Instruments and their sources, two or three."""
        if self.strangers and rng.random() < self.recipe.strange:
            name = str(rng.choice(self.bank.instruments))
            family = INSTRUMENTS[name].family
            others = [other for other in self.strangers.instruments if INSTRUMENTS[other].family != family]
            stranger = str(rng.choice(others))
            return [name, stranger], [
                self.bank.cut(rng, name, self.samples),
                self.strangers.cut(rng, stranger, self.samples),
            ]
        if self.bank.scores and rng.random() < self.recipe.aligned:
            for _ in range(TRIES):
                rows = rng.permutation(self.bank.scores[rng.integers(len(self.bank.scores))])[:2]
                start = self.bank.draw_start(rng, rows[0], self.samples)
                sources = [self.bank.read(row, start, self.samples) for row in rows]
                if all(map(audible, sources)):
                    return [str(self.bank.clips.at[row, "instrument"]) for row in rows], sources
        count = 3 if rng.random() < self.recipe.third else 2
        names = [str(name) for name in rng.choice(self.bank.instruments, count, replace=False)]
        return names, [self.bank.cut(rng, name, self.samples) for name in names]


def _clips(folder: Path, split: str, instruments: Sequence[str] | None) -> pd.DataFrame:
    """The rows of one bank's `sources.csv`, and the bank's folder as a column more."""
    table_path = folder / "sources.csv"
    if not table_path.is_file():
        raise InputError(f"{table_path}: no such file; make the sources with: python -m authoring render sources")
    try:
        table = pd.read_csv(table_path)
    except (ValueError, OSError) as error:
        raise InputError(f"{table_path}: cannot be read as a CSV table ({error})") from error
    if missing := {"path", "instrument", "score", "split", "seconds"} - set(table.columns):
        raise InputError(f"{table_path}: column {sorted(missing)[0]} is missing")
    lasts = pd.to_numeric(table["seconds"], errors="coerce")
    for column, bad in (("path", table["path"].isna()), ("seconds", ~lasts.between(0, 1e6, inclusive="neither"))):
        if bad.any():
            raise InputError(f"{table_path}, line {int(np.argmax(bad)) + 2}: column {column} is empty or impossible")
    table["seconds"] = lasts
    chosen = table[(table["split"] == split) & table["instrument"].isin(instruments or table["instrument"])]
    if chosen.empty:
        raise InputError(f"{table_path}: holds no clip of the split '{split}'")
    return chosen.assign(folder=str(folder))


def collate(items: Sequence[dict]) -> dict:
    """Items of a MixtureDataset as a batch: waveforms stacked, `query` and `instrument` as lists."""
    batch = {key: [item[key] for item in items] for key in items[0]}
    return batch | {key: torch.stack(batch[key]) for key in ("mixture", "target")}


def audible(waveform: np.ndarray) -> bool:
    """Whether a source's cut has a level (RMS) above -45 dB of full scale."""
    return float(np.sqrt(np.mean(np.square(waveform)))) > AUDIBLE_RMS


def match_energy(source: np.ndarray, target: np.ndarray, gain_db: float = 0.0) -> np.ndarray:
    """`source`, scaled to the target's energy (ratio clamped to 0.02...50, as in AudioSep), then by a gain in dB."""
    ratio = np.sum(np.square(target)) / max(np.sum(np.square(source)), 1e-10)
    return source * np.float32(np.sqrt(np.clip(ratio, *ENERGY_RATIO)) * 10 ** (gain_db / 20))


def prevent_clipping(mixture: np.ndarray, *sources: np.ndarray) -> tuple[np.ndarray, ...]:
    """Mixture and sources, scaled together to a peak of 0.9 where the mixture's passes 1."""
    peak = float(np.max(np.abs(mixture)))
    gain = np.float32(PEAK / peak if peak > 1 else 1.0)
    return tuple(waveform * gain for waveform in (mixture, *sources))
