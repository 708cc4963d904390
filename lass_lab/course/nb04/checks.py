"""The checks of notebook 04: where a tone is heard after resampling, a split that does not leak, a mix at a level."""

from functools import partial

import numpy as np

from lass_lab.course.checks import Exercise, ask, expect, unseen

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


def _split(pieces: list[str], share: float) -> np.ndarray:
    tested = np.zeros(len(pieces), dtype=bool)
    for piece in dict.fromkeys(pieces):
        if tested.mean() < share:
            tested |= np.array(pieces) == piece
    return tested


def _judge_split(split, pieces: list[str], share: float) -> str:
    owners = np.array(pieces)
    tested = expect(ask(split, pieces, share), owners == "")
    if tested.all() or not tested.any():
        return "all slices are on one side"
    if set(owners[tested]) & set(owners[~tested]):
        return "a piece is on both sides"
    too_many = share + np.unique(owners, return_counts=True)[1].max() / len(pieces)
    return "too few" if tested.mean() < share else "too many" if tested.mean() >= too_many else "right"


check_split = Exercise(
    reference=_split,
    cases=lambda: [_slices(0.25, 12, 9, 7, 5, 3), _slices(0.3, 4, 5, 3, 6), _slices(0.2, 20, 6, 16, 9, 2, 7)],
    asks=_judge_split,
    mistakes={
        "a dataset needs slices to train with and slices to test on.": lambda pieces, share: [True] * len(pieces),
        "some tested slices are of pieces that also train.": lambda pieces, _: np.arange(len(pieces)) < 3,
        "it tests on too few slices; count slices, not pieces.": lambda pieces, share: _split(pieces, 0.01),
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
