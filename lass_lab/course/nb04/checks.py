"""The checks of notebook 04: where a tone is heard after resampling, a split that does not leak, a mix at a level."""

from collections.abc import Callable, Sequence
from functools import cache, partial

import numpy as np

from lass_lab.course.checks import Wrong, ask, number, self_check, tell_mistake, truths, waveform
from lass_lab.signal import sdr

_TONES = ((3_000, 32_000), (19_000, 32_000), (30_000, 32_000), (7_000, 8_000), (41_000, 32_000), (52_000, 32_000))
# Slices of each piece, and the share that is to be tested on.
_DATASETS = (((12, 9, 7, 5, 3), 0.25), ((4, 4, 4, 4, 4, 4), 0.3), ((20, 6, 16, 9, 2, 7), 0.2))
_UNSEEN = ((0, "violin", 63.0, 1, 48.0), (1, "trumpet", 118.0, 0, 84.0), (0, "trumpet", 133.0, 1, 77.0))
_WANTED_DB = (6.0, -4.5, 13.0)
_UNSEEN_S = 2.0


@self_check
def check_heard_at(heard_at) -> str:
    """Notebook 04: the frequency at which a tone is heard after samples were dropped without a filter."""
    given = [number(ask(heard_at, hertz, rate), "a frequency in Hz") for hertz, rate in _TONES]
    measured = [_strongest(hertz, rate) for hertz, rate in _TONES]

    def is_like(others) -> bool:
        return np.allclose(given, others, atol=0.6)

    if is_like(measured):
        return f"on {len(_TONES)} tones, each sampled at its rate and measured, it says where they are heard."

    def each(formula: Callable[[int, int], float]) -> Callable[[], list[float]]:
        return lambda: [formula(hertz, rate) for hertz, rate in _TONES]

    tell_mistake(
        is_like,
        {
            "it gives every tone its own frequency; above half the rate there is no room for it.": each(lambda f, r: f),
            "it stops tones at half the rate; they turn round there and come down again.": each(
                lambda f, r: min(f, r / 2)
            ),
            "it lets tones above half the rate vanish; that is what a filter does, and there is none here.": each(
                lambda f, r: f if f <= r / 2 else 0
            ),
            "it mirrors low tones, too; below half the rate a tone stays where it is.": each(lambda f, r: r - f),
            "it takes the rest of dividing by the rate, which may still lie above half the rate: mirror it there.": (
                each(lambda f, r: f % r)
            ),
            "it divides by half the rate; tones repeat after the whole rate, and are mirrored at its half.": each(
                lambda f, r: f % (r / 2)
            ),
            "its sign is wrong for some tones: a frequency is not negative, take the absolute value.": each(
                lambda f, r: f if f <= r / 2 else r - f
            ),
            "it turns tones round once; above one and a half times the rate they have turned round again.": each(
                lambda f, r: f if f <= r / 2 else abs(r - f)
            ),
        },
    )
    worst = int(np.argmax(np.abs(np.subtract(given, measured))))
    hertz, rate = _TONES[worst]
    told = f"for a tone of {hertz:,} Hz at {rate:,} samples a second it gives {given[worst]:,.0f} Hz"
    raise Wrong(f"{told}; sampled so and measured, the tone is at {measured[worst]:,.0f} Hz.")


def _strongest(hertz: float, rate: int) -> float:
    """Where one second of a tone, sampled at `rate`, is strongest, in Hz."""
    return float(np.abs(np.fft.rfft(np.sin(2 * np.pi * hertz * np.arange(rate) / rate))).argmax())


@self_check
def check_split(split) -> str:
    """Notebook 04: which slices to test on, by piece, for at least a given share of all slices."""
    for sizes, share in _DATASETS:
        pieces = _owners(sizes)
        tested = truths(ask(split, list(pieces), share), len(pieces), "slice", "the slices to test on")
        owners = np.asarray(pieces)
        told = f"of {len(pieces)} slices in {len(sizes)} pieces, for a share of {share:.0%},"
        if tested.all() or not tested.any():
            raise Wrong(f"{told} it puts all on one side; a dataset needs slices to train with and slices to test on.")
        both = set(owners[tested]) & set(owners[~tested])
        if both:
            leaked = np.isin(owners[tested], list(both)).sum()
            raise Wrong(f"{told} {leaked} of the {tested.sum()} tested slices are of pieces that also train.")
        got, largest = tested.mean(), max(sizes) / len(pieces)
        if share <= got < share + largest:
            continue
        if share <= 1 - got < share + largest:
            raise Wrong(f"{told} it tests on {got:.0%}: is it the other way round? True means tested on.")
        if got < share:
            raise Wrong(f"{told} it tests on {got:.0%} of the slices, too few; pieces differ in length: count slices.")
        raise Wrong(f"{told} it tests on {got:.0%} of the slices; stop as soon as the share is reached.")
    return f"on {len(_DATASETS)} datasets no piece stands on both sides, and the share is reached with whole pieces."


def _owners(sizes: Sequence[int]) -> list[str]:
    """The piece of each slice, for pieces of so many slices; they do not lie in order."""
    pieces = [f"piece {number}" for number, size in enumerate(sizes) for _ in range(size)]
    return [pieces[place] for place in np.random.default_rng(len(pieces)).permutation(len(pieces))]


@self_check
def check_mix(mix) -> str:
    """Notebook 04: a mixture in which the target has a given SDR, by turning the other source up or down."""
    told, given = [], []
    for (target, other), wanted in zip(_unseen(), _WANTED_DB, strict=True):
        answer = ask(mix, target, other, wanted)
        _check_shape(answer, len(target))
        mixture = waveform(answer, len(target))
        _check_parts(mixture, target, other)
        given.append(sdr(target.astype(np.float64), mixture))
        told.append(f"{given[-1]:.1f}")
    if np.allclose(given, _WANTED_DB, atol=0.05):
        return f"measured by sdr, {', '.join(told)} dB on three pairs that you have not heard, just as asked."
    tell_mistake(partial(np.allclose, given, atol=0.05), _mixes_gone_wrong())
    raise Wrong(f"asked for {_WANTED_DB[0]:g} dB, it gives a mixture with an SDR of {given[0]:.1f} dB.")


def _check_shape(answer, samples: int) -> None:
    try:
        shape = np.shape(answer)
    except ValueError as error:  # lists of different lengths
        raise Wrong("it should give one waveform, the mixture, and gives lists of different lengths.") from error
    if len(shape) > 1:
        raise Wrong(f"it should give one waveform, the mixture, and gives shape {shape}.")
    if len(shape) == 1 and shape != (samples,):
        raise Wrong(f"it should give {samples:,} samples, as many as it is given, and gives {shape[0]:,}.")


def _check_parts(mixture: np.ndarray, target: np.ndarray, other: np.ndarray) -> None:
    """Is it the target, plus the other source at some level? Raises `Wrong` where it is not."""
    parts = np.stack([target, other], axis=1).astype(np.float64)
    (of_target, of_other), *_ = np.linalg.lstsq(parts, mixture)
    rest = mixture - parts @ (of_target, of_other)
    if np.sum(rest**2) > 1e-4 * np.sum(np.square(parts)):
        raise Wrong("it holds more than the two sources: a mixture is the target plus a factor times the other one.")
    if abs(of_target) < 1e-3:
        raise Wrong("the target is not in it.")
    if abs(of_other) < 1e-4:
        raise Wrong("the other source is not in it.")
    if abs(of_target - 1) > 1e-3:
        what = f"{of_target:.2f} times as loud as it was"
        raise Wrong(f"the target in it is {what}; leave the target alone, and turn the other source up or down.")


def _mixes_gone_wrong() -> dict[str, Callable[[], list[float]]]:
    """The SDR that each mistake gives for each pair."""
    plain = [sdr(target.astype(np.float64), (target + other).astype(np.float64)) for target, other in _unseen()]
    peaks = [np.abs(target).max() / np.abs(other).max() for target, other in _unseen()]
    wanted = np.array(_WANTED_DB)
    return {
        "it is the other way round: a higher SDR needs a softer other source.": lambda: -wanted,
        "its decibels count twice: a factor on samples is 10 ** (dB / 20), on energies 10 ** (dB / 10).": (
            lambda: 2 * wanted
        ),
        "its decibels count half: a factor on samples is 10 ** (dB / 20), of which no root is taken.": (
            lambda: wanted / 2
        ),
        "it is the plain sum; nothing is turned up or down.": lambda: plain,
        "both sources have one energy, whatever SDR is asked for.": lambda: 0 * wanted,
        "the other source starts from the level that it happens to have; bring both to one energy first.": (
            lambda: wanted + plain
        ),
        "energies are matched the wrong way round: multiply by the target's, divide by the other's.": (
            lambda: wanted + 2 * np.array(plain)
        ),
        "the ratio of energies needs a square root before it becomes a factor on samples.": lambda: wanted - plain,
        "it matches peaks; one loud moment says little about a sound, its energy is what SDR compares.": (
            lambda: wanted + plain - 20 * np.log10(peaks)
        ),
    }


@cache
def _unseen() -> tuple[tuple[np.ndarray, np.ndarray], ...]:
    """Target and other source, from two pieces and from places that the notebook does not use."""
    from lass_lab.datasets import list_pieces, load_piece

    pieces = [load_piece(name) for name in list_pieces("train")]
    pairs = []
    for first, name, start, second, begin in _UNSEEN:
        other = {"violin": "trumpet", "trumpet": "violin"}[name]
        target = pieces[first].slice(start, _UNSEEN_S).sources[name]
        pairs.append((target, pieces[second].slice(begin, _UNSEEN_S).sources[other]))
    return tuple(pairs)
