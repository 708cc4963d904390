"""The failure gallery: one slice evaluated four times, each time with another fault, to be found by ear and number."""

import tomllib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import pandas as pd
import soxr
from IPython.display import HTML

from lass_lab.course.nb04.foreign import STUDIO_RATE
from lass_lab.course.nb04.memoriser import HOP, Memoriser
from lass_lab.course.players import players
from lass_lab.datasets import Piece
from lass_lab.models import LanguageSeparator
from lass_lab.signal import SAMPLE_RATE, decibels, oracle_estimate, sdr_improvement, spectral_correlation

CLIPPED = 0.04  # share of the mixture's samples that were too loud
SECONDS = 5.0  # of the slice

TEXTS = tomllib.loads(Path(__file__).with_suffix(".toml").read_text(encoding="utf-8"))
FAULTS = tuple(TEXTS["faults"])

Waveforms = Mapping[str, np.ndarray]
Separate = Callable[[np.ndarray], Waveforms]


@dataclass(frozen=True, eq=False)
class Exhibit:
    """One evaluation of one slice: its sounds, and the numbers that could have given a fault away.

    Attributes:
        piece: the slice, at what is taken for 32 kHz.
        estimates: source -> `(samples,)`.
        numbers: the titles in gallery.toml, by their keys, and source -> SDRi in dB.
    """

    piece: Piece
    estimates: Waveforms
    numbers: Mapping[str, float]

    def players(self) -> HTML:
        """A player of the mixture, and for each source of the truth and the estimate."""
        sounds = {"mixture": self.piece.mixture}
        for source, target in self.piece.sources.items():
            sounds |= {f"target: {source}": target, f"estimate for “{source}”": self.estimates[source]}
        return players(sounds)


@dataclass(frozen=True, eq=False)
class Gallery:
    """What `hang_gallery` makes.

    Attributes:
        control: the same slice, evaluated with no fault.
        exhibits: letter -> exhibit, in an order that only the seed knows.
    """

    control: Exhibit
    exhibits: dict[str, Exhibit]
    _faults: dict[str, str] = field(repr=False)

    def table(self) -> pd.DataFrame:
        """The numbers of all exhibits, a column each, beside those of the control."""
        table = pd.DataFrame({name: each.numbers for name, each in {"control": self.control, **self.exhibits}.items()})
        return table.rename(index=lambda row: TEXTS["titles"].get(row, f"SDRi, {row} (dB)"))

    def is_right(self, letter: str, fault: str) -> bool:
        """Whether that is the exhibit's fault."""
        return self._faults[letter] == fault

    def explain(self, letter: str, fault: str) -> str:
        """What gives an exhibit's fault away, where it is this one, or why it is not; a sentence with its numbers."""
        numbers, usual = self.exhibits[letter].numbers, self.control.numbers["length"]
        worst = min(self.exhibits[letter].estimates, key=numbers.__getitem__)
        sentence = TEXTS["faults"][fault]["evidence" if self.is_right(letter, fault) else "refutation"]
        return sentence.format(usual=usual, worst=worst, gain=numbers[worst], **numbers)


def hang_gallery(
    separator: LanguageSeparator, piece: Piece, start_s: float, study: Sequence[Piece], *, seed: int = 0
) -> Gallery:
    """Evaluate a slice of a piece with each of the four `FAULTS`, and put the results in random order.

    Args:
        separator: asked with `separate(mixture, queries, progress=False)`; in the exhibit of the leaked slice a
            `Memoriser` takes its place, which has seen that very slice in training.
        piece, start_s: the slice, 5 s long. Another must fit in behind it, which is measured as well.
        study: slices that the memoriser may know besides.
        seed: of the order.

    Raises:
        InputError: the two slices do not fit into the piece.
    """
    cuts = [piece.slice(start, SECONDS) for start in (start_s, start_s + SECONDS)]
    sources = list(piece.sources)
    memorisers = {source: Memoriser([*study, cuts[0]], source) for source in sources}

    def plain(mixture: np.ndarray) -> Waveforms:
        return dict(zip(sources, separator.separate(mixture, sources, progress=False), strict=True))

    def constant(mixture: np.ndarray) -> Waveforms:  # whatever the query, the network gets the vector of the first one
        return dict.fromkeys(sources, separator.separate(mixture, [sources[0]], progress=False)[0])

    def by_heart(mixture: np.ndarray) -> Waveforms:
        return {source: memoriser.separate(mixture) for source, memoriser in memorisers.items()}

    made = {
        "wrong sample rate": _exhibit(plain, *map(_misread, cuts)),
        "clipped mixture": _exhibit(plain, *map(_clipped, cuts)),
        "leaked slice": _exhibit(by_heart, *cuts),
        "constant query vector": _exhibit(constant, *cuts),
    }
    order = np.random.default_rng(seed).permutation(len(FAULTS))
    faults = {letter: FAULTS[number] for letter, number in zip("ABCD", order, strict=True)}
    return Gallery(_exhibit(plain, *cuts), {letter: made[fault] for letter, fault in faults.items()}, faults)


def _misread(cut: Piece) -> Piece:
    """As a studio's files would sound if their samples were taken for ours."""
    sources = {name: soxr.resample(each, SAMPLE_RATE, STUDIO_RATE, quality="VHQ") for name, each in cut.sources.items()}
    return replace(cut, mixture=sum(sources.values()), sources=sources)


def _clipped(cut: Piece) -> Piece:
    limit = np.quantile(np.abs(cut.mixture), 1 - CLIPPED)
    return replace(cut, mixture=np.clip(cut.mixture, -limit, limit))


def _exhibit(separate: Separate, here: Piece, after: Piece) -> Exhibit:
    mixture, estimates = here.mixture, separate(here.mixture)
    ideal = {name: oracle_estimate(mixture, target, "irm", hop=HOP) for name, target in here.sources.items()}
    gains, later, ceiling = (
        {name: sdr_improvement(target, found[name], piece.mixture) for name, target in piece.sources.items()}
        for piece, found in ((here, estimates), (after, separate(after.mixture)), (here, ideal))
    )
    rest, whole = (float(np.sum(np.square(each))) for each in (mixture - sum(here.sources.values()), mixture))
    numbers = {
        "length": here.seconds,
        "flat": 100 * float(np.mean(np.abs(mixture) >= 0.9999 * np.abs(mixture).max())),
        "rest": max(decibels(rest / whole), -100.0),
        **gains,
        "mean": float(np.mean(list(gains.values()))),
        "later": float(np.mean(list(later.values()))),
        "ceiling": float(np.mean(list(ceiling.values()))),
        "correlation": spectral_correlation(*estimates.values()),
    }
    return Exhibit(here, estimates, numbers)
