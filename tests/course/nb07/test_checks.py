"""The checks of notebook 07 say right to what is right, and name the typical mistake."""

import math

import numpy as np
from scipy.stats import binom, binomtest, norm

from lass_lab.course.nb07.checks import check_p_value, check_si_sdri
from lass_lab.signal import sdr, sdr_improvement, si_sdr, stft
from tests.checking import NothingRaises, RightAndWrong


def by_hand(source, estimate, mixture, *, factor=10, log=np.log10, centre=False, on_source=True, above=True):
    """SI-SDRi as a student may write it, with a switch for each slip."""

    def score(s, e):
        if centre:
            s, e = s - s.mean(), e - e.mean()
        if not on_source:
            return factor * log(np.sum(s**2) / np.sum((s - e * np.dot(e, s) / np.dot(e, e)) ** 2))
        scaled = s * np.dot(e, s) / np.dot(s, s)
        return factor * log(np.sum((scaled if above else s) ** 2) / np.sum((e - scaled) ** 2))

    return score(source, estimate) - score(source, mixture)


def slip(**switches):
    return lambda s, e, m: by_hand(s, e, m, **switches)


def energies_matched(s, e, m):
    def score(s, e):
        scaled = s * np.sqrt((e @ e) / (s @ s))
        return 10 * np.log10(np.sum(scaled**2) / np.sum((e - scaled) ** 2))

    return score(s, e) - score(s, m)


def over_the_estimate(s, e, m):
    def score(s, e):
        return 10 * np.log10(np.sum((s * (e @ s) / (s @ s)) ** 2) / np.sum(e**2))

    return score(s, e) - score(s, m)


def of_magnitudes(s, e, m):
    return by_hand(*(np.abs(stft(x)).ravel() for x in (s, e, m)))


def summed(k, n):
    return sum(math.comb(n, i) for i in range(k, n + 1)) / 2**n


RIGHT = [
    (check_si_sdri, by_hand),
    (check_si_sdri, lambda s, e, m: si_sdr(s, e) - si_sdr(s, m)),
    (check_si_sdri, lambda s, e, m: np.float32(by_hand(s, e, m))),
    # It is a matter of the angle between the two alone.
    (check_si_sdri, lambda s, e, m: si_sdr(e, s) - si_sdr(m, s)),
    (check_p_value, summed),
    (check_p_value, lambda k, n: binom.sf(k - 1, n, 0.5)),
    (check_p_value, lambda k, n: binomtest(k, n, alternative="greater").pvalue),
]
WRONG = [
    (check_si_sdri, lambda s, e, m: si_sdr(s, e), "this is SI-SDR, not its improvement"),
    (check_si_sdri, sdr_improvement, "this is SDRi"),
    (check_si_sdri, lambda s, e, m: sdr(s, e), "this is SDR, neither"),
    (check_si_sdri, lambda s, e, m: si_sdr(s, m), "the mixture's own SI-SDR"),
    (check_si_sdri, lambda s, e, m: by_hand(s, m, e), "its sign is wrong"),
    (check_si_sdri, lambda s, e, m: si_sdr(s, e) - sdr(s, m), "plain SDR of the mixture"),
    (check_si_sdri, slip(factor=20), "count twice"),
    (check_si_sdri, slip(factor=5), "count half"),
    (check_si_sdri, slip(log=np.log), "the natural one"),
    (check_si_sdri, slip(factor=1), "in bels"),
    (check_si_sdri, slip(centre=True), "means are taken off first"),
    (check_si_sdri, of_magnitudes, "ignores the phase"),
    (check_si_sdri, slip(on_source=False), "the gain is on the estimate"),
    (check_si_sdri, slip(above=False), "but not above"),
    (check_si_sdri, energies_matched, "it matches energies"),
    (check_si_sdri, over_the_estimate, "the energy of the estimate"),
    (check_si_sdri, lambda s, e, m: 3.0, "is right."),
    (check_si_sdri, lambda s, e, m: e, "one number"),
    (check_si_sdri, lambda s, e, m: math.inf, "gives inf"),
    (check_si_sdri, lambda s, e, m: 1 / 0, "stops with ZeroDivisionError"),
    (check_p_value, lambda k, n: binom.pmf(k, n, 0.5), "exactly so many right"),
    (check_p_value, lambda k, n: binom.sf(k, n, 0.5), "leaves out the count"),
    (check_p_value, lambda k, n: binom.cdf(k, n, 0.5), "so many or fewer"),
    (check_p_value, lambda k, n: min(1.0, 2 * summed(k, n)), "counts both sides"),
    (check_p_value, lambda k, n: binomtest(k, n).pvalue, "alternative='greater'"),
    (check_p_value, lambda k, n: k / n, "the share that was right"),
    (check_p_value, lambda k, n: binomtest(k, n, k / n, alternative="greater").pvalue, "which is one half"),
    (check_p_value, lambda k, n: 0.5**n, "one order of rights and wrongs"),
    (check_p_value, lambda k, n: sum(math.comb(n, i) for i in range(k, n + 1)), "divide by all"),
    (check_p_value, lambda k, n: sum(math.comb(n, i) for i in range(k, n)) / 2**n, "range stops before its end"),
    (check_p_value, lambda k, n: norm.sf((k - n / 2) / math.sqrt(n / 4)), "by a bell curve, which"),
    (check_p_value, lambda k, n: norm.sf((k - 0.5 - n / 2) / math.sqrt(n / 4)), "if a careful one"),
    (check_p_value, lambda k, n: 0.05, "is right."),
]


class TestRightAndWrong(RightAndWrong):
    RIGHT, WRONG = RIGHT, WRONG


class TestNothingRaises(NothingRaises):
    CHECKS = (check_si_sdri, check_p_value)
