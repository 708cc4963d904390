"""The failure gallery: one slice evaluated four times, each time with another fault, to be found by ear and number."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import soxr
from IPython.display import HTML

from lass_lab.course.nb04.foreign import STUDIO_RATE
from lass_lab.course.nb04.memoriser import HOP, Memoriser
from lass_lab.course.players import players
from lass_lab.datasets import Piece
from lass_lab.signal import SAMPLE_RATE, oracle_estimate, sdr_improvement, spectral_correlation

if TYPE_CHECKING:
    from lass_lab.models import LanguageSeparator

FAULTS = ("wrong sample rate", "clipped mixture", "leaked slice", "constant query vector")
CLIPPED = 0.04  # share of the mixture's samples that were too loud
_QUIETEST_DB = -100.0

Waveforms = Mapping[str, np.ndarray]
Separate = Callable[[np.ndarray], Waveforms]


@dataclass(frozen=True, eq=False)
class Exhibit:
    """One evaluation of one slice: what was heard, and the numbers that could have given a fault away.

    Attributes:
        mixture: `(samples,)`, at what is taken for 32 kHz.
        targets, estimates: source -> `(samples,)`.
        length: seconds.
        flat: share of the mixture's samples that stand at its very peak, 0...1.
        rest: energy of the mixture less the sum of its sources, in dB against the mixture's; -100 for none.
        gains: source -> SDRi in dB.
        later: mean SDRi of the same separator on the slice after this one, in dB.
        ceiling: mean SDRi of the ideal ratio mask on this slice, in dB.
        alike: correlation of the two estimates' spectrograms.
    """

    mixture: np.ndarray
    targets: Waveforms
    estimates: Waveforms
    length: float
    flat: float
    rest: float
    gains: Mapping[str, float]
    later: float
    ceiling: float
    alike: float

    @property
    def mean(self) -> float:
        """Mean SDRi over the sources, in dB."""
        return float(np.mean(list(self.gains.values())))

    def numbers(self) -> dict[str, float]:
        """The numbers as rows of the gallery's table."""
        return {
            "length (s)": self.length,
            "mixture's samples at its peak (%)": 100 * self.flat,
            "mixture less its sources (dB)": self.rest,
            **{f"SDRi, {source} (dB)": gain for source, gain in self.gains.items()},
            "SDRi, mean (dB)": self.mean,
            "SDRi, mean, the slice after (dB)": self.later,
            "SDRi, mean, ideal ratio mask (dB)": self.ceiling,
            "likeness of the two estimates": self.alike,
        }

    def players(self) -> HTML:
        """The mixture, and for each source the truth and the estimate."""
        sounds = {"mixture": self.mixture}
        for source, target in self.targets.items():
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
        columns = {"control": self.control, **self.exhibits}
        return pd.DataFrame({name: exhibit.numbers() for name, exhibit in columns.items()})

    def is_right(self, letter: str, fault: str) -> bool:
        """Whether that is the exhibit's fault."""
        return self._faults[letter] == fault

    def evidence(self, letter: str) -> str:
        """What gives an exhibit's fault away, in one sentence with its numbers."""
        exhibit, usual = self.exhibits[letter], self.control.length
        worst = min(exhibit.gains, key=exhibit.gains.__getitem__)
        return {
            "wrong sample rate": (
                f"it lasts {exhibit.length:.1f} s, and a slice has {usual:.1f}; {STUDIO_RATE:,} samples a second were "
                f"taken for {SAMPLE_RATE:,}, and all is slow and more than a fourth too low."
            ),
            "clipped mixture": (
                f"{exhibit.flat:.0%} of the mixture's samples stand at its very peak, and it is no longer the sum of "
                f"its sources: what is left over is at {exhibit.rest:.0f} dB. Listen for the harshness of loud notes."
            ),
            "leaked slice": (
                f"its mean SDRi, {exhibit.mean:.1f} dB, is the ideal mask's, {exhibit.ceiling:.1f} dB, and that one "
                f"knows the answer; one slice on it has {exhibit.later:.1f} dB. It learned this slice by heart."
            ),
            "constant query vector": (
                f"the two estimates are alike to {exhibit.alike:.3f}; whatever was asked for, the answer is the same. "
                f"The mean hides it; the {worst} alone, at {exhibit.gains[worst]:+.1f} dB, does not."
            ),
        }[self._faults[letter]]

    def refutation(self, letter: str, fault: str) -> str:
        """Why an exhibit does not have a fault that it was named, in one sentence with its numbers."""
        exhibit, usual = self.exhibits[letter], self.control.length
        return {
            "wrong sample rate": (
                f"read at a wrong rate, it would not last as long as it should; it lasts {exhibit.length:.1f} s of "
                f"{usual:.1f}."
            ),
            "clipped mixture": (
                "clipped, its mixture would not be the sum of its sources; what is left over is at "
                f"{exhibit.rest:.0f} dB, and nobody hears that."
            ),
            "leaked slice": (
                f"had it leaked, its mean SDRi, {exhibit.mean:.1f} dB, would be near the ideal mask's "
                f"{exhibit.ceiling:.1f} dB, and {exhibit.later:.1f} dB on the slice after be far worse."
            ),
            "constant query vector": (
                "with a constant vector both queries would get one estimate; its two are alike to "
                f"{exhibit.alike:.3f} only."
            ),
        }[fault]


def hang_gallery(
    separator: "LanguageSeparator",
    piece: Piece,
    start_s: float,
    study: Sequence[Piece],
    *,
    seconds: float = 5.0,
    seed: int = 0,
) -> Gallery:
    """Evaluate a slice of a piece with each of the four `FAULTS`, and hang them up in random order (notebook 07).

    Args:
        separator: asked with `separate(mixture, queries, progress=False)`; in the exhibit of the leaked slice a
            `Memoriser` takes its place, which has seen that very slice in training.
        piece, start_s, seconds: the slice. Another must fit in behind it, which is measured as well.
        study: slices that the memoriser may know besides.
        seed: of the order.

    Raises:
        InputError: the two slices do not fit into the piece.
    """
    here, after = piece.slice(start_s, seconds), piece.slice(start_s + seconds, seconds)
    sources = list(here.sources)
    memorisers = {source: Memoriser([*study, here], source) for source in sources}

    def plain(mixture: np.ndarray) -> Waveforms:
        return dict(zip(sources, separator.separate(mixture, sources, progress=False), strict=True))

    def deaf(mixture: np.ndarray) -> Waveforms:
        """Whatever the query, the network gets the vector of the first one."""
        return dict.fromkeys(sources, separator.separate(mixture, [sources[0]], progress=False)[0])

    def by_heart(mixture: np.ndarray) -> Waveforms:
        return {source: memoriser.separate(mixture) for source, memoriser in memorisers.items()}

    made = {
        "wrong sample rate": _exhibit(plain, _misread(here), _misread(after)),
        "clipped mixture": _exhibit(plain, _clipped(here), _clipped(after)),
        "leaked slice": _exhibit(by_heart, _parts(here), _parts(after)),
        "constant query vector": _exhibit(deaf, _parts(here), _parts(after)),
    }
    order = np.random.default_rng(seed).permutation(len(FAULTS))
    faults = {letter: FAULTS[number] for letter, number in zip("ABCD", order, strict=True)}
    exhibits = {letter: made[fault] for letter, fault in faults.items()}
    return Gallery(_exhibit(plain, _parts(here), _parts(after)), exhibits, faults)


Parts = tuple[np.ndarray, Waveforms]  # a mixture and its sources


def _parts(cut: Piece) -> Parts:
    return cut.mixture, cut.sources


def _misread(cut: Piece) -> Parts:
    """As a studio's files would sound if their samples were taken for ours."""
    sources = {name: soxr.resample(each, SAMPLE_RATE, STUDIO_RATE, quality="VHQ") for name, each in cut.sources.items()}
    return sum(sources.values()), sources


def _clipped(cut: Piece) -> Parts:
    limit = np.quantile(np.abs(cut.mixture), 1 - CLIPPED)
    return np.clip(cut.mixture, -limit, limit), cut.sources


def _exhibit(separate: Separate, here: Parts, after: Parts) -> Exhibit:
    mixture, targets = here
    estimates = separate(mixture)
    ideal = {name: oracle_estimate(mixture, target, "irm", hop=HOP) for name, target in targets.items()}
    gains = _gains(here, estimates)
    rest, whole = (float(np.mean(np.square(each, dtype=np.float64))) for each in (_rest(here), mixture))
    return Exhibit(
        mixture=mixture,
        targets=targets,
        estimates=estimates,
        length=len(mixture) / SAMPLE_RATE,
        flat=float(np.mean(np.abs(mixture) >= 0.9999 * np.abs(mixture).max())),
        rest=max(_QUIETEST_DB, 10 * np.log10(rest / whole)) if rest else _QUIETEST_DB,
        gains=gains,
        later=float(np.mean(list(_gains(after, separate(after[0])).values()))),
        ceiling=float(np.mean(list(_gains(here, ideal).values()))),
        alike=spectral_correlation(*list(estimates.values())[:2]),
    )


def _rest(parts: Parts) -> np.ndarray:
    mixture, sources = parts
    return mixture - sum(sources.values())


def _gains(parts: Parts, estimates: Waveforms) -> dict[str, float]:
    mixture, targets = parts
    return {name: sdr_improvement(target, estimates[name], mixture) for name, target in targets.items()}
