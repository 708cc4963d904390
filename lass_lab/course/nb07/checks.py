"""The checks of notebook 07: SI-SDRi, subtraction, a paired bootstrap, the p-value of a test, and the gallery."""

from collections.abc import Callable, Mapping
from functools import partial

import numpy as np
from scipy.stats import binom

from lass_lab.course.checks import Exercise, Unsolved, Verdict, Wrong, judge, unseen
from lass_lab.course.nb07.abx import abx_p_value
from lass_lab.course.nb07.gallery import FAULTS, Gallery
from lass_lab.signal import sdr, sdr_improvement, si_sdr


def _estimate(number: int, name: str, start: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Source, estimate and mixture: the estimate is softer, with some of the mixture and a constant offset."""
    piece = unseen(number, start)
    source, mixture = piece.sources[name].astype(float), piece.mixture.astype(float)
    return source, 0.5 * source + 0.2 * mixture + 0.1 * source.std(), mixture


def _si_sdri(source: np.ndarray, estimate: np.ndarray, mixture: np.ndarray) -> float:
    return si_sdr(source, estimate) - si_sdr(source, mixture)


check_si_sdri = Exercise(
    reference=_si_sdri,
    cases=lambda: [_estimate(0, "violin", 21), _estimate(1, "trumpet", 37), _estimate(0, "trumpet", 52)],
    praise=lambda gains: f"{', '.join(f'{gain:+.1f}' for gain in gains)} dB on three estimates, all unheard before.",
    atol=0.02,
    mistakes={
        "this is SI-SDR, not its improvement: the mixture's own has to come off.": lambda s, e, m: si_sdr(s, e),
        "this is SDRi; first bring the source to the level that fits best.": sdr_improvement,
        "it takes means off first; an offset counts as an error.": lambda *w: _si_sdri(*(x - x.mean() for x in w)),
        "of energies it is 10 * log10; 20 * log10 is for amplitudes.": lambda *waveforms: 2 * _si_sdri(*waveforms),
    },
)


def _scores(number: int, start: float, gain: float) -> tuple[float, float]:
    """SDR and SDRi of an estimate of the violin that holds all of it, and so much of the trumpet."""
    piece = unseen(number, start)
    violin, trumpet = (waveform.astype(float) for waveform in piece.sources.values())
    estimate = 0.9 * violin + gain * trumpet
    return sdr(violin, estimate), sdr_improvement(violin, estimate, violin + trumpet)


check_by_subtraction = Exercise(
    reference=lambda sdr, sdri: (sdri, sdr),
    cases=lambda: [_scores(0, 21, 0.3), _scores(1, 37, 0.1), _scores(0, 52, 0.8)],
    praise="subtraction turns the two around: SDR of the one is SDRi of the other, on three unseen estimates.",
    atol=1e-6,
    mistakes={
        "these are the violin's own; the error is the same, but what is wanted is another sound.": lambda *both: both,
        "SDR is right; the trumpet's mixture SDR is minus the violin's.": lambda sdr, sdri: (sdri, 2 * sdri - sdr),
        "SDR is right; for SDRi take off what the mixture scores for the trumpet.": lambda sdr, sdri: (sdri, sdri),
        "the violin's error is the trumpet's, with its sign changed; an energy has no sign.": (
            lambda sdr, sdri: (-sdri, -sdr)
        ),
    },
)


def _slices(seed: int, size: int, apart: float) -> tuple[np.ndarray, np.ndarray]:
    """SDR of two separators on the same slices, which are easy or hard for both."""
    rng = np.random.default_rng(seed)
    before = rng.normal(5, 6, size)
    return before + rng.normal(apart, 0.6, size), before


def _interval(draw: Callable[[np.random.Generator, np.ndarray, np.ndarray], np.ndarray], ends: tuple = (2.5, 97.5)):
    """What gives the interval of the means that `draw` makes of all differences."""
    return lambda after, before: np.percentile(draw(np.random.default_rng(0), after, before), ends)


def _differences(rng: np.random.Generator, after: np.ndarray, before: np.ndarray) -> np.ndarray:
    return rng.choice(after - before, (4000, len(after))).mean(axis=1)


def _unrelated(rng: np.random.Generator, after: np.ndarray, before: np.ndarray) -> np.ndarray:
    return _differences(rng, after, 0) - _differences(rng, before, 0)


check_paired = Exercise(
    reference=_interval(_differences),
    cases=lambda: [_slices(0, 40, 1.0), _slices(1, 60, -0.5), _slices(2, 50, 0.1)],
    praise=lambda ends: f"{', '.join('{:+.1f} to {:+.1f}'.format(*each) for each in ends)} dB on three unseen pairs.",
    atol=0.06,  # another seed moves an end by about 0.01 dB
    mistakes={
        "it draws the slices of the two apart; what is hard for one is hard for the other.": _interval(_unrelated),
        "it is before - after: a gain should be above zero.": lambda *both: -_interval(_differences)(*both)[::-1],
        "these are the middle 95% of the slices; draw again and take means.": (
            lambda after, before: np.percentile(after - before, (2.5, 97.5))
        ),
        "first the lower end, then the upper one.": lambda *both: _interval(_differences)(*both)[::-1],
        "it is the interval of after alone; take before off.": lambda after, _: _interval(_differences)(after, 0),
    },
)

check_p_value = Exercise(
    reference=abx_p_value,
    cases=lambda: [(7, 10), (16, 25), (3, 8), (5, 5), (24, 40)],
    praise=lambda p: f"7 of 10: {p[0]:.3f}, 16 of 25: {p[1]:.3f}, and so on; a coin does so well that often.",
    atol=1e-6,
    mistakes={
        "it counts exactly so many right alone; count all above, too.": lambda k, n: binom.pmf(k, n, 0.5),
        "it leaves out the count that was reached: “at least” begins with it.": lambda k, n: binom.sf(k, n, 0.5),
        "it is the probability of so many or fewer; take so many or more.": lambda k, n: binom.cdf(k, n, 0.5),
        "it adds up how many ways there are; divide by all, 2**trials.": lambda k, n: 2**n * abx_p_value(k, n),
        "it leaves out the last count: range stops before its end.": lambda k, n: abx_p_value(k, n) - 0.5**n,
    },
)


def check_gallery(gallery: Gallery, named: Mapping[str, str]) -> Verdict:
    """Notebook 07: the fault of each exhibit; says of each what gives it away, or why it is not what was named."""
    return judge(partial(_examine_gallery, gallery), named)


def _examine_gallery(gallery: Gallery, named: Mapping[str, str]) -> str:
    faults = {letter: named[letter] for letter in gallery.exhibits if named.get(letter) not in (None, ...)}
    if not faults:
        raise Unsolved
    if strange := [fault for fault in faults.values() if fault not in FAULTS]:
        raise Wrong(f"{str(strange[0])!r} is none of the faults; they are: {', '.join(FAULTS)}.")
    right = {letter for letter, fault in faults.items() if gallery.is_right(letter, fault)}
    count = len(gallery.exhibits)
    told = f"{'all' if len(right) == count else f'{len(right)} of'} {count} are found."
    for letter in gallery.exhibits:
        if letter not in faults:
            told += f"\n  {letter}: not named yet."
        else:
            verdict = "is right" if letter in right else "is not it"
            told += f"\n  {letter} {verdict}: {gallery.explain(letter, faults[letter])}"
    if len(right) < count:
        raise Wrong(told)
    return told
