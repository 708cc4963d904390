"""Errors are found in the band, the register and the source that they were put into."""

import numpy as np
import pytest

from lass_lab.course.nb07.errors import FRAME, QUIET, THIRDS, make_up, pitches, sdr_by_band, sdr_by_register
from lass_lab.datasets import load_piece
from lass_lab.signal import sdr

RATE = 32_000
TIME = np.arange(6 * RATE) / RATE


def tone(hertz):
    return 0.1 * np.sin(2 * np.pi * hertz * TIME)


def test_an_error_counts_in_its_own_band_alone_and_bands_add_up():
    target = sum(tone(each) for each in THIRDS)
    table = sdr_by_band(target, {"spoiled": target - 0.5 * tone(1000), "clean": target + 1e-4 * tone(1000)})
    assert len(table) == 17 and table["share of the target"].sum() == pytest.approx(1)
    assert table.loc[1000, "spoiled"] == pytest.approx(20 * np.log10(2), abs=0.01)
    assert (table["spoiled"].drop(1000) > 60).all() and table.loc[1000, "clean"] > 70
    error = (table["share of the target"] / 10 ** (table["spoiled"] / 10)).sum()
    assert -10 * np.log10(error) == pytest.approx(sdr(target, target - 0.5 * tone(1000)), abs=0.05)


def test_pitches_of_the_shipped_violin_stay_above_its_lowest_string():
    violin = load_piece("auld-lang-syne").sources["violin"]
    energy = np.square(violin[: len(violin) // FRAME * FRAME]).reshape(-1, FRAME).sum(axis=1)
    assert np.quantile(pitches(violin)[energy > QUIET * energy.max()], 0.01) > 190


def test_an_error_counts_in_the_register_of_the_note_that_it_spoils():
    notes = (220.0, 440.0, 880.0)
    target = np.concatenate([tone(each)[: 2 * RATE] for each in notes])
    spoiled = target.copy()
    spoiled[2 * RATE : 4 * RATE] *= 0.5
    table = sdr_by_register(target.astype(np.float32), {"spoiled": spoiled})
    low, middle, high = table["spoiled"]
    assert middle == pytest.approx(6, abs=1.5) and min(low, high) > 10
    assert [name.split(":")[0] for name in table.index] == ["low", "middle", "high"]


def test_an_estimate_is_made_of_its_sources_and_a_rest():
    one, two = np.random.default_rng(0).standard_normal((2, RATE))
    table = make_up({"violin": one, "trumpet": two}, {"mixture": one + two, "violin": 0.9 * one + 0.2 * two})
    np.testing.assert_allclose(table.loc["violin", ["violin", "trumpet"]].astype(float), [0.9, 0.2], atol=1e-9)
    assert (table["rest (dB)"] < -100).all()
    noisy = make_up({"violin": one}, {"it": one + 0.1 * two}).loc["it", "rest (dB)"]
    assert noisy == pytest.approx(-20, abs=0.3)
