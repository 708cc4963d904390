"""Players play what they were given, equally loud, within a page's room."""

import math

import numpy as np
import pytest

from lass_lab.course.players import players
from lass_lab.signal import InputError
from tests.course.controls import sounds

RATE = 32_000
TONE = np.sin(2 * np.pi * 440 * np.arange(3 * RATE) / RATE)


def level_db(waveform):
    return 10 * math.log10(np.mean(waveform[: len(TONE)] ** 2))


def test_players_are_equally_loud_and_labelled():
    page = players({"a < b": 0.01 * TONE, "full scale": TONE}).data
    assert [level_db(played) for played in sounds(page).values()] == pytest.approx([-23, -23], abs=0.1)
    assert list(sounds(page)) == ["a &lt; b", "full scale"]
    assert "<figcaption>a &lt; b</figcaption>" in page


def test_players_never_clip_and_stay_at_one_level():
    clicks = np.zeros(3 * RATE)
    clicks[::RATE] = 0.5
    played = sounds(players({"clicks": clicks, "tone": 0.3 * TONE}).data)
    assert all(np.abs(waveform).max() <= 1 for waveform in played.values())
    # Clicks of 0.89 every second have an RMS of 0.89 / sqrt(32000), 46 dB below full scale.
    assert level_db(played["tone"]) == pytest.approx(-46.05, abs=0.1)


def test_a_nearly_silent_estimate_stays_quiet_and_silence_is_said():
    page = players({"residue": 1e-4 * TONE, "rest": 0 * TONE}).data
    residue, rest = sounds(page).values()
    assert level_db(residue) == pytest.approx(-80 - 3 + 30, abs=0.5)
    assert "rest (silent)" in page and np.abs(rest).max() == 0


@pytest.mark.parametrize("seconds", [13, 18, 27, 60])
def test_a_player_has_at_most_300_kb_and_says_when_it_was_cut(seconds):
    page = players({"noise": np.random.default_rng(0).normal(size=seconds * RATE)}).data
    assert len(page.encode()) <= 300_000
    (played,) = sounds(page).values()
    kept = min(seconds, 27)
    assert kept <= len(played) / RATE < kept + 0.1
    assert ("the first 27 s of 60 s" in page) == (seconds == 60)


def test_bad_sounds_are_named():
    for waveforms, fault in (
        ({}, "no waveforms"),
        ({"a": TONE[None]}, "^a: needs a waveform"),
        ({"a": np.array([np.inf])}, "^a: holds NaN"),
    ):
        with pytest.raises(InputError, match=fault):
            players(waveforms)
