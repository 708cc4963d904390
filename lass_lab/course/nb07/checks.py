"""The checks of notebook 07: the improvement of SI-SDR, the p-value of a listening test, and the failure gallery."""

import math
from collections.abc import Callable, Mapping
from functools import cache, partial

import numpy as np
from scipy.stats import binom, norm

from lass_lab.course.checks import Unsolved, Verdict, Wrong, ask, number, self_check, tell_mistake
from lass_lab.course.nb07.abx import abx_p_value
from lass_lab.course.nb07.gallery import FAULTS, Gallery
from lass_lab.signal import sdr, sdr_improvement, si_sdr, stft

_PLACES = ((0, "violin", 21.0), (1, "trumpet", 37.0), (0, "trumpet", 52.0))  # training piece, target, seconds
_UNSEEN_S = 2.0
_COUNTS = ((7, 10), (16, 25), (3, 8), (5, 5), (24, 40))

Score = Callable[[np.ndarray, np.ndarray, np.ndarray], float]


@self_check
def check_si_sdri(si_sdri) -> str:
    """Notebook 07: how much higher the SI-SDR of an estimate is than the mixture's."""
    given = [number(ask(si_sdri, *each), "an improvement in dB") for each in _unseen()]

    def is_like(others) -> bool:
        return np.allclose(given, others, atol=0.02)

    def each(score: Score) -> Callable[[], list[float]]:
        return lambda: [score(*waveforms) for waveforms in _unseen()]

    right = each(_si_sdri)()
    if is_like(right):
        told = ", ".join(f"{value:+.1f}" for value in given)
        return f"{told} dB, as by the package, on three estimates that you have not heard."
    tell_mistake(
        is_like,
        {
            "this is SI-SDR, not its improvement: the mixture's own SI-SDR has to come off.": each(
                lambda s, e, m: si_sdr(s, e)
            ),
            "this is SDRi; first bring the source to the level that fits best, for the estimate and for the mixture.": (
                each(sdr_improvement)
            ),
            "this is SDR, neither improved nor free of the level.": each(lambda s, e, m: sdr(s, e)),
            "this is the mixture's own SI-SDR; the estimate does not get into it.": each(lambda s, e, m: si_sdr(s, m)),
            "its sign is wrong, or estimate and mixture have changed places.": each(lambda s, e, m: -_si_sdri(s, e, m)),
            "it takes SI-SDR of the estimate but plain SDR of the mixture.": each(
                lambda s, e, m: si_sdr(s, e) - sdr(s, m)
            ),
            "its decibels count twice: of energies it is 10 * log10, 20 * log10 is for amplitudes.": each(
                lambda s, e, m: 2 * _si_sdri(s, e, m)
            ),
            "its decibels count half: sums of squares are energies, and of those it is 10 * log10.": each(
                lambda s, e, m: _si_sdri(s, e, m) / 2
            ),
            "its logarithm is the natural one; decibels take np.log10.": each(
                lambda s, e, m: math.log(10) * _si_sdri(s, e, m)
            ),
            "the factor 10 is missing: this is in bels.": each(lambda s, e, m: _si_sdri(s, e, m) / 10),
            "means are taken off first; the package leaves them in, and so an offset counts as an error.": each(
                lambda s, e, m: _si_sdri(*(waveform - waveform.mean() for waveform in (s, e, m)))
            ),
            "it compares magnitudes and so ignores the phase; take the waveforms.": each(_of_magnitudes),
            "the gain is on the estimate, and the source's own energy stands above; it is the source that gets it, "
            "and its energy after that which counts.": each(_gain_on_the_estimate),
            "the source gets its gain below, in the error, but not above.": each(_half_scaled),
            "it matches energies; the best gain is the inner product with the source over the source's energy.": each(
                _energies_matched
            ),
            "it divides by the energy of the estimate in place of the error's.": each(_over_the_estimate),
        },
    )
    raise Wrong(f"for an estimate that you have not heard it gives {given[0]:.2f} dB, and {right[0]:.2f} is right.")


@self_check
def check_p_value(p_value) -> str:
    """Notebook 07: the probability that a guesser gets at least so many of so many trials right."""
    given = [number(ask(p_value, *counts), "a probability") for counts in _COUNTS]
    if np.allclose(given, [abx_p_value(*counts) for counts in _COUNTS], atol=1e-6):
        told = ", ".join(
            f"{right} of {trials}: {p:.3f}" for (right, trials), p in zip(_COUNTS[:2], given, strict=False)
        )
        return f"{told}, and so on; a coin does so well that often."

    def each(formula: Callable[[int, int], float]) -> Callable[[], list[float]]:
        return lambda: [formula(right, trials) for right, trials in _COUNTS]

    tell_mistake(
        partial(np.allclose, given, atol=1e-6),
        {
            "it counts exactly so many right alone; as surprising, and more, is every count above.": each(
                lambda k, n: binom.pmf(k, n, 0.5)
            ),
            "it leaves out the count that was reached: “at least” begins with it.": each(
                lambda k, n: binom.sf(k, n, 0.5)
            ),
            "it is the probability of so many or fewer; take so many or more.": each(lambda k, n: binom.cdf(k, n, 0.5)),
            "it counts both sides; who gets few right has not heard a difference, so take one side.": each(
                lambda k, n: min(1.0, 2 * abx_p_value(k, n))
            ),
            "it counts both sides; who gets few right has not heard a difference: alternative='greater'.": each(
                lambda k, n: min(1.0, 2 * min(abx_p_value(k, n), binom.cdf(k, n, 0.5)))
            ),
            "this is the share that was right; how surprising it is depends on how many trials there were.": each(
                lambda k, n: k / n
            ),
            "it takes the share that was right for the guesser's probability, which is one half.": each(
                lambda k, n: binom.sf(k - 1, n, k / n)
            ),
            "it gives the probability of one order of rights and wrongs; there are math.comb(n, k) of them.": each(
                lambda k, n: 0.5**n
            ),
            "it adds up how many ways there are; divide by all, 2**trials.": each(
                lambda k, n: abx_p_value(k, n) * 2**n
            ),
            "it counts the last trial out: range stops before its end.": each(lambda k, n: abx_p_value(k, n) - 0.5**n),
            "it approximates by a bell curve, which is off for few trials; the sum can be taken exactly.": each(
                lambda k, n: norm.sf((k - n / 2) / math.sqrt(n / 4))
            ),
            "it approximates by a bell curve, if a careful one; the sum can be taken exactly.": each(
                lambda k, n: norm.sf((k - 0.5 - n / 2) / math.sqrt(n / 4))
            ),
        },
    )
    (right, trials), p = _COUNTS[0], given[0]
    raise Wrong(f"for {right} of {trials} right it gives {p:.4f}, and {abx_p_value(right, trials):.4f} is right.")


def check_gallery(gallery: Gallery, named: Mapping[str, str]) -> Verdict:
    """Notebook 07: the fault of each exhibit; says of each what gives it away, or why it is not what was named."""
    return self_check(partial(_examine_gallery, gallery))(named)


def _examine_gallery(gallery: Gallery, named: object) -> str:
    if not isinstance(named, Mapping):
        raise Wrong(f"it should be a dictionary, exhibit to fault, and is {type(named).__name__}.")
    if unknown := [letter for letter in named if letter not in gallery.exhibits]:
        raise Wrong(f"there is no exhibit {unknown[0]!r}; they are {', '.join(gallery.exhibits)}.")
    faults = {letter: fault for letter, fault in named.items() if fault is not None and fault is not ...}
    if not faults:
        raise Unsolved
    if strange := [fault for fault in faults.values() if fault not in FAULTS]:
        raise Wrong(f"{str(strange[0])!r} is none of the faults; they are: {', '.join(FAULTS)}.")
    lines, missed = [], 0
    for letter in gallery.exhibits:
        if letter not in faults:
            lines.append(f"  {letter}: not named yet.")
        elif gallery.is_right(letter, faults[letter]):
            lines.append(f"  {letter} is right: {gallery.evidence(letter)}")
        else:
            missed += 1
            lines.append(f"  {letter} is not it: {gallery.refutation(letter, faults[letter])}")
    listed = "\n".join(lines)
    found = len(faults) - missed
    if found == len(gallery.exhibits):
        return f"all {found} are found.\n{listed}"
    raise Wrong(f"{found} of {len(gallery.exhibits)} are found.\n{listed}")


def _si_sdri(source: np.ndarray, estimate: np.ndarray, mixture: np.ndarray) -> float:
    return si_sdr(source, estimate) - si_sdr(source, mixture)


def _decibels(above: np.ndarray, below: np.ndarray) -> float:
    return float(10 * np.log10(np.sum(above**2) / np.sum(below**2)))


def _improved(score: Callable[[np.ndarray, np.ndarray], float], s, e, m) -> float:
    return score(s, e) - score(s, m)


def _gain_on_the_estimate(s: np.ndarray, e: np.ndarray, m: np.ndarray) -> float:
    return _improved(lambda s, e: _decibels(s, s - e * (e @ s) / (e @ e)), s, e, m)


def _half_scaled(s: np.ndarray, e: np.ndarray, m: np.ndarray) -> float:
    return _improved(lambda s, e: _decibels(s, e - s * (e @ s) / (s @ s)), s, e, m)


def _energies_matched(s: np.ndarray, e: np.ndarray, m: np.ndarray) -> float:
    def score(s, e):
        scaled = s * np.sqrt((e @ e) / (s @ s))
        return _decibels(scaled, e - scaled)

    return _improved(score, s, e, m)


def _over_the_estimate(s: np.ndarray, e: np.ndarray, m: np.ndarray) -> float:
    return _improved(lambda s, e: _decibels(s * (e @ s) / (s @ s), e), s, e, m)


def _of_magnitudes(s: np.ndarray, e: np.ndarray, m: np.ndarray) -> float:
    return _si_sdri(*(np.abs(stft(waveform)).ravel() for waveform in (s, e, m)))


@cache
def _unseen() -> tuple[tuple[np.ndarray, np.ndarray, np.ndarray], ...]:
    """Source, estimate and mixture, from training pieces: softened, with a leftover, noise, and a constant offset."""
    from lass_lab.datasets import list_pieces, load_piece

    names, rng = list_pieces("train"), np.random.default_rng(7)
    examples = []
    for number_of_piece, name, start in _PLACES:
        piece = load_piece(names[number_of_piece]).slice(start, _UNSEEN_S)
        source, mixture = piece.sources[name].astype(np.float64), piece.mixture.astype(np.float64)
        noise = rng.normal(0, 0.1 * source.std(), len(source))
        offset = 0.15 * source.std()
        estimate = rng.uniform(0.5, 0.8) * (source + 0.25 * (mixture - source)) + noise + offset
        examples.append((source, estimate, mixture))
    return tuple(examples)
