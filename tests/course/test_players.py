"""A set of sounds plays what it was given, equally loud, within a page's room, with a picture of each."""

import base64
import io
import math
import re

import numpy as np
import pytest
from PIL import Image

from lass_lab.course.players import player_html, player_script, players
from lass_lab.signal import InputError
from tests.course.controls import sounds

RATE = 32_000
TONE = np.sin(2 * np.pi * 440 * np.arange(3 * RATE) / RATE)


def level_db(waveform):
    return 10 * math.log10(np.mean(waveform[: len(TONE)] ** 2))


def pictures(page):
    """Alt text -> the picture's brightness `(rows, columns)`, high frequencies first."""
    found = re.findall(r'<img alt="([^"]*)"[^>]*src="data:image/webp;base64,([^"]+)"', page)
    return {alt: np.asarray(Image.open(io.BytesIO(base64.b64decode(each))).convert("L")) for alt, each in found}


def test_sounds_are_equally_loud_and_labelled():
    page = players({"a < b": 0.01 * TONE, "full scale": TONE}).data
    assert [level_db(played) for played in sounds(page).values()] == pytest.approx([-23, -23], abs=0.1)
    assert list(sounds(page)) == ["a &lt; b", "full scale"]
    assert "<figcaption>a &lt; b</figcaption>" in page


def test_sounds_never_clip_and_stay_at_one_level():
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
    assert list(pictures(page))[1] == "Spectrogram of “rest”, 3.0 s, 0 to 8 kHz; silent throughout"


def test_pictures_share_one_scale_of_time_and_of_colours():
    short, soft = np.pad(TONE, (RATE, 0)), 1e-3 * TONE[:RATE]
    page = player_html({"late": short, "early and soft": soft})
    late, early = pictures(page).values()
    assert 'data-seconds="4.000"' in page and late.shape == early.shape
    assert "Spectrogram of “late”, 4.0 s, 0 to 8 kHz; loudest at" in page and "near 438 Hz" in page
    columns = late.shape[1]
    # A row is 62.5 Hz: 440 Hz stands in the seventh from below.
    assert late[-8:-5, columns // 2 :].mean() > 2 * late[-8:-5, : columns // 5].mean()
    assert early[-8:-5, : columns // 5].mean() > 2 * early[-8:-5, columns // 2 :].mean()
    assert late.max() > early.max() + 20, "the soft one was amplified by no more than 30 dB"


def test_without_pictures_nothing_is_shown_that_only_the_ear_should_tell():
    assert not pictures(player_html({"a": TONE}, pictures=False))


def test_sounds_of_one_length_begin_and_end_together():
    first, second = sounds(players({"a": TONE, "b": TONE[::-1]}).data).values()
    assert len(first) == len(second)
    assert np.corrcoef(first, second[::-1])[0, 1] > 0.99, "one delay for both, or the reversed one would be shifted"


@pytest.mark.parametrize("seconds", [13, 18, 25, 60])
def test_a_sound_has_at_most_300_kb_and_says_when_it_was_cut(seconds):
    noise = np.random.default_rng(0).normal(size=seconds * RATE)
    page = player_html({"noise": noise, "by a longer name": noise})
    assert len(page.encode()) <= 600_000
    kept = min(seconds, 25)
    assert all(kept <= len(played) / RATE < kept + 0.1 for played in sounds(page).values())
    assert page.count("the first 25 s of 60 s") == 2 * 2 * (seconds == 60)


def test_the_script_is_small_and_ends_where_it_should():
    script = player_script()
    assert len(script.encode()) < 12_000 and script.count("</script>") == 1 and "\n//" not in script
    assert players({"a": TONE}).data.endswith(script)


def test_bad_sounds_are_named():
    for waveforms, fault in (
        ({}, "no waveforms"),
        ({"a": TONE[None]}, "^a: needs a waveform"),
        ({"a": np.array([np.inf])}, "^a: holds NaN"),
    ):
        with pytest.raises(InputError, match=fault):
            players(waveforms)
