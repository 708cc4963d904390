"""What fine-tuning hears: slices of duets, re-mixed and augmented, between mixtures of what is not to be forgotten."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch.utils.data import Dataset

from lass_lab.datasets.augmentation import augment
from lass_lab.datasets.captions import CAPTIONS, training_captions
from lass_lab.datasets.duets import SLICE_S, VALIDATION_S, Piece, slice_starts
from lass_lab.datasets.mixing import (
    TRIES,
    Last,
    MixtureDataset,
    MixtureRecipe,
    SourceBank,
    audible,
    match_energy,
    prevent_clipping,
)
from lass_lab.signal.audio import SAMPLE_RATE
from lass_lab.signal.files import InputError

WITHOUT_END = 2**62  # items: what is rehearsed is drawn anew for as long as a run lasts
REHEARSAL = MixtureRecipe(aligned=0.0, absent=0.1)


@dataclass(frozen=True)
class DuetRecipe:
    """How fine-tuning's items are drawn.

    Attributes:
        seconds: of a slice that an item holds, from a random place in it; at most 5.
        remixed: share of the duets' items whose sources come from two pieces, or from two places, set apart by up to
            `gain_db` either way.
        guests: share of those in which a source of the bank plays in place of the other one.
        gain_db: see `remixed`.
        level_db: the whole mixture is turned down by up to this.
        rehearsal: share of all items that are mixtures of the bank alone.
        augmented: share of sources that are changed a little: see `augmentation`.
        captions: ask in any of a source's phrasings for training, not in its one canonical word.
    """

    seconds: float = SLICE_S
    remixed: float = 0.5
    guests: float = 0.25
    gain_db: float = 6.0
    level_db: float = 6.0
    rehearsal: float = 0.5
    augmented: float = 0.5
    captions: bool = False

    @property
    def needs_bank(self) -> bool:
        """Whether anything of the bank is heard."""
        return bool(self.rehearsal or self.guests)


class FinetuningDataset(Dataset):
    """Items for fine-tuning, each a function of (seed, index) alone, over as many epochs as are asked for.

    Items stand in pairs: one mixture, asked for its one source and then for its other. Of the pairs, a share of
    `recipe.rehearsal`, evenly spread, are mixtures of the bank. The others go through all slices of the pieces'
    training part (from the start to 30 s before the end), in an order that is drawn anew for each epoch.

    As items depend on their index alone, any division of them among workers, processes or resumed runs gives the same
    ones. Item: as a MixtureDataset's, and `rehearsed`, whether it is of the bank alone.

    Args:
        pieces: of the split that trains, each with two sources or more.
        bank: sources to rehearse with; may be None where the recipe wants none.
        recipe: how items are drawn.
        indices: which items: a range into all epochs laid end to end.
        seed: of everything that is drawn.

    Raises:
        InputError: a piece too short for a slice or with one source, no bank though the recipe wants one, or an item
            longer than a slice.
    """

    def __init__(
        self, pieces: Sequence[Piece], bank: SourceBank | None, recipe: DuetRecipe, indices: range, seed: int = 0
    ) -> None:
        if not 0 < recipe.seconds <= SLICE_S:
            raise InputError(f"items of {recipe.seconds:g} s: at most {SLICE_S:g} s, the length of a slice")
        if bank is None and recipe.needs_bank:
            raise InputError("rehearsal: needs a bank of sources; set its share and that of guests to 0 to go without")
        self.pieces, self.bank, self.recipe, self.indices, self.seed = list(pieces), bank, recipe, indices, seed
        self.samples = round(recipe.seconds * SAMPLE_RATE)
        self.slices = [(number, start) for number, piece in enumerate(self.pieces) for start in training_starts(piece)]
        rehearsal = replace(REHEARSAL, level_db=recipe.level_db)
        self._last = Last()
        self.rehearsal = bank and MixtureDataset(bank, WITHOUT_END, recipe.seconds, rehearsal, seed=seed)

    def __len__(self) -> int:
        return len(self.indices)

    def __getitem__(self, place: int) -> dict:
        pair, asked = divmod(self.indices[place], 2)
        share = self.recipe.rehearsal
        rehearsed = int(pair * share)
        if int((pair + 1) * share) > rehearsed:
            return self.rehearsal[2 * rehearsed + asked] | {"rehearsed": True}
        return self._duet(pair - rehearsed, asked)

    def _duet(self, pair: int, asked: int) -> dict:
        names, sources, rng = self._last(self._pair, pair, self.seed)
        mixture, target = prevent_clipping(sum(sources), sources[asked])
        level = np.float32(10 ** (-rng.uniform(0, self.recipe.level_db) / 20))
        return {
            "mixture": torch.from_numpy(mixture * level)[None],
            "target": torch.from_numpy(target * level)[None],
            "query": self._words(rng, names[asked]),
            "instrument": names[asked],
            "rehearsed": False,
        }

    def _pair(self, pair: int) -> tuple[list[str], list[np.ndarray], np.random.Generator]:
        """Two sources of a slice, their names, and the generator for what is left to draw."""
        rng = np.random.default_rng((self.seed, pair))
        epoch, place = divmod(pair, len(self.slices))
        order = np.random.default_rng((self.seed, epoch, 1)).permutation(len(self.slices))
        return *self._sources(rng, self.slices[order[place]]), rng

    def _sources(self, rng: np.random.Generator, where: tuple[int, float]) -> tuple[list[str], list[np.ndarray]]:
        """Two sources and their names: as they were played together, or re-mixed."""
        piece = self.pieces[where[0]]
        names = [str(name) for name in rng.permutation(list(piece.sources))[:2]]
        start = where[1] + rng.uniform(0, SLICE_S - self.recipe.seconds)
        sources = [self._cut(piece, name, start) for name in names]
        if rng.random() < self.recipe.remixed:
            names[1], sources[1] = self._other(rng, names)
            sources[1] = match_energy(sources[1], sources[0], rng.uniform(-self.recipe.gain_db, self.recipe.gain_db))
        return names, [augment(source, rng) if rng.random() < self.recipe.augmented else source for source in sources]

    def _other(self, rng: np.random.Generator, names: Sequence[str]) -> tuple[str, np.ndarray]:
        """The second source from somewhere else: a guest of the bank, or the same name in any piece that has it."""
        if rng.random() < self.recipe.guests:
            guests = [name for name in self.bank.instruments if name not in names]
            name = str(rng.choice(guests))
            return name, self.bank.cut(rng, name, self.samples)
        cut = np.zeros(self.samples, np.float32)
        for _ in range(TRIES):
            number, start = self.slices[rng.integers(len(self.slices))]
            if names[1] in self.pieces[number].sources:
                start += rng.uniform(0, SLICE_S - self.recipe.seconds)
                cut = self._cut(self.pieces[number], names[1], start)
                if audible(cut):
                    break
        return names[1], cut

    def _cut(self, piece: Piece, name: str, start: float) -> np.ndarray:
        first = round(start * SAMPLE_RATE)
        return piece.sources[name][first : first + self.samples]

    def _words(self, rng: np.random.Generator, name: str) -> str:
        return _phrasing(rng, name) if self.recipe.captions else name


class Rephrased(Dataset):
    """Another dataset's items, each asked for in a phrasing of its `query`, which is the same every time.

    Phrasings are those for training; a word that has none stays.
    """

    def __init__(self, items: Dataset) -> None:
        self.items = items

    def __len__(self) -> int:
        return len(self.items)

    def __getitem__(self, index: int) -> dict:
        item = self.items[index]
        return item | {"query": _phrasing(np.random.default_rng(index), item["query"])}


def _phrasing(rng: np.random.Generator, name: str) -> str:
    return str(rng.choice(training_captions(name))) if name in CAPTIONS else name


def training_starts(piece: Piece) -> list[float]:
    """`slice_starts` of a piece's training part, once it is known that one can train on it.

    Raises:
        InputError: the piece has one source only, or is too short for one slice.
    """
    if len(piece.sources) < 2:
        raise InputError(f"piece {piece.name}: has one source, and a mixture needs two")
    if starts := slice_starts(piece, "train"):
        return starts
    least = VALIDATION_S + SLICE_S
    raise InputError(f"piece {piece.name}: lasts {piece.seconds:.1f} s; to train, {least:g} s are needed")


def epoch_items(slices: int, rehearsal: float) -> int:
    """Items of an epoch over so many slices: two a slice, and the share of rehearsal on top."""
    return 2 * round(slices / (1 - rehearsal))
