"""The checks of notebook 04: where a tone is heard after resampling, a split that does not leak, a mix at a level."""

from functools import partial

import numpy as np

from lass_lab.course.checks import Exercise, ask, expect, unseen

CALLS = 6  # of a split, to see whether it is the same each time

check_heard_at = Exercise(
    # One second of the tone, and where its spectrum is strongest.
    reference=lambda hertz, rate: np.abs(np.fft.rfft(np.sin(2 * np.pi * hertz * np.arange(rate) / rate))).argmax(),
    cases=lambda: [(hertz, 32_000) for hertz in (3_000, 19_000, 30_000, 41_000, 52_000)] + [(7_000, 8_000)],
    praise="on 6 tones, each sampled at its rate and measured, it says where they are heard.",
    atol=0.6,
    mistakes={
        "it gives every tone its own frequency; above half the rate there is no room for it.": lambda f, r: f,
        "it stops tones at half the rate; they turn round there and come down again.": lambda f, r: min(f, r / 2),
        "above one and a half times the rate, tones turn round again.": lambda f, r: f if f <= r / 2 else abs(r - f),
        "the rest of dividing by the rate may still lie above half the rate: mirror it there.": lambda f, r: f % r,
        "its sign is wrong for some tones: take the absolute value.": lambda f, r: f if f <= r / 2 else r - f,
    },
)


def _slices(share: float, *sizes: int) -> tuple[list[str], float]:
    """The piece of each slice, for pieces of so many slices, in no order; and the share to be tested on."""
    return np.random.default_rng(0).permutation(np.repeat([f"piece {size}" for size in sizes], sizes)).tolist(), share


def _split(pieces: list[str], share: float, rng: np.random.Generator | None = None) -> np.ndarray:
    owners = np.array(pieces)
    tested = np.zeros(len(owners), dtype=bool)
    for piece in (rng or np.random.default_rng(0)).permutation(np.unique(owners)):
        if tested.mean() < share:
            tested |= owners == piece
    return tested


def _share_of_pieces(pieces: list[str], share: float) -> np.ndarray:
    names, counts = np.unique(pieces, return_counts=True)
    return np.isin(pieces, names[counts.argsort()][: round(share * len(names))])


def _judge_split(split, pieces: list[str], share: float) -> str:
    owners = np.array(pieces)
    tested, *again = (expect(ask(split, list(pieces), share), owners == "") for _ in range(CALLS))
    if any((each != tested).any() for each in again):
        return "it gives another split at every call"
    if tested.all() or not tested.any():
        return "all slices are on one side"
    if set(owners[tested]) & set(owners[~tested]):
        return "a piece is on both sides"
    names, counts = np.unique(owners[tested], return_counts=True)
    if share <= tested.mean() < share + counts.max() / len(owners):  # the largest may have come last
        return "right"
    if len(names) == round(share * len(np.unique(owners))):
        return "it takes the share of the pieces"
    return "it tests on too few slices" if tested.mean() < share else "it tests on too many slices"


check_split = Exercise(
    reference=_split,
    # Pieces of such unlike lengths that a share of the pieces is rarely that share of the slices.
    cases=lambda: [
        _slices(0.25, 12, 9, 7, 5, 3, 4, 2, 10),
        _slices(0.3, 4, 5, 3, 6, 2, 8, 7),
        _slices(0.2, 20, 6, 16, 9, 2, 7, 5, 11, 4),
        _slices(0.2, 1, 2, 3, 4, 5, 6, 7, 8, 60, 70),
    ],
    asks=_judge_split,
    mistakes={
        "a dataset needs slices to train with and slices to test on.": lambda pieces, share: [True] * len(pieces),
        "some tested slices are of pieces that also train.": lambda pieces, _: np.arange(len(pieces)) < 3,
        "it takes the share of the pieces; pieces are not equally long, so count slices.": _share_of_pieces,
        "it gives another split at every call: give the random generator a seed.": (
            lambda pieces, share: _split(pieces, share, np.random.default_rng())
        ),
        "it tests on too many slices; is it the other way round? True means tested on.": lambda *data: ~_split(*data),
    },
)


def _mix(target, other, sdr_db, factor=lambda db: 10 ** (-db / 20), root=np.sqrt) -> np.ndarray:
    return target + root(np.sum(target**2) / np.sum(other**2)) * factor(sdr_db) * other


check_mix = Exercise(
    reference=_mix,
    cases=lambda: [
        (unseen(0, first).sources["violin"], unseen(1, second).sources["trumpet"], sdr_db)
        for first, second, sdr_db in ((63, 48, 6.0), (77, 118, -4.5), (133, 84, 13.0))
    ],
    praise="on three pairs that you have not heard, the SDR of the target is what was asked for, 6, -4.5 and 13 dB.",
    mistakes={
        "it is the other way round: a higher SDR needs a softer other source.": lambda t, o, db: _mix(t, o, -db),
        "a factor on samples is 10 ** (dB / 20).": partial(_mix, factor=lambda db: 10 ** (-db / 10)),
        "the ratio of energies needs a square root.": partial(_mix, root=lambda ratio: ratio),
        "bring both sources to one energy first.": partial(_mix, root=lambda ratio: 1),
        "leave the target as it is, and turn the other source.": lambda t, o, db: 10 ** (db / 20) * _mix(t, o, db),
    },
)
