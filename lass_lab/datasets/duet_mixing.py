"""Items for fine-tuning: slices of duets, re-mixed and augmented, between mixtures of what is not to be forgotten."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from lass_lab.datasets.augmentation import augment
from lass_lab.datasets.captions import CAPTIONS, training_captions
from lass_lab.datasets.duets import SLICE_S, Piece, slice_starts
from lass_lab.datasets.mixing import (
    TRIES,
    MixtureDataset,
    MixtureRecipe,
    PairDataset,
    SourceBank,
    alike,
    audible,
    match_energy,
)
from lass_lab.signal.audio import SAMPLE_RATE
from lass_lab.signal.files import InputError

GAIN_DB = 6.0  # by which sources from two places are set apart at most, either way
WITHOUT_END = 2**62  # items: what is rehearsed is drawn anew for as long as a run lasts


@dataclass(frozen=True)
class DuetRecipe:
    """How fine-tuning's items are drawn.

    Attributes:
        seconds: length of an item, which begins at a random place in its slice; at most 5.
        remixed: share of the duets' items whose sources come from two pieces, or from two places, set apart by up to
            6 dB either way.
        substitutes: share of those in which a source of the bank takes the place of the second source.
        level_db: the whole mixture is turned down by up to this.
        rehearsal: share of all items that are mixtures of the bank alone.
        augmented: share of sources that are changed a little: see `augmentation`.
        captions: ask in any of a source's phrasings for training, not in its one canonical word.
    """

    seconds: float = SLICE_S
    remixed: float = 0.5
    substitutes: float = 0.25
    level_db: float = 6.0
    rehearsal: float = 0.5
    augmented: float = 0.5
    captions: bool = False

    @property
    def needs_bank(self) -> bool:
        """Whether anything is drawn from the bank."""
        return bool(self.rehearsal or self.substitutes)


class FinetuningDataset(PairDataset):
    """Items for fine-tuning, over as many epochs as are asked for.

    Of the pairs of items, a share of `recipe.rehearsal`, evenly spread, are mixtures of the bank. The others go through
    all slices of the pieces' training part (from the start to 30 s before the end), in an order that is drawn anew for
    each epoch. Item: as a MixtureDataset's, and `rehearsed`, whether it is of the bank alone.

    `pieces` have two sources or more, `bank` may be None where the recipe needs none, and `indices` says which items: a
    range into all epochs laid end to end.

    Raises:
        InputError: a piece too short for a slice or with one source, or no bank though the recipe wants one.
    """

    def __init__(
        self, pieces: Sequence[Piece], bank: SourceBank | None, recipe: DuetRecipe, indices: range, seed: int = 0
    ) -> None:
        if bank is None and recipe.needs_bank:
            raise InputError("rehearsal: needs a bank of sources; to go without, set rehearsal and substitutes to 0")
        super().__init__(recipe, recipe.seconds, seed)
        self.pieces, self.bank, self.indices = list(pieces), bank, indices
        self.slices = [(piece, start) for piece in self.pieces for start in training_starts(piece)]
        rehearsal = MixtureRecipe(aligned=0.0, absent=0.1, level_db=recipe.level_db)
        self.rehearsal = bank and MixtureDataset(bank, WITHOUT_END, recipe.seconds, rehearsal, seed)

    def __len__(self) -> int:
        return len(self.indices)

    def __getitem__(self, place: int) -> dict:
        pair, asked = divmod(self.indices[place], 2)
        share = self.recipe.rehearsal
        rehearsed = int(pair * share)
        if int((pair + 1) * share) > rehearsed:
            return self.rehearsal[2 * rehearsed + asked] | {"rehearsed": True}
        return self._item(pair - rehearsed, asked) | {"rehearsed": False}

    def _pair(self, number: int) -> tuple[list[str], list[np.ndarray], np.random.Generator]:
        rng = np.random.default_rng((self.seed, number))
        epoch, place = divmod(number, len(self.slices))
        order = np.random.default_rng((self.seed, epoch, 1)).permutation(len(self.slices))
        piece, start = self.slices[order[place]]
        names = [str(name) for name in rng.permutation(list(piece.sources))[:2]]
        start += self._draw_offset(rng)
        sources = [self._cut(piece, name, start) for name in names]
        if rng.random() < self.recipe.remixed:
            names[1], sources[1] = self._other(rng, names)
            sources[1] = match_energy(sources[1], sources[0], rng.uniform(-GAIN_DB, GAIN_DB))
        changed = [augment(source, rng) if rng.random() < self.recipe.augmented else source for source in sources]
        return names, changed, rng

    def _other(self, rng: np.random.Generator, names: Sequence[str]) -> tuple[str, np.ndarray]:
        """The second source from somewhere else: one of the bank, or the same name in any piece that has it."""
        if rng.random() < self.recipe.substitutes:
            fitting = [name for name in self.bank.instruments if not any(alike(name, other) for other in names)]
            if not fitting:
                raise InputError(f"{self.bank}: holds nothing that is unlike {' and '.join(names)}")
            name = str(rng.choice(fitting))
            return name, self.bank.cut(rng, name, self.samples)
        cut = np.zeros(self.samples, np.float32)
        for _ in range(TRIES):
            piece, start = self.slices[rng.integers(len(self.slices))]
            if names[1] in piece.sources:
                cut = self._cut(piece, names[1], start + self._draw_offset(rng))
                if audible(cut):
                    break
        return names[1], cut

    def _draw_offset(self, rng: np.random.Generator) -> float:
        """Seconds into a slice at which an item may begin."""
        return rng.uniform(0, SLICE_S - self.recipe.seconds)

    def _cut(self, piece: Piece, name: str, start: float) -> np.ndarray:
        first = round(start * SAMPLE_RATE)
        return piece.sources[name][first : first + self.samples]

    def _query(self, rng: np.random.Generator, names: list[str], asked: int) -> tuple[str, str]:
        name = names[asked]
        return name, draw_phrasing(rng, name) if self.recipe.captions else name


def draw_phrasing(rng: np.random.Generator, name: str) -> str:
    """One of a source's phrasings for training; of one that has none, its name."""
    return str(rng.choice(training_captions(name))) if name in CAPTIONS else name


def training_starts(piece: Piece) -> list[float]:
    """`slice_starts` of a piece's training part. Raises InputError where it has one source only, or no slice."""
    if len(piece.sources) < 2:
        raise InputError(f"piece {piece.name}: has one source, and a mixture needs two")
    if starts := slice_starts(piece, "train"):
        return starts
    raise InputError(f"piece {piece.name}: lasts {piece.seconds:.1f} s; to train, {SLICE_S:g} s are needed")


def epoch_items(slices: int, rehearsal: float) -> int:
    """Items of an epoch over so many slices: two a slice, and the share of rehearsal on top."""
    return 2 * round(slices / (1 - rehearsal))
